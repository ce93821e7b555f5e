"""Made: what was made of clips, as HTML and text: a strip of frames, a picture, a player."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..job.job import Job
from ..job.status import JobStatus
from .card import Card
from .clip import Clip
from .html import Box, no_math, player_of, quiet
from .markup import Markup

_FRAME = (
    "box-sizing:border-box;max-width:{}px;margin:4px 0;border:1px solid rgba(128,128,128,0.35);"
    "border-radius:12px;overflow:hidden"
)
_WORDS = "padding:10px 16px 12px;font-size:13px;line-height:1.5;overflow-wrap:anywhere"
_CAPTION = "font-size:12px;line-height:1.6;text-align:center"
_LONGEST_SIDE = 640
_LEAST_WIDTH = 270
"""Of the frame around a narrow picture, for the words beneath it."""


@dataclass(frozen=True, slots=True)
class Still:
    """A small picture as a data URL, and what stands beneath it."""

    data_url: str
    caption: str
    width: int
    height: int


def strip_to_bundle(stills: Sequence[Still], lines: Sequence[str]) -> dict[str, str]:
    """A row of frames, which breaks where the page is narrow, and lines of words beneath it."""
    still = Markup(
        '<div style="flex:0 0 auto"><img width="{}" height="{}" alt="{}" src="{}" '
        'style="display:block;border-radius:4px;max-width:100%;height:auto">'
        '<div style="{}">{}</div></div>'
    )
    row = Markup("").join(
        still.format(
            one.width,
            one.height,
            f"Frame at {one.caption}",
            one.data_url,
            _CAPTION,
            quiet(one.caption),
        )
        for one in stills
    )
    html = Markup(
        '<div style="display:flex;flex-wrap:wrap;gap:8px;margin:4px 0">{}</div>{}'
    ).format(row, _lines(lines))
    captions = ", ".join(one.caption for one in stills)
    return _bundle(html, [f"Frames at {captions}" if stills else "", *lines])


def picture_to_bundle(picture: Still, lines: Sequence[str]) -> dict[str, str]:
    """One picture, as wide as the page allows, and lines of words beneath it."""
    html = Markup(
        '<img width="{}" height="{}" alt="{}" src="{}" '
        'style="display:block;max-width:100%;height:auto;border-radius:8px;margin:4px 0">{}'
    ).format(picture.width, picture.height, picture.caption, picture.data_url, _lines(lines))
    return _bundle(html, lines)


def clip_to_bundle(
    clip: Clip, name: str, width: int, height: int, lines: Sequence[str]
) -> dict[str, str]:
    """A new clip in a player, framed as the record of a job is, and lines of words beneath it."""
    scale = min(1.0, _LONGEST_SIDE / max(width, 1), 480 / max(height, 1))
    style = "display:block;width:100%;height:auto;max-height:480px;background:#000"
    if clip.is_image:
        style = "display:block;max-width:100%;height:auto;margin:0 auto"
    box = Box(round(width * scale), round(height * scale), style, _LONGEST_SIDE)
    card = Card.of_job(Job(name, JobStatus.COMPLETED))
    html = Markup('<div style="{}">{}<div style="{}">{}</div></div>').format(
        _FRAME.format(max(box.width, _LEAST_WIDTH)),
        player_of(card, clip, box, clip.poster),
        _WORDS,
        _lines(lines),
    )
    return _bundle(html, lines)


def _lines(lines: Sequence[str]) -> Markup:
    first, *rest = [line for line in lines if line] or [""]
    told = [Markup("<div>{}</div>").format(first)]
    told += [Markup("<div>{}</div>").format(quiet(line)) for line in rest]
    return Markup("").join(told)


def _bundle(html: Markup, lines: Sequence[str]) -> dict[str, str]:
    return {"text/html": no_math(html), "text/plain": "\n".join(filter(None, lines))}
