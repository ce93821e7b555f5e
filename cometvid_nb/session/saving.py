"""Saving: the clip of a completed job, whether somebody watches it or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..api.client import Client
from ..clips.places import Destination, SavedClip, Saving, local_file
from ..clips.posters import illustrated
from ..clips.save import save as save_clip
from ..job.job import Job
from ..job.status import JobStatus
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..watching.memory import Memory, outputs_of
from ..watching.state import WatchState
from .no_clip import no_clip
from .remembered import saved_watch_state


async def save(
    client: Client,
    ledger: Ledger,
    memory: Memory,
    job_id: str,
    entry: Entry | None,
    asked: Job | None,
    destination: Destination,
    on_progress: Callable[[Saving], None],
) -> tuple[SavedClip, str | None]:
    """Save the clip of a job to `destination` and write that down; return where it is.

    And in a sentence why no recipe lies beside it, where one was to; else None.

    `entry` and `asked` are what is known here of the job. See `Session.save`.
    """
    settings, base_url = client.settings, client.settings.base_url
    remembered = saved_watch_state(ledger, settings, job_id, entry)
    if remembered is not None and remembered.job and local_file(remembered.saved):
        job, state = remembered.job, remembered
    else:
        job = (await client.poll(job_id)).job.filled(asked)
        if job.status != JobStatus.COMPLETED:
            raise no_clip(job)
        state = WatchState.begin(job_id, 0.0, 0.0)
    saved = await save_clip(client, job, destination, on_progress, state.saved)
    # The ledger keeps the place that a page can load, as a watch with two places does.
    first = state.with_clip(saved).saved or saved
    ledger.see(base_url, job)
    place = (first.file_path, first.size_bytes)
    kept: dict[str, Any] = {"outputs": outputs_of(first), "clip_size": first.size}
    ledger.keep_clip(base_url, job_id, *place, **kept)
    # After that: whether a clip is remembered must never depend on a recipe or a picture.
    told = None
    if destination.has_recipe:
        told = await memory.write_recipes(settings, job, saved, destination)
    poster = (await illustrated(client, job, first)).poster
    if poster is not None:
        ledger.keep_clip(base_url, job_id, *place, poster=poster, **kept)
    return replace(saved, poster=saved.poster or poster), told
