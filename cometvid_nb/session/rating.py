"""Rating: changes what a person thinks of a clip, whether its job is watched here or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from ..job.job import Job
from ..job.rating import Rating
from .remembered import remembered_entry

if TYPE_CHECKING:
    from .session import Session


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


def rate_job(session: Session, job_id: str, change: RatingChange) -> tuple[Rating, bool]:
    """Change the rating of a job; return it, and whether nothing was known of the job before.

    Every card of the job in this kernel shows it.

    Raises:
        SettingsError: the ledger is off and nobody watches the job, so nothing could keep it.
        ValueError: the rating would have too many tags.
    """
    settings, ledger = session.settings, session.ledger
    watched = {
        watch.job_id: watch
        for watch in session.watches
        if watch.server.settings.base_url == settings.base_url
    }
    watch, entry = watched.get(job_id), remembered_entry(ledger, settings, job_id)
    if watch is None and ledger.path is None:
        raise SettingsError(
            "the ledger of jobs is off, so nothing would keep the rating. To turn it on: "
            "%cometvid config ledger=on"
        )
    before = (entry.rating if entry is not None else None) or Rating()
    if watch is not None and (entry is None or ledger.is_behind):
        before = watch.rating
    job = entry.to_job() if entry is not None else Job.pending(job_id)
    if watch is not None and (known := watch.job or watch.state.asked) is not None:
        job = known
    rating = session.memory.ratings.rate(job, before, change.of(before))
    return rating, watch is None and entry is None
