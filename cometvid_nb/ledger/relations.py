"""Relations: which clip came of which, and which were joined into a reel."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .entry import Entry, read_place, stored_place
from .store import Store

MOST_KIN = 500
"""So many jobs of one tree are looked at; more would be no picture of anything."""
_AT_ONCE = 200
"""Values in one statement; older builds of SQLite take 999."""


@dataclass(frozen=True, slots=True)
class Reel:
    """A clip that was joined of others."""

    place: str
    """Where it lies: an absolute path, or the URL of a storage."""
    job_ids: tuple[str, ...]
    """Its parts, in order."""


class Relations(Store):
    """What a ledger tells of clips that came of others."""

    def keep_reel(self, base_url: str, place: str, job_ids: Sequence[str]) -> None:
        """Write down of which jobs' clips the reel at `place` was made, in their order.

        What was known of another reel at that place is forgotten.
        """
        made_at_s, stored = time.time(), stored_place(place)
        rows = [(stored, n, base_url, job_id, made_at_s) for n, job_id in enumerate(job_ids, 1)]

        def write(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM reels WHERE place = ?", (stored,))
            db.executemany("INSERT INTO reels VALUES (?, ?, ?, ?, ?)", rows)

        self._write(("reel", place), write, is_patient=True, is_durable=True)

    def kin(self, base_url: str, job_id: str) -> dict[str, Entry]:
        """Return the entries of all jobs that a job came of or that came of it, by id.

        Those that came of one of these count as well, so that the tree is whole; at most
        `MOST_KIN`. Of a job that has no entry its children are found all the same.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        found: dict[str, Entry] = {}
        asked: set[str] = set()
        front = {job_id}
        while front and len(found) < MOST_KIN:
            asked |= front
            near = [*self._entries_of(base_url, "job_id", front)]
            for column in ("remixed_from", "continued_from"):
                near += self._entries_of(base_url, column, front)
            found |= {entry.job_id: entry for entry in near if entry.job_id is not None}
            parents = {one for e in near for one in (e.remixed_from, e.continued_from) if one}
            front = ({entry.job_id for entry in near if entry.job_id} | parents) - asked
        return found

    def reels_of(self, base_url: str, job_ids: Iterable[str]) -> list[Reel]:
        """Return the reels that the clip of one of these jobs is in, the oldest first.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        places: dict[object, None] = {}
        for some in _batches(job_ids):
            marks = ", ".join("?" * len(some))
            where = f"WHERE base_url = ? AND job_id IN ({marks}) ORDER BY made_at_s"
            sql = f"SELECT place FROM reels {where}"  # noqa: S608 - marks
            places |= dict.fromkeys(row[0] for row in self._read(sql, (base_url, *some)))
        parts = "SELECT job_id FROM reels WHERE place = ? ORDER BY number"
        return [
            Reel(read_place(place) or "", tuple(row[0] for row in self._read(parts, (place,))))
            for place in places
        ]

    def _entries_of(self, base_url: str, column: str, values: Iterable[str]) -> list[Entry]:
        entries: list[Entry] = []
        for some in _batches(values):
            marks = ", ".join("?" * len(some))
            clause = f"WHERE base_url = ? AND {column} IN ({marks}) LIMIT {MOST_KIN}"
            entries += self._select(clause, (base_url, *some))
        return entries


def _batches(values: Iterable[str]) -> Iterable[list[str]]:
    every = list(values)
    return (every[at : at + _AT_ONCE] for at in range(0, len(every), _AT_ONCE))
