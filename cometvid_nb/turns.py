"""Turns: the requests of all the watches of one server, one behind the other on the loop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from .errors import RateLimited
from .pace import MANY, MOST_AT_ONCE, TICK_S, Pace


class Turns:
    """Who may ask now, by the `Pace` of one server. Used on the watcher's loop only."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    @property
    def hold_s(self) -> float:
        """Seconds until the server wants to be asked again, by anybody; 0 when it does."""
        return self._pace.hold_s(time.monotonic())

    @property
    def price_factor(self) -> float:
        """By how much a request is dearer than usual."""
        return self._pace.factor(time.monotonic())

    @property
    def is_crowded(self) -> bool:
        """Whether the jobs are so many that asking after them is work."""
        return self._pace.jobs >= MANY

    def align(self, due_s: float) -> float:
        """The moment to wake for a question that is due at `due_s`, on the monotonic clock.

        Of a crowd some are due in every tenth of a second: together they wake the machine once.
        """
        return math.ceil(due_s / TICK_S) * TICK_S if self.is_crowded else due_s

    @contextmanager
    def job(self) -> Iterator[None]:
        """One more job is watched, as long as this lasts."""
        self._pace.jobs += 1
        try:
            yield
        finally:
            self._pace.jobs -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn to ask; a 429 in it slows all the others down, too."""
        start_s = self._pace.next_turn_s(time.monotonic())
        while (left_s := max(start_s - time.monotonic(), self.hold_s)) > 0:  # noqa: ASYNC110 - a hold may grow while one waits
            await asyncio.sleep(left_s)
        async with self._room:
            try:
                yield
            except RateLimited as error:
                self._pace.refused(time.monotonic(), error.retry_after_s)
                raise
