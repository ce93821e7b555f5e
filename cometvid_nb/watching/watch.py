"""Watch: one job followed to its end, from any thread; polls on the watcher's loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from ..api.turns import Turns
from ..clips.places import Saving
from ..errors import GaveUp
from ..job import Job
from ..notebook import cell_number
from .blocking import block_on
from .durations import DurationPrior
from .polling import JobSource, Picture, Polling, pictured
from .saving import SaveClip, carry_out
from .schedule import PollPolicy
from .state import Ending, WatchState
from .worker import Worker

log = logging.getLogger("cometvid_nb.watching.watch")

Observer = Callable[[WatchState], None]


class Watch:
    """A job being followed to its end; `Watcher.follow` makes it.

    Safe to use from any thread. `await watch` and `wait` give the completed `Job`.
    """

    def __init__(
        self,
        job_id: str,
        policy: PollPolicy,
        make_widget: Callable[[Watch], Any],
        source: JobSource,
        *,
        is_simulated: bool,
        turns: Turns,
    ) -> None:
        self.source = source
        self._turns = turns
        self.shown_in_cell: int | None = None
        """The cell that shows the card already, and so need not show its value as well."""
        self.learn: Callable[[Job], DurationPrior] | None = None
        """What the past says of how long such a job takes, asked at the first answer."""
        self.picture: Picture | None = None
        """Gets a small picture of a clip that is not to be saved."""
        self.find_worker: Callable[[], Worker | None] = lambda: None
        """What is to poll in the kernel's place, if anything; asked on the watcher's loop."""
        self.on_drawn: Callable[[], None] = lambda: None
        """Called when the watch gets a card of its own."""
        self._saves: list[SaveClip] = []
        self._make_widget = make_widget
        self._widget: Any = None
        self._lock = threading.RLock()
        self._observers: list[Observer] = []
        self._task: Future[None] | None = None
        self._policy = policy
        self._state = WatchState.begin(
            job_id, time.time(), policy.give_up_after_s, is_simulated=is_simulated
        )

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self._state.job_id

    @property
    def state(self) -> WatchState:
        """All that is known by now."""
        return self._state

    @property
    def job(self) -> Job | None:
        """The job as it was last seen, or None before the first answer."""
        return self._state.job

    @property
    def widget(self) -> Any:
        """The `JobWidget` that shows this watch; one model, however often it is displayed."""
        with self._lock:
            if self._widget is None:
                self._widget = self._make_widget(self)
                self.on_drawn()
            return self._widget

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer(state)` now and at each visible change; returns what ends that.

        Calls come one at a time, now on this thread and later on the watcher's.
        """
        with self._lock:
            self._observers.append(observer)
            self._tell(observer)

        def unsubscribe() -> None:
            with self._lock:
                if observer in self._observers:
                    self._observers.remove(observer)

        return unsubscribe

    def wait(self, timeout: float | None = None) -> Job:
        """Block until the job has ended and its clip is saved, at most `timeout` seconds.

        In a notebook the other tasks of the kernel's loop, the reader's own included, go on. An
        interrupt ends the waiting, not the watch.

        Raises:
            JobFailed, WatchStopped, ApiError: how it ended instead.
            GaveUp: the deadline of the watch, or `timeout`, passed first.
        """

        async def wait() -> Job:
            try:
                async with asyncio.timeout(timeout):
                    return await self
            except TimeoutError:
                raise GaveUp(
                    f"{self.job_id} had not ended after {timeout:g} s of waiting.",
                    job=self.job,
                    advice=f"The watch goes on: %cometvid wait {self.job_id}",
                ) from None

        # A thousand that are over need no loop each.
        return self.result() if self._state.is_settled else block_on(wait())

    def stop(self) -> None:
        """Stop watching. The job itself goes on; a watch that is over stays as it ended."""
        task = self._task
        if task is not None:
            task.cancel()
        self._become(self._state.stopped(time.time()))

    def result(self) -> Job:
        """The completed job of a watch that is over.

        Raises:
            JobFailed, GaveUp, WatchStopped, ApiError: how it ended instead.
        """
        state = self._state
        if state.error is not None:
            # A fresh traceback each time: one error object may be raised to many waiters.
            raise state.error.with_traceback(None)
        if state.job is None or not state.is_over:
            raise RuntimeError(f"the watch of {state.job_id} is not over")
        return state.job

    def __repr__(self) -> str:
        state = self._state
        word = state.ending or (state.job.status_word if state.job else "starting")
        return f"<Watch {state.job_id}: {word}>"

    @property
    def is_shown_here(self) -> bool:
        """Whether the cell that runs shows this watch already."""
        return self.shown_in_cell is not None and self.shown_in_cell == cell_number()

    def _ipython_display_(self) -> None:
        if not self.is_shown_here:
            print(repr(self))

    def __await__(self) -> Generator[Any, None, Job]:
        return self._settled().__await__()

    async def _settled(self) -> Job:
        loop = asyncio.get_running_loop()
        event = asyncio.Event()

        def observe(state: WatchState) -> None:
            if state.is_settled:
                try:
                    loop.call_soon_threadsafe(event.set)
                except RuntimeError:
                    log.debug("the loop that awaited %s is closed", state.job_id)

        unsubscribe = self.subscribe(observe)
        try:
            await event.wait()
        finally:
            unsubscribe()
        return self.result()

    def _tell(self, observer: Observer) -> None:
        try:
            observer(self._state)
        except Exception:
            # One broken display must not end the watch, nor the displays after it.
            log.exception("an observer of %s failed", self._state.job_id)

    def _become(self, state: WatchState, *, is_told: bool = True) -> None:
        with self._lock:
            if self._state.is_over and state.ending is not self._state.ending:
                return  # an answer that was under way when somebody stopped the watch
            self._state = state
            if is_told:
                for observer in tuple(self._observers):
                    self._tell(observer)

    async def _run(self, save: SaveClip | None) -> None:
        """Poll until the end, then save."""
        if save is not None:
            self._saves.append(save)
        if not self._state.is_over:
            await self._end(await self._poll())
        if self._state.ending is Ending.COMPLETED and self._state.saving:
            await self._save_all()

    async def _poll(self) -> WatchState:
        """Poll until the job is over, here or, where there are many, in the worker."""
        state: WatchState | None = self._state
        while state is None or not state.is_over:
            state = state or self._state
            worker = self.find_worker()
            if worker is not None:
                state = await worker.follow(
                    state,
                    self._policy,
                    self._hear,
                    self._learn,
                    is_drawn=self._widget is not None,
                    is_pictured=self.picture is not None and not self._saves,
                )
                continue
            state = await Polling(
                state,
                self._policy,
                self.source,
                self._turns,
                self._hear,
                learn=self._learn,
                is_drawn=lambda: self._widget is not None,
                is_at_home=lambda: self.find_worker() is None,
            ).run()
            if self.picture is not None and not self._saves:
                state = await pictured(state, self.picture)
        return state

    def _hear(self, state: WatchState, is_news: bool) -> None:
        self._become(state, is_told=is_news)

    async def _learn(self, job: Job) -> DurationPrior | None:
        if self.learn is not None:
            self._policy = replace(self._policy, prior=self.learn(job))
        return self._policy.prior

    async def _end(self, after: WatchState) -> None:
        with self._lock:
            is_saving = after.ending is Ending.COMPLETED and self._saves
            self._become(replace(after, saving=Saving()) if is_saving else after)

    def save_too(self, save: SaveClip) -> bool:
        """Save the clip by `save` as well; True: the watch is over, and `_save_all` is to run."""
        with self._lock:
            self._saves.append(save)
            if not self._state.is_settled or self._state.ending is not Ending.COMPLETED:
                return False
            self._become(replace(self._state, saving=Saving()))
            return True

    async def _save_all(self) -> None:
        """Carry out what is to be saved, also what is added meanwhile."""
        while self._state.saving:
            save = self._saves.pop(0)
            after = await carry_out(save, self._state, self._tell_saving)
            if after.saved is None and self.picture is not None:
                after = await pictured(after, self.picture)
            with self._lock:
                self._become(replace(after, saving=Saving() if self._saves else None))

    def _tell_saving(self, saving: Saving) -> None:
        self._become(replace(self._state, saving=saving))


class WatchList(list[Watch]):
    """Several watches that were begun together."""

    def wait(self, timeout: float | None = None) -> list[Job]:
        """Block until all have ended, `timeout` seconds at most for each; see `Watch.wait`."""
        return [watch.wait(timeout) for watch in self]

    def stop(self) -> None:
        """Stop watching all of them."""
        for watch in self:
            watch.stop()

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        return f"[{shown}]" if len(self) <= 3 else f"[{shown}, … {len(self) - 3:,} more]"

    def _ipython_display_(self) -> None:
        if not all(watch.is_shown_here for watch in self):
            print(repr(self))
