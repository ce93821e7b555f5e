"""Statements: the SQL of the ledger that more than one of its methods need, and their values."""

from __future__ import annotations

import re
import sqlite3
import time
import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from ..job.job import Job
from ..job.rating import RatingFilter
from ..job.status import JobStatus
from .entry import LOST, ONLY_RATED, REFUSED, SENDING
from .file import IS_ONLY_RATED
from .ratings import filtering, rating_columns
from .slots import Repeat, Slot

MOST_SEARCHED = 100_000
"""So many of the latest jobs are looked through for a text, or put into another order than that of
time: 0.2 s, on a machine of 2 cores."""
MOST_SORTED_CHARACTERS = 100
"""Of a prompt; what begins alike for so long stands in the order of time."""

STATES = (
    *(JobStatus.IN_PROGRESS, JobStatus.QUEUED, SENDING, LOST),
    *(JobStatus.FAILED, REFUSED, ONLY_RATED, JobStatus.COMPLETED),
)
"""The states of an entry, in the order of a list by state: what moves, what needs somebody, what
is done."""
_STATE = f"CASE WHEN {IS_ONLY_RATED} THEN '{ONLY_RATED}' ELSE state END"
"""The state as an entry has it."""
_OTHER_WORDS = {"active": JobStatus.IN_PROGRESS, "lost": LOST, "uncertain": LOST, "unknown": LOST}
"""What else a person calls a state; `JobStatus.parse` knows the words of the APIs."""


ALL_RATINGS = RatingFilter()
"""Lets all entries through, rated or not."""


class Order(StrEnum):
    """What a list of entries is sorted by; what is equal stands newest first."""

    WHEN = "when"
    PROMPT = "prompt"
    STATE = "state"
    MODEL = "model"
    SIZE = "size"
    TOOK = "took"


_SEARCHED = " || ' ' || ".join(
    # A tag is shown with the sign that people type in front of it.
    [f"coalesce({name}, '')" for name in ("prompt", "job_id", "model", "note")]
    + ["replace(coalesce(tags, ''), char(10), ' #')"]
)
_SIZE = "coalesce(clip_size, size)"
_RANKS = " ".join(f"WHEN '{state}' THEN {rank}" for rank, state in enumerate(STATES))
_KEYS = {
    Order.PROMPT: f"folded(CAST(substr(prompt, 1, {MOST_SORTED_CHARACTERS}) AS BLOB))",
    Order.STATE: f"CASE {_STATE} {_RANKS} ELSE {len(STATES)} END",
    Order.MODEL: "folded(CAST(model AS BLOB))",
    # A CAST reads the digits at the beginning: the pixels of 1280x720, nearly nothing of 16:9.
    Order.SIZE: (
        f"CAST({_SIZE} AS INTEGER) * CAST(substr({_SIZE}, instr({_SIZE}, 'x') + 1) AS INTEGER)"
    ),
    Order.TOOK: "took_s",
}
_COLUMNS = {Order.TOOK: "took_s", Order.SIZE: _SIZE}
"""Where an order sorts by something else than the column of its name."""

_IN_STATE = {
    JobStatus.QUEUED: f" AND state = ? AND NOT {IS_ONLY_RATED}",
    ONLY_RATED: f" AND state = ? AND {IS_ONLY_RATED}",
}
"""The condition of a state that `state = ?` does not tell from another one."""
_STORED = {ONLY_RATED: JobStatus.QUEUED.value}
"""What the file has for a state, where that is another word."""

MOST_EQUAL = 2000
"""So many of the latest equal requests of one notebook are looked at."""


def see(
    db: sqlite3.Connection, base_url: str, job_id: str, told: dict[str, Any], began_at_s: float
) -> None:
    """Write what is `told` of a job into its entry, or into a new one."""
    # An entry exists nearly always, and then this is one statement; few calls into SQLite are what
    # keeps a reader's busy cell fast. See `LedgerFile.open`.
    sql = f"UPDATE jobs SET {sets(told)} WHERE base_url = ? AND job_id = ?"  # noqa: S608 - our own names
    if db.execute(sql, (*told.values(), base_url, job_id)).rowcount:
        return
    columns = {"ref": uuid.uuid4().hex, "base_url": base_url, "job_id": job_id, **told}
    columns["began_at_s"] = began_at_s
    # Another kernel may have added the entry since the statement above.
    updates = ", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in told)
    insert(db, columns, f"ON CONFLICT (base_url, job_id) DO UPDATE SET {updates}")


def rate(db: sqlite3.Connection, base_url: str, job: Job, changes: Mapping[str, Any]) -> None:
    """Write the `changes` of a rating, by name, into the entry of a job, or into a new one."""
    if not (columns := rating_columns(changes)):
        return
    # Not `sets`, where None keeps what there is: here it takes it away.
    marks = ", ".join(f"{name} = ?" for name in columns)
    sql = f"UPDATE jobs SET {marks} WHERE base_url = ? AND job_id = ?"  # noqa: S608 - our own names
    values = (*columns.values(), base_url, job.id)
    if db.execute(sql, values).rowcount:
        return
    new = {"ref": uuid.uuid4().hex, "base_url": base_url, "job_id": job.id, **told_by(job)}
    new |= {"began_at_s": job.created_at_s or time.time(), **columns}
    insert(db, new, "ON CONFLICT (base_url, job_id) DO NOTHING")
    # Another kernel may have added the entry since the statement above.
    db.execute(sql, values)


def matching(
    base_url: str,
    state: str | None,
    search: str | None,
    order: Order = Order.WHEN,
    *,
    is_ascending: bool = False,
    rated: RatingFilter = ALL_RATINGS,
) -> tuple[str, str, list[object]]:
    """Return the source, the clause and the values that select entries, in their order."""
    is_rated, rating_values = filtering(rated)
    # Else SQLite may walk the index of all jobs, as that has the same order.
    jobs = "jobs INDEXED BY jobs_rated" if is_rated else "jobs"
    where, values = f"WHERE base_url = ?{is_rated}", [base_url, *rating_values]
    if state is not None:
        state = state_of(state)
        where += _IN_STATE.get(state, " AND state = ?")
        values.append(_STORED.get(state, state))
    if search is None and order == Order.WHEN:
        return jobs, f"{where} {_sorted(order, is_ascending=is_ascending)}", [*values]
    latest = f"{where} {_sorted()} LIMIT {MOST_SEARCHED}"
    source = f"(SELECT rowid, * FROM {jobs} {latest})"  # noqa: S608 - our own words
    clause, found = "", [*values]
    if search is not None:
        clause, found = (
            f"WHERE instr(folded(CAST({_SEARCHED} AS BLOB)), folded(CAST(? AS BLOB))) ",
            [*values, search],
        )
    # What the source has in this order already is not sorted again.
    if order != Order.WHEN or is_ascending:
        clause += _sorted(order, is_ascending=is_ascending)
    return source, clause, [*found]


def tallying(
    base_url: str, search: str | None, most: int, rated: RatingFilter = ALL_RATINGS
) -> tuple[str, list[object]]:
    """Return the query, and its values, for the number of entries in each state.

    Each is counted up to `most`; of those found by a text, or by their rating, among the latest
    `MOST_SEARCHED` all are, as one look finds them all.
    """
    if search is not None or rated:
        source, clause, values = matching(base_url, None, search, rated=rated)
        found = f"SELECT {_STATE} AS told FROM {source} {clause} LIMIT {MOST_SEARCHED}"  # noqa: S608
        return f"SELECT told, count(*) FROM ({found}) GROUP BY told", values  # noqa: S608
    one = "SELECT ?, count(*) FROM (SELECT 1 FROM jobs WHERE base_url = ?{} LIMIT ?)"
    each = [one.format(_IN_STATE.get(state, " AND state = ?")) for state in STATES]
    rows = [(state, base_url, _STORED.get(state, state), most) for state in STATES]
    return " UNION ALL ".join(each), [value for row in rows for value in row]


def state_of(text: str) -> str:
    """Return a state as an entry has it, for one that a person spelled: done, running, waiting."""
    words = " ".join(re.split(r"[-_\s]+", text.strip().casefold()))
    if words in _OTHER_WORDS or words in STATES:
        return str(_OTHER_WORDS.get(words, words))
    status = JobStatus.parse(words)
    return words if status == JobStatus.UNKNOWN else status.value


def _sorted(order: Order = Order.WHEN, *, is_ascending: bool = False) -> str:
    direction = "ASC" if is_ascending else "DESC"
    if order == Order.WHEN:
        return f"ORDER BY began_at_s {direction}, rowid {direction}"
    # Entries of which this is not known stand last, whichever way the others go.
    is_last = f"{_COLUMNS.get(order, order)} IS NULL"
    return f"ORDER BY {is_last}, {_KEYS[order]} {direction}, began_at_s DESC, rowid DESC"


def sets(columns: Mapping[str, object]) -> str:
    """Return the SQL assignments for an UPDATE in which None keeps the old value."""
    return ", ".join(f"{name} = coalesce(?, {name})" for name in columns)


def insert(db: sqlite3.Connection, columns: Mapping[str, object], tail: str = "") -> None:
    """Add an entry."""
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    sql = f"INSERT INTO jobs ({names}) VALUES ({marks}) {tail}"  # noqa: S608 - our own names
    db.execute(sql, tuple(columns.values()))


def told_by(job: Job) -> dict[str, Any]:
    """Return the columns that an answer of the API fills. Its link is never among them."""
    return {
        "state": job.status.value if job.status != JobStatus.UNKNOWN else "in_progress",
        "model": job.model,
        "seconds": f"{job.duration_s:g}" if job.duration_s else None,
        "size": job.size,
        "prompt": job.prompt,
        "remixed_from": job.remixed_from,
        "continued_from": job.continued_from,
        "problem": job.error_message,
    }


_OF_REPEAT = "base_url = ? AND digest = ? AND notebook = ?"


def slots_of(base_url: str, repeat: Repeat) -> tuple[str, list[object]]:
    """Return the query for slot (two values), ref and state of equal requests, the latest first."""
    clause = f"WHERE {_OF_REPEAT} ORDER BY began_at_s DESC, rowid DESC LIMIT {MOST_EQUAL}"
    sql = f"SELECT cell, take, ref, state FROM jobs {clause}"  # noqa: S608 - our own words
    return sql, [base_url, repeat.digest, repeat.notebook]


def latest_in(
    db: sqlite3.Connection, base_url: str, repeat: Repeat, slot: Slot
) -> tuple[str, str] | None:
    """Return ref and state of the latest request in a slot that the API has not refused."""
    clause = f"WHERE {_OF_REPEAT} AND cell IS ? AND take = ? AND state <> ?"
    sql = f"SELECT ref, state FROM jobs {clause} ORDER BY began_at_s DESC, rowid DESC LIMIT 1"  # noqa: S608 - our own words
    values = (base_url, repeat.digest, repeat.notebook, *slot, REFUSED)
    found: tuple[str, str] | None = db.execute(sql, values).fetchone()
    return found


def move(db: sqlite3.Connection, base_url: str, repeat: Repeat, old: Slot, new: Slot) -> None:
    """Let a slot be known as another from now on."""
    sql = f"UPDATE jobs SET cell = ?, take = ? WHERE {_OF_REPEAT} AND cell IS ? AND take = ?"  # noqa: S608 - our own words
    db.execute(sql, (*new, base_url, repeat.digest, repeat.notebook, *old))


def keep_slot(db: sqlite3.Connection, ref: str, job_id: object) -> None:
    """Give the slot of a request to the entry that its job has already, if that has none."""
    columns = "notebook, cell, digest, take, request, continued_from"
    asked = f"SELECT {columns} FROM jobs WHERE ref = ?"  # noqa: S608 - our own words
    server = "(SELECT base_url FROM jobs WHERE ref = ?)"
    clause = f"WHERE base_url = {server} AND job_id = ? AND digest IS NULL"
    sql = f"UPDATE jobs SET ({columns}) = ({asked}) {clause}"  # noqa: S608 - our own words
    db.execute(sql, (ref, ref, job_id))
