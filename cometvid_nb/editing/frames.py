"""Frames: pictures out of a clip, as a page's player shows them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from ..machine import free_memory_bytes
from .opened import OpenClip, opened
from .times import Times

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

HD_LINES = 720
"""From so many lines on, browsers take colours that a clip does not name for those of HD."""
UNNAMED = 2
"""AVCOL_SPC_UNSPECIFIED."""


class Pixels:
    """Makes arrays of the frames of one clip: upright, with square pixels, all of one size.

    `width` scales them; None leaves them as large as a player shows them.
    """

    def __init__(self, clip: OpenClip, width: int | None = None) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter: Any = VideoReformatter()
        self._clip, self._width = clip, width
        self._size: tuple[int, int] | None = None
        """Before the turn; of the first frame, as the later ones may have others."""

    def of(self, frame: Any) -> np.ndarray[Any, Any]:
        """The pixels of a frame as an array of height × width × 3, uint8."""
        import numpy as np

        across, down, is_turned = turn_of(frame)
        if self._size is None:
            self._size = self._size_of(frame)
        is_hd = frame.colorspace == UNNAMED and frame.height >= HD_LINES
        rgb = self._reformatter.reformat(
            frame,
            *self._size,
            "rgb24",
            src_colorspace="ITU709" if is_hd and not frame.format.is_rgb else None,
            interpolation="BILINEAR" if self._width is None else "AREA",
        )
        pixels: Any = rgb.to_ndarray()
        if is_turned:
            pixels = pixels.transpose(1, 0, 2)
        return np.ascontiguousarray(pixels[::down, ::across])

    def at(self, moments_s: list[float]) -> Iterator[np.ndarray[Any, Any]]:
        """The pixels of what is shown at each of some moments, which ascend."""
        for frame in self._clip.at(self._clip.stamp(moment_s) for moment_s in moments_s):
            yield self.of(frame)

    def _size_of(self, frame: Any) -> tuple[int, int]:
        width, height = shown_size(self._clip.stream, frame)
        if self._width is not None:
            height = max(1, round(Fraction(height * self._width, width)))
            width = self._width
        return (height, width) if turn_of(frame)[2] else (width, height)


def shown_size(stream: Any, frame: Any) -> tuple[int, int]:
    """The width and height in which a player shows a frame: upright, with square pixels."""
    shape = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
    # As HTML has it: the side that is too short grows, so that no pixel is lost.
    width = max(1, round(frame.width * max(shape, Fraction(1))))
    height = max(1, round(frame.height / min(shape, Fraction(1))))
    return (height, width) if turn_of(frame)[2] else (width, height)


def last_frame(path: Path) -> Image.Image:
    """The last frame of the clip in a file, as a player shows it; a PIL image in RGB.

    The last in the order of showing. Only what follows the last key frame is decoded.

    Raises:
        EditError: the file cannot be read, has no pictures, or the extra `edit` is missing.
    """
    with opened(path) as clip:
        pixels = Pixels(clip).of(clip.last())
    from PIL import Image

    return Image.fromarray(pixels)


def iter_frames(
    path: Path, every_s: float | None = None
) -> Iterator[tuple[float, np.ndarray[Any, Any]]]:
    """Every frame of the clip in a file, one after the other, with the time at which it is shown.

    Gives pairs of seconds from the beginning and an array of height × width × 3, uint8. `every_s`:
    only what is shown every so many seconds. However long the clip is, one frame is held at a time.

    Raises:
        EditError: see `last_frame`.
        SettingsError: `every_s` is not above 0.
    """
    times = Times.checked(every_s) if every_s is not None else None
    with opened(path) as clip:
        pixels = Pixels(clip)
        if times is None:
            for frame in clip.frames():
                yield clip.time_s(frame.pts), pixels.of(frame)
            return
        moments_s = moments_in(clip, times)
        yield from zip(moments_s, pixels.at(moments_s), strict=True)


def frames(path: Path, times: Times) -> np.ndarray[Any, Any]:
    """What the clip in a file shows at some moments, in the order these are given in.

    An array of n × height × width × 3, uint8: RGB, upright, with square pixels.

    Raises:
        EditError: see `last_frame`.
        SettingsError: a moment is after the end, or all frames together need too much memory.
    """
    import numpy as np

    with opened(path) as clip:
        moments_s = moments_in(clip, times)
        ascending = sorted(range(len(moments_s)), key=moments_s.__getitem__)
        made: np.ndarray[Any, Any] | None = None
        for place, one in zip(
            ascending, Pixels(clip).at([moments_s[at] for at in ascending]), strict=True
        ):
            if made is None:
                _check_memory(len(moments_s), one.nbytes)
                made = np.empty((len(moments_s), *one.shape), np.uint8)
            made[place] = one
    assert made is not None  # a rule names one moment at least
    return made


def moments_in(clip: OpenClip, times: Times) -> list[float]:
    """The moments that a rule names in an open clip, in seconds; see `Times.within`."""
    last_s = clip.time_s(clip.last_stamp())
    return times.within(clip.length_s, last_s, clip.path.name)


def _check_memory(count: int, frame_bytes: int) -> None:
    needed, free = count * frame_bytes, free_memory_bytes()
    if needed > free:
        raise SettingsError(
            f"{count:,} frames need {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are "
            "free: ask for fewer, or take one after the other from iter_frames()"
        )


def turn_of(frame: Any) -> tuple[int, int, bool]:
    """How a player turns a frame: steps of -1 or 1 across and down, after a swap of the two axes.

    A display matrix tells it (ISO/IEC 14496-12, 8.5.3): x' = ax + cy, y' = bx + dy.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 1, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    is_turned = abs(b) > abs(a)
    across, down = (c, b) if is_turned else (a, d)
    return (-1 if across < 0 else 1), (-1 if down < 0 else 1), is_turned
