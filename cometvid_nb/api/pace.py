"""Pace: how fast one kernel asks one server, shared by all the watches of it. Pure."""

from __future__ import annotations

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
