"""One rate for one server: one price for all its watches, no herd after an outage, room for few."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.api.retries import HINT_CAP_S
from cometvid_nb.api.turns import (
    FEWEST_AT_ONCE,
    MANY,
    MOST_AT_ONCE,
    TICK_S,
    Pace,
    Room,
    Turns,
)
from cometvid_nb.errors import RateLimited


class Crowd:
    """Many that want in, and how many were in at once."""

    def __init__(self) -> None:
        self.room = Room()
        self.inside = self.most = self.done = 0

    async def visit(self, work: Callable[[], object]) -> None:
        async with self.room:
            self.inside += 1
            self.most = max(self.most, self.inside)
            try:
                await work()  # type: ignore[misc]
            finally:
                self.inside -= 1
                self.done += 1


async def test_quick_ones_go_in_few_at_once() -> None:
    crowd = Crowd()
    for _ in range(20):
        await asyncio.gather(*(crowd.visit(lambda: asyncio.sleep(0)) for _ in range(50)))
    assert (crowd.most, crowd.done) == (FEWEST_AT_ONCE, 1000)


async def test_slow_ones_make_room_for_more_up_to_a_bound() -> None:
    crowd = Crowd()
    visits = [crowd.visit(lambda: asyncio.sleep(0.5)) for _ in range(4 * MOST_AT_ONCE)]
    await asyncio.gather(*visits)
    assert (crowd.most, crowd.done) == (MOST_AT_ONCE, len(visits))


async def test_those_that_hang_do_not_keep_the_others_out() -> None:
    crowd = Crowd()
    never = asyncio.Event()
    hanging = [asyncio.ensure_future(crowd.visit(never.wait)) for _ in range(FEWEST_AT_ONCE + 3)]
    async with asyncio.timeout(5):
        await asyncio.gather(*(crowd.visit(lambda: asyncio.sleep(0)) for _ in range(10)))
    for one in hanging:
        one.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    assert crowd.inside == 0


async def test_calm_makes_it_narrower(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd()
    await asyncio.gather(*(crowd.visit(lambda: asyncio.sleep(0.3)) for _ in range(30)))
    wide, crowd.most = crowd.most, 0
    monkeypatch.setattr("cometvid_nb.api.turns._ROOM_CALM_S", 0.0)
    for _ in range(wide):
        await crowd.visit(lambda: asyncio.sleep(0))
    await asyncio.gather(*(crowd.visit(lambda: asyncio.sleep(0)) for _ in range(30)))
    assert wide > FEWEST_AT_ONCE == crowd.most


async def test_refusals_met_together_are_told_as_one_with_the_longest_hint() -> None:
    turns = Turns()

    async def be_refused(retry_after_s: float | None) -> None:
        with pytest.raises(RateLimited):
            async with turns.after_hold():
                raise RateLimited("429", retry_after_s=retry_after_s)

    await be_refused(9.0)  # nobody waited for this one
    told = asyncio.create_task(turns.refusal())
    await asyncio.sleep(0)
    assert not told.done()
    told.cancel()

    turns = Turns()
    told = asyncio.create_task(turns.refusal())
    await asyncio.sleep(0)
    await asyncio.gather(*(be_refused(hint_s) for hint_s in (None, 0.03, 0.01)))
    assert await told == 0.03
    turns.hear(0.01)  # another process knows of its own
    told = asyncio.create_task(turns.refusal())
    await be_refused(None)
    assert await told is None


async def test_who_waited_for_room_waits_for_a_hold_that_began_meanwhile() -> None:
    turns, began_s = Turns(), asyncio.get_running_loop().time()
    started_s: list[float] = []

    async def ask(takes_s: float, hint_s: float | None = None) -> None:
        async with turns.turn():
            started_s.append(asyncio.get_running_loop().time() - began_s)
            await asyncio.sleep(takes_s)
            if hint_s is not None:
                raise RateLimited("429", retry_after_s=hint_s)

    first = [ask(0.1, hint_s=0.6), *(ask(0.2) for _ in range(FEWEST_AT_ONCE - 1))]
    await asyncio.gather(*first, ask(0.0), ask(0.0), return_exceptions=True)
    *_, one_s, other_s = started_s
    assert len(started_s) == FEWEST_AT_ONCE + 2
    assert 0.7 <= one_s < other_s, "one by one, after the hold"


async def test_turns_from_before_a_hold_are_taken_anew() -> None:
    turns = Turns()
    started_s: list[float] = []

    async def ask() -> None:
        async with turns.turn():
            started_s.append(asyncio.get_running_loop().time())

    asking = [asyncio.ensure_future(ask()) for _ in range(20)]  # at once a few, then 20 a second
    await asyncio.sleep(0.01)
    at_once = len(started_s)
    turns.hear(0.7)
    held_until_s = asyncio.get_running_loop().time() + turns.hold_s
    await asyncio.gather(*asking)
    late = started_s[at_once:]
    assert 0 < at_once < 20
    assert late[0] >= held_until_s - 0.02
    assert late[-1] - late[0] > 0.9 * (len(late) - 1) * 2 / 20, "spaced, at half the rate"


def test_many_wake_together_and_few_when_they_are_due() -> None:
    turns = Turns()
    assert turns.align(100.01, 0) == 100.01
    with_jobs = [turns.job() for _ in range(MANY)]
    for one in with_jobs:
        one.__enter__()
    late_s = [turns.align(100.0 + n / 100, 100.0) - (100.0 + n / 100) for n in range(1, 1001)]
    woken_s = {round(100.0 + n / 100 + late, 6) for n, late in enumerate(late_s, 1)}
    assert len(woken_s) <= round(10 / TICK_S) + 1
    assert max(map(abs, late_s)) < TICK_S / 2 + 1e-6
    assert abs(sum(late_s) / len(late_s)) < TICK_S / 20, "on average nobody is late"
    for due_s in (0.0, 3.3, 100.1, 1e6 / 7):
        assert 0 <= turns.align(due_s, due_s) - due_s <= TICK_S, "never before the earliest"
    for one in with_jobs:
        one.__exit__(None, None, None)
    assert turns.align(100.01, 0) == 100.01


# Pace: the price of a request, and its turn.


def test_a_refusal_makes_requests_dearer_and_calm_makes_them_cheap_again() -> None:
    pace = Pace()
    assert pace.factor(0) == 1
    pace.refused(0, None)
    pace.refused(10, None)
    assert pace.factor(10) == 4
    assert [pace.factor(10 + s) for s in (59, 61, 119, 121, 1e6)] == [4, 2, 2, 1, 1]


def test_the_many_refusals_of_one_burst_count_once() -> None:
    pace = Pace()
    for n in range(50):
        pace.refused(n / 100, None)
    assert pace.factor(0.5) == 2


def test_refusals_that_do_not_end_slow_a_crowd_down_more_and_more() -> None:
    pace = Pace()
    pace.jobs = 1000
    for n in range(100):  # one every half second
        pace.refused(n / 2, None)
    assert pace.factor(50) == 64
    assert pace.factor(49.5 + 59) == 64, "calm begins with the last refusal, not with a doubling"
    assert pace.factor(49.5 + 61) == 32


@pytest.mark.parametrize(("asked_s", "held_s"), [(0, 0), (7, 7), (86400, HINT_CAP_S)])
def test_retry_after_holds_every_request_up_to_its_cap(asked_s: float, held_s: float) -> None:
    pace = Pace()
    pace.refused(100, asked_s)
    assert pace.hold_s(100) == held_s
    assert pace.next_turn_s(100) >= 100 + held_s
    assert pace.hold_s(100 + held_s) == 0


def test_one_job_never_waits_for_its_turn() -> None:
    pace = Pace()
    pace.jobs = 1
    assert all(pace.next_turn_s(at_s) == at_s for at_s in (0.0, 2.0, 4.0, 4.5, 60.0))


@pytest.mark.parametrize("jobs", [100, 1000, 10_000])
def test_after_an_outage_a_crowd_comes_one_by_one(jobs: int) -> None:
    pace = Pace()
    pace.jobs = jobs
    turns_s = [pace.next_turn_s(1000.0) for _ in range(jobs)]

    per_s = max(20, jobs / 4)
    at_once = round(max(8, per_s * TICK_S)) + 1  # as many as the rate gives in one wake-up
    steady = [later - sooner for sooner, later in itertools.pairwise(turns_s[at_once:])]
    assert min(steady) == pytest.approx(1 / per_s, rel=1e-6)
    assert turns_s[-1] - 1000 < 6


@given(
    st.integers(0, 20_000),
    st.lists(st.tuples(st.floats(0, 30), st.booleans(), st.floats(0, 1e6)), max_size=60),
)
def test_turns_only_go_forward_and_never_wait_without_end(
    jobs: int, events: list[tuple[float, bool, float]]
) -> None:
    pace, now_s, last_s = Pace(), 0.0, 0.0
    pace.jobs = jobs
    for later_s, is_refusal, hint_s in events:
        now_s += later_s
        if is_refusal:
            pace.refused(now_s, hint_s)
        assert 1 <= pace.factor(now_s) <= 64
        turn_s = pace.next_turn_s(now_s)
        assert turn_s >= max(now_s, last_s)
        # At worst behind all of these requests, each at the lowest rate, and one hold.
        assert turn_s - now_s <= HINT_CAP_S + len(events) * 64 / 20 + 1
        last_s = turn_s if turn_s > now_s else last_s
