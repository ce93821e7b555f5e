"""block_on: the one door from synchronous code into asynchronous, also inside a running loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def block_on(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` to its end and return what it returns.

    Where a loop already runs in this thread (a notebook's cell), that loop goes on underneath, so
    the reader's own tasks stay alive. A KeyboardInterrupt cancels the coroutine and is raised.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _on_own_loop(coroutine)
    if not _make_reentrant(loop):
        return _in_a_thread(coroutine)
    return _run(loop, coroutine)


def _make_reentrant(loop: asyncio.AbstractEventLoop) -> bool:
    """Let `loop` run inside itself. It patches asyncio for good, so only when somebody blocks."""
    if getattr(loop, "_nest_patched", False):
        return True  # by the reader, or by an earlier wait
    import nest_asyncio2  # type: ignore[import-untyped]  # it ships no types

    try:
        nest_asyncio2.apply(loop)
    except ValueError:
        return False  # uvloop and other loops not written in Python
    return True


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
            # Ended by the interrupt itself: asyncio would wait for ever, then warn of it.
            task.cancelled() or task.exception()
        else:
            task.cancel()
            with contextlib.suppress(BaseException):  # whatever it ends with, the interrupt wins
                loop.run_until_complete(task)
        raise


def _in_a_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    """The last resort: this thread's own loop stands still while another thread waits for it."""
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
