"""Turns: the requests of all the watches of one server, one behind the other on the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from .errors import RateLimited
from .pace import MOST_AT_ONCE, Pace


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
