"""Turns: the requests to one server, those of its watches one behind the other on the loop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from ..errors import RateLimited
from .retries import HINT_CAP_S

FEWEST_AT_ONCE, MOST_AT_ONCE = 2, 100
"""Requests under way at one time: a connection each, so few while answers come quickly. A thousand
jobs ask a hundred times a second, so that a server that takes a second needs all of them."""

MANY = 100
"""From so many jobs on, asking after them is work that a reader's busy cell would notice."""
TICK_S = 0.25
"""The questions of many jobs are asked together, once in so many seconds."""

_STEADY_PER_S = 20.0
_PER_JOB_PER_S = 0.25
"""Far above what the schedule asks of a job on average, so that only a crowd is spread out."""
_BURST = 8
_MOST_FACTOR = 64.0
_ONE_BURST_S = 2.0
_CALM_S = 60.0

_PATIENCE_S = 0.5
_ROOM_CALM_S = 10.0


class Pace:
    """One price for all watches, and a turn for each request.

    A 429 doubles the price of a request, at most once for one burst of them, and halves the rate;
    a calm minute takes one doubling back. A Retry-After holds every request until it is over.
    After an outage or a laptop's sleep, when all watches are due at once, their turns lie one
    behind the other. All times are seconds of one monotonic clock, given by the caller.
    """

    def __init__(self) -> None:
        self.jobs = 0
        """How many jobs are being watched."""
        self._factor = 1.0
        self._changed_at_s = float("-inf")
        self._held_until_s = float("-inf")
        self._next_turn_s = float("-inf")

    @property
    def is_crowded(self) -> bool:
        """Whether the jobs are so many that asking after them is work."""
        return self.jobs >= MANY

    def factor(self, now_s: float) -> float:
        """By how much a request is dearer than usual: 1 to 64."""
        while self._factor > 1 and now_s - self._changed_at_s >= _CALM_S:
            self._factor /= 2
            self._changed_at_s += _CALM_S
        return self._factor

    def refused(self, now_s: float, retry_after_s: float | None) -> None:
        """The server said "slow down", to whichever job."""
        if now_s - self._changed_at_s >= _ONE_BURST_S or self.factor(now_s) == 1:
            self._factor = min(_MOST_FACTOR, self.factor(now_s) * 2)
        self._changed_at_s = now_s
        if retry_after_s is not None:
            hold_s = min(HINT_CAP_S, retry_after_s)
            self._held_until_s = max(self._held_until_s, now_s + hold_s)

    def hold_s(self, now_s: float) -> float:
        """Seconds until the server wants to be asked again, by anybody; 0 when it does."""
        return max(0.0, self._held_until_s - now_s)

    def next_turn_s(self, now_s: float) -> float:
        """Take a turn: the moment when this request may start."""
        each_s = self.factor(now_s) / max(_STEADY_PER_S, _PER_JOB_PER_S * self.jobs)
        # A few may go at once after a rest; after a hold they begin one by one.
        burst_s = max(_BURST * each_s, TICK_S if self.is_crowded else 0.0)
        rested_s = now_s - burst_s if self.hold_s(now_s) == 0 else self._held_until_s
        self._next_turn_s = max(self._next_turn_s, rested_s) + each_s
        return max(now_s, self._next_turn_s)


class Room:
    """Lets a few in at once, and one more whenever somebody has waited for half a second.

    Each that is in keeps a connection, which is dear to both sides to open; but where answers are
    slow, few at once would be few in all. Ten calm seconds make it narrower by one.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(FEWEST_AT_ONCE)
        self._size = FEWEST_AT_ONCE
        self._widened_at_s = 0.0

    async def __aenter__(self) -> None:
        while self._free.locked() and self._size < MOST_AT_ONCE:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._free.acquire()
                    return
            except TimeoutError:
                if self._size < MOST_AT_ONCE:
                    self._size += 1
                    self._free.release()
                self._widened_at_s = time.monotonic()
        # Thousands that wait must not wake up again and again.
        await self._free.acquire()

    async def __aexit__(self, *exc_info: object) -> None:
        now_s = time.monotonic()
        if self._size > FEWEST_AT_ONCE and now_s - self._widened_at_s > _ROOM_CALM_S:
            self._size -= 1
            self._widened_at_s = now_s
        else:
            self._free.release()


class Turns:
    """Who may ask now, by the `Pace` of one server. Used on one loop only."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._room = Room()
        self.on_refused: Callable[[float | None], None] = lambda retry_after_s: None
        """Called when a 429 was met here: for another process that asks the same server."""

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
        return self._pace.is_crowded

    def align(self, due_s: float, earliest_s: float) -> float:
        """The moment to wake for a question that is due at `due_s`, on the monotonic clock.

        Of a crowd some are due at every moment: those of one tick wake the machine once. That is
        the nearest one, so that on average nobody is late, or the next after `earliest_s`.
        """
        if not self.is_crowded:
            return due_s
        return max(round(due_s / TICK_S), math.ceil(earliest_s / TICK_S)) * TICK_S

    @contextmanager
    def job(self) -> Iterator[None]:
        """One more job is watched, as long as this lasts."""
        self._pace.jobs += 1
        try:
            yield
        finally:
            self._pace.jobs -= 1

    def hear(self, retry_after_s: float | None) -> None:
        """A 429 was met by another process that asks the same server."""
        self._pace.refused(time.monotonic(), retry_after_s)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn to ask; a 429 in it slows all the others down, too."""
        async with self.heed(self._pace.next_turn_s(time.monotonic())), self._room:
            yield

    @asynccontextmanager
    async def heed(self, start_s: float = 0.0) -> AsyncIterator[None]:
        """Wait, not for a turn, but until the server wants to be asked; else as `turn`.

        `start_s`: not before this moment of the monotonic clock.
        """
        while (left_s := max(start_s - time.monotonic(), self.hold_s)) > 0:  # noqa: ASYNC110 - a hold may grow while one waits
            await asyncio.sleep(left_s)
        try:
            yield
        except RateLimited as error:
            self.hear(error.retry_after_s)
            self.on_refused(error.retry_after_s)
            raise
