"""Polling: asks after one job until it is over, in the kernel or in the worker's process."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from ..api.retries import HINT_CAP_S
from ..api.turns import Turns
from ..errors import CometVidError
from ..job import Job, Polled
from .durations import DurationPrior
from .schedule import PollPolicy
from .state import Ending, WatchState

LATE_S = 2.0
"""A poll this much later than planned (a laptop that slept, a starved process) makes the plan
that the page draws from untrue, so a new one is sent."""

_PLAN_FOR_A_CARD, _PLAN, _PLAN_BY_FORECAST = 400, 3, 1
"""Only a card of its own draws the plan; it costs more than the rest of a poll. Moving progress
changes it each time."""


class JobSource(Protocol):
    """Where jobs are asked after: the client, or anything shaped like it.

    One with `turns` shares its pace with the watches.
    """

    async def poll(self, job_id: str) -> Polled:
        """One question; raises `TransientError` or another `CometVidError`."""

    async def aclose(self) -> None:
        """Give up the connections."""


Picture = Callable[[Job], Awaitable[str | None]]
"""Gets a small picture of a completed job's clip, as a data URL."""


async def pictured(state: WatchState, picture: Picture) -> WatchState:
    """`state` with a poster, where there is a clip and none yet."""
    if state.ending is not Ending.COMPLETED or state.job is None or state.poster is not None:
        return state
    return replace(state, poster=await picture(state.job))


async def _learn_nothing(_: Job) -> DurationPrior | None:
    return None


class Polling:
    """One job, from one state of its watch to the last; used on one loop.

    `tell(state, is_news)` hears of every answer; `is_news` False: a person would see no
    difference. `learn` says at the first answer how long such a job takes, or None. `is_drawn`:
    whether a card draws the plan. `is_at_home` False: somebody else is to go on.
    """

    def __init__(
        self,
        state: WatchState,
        policy: PollPolicy,
        source: JobSource,
        turns: Turns,
        tell: Callable[[WatchState, bool], None],
        *,
        learn: Callable[[Job], Awaitable[DurationPrior | None]] = _learn_nothing,
        is_drawn: Callable[[], bool] = lambda: False,
        is_at_home: Callable[[], bool] = lambda: True,
    ) -> None:
        self.state = state
        """The latest that is known."""
        self._policy = policy
        self._source = source
        self._turns = turns
        self._tell = tell
        self._learn = learn
        self._is_drawn = is_drawn
        self._is_at_home = is_at_home
        self._rng = random.Random()

    async def run(self) -> WatchState:
        """Poll until the job is over; the last state, which nobody was told of yet.

        It is not over where somebody else is to go on.
        """
        loop = asyncio.get_running_loop()
        due_s = earliest_s = loop.time()
        if len(self.state.checks_at_s) > 1:  # somebody else has polled before
            # With a bound: the clock may have been put back since.
            due_s += min(HINT_CAP_S, max(0.0, self.state.checks_at_s[1] - time.time()))
        is_planned = False
        while True:
            await asyncio.sleep(self._turns.align(due_s, earliest_s) - loop.time())
            if not self._is_at_home():
                return self.state
            if self.state.checks_at_s and (hold_s := self._turns.hold_s) > 1:
                # Another job was told to wait, and that goes for all of this server's.
                checks_at_s = (self.state.checks_at_s[0], time.time() + hold_s)
                self._become(replace(self.state, checks_at_s=checks_at_s))
                due_s = earliest_s = loop.time() + hold_s
                is_planned = False
                continue
            is_late = loop.time() - due_s > LATE_S
            before = self.state
            offset_s = time.time() - loop.time()
            after = await self._ask()
            now_s = time.time()
            # A clock that was put back or forward: the old plan may lie hours ahead.
            is_late |= is_planned and abs(now_s - before.checks_at_s[1]) > LATE_S
            if after.is_over:
                return after
            is_hint_new = after.poll.retry_after_s != before.poll.retry_after_s
            if before.job is None and after.job is not None:
                prior = await self._learn(after.job)
                if prior is not None:
                    self._policy = replace(self._policy, prior=prior)
            is_changed = is_late or not is_planned or is_hint_new or not after.looks_like(before)
            is_out_of_plan = len(before.checks_at_s) < 3
            if is_changed or is_out_of_plan:
                after = replace(after, checks_at_s=(now_s, *self._plan(after, now_s)))
            else:
                # Nothing new: the page has the plan already and needs no message.
                after = replace(after, checks_at_s=(now_s, *before.checks_at_s[2:]))
            if len(after.checks_at_s) < 2:
                if now_s - loop.time() - offset_s > LATE_S:
                    # The machine slept over the deadline, with the question under way.
                    due_s, is_planned = loop.time(), False
                    continue
                return after.gave_up(now_s)
            is_planned = True
            self._become(after, is_news=is_changed or (is_out_of_plan and self._is_drawn()))
            due_s = earliest_s = loop.time() + max(0.0, after.checks_at_s[1] - now_s)
            if after.poll.retry_after_s is None and not after.poll.failures_in_row:
                earliest_s = min(due_s, loop.time() + self._policy.min_delay_s)

    def _become(self, state: WatchState, *, is_news: bool = True) -> None:
        self.state = state
        self._tell(state, is_news)

    def _plan(self, after: WatchState, now_s: float) -> tuple[float, ...]:
        price_s = self._policy.price_s * self._turns.price_factor
        policy = replace(self._policy, price_s=price_s)
        most = _PLAN if after.poll.forecast is None else _PLAN_BY_FORECAST
        if self._is_drawn():
            most = _PLAN_FOR_A_CARD
        return tuple(policy.plan(after.poll, now_s, self._rng, most))

    async def _ask(self) -> WatchState:
        # The deadline holds for the question too, not only for the pauses between.
        left_s = self.state.began_at_s + self.state.give_up_after_s - time.time()
        try:
            async with asyncio.timeout(max(1.0, left_s)), self._turns.turn():
                polled = await self._source.poll(self.state.job_id)
        except TimeoutError:
            return self.state.gave_up(time.time())
        except CometVidError as error:
            return self.state.troubled(error, time.time())
        return self.state.answered(polled.job, time.time(), polled.retry_after_s)
