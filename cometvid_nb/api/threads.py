"""Threads for calls that block: one for each call, and none keeps a process from ending.

The threads of the standard pool are joined at exit, and a look-up in a broken network hangs for
half a minute. They are few, too, so that some clips that hang would keep all other work waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


def start(call: Callable[[], T]) -> Future[T]:
    """Begin `call()` in a thread of its own."""
    future: Future[T] = Future()

    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
            future.set_exception(error)

    threading.Thread(target=run, name="cometvid-work", daemon=True).start()
    return future


@asynccontextmanager
async def working(
    call: Callable[[], T],
    *,
    interrupt: Callable[[], None] = lambda: None,
    patience_s: float = 3600.0,
) -> AsyncIterator[asyncio.Future[T]]:
    """`call()` in a thread that has ended when this has, whatever ends it.

    Otherwise the thread would go on with a file, or a connection, that is closed by then. A call
    that is not done at the end is interrupted by `interrupt()`, and waited for: `patience_s` at
    most, for calls that nothing can interrupt.
    """
    work = asyncio.wrap_future(start(call))
    try:
        yield work
    finally:
        if not work.done():
            interrupt()
            await _wait_anyhow(work, patience_s)
        if work.done() and not work.cancelled():
            work.exception()  # an error that nobody awaits any more is no reason for a warning


async def in_thread(
    call: Callable[[], T],
    *,
    interrupt: Callable[[], None] = lambda: None,
    patience_s: float = 3600.0,
) -> T:
    """What `call()` returns, made in a thread; for a cancellation see `working`."""
    async with working(call, interrupt=interrupt, patience_s=patience_s) as work:
        return await asyncio.shield(work)


async def _wait_anyhow(work: asyncio.Future[Any], patience_s: float) -> None:
    """Wait for the end, however often that is cancelled: closing a session cancels once more."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + patience_s
    while not work.done() and clock() < until_s:
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work], timeout=until_s - clock())


class DaemonExecutor(ThreadPoolExecutor):
    """What asyncio looks up names with; it insists on this class."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return start(lambda: call(*args, **kwargs))
