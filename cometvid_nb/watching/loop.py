"""WatchLoop: one background loop, in a daemon thread, for all the watches of a kernel."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from ..api.threads import DaemonExecutor
from ..clips.places import Destination
from ..errors import CometVidError
from .watch import Watch

if TYPE_CHECKING:
    from .server import Server  # httpx loads with the first watch, not with %cometvid help

log = logging.getLogger("cometvid_nb.watching.loop")

T = TypeVar("T")


class WatchLoop:
    """The loop in its daemon thread, and the watches on it.

    Safe to use from any thread. A job is known by its server and its id.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._watches: dict[tuple[Server, str], Watch] = {}

    @property
    def watches(self) -> list[Watch]:
        """Every watch so far, the oldest first; of each job only the latest."""
        with self._lock:
            return list(self._watches.values())

    def follow(self, watch: Watch) -> Watch:
        """Start `watch`, or give the one that is following its job already."""
        with self._lock:
            known = self._watches.get((watch.server, watch.job_id))
            if known is not None and not known.state.is_settled:
                return known
            self._take_in(watch)
            watch.start(self._running())
            return watch

    def remember(self, watch: Watch) -> None:
        """Take in a watch that is over already, as its clip lies here."""
        with self._lock:
            self._take_in(watch)

    def save_also(self, watch: Watch, destination: Destination) -> None:
        """Save the clip of a watch to one more place, now or when its job has ended."""
        if watch.save_also(destination):
            with self._lock:
                watch.start(self._running())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `coroutine` on the loop, where the connections of every server live."""
        with self._lock:
            return asyncio.run_coroutine_threadsafe(coroutine, self._running())

    def close(self, servers: Iterable[Server], timeout_s: float = 5.0) -> None:
        """End every watch, what the servers hold on this loop, and the thread."""
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
        if thread is not threading.current_thread():
            thread.join(timeout_s)

    def _take_in(self, watch: Watch) -> None:
        key = (watch.server, watch.job_id)
        self._watches.pop(key, None)  # so that the order is that of the latest watch
        self._watches[key] = watch

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_serve, args=(self._loop,), name="cometvid-watcher", daemon=True
            )
            self._thread.start()
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.set_default_executor(DaemonExecutor())
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _shut(servers: Iterable[Server]) -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        await server.aclose()
