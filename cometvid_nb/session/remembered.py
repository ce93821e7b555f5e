"""remembered: rebuilds a finished watch from the ledger, without a request to the API."""

from __future__ import annotations

import time
from pathlib import Path

from ..clips.places import SavedClip, local_file, page_path
from ..errors import LedgerError
from ..job.status import JobStatus
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..notebook import notebook_folder
from ..settings import Settings
from ..watching.state import WatchState


def remembered_entry(ledger: Ledger, settings: Settings, job_id: str) -> Entry | None:
    """Return what the ledger has of a job; None also where it cannot be read: polling goes on."""
    try:
        return ledger.find(settings.base_url, job_id)
    except LedgerError:
        return None


def saved_watch_state(
    ledger: Ledger, settings: Settings, job_id: str, entry: Entry | None
) -> WatchState | None:
    """Return the last state of an earlier watch whose clip was saved and still exists.

    None: the ledger has no such watch or the file is gone, so that the job must be polled.
    """
    if entry is None or entry.state != JobStatus.COMPLETED or entry.clip is None:
        return None
    # A clip in another storage is believed to exist: only the network could tell.
    is_here = "://" not in entry.clip
    path = page_path(Path(entry.clip), notebook_folder()) if is_here else None
    try:
        poster = ledger.poster(settings.base_url, job_id)
    except LedgerError:
        poster = None
    saved = SavedClip(entry.clip, path, path or entry.clip, entry.clip_bytes or 0, poster)
    if is_here and local_file(saved) is None:
        return None
    job, now_s = entry.to_job(), time.time()
    begun = WatchState.begin(
        job_id, entry.began_at_s, settings.timeout_s, is_simulated=settings.is_simulated
    )
    return begun.remembered(job, saved, job.completed_at_s or now_s)
