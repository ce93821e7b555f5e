"""Ledger: the durable list of jobs, in SQLite, so that nothing paid for is forgotten.

Written before a job is asked for (the intent), when the answer comes (the id), when the job ends
and when its clip is saved. It holds no key and no link. Many kernels may write at once, and a
process may die at any instant: every change is one transaction of a write-ahead log.
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

from ..job import Job, JobStatus
from .file import BUSY_TIMEOUT_S, LedgerFile
from .process import is_running, this_process

log = logging.getLogger("cometvid_nb.ledger.ledger")
T = TypeVar("T")

SENDING, LOST, REFUSED = "sending", "unknown outcome", "refused"
"""States of an entry that has no job yet; with a job it is the job's own status."""

SENDING_FOR_S = 900.0
"""Four tries of a request, each answered as late as it may be, with the pauses between."""


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered of one job. Times are unix seconds, `took_s` seconds."""

    ref: str
    job_id: str | None
    base_url: str
    state: str
    model: str | None
    seconds: str | None
    size: str | None
    prompt: str | None
    image: str | None
    remixed_from: str | None
    began_at_s: float
    took_s: float | None
    problem: str | None
    clip: str | None
    clip_bytes: int | None
    is_clip_wanted: int | None
    sender: str | None

    @property
    def name(self) -> str:
        """What a person calls it by: the job's id, or a short one of ours where there is none."""
        return self.job_id or self.ref[:8]

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something left to watch for: the job's end, or its clip."""
        if self.job_id is None or self.state == JobStatus.FAILED:
            return False
        is_clip_missing = self.clip is None and self.is_clip_wanted != 0  # None: nobody said
        return self.state != JobStatus.COMPLETED or is_clip_missing

    @property
    def is_uncertain(self) -> bool:
        """Whether a request was sent, or about to be, and nobody knows what became of it."""
        if self.state != SENDING:
            return self.state == LOST
        is_sending = is_running(self.sender) if self.sender else None
        if is_sending is None:  # another machine's process, or one of a system that does not tell
            is_sending = time.time() - self.began_at_s < SENDING_FOR_S
        return not is_sending

    def to_row(self) -> dict[str, Any]:
        """A flat dict, as `pandas.DataFrame` takes it."""
        row = asdict(self)
        del row["is_clip_wanted"], row["sender"]
        return row

    def to_job(self) -> Job:
        """The job as far as it is remembered."""
        told = {"id": self.job_id, "status": self.state, "created_at": self.began_at_s}
        told |= {"model": self.model, "prompt": self.prompt, "seconds": self.seconds}
        told |= {"size": self.size, "remixed_from_video_id": self.remixed_from}
        if self.took_s is not None:
            told["completed_at"] = self.began_at_s + self.took_s
        return Job.parse(told)


_COLUMNS = [field.name for field in fields(Entry)]


class Ledger:
    """The ledger in one file. A file that cannot be used is reported once, and then let be.

    `warn(message)` is called at the first trouble; no method raises for the file's sake. `path`
    None keeps nothing.
    """

    def __init__(self, path: Path | None, warn: Callable[[str], None] = _warn) -> None:
        self._warn = warn
        self.path = path
        self._file = LedgerFile(path) if path is not None else None
        self._is_told = self._is_broken = False

    def close(self) -> None:
        """Let go of the file. The ledger can be used again."""
        if self._file is not None:
            self._file.close()

    # Writing.

    def intend(self, base_url: str, **request: str | None) -> str:
        """Note, before anything is sent, that a job is about to be asked for; returns its ref."""
        ref = uuid.uuid4().hex
        values = {**request, "ref": ref, "base_url": base_url, "state": SENDING}
        self._insert({**values, "began_at_s": time.time(), "sender": this_process()})
        return ref

    def accept(self, ref: str, job: Job) -> None:
        """The API took it: the job has an id."""
        self._update(ref, job_id=job.id, **_told(job))

    def refuse(self, ref: str, problem: str) -> None:
        """The API said no; nothing was made."""
        self._update(ref, state=REFUSED, problem=problem)

    def lose(self, ref: str, problem: str) -> None:
        """The answer was lost: there may be a job, and it may have been paid for."""
        self._update(ref, state=LOST, problem=problem)

    def see(
        self,
        base_url: str,
        job: Job,
        *,
        took_s: float | None = None,
        is_clip_wanted: bool | None = None,
    ) -> None:
        """Note how a job stands that is watched; one not known yet is taken in."""
        told = {**_told(job), "took_s": took_s, "is_clip_wanted": is_clip_wanted}

        def write(db: sqlite3.Connection) -> None:
            # Nearly always there is an entry: one statement, and no new name is made up.
            sql = f"UPDATE jobs SET {_sets(told)} WHERE base_url = ? AND job_id = ?"  # noqa: S608 - our own names
            if db.execute(sql, (*told.values(), base_url, job.id)).rowcount:
                return
            columns = {"ref": uuid.uuid4().hex, "base_url": base_url, "job_id": job.id, **told}
            columns["began_at_s"] = job.created_at_s or time.time()
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
        """The clip of a job lies at `clip`; `poster` is a small picture of it, as a data URL."""

        def write(db: sqlite3.Connection) -> None:
            if poster is not None:  # first: what is killed in between lacks nothing later
                db.execute(
                    "INSERT OR REPLACE INTO posters VALUES (?, ?, ?)", (base_url, job_id, poster)
                )
            db.execute(
                "UPDATE jobs SET clip = ?, clip_bytes = ? WHERE base_url = ? AND job_id = ?",
                (clip, clip_bytes, base_url, job_id),
            )

        self._try(write, None)

    def forget(self, entry: Entry) -> None:
        """Remember it no more. The clip stays where it lies."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM jobs WHERE ref = ?", (entry.ref,))
            key = (entry.base_url, entry.job_id)
            db.execute("DELETE FROM posters WHERE base_url = ? AND job_id = ?", key)

        self._try(write, None, is_durable=True)

    # Reading.

    def find(self, base_url: str, job_id: str) -> Entry | None:
        """What is remembered of a job."""
        found = self._select("WHERE base_url = ? AND job_id = ?", (base_url, job_id))
        return found[0] if found else None

    def poster(self, base_url: str, job_id: str) -> str | None:
        """The small picture of a saved clip, as a data URL."""
        sql = "SELECT poster FROM posters WHERE base_url = ? AND job_id = ?"
        found = self._try(lambda db: db.execute(sql, (base_url, job_id)).fetchone(), None)
        return found[0] if found else None

    def named(self, base_url: str, name: str) -> Entry | None:
        """The entry that a person calls so: see `Entry.name`."""
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
        """The jobs at one API, the latest first.

        `state` may be spelled as the API or as the table does it; `search` is a text looked for
        in prompt, id and model, whatever its letters' case.
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
        """The jobs that may still be running, or whose clip was never fetched; the oldest first."""
        return [entry for entry in reversed(self.entries(base_url)) if entry.is_unfinished]

    def durations_s(
        self,
        base_url: str,
        model: str | None,
        seconds: str | None,
        size: str | None,
        most: int = 50,
    ) -> list[float]:
        """How long the latest completed jobs of this kind took there; the nearest kind there is.

        Of one API only: another gateway may serve a model of the same name from other machines.
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
                # Somebody watched the job before its answer reached us: that row stays.
                db.execute("DELETE FROM jobs WHERE ref = ?", (ref,))

        self._try(write, None, is_durable=True)

    def _try(
        self, work: Callable[[sqlite3.Connection], T], otherwise: T, *, is_durable: bool = False
    ) -> T:
        if self._file is None or self._is_broken:
            return otherwise
        # Who has been told of a lock that stays is not to be held up by it each time.
        timeout_s = 0.1 if self._is_told else BUSY_TIMEOUT_S
        try:
            open_ = self._file.open_durably if is_durable else self._file.open
            with open_(timeout_s) as db:
                return work(db)
        except (sqlite3.Error, OSError) as error:
            # Locked and full pass; anything else will not mend itself.
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
    """Assignments of values that a None leaves as they are."""
    return ", ".join(f"{name} = coalesce(?, {name})" for name in columns)


def _execute(db: sqlite3.Connection, columns: dict[str, Any], tail: str) -> None:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    sql = f"INSERT INTO jobs ({names}) VALUES ({marks}) {tail}"  # noqa: S608 - our own names
    db.execute(sql, tuple(columns.values()))


def _told(job: Job) -> dict[str, Any]:
    """What an answer says of a job, as columns; never its link."""
    return {
        "state": job.status.value if job.status is not JobStatus.UNKNOWN else "in_progress",
        "model": job.model,
        "seconds": f"{job.duration_s:g}" if job.duration_s else None,
        "size": job.size,
        "prompt": job.prompt,
        "remixed_from": job.remixed_from,
        "problem": job.error_message,
    }
