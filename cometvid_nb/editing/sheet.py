"""Sheet: a contact sheet, which shows what happens in clips on one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from .frames import Pixels, moments_in, shown_size
from .lettering import Lettering
from .opened import opened
from .times import Times

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

WIDTH = 1600
MARGIN, GAP, BETWEEN = 64, 20, 56
"""Pixels around everything, between two frames, and between two clips."""
COUNT, COUNT_OF_SEVERAL = 12, 6
"""Frames of a clip alone on its sheet, and of each where there are several."""
MOST_FRAMES = 400
"""On one sheet; each is held until it is drawn."""
_ROUND = 8
"""Pixels: the radius of a frame's corners."""
_TITLE, _PROMPT, _FACTS, _TIME = 36, 25, 21, 19
_MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Colours:
    """Of a sheet; neutral greys, as a tint would change how frames look."""

    paper: str
    ink: str
    soft: str
    frame: str


DARK = Colours("#161616", "#f2f2f2", "#9c9c9c", "#2a2a2a")
LIGHT = Colours("#f7f7f7", "#1b1b1b", "#6a6a6a", "#e2e2e2")


@dataclass(frozen=True, slots=True)
class Subject:
    """A clip on a sheet, and the words above its frames."""

    file: Path
    name: str
    """The id of its job."""
    title: str
    """Its model."""
    prompt: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet, and of which clips it lacks the prompt or some signs of it, which no font has."""

    image: Image.Image
    unwritten: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    """One clip, ready to be drawn."""

    title: Lettering
    prompt: Lettering
    prompt_lines: list[str]
    facts: Lettering
    frames: list[tuple[str, Any]]
    columns: int

    @property
    def frame_size(self) -> tuple[int, int]:
        height, width, _ = self.frames[0][1].shape
        return width, height

    @property
    def row_height(self) -> int:
        return self.frame_size[1] + round(_TIME * 1.9) + GAP

    @property
    def height(self) -> int:
        rows = -(-len(self.frames) // self.columns)
        return self.head + rows * self.row_height - GAP

    @property
    def head(self) -> int:
        lines = len(self.prompt_lines) * self.prompt.line_height
        return self.title.line_height + lines + self.facts.line_height + 34


def make_sheet(
    subjects: Sequence[Subject],
    times: Times | None = None,
    *,
    is_light: bool = False,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Sheet:
    """Draw a sheet of clips, one block for each: model, prompt, facts, frames with their times.

    `times`: which frames; None spreads 12 of a clip alone, or 6 of each, from first to last.
    `on_progress` is told the share that is done.

    Raises:
        EditError: a clip cannot be decoded.
        SettingsError: a moment is after the end of a clip, or these are too many frames.
    """
    from PIL import Image, ImageDraw

    count = COUNT if len(subjects) == 1 else COUNT_OF_SEVERAL
    rule = times or Times.checked(count=count)
    blocks = []
    for number, subject in enumerate(subjects):
        blocks.append(_block(subject, rule))
        on_progress((number + 1) / len(subjects))
    colours = LIGHT if is_light else DARK
    height = 2 * MARGIN + sum(block.height for block in blocks) + BETWEEN * (len(blocks) - 1)
    image = Image.new("RGB", (WIDTH, height), colours.paper)
    canvas, top = ImageDraw.Draw(image), MARGIN
    for block in blocks:
        _draw(image, canvas, block, top, colours)
        top += block.height + BETWEEN
    lacking = (
        subject.name
        for subject, block in zip(subjects, blocks, strict=True)
        if not block.prompt.is_whole
    )
    return Sheet(image, tuple(lacking))


def _block(subject: Subject, rule: Times) -> _Block:
    with opened(subject.file) as clip:
        width, height = shown_size(clip.stream, clip.first())
        moments_s = moments_in(clip, rule)
        if len(moments_s) > MOST_FRAMES:
            raise SettingsError(
                f"a sheet of {len(moments_s):,} frames is too large to look at: ask for "
                f"{MOST_FRAMES} at most"
            )
        columns = _columns(width / height, len(moments_s))
        ascending = sorted(moments_s)
        cell = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns
        made = dict(zip(ascending, Pixels(clip, cell).at(ascending), strict=True))
        rate = clip.stream.average_rate
        facts = [f"{width}x{height}", f"{clip.length_s:.1f} s"]
        facts += [f"{float(rate):.3g} fps"] if rate else []
    prompt = Lettering(subject.prompt, _PROMPT)
    return _Block(
        Lettering(subject.title or subject.name, _TITLE),
        prompt,
        prompt.lines(WIDTH - 2 * MARGIN, _MOST_LINES),
        Lettering("  ·  ".join([*facts, *([subject.name] if subject.title else [])]), _FACTS),
        [(time_text(moment_s), made[moment_s]) for moment_s in moments_s],
        columns,
    )


def _columns(ratio: float, count: int) -> int:
    usual = 4 if ratio > 1.2 else 5 if ratio > 0.8 else 6
    return min(max(usual, COUNT_OF_SEVERAL if count == COUNT_OF_SEVERAL else 0), max(count, 2))


def time_text(time_s: float) -> str:
    """A time as a sheet shows it: 1.50 s, or 2:05.0."""
    if time_s < 60:
        return f"{time_s:.2f} s"
    return f"{int(time_s // 60)}:{time_s % 60:04.1f}"


def _draw(
    image: Image.Image, canvas: ImageDraw.ImageDraw, block: _Block, top: int, colours: Colours
) -> None:
    from PIL import Image, ImageDraw

    at = top
    block.title.draw(canvas, (MARGIN, at), block.title.text, fill=colours.ink)
    at += block.title.line_height + 6
    for line in block.prompt_lines:
        place = (WIDTH - MARGIN, at) if block.prompt.is_from_right else (MARGIN, at)
        anchor = "ra" if block.prompt.is_from_right else "la"
        block.prompt.draw(canvas, place, line, fill=colours.ink, anchor=anchor)
        at += block.prompt.line_height
    at += 4
    block.facts.draw(canvas, (MARGIN, at), block.facts.text, fill=colours.soft)
    width, height = block.frame_size
    corners = Image.new("L", (width * 2, height * 2), 0)
    ImageDraw.Draw(corners).rounded_rectangle(
        (0, 0, width * 2 - 1, height * 2 - 1), _ROUND * 2, fill=255
    )
    mask = corners.resize((width, height), Image.Resampling.LANCZOS)
    for number, (time, pixels) in enumerate(block.frames):
        row, column = divmod(number, block.columns)
        left, upper = MARGIN + column * (width + GAP), top + block.head + row * block.row_height
        image.paste(Image.fromarray(pixels), (left, upper), mask)
        told = Lettering(time, _TIME)
        told.draw(canvas, (left, upper + height + 8), time, fill=colours.soft)
