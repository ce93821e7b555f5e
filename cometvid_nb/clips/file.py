"""The file of a clip on this machine's disk: its name, its format, its last move."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from ..errors import ClipError, ClipNotReady
from ..job.job import Job
from ..job.naming import TAKE, clip_stem
from ..machine import sync
from .format import Format, suffix_of
from .gif import GIF_HEADS, read_gif, read_riff
from .mp4 import read_mp4
from .webm import MAGIC, read_webm

WORDS_BYTES = 200
"""So much of a file shows whether it is words."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def clip_file_name(job_id: str) -> str:
    """A file name for the clip of a job: never a path, never hidden, the same on every system."""
    is_plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", job_id) is not None
    if is_plain and not _RESERVED.fullmatch(job_id) and not job_id.endswith("."):
        return f"{job_id}.mp4"
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", job_id)[:40].strip("-")
    digest = hashlib.sha256(job_id.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{readable or 'clip'}-{digest}.mp4"


def name_by(template: str, job: Job) -> str:
    """A file name for the clip of `job` by a template; after its job where nothing is left."""
    usual = clip_file_name(job.id)
    stem = clip_stem(template, job, usual.removesuffix(".mp4"), time.time()) if template else ""
    return f"{stem}.mp4" if stem else usual


def check(file: FileIO, job_id: str) -> tuple[int, Format]:
    """The size in bytes, and the format, of what is surely a whole clip.

    Raises:
        ClipError: it is none.
    """
    sync(file.fileno())
    size_bytes = file.seek(0, os.SEEK_END)
    if (found := read_format(file, size_bytes)) is not None:
        return size_bytes, found
    file.seek(0)
    head = file.read(WORDS_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in (b"", b"{", b"[", b"<"):
        # Words in place of a clip: some servers say so, under 200, that it is not there yet.
        words = {b"": "nothing", b"<": "a web page"}.get(head[:1], "JSON")
        raise ClipNotReady(f"The server sent {words} instead of the clip of {job_id}.")
    raise ClipError(f"What the server sent for {job_id} is not a complete MP4, WebM or GIF.")


def read_format(file: FileIO, size_bytes: int) -> Format | None:
    """The format of a whole clip; None: it is no clip, or not all of it is there."""
    file.seek(0)
    head = file.read(12)
    if head.startswith(MAGIC):
        return read_webm(file, size_bytes)
    if head[:6] in GIF_HEADS:
        return read_gif(file, size_bytes)
    return read_riff(file, size_bytes) if head[:4] == b"RIFF" else read_mp4(file, size_bytes)


def format_of(path: Path) -> Format:
    """The format of a clip that is kept; what cannot be read is taken for a plain MP4."""
    try:
        with path.open("rb", buffering=0) as file:
            found = read_format(file, file.seek(0, os.SEEK_END))
    except OSError:
        found = None
    return found or Format(suffix_of(path.name) or ".mp4")


def fitting(name: str, suffix: str) -> str:
    """`name` with the suffix of its clip's format, whatever it had been thought to be."""
    own = suffix_of(name)
    if own == suffix or (own, suffix) == (".m4v", ".mp4"):
        return name
    return name[: len(name) - len(own)] + suffix


def numbered(name: str) -> Iterator[str]:
    """`clip.mp4`, `clip-2.mp4` and so on, for where another file has the name.

    A name with the mark of a take has its number there instead, from 1.
    """
    if TAKE in name:
        yield from (name.replace(TAKE, str(take)) for take in range(1, 1000))
        return
    yield name
    yield from (with_number(name, number) for number in range(2, 1000))


def with_number(name: str, number: int) -> str:
    """`clip-2.mp4` for `clip.mp4`."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}-{number}{dot}{suffix}"


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
    raise ClipError(f"There are already a thousand files with names like {name}.")


def _is_same(one: Path, other: Path) -> bool:
    try:
        if not other.is_file() or one.stat().st_size != other.stat().st_size:
            return False
        with one.open("rb") as a, other.open("rb") as b:
            return hashlib.file_digest(a, "sha256").digest() == (
                hashlib.file_digest(b, "sha256").digest()
            )
    except PermissionError:
        return False  # what nobody may read is somebody else's
