"""Turns: one rate of requests for one server; a 429 slows down all that ask it.

`Turns` is what its callers use. Inside, a `Pace` says when the next request may start, and a `Room`
how many may be under way at once.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from ..errors import RateLimited
from .retries import HINT_CAP_S

MANY = 100
"""From so many jobs on, asking after them is work that a reader's busy cell would notice."""
TICK_S = 0.25
"""The polls of many jobs are sent together, once in so many seconds."""

_STEADY_PER_S = 20.0
_PER_JOB_PER_S = 0.25
"""Far above what the schedule asks of a job on average, so that only a crowd is spread out."""
_BURST = 8
"""So many requests may start at once after a rest: a few cells run in a row, say."""
_MOST_FACTOR = 64.0
"""The lowest rate is then one request in three seconds, which still ends a watch in time."""
_ONE_BURST_S = 2.0
"""Refusals within so many seconds after a doubling answer requests that were under way before it:
they count once. Later ones say that half the rate is still too much."""
_CALM_S = 60.0
"""Longer than the windows of a minute in which many servers count."""

FEWEST_AT_ONCE, MOST_AT_ONCE = 2, 100
"""Requests under way at one time: a connection each, so few while answers come quickly. A thousand
jobs ask a hundred times a second, so that a server that takes a second needs all of them."""
_PATIENCE_S = 0.5
"""A usual answer takes less, so whoever waits longer than this waits for slow answers."""
_ROOM_CALM_S = 10.0
"""Narrowing is slow and widening quick, so that a server slow now and then is no see-saw."""


class Pace:
    """The rate at which requests may start, and so what one of them costs.

    A 429 doubles the price of a request and halves the rate, at most once for one burst of 429s; a
    calm minute takes one doubling back. A Retry-After holds every request until it is over. After
    an outage or a laptop's sleep, when all watches are due at once, their turns lie one behind the
    other. All times are seconds of one monotonic clock, given by the caller.
    """

    def __init__(self) -> None:
        self.jobs = 0
        """How many jobs are being watched."""
        self._factor = 1.0
        self._doubled_at_s = float("-inf")
        self._calm_since_s = float("-inf")
        """When the server last refused a request, or a doubling was last taken back."""
        self._held_until_s = float("-inf")
        self._next_turn_s = float("-inf")

    @property
    def is_crowded(self) -> bool:
        """Whether the jobs are so many that asking after them is work."""
        return self.jobs >= MANY

    def factor(self, now_s: float) -> float:
        """By how much a request is dearer than usual: 1 to 64."""
        while self._factor > 1 and now_s - self._calm_since_s >= _CALM_S:
            self._factor /= 2
            self._calm_since_s += _CALM_S
        return self._factor

    def refused(self, now_s: float, retry_after_s: float | None) -> None:
        """The server answered 429, to whichever request; `retry_after_s` None: with no hint."""
        if now_s - self._doubled_at_s >= _ONE_BURST_S:
            self._factor = min(_MOST_FACTOR, self.factor(now_s) * 2)
            self._doubled_at_s = now_s
        self._calm_since_s = now_s
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
    """How many requests may be under way at once: as few as bring the answers in time.

    Each keeps a connection, which is dear to both sides to open; but where answers are slow, few at
    once would be few in all. There is one place more whenever a request has waited for half a
    second, and one less after ten seconds in which none was added. An anyio.CapacityLimiter could
    be resized directly, but costs each request twelve times the CPU of a semaphore.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(FEWEST_AT_ONCE)
        self._size = FEWEST_AT_ONCE
        self._resized_at_s = 0.0

    async def __aenter__(self) -> None:
        while self._places.locked() and self._size < MOST_AT_ONCE:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._places.acquire()
                    return
            except TimeoutError:
                self._widen()
        # With no time limit: thousands that wait must not wake up again and again.
        await self._places.acquire()

    async def __aexit__(self, *exc_info: object) -> None:
        if self._is_too_wide():
            self._narrow()
        else:
            self._places.release()

    def _widen(self) -> None:
        """Add a place, which whoever has waited longest takes."""
        if self._size < MOST_AT_ONCE:  # others have lost their patience at the same time
            self._size += 1
            self._places.release()
        self._resized_at_s = time.monotonic()

    def _is_too_wide(self) -> bool:
        is_calm = time.monotonic() - self._resized_at_s > _ROOM_CALM_S
        return is_calm and self._size > FEWEST_AT_ONCE

    def _narrow(self) -> None:
        """Take away the place that has just become free: it is not released."""
        self._size -= 1
        self._resized_at_s = time.monotonic()


class Turns:
    """Whose turn it is to ask one server. Used on one loop only."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._room = Room()
        self._refused = asyncio.Event()
        self._refusal_hint_s: float | None = None

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
        """The moment to wake for a poll that is due at `due_s`, on the monotonic clock.

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
        """Slow down, as another process that asks the same server has met a 429."""
        self._pace.refused(time.monotonic(), retry_after_s)

    async def refusal(self) -> float | None:
        """Wait for the next 429 met here, and give its Retry-After in seconds, None = no hint.

        Those met together give one, with the longest hint. For one caller at a time, who tells
        another process that asks the same server.
        """
        self._refused.clear()
        self._refusal_hint_s = None
        await self._refused.wait()
        return self._refusal_hint_s

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A request's turn: wait for it. A 429 inside slows down all requests that follow."""
        while True:
            await self._until_turn()
            async with self._room:
                if not self.hold_s:  # else a hold began while the others' answers were waited for
                    with self._heeding_refusal():
                        yield
                    return

    async def _until_turn(self) -> None:
        start_s = self._pace.next_turn_s(time.monotonic())
        while True:
            now_s = time.monotonic()
            if self.hold_s and start_s < now_s + self.hold_s:
                # A turn from before the hold: all of those would come together at its end.
                start_s = self._pace.next_turn_s(now_s)
            if start_s <= now_s:
                return
            await asyncio.sleep(start_s - now_s)

    @asynccontextmanager
    async def after_hold(self) -> AsyncIterator[None]:
        """As `turn`, for a request that waits for no turn, but for the end of a Retry-After."""
        while (left_s := self.hold_s) > 0:  # noqa: ASYNC110 - a hold may grow while one waits
            await asyncio.sleep(left_s)
        with self._heeding_refusal():
            yield

    @contextmanager
    def _heeding_refusal(self) -> Iterator[None]:
        try:
            yield
        except RateLimited as error:
            self._pace.refused(time.monotonic(), error.retry_after_s)
            if error.retry_after_s is not None:
                self._refusal_hint_s = max(self._refusal_hint_s or 0.0, error.retry_after_s)
            self._refused.set()
            raise
