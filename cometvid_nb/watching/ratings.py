"""Ratings: writes down what a person thinks of a clip, and tells every watch of its job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from weakref import WeakMethod

from ..errors import LedgerError
from ..job.job import Job
from ..job.rating import Rating
from ..ledger.ledger import Ledger

Show = Callable[[Rating | None], None]


class Ratings:
    """The ratings of the jobs of one API, as its watches share them. Safe from any thread.

    `ledger` None: they live as long as the watches.
    """

    def __init__(self, ledger: Ledger | None = None, base_url: str = "") -> None:
        self._ledger = ledger
        self._base_url = base_url
        self._lock = threading.Lock()
        """Guards `_shows`; never held while a watch is told, which takes that one's lock."""
        self._shows: dict[str, list[WeakMethod[Show]]] = {}
        """By job id: what shows a rating. An earlier watch of a job may still be on a card."""

    def join(self, job_id: str, show: Show) -> None:
        """Call the method `show` at each new rating of a job, as long as its object lives."""
        with self._lock:
            alive = [one for one in self._shows.get(job_id, ()) if one() is not None]
            self._shows[job_id] = [*alive, WeakMethod(show)]

    def rate(self, job: Job, before: Rating, rating: Rating) -> Rating:
        """Write down what `rating` changes in the one of `before`; return what there is then.

        Another kernel may have written the rest of it.
        """
        changes = rating.changes_from(before)
        if self._ledger is not None and changes:
            self._ledger.rate(self._base_url, job, changes)
            rating = self._written(job.id) or rating
        with self._lock:
            shows = [show for one in self._shows.get(job.id, ()) if (show := one()) is not None]
        for show in shows:
            show(rating if rating != Rating() else None)
        return rating

    def _written(self, job_id: str) -> Rating | None:
        """Return the rating in the ledger; None: it is not there, or not yet."""
        assert self._ledger is not None
        if self._ledger.is_behind:
            return None
        try:
            entry = self._ledger.find(self._base_url, job_id)
        except LedgerError:
            return None
        return (entry.rating or Rating()) if entry is not None else None
