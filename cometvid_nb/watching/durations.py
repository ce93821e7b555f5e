"""How long a job takes: a prior from earlier jobs, and a forecast from the job's own progress.

Both are survival functions S(t), the share of such jobs that still run at t, with their integral
("lived" seconds). The schedule needs nothing else. Closed forms, no tables, no numpy. Pure.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

DOUBT = 0.15
"""The share of jobs in the prior that follow a far wider distribution.

A prior whose median is three times too short or too long then costs a few polls more, but neither
leaves minutes between polls nor makes every pause the shortest (see the rows "prior … times the
truth" of `benchmarks/pacing.py`)."""
ENDLESS = 0.02
"""The share of jobs in the prior that never end; the live API has such jobs.

Without it, the chance that a late job ends now would stay high, and a job that hangs would be
polled at the shortest pause until the deadline."""

_WIDER_BY = 0.8
"""How much wider (in ln seconds) the distribution for `DOUBT` is: e^0.8 is a factor of 2.2."""
_NOTHING_S = 1e-9
"""Ages below this count as 0, where ln(t) has no value."""
_ROOT_2 = math.sqrt(2.0)
_ROOT_2PI = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class DurationPrior:
    """A log-normal distribution of how long jobs of one kind take, counted from their creation.

    `median_s` is in seconds, `spread` is the standard deviation of ln(duration).
    """

    median_s: float
    spread: float

    @classmethod
    def learn(cls, durations_s: Sequence[float], fallback: DurationPrior) -> DurationPrior:
        """Return the prior learned from jobs of one kind; without any it is `fallback`.

        `fallback` counts as two further jobs, so that one or two durations do not decide alone.
        """
        logs = [math.log(d) for d in durations_s if math.isfinite(d) and d > 0]
        if not logs:
            return fallback
        weight = len(logs) / (len(logs) + 2)
        centre = weight * statistics.fmean(logs) + (1 - weight) * math.log(fallback.median_s)
        seen = statistics.pstdev(logs)
        spread = math.sqrt(weight * seen**2 + (1 - weight) * fallback.spread**2)
        # Bounded: durations that agree by chance must not make the prior certain.
        return cls(median_s=math.exp(centre), spread=min(1.5, max(0.05, spread)))

    def survival(self, t_s: float) -> float:
        """Return the share (0-1) of jobs that still run `t_s` seconds after their creation."""
        if t_s <= _NOTHING_S:
            return 1.0
        narrow, wide = self._over(t_s, self.spread), self._over(t_s, self.spread + _WIDER_BY)
        return ENDLESS + (1 - ENDLESS) * ((1 - DOUBT) * narrow + DOUBT * wide)

    def lived_s(self, t_s: float) -> float:
        """Return the mean seconds that a job has run by age `t_s`: the integral of `survival`."""
        if t_s <= _NOTHING_S:
            return t_s
        narrow, wide = self._lived(t_s, self.spread), self._lived(t_s, self.spread + _WIDER_BY)
        return ENDLESS * t_s + (1 - ENDLESS) * ((1 - DOUBT) * narrow + DOUBT * wide)

    def plausibility(self, t_s: float) -> float:
        """Return how well a duration fits this prior: 1 at the median, at least `_SURPRISE`."""
        # A little wider than the prior itself, which may be learned from a few jobs only.
        z = math.log(max(t_s, 1e-3) / self.median_s) / (self.spread + 0.1)
        return max(_SURPRISE, math.exp(-z * z / 2))

    def _over(self, t_s: float, spread: float) -> float:
        """Survival of one log-normal distribution."""
        return 0.5 * math.erfc(math.log(t_s / self.median_s) / (spread * _ROOT_2))

    def _lived(self, t_s: float, spread: float) -> float:
        """Integral of `_over` from 0 to `t_s`: t·S(t) plus the partial mean of those that ended."""
        z = math.log(t_s / self.median_s) / spread
        ended = 0.5 * math.erfc((spread - z) / _ROOT_2)
        return t_s * 0.5 * math.erfc(z / _ROOT_2) + (
            self.median_s * math.exp(spread * spread / 2) * ended
        )


DEFAULT_PRIOR = DurationPrior(median_s=105.0, spread=0.6)
"""Seen on the live API: 4 s clips 67-171 s, 5 s clips 83-253 s (median 105 s), 12 s 201-246 s."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the job ends, judging by its moving progress: a normal distribution with its odds.

    `end_s` is a unix second and `error_s` its standard deviation. `odds` are the odds of the
    forecast against the prior, before the two are compared (see `trust`). `as_of_s` is the unix
    second of the last rise.
    """

    end_s: float
    error_s: float
    odds: float
    as_of_s: float

    @classmethod
    def of(cls, marks: Sequence[tuple[float, float]], confirmed_at_s: float) -> Forecast | None:
        """Fit a straight line through the last rises of the progress; None if it tells nothing.

        `marks` are (unix second, percent), rising in both; `confirmed_at_s` is the unix second at
        which the last percentage was last seen. The odds grow with the number of rises on one
        line. They shrink if the rises do not lie on a line, or if the progress has stood still
        for longer than ever before.
        """
        marks = marks[-_MARKS_FITTED:]
        if len(marks) < 2 or marks[-1][1] >= 100:
            return None
        count = len(marks)
        at_s, percents = zip(*marks, strict=True)
        mean_s, mean = statistics.fmean(at_s), statistics.fmean(percents)
        span = sum((p - mean) ** 2 for p in percents)
        pace_s = sum((p - mean) * (t - mean_s) for t, p in marks) / span if span > 1e-6 else 0.0
        # Seconds per percent. Slower than an hour per percent, the line ends days from now.
        if not 1e-3 < pace_s < 3600:
            return None
        end_s = mean_s + pace_s * (100 - mean)
        misses = sum((t - mean_s - pace_s * (p - mean)) ** 2 for t, p in marks)
        miss_s = math.sqrt(misses / (count - 2)) if count > 2 else 0.0
        # No forecast is finer than its input: whole percents are rounded (0.3 of a percent is the
        # standard deviation of that), and an answer is some 0.2 s old.
        grain_s = max(miss_s, 0.3 * pace_s + 0.2)
        # The standard error of a fitted line, extrapolated to 100 %.
        reach = math.sqrt(1 + 1 / count + (100 - mean) ** 2 / span)
        left_s = max(0.0, end_s - marks[-1][0])
        error_s = math.hypot(grain_s * reach, _BEND * left_s / (count - 1))
        pauses_s = [later - sooner for sooner, later in itertools.pairwise(at_s)]
        crooked = miss_s / (max(0.1, statistics.fmean(pauses_s)) * _CROOKED)
        rest = max(0.0, (confirmed_at_s - marks[-1][0]) / max(0.1, *pauses_s) - 1)
        # Below 40 % the line is trusted less: many models report 10, 20, 30 and then stay there.
        odds = _ODDS[min(count, len(_ODDS) - 1)] * min(1.0, marks[-1][1] / 40) ** 2
        odds *= math.exp(-(crooked**2) - 2 * rest**2)
        return cls(end_s, error_s, odds, marks[-1][0]) if odds > 0.02 else None

    def trust(self, prior: DurationPrior, origin_s: float) -> float:
        """Return the weight (0-1) of the forecast against the prior.

        `origin_s` is the unix second from which the prior counts. The prior decides with: stages
        of 10, 20, 30 lie on a line as well, but its end does not fit the earlier jobs.
        """
        odds = self.odds * prior.plausibility(self.end_s - origin_s)
        return odds / (1 + odds)

    def survival(self, at_s: float) -> float:
        """Return the chance (0-1) that the job still runs at unix second `at_s`."""
        return 0.5 * math.erfc((at_s - self.end_s) / (self.error_s * _ROOT_2))

    def lived_s(self, at_s: float) -> float:
        """Return the integral of `survival` up to `at_s`; only differences of it have a meaning."""
        z = (at_s - self.end_s) / self.error_s
        # Beyond 38 standard deviations the density is 0 in floating point.
        density = math.exp(-z * z / 2) / _ROOT_2PI if abs(z) < 38 else 0.0
        return self.error_s * (z * 0.5 * math.erfc(z / _ROOT_2) - density)


_MARKS_FITTED = 6
"""Only the latest rises count: progress that slows down or speeds up bends the line."""
_BEND = 0.1
"""How far off the line's end may be, as a share of the time left, with two marks; with more it
shrinks. The fit itself is exact for two points and so shows no error."""
_CROOKED = 0.8
"""Marks that miss the line by this share of the mean pause between rises divide the odds by e."""
_ODDS = (0.0, 0.0, 1.0, 3.0, 6.0, 10.0, 20.0)
"""The odds by the number of marks. Two may be a jump; and even many are no promise of the server,
so the prior is never dropped."""
_SURPRISE = 0.05
"""The least that `plausibility` returns: good progress can outvote a prior that is wrong."""
