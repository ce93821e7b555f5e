"""Rating: changes what a person thinks of a clip, whether its job is watched here or not."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import LedgerError, SettingsError
from ..job.ids import quoted_ids, shown_id
from ..job.job import Job
from ..job.rating import Rating
from ..watching.watch import Watch
from .remembered import latest_watch

if TYPE_CHECKING:
    from .session import Session

MOST_NAMED = 8
"""Of jobs that nobody knows, in one sentence."""
MOST_COMPARED = 200
"""So many of the latest jobs are looked through for the one that was meant."""
LEAST_ALIKE = 0.8
"""Two ids by chance share their beginning, which is half of them."""


@dataclass(frozen=True, slots=True)
class RatingChange:
    """What is to be changed in a rating: values by name, and tags to add and to take away."""

    values: Mapping[str, Any] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    is_cleared: bool = False
    """Whether everything is taken away first."""

    def of(self, rating: Rating) -> Rating:
        """Return a rating after the change. Raises `ValueError` if it has too many tags then."""
        if self.is_cleared:
            rating = Rating()
        gone = {tag.casefold() for tag in self.removed}
        tags = [tag for tag in rating.tags if tag.casefold() not in gone]
        return rating.changed(**{**self.values, "tags": [*tags, *self.added]})


def rate_jobs(session: Session, job_ids: Sequence[str], change: RatingChange) -> list[Rating]:
    """Change the ratings of jobs; return them. Every card of the jobs in this kernel shows them.

    Raises:
        SettingsError: one of the jobs is not known here, or the ledger is off and nobody watches
            it, so that nothing could keep the rating. Nothing changes.
        ValueError: a rating would have too many tags.
        LedgerError: the ledger cannot be read, so nobody can say whether a job is known.
    """
    watches = {job_id: _watch_of(session, job_id) for job_id in job_ids}
    _check_known(session, [job_id for job_id, watch in watches.items() if watch is None])
    return [_rate(session, job_id, watches[job_id], change) for job_id in job_ids]


def _watch_of(session: Session, job_id: str) -> Watch | None:
    """Return the watch of a job at the server of the settings; elsewhere it is another job."""
    base_url = session.settings.base_url
    here = [one for one in session.watches if one.server.settings.base_url == base_url]
    return latest_watch(here, job_id)


def _check_known(session: Session, job_ids: Sequence[str]) -> None:
    """Check jobs that nobody watches: a mistyped id must not become a job in the list of jobs."""
    settings, ledger = session.settings, session.ledger
    if job_ids and ledger.path is None:
        raise SettingsError(
            "the ledger of jobs is off, so nothing would keep the rating. To turn it on: "
            "%cometvid config ledger=on"
        )
    unknown = [one for one in job_ids if ledger.find(settings.base_url, one) is None]
    if not unknown:
        return
    told = ", ".join(map(shown_id, unknown[:MOST_NAMED])) + " …" * (len(unknown) > MOST_NAMED)
    near = [one for job_id in unknown[:MOST_NAMED] if (one := _nearest(session, job_id))]
    meant = f"Did you mean {quoted_ids(dict.fromkeys(near))}? " if near else ""
    it = "it" if len(unknown) == 1 else "them"
    raise SettingsError(
        f"This machine knows no job {told}, so nothing was rated.",
        advice=f"{meant}If {'it exists' if it == 'it' else 'they exist'}, watch {it} "
        f"once, then rate: %cometvid watch {quoted_ids(unknown[:MOST_NAMED])}",
    )


def _nearest(session: Session, job_id: str) -> str | None:
    """Return the id that was probably meant, or None."""
    known = [watch.job_id for watch in session.watches]
    known += session.ledger.names(session.settings.base_url, "", MOST_COMPARED)
    near = difflib.get_close_matches(job_id, known, 1, LEAST_ALIKE)
    return near[0] if near else None


def _rate(session: Session, job_id: str, watch: Watch | None, change: RatingChange) -> Rating:
    ledger = session.ledger
    try:
        entry = ledger.find(session.settings.base_url, job_id)
    except LedgerError:
        entry = None  # the watch has it
    before = (entry.rating if entry is not None else None) or Rating()
    if watch is not None and (entry is None or ledger.is_behind):
        before = watch.rating
    job = entry.to_job() if entry is not None else Job.pending(job_id)
    if watch is not None and (known := watch.job or watch.state.asked) is not None:
        job = known
    return session.memory.ratings.rate(job, before, change.of(before))
