"""Watch: one job followed to its end, from any thread; polls on the watcher's loop."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

from .durations import DurationPrior
from .errors import CometVidError, GaveUp
from .frontend import cell_number
from .job import Job, Polled
from .pacing import PollPolicy
from .saving import SaveClip, carry_out
from .turns import Turns
from .waiting import block_on
from .watch_state import Ending, Saving, WatchState

log = logging.getLogger("cometvid_nb.watching")

LATE_S = 2.0
"""A poll this much later than planned (a laptop that slept, a starved process) makes the plan
that the page draws from untrue, so a new one is sent."""

Observer = Callable[[WatchState], None]


class JobSource(Protocol):
    """Where jobs are asked after: the client, or anything shaped like it."""

    async def poll(self, job_id: str) -> Polled:
        """One question; raises `TransientError` or another `CometVidError`."""

    async def aclose(self) -> None:
        """Give up the connections."""


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
        self.picture: Callable[[Job], Awaitable[str | None]] | None = None
        """Gets a small picture of a clip that is not to be saved."""
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

        return block_on(wait())

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
        rng = random.Random()
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        is_planned = False
        while not self._state.is_over:
            await asyncio.sleep(due_s - loop.time())
            if self._state.checks_at_s and (hold_s := self._turns.hold_s) > 1:
                # Another job was told to wait, and that goes for all of this server's.
                checks_at_s = (self._state.checks_at_s[0], time.time() + hold_s)
                self._become(replace(self._state, checks_at_s=checks_at_s))
                due_s, is_planned = loop.time() + hold_s, False
                continue
            is_late = loop.time() - due_s > LATE_S
            before = self._state
            offset_s = time.time() - loop.time()
            after = await self._poll()
            now_s = time.time()
            # A clock that was put back or forward: the old plan may lie hours ahead.
            is_late |= is_planned and abs(now_s - before.checks_at_s[1]) > LATE_S
            if after.is_over:
                await self._end(after)
                break
            is_hint_new = after.poll.retry_after_s != before.poll.retry_after_s
            if before.job is None and after.job is not None and self.learn is not None:
                self._policy = replace(self._policy, prior=self.learn(after.job))
            is_changed = is_late or not is_planned or is_hint_new or not after.looks_like(before)
            is_out_of_plan = len(before.checks_at_s) < 3
            if is_changed or is_out_of_plan:
                policy = replace(
                    self._policy, price_s=self._policy.price_s * self._turns.price_factor
                )
                # Only a card of its own draws the plan; it costs more than the rest of a poll.
                plan = tuple(
                    policy.plan(after.poll, now_s, rng, 400 if self._widget is not None else 3)
                )
                after = replace(after, checks_at_s=(now_s, *plan))
            else:
                # Nothing new: the page has the plan already and needs no message.
                after = replace(after, checks_at_s=(now_s, *before.checks_at_s[2:]))
            if len(after.checks_at_s) < 2:
                if now_s - loop.time() - offset_s > LATE_S:
                    # The machine slept over the deadline, with the question under way.
                    due_s, is_planned = loop.time(), False
                    continue
                self._become(after.gave_up(now_s))
                break
            is_planned = True
            self._become(after, is_told=is_changed or (is_out_of_plan and self._widget is not None))
            due_s = loop.time() + max(0.0, after.checks_at_s[1] - now_s)
        if self._state.ending is Ending.COMPLETED and self._state.saving:
            await self._save_all()

    async def _poll(self) -> WatchState:
        # The deadline holds for the question too, not only for the pauses between.
        left_s = self._state.began_at_s + self._state.give_up_after_s - time.time()
        try:
            async with asyncio.timeout(max(1.0, left_s)), self._turns.turn():
                polled = await self.source.poll(self.job_id)
        except TimeoutError:
            return self._state.gave_up(time.time())
        except CometVidError as error:
            return self._state.troubled(error, time.time())
        return self._state.answered(polled.job, time.time(), polled.retry_after_s)

    async def _end(self, after: WatchState) -> None:
        if after.ending is Ending.COMPLETED and after.job and self.picture and not self._saves:
            after = replace(after, poster=await self.picture(after.job))
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
            if after.saved is None and self.picture and after.job and not after.poster:
                after = replace(after, poster=await self.picture(after.job))
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
