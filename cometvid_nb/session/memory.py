"""What a watch writes into the ledger, and what it reads from there."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

from ..clips.places import SavedClip, local_file, page_path
from ..job import Job, JobStatus
from ..ledger.ledger import Ledger
from ..notebook import notebook_folder
from ..settings import Settings
from ..watching.durations import DurationPrior
from ..watching.state import Ending, WatchState
from ..watching.watch import Watch


def record(watch: Watch, ledger: Ledger, base_url: str, *, is_clip_wanted: bool) -> None:
    """Write what becomes of `watch` into `ledger`: each status once, the end, the saved clip."""
    written: tuple[object, ...] = ()

    def observe(state: WatchState) -> None:
        nonlocal written
        if state.job is None:
            return
        news = (state.job.status, state.saved)
        if news == written:
            return
        written = news
        job = _named(state.job, state.job_id)
        took_s = _took_s(state) if state.ending is Ending.COMPLETED else None
        ledger.see(base_url, job, took_s=took_s, is_clip_wanted=is_clip_wanted)
        if state.saved is not None:
            saved = state.saved
            ledger.save(
                base_url, state.job_id, saved.file_path, saved.size_bytes, poster=saved.poster
            )

    watch.subscribe(observe)


LESSON_HOLDS_S = 2.0


class Lessons:
    """What `learn` said, for a moment: a crowd that begins at once asks the same of it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], tuple[float, DurationPrior]] = {}

    def learn(
        self, ledger: Ledger, base_url: str, job: Job, fallback: DurationPrior
    ) -> DurationPrior:
        """How long such a job takes."""
        kind = (ledger.path, base_url, job.model, job.duration_s, job.size, fallback)
        at_s, prior = self._kept.get(kind, (-math.inf, fallback))
        if time.monotonic() - at_s > LESSON_HOLDS_S:
            prior = learn(ledger, base_url, job, fallback)
            self._kept[kind] = (time.monotonic(), prior)
        return prior


def learn(ledger: Ledger, base_url: str, job: Job, fallback: DurationPrior) -> DurationPrior:
    """How long such a job takes, from the ones like it that the ledger remembers."""
    seconds = f"{job.duration_s:g}" if job.duration_s else None
    known_s = ledger.durations_s(base_url, job.model, seconds, job.size)
    return DurationPrior.learn(known_s, fallback)


def saved_watch_state(ledger: Ledger, settings: Settings, job_id: str) -> WatchState | None:
    """The end of a watch whose clip was saved and is still there; None: the API must be asked."""
    entry = ledger.find(settings.base_url, job_id)
    if entry is None or entry.state != JobStatus.COMPLETED or entry.clip is None:
        return None
    # In another storage it is believed to be still there: only the network could tell.
    is_here = "://" not in entry.clip
    path = page_path(Path(entry.clip), notebook_folder()) if is_here else None
    poster = ledger.poster(settings.base_url, job_id)
    saved = SavedClip(entry.clip, path, path or entry.clip, entry.clip_bytes or 0, poster)
    if is_here and local_file(saved) is None:
        return None
    job, now_s = entry.to_job(), time.time()
    begun = WatchState.begin(
        job_id, entry.began_at_s, settings.timeout_s, is_simulated=settings.is_simulated
    )
    return begun.remembered(job, saved, job.completed_at_s or now_s)


def _named(job: Job, job_id: str) -> Job:
    """The job under the id it was asked for, whatever its answer calls it."""
    return job if job.id == job_id else replace(job, id=job_id)


def _took_s(state: WatchState) -> float | None:
    """How long the job took (seconds), if that is known: found done, only the server can tell."""
    job = state.job
    if job is None or job.created_at_s is None:
        return None
    ended_at_s = job.completed_at_s
    if ended_at_s is None and state.poll.marks and state.began_at_s < (state.ended_at_s or 0):
        ended_at_s = state.ended_at_s
    took_s = (ended_at_s or 0.0) - job.created_at_s
    return took_s if 0 < took_s < 86400 else None
