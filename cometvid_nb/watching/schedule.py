"""Decides when to poll next, from the chance that the job has just ended. Pure.

Let h(t) be the chance per second that a job ends now, given that it still runs. A poll after a
pause d costs one request, plus the mean time between the job's end and the poll that finds it: the
integral over the pause of P(ended by then). The best pause makes this time equal to the price p of
one request; for a small constant h it is sqrt(2p / h). This costs at most 0.3 % more than the true
optimum, which `benchmarks/pacing.py` finds by dynamic programming. No function here reads a clock
or draws a random number by itself: pass `now_s` and `rng`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ..api.retries import backoff_s, retry_delay_s
from ..job.status import JobStatus
from .durations import DEFAULT_PRIOR, DurationPrior, Forecast

USUAL_QUEUE_S = 20.0
"""The time in the queue that the prior's durations contain.

A job seen in the queue counts as at most this old at that moment; see `PollState.origin_s`."""

_MARKS_KEPT = 12
"""More than the forecast fits (6), so that `remaining_s` sees the pace over a longer time."""
_OLDEST_PLAUSIBLE_S = 24 * 3600.0
"""A job created longer ago than this has a wrong `created_at`: no clip takes a day."""
_FORECAST_PLAN = 6
"""How many polls are planned at most on a forecast, as the first of them changes the forecast."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The answer to one poll at unix second `at_s`; None: the answer did not contain it."""

    at_s: float
    status: JobStatus | None
    progress_percent: float | None = None
    retry_after_s: float | None = None
    is_failure: bool = False
    """The poll itself failed (network, 429, 5xx); the job is not affected."""


@dataclass(frozen=True, slots=True)
class PollState:
    """Everything the schedule knows about one watch: start with `begin`, continue with `after`."""

    began_at_s: float
    created_at_s: float | None = None
    """The creation by the server's clock, which may be wrong; see `origin_s`."""
    queued_at_s: float | None = None
    """When a poll last found the job in the queue."""
    status: JobStatus | None = None
    failures_in_row: int = 0
    retry_after_s: float | None = None
    marks: tuple[tuple[float, float], ...] = ()
    """(unix second, percent) of each rise of the progress, oldest first."""
    confirmed_at_s: float = 0.0
    """When a poll last found the percentage of the last mark."""
    falls: int = 0
    """How often the progress ran backwards. After one fall it is no longer used for a forecast."""

    @classmethod
    def begin(cls, now_s: float, created_at_s: float | None = None) -> PollState:
        """Return the state before the first poll."""
        return cls(began_at_s=now_s, created_at_s=created_at_s)

    def created(self, created_at_s: float | None) -> PollState:
        """Return the state with the server's time of creation (unix seconds); None changes nothing.

        `self` if nothing changes, so that a thousand quiet polls make no copies.
        """
        if created_at_s == self.created_at_s or created_at_s is None:
            return self
        return replace(self, created_at_s=created_at_s)

    def after(self, seen: Observation) -> PollState:
        """Return the state after the answer `seen`."""
        # A failed poll tells nothing about the job, so that all else stays.
        if seen.is_failure:
            return replace(
                self,
                failures_in_row=self.failures_in_row + 1,
                retry_after_s=seen.retry_after_s,
            )
        is_queued = seen.status == JobStatus.QUEUED
        return replace(
            self,
            status=seen.status if seen.status is not None else self.status,
            queued_at_s=seen.at_s if is_queued else self.queued_at_s,
            failures_in_row=0,
            retry_after_s=seen.retry_after_s,
            marks=self._marks_after(seen),
            confirmed_at_s=self.confirmed_at_s if seen.progress_percent is None else seen.at_s,
            falls=self.falls + self._is_fall(seen),
        )

    @property
    def forecast(self) -> Forecast | None:
        """The forecast from moving progress, or None if the progress tells nothing."""
        if self.status != JobStatus.IN_PROGRESS:
            return None
        return Forecast.of(self.marks, self.confirmed_at_s) if not self.falls else None

    def remaining_s(self, now_s: float) -> tuple[float, float] | None:
        """Return the (least, most) seconds left that a card may show, or None.

        None unless progress really moves: at least three rises on one line over 5 s or more, the
        last of them recent compared with the pace of the others. A card shows no guess.
        """
        forecast = self.forecast if len(self.marks) > 3 else None
        if forecast is None or forecast.odds < 3:
            return None
        (first_s, _), (last_s, _) = self.marks[0], self.marks[-1]
        pause_s = (last_s - first_s) / (len(self.marks) - 1)
        left_s, give_s = forecast.end_s - now_s, 1.3 * forecast.error_s + 1
        if last_s - first_s < 5 or now_s - last_s > 3 * pause_s or left_s + give_s <= 0:
            return None
        return (max(0.0, left_s - give_s), left_s + give_s)

    @property
    def origin_s(self) -> float:
        """The unix second from which the job's age counts: its creation, or later.

        A job seen in the queue counts as if it had waited a usual time, so that an hour in the
        queue does not look like an hour of work.
        """
        created_at_s, origin_s = self.created_at_s, self.began_at_s
        # Else the server's clock runs ahead or behind, or counts milliseconds: it is ignored.
        if created_at_s is not None and 0 <= origin_s - created_at_s <= _OLDEST_PLAUSIBLE_S:
            origin_s = created_at_s
        queued_at_s = self.queued_at_s
        return origin_s if queued_at_s is None else max(origin_s, queued_at_s - USUAL_QUEUE_S)

    def _is_fall(self, seen: Observation) -> bool:
        percent = seen.progress_percent
        return percent is not None and bool(self.marks) and percent < self.marks[-1][1]

    def _marks_after(self, seen: Observation) -> tuple[tuple[float, float], ...]:
        percent = seen.progress_percent
        if percent is None:
            return self.marks
        if not self.marks:
            return ((seen.at_s, percent),)
        last_s, last = self.marks[-1]
        if percent < last or seen.at_s < last_s:
            return ((seen.at_s, percent),)  # it ran backwards: the earlier marks mean nothing
        if percent == last:
            return self.marks
        return (*self.marks[1 - _MARKS_KEPT :], (seen.at_s, percent))


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """The rules of the schedule: how long to wait before the next poll.

    Attributes:
        price_s: the seconds of waiting that one request is worth.
        min_delay_s: the shortest pause after an answer.
        max_delay_s: the longest pause after an answer, except for a server's hint (at most
            60 s). Failed polls back off by their own rule, up to 31 s: see `backoff_s`.
        give_up_after_s: the deadline, in seconds from the start of the watch.
        prior: how long such jobs take.
    """

    price_s: float = 0.25
    min_delay_s: float = 2.0
    max_delay_s: float = 30.0
    give_up_after_s: float = 3600.0
    prior: DurationPrior = field(default=DEFAULT_PRIOR)

    @classmethod
    def fixed(cls, interval_s: float, give_up_after_s: float) -> PollPolicy:
        """Return a policy with one fixed pause, for the setting `interval_s`."""
        return cls(min_delay_s=interval_s, max_delay_s=interval_s, give_up_after_s=give_up_after_s)

    def next_delay_s(self, state: PollState, now_s: float, rng: random.Random) -> float | None:
        """Return the seconds until the next poll.

        None: the job has ended, or the deadline has passed.
        """
        left_s = state.began_at_s + self.give_up_after_s - now_s
        if left_s <= 0 or (state.status is not None and state.status.is_final):
            return None
        if state.failures_in_row:
            delay_s = max(self.min_delay_s, backoff_s(state.failures_in_row, rng))
        else:
            delay_s = self._quiet_delay_s(state, now_s)
            # Jitter, so that jobs started together are not polled together for ever. It only
            # shortens the pause: no end is noticed later for it.
            delay_s = max(self.min_delay_s, delay_s * rng.uniform(0.95, 1.0))
        return min(retry_delay_s(delay_s, state.retry_after_s), left_s)

    def plan(
        self, state: PollState, now_s: float, rng: random.Random, most: int = 400
    ) -> Iterator[float]:
        """Yield the unix seconds of at most `most` polls, if each of them finds nothing new."""
        at_s = now_s
        for _ in range(most if state.forecast is None else min(most, _FORECAST_PLAN)):
            delay_s = self.next_delay_s(state, at_s, rng)
            if delay_s is None:
                return
            at_s += delay_s
            yield at_s
            if state.failures_in_row:
                return  # the pause after the next poll depends on whether that one fails too

    def _quiet_delay_s(self, state: PollState, now_s: float) -> float:
        """Return the best pause if the last poll did not fail, before jitter and hints."""
        if self.min_delay_s >= self.max_delay_s:
            return self.max_delay_s
        age_s, forecast = now_s - state.origin_s, state.forecast
        # A forecast whose time is long over was wrong; then the prior decides alone.
        if forecast is None or now_s > forecast.end_s + 4 * forecast.error_s:
            return _delay_at_s(self._terms, age_s)
        belief = _Belief.of(self.prior, age_s - (now_s - forecast.as_of_s), forecast)
        if belief is None:
            return _delay_at_s(self._terms, age_s)
        return _best_delay_s(belief, now_s - forecast.as_of_s, self._terms)

    @property
    def _terms(self) -> _Terms:
        # Rounded to 1 %, so that the many jobs of a kernel share the cache of `_delay_on_grid_s`.
        median_s = math.exp(round(math.log(self.prior.median_s), 2))
        prior = DurationPrior(median_s, round(self.prior.spread, 2))
        return (prior, self.price_s, self.min_delay_s, self.max_delay_s)


_Terms = tuple[DurationPrior, float, float, float]
"""Prior, price, shortest and longest delay in seconds: the key of the cache below."""
_GRID = 1.03
"""Delays are computed at ages that grow by this ratio, and interpolated in between. One bisection
takes about ten evaluations of the prior, so that the many jobs of a kernel share the results."""


def _delay_at_s(terms: _Terms, age_s: float) -> float:
    """Return the best delay at an age, if nothing but the prior is known."""
    step = math.log(max(1.0, age_s)) / math.log(_GRID)
    low = math.floor(step)
    one, next_ = _delay_on_grid_s(terms, low), _delay_on_grid_s(terms, low + 1)
    return one + (next_ - one) * (step - low)


@lru_cache(maxsize=16384)
def _delay_on_grid_s(terms: _Terms, step: int) -> float:
    return _best_delay_s(terms[0], _GRID**step, terms)


@dataclass(frozen=True, slots=True)
class _Belief:
    """The mixture of prior and forecast; its time runs from the moment of the forecast.

    `age_s` is the job's age at that moment.
    """

    prior: DurationPrior
    age_s: float
    forecast: Forecast
    prior_share: float
    forecast_share: float

    @classmethod
    def of(cls, prior: DurationPrior, age_s: float, forecast: Forecast) -> _Belief | None:
        """Return the mixture, given that the job still ran at `age_s`.

        None if the forecast had already put the job's end before that moment.
        """
        alive = forecast.survival(forecast.as_of_s)
        if alive < 1e-3:
            return None
        trust = forecast.trust(prior, forecast.as_of_s - age_s)
        return cls(prior, age_s, forecast, (1 - trust) / prior.survival(age_s), trust / alive)

    def survival(self, t_s: float) -> float:
        return self.prior_share * self.prior.survival(
            self.age_s + t_s
        ) + self.forecast_share * self.forecast.survival(self.forecast.as_of_s + t_s)

    def lived_s(self, t_s: float) -> float:
        return self.prior_share * self.prior.lived_s(
            self.age_s + t_s
        ) + self.forecast_share * self.forecast.lived_s(self.forecast.as_of_s + t_s)


def _best_delay_s(law: DurationPrior | _Belief, age_s: float, terms: _Terms) -> float:
    """Return the pause after `age_s` whose expected unnoticed waiting equals the price.

    Bisection between the shortest and the longest delay, to 0.05 s: the waiting grows with the
    pause.
    """
    _, price_s, low_s, high_s = terms
    alive, lived_s = law.survival(age_s), law.lived_s(age_s)

    def waste_s(delay_s: float) -> float:
        """Mean seconds between the job's end and a poll after `delay_s`."""
        return delay_s - (law.lived_s(age_s + delay_s) - lived_s) / alive

    if waste_s(high_s) <= price_s:
        return high_s
    while high_s - low_s > 0.05:
        middle_s = (low_s + high_s) / 2
        if waste_s(middle_s) < price_s:
            low_s = middle_s
        else:
            high_s = middle_s
    return high_s
