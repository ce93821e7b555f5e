"""Ledger: keeps a durable list of jobs in SQLite, so that nothing paid for is forgotten.

An entry is written before a job is created (the intent), when the answer comes (the id), when the
job's status changes and when its clip is saved. The ledger contains no key and no link. Many
kernels may write at once, and a process may die at any instant: every change is one transaction of
a write-ahead log.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from ..job.job import Job
from ..job.plain import plain
from ..job.status import JobStatus
from .file import BUSY_TIMEOUT_S, LedgerFile
from .process import is_running, this_process

log = logging.getLogger("cometvid_nb.ledger.ledger")
T = TypeVar("T")

SENDING, LOST, REFUSED = "sending", "unknown outcome", "refused"
"""States of an entry without a job id; an entry with one has the status of its job."""

SENDING_FOR_S = 900.0
"""How long a request for a new job may be under way: four tries, each answered as late as the
client allows, and the pauses between them. Used only if the sender cannot be looked up."""


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


@dataclass(frozen=True, slots=True)
class Entry:
    """One job in the ledger. Times are unix seconds, `took_s` is seconds.

    None: not known, or not given.
    """

    ref: str
    """Made by us before the request is sent, and its idempotency key."""
    job_id: str | None
    """None until the API has accepted the job."""
    base_url: str
    state: str
    """`SENDING`, `LOST` or `REFUSED`, else a `JobStatus`."""
    model: str | None
    seconds: str | None
    size: str | None
    prompt: str | None
    image: str | None
    remixed_from: str | None
    began_at_s: float
    """When the job was created, or first watched if it was created elsewhere."""
    took_s: float | None
    """From creation to completion; None if that is not known: see `watching.memory.took_s_of`."""
    problem: str | None
    clip: str | None
    """Where the clip is saved: an absolute path or the URL of a storage."""
    clip_bytes: int | None
    is_clip_wanted: int | None
    """0: watched with `save=off`, so `resume` does not fetch the clip. None: never watched."""
    sender: str | None
    """The process that creates the job, as `process.this_process` names it."""

    @property
    def name(self) -> str:
        """The name that a person types: the job's id, or the start of `ref` if there is no id."""
        return self.job_id or self.ref[:8]

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something left to watch for: the job's end, or its clip."""
        if self.job_id is None or self.state == JobStatus.FAILED:
            return False
        is_clip_missing = self.clip is None and self.is_clip_wanted != 0  # None counts as wanted
        return self.state != JobStatus.COMPLETED or is_clip_missing

    @property
    def is_uncertain(self) -> bool:
        """Whether a request was or may have been sent, and its outcome will not become known.

        True if the answer was lost, or if the sending process died before it noted an answer.
        """
        if self.state != SENDING:
            return self.state == LOST
        is_sending = is_running(self.sender) if self.sender else None
        if is_sending is None:  # a process of another machine, or no way to tell on this system
            is_sending = time.time() - self.began_at_s < SENDING_FOR_S
        return not is_sending

    def to_row(self) -> dict[str, Any]:
        """Return a flat dict, as `pandas.DataFrame` takes it, without the internal columns."""
        row = {k: plain(v) if isinstance(v, str) else v for k, v in asdict(self).items()}
        del row["is_clip_wanted"], row["sender"]
        return row

    def to_job(self) -> Job:
        """Return the job with the values that the ledger has; everything else is None."""
        told = {"id": self.job_id, "status": self.state, "created_at": self.began_at_s}
        told |= {"model": self.model, "prompt": self.prompt, "seconds": self.seconds}
        told |= {"size": self.size, "remixed_from_video_id": self.remixed_from}
        if self.took_s is not None:
            told["completed_at"] = self.began_at_s + self.took_s
        return Job.parse(told)


_COLUMNS = [field.name for field in fields(Entry)]


class Ledger:
    """The ledger in the file at `path`; None keeps nothing. Safe to use from any thread.

    No method raises because of the file: a watch must not end for lack of a ledger. The first
    problem calls `warn(message)`; a file that will not mend is then left alone.
    """

    def __init__(self, path: Path | None, warn: Callable[[str], None] = _warn) -> None:
        self._warn = warn
        self.path = path
        self._file = LedgerFile(path) if path is not None else None
        # Told: the reader has been warned, once is enough. Broken: the file is not tried again.
        self._is_told = self._is_broken = False

    def close(self) -> None:
        """Close the file. The ledger can be used again."""
        if self._file is not None:
            self._file.close()

    # Writing.

    def intend(self, base_url: str, **request: str | None) -> str:
        """Write down, durably and before anything is sent, a request for a job; return its ref."""
        ref = uuid.uuid4().hex
        values = {**request, "ref": ref, "base_url": base_url, "state": SENDING}
        self._insert({**values, "began_at_s": time.time(), "sender": this_process()})
        return ref

    def accept(self, ref: str, job: Job) -> None:
        """Write down that the API accepted the request, and the job's id."""
        self._update(ref, job_id=job.id, **_told(job))

    def refuse(self, ref: str, problem: str) -> None:
        """Write down that the API refused the request, so no job exists."""
        self._update(ref, state=REFUSED, problem=problem)

    def lose(self, ref: str, problem: str) -> None:
        """Write down that the answer was lost: a job may exist and may be paid for."""
        self._update(ref, state=LOST, problem=problem)

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
        told = {**_told(job), "took_s": took_s, "is_clip_wanted": is_clip_wanted}

        def write(db: sqlite3.Connection) -> None:
            # An entry exists nearly always, and then this is one statement; few calls into SQLite
            # are what keeps a reader's busy cell fast. See `LedgerFile.open`.
            sql = f"UPDATE jobs SET {_sets(told)} WHERE base_url = ? AND job_id = ?"  # noqa: S608 - our own names
            if db.execute(sql, (*told.values(), base_url, job.id)).rowcount:
                return
            columns = {"ref": uuid.uuid4().hex, "base_url": base_url, "job_id": job.id, **told}
            columns["began_at_s"] = job.created_at_s or time.time()
            # Another kernel may have added the entry since the statement above.
            updates = ", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in told)
            _execute(db, columns, f"ON CONFLICT (base_url, job_id) DO UPDATE SET {updates}")

        self._try(write, None)

    def keep_clip(
        self,
        base_url: str,
        job_id: str,
        clip: str,
        clip_bytes: int,
        *,
        poster: str | None = None,
    ) -> None:
        """Write down where the clip of a job is saved (a path or URL) and its size.

        `poster` is a small picture of the clip, as a data URL; None keeps the one that is there.
        """

        def write(db: sqlite3.Connection) -> None:
            # The poster first: if the process is killed in between, a clip without its poster
            # would never get one, while a poster without its clip does no harm.
            if poster is not None:
                db.execute(
                    "INSERT OR REPLACE INTO posters VALUES (?, ?, ?)", (base_url, job_id, poster)
                )
            db.execute(
                "UPDATE jobs SET clip = ?, clip_bytes = ? WHERE base_url = ? AND job_id = ?",
                (clip, clip_bytes, base_url, job_id),
            )

        self._try(write, None)

    def forget(self, entry: Entry) -> None:
        """Delete an entry. The job and the saved clip stay."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM jobs WHERE ref = ?", (entry.ref,))
            key = (entry.base_url, entry.job_id)
            db.execute("DELETE FROM posters WHERE base_url = ? AND job_id = ?", key)

        self._try(write, None, is_durable=True)

    # Reading.

    def find(self, base_url: str, job_id: str) -> Entry | None:
        """Return the entry of a job, or None."""
        found = self._select("WHERE base_url = ? AND job_id = ?", (base_url, job_id))
        return found[0] if found else None

    def poster(self, base_url: str, job_id: str) -> str | None:
        """Return the small picture of a saved clip as a data URL, or None."""
        sql = "SELECT poster FROM posters WHERE base_url = ? AND job_id = ?"
        found = self._try(lambda db: db.execute(sql, (base_url, job_id)).fetchone(), None)
        return found[0] if found else None

    def named(self, base_url: str, name: str) -> Entry | None:
        """Return the entry whose `Entry.name` is `name`, or None."""
        clause = "WHERE base_url = ? AND (job_id = ? OR job_id IS NULL AND substr(ref, 1, 8) = ?)"
        found = self._select(clause, (base_url, name, name))
        return found[0] if found else None

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
        `search` is a text to find in prompt, id or model; letter case does not matter. None
        does not filter.
        """
        where, values = ["base_url = ?"], [base_url]
        if state is not None:
            where.append("replace(state, '_', ' ') = ?")
            values.append(" ".join(re.split(r"[-_\s]+", state.strip().lower())))
        if search is not None:
            text = (
                "coalesce(prompt, '') || ' ' || coalesce(job_id, '') || ' ' || coalesce(model, '')"
            )
            where.append(f"instr(folded({text}), folded(?))")
            values.append(search)
        clause = f"WHERE {' AND '.join(where)} ORDER BY began_at_s DESC, rowid DESC"
        if limit is not None:
            clause += f" LIMIT {max(0, int(limit))}"
        return self._select(clause, values)

    def unfinished(self, base_url: str) -> list[Entry]:
        """Return the jobs that may still run or whose wanted clip is not saved, oldest first."""
        return [entry for entry in reversed(self.entries(base_url)) if entry.is_unfinished]

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
        """
        kinds = (
            {"model": model, "seconds": seconds, "size": size},
            {"model": model, "seconds": seconds},
            {"model": model},
        )
        for kind in kinds:
            if None in kind.values():
                continue
            where = " AND ".join(f"{name} = ?" for name in kind)
            found = self._select(
                f"WHERE base_url = ? AND state = 'completed' AND took_s > 0 AND {where} "
                f"ORDER BY began_at_s DESC LIMIT {most}",
                [base_url, *kind.values()],
            )
            if found:
                return [entry.took_s for entry in found if entry.took_s is not None]
        return []

    # Beneath.

    def _select(self, clause: str, values: Any) -> list[Entry]:
        sql = f"SELECT {', '.join(_COLUMNS)} FROM jobs {clause}"  # noqa: S608 - our own clauses
        nothing: list[Any] = []
        rows = self._try(lambda db: db.execute(sql, values).fetchall(), nothing)
        return [Entry(*row) for row in rows]

    def _insert(self, columns: dict[str, Any]) -> None:
        self._try(lambda db: _execute(db, columns, ""), None, is_durable=True)

    def _update(self, ref: str, **columns: Any) -> None:
        def write(db: sqlite3.Connection) -> None:
            sql = f"UPDATE jobs SET {_sets(columns)} WHERE ref = ?"  # noqa: S608 - our own names
            try:
                db.execute(sql, (*columns.values(), ref))
            except sqlite3.IntegrityError:
                # Another kernel watched the job before the answer came here: its entry stays.
                db.execute("DELETE FROM jobs WHERE ref = ?", (ref,))

        self._try(write, None, is_durable=True)

    def _try(
        self, work: Callable[[sqlite3.Connection], T], otherwise: T, *, is_durable: bool = False
    ) -> T:
        if self._file is None or self._is_broken:
            return otherwise
        # After a first long wait for a lock that stays, later statements hardly wait: they would
        # hold up the loop of all watches each time.
        timeout_s = 0.1 if self._is_told else BUSY_TIMEOUT_S
        try:
            open_ = self._file.open_durably if is_durable else self._file.open
            with open_(timeout_s) as db:
                return work(db)
        except (sqlite3.Error, OSError) as error:
            # A lock and a full disk are temporary; no other error is. The low byte is the primary
            # code of SQLite's extended error codes.
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            self._is_broken = code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL)
            if self._is_told:
                return otherwise
            self._is_told = True
            self._warn(
                f"The ledger of jobs at {self.path} cannot be used ({error}). Watching goes on, "
                "but nothing is remembered for after a restart. Move the file away to begin anew, "
                "or switch it off: %cometvid config ledger=off"
            )
            return otherwise


def _sets(columns: Mapping[str, object]) -> str:
    """Return the SQL assignments for an UPDATE in which None keeps the old value."""
    return ", ".join(f"{name} = coalesce(?, {name})" for name in columns)


def _execute(db: sqlite3.Connection, columns: dict[str, Any], tail: str) -> None:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    sql = f"INSERT INTO jobs ({names}) VALUES ({marks}) {tail}"  # noqa: S608 - our own names
    db.execute(sql, tuple(columns.values()))


def _told(job: Job) -> dict[str, Any]:
    """Return the columns that an answer of the API fills. Its link is never among them."""
    return {
        "state": job.status.value if job.status != JobStatus.UNKNOWN else "in_progress",
        "model": job.model,
        "seconds": f"{job.duration_s:g}" if job.duration_s else None,
        "size": job.size,
        "prompt": job.prompt,
        "remixed_from": job.remixed_from,
        "problem": job.error_message,
    }
