"""Loop: a clip as a picture that moves, WebP or GIF, for pages and messages that play no video."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EditError, SettingsError
from .frames import Pixels, moments_in, shown_size
from .opened import opened
from .times import Times

if TYPE_CHECKING:
    from PIL import Image

WIDTH, FPS, MOST_MB = 480, 12.0, 8.0
"""What a loop has unless it is told otherwise; 8 MB is what most chats and trackers take."""
LEAST_WIDTH = 96
MOST_PIXELS = 600_000_000
"""Of all frames together, as they are held while the size is searched for: 1.8 GB."""
_WEBP_QUALITIES = (80, 65, 50, 35, 20, 5)
_GIF_COLOURS = (256, 128, 64, 32, 16)
_STEP = 0.8
"""By so much each narrower try is narrower, at most."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop that was made: its bytes, and how it was made."""

    content: bytes
    width: int
    height: int
    frames: int
    fps: float
    quality: str
    """In words, such as `quality 65` or `128 colours`."""
    is_reduced: bool
    """Whether it is less than was asked for, so that it is no larger than it may be."""


def make_loop(
    path: Path,
    *,
    is_gif: bool = False,
    width: int | None = None,
    fps: float | None = None,
    most_mb: float = MOST_MB,
    on_progress: Callable[[str], None] = lambda words: None,
) -> Loop:
    """Make a loop of the clip in a file, of `most_mb` megabytes (10⁶ bytes) at most.

    `width` in pixels and `fps` are kept to where they are given; else they are 480 (no wider than
    the clip) and 12 (no more than the clip has). To become small enough it first loses quality,
    then, unless `width` is given, size. `on_progress` is told what is tried, in words.

    Raises:
        EditError: it cannot be made that small, or the clip cannot be decoded.
        SettingsError: a value is out of range, or the clip is too long for a loop.
    """
    _check(width, fps, most_mb)
    with opened(path) as clip:
        frame = clip.first()
        own_width, own_height = shown_size(clip.stream, frame)
        rate = clip.stream.average_rate
        made_fps = fps or min(FPS, float(rate) if rate else FPS)
        made_width = width or min(WIDTH, own_width)
        moments_s = moments_in(clip, Times.checked(every_s=1 / made_fps))
        if len(moments_s) * made_width**2 * own_height / own_width > MOST_PIXELS:
            raise SettingsError(
                f"{path.name} is too long for a loop of that size ({len(moments_s):,} frames): "
                "give a lower width or fps"
            )
        arrays = list(Pixels(clip, made_width).at(moments_s))
        durations_ms = _durations_ms(clip.length_s, len(arrays), made_fps, 10 if is_gif else 1)
    from PIL import Image

    pictures = [Image.fromarray(array) for array in arrays]
    most_bytes = math.floor(most_mb * 1e6)
    encode = _gif if is_gif else _webp
    least: Loop | None = None
    for number, (size, quality) in enumerate(_tries(pictures[0], is_gif, can_shrink=width is None)):
        words = f"{quality} colours" if is_gif else f"quality {quality}"
        if least is not None and size != (least.width, least.height):
            share = most_bytes / len(least.content)
            if size[0] > max(LEAST_WIDTH, least.width * math.sqrt(share) * 1.3):
                continue  # still much too large: no need to look
        on_progress(f"{size[0]}x{size[1]}, {words}")
        scaled = [_scaled(picture, size) for picture in pictures]
        content = encode(scaled, durations_ms, quality)
        loop = Loop(content, *size, len(scaled), made_fps, words, number > 0)
        if len(content) <= most_bytes:
            return loop
        if least is None or len(content) < len(least.content):
            least = loop
    assert least is not None  # there is one try at least
    narrower = "a lower width, a lower fps" if width is not None else "a lower fps"
    raise EditError(
        f"No loop of {path.name} has {most_mb:g} MB or less: with {least.width}x{least.height} and "
        f"{least.quality} it still has {len(least.content) / 1e6:.2g} MB.",
        advice=f"Give {narrower} or more megabytes.",
    )


def _tries(
    first: Image.Image, is_gif: bool, *, can_shrink: bool
) -> Iterator[tuple[tuple[int, int], int]]:
    """Sizes and qualities, the best first: less quality, then less size at a middling one."""
    qualities = _GIF_COLOURS if is_gif else _WEBP_QUALITIES
    for quality in qualities[:3] if can_shrink else qualities:
        yield first.size, quality
    width, height = first.size
    while can_shrink and width > LEAST_WIDTH:
        width, height = round(width * _STEP), round(height * _STEP)
        yield (max(1, width), max(1, height)), qualities[2]
    if can_shrink:
        for quality in qualities[3:]:
            yield (max(1, width), max(1, height)), quality


def _scaled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    from PIL import Image

    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS)


def _webp(pictures: list[Image.Image], durations_ms: list[int], quality: int) -> bytes:
    made = io.BytesIO()
    pictures[0].save(
        made,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=durations_ms,
        loop=0,
        quality=quality,
        method=3,
    )
    return made.getvalue()


def _gif(pictures: list[Image.Image], durations_ms: list[int], colours: int) -> bytes:
    from PIL import Image

    # One palette for all, as one for each flickers: of some frames, side by side.
    some = pictures[:: max(1, len(pictures) // 8)]
    width, height = some[0].size
    strip = Image.new("RGB", (width * len(some), height))
    for number, picture in enumerate(some):
        strip.paste(picture, (number * width, 0))
    palette = strip.quantize(colours, Image.Quantize.MEDIANCUT)
    told = [one.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for one in pictures]
    made = io.BytesIO()
    told[0].save(made, "GIF", save_all=True, append_images=told[1:], duration=durations_ms, loop=0)
    return made.getvalue()


def _durations_ms(length_s: float, count: int, fps: float, step_ms: int) -> list[int]:
    """How long each frame is shown: whole steps, which together are as long as the clip."""
    ends_s = [*(number / fps for number in range(1, count)), length_s]
    ends = [round(end_s * 1000 / step_ms) for end_s in ends_s]
    return [max(1, end - begin) * step_ms for begin, end in zip([0, *ends], ends, strict=False)]


def _check(width: int | None, fps: float | None, most_mb: float) -> None:
    if width is not None and not 16 <= width <= 4096:
        raise SettingsError(f"width is {width}: give 16 to 4096 pixels")
    if fps is not None and not 0.1 <= fps <= 60:
        raise SettingsError(f"fps is {fps:g}: give 0.1 to 60 frames a second")
    if not 0.001 <= most_mb <= 1000:
        raise SettingsError(f"max_mb is {most_mb:g}: give 0.001 to 1000 megabytes")
