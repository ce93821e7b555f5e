"""Ledger: keeps a durable list of jobs in SQLite, so that nothing paid for is forgotten.

An entry is written before a job is created (the intent), when the answer comes (the id), when the
job's status changes and when its clip is saved. The ledger contains no key and no link. Many
kernels may write at once, and a process may die at any instant: every change is one transaction of
a write-ahead log.

No write raises because of the file: a watch must not end for lack of a ledger. What could not be
written is kept and written later; each use tries again. What could not be read is told by
`LedgerError`: it is not the same as that there is nothing.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from ..errors import LedgerError
from ..job.job import Job
from .entry import LOST, REFUSED, SENDING, Entry
from .file import BUSY_TIMEOUT_S, LEARNED_FROM, UNFINISHED, LedgerFile
from .process import this_process
from .statements import insert, matching, see, sets, told_by
from .unwritten import Unwritten

log = logging.getLogger("cometvid_nb.ledger.ledger")
T = TypeVar("T")
Write = Callable[[sqlite3.Connection], None]

LOOP_TIMEOUT_S = 1.0
"""How long a write waits for a lock that all watches wait for: what is not written then is
written later, by a thread that has more patience."""
MOST_LEARNED_FROM = 2000
"""So many of the latest jobs of a model tell how long others take."""
MOST_TAKES = 500
"""So many of the latest jobs are looked through for an earlier take of a prompt."""
_OF_THE_STATEMENT = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    UnicodeError,
    OverflowError,
)
"""Errors that a second try would meet as well, whatever the file is like."""
_COLUMNS = ", ".join(field.name for field in fields(Entry))


class Ledger:
    """The ledger in the file at `path`; None keeps nothing. Safe to use from any thread."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file = LedgerFile(path) if path is not None else None
        self._unwritten: Unwritten[Write] = Unwritten(self._attempt)
        # Why the last write, and the last reading, failed; None after one that did not.
        self._why_unwritten: str | None = None
        self._why_unread: str | None = None

    @property
    def trouble(self) -> str | None:
        """What a person must know of it now: that it cannot be used, or lacks something.

        None: nothing is wrong, or there is no ledger by choice.
        """
        why = (self._why_unwritten if self._unwritten else None) or self._why_unread
        if why is None:
            return None
        return (
            f"The ledger of jobs at {self.path} cannot be used now ({why}). Watching goes on, and "
            "what is not written down is written as soon as that works, while this kernel runs."
        )

    @property
    def is_behind(self) -> bool:
        """Whether something is not written down yet."""
        return len(self._unwritten) > 0

    def close(self) -> None:
        """Write what is not written yet, if that works now, and close the file.

        The ledger can be used again.
        """
        self._unwritten.close()
        if self._file is not None:
            self._file.close()

    def settle(self) -> None:
        """Try again to write what could not be written yet."""
        if self._unwritten:
            self._unwritten.settle()

    # Writing.

    def intend(self, base_url: str, **request: str | None) -> str:
        """Write down, durably and before anything is sent, a request for a job; return its ref."""
        ref = uuid.uuid4().hex
        columns: dict[str, object] = {**request, "ref": ref, "base_url": base_url}
        columns |= {"state": SENDING, "sender": this_process(), "began_at_s": time.time()}
        key = ("intend", ref)
        self._write(key, lambda db: insert(db, columns), is_patient=True, is_durable=True)
        return ref

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
    ) -> None:
        """Write down where the clip of a job is saved (a path or URL) and its size.

        `poster` is a small picture of the clip, as a data URL; None keeps the one that is there.
        `outputs` has the place and size of each further clip of a job that made several. A place
        of None is one that could not be saved: the job then counts as unfinished.
        """
        key = (base_url, job_id)

        def write(db: sqlite3.Connection) -> None:
            # The clip last: if the process is killed in between, the rest does no harm.
            if poster is not None:
                db.execute("INSERT OR REPLACE INTO posters VALUES (?, ?, ?)", (*key, poster))
            for number, output in enumerate(outputs, 2):
                row = (*key, number, *output)
                db.execute("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?)", row)
            old = "DELETE FROM outputs WHERE base_url = ? AND job_id = ? AND number > ?"
            db.execute(old, (*key, len(outputs) + 1))
            db.execute(
                "UPDATE jobs SET clip = ?, clip_bytes = ? WHERE base_url = ? AND job_id = ?",
                (clip, clip_bytes, *key),
            )

        self._write(("clip", base_url, job_id), write)

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

    # Reading. Raises `LedgerError` where the file cannot be read.

    def find(self, base_url: str, job_id: str) -> Entry | None:
        """Return the entry of a job, or None."""
        found = self._select("WHERE base_url = ? AND job_id = ?", (base_url, job_id))
        return found[0] if found else None

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
        return [(clip, clip_bytes) for clip, clip_bytes in self._read(sql, (base_url, job_id))]

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
        state: str | None = None,
        search: str | None = None,
    ) -> list[Entry]:
        """Return the entries of one API, newest first.

        `state` may be spelled as by the API ("in_progress") or as in the table ("in progress").
        `search` is a text to find in prompt, id or model of the latest `MOST_SEARCHED` jobs;
        letter case does not matter. None does not filter.
        """
        source, clause, values = matching(base_url, state, search)
        if limit is not None:
            clause += f" LIMIT {max(0, int(limit))}"
        return self._select(clause, values, source)

    def count(
        self, base_url: str, most: int, *, state: str | None = None, search: str | None = None
    ) -> int:
        """Return how many entries there are, counted up to `most`; filters as for `entries`."""
        source, clause, values = matching(base_url, state, search)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {source} {clause} LIMIT ?)"  # noqa: S608 - our own words
        found = self._read(sql, (*values, most))
        return int(found[0][0]) if found else 0

    def unfinished(self, base_url: str, limit: int | None = None) -> list[Entry]:
        """Return the jobs that may still run or whose wanted clip is not saved, oldest first.

        `limit` keeps the latest ones; None keeps all.
        """
        most = "" if limit is None else f" LIMIT {max(0, int(limit))}"
        clause = f"WHERE base_url = ? AND {UNFINISHED} ORDER BY began_at_s DESC, rowid DESC{most}"
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

    # Beneath.

    def _select(self, clause: str, values: Sequence[object], source: str = "jobs") -> list[Entry]:
        self.settle()
        rows = self._read(f"SELECT {_COLUMNS} FROM {source} {clause}", values)  # noqa: S608 - our own clauses
        return [Entry.of_row(row) for row in rows]

    def _read(self, sql: str, values: Sequence[object], *, is_patient: bool = True) -> list[Any]:
        try:
            rows = self._do(lambda db: db.execute(sql, values).fetchall(), is_patient=is_patient)
        except UnicodeError:
            return []  # no entry holds half a character
        except (sqlite3.Error, OSError) as error:
            self._why_unread = str(error)
            raise self._unusable(error) from error
        self._why_unread = None
        return rows or []

    def _update(self, ref: str, **columns: Any) -> None:
        def write(db: sqlite3.Connection) -> None:
            sql = f"UPDATE jobs SET {sets(columns)} WHERE ref = ?"  # noqa: S608 - our own names
            try:
                db.execute(sql, (*columns.values(), ref))
            except sqlite3.IntegrityError:
                # Another kernel watched the job before the answer came here: its entry stays.
                db.execute("DELETE FROM jobs WHERE ref = ?", (ref,))

        self._write(("update", ref), write, is_durable=True)

    def _write(
        self,
        key: tuple[str, ...],
        write: Write,
        *,
        is_patient: bool = False,
        is_durable: bool = False,
    ) -> None:
        """Carry out a write, or keep it for later; `is_patient`: no watch waits meanwhile."""
        if self._file is None:
            return
        if self._unwritten:
            # Behind the others, so that the order stays. Durable ones come from threads that may
            # wait; the loop of all watches may not.
            self._unwritten.add(key, write)
            if is_patient:
                self.settle()
            return
        if not self._attempt(write, is_patient=is_patient, is_durable=is_durable):
            self._unwritten.add(key, write)

    def _attempt(self, write: Write, *, is_patient: bool = True, is_durable: bool = True) -> bool:
        """Try a write; return whether it is done with."""
        try:
            self._do(write, is_patient=is_patient, is_durable=is_durable)
        except _OF_THE_STATEMENT:
            log.exception("the ledger did not take what it was given")
        except (sqlite3.Error, OSError) as error:
            self._why_unwritten = str(error)
            return False
        return True

    def _do(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        is_patient: bool = True,
        is_durable: bool = False,
    ) -> T | None:
        """Do `work` on the file; None if there is none.

        Raises:
            sqlite3.Error, OSError: the file cannot be used.
        """
        if self._file is None:
            return None
        timeout_s = BUSY_TIMEOUT_S if is_patient else LOOP_TIMEOUT_S
        with (self._file.open_durably if is_durable else self._file.open)(timeout_s) as db:
            return work(db)

    def _unusable(self, error: Exception) -> LedgerError:
        return LedgerError(f"The ledger of jobs at {self.path} cannot be used ({error}).")
