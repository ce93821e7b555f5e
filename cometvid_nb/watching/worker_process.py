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
from ..clips.posters import picture
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
        self._client = Client(settings)
        self._turns = self._client.turns
        self._news = news
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._drawn: set[int] = set()
        self._lessons: dict[int, asyncio.Future[DurationPrior | None]] = {}
        self._states: dict[int, WatchState] = {}
        self._questions: dict[int, Job] = {}
        self._refusals: list[float | None] = []
        self._has_news = asyncio.Event()

    def take(self, message: tuple[Any, ...]) -> None:
        """Do what the kernel says."""
        match message:
            case ("follow", number, state, policy, is_drawn, is_pictured):
                if is_drawn:
                    self._drawn.add(number)
                following = self._follow(number, state, policy, is_pictured=is_pictured)
                self._tasks[number] = asyncio.get_running_loop().create_task(following)
            case ("drop", number):
                self._drawn.discard(number)
                if number in self._tasks:
                    self._tasks.pop(number).cancel()
            case ("draw", number):
                self._drawn.add(number)
            case ("learned", number, prior):
                lesson = self._lessons.get(number)
                if lesson is not None and not lesson.done():
                    lesson.set_result(prior)
            case ("refused", retry_after_s):
                self._turns.hear(retry_after_s)

    async def note_refusals(self) -> None:
        """Have the kernel told of each 429 met here: both ask the same server."""
        while True:
            retry_after_s = await self._turns.refusal()
            self._refusals.append(retry_after_s)
            self._has_news.set()

    async def _follow(
        self, number: int, state: WatchState, policy: PollPolicy, *, is_pictured: bool
    ) -> None:
        async def learn(job: Job) -> DurationPrior | None:
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

        def tell(state: WatchState, is_news: bool) -> None:
            if is_news:
                self._states[number] = state
                self._has_news.set()

        polling = Polling(
            state,
            policy,
            self._client,
            self._turns,
            tell,
            learn=learn,
            is_drawn=lambda: number in self._drawn,
        )
        try:
            with self._turns.job():
                last = await polling.run()
                if is_pictured:
                    last = await pictured(last, lambda job: picture(self._client, job))
                tell(last, True)
        except Exception as error:  # noqa: BLE001 - said on the card
            tell(polling.state.broke(error, time.time()), True)

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
    tasks = [loop.create_task(work) for work in (process.bring_news(), process.note_refusals())]
    # The pipe stays open where the kernel was forked and then killed.
    while not any(task.done() for task in tasks) and os.getppid() == parent:
        await asyncio.wait(tasks, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
    os._exit(1)
