"""How long such jobs take: what the past and the progress say."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.job.status import JobStatus
from cometvid_nb.watching.durations import DEFAULT_PRIOR, ENDLESS, DurationPrior, Forecast
from cometvid_nb.watching.schedule import Observation, PollState

NOW_S = 1_781_079_478.0


@given(st.lists(st.one_of(st.floats(), st.floats(0.1, 1e5)), max_size=30))
def test_a_learned_prior_is_always_usable(durations_s: list[float]) -> None:
    prior = DurationPrior.learn(durations_s, DEFAULT_PRIOR)
    usable = [d for d in durations_s if math.isfinite(d) and d > 0]
    bounds = [*usable, DEFAULT_PRIOR.median_s]

    assert min(bounds) * 0.999 <= prior.median_s <= max(bounds) * 1.001
    assert 0.05 <= prior.spread <= 1.5
    if not usable:
        assert prior == DEFAULT_PRIOR


def test_many_jobs_outweigh_the_fallback_and_one_does_not() -> None:
    assert DurationPrior.learn([20.0] * 50, DEFAULT_PRIOR).median_s == pytest.approx(20, rel=0.1)
    assert DurationPrior.learn([20.0], DEFAULT_PRIOR).median_s > 50


@given(st.floats(1, 5000), st.floats(0.05, 1.5), st.lists(st.floats(-10, 1e7), min_size=2))
def test_survival_only_ever_falls_from_one_to_nothing(
    median_s: float, spread: float, ages_s: list[float]
) -> None:
    shares = [DurationPrior(median_s, spread).survival(age_s) for age_s in sorted(ages_s)]
    assert all(0 <= share <= 1 for share in shares)
    assert all(one >= next_ for one, next_ in itertools.pairwise(shares))


def test_half_of_the_jobs_that_end_are_over_at_the_median() -> None:
    at_median = DEFAULT_PRIOR.survival(DEFAULT_PRIOR.median_s)
    assert at_median == pytest.approx((1 - ENDLESS) / 2 + ENDLESS)
    assert DEFAULT_PRIOR.survival(0) == 1


def test_more_rises_on_one_line_are_trusted_more() -> None:
    odds = []
    for count in range(2, 7):
        marks = [(NOW_S + 10 * n, 10.0 * n) for n in range(count)]
        forecast = Forecast.of(marks, marks[-1][0])
        assert forecast is not None
        assert forecast.end_s == pytest.approx(NOW_S + 100)
        odds.append(forecast.odds)
    assert odds == sorted(set(odds))


def test_an_end_that_the_past_finds_strange_is_trusted_less() -> None:
    forecast = Forecast.of([(NOW_S + 10 * n, 4.0 * n) for n in range(4)], NOW_S + 30)
    assert forecast is not None  # at 250 s
    usual, strange = DurationPrior(250, 0.2), DurationPrior(60, 0.2)
    assert forecast.trust(strange, NOW_S) < forecast.trust(usual, NOW_S) / 2


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 100)), max_size=12),
    st.floats(0, 1e4),
)
def test_a_forecast_of_any_marks_is_finite_or_nothing(
    marks: list[tuple[float, float]], later_s: float
) -> None:
    state = PollState.begin(NOW_S)
    for after_s, percent in sorted(marks):
        state = state.after(Observation(NOW_S + after_s, JobStatus.IN_PROGRESS, percent))
    forecast = Forecast.of(state.marks, state.confirmed_at_s + later_s)
    if forecast is not None:
        assert math.isfinite(forecast.end_s)
        assert 0 < forecast.error_s < math.inf
        assert 0 < forecast.trust(DEFAULT_PRIOR, NOW_S) < 1


@given(st.floats(5, 5000), st.floats(0.05, 1.5), st.floats(0, 20000), st.floats(0, 500))
def test_lived_seconds_are_the_integral_of_survival(
    median_s: float, spread: float, from_s: float, span_s: float
) -> None:
    prior, parts = DurationPrior(median_s, spread), 200
    shares = [prior.survival(from_s + span_s * n / parts) for n in range(parts + 1)]
    exact_s = prior.lived_s(from_s + span_s) - prior.lived_s(from_s)
    # It only falls, so the integral lies between the sums over the ends of the parts.
    most_s, least_s = sum(shares[:-1]) * span_s / parts, sum(shares[1:]) * span_s / parts
    assert least_s - 1e-6 <= exact_s <= most_s + 1e-6
