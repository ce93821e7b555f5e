"""Polling: one job polled to its end, step by step, in the kernel or in the worker's process."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..api.retries import HINT_CAP_S
from ..errors import CometVidError
from ..job import Job
from .durations import DurationPrior
from .memory import Memory
from .schedule import PollPolicy
from .state import Ending, WatchState

if TYPE_CHECKING:
    from ..api.client import Client  # httpx loads with the first watch, not with %cometvid help

OFF_PLAN_S = 2.0
"""A poll this far from its planned time (a laptop that slept, a starved process, a clock that was
set) makes the plan that the page draws untrue, so a new one is sent."""

_PLAN_FOR_A_CARD, _PLAN, _PLAN_BY_FORECAST = 400, 3, 1
"""So many polls are planned ahead. Only a card of its own draws them all; planning 400 costs more
than the rest of a poll, and moving progress changes the plan each time."""


class Polling:
    """One job, from one state of its watch to the last; used on one loop.

    Whoever polls takes turns between `until_due` and `poll` until `state.is_over`. `state` is the
    latest that is known. Set `is_drawn` while a card of its own draws the plan.
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
        """The monotonic seconds at which the next poll is due, and before which it must not be."""
        if len(state.checks_at_s) > 1:  # somebody else has planned the next poll
            # With a bound: the clock may have been put back since.
            self._due_s += min(HINT_CAP_S, max(0.0, state.checks_at_s[1] - time.time()))
        self._is_plan_known = False
        """Whether who looks on has the plan already: then a poll that goes by it is no news."""
        self._is_prior_known = False

    async def until_due(self) -> None:
        """Wait until the next poll is due."""
        now_s = asyncio.get_running_loop().time()
        await asyncio.sleep(self._client.turns.align(self._due_s, self._earliest_s) - now_s)

    async def poll(self) -> bool:
        """Poll once and plan the next poll; returns whether a person would see a difference.

        The poll is put off where the server has asked for a pause. The watch gives up where its
        deadline leaves no time for another poll.
        """
        if self.state.checks_at_s and (hold_s := self._client.turns.hold_s) > 1:
            # Another job was told to wait, and that goes for all of this server's.
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
        """How long such a job takes."""
        return self._memory.prior_of(job) if self._memory is not None else self._policy.prior

    async def _ask(self) -> WatchState:
        # The deadline holds for the request too, not only for the pauses between.
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
        """Make `after` the state, with the coming polls in it; whether a person sees a change."""
        now_s = time.time()
        is_on_plan = (
            self._is_plan_known and abs(now_s - before.checks_at_s[1]) <= OFF_PLAN_S
        ) and after.poll.retry_after_s == before.poll.retry_after_s
        is_news = not (is_on_plan and after.looks_like(before))
        coming_at_s = before.checks_at_s[2:]
        if is_plan_over := not coming_at_s or is_news:
            coming_at_s = self._plan(after, now_s)
        monotonic_s = asyncio.get_running_loop().time()
        if not coming_at_s and was_asleep:
            # The machine slept over the deadline during the request: the job may have ended.
            self._due_s = self._earliest_s = monotonic_s
            self._is_plan_known = False
            return False
        if not coming_at_s:
            self.state = after.gave_up(now_s)
            return True
        self.state = replace(after, checks_at_s=(now_s, *coming_at_s))
        self._is_plan_known = True
        self._due_s = self._earliest_s = monotonic_s + max(0.0, coming_at_s[0] - now_s)
        if after.poll.retry_after_s is None and not after.poll.failures_in_row:
            self._earliest_s = min(self._due_s, monotonic_s + self._policy.min_delay_s)
        return is_news or (is_plan_over and self.is_drawn)

    def _plan(self, after: WatchState, now_s: float) -> tuple[float, ...]:
        price_s = self._policy.price_s * self._client.turns.price_factor
        policy = replace(self._policy, price_s=price_s)
        most = _PLAN if after.poll.forecast is None else _PLAN_BY_FORECAST
        if self.is_drawn:
            most = _PLAN_FOR_A_CARD
        return tuple(policy.plan(after.poll, now_s, self._rng, most))


async def pictured(state: WatchState, client: Client) -> WatchState:
    """`state` with the API's own small picture, where there is a clip and no picture yet."""
    from ..clips.posters import picture

    if state.ending is not Ending.COMPLETED or state.job is None or state.poster is not None:
        return state
    return replace(state, poster=await picture(client, state.job))


def _clock_offset_s() -> float:
    """By how much the clock is ahead of the monotonic one, which stands still in a sleep."""
    return time.time() - asyncio.get_running_loop().time()
