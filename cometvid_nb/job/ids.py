"""Job ids: what can be one, and how it is shown and typed.

Whatever a server calls its jobs is right: LiteLLM's ids are base64 of 234 to 406 characters, those
of Vertex hold slashes, and an id may begin with `-` or hold quotation marks. So an id is never a
path: it goes into a URL as one quoted segment (`api.client`) and into a file name only as
`clips.file.clip_file_name` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from typing import Any

from .plain import squeezed

MOST_CHARACTERS = 2000
"""Longer than any id seen, and short enough for the address of a request, which holds it whole."""
SHOWN_CHARACTERS = 40
"""Of an id in a list or a sentence: as long as a UUID with a word before it."""

_PLAIN = re.compile(r"[\w.:/@%+=~][\w.:/@%+=~-]*")
"""An id that goes into a `%cometvid` line as it stands, on every shell and front end."""
_SEVERAL = re.compile(rf"\s*{_PLAIN.pattern}(?:\s*[,;]\s*{_PLAIN.pattern})+\s*[,;]?\s*")
_PYTHON = re.compile(r"[\[({]\s*['\"\])}]|<\w.*>$")
"""How the text of a list, a tuple, a set or an object begins; no server is known to name jobs so.
"""


def check_job_id(text: str) -> str:
    """Return `text` as a job id, stripped.

    Raises:
        ValueError: the text cannot be an id: it is empty, a web address, too long, holds spaces,
            control characters or half a character, reads like the text of a list or an object, or
            has a segment `.` or `..`, with which a server would look elsewhere. The message tells
            the reason and shows a piece of the text.
    """
    job_id = text.strip()
    if not job_id:
        raise ValueError("the job id is empty")
    shown = repr(shown_id(job_id))
    if len(job_id) > MOST_CHARACTERS:
        raise ValueError(f"{shown} is not a job id: {len(job_id)} characters are too many")
    if _PYTHON.match(job_id):
        raise ValueError(f"{shown} is not a job id: it is the text of a Python value")
    if not job_id.isprintable() or any(c.isspace() for c in job_id):
        raise ValueError(f"{shown} is not a job id: it contains spaces or control characters")
    is_link = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", job_id) is not None
    if is_link or any(segment in (".", "..") for segment in re.split(r"[/\\]", job_id)):
        raise ValueError(f"{shown} is not a job id: it looks like a path or a link")
    return job_id


def reads_like_several(text: str) -> bool:
    """Whether a text is several plain ids with commas between them, such as `video_1, video_2`."""
    return _SEVERAL.fullmatch(text) is not None


def ids_in(value: Any) -> list[str]:
    """Return the ids that a value names: an id, a watch, a job, or a collection of these.

    A job may be a row of `cometvid_nb.jobs()`. Watches and jobs are told by their attributes, as
    a reload makes their classes anew. A collection is a list, a tuple, a set, an iterator, or what
    has `tolist`, such as a column of pandas.

    Raises:
        ValueError: it names no job, or is a text that reads like several ids.
    """
    if (job_id := _own_id(value)) is not None:
        if isinstance(value, str) and reads_like_several(value):
            raise ValueError(f"{value[:60]!r} reads like several ids: give them as a list")
        return [job_id]
    if hasattr(value, "tolist"):
        value = value.tolist()
    # Not whatever can be iterated over: a table of pandas gives the names of its columns.
    if not isinstance(value, Sequence | Set | ValuesView | Iterator) or isinstance(value, bytes):
        raise ValueError(
            f"a {type(value).__name__} names no job: give an id, a Watch, a Job, or a list of them"
        )
    ids = [job_id for one in value for job_id in ids_in(one)]
    if not ids:
        raise ValueError(f"an empty {type(value).__name__} names no job")
    return ids


def one_id(value: Any) -> str:
    """Return the id of one job: an id itself, or that of a watch or a job.

    Raises:
        ValueError: the value names no job, or several.
    """
    ids = ids_in(value)
    if not names_one(value):
        raise ValueError(f"a {type(value).__name__} may name several jobs: give one of them")
    return ids[0]


def names_one(value: Any) -> bool:
    """Whether a value stands for one job, and is no collection."""
    return _own_id(value) is not None


def _own_id(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    row = value if isinstance(value, Mapping) else {}
    given = (row.get("job_id"), getattr(value, "job_id", None), getattr(value, "id", None))
    return next((job_id for job_id in given if isinstance(job_id, str)), None)


def shown_id(job_id: str, most: int = SHOWN_CHARACTERS) -> str:
    """Return an id for a list or a sentence: on one line, at most `most` characters.

    It is cut in the middle, as long ids often begin alike and differ at their end.
    """
    line = squeezed(job_id)
    if len(line) <= most:
        return line
    tail = (most - 1) // 2
    return f"{line[: most - 1 - tail]}…{line[len(line) - tail :]}"


def quoted_id(job_id: str) -> str:
    """Return an id as it can be pasted into a `%cometvid` line, whatever it holds.

    In single quotes a line takes everything as it is: braces and dollars are not filled in, and
    what begins with `-` is no option; see `magic.grammar`.
    """
    if _PLAIN.fullmatch(job_id):
        return job_id
    return "'" + job_id.replace("'", "'\"'\"'") + "'"


def quoted_ids(job_ids: Iterable[str]) -> str:
    """Return several ids as they can be pasted behind a command."""
    return " ".join(map(quoted_id, job_ids))
