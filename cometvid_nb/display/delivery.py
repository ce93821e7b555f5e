"""Delivery: on which thread the updates of a watch reach its views.

Normally on the watcher's, so that a page moves while a cell keeps the kernel busy. While a cell
waits, on the cell's own: its outputs then belong to that cell, which nbclient and Colab insist on.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

TICK_S = 1.0


class Delivery:
    """Runs updates in the order they are posted."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._wake: Callable[[], None] | None = None

    def post(self, update: Callable[[], None]) -> None:
        """Run `update` now on this thread, or hand it to the cell that waits."""
        with self._lock:
            if self._wake is None:
                update()
                return
            self._waiting.append(update)
            self._wake()

    async def pump(self, is_done: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Run updates on this thread until `is_done()`; `tick()` about once a second."""
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        with self._lock:
            outer = self._wake  # a wait within a wait: a reader's task may wait, too
            self._wake = lambda: loop.call_soon_threadsafe(news.set)  # type: ignore[assignment]
        try:
            while True:
                news.clear()
                self._drain()
                if is_done():
                    return
                try:
                    async with asyncio.timeout(TICK_S):
                        await news.wait()
                except TimeoutError:
                    tick()
        finally:
            with self._lock:
                self._drain()
                self._wake = outer

    def _drain(self) -> None:
        while True:
            with self._lock:
                update = self._waiting.popleft() if self._waiting else None
            if update is None:
                return
            update()
