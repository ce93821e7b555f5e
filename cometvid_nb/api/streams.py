"""Transfer: the bytes of a clip, from a blocking read in a thread of its own.

An event loop moves bytes in small pieces through many layers: at half the speed of curl, and the
questions after all other jobs wait. One thread that reads and uses them costs the loop nothing
(benchmarks/save.py). No server decides how long that takes or how much comes, and a thread never
outlives what it uses.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from ..errors import ClipError, ConnectionTrouble
from . import threads

MOST_CLIP_BYTES = 4 * 1024**3
"""An hour of 4K is less; a stream without an end must not fill the disk."""
SLOW_S, LEAST_BYTES = 60.0, 64 * 1024
"""A clip that brings less than this in a minute of waiting is taken for one that never comes."""
MOST_READ_BYTES = 1 << 19
HANG_UP_WITHIN_S = 1.0
"""While a host is looked up, or does not take the connection, there is nothing to hang up."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClipStream:
    """The bytes of a clip from `offset` on.

    `chunks` blocks while it waits, so it is for `read_by`; `interrupt` ends such a wait.
    `total_bytes` counts the whole clip, None = unknown;
    `validator` is what a later Range request must name in If-Range, None = cannot be resumed.
    """

    chunks: Iterator[bytes]
    offset: int
    total_bytes: int | None
    validator: str | None
    interrupt: Callable[[], None] = lambda: None

    async def read_by(self, consume: Callable[[Iterator[bytes]], T]) -> T:
        """`consume(chunks)` in a thread, which has ended when this has, cancelled or not."""
        return await threads.in_thread(lambda: consume(self.chunks), interrupt=self.interrupt)


async def send(
    http: httpx.Client, request: httpx.Request, *, auth: Any = httpx.USE_CLIENT_DEFAULT
) -> httpx.Response:
    """The answer to `request`, its body still to come. Whoever calls this closes it."""
    streams: list[Any] = []
    is_given_up = False

    def trace(_event: str, info: dict[str, Any]) -> None:
        # Public, too (HTTPX, "Extensions"): the one way to a connection that has not answered yet.
        if hasattr(stream := info.get("return_value"), "get_extra_info"):
            streams.append(stream)
            if is_given_up:
                _hang_up(stream)

    def ask() -> httpx.Response:
        request.extensions["trace"] = trace
        response = http.send(request, stream=True, auth=auth)
        if is_given_up:
            response.close()
        return response

    def give_up() -> None:
        nonlocal is_given_up
        is_given_up = True
        for stream in streams[-1:]:
            _hang_up(stream)

    response = await threads.in_thread(ask, interrupt=give_up, patience_s=HANG_UP_WITHIN_S)
    _read_more_at_once(response)
    return response


def interrupt(response: httpx.Response) -> None:
    """End a read of the body that waits in another thread."""
    _hang_up(response.extensions.get("network_stream"))


def _hang_up(stream: Any) -> None:
    # Not closed: who waits for its bytes would not see that.
    with suppress(AttributeError, OSError):  # no socket, or one that is closed already
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _read_more_at_once(response: httpx.Response) -> None:
    """Take what the socket has, half a MiB at most; httpcore asks for 64 KiB, without a setting.

    Each read goes through half a dozen layers. `network_stream` is public (HTTPX, "Extensions");
    where it takes no attribute, all goes on as it was.
    """
    stream: Any = response.extensions.get("network_stream")
    read = getattr(stream, "read", None)
    if read is None:
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
                    raise ConnectionTrouble(f"The clip of {job_id} hardly comes: {came} bytes.")
                waited_s, came = 0.0, 0
            received += len(chunk)
            if received > MOST_CLIP_BYTES:
                break
            yield chunk
            asked_s = time.monotonic()  # what the disk or the page took is not the server's fault
        else:
            return
    raise ClipError(
        f"What the server sends as the clip of {job_id} is larger than "
        f"{MOST_CLIP_BYTES / 1024**3:.3g} GiB."
    )
