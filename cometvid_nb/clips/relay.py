"""Relay: the bytes of a clip to a page that cannot reach them, through the kernel's messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 20
"""Large enough to be few messages, small enough for every websocket on the way."""
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


def file_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a chunk at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
