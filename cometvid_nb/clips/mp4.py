"""MP4: whether a file is a whole one, and what its picture is, from a few small reads.

Source: ISO/IEC 14496-12 (a file is a row of boxes that each begin with size and type) and Apple's
"QuickTime File Format", which it came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .codecs import codec_of_mp4
from .format import Format

MOST_BOXES = 100_000
"""An hour in fragments of a second has 7,200; a file of nothing but tiny boxes is no clip."""
MOST_INSIDE = 100
"""Boxes looked at within another one: a clip has some ten at each step, and each costs a read."""
_PADDING = (b"free", b"skip", b"wide", b"pnot")
_TOP = (
    *(b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"sidx", b"ssix", b"meta", b"uuid"),
    *(b"pdin", b"prft", b"emsg", b"udta", *_PADDING),
)
"""What a file may hold at its top. Anything else behind whole boxes is junk, which players skip."""
_MATRIX_AT = {0: 40, 1: 52}
"""Where in a track header of either version the matrix begins; the size in pixels is behind it."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its type, and where in the file its content begins and ends."""

    kind: bytes
    start: int
    end: int


def read_mp4(file: BinaryIO, size_bytes: int) -> Format | None:
    """What the MP4 or QuickTime file holds; None: it is neither, or not all of it is there."""
    top = list(boxes(file, 0, size_bytes))
    kinds = [box.kind for box in top]
    if b"moov" not in kinds or not _is_whole(file, top, size_bytes):
        return None
    # Padding may stand before the rest, and QuickTime's own files began without `ftyp`.
    first = next((box for box in top if box.kind not in _PADDING), top[0])
    if first.kind != b"ftyp" and (b"ftyp" in kinds or b"mdat" not in kinds):
        return None
    is_quicktime = first.kind != b"ftyp" or _read(file, first.start, 4) == b"qt  "
    suffix = ".mov" if is_quicktime else ".mp4"
    moov = top[kinds.index(b"moov")]
    for track in boxes(file, moov.start, moov.end, MOST_INSIDE):
        if track.kind == b"trak" and (found := _picture(file, track)) is not None:
            width, height, codec = found
            return Format(suffix, width, height, codec)
    return Format(suffix)


def boxes(file: BinaryIO, start: int, end: int, most: int = MOST_BOXES) -> Iterator[Box]:
    """The whole boxes between two places of a file, until something else comes."""
    for _ in range(most):
        head = _read(file, start, min(16, end - start))
        length = int.from_bytes(head[:4], "big")
        content_at = 8
        if length == 1:
            length, content_at = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = end - start
        if len(head) < content_at or length < content_at or start + length > end:
            return
        yield Box(head[4:8], start + content_at, start + length)
        start += length


def _is_whole(file: BinaryIO, top: list[Box], size_bytes: int) -> bool:
    """Whether nothing is missing at the end: only whole boxes, and junk behind all of them."""
    end = top[-1].end
    if end == size_bytes:
        return True
    kinds = {box.kind for box in top}
    is_box = _read(file, end, 8)[4:] in _TOP or len(top) >= MOST_BOXES
    # In fragments, the beginning of one more cannot be told from junk.
    is_cut = is_box or (b"moof" in kinds and size_bytes - end < 8)
    return not is_cut and not kinds.isdisjoint((b"mdat", b"moof"))


def _picture(file: BinaryIO, track: Box) -> tuple[int, int, str | None] | None:
    """Width, height and codec of a track, as it is shown; None: it is sound or text."""
    media = _find(file, track, b"mdia")
    handler = _find(file, media, b"hdlr")
    sample = _find(file, media, b"minf", b"stbl", b"stsd")
    if handler is None or _read(file, handler.start + 8, 4) != b"vide":
        return None
    width = height = 0
    codec = None
    # One description after a count of them; a second one would be of the same kind.
    entry = next(boxes(file, sample.start + 8, sample.end), None) if sample else None
    if entry is not None:
        described = _read(file, entry.start, 78)
        width, height = (int.from_bytes(described[at : at + 2], "big") for at in (24, 26))
        within = Box(entry.kind, entry.start + 78, entry.end)
        config = _find(file, within, b"avcC")
        profile = _read(file, config.start + 1, 1) if config else b""
        codec = codec_of_mp4(entry.kind, profile)
    header = _find(file, track, b"tkhd")
    content = _read(file, header.start, 96) if header else b""
    matrix_at = _MATRIX_AT.get(content[0]) if content else None
    if matrix_at is None:
        return width, height, codec
    a, b, d = (int.from_bytes(content[matrix_at + at :][:4], "big") for at in (0, 4, 16))
    shown = [int.from_bytes(content[matrix_at + at :][:2], "big") for at in (36, 40)]
    width, height = shown if all(shown) else (width, height)
    is_turned = a == d == 0 and b != 0
    return (height, width, codec) if is_turned else (width, height, codec)


def _find(file: BinaryIO, box: Box | None, *path: bytes) -> Box | None:
    """The first box at the end of a path of types within `box`."""
    for kind in path:
        inside = boxes(file, box.start, box.end, MOST_INSIDE) if box is not None else iter(())
        box = next((one for one in inside if one.kind == kind), None)
    return box


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(max(0, count))
