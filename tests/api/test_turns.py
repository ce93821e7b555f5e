"""Turns: how many ask at once, on a real loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from cometvid_nb.api.turns import FEWEST_AT_ONCE, MANY, MOST_AT_ONCE, TICK_S, Room, Turns
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
