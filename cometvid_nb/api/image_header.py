"""Image headers: what the first bytes of an image tell: kind, frame, which way up. Pure.

The width and height are as stored: a camera that was held upright stores its image lying down and
says so in the EXIF orientation.
"""

from __future__ import annotations

from collections.abc import Iterator

_KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}
_ORIENTATION = 0x0112
"""The number of the EXIF tag (CIPA DC-008 §4.6.4)."""


def media_type_of(content: bytes) -> str:
    """Return the media type of a PNG, JPEG, WebP or GIF, or ""."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for head, kind in _KINDS.items() if content.startswith(head)), "")


def frame_of(content: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels as stored, or None if they cannot be told."""
    kind = media_type_of(content)
    frame: tuple[int, int] | None = None
    if kind == "image/png" and content[12:16] == b"IHDR":
        frame = _big(content, 16, 4), _big(content, 20, 4)
    elif kind == "image/gif":
        frame = _little(content, 6, 2), _little(content, 8, 2)
    elif kind == "image/webp":
        frame = _webp_frame(content)
    elif kind == "image/jpeg":
        frames = (
            (_big(content, at + 7, 2), _big(content, at + 5, 2))
            for marker, at in _segments(content)
            # Start of a frame (ITU-T T.81, table B.1); the others are tables.
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        )
        frame = next(frames, None)
    return frame if frame and min(frame) > 0 else None


def orientation_of(content: bytes) -> int:
    """Return the EXIF orientation of a JPEG: 1 is upright, 5 to 8 lie on their side."""
    if media_type_of(content) != "image/jpeg":
        return 1
    for marker, at in _segments(content):
        if marker == 0xE1 and content[at + 4 : at + 10] == b"Exif\0\0":
            return _orientation_in(content[at + 10 : at + 2 + _big(content, at + 2, 2)])
    return 1


def _orientation_in(exif: bytes) -> int:
    read = _big if exif[:2] == b"MM" else _little
    first = read(exif, 4, 4)
    for number in range(min(read(exif, first, 2), 100)):
        at = first + 2 + 12 * number
        if read(exif, at, 2) == _ORIENTATION:
            value = read(exif, at + 8, 2)
            return value if 1 <= value <= 8 else 1
    return 1


def _segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker and the place of each segment of a JPEG, up to the picture itself."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != 0xDA:
        if content[at + 1] == 0xFF:  # padding
            at += 1
            continue
        yield content[at + 1], at
        at += 2 + max(2, _big(content, at + 2, 2))


def _webp_frame(content: bytes) -> tuple[int, int] | None:
    """Return the frame of a WebP (RFC 9649 §2.5-2.7)."""
    chunk = content[12:16]
    if chunk == b"VP8X":
        return _little(content, 24, 3) + 1, _little(content, 27, 3) + 1
    if chunk == b"VP8L":
        bits = _little(content, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        return _little(content, 26, 2) & 0x3FFF, _little(content, 28, 2) & 0x3FFF
    return None


def _big(content: bytes, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "big")


def _little(content: bytes, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "little")
