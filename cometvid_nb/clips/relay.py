"""Relay: the bytes of a clip to a page that cannot reach them, through the kernel's messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..api.client import Client
from ..api.streams import ClipStream
from ..errors import CometVidError
from ..job import Job
from .places import SavedClip, local_file
from .roads import CHUNK_BYTES, file_stream, roads_of

MOST_BYTES = 512 * 1024 * 1024
"""The page holds the whole clip in memory, so there must be an end."""

Send = Callable[[dict[str, Any], list[bytes]], None]


def relay(chunks: Iterator[bytes], total_bytes: int | None, request: int, send: Send) -> None:
    """Send `chunks` as the answer to the page's `request`; see `createPlayer` in player.js.

    Raises:
        ValueError: the clip is larger than 512 MiB.
    """
    offset, pending = 0, bytearray()

    def flush(size: int, *, is_last: bool) -> None:
        nonlocal offset
        piece = bytes(pending[:size])
        del pending[:size]
        head = {"kind": "clip_chunk", "request": request, "offset": offset}
        send({**head, "total": total_bytes, "is_last": is_last}, [piece])
        offset += len(piece)

    for chunk in chunks:
        pending += chunk
        if offset + len(pending) > MOST_BYTES:
            raise ValueError("the clip is too large to go through the kernel")
        while len(pending) > CHUNK_BYTES:
            flush(CHUNK_BYTES, is_last=False)
    flush(len(pending), is_last=True)


async def send_to_page(
    client: Client, job: Job, saved: SavedClip | None, request: int, send: Send
) -> None:
    """Send the clip to a page that asked for it; say so where that cannot be."""
    if saved is not None and (file := local_file(saved)) is not None:
        await _relay(file_stream(file), request, send)
        return
    problem = "there is no way to it"
    async for open_stream, _ in roads_of(client, job):
        try:
            async with open_stream(0, None) as stream:
                await _relay(stream, request, send)
            return
        except (CometVidError, ValueError) as error:
            problem = str(error)
    send({"kind": "clip_failed", "request": request, "problem": problem}, [])


async def _relay(stream: ClipStream, request: int, send: Send) -> None:
    await stream.read_by(lambda chunks: relay(chunks, stream.total_bytes, request, send))
