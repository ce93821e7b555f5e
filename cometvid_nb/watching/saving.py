"""Saving: one save of the clip of a watched job, with its picture and its recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..clips.places import Destination, SavedClip, Saving
from ..errors import ClipError, TransientError
from .polling import pictured
from .state import WatchState

if TYPE_CHECKING:
    from ..api.client import Client

SAVING_TOLD_EVERY_S = 0.25
"""How often observers hear about the bytes of a save, as each call draws a card."""


async def saved_to(
    client: Client,
    state: WatchState,
    destination: Destination,
    on_progress: Callable[[Saving], None],
    *,
    is_fresh: bool,
) -> tuple[WatchState, SavedClip | None]:
    """Save the clip to `destination`; return the state afterwards, and where it lies there.

    None: it could not be saved. That is no error of the watch: the job is completed and paid for.
    """
    from ..clips.save import save

    assert state.job is not None  # a completed watch has seen its job
    tries = 0

    def count(saving: Saving) -> None:
        nonlocal tries
        tries = saving.attempt
        on_progress(saving)

    try:
        saved = await save(client, state.job, destination, count, state.saved, is_fresh=is_fresh)
    except (ClipError, TransientError) as error:
        return state.without_clip(error, tries), None
    return state.with_clip(saved), saved


async def with_picture(client: Client, state: WatchState) -> WatchState:
    """Return the state after a save with a small picture of the clip, if there is one to have."""
    from ..clips.posters import illustrated

    if state.saved is None:
        return await pictured(state, client)
    if state.saved.poster is None and state.job is not None:
        return replace(state, saved=await illustrated(client, state.job, state.saved))
    return state


def whole(saved: SavedClip) -> Saving:
    """How far a save is that has brought all."""
    return Saving(saved.size_bytes, saved.size_bytes)


def told_sometimes(tell: Callable[[Saving], None]) -> Callable[[Saving], None]:
    """Return `tell` for what comes many times a second; it is called some times a second."""
    told, told_s = Saving(attempt=0), 0.0

    def on_progress(saving: Saving) -> None:
        nonlocal told, told_s
        now_s = time.monotonic()
        # A new attempt is told at once: it carries the problem of the one before.
        if saving.attempt != told.attempt or now_s - told_s >= SAVING_TOLD_EVERY_S:
            told, told_s = saving, now_s
            tell(saving)

    return on_progress
