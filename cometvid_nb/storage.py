"""save_clip: a clip from the server to a file that is either whole or not there.

Streamed in constant memory to a `.part` beside its place, resumed where the server can, checked
for length and MP4 structure, then linked into place; another file of that name is never touched.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Protocol

from .errors import ClipError, CometVidError, TransientError
from .pacing import HINT_CAP_S
from .watch_state import Saving

ATTEMPTS = 3
"""Tries of one road to a clip, at most."""
OVERLAP_BYTES = 4096
"""So much of what is here is asked for again when a broken transfer goes on."""
MOST_BOXES = 100_000
"""An hour in fragments of a second has 7,200; a file of nothing but tiny boxes is no clip."""
WRITE_BYTES = 1 << 20
"""Twice as much is in memory at most: one part being written, one being gathered."""
FLUSH_BYTES = 64 << 20
"""The disk takes what has come while more comes, so that the `fsync` at the end is short."""
_flush = getattr(os, "fdatasync", os.fsync)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class ByteStream(Protocol):
    """What `client.open_clip` gives: see `client.ClipStream`."""

    @property
    def chunks(self) -> AsyncIterator[bytes]: ...
    @property
    def offset(self) -> int: ...
    @property
    def total_bytes(self) -> int | None: ...
    @property
    def validator(self) -> str | None: ...


OpenClip = Callable[[int, str | None], AbstractAsyncContextManager[ByteStream]]
"""Opens the clip from a byte on, if its validator still holds: `open_clip(offset, validator)`."""


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A clip on disk."""

    path: Path
    size_bytes: int


class Tries:
    """Counts the tries of one save, whatever roads they take, and tells of each and how it goes."""

    def __init__(self, tell: Callable[[Saving], None] = lambda saving: None) -> None:
        self.number = 0
        self._problem: str | None = None
        self._tell = tell

    def begin(self) -> None:
        """The next try begins."""
        self.number += 1

    def received(self, received_bytes: int, total_bytes: int | None) -> None:
        """So much has come by now."""
        self._tell(Saving(received_bytes, total_bytes, max(1, self.number), self._problem))

    def failed(self, error: CometVidError) -> None:
        """This try has ended so, and another one follows, perhaps after a pause."""
        self._problem = str(error)
        self._tell(Saving(0, None, self.number + 1, self._problem))


def clip_file_name(job_id: str) -> str:
    """A file name for the clip of a job: never a path, never hidden, the same on every system."""
    is_plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", job_id) is not None
    if is_plain and not _RESERVED.fullmatch(job_id) and not job_id.endswith("."):
        return f"{job_id}.mp4"
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", job_id)[:40].strip("-")
    digest = hashlib.sha256(job_id.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{readable or 'clip'}-{digest}.mp4"


async def save_clip(
    open_clip: OpenClip,
    folder: Path,
    job_id: str,
    *,
    file_name: str | None = None,
    tries: Tries | None = None,
    most_tries: int = ATTEMPTS,
) -> SavedFile:
    """Fetch a clip into `folder`, by `most_tries` tries; `tries` counts them and is told of each.

    It is named `<job id>.mp4`, or `file_name`, which a person has chosen.

    A clip of that name that is already there, whole and of the announced length, is kept as it
    is; a different file is left alone and the clip gets a number behind its name.

    Raises:
        ClipError: it cannot be saved, with the reason and what to do. No partial file is left.
        TransientError: the last of the tries got no usable answer.
    """
    tries = tries or Tries()
    name = file_name or clip_file_name(job_id)
    part: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{name}.{secrets.token_hex(4)}.part"
        # x: never somebody else's; unbuffered, as what is written is large and would be copied.
        with part.open("x+b", buffering=0) as file:
            await _fetch(open_clip, file, tries, most_tries)
            size_bytes = await asyncio.to_thread(_check, file, job_id)
        return SavedFile(_put_in_place(part, folder, name), size_bytes)
    except OSError as error:
        raise ClipError(
            f"The clip of {job_id} was not saved to {folder}: {error.strerror or error}.",
            advice="Free or allow the place, or set another with %cometvid config save_dir=…",
        ) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


async def _fetch(open_clip: OpenClip, file: FileIO, tries: Tries, most_tries: int) -> None:
    validator: str | None = None
    for attempt in range(1, most_tries + 1):
        tries.begin()
        try:
            # A server that sends other bytes than it says is found out by those known already.
            offset = max(0, file.tell() - OVERLAP_BYTES) if validator else 0
            file.seek(offset)
            known = file.read(OVERLAP_BYTES) if offset else b""
            async with open_clip(offset, validator) as stream:
                # A server that ignores the range, or has another clip by now, begins anew.
                begin = stream.offset if stream.offset == offset else 0
                if stream.offset not in (0, begin):
                    raise ClipError(f"The server began at byte {stream.offset}, not {offset}.")
                file.seek(begin)
                file.truncate()
                validator = stream.validator
                await _pour(stream, file, tries)
                if begin and not _begins_with(file, begin, known):
                    validator = None  # nothing of it can be trusted: from the beginning, then
                    raise TransientError("The server sent another part of the clip than it said.")
                if stream.total_bytes is not None and file.tell() != stream.total_bytes:
                    raise TransientError(
                        f"{file.tell()} of {stream.total_bytes} bytes came, then the end."
                    )
                return
        except TransientError as error:
            if attempt == most_tries:
                raise
            tries.failed(error)
            hint_s = min(error.retry_after_s or 0.0, HINT_CAP_S)
            await asyncio.sleep(max(2.0**attempt / 2, hint_s))


def _begins_with(file: FileIO, offset: int, known: bytes) -> bool:
    end = file.tell()
    file.seek(offset)
    came = file.read(len(known))
    file.seek(end)
    return known.startswith(came)  # a break may have come before the whole of it


async def _pour(stream: ByteStream, file: FileIO, tries: Tries) -> None:
    """Write what comes, a MiB at a time and while the next one comes.

    A thread for each chunk, waited for, would take three quarters of the time. What came before
    a break is written, too: the next try goes on from there.
    """
    received, gathered, gathered_bytes = file.tell(), list[bytes](), 0
    writing: asyncio.Task[None] | None = None
    flushing: asyncio.Task[None] | None = None
    unflushed_bytes = 0
    try:
        async for chunk in stream.chunks:
            gathered.append(chunk)
            gathered_bytes += len(chunk)
            received += len(chunk)
            if gathered_bytes >= WRITE_BYTES:
                if writing is not None:
                    await writing
                writing = asyncio.create_task(asyncio.to_thread(_write, file, gathered))
                unflushed_bytes += gathered_bytes
                gathered, gathered_bytes = [], 0
                if unflushed_bytes >= FLUSH_BYTES and (flushing is None or flushing.done()):
                    flushing = asyncio.create_task(asyncio.to_thread(_flush, file.fileno()))
                    unflushed_bytes = 0
            tries.received(received, stream.total_bytes)
    finally:
        if writing is not None:
            await writing
        await asyncio.to_thread(_write, file, gathered)
        if flushing is not None:
            await flushing


def _write(file: FileIO, chunks: list[bytes]) -> None:
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]


def _check(file: FileIO, job_id: str) -> int:
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


def _put_in_place(part: Path, folder: Path, name: str) -> Path:
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
