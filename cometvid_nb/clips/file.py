"""The file of a clip on this machine's disk: its name, whether it is whole, its last move."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from ..errors import ClipError
from ..machine import sync

MOST_BOXES = 100_000
"""An hour in fragments of a second has 7,200; a file of nothing but tiny boxes is no clip."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def clip_file_name(job_id: str) -> str:
    """A file name for the clip of a job: never a path, never hidden, the same on every system."""
    is_plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", job_id) is not None
    if is_plain and not _RESERVED.fullmatch(job_id) and not job_id.endswith("."):
        return f"{job_id}.mp4"
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", job_id)[:40].strip("-")
    digest = hashlib.sha256(job_id.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{readable or 'clip'}-{digest}.mp4"


def check(file: FileIO, job_id: str) -> int:
    """The size in bytes of what is surely an MP4: whole boxes from end to end, `ftyp` and `moov`.

    Source: ISO/IEC 14496-12 §4.2, a file is a row of boxes that each begin with size and type.
    """
    sync(file.fileno())
    size_bytes = file.seek(0, os.SEEK_END)
    at = 0
    kinds: list[bytes] = []
    while at < size_bytes and len(kinds) < MOST_BOXES:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            length = size_bytes - at
        if len(head) < 8 or length < 8 or at + length > size_bytes:
            break
        kinds.append(head[4:8])
        at += length
    if at != size_bytes or b"moov" not in kinds or kinds[:1] != [b"ftyp"]:
        raise ClipError(f"What the server sent as the clip of {job_id} is not a whole MP4 file.")
    return size_bytes


def numbered(name: str) -> Iterator[str]:
    """`clip.mp4`, `clip-2.mp4` and so on, for where another file has the name."""
    stem, dot, suffix = name.rpartition(".")
    yield name
    yield from (f"{stem}-{number}{dot}{suffix}" for number in range(2, 1000))


def put_in_place(part: Path, folder: Path, name: str) -> Path:
    """Link the file `part` into `folder` as `name`, or with a number where another file is there.

    Gives the path of the clip; where the same clip lies there already, that one's.

    Raises:
        ClipError: a thousand other files are in its way.
    """
    for candidate in numbered(name):
        place = folder / candidate
        try:
            os.link(part, place)  # unlike a rename, it never replaces what is there
        except FileExistsError:
            if _is_same(part, place):
                return place
        except OSError:
            if not place.exists():  # a file system without links
                part.replace(place)
                return place
        else:
            return place
    raise ClipError(f"There are a thousand files named like {name} already.")


def _is_same(one: Path, other: Path) -> bool:
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        return hashlib.file_digest(a, "sha256").digest() == (
            hashlib.file_digest(b, "sha256").digest()
        )
