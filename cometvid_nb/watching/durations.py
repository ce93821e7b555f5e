"""How long a job may take: what is believed before it is seen, and what its progress adds.

Everything is a survival function S(t), the share of such jobs that still run at t, together with
its integral ("lived" seconds): that is all a schedule needs. Closed forms, no tables, no numpy.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

DOUBT = 0.15
"""The share of jobs drawn from a far wider law: a prior that is wrong by a factor must neither
stop the questions nor turn them into a drumbeat."""
ENDLESS = 0.02
"""The share of jobs that never end. Without it a job that is late would be asked after as if it
had to end any second; seen on the live API, and what every gateway has now and then."""

_WIDER_BY = 0.8
_NOTHING_S = 1e-9
_ROOT_2 = math.sqrt(2.0)
_ROOT_2PI = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class DurationPrior:
    """How long such jobs take from their creation, before anything is seen: log-normal.

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
        """The share of jobs still running `t_s` seconds after their creation."""
        if t_s <= _NOTHING_S:
            return 1.0
        narrow, wide = self._over(t_s, self.spread), self._over(t_s, self.spread + _WIDER_BY)
        return ENDLESS + (1 - ENDLESS) * ((1 - DOUBT) * narrow + DOUBT * wide)

    def lived_s(self, t_s: float) -> float:
        """The mean seconds that such a job has run by `t_s`: the integral of `survival`."""
        if t_s <= _NOTHING_S:
            return t_s
        narrow, wide = self._lived(t_s, self.spread), self._lived(t_s, self.spread + _WIDER_BY)
        return ENDLESS * t_s + (1 - ENDLESS) * ((1 - DOUBT) * narrow + DOUBT * wide)

    def plausibility(self, t_s: float) -> float:
        """How well a duration fits, 1 at the median, falling to a floor where it would surprise."""
        z = math.log(max(t_s, 1e-3) / self.median_s) / (self.spread + 0.1)
        return max(_SURPRISE, math.exp(-z * z / 2))

    def _over(self, t_s: float, spread: float) -> float:
        return 0.5 * math.erfc(math.log(t_s / self.median_s) / (spread * _ROOT_2))

    def _lived(self, t_s: float, spread: float) -> float:
        z = math.log(t_s / self.median_s) / spread
        ended = 0.5 * math.erfc((spread - z) / _ROOT_2)
        return t_s * 0.5 * math.erfc(z / _ROOT_2) + (
            self.median_s * math.exp(spread * spread / 2) * ended
        )


DEFAULT_PRIOR = DurationPrior(median_s=105.0, spread=0.6)
"""Seen on the live API: 4 s clips 67-171 s, 5 s clips 83-253 s (median 105 s), 12 s 201-246 s."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """When moving progress says that the job ends: a normal law, and how far to trust it.

    `end_s` is a unix second, `error_s` its standard deviation, `odds` those of the forecast
    against the prior before the two are compared, `as_of_s` the unix second of the last rise.
    """

    end_s: float
    error_s: float
    odds: float
    as_of_s: float

    @classmethod
    def of(cls, marks: Sequence[tuple[float, float]], confirmed_at_s: float) -> Forecast | None:
        """The straight line through the last rises, or None where they point nowhere.

        `marks` are (unix second, percent), rising in both; `confirmed_at_s` is when the last
        percentage was last seen. The odds grow with the rises that lie on one line, and go when
        they do not, or when the last one has rested longer than any before it.
        """
        marks = marks[-_MARKS_FITTED:]
        if len(marks) < 2 or marks[-1][1] >= 100:
            return None
        count = len(marks)
        at_s, percents = zip(*marks, strict=True)
        mean_s, mean = statistics.fmean(at_s), statistics.fmean(percents)
        span = sum((p - mean) ** 2 for p in percents)
        pace_s = sum((p - mean) * (t - mean_s) for t, p in marks) / span if span > 1e-6 else 0.0
        # A line through crumbs of progress points to next year.
        if not 1e-3 < pace_s < 3600:
            return None
        end_s = mean_s + pace_s * (100 - mean)
        misses = sum((t - mean_s - pace_s * (p - mean)) ** 2 for t, p in marks)
        miss_s = math.sqrt(misses / (count - 2)) if count > 2 else 0.0
        # A whole percent is as fine as it gets, and an answer takes its time.
        grain_s = max(miss_s, 0.3 * pace_s + 0.2)
        reach = math.sqrt(1 + 1 / count + (100 - mean) ** 2 / span)
        left_s = max(0.0, end_s - marks[-1][0])
        error_s = math.hypot(grain_s * reach, _BEND * left_s / (count - 1))
        pauses_s = [later - sooner for sooner, later in itertools.pairwise(at_s)]
        crooked = miss_s / (max(0.1, statistics.fmean(pauses_s)) * _CROOKED)
        rest = max(0.0, (confirmed_at_s - marks[-1][0]) / max(0.1, *pauses_s) - 1)
        # The first third of a road says little of the rest: many count stages there, then stop.
        odds = _ODDS[min(count, len(_ODDS) - 1)] * min(1.0, marks[-1][1] / 40) ** 2
        odds *= math.exp(-(crooked**2) - 2 * rest**2)
        return cls(end_s, error_s, odds, marks[-1][0]) if odds > 0.02 else None

    def trust(self, prior: DurationPrior, origin_s: float) -> float:
        """The share (0-1) of belief that goes to the forecast rather than to the prior.

        A job that counts its stages 10, 20, 30 lies on a line as well, to an end far off: the
        prior finds that end strange.
        """
        odds = self.odds * prior.plausibility(self.end_s - origin_s)
        return odds / (1 + odds)

    def survival(self, at_s: float) -> float:
        """The chance that it still runs at unix second `at_s`."""
        return 0.5 * math.erfc((at_s - self.end_s) / (self.error_s * _ROOT_2))

    def lived_s(self, at_s: float) -> float:
        """The integral of `survival` up to `at_s`, counted from an arbitrary moment."""
        z = (at_s - self.end_s) / self.error_s
        density = math.exp(-z * z / 2) / _ROOT_2PI if abs(z) < 38 else 0.0
        return self.error_s * (z * 0.5 * math.erfc(z / _ROOT_2) - density)


_MARKS_FITTED = 6
_BEND = 0.1
"""How far off a line through two points may be, as a share of what is left."""
_CROOKED = 0.8
_ODDS = (0.0, 0.0, 1.0, 3.0, 6.0, 10.0, 20.0)
"""By the number of rises. Two may be a jump; no number makes a promise of the server's."""
_SURPRISE = 0.05
