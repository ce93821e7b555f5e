"""Memory: what watches write into the ledger, and what they learn from it."""

from __future__ import annotations

import math
import time

from ..job import Job
from ..ledger.ledger import Ledger
from .durations import DEFAULT_PRIOR, DurationPrior
from .state import Ending, WatchState

LEARNED_FOR_S = 2.0
"""Many watches start together and ask for the same prior: one query of the ledger answers all."""


class Memory:
    """The ledger as the watches of one API use it; shared by all of them.

    Used on the loop of the watches, whichever thread that is.
    """

    def __init__(self, ledger: Ledger, base_url: str) -> None:
        self._ledger = ledger
        self._base_url = base_url
        self._priors: dict[tuple[object, ...], tuple[float, DurationPrior]] = {}
        """By kind of job: the monotonic second it was learned at, and the prior."""

    def note(self, before: WatchState, after: WatchState, *, is_clip_wanted: bool) -> None:
        """Write down what is new in `after`: each status once, the end, the saved clip.

        `is_clip_wanted`: the watch is to save the clip, so `resume` fetches it if it is missing.
        """
        if after.job is None or _news(after) == _news(before):
            return
        took_s = took_s_of(after) if after.ending is Ending.COMPLETED else None
        self._ledger.see(self._base_url, after.job, took_s=took_s, is_clip_wanted=is_clip_wanted)
        if after.saved is not None:
            self._ledger.keep_clip(
                self._base_url,
                after.job_id,
                after.saved.file_path,
                after.saved.size_bytes,
                poster=after.saved.poster,
            )

    def prior_of(self, job: Job) -> DurationPrior:
        """How long such a job takes, by the ones like it that the ledger remembers."""
        kind = (job.model, job.duration_s, job.size)
        learned_s, prior = self._priors.get(kind, (-math.inf, DEFAULT_PRIOR))
        if time.monotonic() - learned_s > LEARNED_FOR_S:
            prior = learn(self._ledger, self._base_url, job, DEFAULT_PRIOR)
            self._priors[kind] = (time.monotonic(), prior)
        return prior


def learn(ledger: Ledger, base_url: str, job: Job, fallback: DurationPrior) -> DurationPrior:
    """How long such a job takes, by the ones like it that the ledger remembers, else `fallback`."""
    seconds = f"{job.duration_s:g}" if job.duration_s else None
    known_s = ledger.durations_s(base_url, job.model, seconds, job.size)
    return DurationPrior.learn(known_s, fallback)


def took_s_of(state: WatchState) -> float | None:
    """How long the job took (seconds); None where only the server could tell."""
    job = state.job
    if job is None or job.created_at_s is None:
        return None
    ended_at_s = job.completed_at_s
    # A job that was found completed at the first poll may have ended long before.
    if ended_at_s is None and state.poll.marks and state.began_at_s < (state.ended_at_s or 0):
        ended_at_s = state.ended_at_s
    took_s = (ended_at_s or 0.0) - job.created_at_s
    return took_s if 0 < took_s < 86400 else None


def _news(state: WatchState) -> tuple[object, ...]:
    return (state.job.status if state.job else None, state.saved)
