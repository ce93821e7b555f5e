"""The file of a clip on this machine's disk: named, written, checked, and put in its place."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Self

from ..errors import ClipError

MOST_BOXES = 100_000
"""An hour in fragments of a second has 7,200; a file of nothing but tiny boxes is no clip."""
FLUSH_BYTES = 64 << 20
"""The disk takes what has come while more comes, so that the `fsync` at the end is short."""
TOLD_EVERY_S = 0.1
_flush = getattr(os, "fdatasync", os.fsync)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def clip_file_name(job_id: str) -> str:
    """A file name for the clip of a job: never a path, never hidden, the same on every system."""
    is_plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", job_id) is not None
    if is_plain and not _RESERVED.fullmatch(job_id) and not job_id.endswith("."):
        return f"{job_id}.mp4"
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", job_id)[:40].strip("-")
    digest = hashlib.sha256(job_id.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{readable or 'clip'}-{digest}.mp4"


def pour(chunks: Iterator[bytes], file: FileIO, tell: Callable[[int], None]) -> None:
    """Write `chunks` as they come, and tell now and then how many bytes are here."""
    received, told_s = file.tell(), 0.0
    with _Flusher(file) as flusher:
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                rest = rest[file.write(rest) :]
            flusher.wrote(len(chunk))
            received += len(chunk)
            if (now_s := time.monotonic()) - told_s >= TOLD_EVERY_S:
                told_s = now_s
                tell(received)
        tell(received)


class _Flusher:
    """Makes the disk take what is written while more comes; raises what the disk says."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._waiting_bytes = 0
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def wrote(self, size_bytes: int) -> None:
        self._waiting_bytes += size_bytes
        is_busy = self._thread is not None and self._thread.is_alive()
        if self._waiting_bytes >= FLUSH_BYTES and not is_busy:
            self._waiting_bytes = 0
            self._thread = threading.Thread(target=self._flush, daemon=True)
            self._thread.start()

    def _flush(self) -> None:
        try:
            _flush(self._file.fileno())
        except OSError as error:
            self._error = error  # told once: the `fsync` at the end would not hear of it

    def __exit__(self, *exc_info: object) -> None:
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error


def check(file: FileIO, job_id: str) -> int:
    """The size in bytes of what is surely an MP4: whole boxes from end to end, `ftyp` and `moov`.

    Source: ISO/IEC 14496-12 §4.2, a file is a row of boxes that each begin with size and type.
    """
    os.fsync(file.fileno())
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
