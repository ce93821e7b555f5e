"""Polling: polls one job to its end, step by step, in the kernel or in the worker."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..api.retries import HINT_CAP_S, retry_delay_s
from ..errors import CometVidError
from ..job.job import Job
from .durations import DurationPrior
from .memory import Memory
from .schedule import PollPolicy
from .state import Ending, WatchState

if TYPE_CHECKING:
    from ..api.client import Client  # httpx loads with the first watch, not with %cometvid help

OFF_PLAN_S = 2.0
"""How far a poll may be from its planned time before a new plan is sent to the page.

A poll is this late after a laptop's sleep, in a starved process, or when the clock was set."""

_PLAN_FOR_A_CARD, _PLAN, _PLAN_BY_FORECAST = 400, 3, 1
"""How many polls are planned ahead.

Only a card of its own draws the whole plan, and planning 400 polls costs more than the rest of a
poll. With a forecast the next poll changes the plan anyway, so that one is enough."""


class Polling:
    """Polls one job from a given state of its watch to the end; used on one loop.

    Await `until_due` and `poll` in turn until `state.is_over`. `state` is the latest state. Set
    `is_drawn` once a card of its own draws the plan. `memory` None: the prior of `policy` holds.
    """

    def __init__(
        self, state: WatchState, policy: PollPolicy, client: Client, memory: Memory | None
    ) -> None:
        self.state = state
        self.is_drawn = False
        self._policy = policy
        self._client = client
        self._memory = memory
        self._rng = random.Random()
        self._due_s = self._earliest_s = asyncio.get_running_loop().time()
        """Monotonic seconds: when the next poll is due, and before when it must not be sent.

        Between the two, `Turns.align` may move the poll, so that a crowd is polled together."""
        # A job that changes hands between kernel and worker keeps the poll that was planned.
        if len(state.checks_at_s) > 1:
            # Bounded, as the clock may have been set back since.
            self._due_s += min(HINT_CAP_S, max(0.0, state.checks_at_s[1] - time.time()))
        self._is_plan_known = False
        """Whether the page has the current plan. Then a poll on plan that shows no change sends
        nothing, as the page counts down by itself."""
        self._is_prior_known = False
        """The prior is looked up once, when the first answer tells the kind of job."""

    async def until_due(self) -> None:
        """Wait until the next poll is due."""
        now_s = asyncio.get_running_loop().time()
        await asyncio.sleep(self._client.turns.align(self._due_s, self._earliest_s) - now_s)

    async def poll(self) -> bool:
        """Poll once and plan the next poll; return whether a person would see a difference.

        If the server has asked for a pause, the poll is put off instead. The watch gives up when
        its deadline leaves no time for another poll.
        """
        if self.state.checks_at_s and (hold_s := self._client.turns.hold_s) > 1:
            # Another job got a Retry-After, which holds for all jobs of the server.
            self._put_off(hold_s)
            return True
        before, offset_s = self.state, _clock_offset_s()
        after = await self._ask()
        if after.is_over:
            self.state = after
            return True
        if not self._is_prior_known and after.job is not None:
            self._policy = replace(self._policy, prior=await self._prior_of(after.job))
            self._is_prior_known = True
        return self._take(before, after, was_asleep=_clock_offset_s() - offset_s > OFF_PLAN_S)

    async def _prior_of(self, job: Job) -> DurationPrior:
        """Return how long such a job takes; the worker asks the kernel instead."""
        return self._memory.prior_of(job) if self._memory is not None else self._policy.prior

    async def _ask(self) -> WatchState:
        """Send the poll and return the state after its answer, which may be an error."""
        # The deadline counts for the request as well, not only for the pauses between requests.
        left_s = self.state.began_at_s + self.state.give_up_after_s - time.time()
        try:
            async with asyncio.timeout(max(1.0, left_s)), self._client.turns.turn():
                polled = await self._client.poll(self.state.job_id)
        except TimeoutError:
            return self.state.gave_up(time.time())
        except CometVidError as error:
            return self.state.troubled(error, time.time())
        return self.state.answered(polled.job, time.time(), polled.retry_after_s)

    def _put_off(self, hold_s: float) -> None:
        checked_at_s, *_ = self.state.checks_at_s
        self.state = replace(self.state, checks_at_s=(checked_at_s, time.time() + hold_s))
        self._due_s = self._earliest_s = asyncio.get_running_loop().time() + hold_s
        self._is_plan_known = False

    def _take(self, before: WatchState, after: WatchState, *, was_asleep: bool) -> bool:
        """Make `after`, with a plan, the state; return whether a person would see a change."""
        now_s = time.time()
        is_on_plan = (
            self._is_plan_known and abs(now_s - before.checks_at_s[1]) <= OFF_PLAN_S
        ) and after.poll.retry_after_s == before.poll.retry_after_s
        is_news = not (is_on_plan and after.looks_like(before))
        coming_at_s = before.checks_at_s[2:]
        # The plan counts from poll to poll: an answer that takes half of a pause, or all of it,
        # must not be followed by the next poll at once.
        soonest_at_s = now_s + self._policy.min_delay_s / 2
        if is_plan_over := not coming_at_s or is_news or soonest_at_s - coming_at_s[0] > OFF_PLAN_S:
            coming_at_s = self._plan(after, now_s)
        monotonic_s = asyncio.get_running_loop().time()
        if not coming_at_s and was_asleep:
            # The machine slept past the deadline during this request. The job may have ended in
            # the meantime, so one more poll comes before giving up.
            self._due_s = self._earliest_s = monotonic_s
            self._is_plan_known = False
            return False
        if not coming_at_s:
            self.state = after.gave_up(now_s)
            return True
        self.state = replace(after, checks_at_s=(now_s, *coming_at_s))
        self._is_plan_known = True
        # With the hint anew: the plan alone would follow a poll that came late too soon.
        hint_s = after.poll.retry_after_s
        pause_s = retry_delay_s(max(soonest_at_s, coming_at_s[0]) - now_s, hint_s)
        self._due_s = self._earliest_s = monotonic_s + pause_s
        if hint_s is None and not after.poll.failures_in_row:
            self._earliest_s = min(self._due_s, monotonic_s + self._policy.min_delay_s)
        return is_news or (is_plan_over and self.is_drawn)

    def _plan(self, after: WatchState, now_s: float) -> tuple[float, ...]:
        """Return the unix seconds of the coming polls, at the price that the server now has."""
        price_s = self._policy.price_s * self._client.turns.price_factor
        policy = replace(self._policy, price_s=price_s)
        most = _PLAN if after.poll.forecast is None else _PLAN_BY_FORECAST
        if self.is_drawn:
            most = _PLAN_FOR_A_CARD
        return tuple(policy.plan(after.poll, now_s, self._rng, most))


async def pictured(state: WatchState, client: Client) -> WatchState:
    """Return `state` with the API's own small picture, if there is a clip and no picture yet."""
    from ..clips.posters import picture

    if state.ending != Ending.COMPLETED or state.job is None or state.poster is not None:
        return state
    return replace(state, poster=await picture(client, state.job))


def _clock_offset_s() -> float:
    """Return the wall clock minus the monotonic clock; it grows while the machine sleeps.

    On Linux the monotonic clock stands still during a sleep.
    """
    return time.time() - asyncio.get_running_loop().time()
