"""Memory: writes the events of watches into the ledger and learns durations from it."""

from __future__ import annotations

import asyncio
import math
import time

from ..api.prices import estimate
from ..api.shelf import Shelf
from ..clips.places import Destination, SavedClip
from ..clips.recipe import Recipe, told_of, write_recipes
from ..errors import LedgerError
from ..job.job import Job
from ..ledger.ledger import Ledger
from ..settings import Settings
from .durations import DEFAULT_PRIOR, DurationPrior
from .ratings import Ratings
from .state import Ending, WatchState

LEARNED_FOR_S = 2.0
"""How long a prior is kept. Many watches start together and need the same one, so that one query
of the ledger serves them all; a prior that is older may lack a job that has just ended."""


class Memory:
    """The ledger as the watches of one API use it; all of them share one Memory.

    `note` may come from any thread (`Watch.stop`), `prior_of` only from the loop of the watches.
    """

    def __init__(self, ledger: Ledger, base_url: str, shelf: Shelf | None = None) -> None:
        self._ledger = ledger
        self._shelf = shelf or Shelf()
        """The prices that were published when somebody asked for them last."""
        self._base_url = base_url
        self.ratings = Ratings(ledger, base_url)
        self._priors: dict[tuple[object, ...], tuple[float, DurationPrior]] = {}
        """By kind of job (model, length, size): monotonic second of the query, and the prior."""

    def note(self, before: WatchState, after: WatchState, *, is_clip_wanted: bool) -> None:
        """Write the changes from `before` to `after`: a new status, the end, the saved clip.

        Progress is not written: it changes often and means nothing after a restart.
        `is_clip_wanted`: the watch saves the clip, so `resume` fetches a missing one.
        """
        if after.job is None or _news(after) == _news(before):
            return
        took_s = took_s_of(after) if after.ending == Ending.COMPLETED else None
        self._ledger.see(self._base_url, after.job, took_s=took_s, is_clip_wanted=is_clip_wanted)
        if after.saved is not None:
            self._ledger.keep_clip(
                self._base_url,
                after.job_id,
                after.saved.file_path,
                after.saved.size_bytes,
                poster=after.saved.poster,
                outputs=outputs_of(after.saved),
                clip_size=after.saved.size,
            )

    async def write_recipes(
        self, settings: Settings, job: Job, saved: SavedClip, destination: Destination
    ) -> str | None:
        """Write the recipe of a job beside its saved clips; return why not, in a sentence."""
        try:
            entry = await asyncio.to_thread(self._ledger.find, self._base_url, job.id)
        except LedgerError:
            entry = None  # the job itself tells most of it
        took_s = entry.took_s if entry is not None else None
        recipe = Recipe.of(job, entry.asked if entry is not None else {})
        told = told_of(recipe, job, settings, took_s, self._cost_of(recipe))
        return await write_recipes(saved, destination, told, settings)

    def _cost_of(self, recipe: Recipe) -> str:
        """Return what such a clip costs by the list of models that is kept here; "" = not known."""
        models, name = self._shelf.get(self._base_url), recipe.fields.get("model")
        model = models.find(name) if models is not None and name else None
        if model is None or recipe.remix_of is not None:
            return ""
        wanted = {one: recipe.fields.get(one) for one in ("seconds", "size", "resolution")}
        cost = estimate(model.price, count=1, **wanted)
        return str(cost) if cost is not None else ""

    def prior_of(self, job: Job) -> DurationPrior:
        """Return how long such a job takes, judging by the ones like it in the ledger."""
        kind = (job.model, job.duration_s, job.size)
        learned_s, prior = self._priors.get(kind, (-math.inf, DEFAULT_PRIOR))
        if time.monotonic() - learned_s > LEARNED_FOR_S:
            prior = learn(self._ledger, self._base_url, job, DEFAULT_PRIOR)
            self._priors[kind] = (time.monotonic(), prior)
        return prior


def learn(ledger: Ledger, base_url: str, job: Job, fallback: DurationPrior) -> DurationPrior:
    """Return how long such a job takes, judging by those like it in the ledger, else `fallback`."""
    seconds = f"{job.duration_s:g}" if job.duration_s else None
    known_s = ledger.durations_s(base_url, job.model, seconds, job.size)
    return DurationPrior.learn(known_s, fallback)


def took_s_of(state: WatchState) -> float | None:
    """Return how long the completed job took (seconds from its creation).

    None if the watch did not see it end and the server does not tell: a wrong duration would
    spoil the prior of all later jobs.
    """
    job = state.job
    if job is None or job.created_at_s is None:
        return None
    ended_at_s = job.completed_at_s
    # Without marks no poll saw the job run: it may have ended long before the watch began.
    if ended_at_s is None and state.poll.marks and state.began_at_s < (state.ended_at_s or 0):
        ended_at_s = state.ended_at_s
    took_s = (ended_at_s or 0.0) - job.created_at_s
    # A server whose clock is wrong, or counts milliseconds, gives a duration that cannot be.
    return took_s if 0 < took_s < 86400 else None


def outputs_of(saved: SavedClip) -> list[tuple[str | None, int]]:
    """Place and size of each further clip of a job; a place of None = one that is not saved."""
    missing = [(None, 0)] if saved.incomplete is not None else []
    return [*((one.file_path, one.size_bytes) for one in saved.others), *missing]


def _news(state: WatchState) -> tuple[object, ...]:
    return (state.job.status if state.job else None, state.saved)
