"""block_on: runs a coroutine from synchronous code, also inside a running loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def block_on(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` to its end and return its result.

    If a loop already runs in this thread (as in a notebook's cell), that loop runs the coroutine
    and the reader's own tasks. A loop that cannot run inside itself (uvloop) stands still while
    another thread runs the coroutine. A KeyboardInterrupt cancels the coroutine and is raised.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _on_own_loop(coroutine)
    if not _make_reentrant(loop):
        return _in_a_thread(coroutine)
    return _inside(loop, coroutine)


def _make_reentrant(loop: asyncio.AbstractEventLoop) -> bool:
    """Let `loop` run inside itself; return False if it cannot.

    This patches asyncio for the whole process and for good, so it is done only when a cell blocks.
    `nest_asyncio2` and not `nest_asyncio`: the latter is archived, and breaks inside ipykernel 7.4
    and on Python 3.14.
    """
    if getattr(loop, "_nest_patched", False):
        return True  # patched by the reader, or by an earlier wait
    import nest_asyncio2  # type: ignore[import-untyped]  # it ships no types

    try:
        nest_asyncio2.apply(loop)
    except ValueError:
        return False  # uvloop and other loops that are not written in Python
    return True


def _inside(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` on `loop`, which runs the caller.

    A loop that was patched while it ran is still in asyncio's own `_run_once`, which has counted
    what it will take from the queue. It ends with "pop from an empty deque", and a kernel with it,
    if what it has counted was run in here meanwhile.
    """
    counted: deque[object] = getattr(loop, "_ready", deque())
    at_most = len(counted)
    try:
        return _run(loop, coroutine)
    finally:
        for _ in range(at_most - len(counted)):
            loop.call_soon(int)  # does nothing


def _on_own_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    # Not asyncio.run: it leaves the thread without a current loop, which the reader may have set.
    loop = asyncio.new_event_loop()
    try:
        return _run(loop, coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    task = loop.create_task(coroutine)
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        if task.done():
            # The interrupt was raised inside the task. Running the loop again would never return,
            # and asyncio warns of an exception that nobody has fetched.
            task.cancelled() or task.exception()
        else:
            task.cancel()
            with contextlib.suppress(BaseException):  # whatever it ends with, the interrupt wins
                loop.run_until_complete(task)
        raise


def _in_a_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` on another thread's loop; the loop of this thread stands still meanwhile."""
    done: concurrent.futures.Future[T] = concurrent.futures.Future()
    loop = asyncio.new_event_loop()
    task = loop.create_task(coroutine)

    def serve() -> None:
        try:
            done.set_result(loop.run_until_complete(task))
        except BaseException as error:  # noqa: BLE001 - it is raised in the waiting thread
            done.set_exception(error)
        finally:
            loop.close()

    threading.Thread(target=serve, name="cometvid-waiting", daemon=True).start()
    try:
        return done.result()
    except KeyboardInterrupt:
        loop.call_soon_threadsafe(task.cancel)
        raise
