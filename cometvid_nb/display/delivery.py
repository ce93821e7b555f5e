"""Delivery: decides on which thread the updates of a watch reach its views.

Normally on the thread of the watch loop, so that a page moves while a cell keeps the kernel busy.
While a cell waits, on the cell's own thread: nbclient drops an update whose parent is not the
running cell. Where a page has to ask (`Frontend.is_asking`), on the thread that answers it, and
never outside a request.
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
        self.is_holding = False
        """Whether updates wait for the next `run_waiting`, also where no cell waits."""

    def post(self, update: Callable[[], None]) -> None:
        """Run `update` now on this thread, or leave it to whoever answers the page.

        One that waits already is not added again: it shows what is known when it runs.
        """
        with self._lock:
            if not self._wakes and not self.is_holding:
                update()
                return
            if update not in self._waiting:
                self._waiting.append(update)
            if self._wakes:
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
                self.run_waiting()
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
                self.run_waiting()
                self._wakes.remove(wake)

    def run_waiting(self) -> None:
        """Run what waits, on this thread; call it while a request of the page is being answered."""
        while True:
            with self._lock:
                update = self._waiting.popleft() if self._waiting else None
            if update is None:
                return
            update()
