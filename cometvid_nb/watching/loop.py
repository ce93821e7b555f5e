"""Watcher: one background loop, in a daemon thread, for all the watches of a kernel."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

from ..api.threads import DaemonExecutor
from ..api.turns import Turns
from ..errors import CometVidError
from ..job import Job
from .durations import DurationPrior
from .polling import JobSource
from .saving import SaveClip
from .schedule import PollPolicy
from .state import WatchState
from .watch import Watch
from .worker import Worker

log = logging.getLogger("cometvid_nb.watching.loop")

T = TypeVar("T")


class Watcher:
    """The loop in its daemon thread. `close` ends every watch and the thread."""

    def __init__(
        self,
        make_widget: Callable[[Watch], Any] = lambda watch: None,
        make_worker: Callable[[JobSource], Worker | None] = lambda source: None,
    ) -> None:
        self._make_widget = make_widget
        self._make_worker = make_worker
        self._workers: dict[int, Worker | None] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._watches: dict[tuple[int, str], Watch] = {}
        self._sources: dict[int, JobSource] = {}
        self._turns: dict[int, Turns] = {}

    @property
    def watches(self) -> list[Watch]:
        """Every watch so far, the oldest first; of each job only the latest."""
        with self._lock:
            return list(self._watches.values())

    def follow(
        self,
        job_id: str,
        source: JobSource,
        policy: PollPolicy,
        save: SaveClip | None = None,
        *,
        learn: Callable[[Job], DurationPrior] | None = None,
        is_simulated: bool = False,
    ) -> Watch:
        """Watch a job at `source`. One that is being watched already gives the same `Watch`."""
        with self._lock:
            key = (id(source), job_id)
            known = self._watches.get(key)
            if known is not None and not known.state.is_settled:
                return known
            self._sources[id(source)] = source  # kept, so that its id stays its own
            watch = Watch(
                job_id,
                policy,
                self._make_widget,
                source,
                is_simulated=is_simulated,
                turns=self._turns_of(source),
            )
            watch.learn = learn
            watch.find_worker = lambda: self._find_worker(source)
            watch.on_drawn = lambda: self._draw(watch)
            self._watches.pop(key, None)  # so that the order is that of the latest watch
            self._watches[key] = watch
            watch._task = self._submit(self._follow(watch, save))
            return watch

    def remember(self, state: WatchState, source: JobSource) -> Watch:
        """A watch that is over already, for a job whose clip lies here."""
        with self._lock:
            key = (id(source), state.job_id)
            self._sources[id(source)] = source
            watch = Watch(
                state.job_id,
                PollPolicy(),
                self._make_widget,
                source,
                is_simulated=state.is_simulated,
                turns=self._turns_of(source),
            )
            watch._state = state
            self._watches.pop(key, None)
            self._watches[key] = watch
            return watch

    def save_too(self, watch: Watch, save: SaveClip) -> None:
        """Save the clip of a watch in one more place, now or when it has come to its end."""
        if watch.save_too(save):
            watch._task = self.run(self._follow(watch, None))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `coroutine` on the watcher's loop, where the clients' connections live."""
        with self._lock:
            return self._submit(coroutine)

    def _turns_of(self, source: JobSource) -> Turns:
        own = getattr(source, "turns", None)
        return self._turns.setdefault(id(source), own if isinstance(own, Turns) else Turns())

    async def _follow(self, watch: Watch, save: SaveClip | None) -> None:
        try:
            with watch._turns.job():
                await watch._run(save)
        except asyncio.CancelledError:
            watch._become(watch.state.stopped(time.time()))
            raise
        except Exception as error:
            log.exception("the watch of %s broke", watch.job_id)
            watch._become(watch.state.broke(error, time.time()))

    def _find_worker(self, source: JobSource) -> Worker | None:
        """The worker for `source` while its jobs are many, and for as long as it is at work."""
        key = id(source)
        if key not in self._workers:
            if key not in self._turns or not self._turns[key].is_crowded:
                return None
            self._workers[key] = self._make_worker(source)
        worker = self._workers[key]
        if worker is None or worker.is_lost:
            return None
        return worker if worker.is_needed or self._turns[key].is_crowded else None

    def _draw(self, watch: Watch) -> None:
        worker, loop = self._workers.get(id(watch.source)), self._loop
        if worker is not None and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(worker.draw, watch.job_id)

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_serve, args=(self._loop,), name="cometvid-watcher", daemon=True
            )
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self, others: Iterable[JobSource] = (), timeout_s: float = 5.0) -> None:
        """End every watch, close the connections and the thread.

        `others` are sources that were only asked through `run`, and have connections as well.
        """
        for watch in self.watches:
            if not watch.state.is_settled:
                watch.stop()
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
            sources = [*self._sources.values(), *others]
            workers = [worker for worker in self._workers.values() if worker is not None]
            self._workers.clear()
            self._sources.clear()
            self._turns.clear()
        if loop is None or thread is None or not thread.is_alive():
            return
        closing = asyncio.run_coroutine_threadsafe(_shut([*workers, *sources]), loop)
        try:
            closing.result(timeout_s)
        except (TimeoutError, CometVidError):
            log.warning("the connections did not close in %s s", timeout_s)
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(timeout_s)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.set_default_executor(DaemonExecutor())
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _shut(sources: Iterable[JobSource | Worker]) -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for source in sources:
        await source.aclose()
