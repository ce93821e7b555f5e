"""Saves: what a watch does with the clip of its completed job, one place after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ..clips.places import SavedClip, Saving
from ..errors import ClipError, TransientError
from ..job import Job
from .state import WatchState

TOLD_EVERY_S = 0.25


class SaveClip(Protocol):
    """Saves the clip of a completed job, telling how it goes; `saved` is where it lies already."""

    async def __call__(
        self, job: Job, on_progress: Callable[[Saving], None], saved: SavedClip | None
    ) -> SavedClip: ...


async def carry_out(
    save: SaveClip, state: WatchState, tell: Callable[[Saving], None]
) -> WatchState:
    """The state of a completed watch after `save`, whether it went well or not.

    `tell` hears of each new try at once, and of the bytes some times a second.
    """
    told = Saving(attempt=0)
    told_s = 0.0

    def on_progress(saving: Saving) -> None:
        nonlocal told, told_s
        now_s = time.monotonic()
        if saving.attempt != told.attempt or now_s - told_s >= TOLD_EVERY_S:
            told, told_s = saving, now_s
            tell(saving)

    job = state.job
    assert job is not None  # a completed watch has seen its job
    try:
        saved = await save(job, on_progress, state.saved)
    except (ClipError, TransientError) as error:
        times = f" after {told.attempt} tries" if told.attempt > 1 else ""
        words = [f"The clip is not saved{times}. {error}", error.advice]
        if state.saved is not None:  # it lies in one place, and was to lie in another as well
            words[0] = f"The clip is not saved to the other place{times}. {error}"
        return replace(state, problem=" ".join(filter(None, words)))
    return kept(state, saved)


def kept(state: WatchState, saved: SavedClip) -> WatchState:
    """A completed watch whose clip lies at `saved`, too."""
    before = state.saved
    if before is not None and before.saved_to != saved.saved_to:
        # The one that a page can load stays the first.
        first, other = (before, saved) if before.path or not saved.path else (saved, before)
        also = dict.fromkeys([*before.also, other.saved_to])
        saved = replace(first, also=tuple(also), poster=first.poster or other.poster)
    elif before is not None:
        saved = replace(saved, also=before.also)
    job = state.job and replace(state.job, saved_path=saved.saved_to)
    return replace(state, job=job, saved=saved, problem=None)
