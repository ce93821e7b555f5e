"""Watch: follows one job to its end, polling and saving on the loop it is started on."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..clips.places import Destination, SavedClip, Saving
from ..errors import CometVidError, GaveUp
from ..job.ids import quoted_id, shown_id
from ..job.job import Job
from ..job.plain import plain
from ..job.rating import KEEP, Keep, Rating
from ..machine import say
from ..notebook import cell_number
from .blocking import block_on
from .memory import Memory
from .on_done import call_when_settled
from .polling import Polling, pictured
from .ratings import Ratings
from .saving import saved_to, told_sometimes, whole, with_picture
from .schedule import PollPolicy
from .state import Ending, WatchState
from .waiting import Observer, until_settled

if TYPE_CHECKING:
    from .server import Server  # httpx loads with the first watch, not with %cometvid help

log = logging.getLogger("cometvid_nb.watching.watch")


class Watch:
    """Follows a job to its end; `await watch` and `wait` return the completed `Job`.

    Safe to use from any thread.

    Args:
        state: where to begin; a state that is over needs no `start`.
        server: the API that is polled.
        policy: the poll schedule and the deadline.
        destinations: where the clip is saved, one place after the other; empty: nowhere.
        memory: writes the events into the ledger; None writes nothing.
        picture: what stands behind the card until there is a clip, as a small data URL; or None.
        make_widget: called as `make_widget(watch)` at the first use of `widget`. It and the
            observers of `subscribe` are the only callbacks that leave this folder.
    """

    def __init__(
        self,
        state: WatchState,
        server: Server,
        policy: PollPolicy,
        *,
        destinations: Sequence[Destination] = (),
        memory: Memory | None = None,
        picture: str | None = None,
        make_widget: Callable[[Watch], Any] = lambda watch: None,
    ) -> None:
        self.server = server
        self.picture = picture
        self._policy = policy
        self._destinations = list(destinations)
        """Where the clip is still to be saved; a save takes its place off the list."""
        # Apart from the list, which is empty again once the clip is saved.
        self._is_clip_wanted = bool(destinations)
        self._is_fresh = False
        """Whether a poll saw the job run before it ended: else it may have ended long ago."""
        self._memory = memory
        self._make_widget = make_widget
        self._widget: Any = None
        self._polling: Polling | None = None
        """The polling of this kernel, to tell it when a widget begins to draw the plan."""
        self._shown_in_cell: int | None = None
        """The number of the cell that shows the card; as a cell's value the watch prints nothing
        there."""
        # Reentrant: methods that hold it call `_become`, and observers may call any method.
        self._lock = threading.RLock()
        self._observers: list[Observer] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: Future[None] | None = None
        self._state = state
        self._notice = (state.note, state.can_repeat, state.rating)
        """What `annotate` and `show_rating` have said last."""
        self._ratings = memory.ratings if memory is not None else Ratings()
        self._ratings.join(state.job_id, self.show_rating)

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self._state.job_id

    @property
    def state(self) -> WatchState:
        """The latest state; immutable, so it can be read without a lock."""
        return self._state

    @property
    def job(self) -> Job | None:
        """The job as last seen, or None before the first answer."""
        return self._state.job

    @property
    def widget(self) -> Any:
        """The widget that shows this watch; the same one for as long as it has a page."""
        with self._lock:
            if self._widget is None or getattr(self._widget, "is_closed", False):
                return self.new_widget()
            return self._widget

    def new_widget(self) -> Any:
        """Return a further widget that shows this watch; it is `widget` from now on.

        In marimo a widget ends with the run of the cell that has made it, and belongs to one of
        the visitors of an app.
        """
        with self._lock:
            self._widget = self._make_widget(self)
            # From now on the plan is drawn, so that whoever polls must make all of it.
            if self._polling is not None:
                self._polling.is_drawn = True
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self.server.draw, self.job_id)
            return self._widget

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Poll on `loop` until the job is over, then save its clip. Returns at once."""
        self._loop = loop
        self._task = asyncio.run_coroutine_threadsafe(self._run(), loop)

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Call `observer(state)` now and at each visible change; return a function that ends it.

        The calls come one at a time: the first on this thread, the later ones on the loop's, or
        on the thread that stops the watch.
        """
        with self._lock:
            self._observers.append(observer)
            self._tell(observer)

        def unsubscribe() -> None:
            # Without the lock: whoever draws finds that its widget is closed, and ends this while
            # it holds the delivery's lock, for which a thread with this one may be waiting.
            with suppress(ValueError):
                self._observers.remove(observer)

        return unsubscribe

    def wait(self, timeout: float | None = None) -> Job:
        """Block until the job has ended and its clip is saved; return the completed job.

        `timeout` is in seconds; None waits as long as the watch goes on. In a notebook the other
        tasks of the kernel's loop go on, the reader's own included. An interrupt ends the wait,
        not the watch.

        Raises:
            JobFailed, WatchStopped, ApiError: the watch ended in this way.
            GaveUp: the deadline of the watch, or `timeout`, passed first.
        """

        async def wait() -> Job:
            try:
                async with asyncio.timeout(timeout):
                    return await self
            except TimeoutError:
                raise GaveUp(
                    f"{shown_id(self.job_id)} had not ended after {timeout:g} s of waiting.",
                    job=self.job,
                    advice=f"The watch goes on: %cometvid wait {quoted_id(self.job_id)}",
                ) from None

        # A watch that is over needs no loop: waiting for a thousand of them would make a thousand.
        return self.result() if self._state.is_settled else block_on(wait())

    def again(self, server: Server | None = None, memory: Memory | None = None) -> Watch:
        """Return another watch of the same job, told the same; it is not started.

        `server`, `memory`: those to use instead of this watch's.
        """
        state, give_up_after_s = self._state, self._policy.give_up_after_s
        begun = WatchState.begin(
            state.job_id,
            time.time(),
            give_up_after_s,
            asked=state.job or state.asked,
            is_simulated=state.is_simulated,
            rating=state.rating,
        )
        watch = Watch(
            begun,
            server or self.server,
            self._policy,
            # Nothing was saved, as a watch with a clip has ended well and is not begun again.
            destinations=self._destinations,
            memory=memory or self._memory,
            picture=self.picture,
            make_widget=self._make_widget,
        )
        watch._widget = self._widget
        return watch

    def refused(self, error: CometVidError) -> Watch:
        """End the watch with `error` and return it."""
        self._become(self._state.refused(error, time.time()))
        return self

    def stop(self) -> None:
        """Stop the watch; a finished one keeps its ending. The job itself goes on at the server."""
        task = self._task
        if task is not None:
            task.cancel()
        with self._lock:  # else a save that ends meanwhile would be forgotten
            self._become(self._state.stopped(time.time()))

    def result(self) -> Job:
        """Return the completed job of a watch that is over.

        Raises:
            JobFailed, GaveUp, WatchStopped, ApiError: the watch ended in this way.
            RuntimeError: the watch is not over.
        """
        state = self._state
        if state.error is not None:
            # One error object may be raised to many waiters: each gets a traceback of its own.
            raise state.error.with_traceback(None)
        if state.job is None or not state.is_over:
            raise RuntimeError(f"the watch of {state.job_id} is not over")
        return state.job

    def save_also(self, destination: Destination) -> bool:
        """Save the clip to one more place: now if the job has ended, else later.

        Returns whether the caller must `start` the watch again, because it was over.
        """
        with self._lock:
            self._destinations.append(destination)
            self._is_clip_wanted = True
            if not self._state.is_settled or self._state.ending != Ending.COMPLETED:
                return False
            self._become(replace(self._state, saving=Saving()))
            return True

    def annotate(self, note: str | None, *, can_repeat: bool = False) -> None:
        """Show a quiet sentence beside the job, and whether a page may ask for another take."""
        with self._lock:
            self._notice = (note, can_repeat, self._notice[2])
            self._become(self._state)

    @property
    def rating(self) -> Rating:
        """What a person thinks of the clip; all of it None or empty before anything is said."""
        return self._state.rating or Rating()

    def rate(
        self,
        *,
        stars: int | Keep | None = KEEP,
        flag: str | Keep | None = KEEP,
        tags: Iterable[str] | Keep | None = KEEP,
        note: str | Keep | None = KEEP,
    ) -> Rating:
        """Say what you think of the clip, and remember it; return the whole rating.

        `stars` is 1 to 5, `flag` "picked" or "rejected", `tags` are texts, `note` is a text. None
        takes a value away, and what is left out stays. Every card of the job shows it.

        Raises:
            ValueError: a value is not allowed; nothing changes.
        """
        rating = self.rating.changed(stars=stars, flag=flag, tags=tags, note=note)
        return self.replace_rating(rating)

    def replace_rating(self, rating: Rating) -> Rating:
        """Have `rating` instead of the one before; return what there is then."""
        state = self._state
        job = state.job or state.asked or Job.pending(state.job_id)
        return self._ratings.rate(job, self.rating, rating)

    def show_rating(self, rating: Rating | None) -> None:
        """Show a rating that is written down already."""
        with self._lock:
            self._notice = (*self._notice[:2], rating)
            self._become(self._state)

    def on_done(self, callback: Callable[[Watch], object]) -> None:
        """Call `callback(watch)` once, when the job has ended and its clip is saved; see `on_done`.

        At once if that is so already; else on a thread of its own, also while a cell is busy. What
        it prints and shows belongs to the cell that has called `on_done`. What it raises is shown
        there and harms nothing. A watch that is stopped or fails is done as well.
        """
        call_when_settled(partial(callback, self), self._state, self.subscribe)

    def take_repeat(self, note: str) -> bool:
        """Return whether a page may ask for another take; from now on it may not any more.

        In one step: of two clicks the second must not pay. `note` is shown meanwhile.
        """
        with self._lock:
            if not self._state.can_repeat:
                return False
            self.annotate(note)
            return True

    def note_shown(self) -> None:
        """Note that the running cell shows this watch."""
        self._shown_in_cell = cell_number()

    @property
    def is_shown_here(self) -> bool:
        """Whether the running cell shows this watch already."""
        return self._shown_in_cell is not None and self._shown_in_cell == cell_number()

    def __repr__(self) -> str:
        state = self._state
        word = state.ending or (state.job.status_word if state.job else "starting")
        return f"<Watch {shown_id(state.job_id)}: {plain(word)}>"

    def _ipython_display_(self) -> None:
        # A cell that ends in %cometvid shows the card; its value beside the card would be noise.
        if not self.is_shown_here:
            say(repr(self))

    def __await__(self) -> Generator[Any, None, Job]:
        return self._settled().__await__()

    async def _settled(self) -> Job:
        await until_settled(self.subscribe)
        return self.result()

    def _tell(self, observer: Observer) -> None:
        try:
            observer(self._state)
        except Exception:
            # One broken display must not end the watch or keep later displays from the change.
            log.exception("an observer of %s failed", self._state.job_id)

    def _become(self, state: WatchState, *, is_told: bool = True) -> None:
        """Make `state` the latest; `is_told`: write it down and call the observers."""
        with self._lock:
            before = self._state
            if before.is_over and state.ending is not before.ending:
                return  # a late answer, to a poll sent before somebody stopped the watch
            note, can_repeat, rating = self._notice
            if (state.note, state.can_repeat, state.rating) != self._notice:
                # Whoever polls, perhaps in another process, knows nothing of it.
                state = replace(state, note=note, can_repeat=can_repeat, rating=rating)
            self._state = state
            if not is_told:
                return
            if self._memory is not None:
                self._memory.note(before, state, is_clip_wanted=self._is_clip_wanted)
            for observer in tuple(self._observers):
                self._tell(observer)

    async def _run(self) -> None:
        try:
            with self.server.turns.job():
                if not self._state.is_over:
                    self._end(await self._poll())
                await self._save_all()
        except asyncio.CancelledError:
            with self._lock:
                self._become(self._state.stopped(time.time()))
            raise
        except Exception as error:
            log.exception("the watch of %s broke", self.job_id)
            self._become(self._state.broke(error, time.time()))

    async def _poll(self) -> WatchState:
        """Poll until the job is over: in the kernel, or in the worker while there are many jobs.

        The watch may change hands several times, as jobs come and end.
        """
        state = self._state
        while not state.is_over:
            worker = self.server.worker
            if worker is None:
                state = await self._poll_here(state)
                continue
            last = await worker.follow(
                state,
                self._policy,
                self._memory,
                self._become,
                is_drawn=self._widget is not None,
                is_pictured=not self._destinations,
            )
            state = last or self._state  # None: the worker died, and the kernel goes on
        return state

    async def _poll_here(self, state: WatchState) -> WatchState:
        """Poll in the kernel until the job is over, or until the worker takes over."""
        polling = Polling(state, self._policy, self.server.client, self._memory)
        with self._lock:
            self._polling, polling.is_drawn = polling, self._widget is not None
        while not polling.state.is_over:
            await polling.until_due()
            if self.server.worker is not None:
                return polling.state
            is_news = await polling.poll()
            if not polling.state.is_over:
                self._become(polling.state, is_told=is_news)
        # A save makes its own small picture of the clip; without a save the API's picture serves.
        if self._destinations:
            return polling.state
        return await pictured(polling.state, self.server.client)

    def _end(self, after: WatchState) -> None:
        """Make `after` the state, together with the save that follows.

        In one step: without it the watch would look settled for a moment, and waiters would wake.
        """
        with self._lock:
            self._is_fresh = self._state.job is not None
            is_saving = after.ending == Ending.COMPLETED and self._destinations
            self._become(replace(after, saving=Saving()) if is_saving else after)

    async def _save_all(self) -> None:
        """Save to each destination, including those that `save_also` adds meanwhile."""
        client = self.server.client
        while self._state.saving:
            destination = self._destinations.pop(0)
            progress, is_fresh = told_sometimes(self._tell_progress), self._is_fresh
            after, saved = await saved_to(
                client, self._state, destination, progress, is_fresh=is_fresh
            )
            if saved is not None:
                # Written down before anything is tried with a picture of it.
                self._become(replace(after, saving=whole(saved)))
                await self._write_recipe(after, saved, destination)
            after = await with_picture(client, after)
            with self._lock:
                self._become(replace(after, saving=Saving() if self._destinations else None))

    def _tell_progress(self, saving: Saving) -> None:
        self._become(replace(self._state, saving=saving))

    async def _write_recipe(
        self, state: WatchState, saved: SavedClip, destination: Destination
    ) -> None:
        """Write the recipe beside the clip that was just saved; a failure is told quietly."""
        if self._memory is None or state.job is None or not destination.has_recipe:
            return
        settings = self.server.settings
        told = await self._memory.write_recipes(settings, state.job, saved, destination)
        if told is not None and self._state.note is None:
            self.annotate(told, can_repeat=self._state.can_repeat)
