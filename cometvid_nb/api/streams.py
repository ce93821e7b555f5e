"""Streams: the bytes of a clip, read by a thread that never outlives what it uses.

An event loop moves bytes in small pieces through many layers: at half the speed of curl, for twice
the CPU of a thread. No server decides how long a read takes or how much comes.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import RawIOBase
from typing import Any

import httpx

from ..errors import ClipError, ConnectionTrouble
from .threads import in_thread, working

MOST_CLIP_BYTES = 4 * 1024**3
"""An hour of 4K is less; a stream without an end must not fill the disk."""
SLOW_S, LEAST_BYTES = 60.0, 64 * 1024
"""A clip that brings less than this in a minute of waiting is taken for one that never comes."""
BLOCK_BYTES = 1 << 20
"""What iterating over a stream gives at a time: each costs a thread and a turn of the loop."""
PROGRESS_EVERY_S = 0.1
"""How often a reader hears of what has come: a bar that moves ten times a second looks smooth."""
MOST_READ_BYTES = 1 << 19
MOST_HEADER_BYTES = 1 << 18
"""Of all headers before the body of a clip, and what came of the body in the same moment."""
HANG_UP_WITHIN_S = 1.0
"""While a host is looked up, or does not take the connection, there is nothing to hang up."""


class HangUp:
    """Ends, from another thread, whatever a request is waiting for: its answer or its body.

    A request that has no answer yet shows its connection to the `trace` extension of HTTPX only,
    which is why each request for a clip carries `trace`.
    """

    def __init__(self) -> None:
        self.is_done = False
        self.is_answered = False
        """Whether the last header has come: what follows is the body, with bounds of its own."""
        self._stream: Any = None

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note the connection as soon as it is open; with TLS it is opened in two steps."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream = info["return_value"]
            self._bound_header(self._stream)
            if self.is_done:  # the request was given up while the host was looked up
                self._shut_down()

    def now(self) -> None:
        """Hang up at once, or as soon as there is a connection."""
        self.is_done = True
        self._shut_down()

    def _bound_header(self, stream: Any) -> None:
        """Hang up where the header has no end: a server may send `103 Early Hints` for ever."""
        read, came_bytes = stream.read, 0

        def read_header(*arguments: Any, **options: Any) -> Any:
            nonlocal came_bytes
            content = read(*arguments, **options)
            came_bytes += len(content)
            if not self.is_answered and came_bytes > MOST_HEADER_BYTES:
                self.now()
                return b""
            return content

        with suppress(AttributeError):  # as in `_read_more_at_once`
            stream.read = read_header

    def _shut_down(self) -> None:
        # Shut down, not closed: a thread that waits in `recv` does not notice a close.
        with suppress(AttributeError, OSError):  # no socket, or one that is closed already
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class ClipStream:
    """The bytes of a clip from `offset` on: copy them to a file, or iterate over blocks of them.

    `total_bytes` counts the whole clip, None = unknown. `validator` is what a later Range request
    must name in If-Range, None = it cannot be resumed. `chunks` blocks while it waits.
    """

    chunks: Iterator[bytes]
    offset: int = 0
    total_bytes: int | None = None
    validator: str | None = None
    hang_up: HangUp = field(default_factory=HangUp)
    marks: tuple[str | None, str | None] = (None, None)
    """ETag and Last-Modified, by which one version of a clip is told from another."""

    def is_of(self, other: ClipStream) -> bool:
        """Whether both may be of one version of the clip: nothing that both tell is different."""
        told = zip((*self.marks, self.total_bytes), (*other.marks, other.total_bytes), strict=True)
        return all(mine == theirs for mine, theirs in told if None not in (mine, theirs))

    async def copy_to(self, file: RawIOBase) -> AsyncGenerator[int, None]:
        """Write to `file` all that comes, and yield how many bytes that were, till the last.

        One thread reads and writes, as handing each block over would cost half of the speed.

        Raises:
            OSError: the disk refused. Whatever else reading raises; what came before is written.
        """
        copied_bytes = 0

        def copy() -> None:
            nonlocal copied_bytes
            for chunk in self.chunks:
                rest = memoryview(chunk)
                while rest:
                    rest = rest[file.write(rest) :]
                copied_bytes += len(chunk)

        async with working(copy, interrupt=self.hang_up.now) as copying:
            while not copying.done():
                await asyncio.wait([copying], timeout=PROGRESS_EVERY_S)
                yield copied_bytes
            copying.result()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while block := await in_thread(self._block, interrupt=self.hang_up.now):
            yield block

    def _block(self) -> bytes:
        """The next bytes, as many as come in a moment; none at the end."""
        block = bytearray()
        began_s = time.monotonic()
        for chunk in self.chunks:
            block += chunk
            if len(block) >= BLOCK_BYTES or time.monotonic() - began_s >= PROGRESS_EVERY_S:
                break
        return bytes(block)


async def send(
    http: httpx.Client,
    request: httpx.Request,
    hang_up: HangUp,
    *,
    auth: Any = httpx.USE_CLIENT_DEFAULT,
) -> httpx.Response:
    """The answer to `request`, its body still to come. Whoever calls this closes it.

    `hang_up` ends the wait for the answer, and any later one for the body.
    """
    request.extensions["trace"] = hang_up.trace
    hang_up.is_answered = False

    def ask() -> httpx.Response:
        response = http.send(request, stream=True, auth=auth)
        hang_up.is_answered = True
        if hang_up.is_done:  # nobody waits for it any more
            response.close()
        return response

    response = await in_thread(ask, interrupt=hang_up.now, patience_s=HANG_UP_WITHIN_S)
    _read_more_at_once(response)
    return response


def _read_more_at_once(response: httpx.Response) -> None:
    """Take what the socket has, half a MiB at most; httpcore asks for 64 KiB, without a setting.

    Each read goes through half a dozen layers: it is the difference between 0.7 and 1.1 of curl's
    speed. Not with TLS, which gives 16 KiB at a time: there the larger buffers double the CPU.
    `network_stream` is public (HTTPX, "Extensions"); where it takes no attribute, all goes on as
    it was.
    """
    stream: Any = response.extensions.get("network_stream")
    read = getattr(stream, "read", None)
    if read is None or stream.get_extra_info("ssl_object") is not None:
        return

    def read_more(max_bytes: int, timeout: float | None = None) -> Any:
        return read(max(max_bytes, MOST_READ_BYTES), timeout)

    with suppress(AttributeError):
        stream.read = read_more


def bounded(chunks: Iterator[bytes], total_bytes: int | None, job_id: str) -> Iterator[bytes]:
    """`chunks`, as long as they come at all and are not far too many.

    Raises:
        ClipError: there are too many. ConnectionTrouble: they hardly come.
    """
    received = total_bytes or 0
    waited_s, came = 0.0, 0
    if received <= MOST_CLIP_BYTES:
        received = 0
        asked_s = time.monotonic()
        for chunk in chunks:
            waited_s, came = waited_s + time.monotonic() - asked_s, came + len(chunk)
            if waited_s >= SLOW_S:
                if came < LEAST_BYTES:
                    raise ConnectionTrouble(f"The clip of {job_id} arrives too slowly.")
                waited_s, came = 0.0, 0
            received += len(chunk)
            if received > MOST_CLIP_BYTES:
                break
            yield chunk
            asked_s = time.monotonic()  # what the disk or the page took is not the server's fault
        else:
            return
    raise ClipError(
        f"The clip of {job_id}, as the server sends it, is larger than "
        f"{MOST_CLIP_BYTES / 1024**3:.3g} GiB."
    )
