"""Threads for calls that block, one for each, that never keep a process from ending.

Those of the standard pool are joined at exit, and a look-up in a broken network hangs for half a
minute; and they are few, so that some clips that hang would keep all else waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
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


async def in_thread(
    call: Callable[[], T],
    *,
    interrupt: Callable[[], None] = lambda: None,
    patience_s: float = 3600.0,
) -> T:
    """`call()` in a thread; a cancellation calls `interrupt()` and waits for the end.

    Otherwise the thread would go on with a file, or a connection, that is closed by then. It
    waits `patience_s` at most, for calls that nothing can interrupt.
    """
    working = asyncio.wrap_future(start(call))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        interrupt()
        await _wait_anyhow(working, patience_s)
        if working.done() and not working.cancelled():
            working.exception()  # nobody asks for it any more
        raise


async def _wait_anyhow(working: asyncio.Future[Any], patience_s: float) -> None:
    """Wait for the end, however often that is cancelled: whoever closes all cancels once more."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + patience_s
    while not working.done() and clock() < until_s:
        with suppress(asyncio.CancelledError):
            await asyncio.wait([working], timeout=until_s - clock())


class DaemonExecutor(ThreadPoolExecutor):
    """What asyncio looks up names with; it insists on this class."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return start(lambda: call(*args, **kwargs))
