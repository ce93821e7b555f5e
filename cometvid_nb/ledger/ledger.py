"""Ledger: keeps a durable list of jobs in SQLite, so that nothing paid for is forgotten.

An entry is written before a job is created (the intent), when the answer comes (the id), when the
job's status changes and when its clip is saved. The ledger contains no key and no link. Many
kernels may write at once, and a process may die at any instant: every change is one transaction of
a write-ahead log.
"""

from __future__ import annotations

import re
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ..errors import LedgerError
from ..job.job import Job
from ..job.rating import RatingFilter
from ..job.status import JobStatus
from .entry import LOST, REFUSED, SENDING, Entry, read_place, stored_place
from .file import IS_ONLY_RATED, LEARNED_FROM, UNFINISHED
from .process import this_process
from .relations import Relations
from .slots import Repeat, Slot
from .statements import (
    ALL_RATINGS,
    Order,
    insert,
    keep_slot,
    latest_in,
    matching,
    move,
    rate,
    see,
    sets,
    slots_of,
    tallying,
    told_by,
)
from .store import OF_THE_STATEMENT

MOST_LEARNED_FROM = 2000
"""So many of the latest jobs of a model tell how long others take."""
MOST_TAKES = 500
"""So many of the latest jobs are looked through for an earlier take of a prompt."""


class Found(NamedTuple):
    """What there is of a request in its notebook."""

    slot: Slot
    entry: Entry | None
    """None: the slot is new, or the API has refused all that was asked for there."""
    is_moved: bool = False
    """Whether it was another cell's, which is gone."""


class Ledger(Relations):
    """The ledger in the file at `path`; None keeps nothing. Safe to use from any thread."""

    # Writing.

    def intend(self, base_url: str, **request: str | None) -> str:
        """Write down, durably and before anything is sent, a request for a job; return its ref."""
        columns = self._intent(base_url, request)
        self._write(
            ("intend", str(columns["ref"])),
            lambda db: insert(db, columns),
            is_patient=True,
            is_durable=True,
        )
        return str(columns["ref"])

    def intend_once(
        self, base_url: str, repeat: Repeat, slot: Slot, *, is_again: bool, **request: str | None
    ) -> str | Entry:
        """As `intend`, for a slot of a notebook; or return the entry that stands there already.

        An entry whose job has failed does not count, nor, with `is_again`, any other: the new one
        takes the slot. To look and to write is one step, so that of two kernels one comes first.
        """
        placed: dict[str, object] = {"digest": repeat.digest, "notebook": repeat.notebook}
        placed |= {"cell": slot.cell, "take": slot.take}
        columns = self._intent(base_url, {**request, **placed})
        found: list[str] = []

        def write(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            latest = None if is_again else latest_in(db, base_url, repeat, slot)
            if latest is not None and latest[1] != JobStatus.FAILED:
                found.append(latest[0])
            else:
                insert(db, columns)

        key = ("intend", str(columns["ref"]))
        self.settle()
        if not self._attempt(write):
            # Nobody can look: the request goes on, and `trouble` tells that nothing is written.
            self._write(key, lambda db: insert(db, columns), is_patient=True, is_durable=True)
        entries = self._select("WHERE ref = ?", (found[0],)) if found else []
        if entries:
            self._intents.pop(str(columns["ref"]), None)
            return entries[0]
        return str(columns["ref"])

    def accept(self, ref: str, job: Job) -> None:
        """Write down that the API accepted the request, and the job's id."""
        self._update(ref, job_id=job.id, **told_by(job))

    def refuse(self, ref: str, problem: str) -> None:
        """Write down that the API refused the request, so no job exists."""
        self._update(ref, state=REFUSED, problem=problem)

    def lose(self, ref: str, problem: str, answer: str = "") -> None:
        """Write down that the answer was lost: a job may exist and may be paid for.

        `answer` is a piece of an answer that names no id which could be used.
        """
        self._update(ref, state=LOST, problem=problem, answer=answer or None)

    def see(
        self,
        base_url: str,
        job: Job,
        *,
        took_s: float | None = None,
        is_clip_wanted: bool | None = None,
    ) -> None:
        """Write down the state of a watched job; add an entry if there is none.

        `took_s` is how long a completed job took, `is_clip_wanted` whether its clip is to be
        saved. None keeps what the entry has.
        """
        told = {**told_by(job), "took_s": took_s, "is_clip_wanted": is_clip_wanted}
        began_at_s = job.created_at_s or time.time()
        key = ("see", base_url, job.id, job.status.value)
        self._write(key, lambda db: see(db, base_url, job.id, told, began_at_s))

    def keep_clip(
        self,
        base_url: str,
        job_id: str,
        clip: str,
        clip_bytes: int,
        *,
        poster: str | None = None,
        outputs: Sequence[tuple[str | None, int]] = (),
        clip_size: str | None = None,
    ) -> None:
        """Write down where the clip of a job is saved (a path or URL) and its size.

        `poster` is a small picture of the clip, as a data URL; None keeps the one that is there.
        `clip_size` is the WIDTHxHEIGHT of its file; None keeps what is known.
        `outputs` has the place and size of each further clip of a job that made several. A place
        of None is one that could not be saved: the job then counts as unfinished.
        """
        key = (base_url, job_id)

        def write(db: sqlite3.Connection) -> None:
            # The clip last: if the process is killed in between, the rest does no harm.
            if poster is not None:
                db.execute("INSERT OR REPLACE INTO posters VALUES (?, ?, ?)", (*key, poster))
            for number, (place, size_bytes) in enumerate(outputs, 2):
                row = (*key, number, stored_place(place), size_bytes)
                db.execute("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?)", row)
            old = "DELETE FROM outputs WHERE base_url = ? AND job_id = ? AND number > ?"
            db.execute(old, (*key, len(outputs) + 1))
            db.execute(
                "UPDATE jobs SET clip = ?, clip_bytes = ?, clip_size = coalesce(?, clip_size) "
                "WHERE base_url = ? AND job_id = ?",
                (stored_place(clip), clip_bytes, clip_size, *key),
            )

        self._write(("clip", base_url, job_id), write)

    def rate(self, base_url: str, job: Job, changes: Mapping[str, Any]) -> None:
        """Write down `changes` of the rating of a job, as `Rating.changes_from` gives them.

        A job that has no entry gets one. What is not among the changes stays, as another kernel
        may have written it.
        """
        key = ("rate", base_url, job.id, *changes)
        self._write(key, lambda db: rate(db, base_url, job, changes), is_patient=True)

    def forget(self, entry: Entry) -> None:
        """Delete an entry. The job and the saved clip stay.

        Raises:
            LedgerError: it could not be deleted.
        """

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM jobs WHERE ref = ?", (entry.ref,))
            key = (entry.base_url, entry.job_id)
            db.execute("DELETE FROM posters WHERE base_url = ? AND job_id = ?", key)
            db.execute("DELETE FROM outputs WHERE base_url = ? AND job_id = ?", key)

        self.settle()
        try:
            self._do(write, is_durable=True)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _update(self, ref: str, **columns: Any) -> None:
        intent = self._intents.pop(ref, None)

        def write(db: sqlite3.Connection) -> None:
            sql = f"UPDATE jobs SET {sets(columns)} WHERE ref = ?"  # noqa: S608 - our own names
            try:
                is_there = db.execute(sql, (*columns.values(), ref)).rowcount
            except sqlite3.IntegrityError:
                # Another kernel watched the job before the answer came here: its entry stays.
                keep_slot(db, ref, columns["job_id"])
                db.execute("DELETE FROM jobs WHERE ref = ?", (ref,))
                return
            if is_there or intent is None:
                return
            told = {name: value for name, value in columns.items() if value is not None}
            try:
                insert(db, intent | told, "ON CONFLICT (base_url, job_id) DO NOTHING")
            except OF_THE_STATEMENT as error:
                self._why_missing = str(error)
                raise

        self._write(("update", ref), write, is_durable=True)

    # Reading. Raises `LedgerError` where the file cannot be read.

    def find(self, base_url: str, job_id: str) -> Entry | None:
        """Return the entry of a job, or None."""
        found = self._select("WHERE base_url = ? AND job_id = ?", (base_url, job_id))
        return found[0] if found else None

    def find_repeat(self, base_url: str, repeat: Repeat) -> Found:
        """Return the slot of a notebook's request, and the entry of the latest request in it.

        What a cell takes over from one that is gone is written down as its own.
        """
        self.settle()
        refs: dict[Slot, str] = {}
        for cell, take, ref, state in reversed(self._read(*slots_of(base_url, repeat))):
            if state != REFUSED and isinstance(take, int):
                refs[Slot(cell, take)] = ref  # in the order of the first, with the latest
        slot = repeat.slot_among(list(refs))
        ref, own = refs.get(slot), repeat.own
        if ref is None:
            return Found(slot, None)
        is_moved = own is not None and slot != own
        if own is not None and is_moved:
            work = partial(move, base_url=base_url, repeat=repeat, old=slot, new=own)
            self._write(("move", ref), work, is_patient=True)
            slot = own
        entries = self._select("WHERE ref = ?", (ref,))
        return Found(slot, entries[0] if entries else None, is_moved=is_moved)

    def poster(self, base_url: str, job_id: str) -> str | None:
        """Return the small picture of a saved clip as a data URL, or None."""
        sql = "SELECT poster FROM posters WHERE base_url = ? AND job_id = ?"
        found = self._read(sql, (base_url, job_id))
        return found[0][0] if found else None

    def last_poster(self, base_url: str, prompt: str, job_id: str | None) -> str | None:
        """Return the small picture of the clip of `job_id`, else of the latest one of `prompt`.

        It is looked for among the latest `MOST_TAKES` jobs; None if there is none.
        """
        if job_id is not None and (found := self.poster(base_url, job_id)) is not None:
            return found
        latest = "SELECT * FROM jobs WHERE base_url = ? ORDER BY began_at_s DESC LIMIT ?"
        sql = (
            f"SELECT poster FROM ({latest}) JOIN posters USING (base_url, job_id) "  # noqa: S608 - our own words
            "WHERE prompt = ? ORDER BY began_at_s DESC LIMIT 1"
        )
        rows = self._read(sql, (base_url, MOST_TAKES, prompt))
        return rows[0][0] if rows else None

    def outputs(self, base_url: str, job_id: str) -> list[tuple[str | None, int]]:
        """Return the further clips of a job, as `keep_clip` takes them; most jobs have none."""
        sql = (
            "SELECT clip, clip_bytes FROM outputs WHERE base_url = ? AND job_id = ? ORDER BY number"
        )
        rows = self._read(sql, (base_url, job_id))
        return [(read_place(clip), clip_bytes) for clip, clip_bytes in rows]

    def named(self, base_url: str, name: str) -> Entry | None:
        """Return the entry whose `Entry.name` is `name`, or None."""
        if (found := self.find(base_url, name)) is not None or not re.fullmatch(r"\w{8}", name):
            return found
        # The bounds, and not substr(), so that the index of the refs serves.
        clause = "WHERE ref >= ? AND ref < ? AND base_url = ? AND job_id IS NULL"
        entries = self._select(clause, (name, f"{name}~", base_url))
        return entries[0] if entries else None

    def names(self, base_url: str, beginning: str, limit: int) -> list[str]:
        """Return the names of entries that begin so, at most `limit`, the latest first.

        Where none of the latest begins so, older ones are given, in the order of their ids.
        """
        latest = [entry.name for entry in self.entries(base_url, limit=limit)]
        if found := [name for name in latest if name.startswith(beginning)]:
            return found
        sql = "SELECT job_id FROM jobs WHERE base_url = ? AND job_id >= ? AND job_id < ? LIMIT ?"
        after_all = f"{beginning}\U0010ffff"
        return [row[0] for row in self._read(sql, (base_url, beginning, after_all, limit))]

    def entries(
        self,
        base_url: str,
        *,
        limit: int | None = None,
        offset: int = 0,
        state: str | None = None,
        search: str | None = None,
        order: Order = Order.WHEN,
        is_ascending: bool = False,
        rated: RatingFilter = ALL_RATINGS,
    ) -> list[Entry]:
        """Return the entries of one API, newest first, or in another `order`.

        `state` may be spelled by the API ("in_progress"), by the table ("in progress") or by a
        person ("running"). `search` is a text to find in prompt, id, model, tags or note; the case
        of letters does not matter. With it, or in another order, the latest `MOST_SEARCHED` jobs
        are looked at. None does not filter. `offset` leaves out so many at the beginning.
        """
        source, clause, values = matching(
            base_url, state, search, order, is_ascending=is_ascending, rated=rated
        )
        if limit is not None:
            clause += f" LIMIT {max(0, int(limit))} OFFSET {max(0, int(offset))}"
        return self._select(clause, values, source)

    def count(
        self,
        base_url: str,
        most: int,
        *,
        state: str | None = None,
        search: str | None = None,
        rated: RatingFilter = ALL_RATINGS,
    ) -> int:
        """Return how many entries there are, counted up to `most`; filters as for `entries`."""
        source, clause, values = matching(base_url, state, search, rated=rated)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {source} {clause} LIMIT ?)"  # noqa: S608 - our own words
        found = self._read(sql, (*values, most))
        return int(found[0][0]) if found else 0

    def tally(
        self,
        base_url: str,
        most: int,
        *,
        search: str | None = None,
        rated: RatingFilter = ALL_RATINGS,
    ) -> dict[str, int]:
        """Return how many entries are in each state, each counted up to `most`."""
        return dict(self._read(*tallying(base_url, search, most, rated)))

    def unfinished(self, base_url: str, limit: int | None = None) -> list[Entry]:
        """Return the jobs that may still run or whose wanted clip is not saved, oldest first.

        `limit` keeps the latest ones; None keeps all.
        """
        most = "" if limit is None else f" LIMIT {max(0, int(limit))}"
        clause = f"WHERE base_url = ? AND {UNFINISHED} AND NOT {IS_ONLY_RATED} "
        clause += f"ORDER BY began_at_s DESC, rowid DESC{most}"
        found = {entry.ref: entry for entry in reversed(self._select(clause, (base_url,)))}
        # A job that made several clips may lack some of them. One query more, so that both have
        # an index of their own.
        partial = "SELECT DISTINCT job_id FROM outputs WHERE base_url = ? AND clip IS NULL"
        for (job_id,) in self._read(f"{partial}{most}", (base_url,)):
            if (entry := self.find(base_url, job_id)) is not None:
                found[entry.ref] = entry
        oldest_first = sorted(found.values(), key=lambda entry: entry.began_at_s)
        return oldest_first if limit is None else oldest_first[-limit:]

    def uncertain(self, base_url: str, limit: int) -> list[Entry]:
        """Return the latest requests of which nobody knows what became of them, newest first."""
        clause = "WHERE base_url = ? AND state = ? ORDER BY began_at_s DESC LIMIT ?"
        found = [
            entry
            for state in (LOST, SENDING)
            for entry in self._select(clause, (base_url, state, limit))
            if entry.is_uncertain
        ]
        return sorted(found, key=lambda entry: entry.began_at_s, reverse=True)[:limit]

    def durations_s(
        self,
        base_url: str,
        model: str | None,
        seconds: str | None,
        size: str | None,
        most: int = 50,
    ) -> list[float]:
        """Return how long the `most` latest completed jobs of this kind took, newest first.

        If no job has the same model, length and size, the size is left out, then the length. Only
        jobs of one API count: another gateway may run a model of the same name on other machines.
        Empty also where the ledger cannot be read: a watch needs no prior.
        """
        if model is None:
            return []
        sql = (
            f"SELECT took_s, seconds, size FROM jobs WHERE base_url = ? AND model = ? "  # noqa: S608 - our own words
            f"AND {LEARNED_FROM} ORDER BY began_at_s DESC LIMIT {MOST_LEARNED_FROM}"
        )
        try:
            rows = self._read(sql, (base_url, model), is_patient=False)
        except LedgerError:
            return []
        kinds: list[list[float]] = [[], [], []]
        for took_s, its_seconds, its_size in rows:
            is_alike = seconds is not None and its_seconds == seconds
            kinds[0] += [took_s] if is_alike and size is not None and its_size == size else []
            kinds[1] += [took_s] if is_alike else []
            kinds[2].append(took_s)
        return next((kind for kind in kinds if kind), [])[:most]

    def _intent(self, base_url: str, request: Mapping[str, object]) -> dict[str, object]:
        """Return the columns of a request that is about to be sent by this process."""
        ref = uuid.uuid4().hex
        columns: dict[str, object] = {**request, "ref": ref, "base_url": base_url}
        columns |= {"state": SENDING, "sender": this_process(), "began_at_s": time.time()}
        self._intents[ref] = columns
        self._why_missing = None
        return columns
