"""remembered: what the ledger tells without a request to the API: finished watches, and lists."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..cards.job_list import JobRow
from ..clips.file import format_of
from ..clips.places import SavedClip, local_file, page_path, served_path
from ..errors import LedgerError
from ..job.status import JobStatus
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..notebook import notebook_folder, served_root
from ..settings import Settings
from ..watching.state import WatchState
from ..watching.watch import Watch


def latest_watch(watches: Sequence[Watch], job_id: str) -> Watch | None:
    """Return the latest of the watches that follows a job, or None."""
    return next((watch for watch in reversed(watches) if watch.job_id == job_id), None)


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

    None: the ledger has no such watch or a file is gone, so that the job must be polled.
    """
    if entry is None or entry.state != JobStatus.COMPLETED or entry.clip is None:
        return None
    try:
        poster = ledger.poster(settings.base_url, job_id)
        outputs = ledger.outputs(settings.base_url, job_id)
    except LedgerError:
        poster, outputs = None, []
    others = [_saved(*one) for one in outputs]
    saved = _saved(entry.clip, entry.clip_bytes or 0)
    if saved is None or None in others:
        return None
    saved = replace(saved, poster=poster, others=_numbered(filter(None, others)))
    job, now_s = entry.to_job(), time.time()
    begun = WatchState.begin(
        job_id,
        entry.began_at_s,
        settings.timeout_s,
        is_simulated=settings.is_simulated,
        rating=entry.rating,
    )
    return begun.remembered(job, saved, job.completed_at_s or now_s)


def rows_of(entries: Iterable[Entry], beside: Path) -> list[JobRow]:
    """Return the rows of a list of jobs; a page in `beside` can load the clips that lie there."""
    return [JobRow.of_entry(entry, _page_path(entry.clip, beside)) for entry in entries]


def _page_path(clip: str | None, beside: Path) -> str | None:
    return None if clip is None or "://" in clip else page_path(Path(clip), beside, served_root())


def _numbered(others: Iterable[SavedClip]) -> tuple[SavedClip, ...]:
    return tuple(replace(one, number=number) for number, one in enumerate(others, 1))


def _saved(clip: str | None, size_bytes: int) -> SavedClip | None:
    """Return a clip as the ledger knows it; None: it is not saved, or the file is gone."""
    if clip is None:
        return None
    if "://" in clip:  # in another storage it is believed to exist: only the network could tell
        return SavedClip(clip, None, clip, size_bytes)
    beside, root = notebook_folder(), served_root()
    path = page_path(Path(clip), beside, root)
    saved = SavedClip(clip, path, path or clip, size_bytes, served=served_path(path, beside, root))
    if (file := local_file(saved)) is None:
        return None
    found = format_of(file)
    return replace(saved, width=found.width, height=found.height, codec=found.codec)
