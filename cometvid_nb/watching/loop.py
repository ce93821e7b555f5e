"""WatchLoop: runs all watches of a kernel on one background loop, in a daemon thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from ..api.threads import DaemonExecutor
from ..clips.places import Destination
from ..errors import CometVidError, SettingsError
from .state import Ending
from .watch import Watch

if TYPE_CHECKING:
    from .server import Server  # httpx loads with the first watch, not with %cometvid help

log = logging.getLogger("cometvid_nb.watching.loop")

T = TypeVar("T")
BEGIN_WITHIN_S = 60.0


class WatchLoop:
    """The background loop, its thread, and the watches on it. Safe to use from any thread.

    A loop of its own, so that cards move while a cell keeps the kernel busy; one for all watches,
    so that a thousand jobs need one thread. A daemon thread, so that Python can exit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Made at the first use, and again after `close`.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        # By server and job id: two servers may use the same id.
        self._watches: dict[tuple[Server, str], Watch] = {}

    @property
    def watches(self) -> list[Watch]:
        """All watches so far, oldest first; only the latest one of each job."""
        with self._lock:
            return list(self._watches.values())

    def follow(self, watch: Watch) -> Watch:
        """Start `watch` and return it, or return the watch that already follows the job.

        Raises:
            SettingsError: no loop runs here, as in some subinterpreters; so do the others.
        """
        with self._lock:
            followed = self._take_in(watch)
            if followed is watch:
                watch.start(self._running())
            return followed

    def again(self, watch: Watch) -> Watch:
        """Start `watch`, another one of a job that was watched before, and return it.

        If its job is watched already, or has been watched to its end, that watch is returned.
        """
        with self._lock:
            known = self._watches.get((watch.server, watch.job_id))
        if known is not None and known.state.ending == Ending.COMPLETED:
            return known
        return self.follow(watch)

    def remember(self, watch: Watch) -> Watch:
        """Add a watch that is over from the start, as its clip is saved; else as `follow`."""
        with self._lock:
            return self._take_in(watch)

    def save_also(self, watch: Watch, destination: Destination) -> None:
        """Save the clip of `watch` to one more place: now if the job has ended, else later."""
        if watch.save_also(destination):
            with self._lock:
                watch.start(self._running())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `coroutine` on the loop, to which the connections of every server belong."""
        with self._lock:
            try:
                loop = self._running()
            except SettingsError:
                coroutine.close()
                raise
            return asyncio.run_coroutine_threadsafe(coroutine, loop)

    def close(self, servers: Iterable[Server], timeout_s: float = 5.0) -> None:
        """Stop every watch, close `servers`, and end the thread; wait `timeout_s` for each."""
        for watch in self.watches:
            if not watch.state.is_settled:
                watch.stop()
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None or not thread.is_alive():
            return
        closing = asyncio.run_coroutine_threadsafe(_shut(list(servers)), loop)
        try:
            closing.result(timeout_s)
        except (TimeoutError, CometVidError):
            log.warning("the connections did not close in %s s", timeout_s)
        loop.call_soon_threadsafe(loop.stop)
        # An observer runs on this thread and may close the session; no thread can join itself.
        if thread is not threading.current_thread():
            thread.join(timeout_s)

    def _take_in(self, watch: Watch) -> Watch:
        key = (watch.server, watch.job_id)
        known = self._watches.get(key)
        if known is not None and not known.state.is_settled:
            return known  # it may still be saving the clip to one more place
        self._watches.pop(key, None)  # so that the order is that of the latest watch
        self._watches[key] = watch
        return watch

    def _running(self) -> asyncio.AbstractEventLoop:
        """Return the loop, started if necessary. The lock is held."""
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            loop, began = asyncio.new_event_loop(), Future[None]()
            thread = threading.Thread(
                target=_serve, args=(loop, began), name="cometvid-watcher", daemon=True
            )
            try:
                thread.start()
                began.result(BEGIN_WITHIN_S)
            except (RuntimeError, TimeoutError) as error:
                raise SettingsError(
                    f"No job can be followed from here: the loop of the watches does not start "
                    f"({str(error) or 'in time'}). Nothing was sent.",
                    advice="In a subinterpreter this may be so; use a process of its own instead.",
                ) from error
            self._loop, self._thread = loop, thread
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop, began: Future[None]) -> None:
    asyncio.set_event_loop(loop)
    # Python waits at its exit for the threads of asyncio's own executor, even for one that hangs.
    loop.set_default_executor(DaemonExecutor())
    loop.call_soon(began.set_result, None)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
    except RuntimeError as error:
        # Python 3.11 and before take the loop of another interpreter for one that runs here.
        if began.done():
            raise
        began.set_exception(error)
    finally:
        loop.close()


async def _shut(servers: Iterable[Server]) -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        await server.aclose()
