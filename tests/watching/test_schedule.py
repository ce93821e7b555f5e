"""The schedule asks soon enough, seldom enough, and always comes to an end."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.api.retries import HINT_CAP_S
from cometvid_nb.job.status import JobStatus
from cometvid_nb.watching.durations import DurationPrior
from cometvid_nb.watching.schedule import USUAL_QUEUE_S, Observation, PollPolicy, PollState

NOW_S = 1_781_079_478.0


ACTIVE = (None, JobStatus.QUEUED, JobStatus.IN_PROGRESS, JobStatus.UNKNOWN)


rngs = st.integers(0, 2**32).map(random.Random)


@st.composite
def policies(draw: st.DrawFn) -> PollPolicy:
    low_s = draw(st.floats(0.2, 30))
    return PollPolicy(
        price_s=draw(st.floats(0.01, 60)),
        min_delay_s=low_s,
        max_delay_s=low_s + draw(st.floats(0, 60)),
        give_up_after_s=draw(st.floats(1, 7 * 86400)),
        prior=DurationPrior(draw(st.floats(1, 5000)), draw(st.floats(0.05, 1.5))),
    )


@st.composite
def states(draw: st.DrawFn) -> tuple[PollState, float]:
    """A state after some polls, and the moment of the last one."""
    ages_s = st.one_of(st.floats(0, 86400), st.floats(-1e13, 1e13))
    created_at_s = draw(st.one_of(st.none(), ages_s.map(lambda age_s: NOW_S - age_s)))
    state, now_s = PollState.begin(NOW_S, created_at_s), NOW_S
    for _ in range(draw(st.integers(0, 15))):
        now_s += draw(st.floats(0, 120))
        seen = Observation(
            now_s,
            draw(st.sampled_from(ACTIVE)),
            draw(st.one_of(st.none(), st.floats(0, 100))),
            draw(st.one_of(st.none(), st.floats(0, 1e9))),
            is_failure=draw(st.booleans()),
        )
        state = state.after(seen)
    return state, now_s


@given(policies(), states(), rngs)
def test_a_pause_is_within_its_bounds(
    policy: PollPolicy, moment: tuple[PollState, float], rng: random.Random
) -> None:
    state, now_s = moment
    delay_s = policy.next_delay_s(state, now_s, rng)
    left_s = NOW_S + policy.give_up_after_s - now_s

    if left_s <= 0:
        assert delay_s is None
        return
    assert delay_s is not None
    assert 0 < delay_s <= left_s
    hint_s = min(state.retry_after_s or 0.0, HINT_CAP_S)
    assert delay_s >= min(left_s, max(policy.min_delay_s, hint_s)) - 1e-9
    longest_s = max(policy.max_delay_s, 31.0) if state.failures_in_row else policy.max_delay_s
    assert delay_s <= max(longest_s, hint_s) + 1e-9


@given(policies(), states(), rngs)
def test_a_plan_only_goes_forward_and_never_past_the_deadline(
    policy: PollPolicy, moment: tuple[PollState, float], rng: random.Random
) -> None:
    state, now_s = moment
    plan = list(policy.plan(state, now_s, rng, most=50))

    assert all(one < next_ for one, next_ in itertools.pairwise([now_s, *plan]))
    assert all(at_s <= NOW_S + policy.give_up_after_s + 1e-6 for at_s in plan)
    assert (plan == []) == (now_s >= NOW_S + policy.give_up_after_s)


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED])
def test_a_job_that_has_ended_is_not_asked_after(status: JobStatus) -> None:
    state = PollState.begin(NOW_S).after(Observation(NOW_S, status))
    assert PollPolicy().next_delay_s(state, NOW_S, random.Random(0)) is None
    assert list(PollPolicy().plan(state, NOW_S, random.Random(0))) == []


@given(rngs, st.sampled_from(ACTIVE))
def test_a_job_that_never_ends_is_given_up_at_the_deadline(
    rng: random.Random, status: JobStatus | None
) -> None:
    policy = PollPolicy(give_up_after_s=600)
    state, now_s, polls = PollState.begin(NOW_S), NOW_S, 0
    while (delay_s := policy.next_delay_s(state, now_s, rng)) is not None:
        now_s += delay_s
        state = state.after(Observation(now_s, status))
        polls += 1
        assert polls < 600 / policy.min_delay_s + 2
    assert now_s == pytest.approx(NOW_S + 600)


def test_a_fixed_interval_is_always_the_same() -> None:
    policy = PollPolicy.fixed(5.0, 3600.0)
    plan = list(policy.plan(PollState.begin(NOW_S), NOW_S, random.Random(0), most=20))
    assert plan == [NOW_S + 5.0 * n for n in range(1, 21)]


def test_questions_are_closer_together_when_the_end_is_likely() -> None:
    policy, rng = PollPolicy(), random.Random(0)
    state = PollState.begin(NOW_S).after(Observation(NOW_S, JobStatus.IN_PROGRESS))
    plan = [NOW_S, *policy.plan(state, NOW_S, rng)]
    pauses_s = {at_s - NOW_S: after - at_s for at_s, after in itertools.pairwise(plan)}

    early_s = [pause for age, pause in pauses_s.items() if age < 20]
    likely_s = [pause for age, pause in pauses_s.items() if 70 < age < 140]
    late_s = [pause for age, pause in pauses_s.items() if 1500 < age < 3000]
    assert max(likely_s) < min(early_s)
    assert max(likely_s) < min(late_s)


def test_a_dearer_request_means_fewer_of_them() -> None:
    counts = [
        len(
            list(
                PollPolicy(price_s=price_s, give_up_after_s=300).plan(
                    PollState.begin(NOW_S), NOW_S, random.Random(0)
                )
            )
        )
        for price_s in (0.1, 0.5, 2.0, 8.0)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_a_hint_of_the_server_wins_up_to_its_cap() -> None:
    def pause_s(hint_s: float) -> float | None:
        seen = Observation(NOW_S, JobStatus.QUEUED, retry_after_s=hint_s)
        state = PollState.begin(NOW_S).after(seen)
        return PollPolicy.fixed(5, 3600).next_delay_s(state, NOW_S, random.Random(0))

    assert [pause_s(hint_s) for hint_s in (0, 3, 20, 86400)] == [5, 5, 20, HINT_CAP_S]


def test_a_hint_holds_for_the_whole_plan_until_the_server_says_otherwise() -> None:
    policy, rng = PollPolicy.fixed(5, 3600), random.Random(0)
    state = PollState.begin(NOW_S).after(Observation(NOW_S, JobStatus.QUEUED, retry_after_s=20))
    assert list(policy.plan(state, NOW_S, rng, most=3)) == [NOW_S + 20, NOW_S + 40, NOW_S + 60]

    state = state.after(Observation(NOW_S + 20, JobStatus.QUEUED))
    assert policy.next_delay_s(state, NOW_S + 20, rng) == 5


def test_failures_back_off_and_an_answer_forgives_them() -> None:
    policy, rng = PollPolicy(), random.Random(0)
    state, pauses_s = PollState.begin(NOW_S), []
    for _ in range(7):
        state = state.after(Observation(NOW_S, None, is_failure=True))
        pauses_s.append(policy.next_delay_s(state, NOW_S, rng))

    for pause_s, least_s in zip(pauses_s, (2, 4, 8, 16, 30, 30, 30), strict=True):
        assert pause_s is not None
        assert least_s <= pause_s < least_s + 1
    state = state.after(Observation(NOW_S, JobStatus.QUEUED))
    assert state.failures_in_row == 0


def test_the_plan_after_a_failed_poll_ends_with_the_next_try() -> None:
    state = PollState.begin(NOW_S).after(Observation(NOW_S, None, is_failure=True))
    assert len(list(PollPolicy().plan(state, NOW_S, random.Random(0)))) == 1


# What progress says about the rest.


def moving(percents: list[float], every_s: float = 10.0) -> PollState:
    state = PollState.begin(NOW_S)
    for n, percent in enumerate(percents):
        at_s = NOW_S + n * every_s
        state = state.after(Observation(at_s, JobStatus.IN_PROGRESS, percent))
    return state


def test_progress_that_moves_gives_a_range_around_what_it_points_to() -> None:
    span = moving([0, 10, 20, 30, 40, 50]).remaining_s(NOW_S + 50)
    assert span is not None
    low_s, high_s = span
    assert low_s < 50 < high_s


@pytest.mark.parametrize(
    "percents",
    [[30], [0, 30], [0, 10, 20], [30] * 20, [0, 90], [50, 40, 30, 20, 10], [0, 10, 20, 30, 5]],
    ids=str,
)
def test_progress_that_jumps_rests_or_falls_is_no_ground(percents: list[float]) -> None:
    state = moving(percents)
    assert state.remaining_s(NOW_S + 10 * len(percents)) is None


def test_progress_that_freezes_loses_its_ground() -> None:
    state = moving([0, 10, 20, 30, 40])
    assert state.remaining_s(NOW_S + 40) is not None
    assert state.remaining_s(NOW_S + 40 + 31) is None


@given(states(), st.floats(0, 1e6))
def test_what_remains_is_a_finite_range_or_nothing(
    moment: tuple[PollState, float], later_s: float
) -> None:
    state, now_s = moment
    span = state.remaining_s(now_s + later_s)
    assert span is None or 0 <= span[0] <= span[1] < math.inf


def test_crumbs_of_progress_do_not_point_to_infinity() -> None:
    assert moving([0.0, 5e-324, 1e-323, 1.5e-323]).remaining_s(NOW_S + 30) is None


@pytest.mark.parametrize("created_at_s", [NOW_S + 3600, NOW_S * 1000, 1.0, None])
def test_an_absurd_creation_time_is_not_believed(created_at_s: float | None) -> None:
    assert PollState.begin(NOW_S, created_at_s).origin_s == NOW_S


def test_a_job_found_halfway_ages_from_its_creation() -> None:
    assert PollState.begin(NOW_S, NOW_S - 60).origin_s == NOW_S - 60
    assert PollState.begin(NOW_S).created(NOW_S - 60).origin_s == NOW_S - 60


def test_an_hour_in_the_queue_is_not_an_hour_of_work() -> None:
    state = PollState.begin(NOW_S, NOW_S)
    for minute in range(60):
        state = state.after(Observation(NOW_S + 60 * minute, JobStatus.QUEUED))
    started = state.after(Observation(NOW_S + 3600, JobStatus.IN_PROGRESS))

    assert started.origin_s == NOW_S + 59 * 60 - USUAL_QUEUE_S
    short = PollState.begin(NOW_S, NOW_S).after(Observation(NOW_S + 5, JobStatus.QUEUED))
    assert short.origin_s == NOW_S  # a usual queue is part of what the prior counts


# What a schedule costs, on a virtual clock.


def polls_until(
    end_s: float, percent: Callable[[float], float | None], policy: PollPolicy, seed: int = 0
) -> tuple[int, float]:
    """(polls, delay in seconds) for a job that ends at that age."""
    rng, state, age_s, polls = random.Random(seed), PollState.begin(NOW_S, NOW_S), 0.0, 1
    while age_s < end_s:
        seen = Observation(NOW_S + age_s, JobStatus.IN_PROGRESS, percent(age_s))
        state = state.after(seen)
        delay_s = policy.next_delay_s(state, NOW_S + age_s, rng)
        assert delay_s is not None
        age_s, polls = age_s + delay_s, polls + 1
    return polls, age_s - end_s


@pytest.mark.parametrize("end_s", [61.0, 105.0, 150.0, 212.0, 333.0])
def test_linear_progress_is_met_within_seconds_by_a_handful_of_polls(end_s: float) -> None:
    runs = [
        polls_until(end_s, lambda age_s: float(int(100 * age_s / end_s)), PollPolicy(), seed)
        for seed in range(20)
    ]
    assert statistics.fmean(delay_s for _, delay_s in runs) < 2.0
    assert statistics.fmean(polls for polls, _ in runs) < 6 + end_s / 15


@pytest.mark.parametrize(
    "percent",
    [
        lambda age_s: 0.0,
        lambda age_s: None,
        lambda age_s: 10.0 * min(3, int(age_s / 25)),
        lambda age_s: 90.0 if age_s > 40 else 0.0,
        lambda age_s: min(99.0, age_s * 2),
        lambda age_s: 99.0 if int(age_s) % 2 else 1.0,
        lambda age_s: 100.0,
        lambda age_s: age_s / 1000,
    ],
    ids=["frozen", "none", "stages", "jump", "rests at 99", "to and fro", "says 100", "crumbs"],
)
def test_progress_that_fools_costs_no_more_than_a_ten_second_loop(
    percent: Callable[[float], float | None],
) -> None:
    ends_s = [60 + 90 * n / 60 for n in range(61)]

    def product_s(policy: PollPolicy) -> float:
        runs = [polls_until(end_s, percent, policy, seed) for seed, end_s in enumerate(ends_s)]
        return statistics.fmean(p for p, _ in runs) * statistics.fmean(d for _, d in runs)

    assert product_s(PollPolicy()) < product_s(PollPolicy.fixed(10, 3600))
