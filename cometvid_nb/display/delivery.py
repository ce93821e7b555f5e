"""Delivery: decides on which thread the updates of a watch reach its views.

Normally on the thread of the watch loop, so that a page moves while a cell keeps the kernel busy.
While a cell waits, on the cell's own thread: nbclient and Colab drop an update whose parent is not
the running cell.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

VIEWS_TICK_EVERY_S = 1.0
"""How often a waiting terminal redraws its line: its clock shows seconds."""


class Delivery:
    """Runs updates one at a time, in the order they are posted. Safe to use from any thread."""

    def __init__(self) -> None:
        # Reentrant, as an update may post another one. Held during an update, so that two threads
        # never draw at once.
        self._lock = threading.RLock()
        self._waiting: deque[Callable[[], None]] = deque()
        """Updates for the cell that waits."""
        self._wakes: list[Callable[[], None]] = []
        """Wakes each waiting cell, the innermost or latest last; several threads may wait."""

    def post(self, update: Callable[[], None]) -> None:
        """Run `update` now on this thread, or leave it to the cell that waits."""
        with self._lock:
            if not self._wakes:
                update()
                return
            self._waiting.append(update)
            self._wakes[-1]()

    async def pump(self, is_done: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Run updates on this thread until `is_done()`; call `tick()` after each idle second."""
        loop = asyncio.get_running_loop()
        news = asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(news.set)

        with self._lock:
            self._wakes.append(wake)  # a reader's own task may wait while this wait is under way
        try:
            while True:
                news.clear()
                self._drain()
                if is_done():
                    return
                try:
                    async with asyncio.timeout(VIEWS_TICK_EVERY_S):
                        await news.wait()
                except TimeoutError:
                    tick()
        finally:
            # Under the lock: an update posted after the last drain would be left in the queue.
            with self._lock:
                self._drain()
                self._wakes.remove(wake)

    def _drain(self) -> None:
        while True:
            with self._lock:
                update = self._waiting.popleft() if self._waiting else None
            if update is None:
                return
            update()
