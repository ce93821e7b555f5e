"""WebM: whether a file is a whole one, and what its picture is, from a few small reads.

Source: RFC 8794 (EBML: a row of elements that each begin with an id and a size) and RFC 9559
(Matroska, of which WebM is a part).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .codecs import codec_of_webm
from .format import Format

MAGIC = b"\x1a\x45\xdf\xa3"
MOST_ELEMENTS = 10_000
"""Before the first cluster there are a dozen."""
MOST_INSIDE = 100
"""Elements looked at within the tracks, and within each of them: each costs a read."""
_DOC_TYPE, _SEGMENT, _TRACKS, _CLUSTER = 0x4282, 0x18538067, 0x1654AE6B, 0x1F43B675
_TRACK, _TRACK_TYPE, _CODEC, _VIDEO = 0xAE, 0x83, 0x86, 0xE0
_WIDTHS, _HEIGHTS, _UNIT = (0x54B0, 0xB0), (0x54BA, 0xBA), 0x54B2
"""As shown, else as stored; the unit of what is shown: 0 = pixels."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its id, where its content begins and ends; `end` None: till the next one."""

    id: int
    start: int
    end: int | None


def read_webm(file: BinaryIO, size_bytes: int) -> Format | None:
    """What the WebM or Matroska file holds; None: it is neither, or not all of it is there."""
    head, segment = _first_two(elements(file, 0, size_bytes))
    if head is None or head.end is None or segment is None or segment.id != _SEGMENT:
        return None
    doc_type = _bytes_of(file, _children(file, head, size_bytes).get(_DOC_TYPE))
    suffix = {b"webm": ".webm", b"matroska": ".mkv"}.get(doc_type.rstrip(b"\0"))
    if suffix is None or (segment.end or 0) > size_bytes:
        return None
    parts = _children(file, segment, size_bytes, until=_CLUSTER)
    if _CLUSTER not in parts:
        return None
    tracks = parts.get(_TRACKS)
    tracks_end = (tracks.end if tracks else None) or size_bytes
    for track in elements(file, tracks.start, tracks_end, MOST_INSIDE) if tracks else ():
        told = _children(file, track, size_bytes, most=MOST_INSIDE)
        video = told.get(_VIDEO)
        if track.id == _TRACK and video and _number_of(file, told.get(_TRACK_TYPE)) == 1:
            shape = _children(file, video, size_bytes, most=MOST_INSIDE)
            # Shown in other units than pixels: what is stored has the same shape nearly always.
            first = 0 if _number_of(file, shape.get(_UNIT)) == 0 else 1
            width, height = (
                next((size for i in ids[first:] if (size := _number_of(file, shape.get(i)))), 0)
                for ids in (_WIDTHS, _HEIGHTS)
            )
            codec = codec_of_webm(_bytes_of(file, told.get(_CODEC)))
            return Format(suffix, width, height, codec)
    return Format(suffix)


def elements(file: BinaryIO, start: int, end: int, most: int = MOST_ELEMENTS) -> Iterator[Element]:
    """The elements between two places of a file, until something else comes.

    The last one may end beyond `end`, or have no known end.
    """
    for _ in range(most):
        file.seek(start)
        head = file.read(max(0, min(12, end - start)))
        id_length = _length_of(head[:1], 4)
        size_at = head[id_length : id_length + 1]
        size_length = _length_of(size_at, 8)
        if not id_length or not size_length or len(head) < id_length + size_length:
            return
        size = int.from_bytes(head[id_length : id_length + size_length], "big")
        size &= (1 << 7 * size_length) - 1  # without the bit that marks its length
        content_at = start + id_length + size_length
        is_unknown = size == (1 << 7 * size_length) - 1
        end_at = None if is_unknown else content_at + size
        found = Element(int.from_bytes(head[:id_length], "big"), content_at, end_at)
        yield found
        if found.end is None or found.end > end:
            return
        start = found.end


def _children(
    file: BinaryIO,
    parent: Element,
    size_bytes: int,
    until: int | None = None,
    most: int = MOST_ELEMENTS,
) -> dict[int, Element]:
    """The first element of each id within another, up to the first with the id `until`."""
    found: dict[int, Element] = {}
    end = min(parent.end or size_bytes, size_bytes)
    for element in elements(file, parent.start, end, most):
        found.setdefault(element.id, element)
        if element.id == until:
            break
    return found


def _first_two(found: Iterator[Element]) -> tuple[Element | None, Element | None]:
    return next(found, None), next(found, None)


def _length_of(first: bytes, most: int) -> int:
    """How many bytes a number of variable length has, by its first one; 0 = it is none."""
    length = 9 - first[0].bit_length() if first and first[0] else 0
    return length if length <= most else 0


def _bytes_of(file: BinaryIO, element: Element | None) -> bytes:
    if element is None or element.end is None:
        return b""
    file.seek(element.start)
    return file.read(min(64, element.end - element.start))


def _number_of(file: BinaryIO, element: Element | None) -> int:
    return int.from_bytes(_bytes_of(file, element)[:8], "big")
