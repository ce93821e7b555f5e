"""When to ask again: a poll schedule from the chance that the job has just ended.

If h(t) is the chance per second that a job ends now, given that it has not ended yet, then asking
after a pause d costs one request plus, on average, the waiting that passes between the end and the
poll that finds it: the integral over the pause of P(ended by then). The pause that makes this
waiting worth exactly one request's price p is the best one; for a constant small h it is
sqrt(2p / h). Nothing here knows a clock, randomness or the network: pass `now_s` and `rng`.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime

from .job import JobStatus

HINT_CAP_S = 60.0
"""The longest pause a server's hint can impose; a clip may rot behind a longer one."""

NOT_FOUND_TIMES = 3
NOT_FOUND_SPAN_S = 10.0
"""`task_not_exist` may come for some seconds after creation: it is the truth only when it came
this often in a row over at least this long. Source: FACTS, seen on the live API."""

_MARKS_KEPT = 12
_OLDEST_PLAUSIBLE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class DurationPrior:
    """How long such jobs take, before anything is seen: log-normal.

    `median_s` in seconds; `spread` is the standard deviation of ln(duration).
    """

    median_s: float
    spread: float

    @classmethod
    def learn(cls, durations_s: Sequence[float], fallback: DurationPrior) -> DurationPrior:
        """The prior after some jobs of one kind: `fallback` counts as two jobs more."""
        logs = [math.log(d) for d in durations_s if math.isfinite(d) and d > 0]
        if not logs:
            return fallback
        weight = len(logs) / (len(logs) + 2)
        centre = weight * statistics.fmean(logs) + (1 - weight) * math.log(fallback.median_s)
        seen = statistics.pstdev(logs)
        spread = math.sqrt(weight * seen**2 + (1 - weight) * fallback.spread**2)
        return cls(median_s=math.exp(centre), spread=min(1.5, max(0.05, spread)))

    def survival(self, t_s: float) -> float:
        """The share of jobs still running `t_s` seconds after their start."""
        if t_s <= 0:
            return 1.0
        # One job in ten is drawn from a far wider law: a prior that is wrong by a factor must
        # neither stop the questions nor turn them into a drumbeat.
        return 0.9 * self._tail(t_s, self.spread) + 0.1 * self._tail(t_s, self.spread + 0.8)

    def _tail(self, t_s: float, spread: float) -> float:
        z = (math.log(t_s) - math.log(self.median_s)) / spread
        return 0.5 * math.erfc(z / math.sqrt(2))


DEFAULT_PRIOR = DurationPrior(median_s=105.0, spread=0.6)
"""Seen on the live API: 4 s clips 67-171 s, 5 s clips 83-253 s (median 105 s), 12 s 201-246 s."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one poll showed, at unix second `at_s`; None = not known."""

    at_s: float
    status: JobStatus | None
    progress_percent: float | None = None
    retry_after_s: float | None = None
    is_failure: bool = False
    """The poll itself failed (network, 429, 5xx); the job is not affected."""


@dataclass(frozen=True, slots=True)
class PollState:
    """All that the schedule remembers of one watch. Begin with `begin`, go on with `after`."""

    began_at_s: float
    created_at_s: float | None = None
    started_at_s: float | None = None
    """When the job was first seen to be worked on, or None while it is queued."""
    status: JobStatus | None = None
    failures_in_row: int = 0
    retry_after_s: float | None = None
    marks: tuple[tuple[float, float], ...] = ()
    """(unix second, percent) of the progress values that rose, oldest first."""

    @classmethod
    def begin(cls, now_s: float, created_at_s: float | None = None) -> PollState:
        return cls(began_at_s=now_s, created_at_s=created_at_s)

    def created(self, created_at_s: float | None) -> PollState:
        """The same state, knowing when the server says the job was made (unix seconds)."""
        if created_at_s == self.created_at_s or created_at_s is None:
            return self
        return replace(self, created_at_s=created_at_s)

    def after(self, seen: Observation) -> PollState:
        """The state once `seen` has been taken in."""
        if seen.is_failure:
            return replace(
                self,
                failures_in_row=self.failures_in_row + 1,
                retry_after_s=seen.retry_after_s,
            )
        started_at_s = self.started_at_s
        if started_at_s is None and seen.status not in (None, JobStatus.QUEUED):
            started_at_s = self._age_origin_s(seen.at_s) if self.status is None else seen.at_s
        return replace(
            self,
            status=seen.status if seen.status is not None else self.status,
            started_at_s=started_at_s,
            failures_in_row=0,
            retry_after_s=seen.retry_after_s,
            marks=self._marks_after(seen),
        )

    def remaining_s(self, now_s: float) -> tuple[float, float] | None:
        """Between how many and how many seconds are left, or None where there is no ground.

        The only ground is progress that really moves: at least three rises, and a last one that
        is not long ago compared with the pace of the others.
        """
        if len(self.marks) < 4 or self.status is not JobStatus.IN_PROGRESS:
            return None
        (first_s, first), (last_s, last) = self.marks[0], self.marks[-1]
        pause_s = (last_s - first_s) / (len(self.marks) - 1)
        if last_s - first_s < 5 or last >= 100 or now_s - last_s > 3 * pause_s:
            return None
        left_s = (100 - last) * (last_s - first_s) / (last - first) - (now_s - last_s)
        return (0.8 * left_s, 1.3 * left_s) if 0 < left_s < math.inf else None

    def age_s(self, now_s: float) -> float:
        """Seconds the job has been worked on, as far as that can be known; 0 while queued."""
        if self.started_at_s is None:
            is_queued = self.status is JobStatus.QUEUED
            return 0.0 if is_queued else max(0.0, now_s - self._age_origin_s(now_s))
        return max(0.0, now_s - self.started_at_s)

    def _age_origin_s(self, now_s: float) -> float:
        created_at_s = self.created_at_s
        # A server clock that runs ahead, or one that counts milliseconds, must not fool us.
        if created_at_s is None or not 0 <= now_s - created_at_s <= _OLDEST_PLAUSIBLE_S:
            return self.began_at_s
        return created_at_s

    def _marks_after(self, seen: Observation) -> tuple[tuple[float, float], ...]:
        percent = seen.progress_percent
        if percent is None:
            return self.marks
        if not self.marks:
            return ((seen.at_s, percent),)
        last_s, last = self.marks[-1]
        if percent < last or seen.at_s < last_s:
            return ((seen.at_s, percent),)  # it ran backwards: what was learned is worth nothing
        if percent == last:
            return self.marks
        return (*self.marks[1 - _MARKS_KEPT :], (seen.at_s, percent))


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """The schedule: how long to wait before the next poll.

    Attributes:
        price_s: the seconds of waiting that one request is worth.
        min_delay_s: never ask sooner than this after the last answer.
        max_delay_s: never wait longer than this after an answer, but for a server's hint (capped
            at 60 s). Failed polls back off by their own rule, up to 31 s: see `backoff_s`.
        give_up_after_s: the deadline, counted from the beginning of the watch.
        prior: how long such jobs take.
    """

    price_s: float = 0.5
    min_delay_s: float = 2.0
    max_delay_s: float = 15.0
    give_up_after_s: float = 3600.0
    prior: DurationPrior = field(default=DEFAULT_PRIOR)

    @classmethod
    def fixed(cls, interval_s: float, give_up_after_s: float) -> PollPolicy:
        """The loop everybody writes: one pause, always."""
        return cls(min_delay_s=interval_s, max_delay_s=interval_s, give_up_after_s=give_up_after_s)

    def next_delay_s(self, state: PollState, now_s: float, rng: random.Random) -> float | None:
        """Seconds until the next poll, or None: the job has ended or the deadline has passed."""
        left_s = state.began_at_s + self.give_up_after_s - now_s
        if left_s <= 0 or (state.status is not None and state.status.is_final):
            return None
        if state.failures_in_row:
            delay_s = max(self.min_delay_s, backoff_s(state.failures_in_row, rng))
        else:
            delay_s = self._quiet_delay_s(state.age_s(now_s)) * rng.uniform(0.95, 1.05)
            delay_s = min(self.max_delay_s, max(self.min_delay_s, delay_s))
        if state.retry_after_s is not None:
            delay_s = max(delay_s, min(state.retry_after_s, HINT_CAP_S))
        return min(delay_s, left_s)

    def plan(
        self, state: PollState, now_s: float, rng: random.Random, most: int = 400
    ) -> Iterator[float]:
        """The unix seconds of the coming polls, as long as every one finds nothing new."""
        at_s = now_s
        for _ in range(most):
            delay_s = self.next_delay_s(state, at_s, rng)
            if delay_s is None:
                return
            at_s += delay_s
            yield at_s
            if state.failures_in_row:
                return  # what follows a failed poll depends on how the next one goes

    def _quiet_delay_s(self, age_s: float) -> float:
        low_s, high_s = self.min_delay_s, self.max_delay_s
        if self._waste_s(age_s, high_s) <= self.price_s:
            return high_s
        while high_s - low_s > 0.05:
            middle_s = (low_s + high_s) / 2
            if self._waste_s(age_s, middle_s) < self.price_s:
                low_s = middle_s
            else:
                high_s = middle_s
        return high_s

    def _waste_s(self, age_s: float, delay_s: float) -> float:
        """Expected seconds of unnoticed waiting in a pause (Simpson's rule, 8 intervals)."""
        alive = self.prior.survival(age_s)
        if alive < 1e-12:
            return 0.0  # far beyond every duration ever seen: nothing to be in a hurry for
        parts = 8
        weights = (1, 4, 2, 4, 2, 4, 2, 4, 1)
        ended = (1 - self.prior.survival(age_s + delay_s * i / parts) / alive for i in range(9))
        total = sum(weight * share for weight, share in zip(weights, ended, strict=True))
        return total * delay_s / (3 * parts)


def backoff_s(failures_in_row: int, rng: random.Random) -> float:
    """Seconds to wait after that many failed requests in a row: min(30, 2^n) plus up to 1 s.

    Source: the API's published retry advice.
    """
    return min(30.0, 2.0 ** min(failures_in_row, 10)) + rng.random()


def is_not_found_final(times_in_row: int, first_at_s: float, now_s: float) -> bool:
    """Whether `task_not_exist` is to be believed by now."""
    return times_in_row >= NOT_FOUND_TIMES and now_s - first_at_s >= NOT_FOUND_SPAN_S


def parse_retry_after(value: str | None, now_s: float) -> float | None:
    """Seconds a `Retry-After` header asks for: a number or an HTTP date (RFC 9110 §10.2.3).

    A date in the past means now (0.0); anything unreadable or infinite means None.
    """
    if value is None:
        return None
    text = value.strip()[:100]
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
            # The old asctime form names no zone; every HTTP date is in UTC.
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = moment.timestamp() - now_s
        except (ValueError, OverflowError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
