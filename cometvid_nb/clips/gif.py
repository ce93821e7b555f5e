"""GIF, animated WebP and AVI: whether a file is a whole one, and how large its picture is.

Source: "Graphics Interchange Format, Version 89a"; "WebP Container Specification" (RFC 9649),
whose RIFF is AVI's as well.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from .format import Format

MOST_BLOCKS = 1 << 24
"""Of 255 bytes, as all but the last of an image have, they make the largest clip that is taken."""
GIF_HEADS = (b"GIF87a", b"GIF89a")
_EXTENSION, _IMAGE, _TRAILER = b"\x21", b"\x2c", b"\x3b"
_IS_ANIMATED = 0x02


def read_gif(file: io.RawIOBase, size_bytes: int) -> Format | None:
    """What the GIF holds; None: it is none, or not all of it is there."""
    reader = io.BufferedReader(file, 1 << 16)
    try:
        reader.seek(0)
        head = reader.read(13)
        if head[:6] not in GIF_HEADS or len(head) < 13:
            return None
        reader.seek(_table_bytes(head[10]), io.SEEK_CUR)
        images = blocks = 0
        kind = b""
        while blocks < MOST_BLOCKS and (kind := reader.read(1)) in (_EXTENSION, _IMAGE):
            if kind == _EXTENSION:
                reader.read(1)
            else:
                images += 1
                reader.seek(_table_bytes((reader.read(9) or b"\0")[-1]) + 1, io.SEEK_CUR)
            blocks += 1 + _skip_blocks(reader, MOST_BLOCKS - blocks)
        if kind != _TRAILER or not images or reader.tell() > size_bytes:
            return None
        width, height = (int.from_bytes(head[at : at + 2], "little") for at in (6, 8))
        return Format(".gif", width, height)
    finally:
        reader.detach()  # the file stays open


def read_riff(file: BinaryIO, size_bytes: int) -> Format | None:
    """What the animated WebP or the AVI holds; None: it is neither, or not all of it is there."""
    file.seek(0)
    head = file.read(30)
    if int.from_bytes(head[4:8], "little") + 8 > size_bytes:
        return None
    if head[8:12] == b"AVI ":
        return Format(".avi", codec="AVI")
    if head[8:16] != b"WEBPVP8X" or len(head) < 30 or not head[20] & _IS_ANIMATED:
        return None
    width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
    return Format(".webp", width, height)


def _skip_blocks(reader: io.BufferedIOBase, most: int) -> int:
    """Go to the end of a row of blocks, or over `most` of them; give how many there were."""
    for count in range(most):
        length = (reader.read(1) or b"\0")[0]
        if not length:
            return count
        reader.seek(length, io.SEEK_CUR)
    return most


def _table_bytes(flags: int) -> int:
    """How long the table of colours is that such flags announce."""
    return 3 << (flags & 0x07) + 1 if flags & 0x80 else 0
