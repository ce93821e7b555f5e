"""One step of polling: when it is due, what it shows, and when it is put off or given up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from cometvid_nb.api.client import Client
from cometvid_nb.errors import RateLimited
from cometvid_nb.simulator import Fault, Scenario, Simulator
from cometvid_nb.watching.polling import OFF_PLAN_S, Polling
from cometvid_nb.watching.schedule import PollPolicy
from cometvid_nb.watching.state import Ending, WatchState

POLL = "GET /videos/{id}"
SLOWLY = PollPolicy.fixed(30.0, 3600.0)


@pytest.fixture
def job(sim: Simulator) -> str:
    """A job that runs until the test ends it."""
    return sim.add(Scenario("video_1", queue_s=0, run_s=1, steps=(0,), ending="never"))


def begin(client: Client, job_id: str, policy: PollPolicy = SLOWLY) -> Polling:
    state = WatchState.begin(job_id, time.time(), policy.give_up_after_s)
    return Polling(state, policy, client, None)


async def test_the_first_poll_is_due_at_once_and_is_news(client: Client, job: str) -> None:
    polling = begin(client, job)
    async with asyncio.timeout(5):
        await polling.until_due()
    assert await polling.poll()
    assert polling.state.job is not None
    assert polling.state.checks_at_s[1] - polling.state.checks_at_s[0] == pytest.approx(30, rel=0.1)


async def test_a_poll_by_the_plan_that_finds_nothing_is_no_news(client: Client, job: str) -> None:
    polling = begin(client, job, PollPolicy.fixed(0.2, 60.0))
    news = []
    for _ in range(6):
        await polling.until_due()
        news.append(await polling.poll())
    assert news == [True, False, False, False, False, False]


async def test_an_answer_that_takes_the_whole_pause_is_followed_by_another_pause(
    client: Client, sim: Simulator, job: str
) -> None:
    sim.add_fault(Fault(POLL, times=None, delay_s=0.4))
    polling = begin(client, job, PollPolicy.fixed(0.4, 60.0))
    pauses_s = []
    for _ in range(4):
        answered_s = time.monotonic()
        await polling.until_due()
        pauses_s.append(time.monotonic() - answered_s)
        await polling.poll()
    assert min(pauses_s[1:]) >= 0.19


async def test_a_card_that_draws_the_plan_is_told_when_it_runs_out(
    client: Client, job: str
) -> None:
    polling = begin(client, job, PollPolicy.fixed(0.2, 60.0))
    assert await polling.poll()
    assert len(polling.state.checks_at_s) < 10, "nobody draws it"
    polling.is_drawn = True
    news = []
    while len(polling.state.checks_at_s) < 10:
        await polling.until_due()
        news.append(await polling.poll())
    assert len(polling.state.checks_at_s) > 100
    assert news[-1]
    assert len(news) <= 3


async def test_a_poll_far_from_its_plan_is_news_and_makes_a_new_one(
    client: Client, job: str
) -> None:
    polling = begin(client, job)
    assert await polling.poll()
    planned = polling.state.checks_at_s[1:]
    assert planned[0] - time.time() > OFF_PLAN_S
    assert await polling.poll(), "half a minute too early: the machine's clock was set, say"
    assert polling.state.checks_at_s[1:] != planned


async def test_a_pause_that_another_job_was_asked_for_puts_the_poll_off(
    client: Client, sim: Simulator, job: str
) -> None:
    polling = begin(client, job)
    await polling.poll()
    sim.add_fault(Fault(POLL, status=429, headers={"Retry-After": "20"}))
    with pytest.raises(RateLimited):
        async with client.turns.after_hold():
            await client.poll(job)
    asked = sim.count(POLL)

    assert await polling.poll(), "the page draws when the next check is due"
    assert sim.count(POLL) == asked
    assert polling.state.checks_at_s[1] - time.time() == pytest.approx(20, abs=1)


async def test_no_time_for_another_poll_before_the_deadline_ends_the_watch(
    client: Client, job: str
) -> None:
    begun_long_ago = WatchState.begin(job, time.time() - 3600, 3600.0)
    polling = Polling(begun_long_ago, SLOWLY, client, None)
    assert await polling.poll()
    assert polling.state.ending is Ending.GAVE_UP


async def test_the_plan_of_whoever_polled_before_is_kept(client: Client, job: str) -> None:
    first = begin(client, job)
    await first.poll()
    goes_on = Polling(first.state, SLOWLY, client, None)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await goes_on.until_due()

    overdue = replace(first.state, checks_at_s=(time.time() - 60, time.time() - 30))
    async with asyncio.timeout(5):
        await Polling(overdue, SLOWLY, client, None).until_due()


async def test_a_poll_that_comes_late_is_not_followed_sooner_than_the_server_asked(
    client: Client, sim: Simulator, job: str
) -> None:
    sim.add_fault(Fault(POLL, times=None, headers={"Retry-After": "1.5"}))
    polling = begin(client, job, PollPolicy.fixed(0.2, 60.0))
    await polling.poll()
    planned_s = polling.state.checks_at_s[1] - time.time()
    await asyncio.sleep(planned_s + 1)  # the machine is slow: later than planned, yet by the plan
    assert not await polling.poll()
    answered_s = time.monotonic()
    await polling.until_due()
    assert time.monotonic() - answered_s > 1.4
