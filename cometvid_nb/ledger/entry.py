"""Entry: what the ledger knows of one job."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from ..job.job import Job
from ..job.plain import plain
from ..job.rating import Rating
from ..job.status import JobStatus
from ..job.values import text_of
from .process import is_running
from .ratings import read_rating

SENDING, LOST, REFUSED = "sending", "unknown outcome", "refused"
"""States of an entry without a job id; an entry with one has the status of its job."""

ONLY_RATED = "only rated"
"""The state of an entry that has the rating of a job and nothing else: no server has ever been
asked after it, so that it may not even exist."""

SENDING_FOR_S = 900.0
"""How long a request for a new job may be under way: four tries, each answered as late as the
client allows, and the pauses between them. Used only if the sender cannot be looked up."""


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
    """`SENDING`, `LOST`, `REFUSED` or `ONLY_RATED`, else a `JobStatus`."""
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
    answer: str | None
    """A piece of what the API answered to the request, where no id could be read from it."""
    request: str | None
    """What was asked for: JSON text of the form's fields and the names of the pictures."""
    continued_from: str | None = None
    """The job whose last frame the clip begins with."""
    stars: int | None = None
    """With the next three: what a person thinks of the clip, as `ratings` keeps it; see `rating`.
    """
    flag: str | None = None
    tags: str | None = None
    note: str | None = None
    clip_size: str | None = None
    """WIDTHxHEIGHT of the clip itself, once it is there; `size` is what the API says of the job."""

    @classmethod
    def of_row(cls, row: Sequence[object]) -> Self:
        """Return the entry in a row of the file, its values in the order of the fields.

        SQLite keeps whatever is written into a column. A row that other hands have written must
        not take all the others with it: what has the wrong type is read as well as can be.
        """
        values = [read(value) for read, value in zip(_READERS, row, strict=True)]
        entry = cls(*values)
        return replace(entry, state=ONLY_RATED) if entry._is_only_rated else entry

    @property
    def _is_only_rated(self) -> bool:
        """What `file.IS_ONLY_RATED` says of a row."""
        told = (self.is_clip_wanted, self.sender, self.prompt, self.model, self.clip)
        return self.state == JobStatus.QUEUED and told == (None,) * len(told)

    @property
    def name(self) -> str:
        """The name that a person types: the job's id, or the start of `ref` if there is no id."""
        return self.job_id or self.ref[:8]

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something left to watch for: the job's end, or its clip."""
        if self.job_id is None or self.state in (JobStatus.FAILED, ONLY_RATED):
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
        rating = self.rating or Rating()
        row |= {"stars": rating.stars, "flag": rating.flag and str(rating.flag)}
        return row | {"tags": ", ".join(rating.tags) or None, "note": rating.note}

    @property
    def rating(self) -> Rating | None:
        """What a person thinks of the clip; None: nothing yet."""
        return read_rating(self.stars, self.flag, self.tags, self.note)

    @property
    def images(self) -> tuple[str, ...]:
        """The file names of the pictures that the job began with."""
        names = self.asked.get("images")
        if not isinstance(names, list):
            names = [self.image] if self.image else []  # of an earlier version, or none
        return tuple(str(name) for name in names)

    @property
    def seed(self) -> str | None:
        """The seed that was asked for, or None."""
        fields = self.asked.get("fields")
        return text_of(fields.get("seed")) if isinstance(fields, dict) else None

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for: `fields`, `images`, `digests`; empty where nobody knows."""
        try:
            asked = json.loads(self.request or "{}")
        except (ValueError, RecursionError):
            return {}
        return asked if isinstance(asked, dict) else {}

    def to_job(self) -> Job:
        """Return the job with the values that the ledger has; everything else is None."""
        told = {"id": self.job_id, "status": self.state, "created_at": self.began_at_s}
        told |= {"model": self.model, "prompt": self.prompt, "seconds": self.seconds}
        told |= {"size": self.size, "remixed_from_video_id": self.remixed_from}
        if self.took_s is not None:
            told["completed_at"] = self.began_at_s + self.took_s
        job = replace(Job.parse(told), images=self.images, seed=self.seed)
        return replace(job, continued_from=self.continued_from)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None or isinstance(value, str) else str(value)


def stored_place(place: str | None) -> str | bytes | None:
    """Return a place of a clip as a row keeps it: as bytes where its name is not UTF-8.

    POSIX lets a folder be named with any bytes; Python shows the odd ones as lone surrogates, which
    SQLite's text cannot hold.
    """
    try:
        _ = (place or "").encode()
    except UnicodeEncodeError:
        return (place or "").encode("utf-8", "surrogateescape")
    return place


def read_place(value: Any) -> str | None:
    """Return the place that `stored_place` has written."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else _text(value)


def _needed_text(value: Any) -> str:
    return _text(value) or ""


def _number(value: Any) -> Any:
    is_sane = isinstance(value, int | float) and abs(value) < _MOST_NUMBER
    return value if is_sane else None


def _needed_number(value: Any) -> Any:
    return _number(value) or 0.0


_MOST_NUMBER = 1e15
"""More than any time in seconds and any size in bytes."""
_READER_OF = {
    "str": _needed_text,
    "str | None": _text,
    "float": _needed_number,
    "float | None": _number,
    "int | None": _number,
}
_READERS: list[Callable[[Any], Any]] = [
    read_place if field.name == "clip" else _READER_OF[str(field.type)] for field in fields(Entry)
]
