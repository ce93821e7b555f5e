"""What the worker's process runs: one client, many pollings, news in bundles."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO

from ..api.client import Client
from ..job import Job
from ..settings import Secret, Settings
from .durations import DurationPrior
from .polling import Polling, pictured
from .schedule import PollPolicy
from .state import WatchState
from .worker import LENGTH_BYTES, SIGN_OF_LIFE_EVERY_S, shapes

NEWS_EVERY_S = 0.25
"""The kernel is woken this often at most, with the latest of every job."""
NICENESS = 5
"""Where the cores are few, a reader's cell goes first."""
_LEARN_WITHIN_S = 10.0
_LOOK_EVERY_S = 5.0


class WorkerProcess:
    """Polls what the kernel names, on one loop, and tells it the news through `news`."""

    def __init__(self, settings: Settings, news: BinaryIO) -> None:
        self.client = Client(settings)
        self._turns = self.client.turns
        self._turns.on_refused = self._note_refusal
        self._news = news
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._pollings: dict[int, Polling] = {}
        self._lessons: dict[int, asyncio.Future[DurationPrior | None]] = {}
        self._states: dict[int, WatchState] = {}
        self._questions: dict[int, Job] = {}
        self._refusals: list[float | None] = []
        self._has_news = asyncio.Event()

    def take(self, message: tuple[Any, ...]) -> None:
        """Do what the kernel says."""
        match message:
            case ("follow", number, state, policy, is_drawn, is_pictured):
                polling = _TaughtPolling(number, state, policy, self)
                polling.is_drawn = is_drawn
                self._pollings[number] = polling
                following = self._follow(number, polling, is_pictured=is_pictured)
                self._tasks[number] = asyncio.get_running_loop().create_task(following)
            case ("drop", number):
                self._pollings.pop(number, None)
                if number in self._tasks:
                    self._tasks.pop(number).cancel()
            case ("draw", number):
                if number in self._pollings:
                    self._pollings[number].is_drawn = True
            case ("learned", number, prior):
                lesson = self._lessons.get(number)
                if lesson is not None and not lesson.done():
                    lesson.set_result(prior)
            case ("refused", retry_after_s):
                self._turns.hear(retry_after_s)

    def _note_refusal(self, retry_after_s: float | None) -> None:
        self._refusals.append(retry_after_s)
        self._has_news.set()

    async def _follow(self, number: int, polling: Polling, *, is_pictured: bool) -> None:
        try:
            with self._turns.job():
                while not polling.state.is_over:
                    await polling.until_due()
                    is_news = await polling.poll()
                    if is_news and not polling.state.is_over:
                        self._tell(number, polling.state)
                last = polling.state
                self._tell(number, await pictured(last, self.client) if is_pictured else last)
        except Exception as error:  # noqa: BLE001 - said on the card
            self._tell(number, polling.state.broke(error, time.time()))

    def _tell(self, number: int, state: WatchState) -> None:
        self._states[number] = state
        self._has_news.set()

    async def ask_prior(self, number: int, job: Job) -> DurationPrior | None:
        """How long such a job takes, as the kernel knows from its ledger; None: it does not say."""
        lesson: asyncio.Future[DurationPrior | None]
        lesson = self._lessons[number] = asyncio.get_running_loop().create_future()
        self._questions[number] = job
        self._has_news.set()
        try:
            async with asyncio.timeout(_LEARN_WITHIN_S):
                return await lesson
        except TimeoutError:
            return None
        finally:
            del self._lessons[number]

    async def bring_news(self) -> None:
        """Write what has changed, bundle after bundle."""
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):  # then an empty bundle is a sign of life
                async with asyncio.timeout(SIGN_OF_LIFE_EVERY_S):
                    await self._has_news.wait()
            self._has_news.clear()
            bundle = pickle.dumps((self._states, self._questions, self._refusals))
            self._states, self._questions, self._refusals = {}, {}, []
            # In a thread: a kernel that is slow to read must not hold up the questions.
            await loop.run_in_executor(None, self._write, bundle)
            await asyncio.sleep(NEWS_EVERY_S)

    def _write(self, bundle: bytes) -> None:
        self._news.write(len(bundle).to_bytes(LENGTH_BYTES, "big") + bundle)
        self._news.flush()


class _TaughtPolling(Polling):
    """Polling that asks the kernel how long such a job takes."""

    def __init__(
        self, number: int, state: WatchState, policy: PollPolicy, process: WorkerProcess
    ) -> None:
        super().__init__(state, policy, process.client, None)
        self._number = number
        self._process = process

    async def _prior_of(self, job: Job) -> DurationPrior:
        prior = await self._process.ask_prior(self._number, job)
        return prior if prior is not None else self._policy.prior


def main() -> None:
    """Serve the process that started this one, until it closes the pipe or is gone."""
    # Ctrl-C in a terminal goes to all that run there; what to do is for the kernel to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # What a library prints must not get between the bundles.
    news = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    theirs, key, values = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the kernel
    if theirs != shapes():
        sys.exit("another release was installed since the kernel began")
    settings = Settings(api_key=Secret(key) if key is not None else None, **values)
    asyncio.run(_serve(settings, news))


async def _serve(settings: Settings, news: BinaryIO) -> None:
    process = WorkerProcess(settings, news)
    loop = asyncio.get_running_loop()

    parent = os.getppid()

    def take(message: tuple[Any, ...]) -> None:
        try:
            process.take(message)
        except BaseException:  # noqa: BLE001 - of another release, say
            os._exit(1)  # the kernel then polls by itself; a job that nobody polls is worse

    def listen() -> None:
        try:
            while True:
                message = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the kernel
                loop.call_soon_threadsafe(take, message)
        finally:
            os._exit(0)  # the kernel needs it no more; there is nothing to keep

    threading.Thread(target=listen, name="cometvid-listen", daemon=True).start()
    news_task = loop.create_task(process.bring_news())
    # The pipe stays open where the kernel was forked and then killed.
    while not news_task.done() and os.getppid() == parent:
        await asyncio.wait([news_task], timeout=_LOOK_EVERY_S)
    os._exit(1)
