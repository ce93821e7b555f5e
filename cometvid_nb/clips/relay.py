"""Relay: the bytes of a clip to a page that cannot reach them, through the kernel's messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from ..api.client import Client
from ..api.streams import ClipStream
from ..errors import ClipError, CometVidError
from ..job.job import Job
from .places import SavedClip
from .roads import roads_of

MOST_RELAYED_BYTES = 512 * 1024 * 1024
"""The page holds the whole clip in memory, so there must be an end."""
MESSAGE_BYTES = 1 << 20
"""Large enough to be few messages, small enough for every websocket on the way."""

Message = tuple[dict[str, Any], list[bytes]]
"""A custom message to the page: its content, and its buffers."""


async def relay(
    client: Client,
    job: Job,
    saved: SavedClip | None,
    request: int,
    number: int = 0,
    *,
    is_late: bool = False,
) -> AsyncIterator[Message]:
    """The messages that answer the page's `request` for a clip; see `createPlayer` in player.js.

    `number` counts the clips of the job from 0; most jobs make one. `is_late`: `job` is a memory,
    so that the API is asked for a link first.

    They hold the clip piece by piece, or say in the end why it cannot come (`clip_failed`).
    """
    problem = "no source for it is left"
    every = saved.every if saved is not None else ()
    known = next((one for one in every if one.number == number), None)
    async for road in roads_of(client, job, known, number, is_late=is_late):
        try:
            async with road.open(client) as stream:
                async for message in _pieces(stream, request):
                    yield message
            return
        except (CometVidError, OSError) as error:
            problem = str(error)
    yield {"kind": "clip_failed", "request": request, "problem": problem}, []


async def _pieces(stream: ClipStream, request: int) -> AsyncIterator[Message]:
    """The clip in pieces of at most `MESSAGE_BYTES`, the last of them marked.

    Raises:
        ClipError: the clip is larger than 512 MiB.
    """
    offset, pending = 0, bytearray()

    def next_piece(*, is_last: bool) -> Message:
        nonlocal offset
        piece = bytes(pending[:MESSAGE_BYTES])
        del pending[:MESSAGE_BYTES]
        head = {"kind": "clip_chunk", "request": request, "offset": offset}
        offset += len(piece)
        return {**head, "total": stream.total_bytes, "is_last": is_last}, [piece]

    async for block in stream:
        pending += block
        if offset + len(pending) > MOST_RELAYED_BYTES:
            raise ClipError("The clip is too large to be sent through the kernel.")
        while len(pending) > MESSAGE_BYTES:
            yield next_piece(is_last=False)
    yield next_piece(is_last=True)
