"""Packing: what a Content-Encoding names, and the bytes of a clip beneath it.

Nobody asks for packed bytes here. Yet stores hand on whatever somebody once wrote into the header
of a file: words that name no compression at all, or gzip around a video.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain

from ..errors import ClipError, ConnectionTrouble

COMPRESSIONS = ("gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress")
"""Source: IANA, "HTTP Content Coding Registry". Any other word changes no byte."""
READABLE = ("gzip", "x-gzip", "deflate")
GZIP_OR_ZLIB = 47
"""As the head says; see `zlib.decompressobj`."""
MOST_AT_A_TIME_BYTES = 1 << 20
MOST_RATIO = 100
"""A video is packed already: what grows more than this is made to fill a disk."""


def compressions(header: str | None) -> list[str]:
    """The compressions that a Content-Encoding names, none for `aws-chunked`, `utf-8` and such."""
    words = (word.strip().lower() for word in (header or "").split(","))
    return [word for word in words if word in COMPRESSIONS]


def unpacked(chunks: Iterator[bytes], announced_bytes: int | None, job_id: str) -> Iterator[bytes]:
    """The bytes of a clip that is said to be packed by gzip or deflate, whether it is or not.

    Memory and the growth are bounded. `announced_bytes` is the Content-Length, None = unknown.

    Raises:
        ClipError: they cannot be unpacked. ConnectionTrouble: they end too early.
    """
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= 2:
            break
    if _is_packed(head):
        yield from _inflated(chain([head], chunks), job_id)
        return
    came_bytes = 0
    for chunk in chain([head], chunks):
        came_bytes += len(chunk)
        yield chunk
    if announced_bytes not in (None, came_bytes):
        raise ConnectionTrouble(f"Only {came_bytes} of {announced_bytes} bytes arrived.")


def _inflated(chunks: Iterator[bytes], job_id: str) -> Iterator[bytes]:
    unpacker, came_bytes, made_bytes = zlib.decompressobj(GZIP_OR_ZLIB), 0, 0
    for chunk in chunks:
        came_bytes += len(chunk)
        packed = chunk
        while packed:
            if unpacker.eof:  # gzip files may stand one behind the other
                unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
            try:
                made = unpacker.decompress(packed, MOST_AT_A_TIME_BYTES)
            except zlib.error as error:
                raise ClipError(f"The compressed clip of {job_id} is damaged.") from error
            packed = unpacker.unconsumed_tail or unpacker.unused_data
            made_bytes += len(made)
            if made_bytes > max(MOST_AT_A_TIME_BYTES, came_bytes * MOST_RATIO):
                raise ClipError(f"The clip of {job_id} is far too large when decompressed.")
            yield made
    if not unpacker.eof:
        raise ConnectionTrouble(f"The compressed clip of {job_id} is incomplete.")


def _is_packed(head: bytes) -> bool:
    """Whether bytes begin as gzip (RFC 1952) or zlib (RFC 1950) does; no video begins so."""
    is_zlib = len(head) > 1 and head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
    return head.startswith(b"\x1f\x8b") or is_zlib
