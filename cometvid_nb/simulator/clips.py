"""The files of the simulated clips, by shape and by what is odd about them.

`media/make_clips.py` draws the clips, `media/make_others.py` makes the small odd ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

MEDIA = Path(__file__).parent / "media"
VARIANTS: dict[str, tuple[str, str]] = {
    "video": ("mp4", "video/mp4"),
    "thumbnail": ("webp", "image/webp"),
    "spritesheet": ("jpg", "image/jpeg"),
}
"""By the `variant` of a content request: file suffix and media type."""


def frame_of(size: str) -> tuple[int, int]:
    """Return width and height for a size as any family words it: only their ratio is sure.

    "1280x720", "9:16", "16x9", "720*1280"; of "720p" and words only "portrait" says a shape.
    """
    told = re.match(r"\s*(\d{1,5})\s*[xX*:\u00d7]\s*(\d{1,5})", size, re.ASCII)
    if told is not None and int(told[1]) and int(told[2]):
        return int(told[1]), int(told[2])
    return (720, 1280) if size == "portrait" else (1280, 720)


@cache
def read_clip(size: str, suffix: str = "mp4", *, has_sound: bool = False) -> bytes:
    """Return the file for a clip of `size` ("1280x720"): landscape, portrait or square."""
    width, height = frame_of(size)
    shape = "landscape" if width > height else "portrait" if width < height else "square"
    sound = "_sound" if has_sound and suffix == "mp4" else ""
    return (MEDIA / f"{shape}{sound}.{suffix}").read_bytes()


def box(name: bytes, content: bytes) -> bytes:
    """Return an MP4 box (ISO/IEC 14496-12 §4.2): its length, its name, its content."""
    return (8 + len(content)).to_bytes(4, "big") + name + content


def padded(clip: bytes, at_least_bytes: int) -> bytes:
    """Return the clip with a `free` box behind it, which players skip, to be so long."""
    missing = at_least_bytes - len(clip)
    return clip + box(b"free", bytes(missing - 8)) if missing > 8 else clip


def moved(clip: bytes, by_bytes: int) -> bytes:
    """Return the clip with every chunk offset (`stco`, §8.7.5) raised, as its media has moved."""
    told, at = bytearray(clip), 0
    while (at := clip.find(b"stco", at + 1)) > 0:
        count = int.from_bytes(clip[at + 8 : at + 12], "big")
        for place in range(at + 12, at + 12 + 4 * count, 4):
            offset = int.from_bytes(clip[place : place + 4], "big") + by_bytes
            told[place : place + 4] = offset.to_bytes(4, "big")
    return bytes(told)


def _free_in_front(clip: bytes) -> bytes:
    front = box(b"free", bytes(64))
    return front + moved(clip, len(front))


def _without_ftyp(clip: bytes) -> bytes:
    length = int.from_bytes(clip[:4], "big")
    return moved(clip, -length)[length:]


REWRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "junk_behind": lambda clip: clip + b"\r\n--boundary--\r\n<!-- served in 12 ms -->",
    "zeros_behind": lambda clip: clip + bytes(4096),
    "free_in_front": _free_in_front,
    "no_ftyp": _without_ftyp,
    "big": lambda clip: padded(clip, 7_000_000),
}
"""By name: what is done to a clip; players still play the result."""

OTHERS: dict[str, tuple[str, str]] = {
    "webm": ("other.webm", "video/webm"),
    "gif": ("other.gif", "image/gif"),
    "quicktime": ("other.mov", "video/quicktime"),
    "hevc": ("hevc.mp4", "video/mp4"),
    "mp4v": ("mp4v.mp4", "video/mp4"),
    "prores": ("prores.mov", "video/quicktime"),
}
"""By name: the file of another container or codec, and its media type."""

CLIPS = ("", "sound", *REWRITTEN, *OTHERS)
"""What a scenario's `clip` may be; "" is the plain clip of its size."""


@cache
def clip_file(size: str, variant: str = "video", clip: str = "") -> tuple[bytes, str]:
    """Return a file and its media type: of the clip of this size, or of an odd one."""
    suffix, media_type = VARIANTS[variant]
    if variant != "video" or not clip:
        return read_clip(size, suffix), media_type
    if clip in OTHERS:
        name, media_type = OTHERS[clip]
        return (MEDIA / name).read_bytes(), media_type
    if clip in REWRITTEN:
        return REWRITTEN[clip](read_clip(size)), media_type
    return read_clip(size, has_sound=True), media_type
