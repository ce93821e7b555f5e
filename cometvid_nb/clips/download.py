"""Download: a clip by one road to a file that is either whole or not there.

Streamed in constant memory to a part beside its place, resumed where the server can, checked
for length and MP4 structure, then linked into place; another file of that name is never touched.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path

from ..api.client import Client
from ..api.retries import retry_delay_s
from ..api.streams import ClipStream
from ..api.threads import in_thread
from ..errors import ClipError, PlaceUnusable, TransientError
from ..job.ids import quoted_id
from .file import check, clip_file_name, fitting, put_in_place
from .format import Format
from .parts import new_part, remove, sweep
from .places import Saving
from .roads import Road

TRIES_PER_ROAD = 3
"""At most: a broken transfer that goes on twice in vain is better tried by another road."""
OVERLAP_BYTES = 4096
"""A transfer that goes on asks for these once more, to see that it is still the same clip."""


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A whole clip on this machine's disk."""

    path: Path
    size_bytes: int
    format: Format


class Tries:
    """Counts the tries of one save along all its roads, and tells how each of them goes.

    `on_progress` is the one given to `save`.
    """

    def __init__(self, on_progress: Callable[[Saving], None] = lambda saving: None) -> None:
        self.number = 0
        self._clip = (1, 1)
        self._problem: str | None = None
        self._on_progress = on_progress

    def turn_to(self, number: int, count: int) -> None:
        """From now on they are for the clip `number`, from 1, of `count`."""
        self.number, self._clip, self._problem = 0, (number, count), None

    def begin(self) -> None:
        """The next try begins."""
        self.number += 1

    def received(self, received_bytes: int, total_bytes: int | None) -> None:
        """So much has come by now."""
        number = max(1, self.number)
        self._on_progress(Saving(received_bytes, total_bytes, number, self._problem, *self._clip))

    def failed(self, problem: object) -> None:
        """This try has ended so, and another one follows, perhaps after a pause."""
        self._problem = str(problem)
        self._on_progress(Saving(0, None, self.number + 1, self._problem, *self._clip))


_REMEDIES = {
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS), "Make the folder writable, or choose another:"
    ),
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT), "Free some space there, or choose another folder:"
    ),
}
"""What to do about an error of the operating system."""


async def download(
    client: Client,
    road: Road,
    folder: Path,
    *,
    file_name: str | None = None,
    tries: Tries | None = None,
    most_tries: int = TRIES_PER_ROAD,
) -> ClipFile:
    """The clip at the end of `road`, in a file in `folder`, after `most_tries` tries at most.

    `tries` counts them and tells how they go. The file is named `<job id>.mp4`, or `file_name`,
    with the suffix of the clip's format. A file of that name that holds the same clip already is
    kept as it is; a different file is left alone, and the clip gets a number behind its name.

    Raises:
        ClipError: the clip cannot be had or kept, with the reason and what to do. No partial file
            is left.
        TransientError: the last of the tries got no usable answer.
    """
    tries = tries or Tries()
    job_id = road.job.id
    name = file_name or clip_file_name(job_id)
    part = new_part(folder)

    def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)

    try:
        await in_thread(prepare)
        size_bytes, format_ = await _receive(client, road, part, tries, most_tries)
        path = put_in_place(part, folder, fitting(name, format_.suffix))
        return ClipFile(path, size_bytes, format_)
    except (OSError, ValueError) as error:  # a ValueError: a path with a zero byte in it
        reason = getattr(error, "strerror", None) or error
        remedy = _REMEDIES.get(getattr(error, "errno", 0), "Choose another folder:")
        raise PlaceUnusable(
            f"The clip of {job_id} was not saved to {folder}: {reason}.",
            advice=f"{remedy} %cometvid save {quoted_id(job_id)} FOLDER (for all clips to come: "
            "%cometvid config save_dir=FOLDER)",
        ) from error
    finally:
        remove(part)


async def _receive(
    client: Client, road: Road, part: Path, tries: Tries, most_tries: int
) -> tuple[int, Format]:
    """Bring all of the clip into `part`, each try going on where the one before broke off.

    Gives its size in bytes and its format. The file is open only while the clip has its place
    among those that come at once: thousands that wait would be more than a process may open.
    """
    validator: str | None = None
    first: ClipStream | None = None
    for attempt in range(1, most_tries + 1):
        tries.begin()
        try:
            # A server that sends other bytes than it says is found out by those known already.
            offset, known = _overlap(part) if validator else (0, b"")
            async with road.open(client, offset, validator) as stream:
                # A server that ignores the range, or has another clip by now, begins anew.
                begin = stream.offset if stream.offset == offset else 0
                if stream.offset not in (0, begin):
                    raise ClipError(f"The server sent byte {stream.offset}, not byte {offset}.")
                if begin and first is not None and not stream.is_of(first):
                    # Some ignore If-Range and send a part of what is another clip by now.
                    validator = None
                    raise TransientError("The server has a different clip now.")
                first = first if begin else stream
                with _opened(part) as file:
                    file.seek(begin)
                    file.truncate()
                    validator = stream.validator
                    async with aclosing(stream.copy_to(file)) as copying:
                        async for copied_bytes in copying:
                            tries.received(begin + copied_bytes, stream.total_bytes)
                    if begin and not _begins_with(file, begin, known):
                        validator = None  # nothing of it can be trusted: from the beginning, then
                        raise TransientError(
                            "The server sent a different part of the clip than announced."
                        )
                    if stream.total_bytes is not None and file.tell() != stream.total_bytes:
                        raise TransientError(
                            f"Only {file.tell()} of {stream.total_bytes} bytes arrived."
                        )
                    return await in_thread(partial(check, file, road.job.id))
        except TransientError as error:
            if attempt == most_tries:
                raise
            tries.failed(error)
            await asyncio.sleep(retry_delay_s(2.0**attempt / 2, error.retry_after_s))
    raise AssertionError("unreachable")


def _opened(part: Path) -> FileIO:
    # x: never somebody else's; unbuffered, as what is written is large and would be copied.
    return part.open("r+b" if part.exists() else "x+b", buffering=0)


def _overlap(part: Path) -> tuple[int, bytes]:
    """From which byte on a transfer goes on, and the bytes from there that are known already."""
    with _opened(part) as file:
        offset = max(0, file.seek(0, os.SEEK_END) - OVERLAP_BYTES)
        file.seek(offset)
        return offset, file.read(OVERLAP_BYTES) if offset else b""


def _begins_with(file: FileIO, offset: int, known: bytes) -> bool:
    end = file.tell()
    file.seek(offset)
    came = file.read(len(known))
    file.seek(end)
    return known.startswith(came)  # a break may have come before the whole of it
