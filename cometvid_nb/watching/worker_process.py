"""The program of the worker's process: polls many jobs and sends the changes in bundles."""

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
from ..job.job import Job
from ..settings import Secret, Settings
from .durations import DurationPrior
from .polling import Polling, pictured
from .schedule import PollPolicy
from .state import WatchState
from .worker import SIGN_OF_LIFE_EVERY_S, head_of, shapes

NEWS_EVERY_S = 0.25
"""The shortest time between two bundles, each with the latest state of every changed job. More
often, waking the kernel would slow down the reader's cells."""
NICENESS = 5
"""Where the cores are few, the reader's cell goes first. With 10,000 jobs on 2 cores a busy cell
lost 46 % of its time while the niceness had no effect (see `worker._launch`), and 8 % with it."""
_LEARN_WITHIN_S = 10.0
"""How long to wait for a prior from the kernel; then the default has to do."""
_KERNEL_CHECKED_EVERY_S = 5.0
"""How often to check that the kernel still lives."""


class WorkerProcess:
    """Polls the jobs that the kernel names, on one loop; writes the changes to `news`."""

    def __init__(self, settings: Settings, news: BinaryIO) -> None:
        self.client = Client(settings)
        self._turns = self.client.turns
        self._news = news
        # All by the number that the kernel gave the watch.
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._pollings: dict[int, Polling] = {}
        self._lessons: dict[int, asyncio.Future[DurationPrior | None]] = {}
        """The priors that pollings wait for."""
        # The next bundle: only the latest state of a job counts, so a dict and not a queue.
        self._states: dict[int, WatchState] = {}
        self._questions: dict[int, Job] = {}
        """Jobs whose prior the kernel is asked for."""
        self._refusals: list[float | None] = []
        """The Retry-After (seconds, or None) of each 429 that was met here."""
        self._has_news = asyncio.Event()

    def take(self, message: tuple[Any, ...]) -> None:
        """Carry out a message of the kernel; `Worker` sends each kind."""
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

    async def note_refusals(self) -> None:
        """Have the kernel told of each 429 met here: both ask the same server."""
        while True:
            retry_after_s = await self._turns.refusal()
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
        """Ask the kernel how long such a job takes; None if it has no prior or does not answer."""
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
        """Write the changes, bundle after bundle, for as long as the process lives."""
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):  # then the bundle is empty, as a sign of life
                async with asyncio.timeout(SIGN_OF_LIFE_EVERY_S):
                    await self._has_news.wait()
            self._has_news.clear()
            bundle = pickle.dumps((self._states, self._questions, self._refusals))
            self._states, self._questions, self._refusals = {}, {}, []
            # In a thread: a kernel that is slow to read must not hold up the polls.
            await loop.run_in_executor(None, self._write, bundle)
            await asyncio.sleep(NEWS_EVERY_S)

    def _write(self, bundle: bytes) -> None:
        self._news.write(head_of(bundle) + bundle)
        self._news.flush()


class _TaughtPolling(Polling):
    """Polling that gets its prior from the kernel, which alone reads the ledger."""

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
    """Poll for the kernel that started this process, until it closes the pipe or is gone."""
    # Ctrl-C in a terminal reaches every process there; only the kernel decides what it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # The bundles get a copy of stdout, and stdout itself becomes stderr: what a library prints
    # must not get between the bundles.
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

    # A process whose parent dies gets another parent.
    parent = os.getppid()

    def take(message: tuple[Any, ...]) -> None:
        try:
            process.take(message)
        except BaseException:  # noqa: BLE001 - such as a message of another release
            os._exit(1)  # then the kernel polls by itself; here a job would be polled by nobody

    def listen() -> None:
        try:
            while True:
                message = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the kernel
                loop.call_soon_threadsafe(take, message)
        finally:
            os._exit(0)  # the pipe is closed, and this process has nothing to keep

    threading.Thread(target=listen, name="cometvid-listen", daemon=True).start()
    tasks = [loop.create_task(work) for work in (process.bring_news(), process.note_refusals())]
    # The pipe alone does not tell: a fork of the kernel keeps it open after the kernel was killed.
    while not any(task.done() for task in tasks) and os.getppid() == parent:
        await asyncio.wait(
            tasks, timeout=_KERNEL_CHECKED_EVERY_S, return_when=asyncio.FIRST_COMPLETED
        )
    os._exit(1)
