"""A gallery as static HTML: what a saved notebook and an export show of many jobs.

It looks as the live gallery does, tile for tile: the same columns, shapes and heights, which are
those of `cometvid-tile` in static/gallery.css, so that nothing jumps where it takes its place. Its
styles are what JupyterLab's sanitizer leaves in an untrusted notebook: no `aspect-ratio`, no
`var(…)`; a screen has its shape from a padding. What a notebook keeps of a thousand jobs is no
more than what one page of them does.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..job.rating import Flag
from .card import Card, Phase
from .gallery import PAGE_CARDS, Gallery, Group
from .grid import GAP_PX, Grid
from .html import KEEPS_KEYS, NO_MATH, Box, anchor, foreign, open_link, player_of, quiet, source_of
from .markup import Markup
from .text import (
    clip_places,
    elapsed_text,
    gallery_to_text,
    mark,
    one_line,
    percent_text,
    to_moment,
    to_more,
    to_rating,
    to_totals,
    to_verdict,
)
from .words import WORDS, capital, fill

MOST_RECORD_CARDS = PAGE_CARDS
"""As many as a page of the live gallery has; the rest is named by its number."""
MOST_POSTERS_CHARS = 2_000_000
"""All the posters of one record; a player without one shows the clip's first frame."""
TAIL_CHARACTERS = 8
"""The end of a long id always shows: ids often begin alike."""

_LINE = "1px solid rgba(128,128,128,0.35)"
_ROOT = (
    f"box-sizing:border-box;margin:4px 0;padding:14px;border:{_LINE};border-radius:12px;"
    "font-size:13px;line-height:1.5"
)
_ONE_LINE = "overflow:hidden;white-space:nowrap;text-overflow:ellipsis"
_FILLING = "position:absolute;top:0;left:0;width:100%;height:100%"
_COLOURS = {Group.COMPLETED: "#2e7d32", Group.FAILED: "#c62828", Group.OTHER: "#808080"}


def gallery_to_bundle(
    gallery: Gallery, cards: Sequence[Card] | None = None, *, is_player: bool = True
) -> dict[str, str]:
    """The MIME bundle that stays in a notebook; `cards` are the first ones, if made already."""
    shown = gallery.cards(MOST_RECORD_CARDS) if cards is None else cards
    html = gallery_to_html(gallery, shown, is_player=is_player)
    return {"text/html": html, "text/plain": gallery_to_text(gallery, shown)}


def gallery_to_html(gallery: Gallery, cards: Sequence[Card], *, is_player: bool = True) -> str:
    """A grid of players with their words; a tile without a clip says what there is instead.

    `is_player` False: pictures that lead to the clips, for what is replaced time and again.
    """
    grid, left_chars = gallery.grid_of(cards), MOST_POSTERS_CHARS
    tiles: list[Markup] = []
    folded: list[Markup] = []
    for card in cards:
        poster = (card.clip.poster if card.clip else None) or ""
        has_poster = 0 < len(poster) <= left_chars
        left_chars -= len(poster) if has_poster else 0
        screen = _screen(card, grid, poster if has_poster else None, is_player=is_player)
        is_rejected = card.rating is not None and card.rating.flag == Flag.REJECTED
        seat = folded if is_rejected else tiles
        seat.append(_tile(card, gallery.take_of(card.job_id), screen))
    html = Markup(
        '<div class="cometvid-record {}" style="{}"><div class="cometvid-still">'
        "{}{}{}{}</div></div>"
    ).format(
        NO_MATH,
        _ROOT,
        _head(gallery),
        _grid(grid, tiles),
        _fold(grid, folded),
        _more(gallery, cards),
    )
    return str(html)


def _grid(grid: Grid, tiles: Sequence[Markup]) -> Markup:
    html = Markup(
        '<div style="display:grid;grid-template-columns:{};gap:{}px;max-width:{}">{}</div>'
    )
    return html.format(grid.columns, GAP_PX, grid.max_width, Markup("").join(tiles))


def _fold(grid: Grid, tiles: Sequence[Markup]) -> Markup:
    """The rejected takes, folded away but there."""
    if not tiles:
        return Markup("")
    kind = WORDS["rejected"]["one" if len(tiles) == 1 else "many"]
    words = Markup(
        '<details style="padding-top:10px"><summary {} style="cursor:pointer">{}</summary>'
        '<div style="padding-top:10px">{}</div></details>'
    )
    return words.format(KEEPS_KEYS, fill(kind, count=len(tiles)), _grid(grid, tiles))


def _head(gallery: Gallery) -> Markup:
    """The totals, the bar of what has ended, and the line that makes it live again."""
    simulated = f" · {WORDS['simulation']}" if gallery.is_simulated else ""
    part = Markup('<div style="width:{:.4g}%;background:{}"></div>')
    parts = [
        part.format(100 * gallery.totals[group] / (gallery.total or 1), colour)
        for group, colour in _COLOURS.items()
        if gallery.totals[group]
    ]
    return Markup(
        '<div dir="auto" style="min-height:28px;font-size:16px;line-height:28px"><b>{}</b>{}</div>'
        '<div style="display:flex;height:4px;margin:10px 0;border-radius:4px;overflow:hidden;'
        'background:rgba(128,128,128,0.25)">{}</div>'
        '<div class="cometvid-again" style="display:flex;gap:8px;align-items:center;height:28px;'
        'margin-bottom:14px"><span style="flex:none">{}</span> '
        '<span dir="ltr" style="min-width:0;{}">{}</span></div>'
    ).format(
        to_totals(gallery),
        simulated,
        Markup("").join(parts),
        quiet("Live again:"),
        _ONE_LINE,
        _command(gallery.command),
    )


def _command(line: str) -> Markup:
    """A line to paste, which JupyterLab would wrap."""
    return Markup('<code dir="ltr" style="white-space:nowrap">{}</code>').format(line)


def _more(gallery: Gallery, cards: Sequence[Card]) -> Markup:
    """What stands where the live gallery has its pages."""
    if gallery.total <= len(cards):
        return Markup("")
    words = Markup('<div style="height:24px;margin-top:14px;padding-bottom:10px">{}</div>')
    return words.format(to_more(gallery, cards))


def _tile(card: Card, take: int | None, screen: Markup) -> Markup:
    parts = [_actions(card), _state(card), _title(card, take), _id(card), _foot(card)]
    words = Markup("").join(parts)
    return Markup(
        '<div style="box-sizing:border-box;min-width:0;overflow:hidden;border:{};'
        'border-radius:10px">{}<div style="padding:9px 11px 10px">{}</div></div>'
    ).format(_LINE, screen, words)


def _screen(card: Card, grid: Grid, poster: str | None, *, is_player: bool) -> Markup:
    """The clip, or why there is none, in the shape that all tiles have."""
    has_clip = card.phase == Phase.COMPLETED and source_of(card.clip) is not None
    if has_clip and is_player:
        # Many clips wait until they are wanted, where there is a picture of them meanwhile.
        seat = Box(266, round(266 / grid.ratio), f"{_FILLING};background:#000", 320)
        shown = player_of(card, card.clip, seat, poster, is_patient=poster is not None)
    elif has_clip or (poster is not None and source_of(card.clip) is None):
        shown = _picture(card, poster)
    else:
        shown = _instead(card)
    ground = "#0a0d18" if has_clip or card.phase.is_active else "rgba(128,128,128,0.1)"
    box = Markup('<div style="position:relative;padding-bottom:{:.6g}%;background:{}">{}</div>')
    return box.format(100 / grid.ratio, ground, shown)


def _picture(card: Card, poster: str | None) -> Markup:
    """A link to the clip, with its picture if there is one; that alone, where no page loads it."""
    source, clip = source_of(card.clip) or "", card.clip
    label = (clip.saved_to or clip.url if clip else None) or "the clip"
    if poster is None:
        words = label if source.startswith("data:") else anchor(source, label)
        style = f"{_FILLING};box-sizing:border-box;padding:12px;overflow:hidden;color:#fff"
        return Markup('<div style="{}">{}</div>').format(style, words)
    image = Markup('<img style="max-width:100%;max-height:100%" width="320" src="{}" alt="{}">')
    if not source:
        still = Markup('<div style="{};text-align:center">{}</div>')
        return still.format(_FILLING, image.format(poster, label))
    return Markup('<a {} style="display:block;{};text-align:center" href="{}">{}</a>').format(
        KEEPS_KEYS, _FILLING, source, image.format(poster, label)
    )


def _instead(card: Card) -> Markup:
    """What a tile without a clip shows: how far its job is, or the reason."""
    style = (
        f"{_FILLING};box-sizing:border-box;display:flex;flex-direction:column;align-items:center;"
        "justify-content:center;text-align:center;"
    )
    if card.phase.is_active:
        percent = card.progress_percent
        words = card.headline if percent is None else percent_text(percent)
        size = 14 if percent is None else 24
        return Markup('<div style="{}color:#fff;font-size:{}px"><b>{}</b></div>').format(
            style, size, words
        )
    sign = Markup('<span style="font-size:20px">{}</span>').format(mark(card) or "–")
    reason = one_line(card.problem or card.headline, 300)
    # Text in the middle of a box that scrolls would lose its beginning: a box of its own scrolls.
    text = Markup(
        '<div tabindex="0" dir="auto" {} style="max-width:100%;overflow:auto;{}">{}</div>'
    ).format(KEEPS_KEYS, "font-size:12px;line-height:1.4", reason)
    return Markup('<div style="{}padding:8px 14px">{}{}</div>').format(style, sign, text)


def _actions(card: Card) -> Markup:
    """What a person thinks of the clip, and the way to it, where the live tile has its buttons."""
    is_completed = card.phase == Phase.COMPLETED
    return Markup(
        '<div style="display:flex;gap:8px;align-items:center;height:28px;margin-bottom:4px;'
        'font-size:12px"><span dir="auto" title="{}" style="min-width:0;{}">{}</span>'
        '<span style="flex:1 1 0"></span>{}</div>'
    ).format(
        to_rating(card.rating),
        _ONE_LINE,
        to_verdict(card.rating),
        open_link(card.clip) if is_completed else "",
    )


def _state(card: Card) -> Markup:
    return Markup(
        '<div style="display:flex;gap:5px;align-items:center;height:20px;margin-bottom:4px">'
        '<span style="flex:none;width:12px">{}</span> <b dir="auto" style="min-width:0;{}">{}</b>'
        '<span style="flex:1 1 0"></span> '  # spaces for where styles are stripped, as on GitHub
        '<span dir="auto" style="flex:none;font-size:11px;opacity:0.75">{}</span></div>'
    ).format(mark(card) or "–", _ONE_LINE, card.headline, elapsed_text(card))


def _title(card: Card, take: int | None) -> Markup:
    prompt = one_line(card.prompt or ("" if take else card.job_id), 300)
    number = Markup("<b>Take {}</b>{}").format(take, " · " if prompt else "") if take else ""
    # The dots at the end are for pages that know line-clamp and leave it in.
    return Markup(
        '<div style="height:39px;margin-bottom:4px;overflow:hidden;line-height:19.5px;'
        'word-wrap:break-word"><div dir="auto" title="{}" style="display:-webkit-box;'
        '-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;max-height:39px">{}{}'
        "</div></div>"
    ).format(prompt, number, foreign(prompt))


def _id(card: Card) -> Markup:
    """The id on one line, cut in its middle where it has no room; copied, it is whole."""
    job_id = one_line(card.job_id, 2000)
    cut = len(job_id) - TAIL_CHARACTERS if len(job_id) > 3 * TAIL_CHARACTERS else len(job_id)
    room = f"calc(100% - {TAIL_CHARACTERS}ch)" if cut < len(job_id) else "100%"
    head = Markup(
        '<span style="display:inline-block;max-width:{};vertical-align:bottom;{}">{}</span>{}'
    ).format(room, _ONE_LINE, job_id[:cut], job_id[cut:])
    return Markup(
        '<div style="height:17px;margin-bottom:4px;overflow:hidden;opacity:0.75">'
        '<code title="{}" dir="ltr" style="display:block;padding:0;background:none;border:0;'
        'font-size:11px;line-height:17px;white-space:nowrap">{}</code></div>'
    ).format(job_id, head)


def _foot(card: Card) -> Markup:
    """Two lines at most: where the clip is, or what helps."""
    lines: list[tuple[str, str | Markup]] = []
    if card.clip is not None:
        words = one_line(card.problem or _kept(card), 300)
        lines.append((words, words))
    if card.command:
        lines.append((card.command, _command(card.command)))
    elif card.advice and not card.phase.is_active:
        lines.append((card.advice, one_line(card.advice, 300)))
    # A single line may become two.
    style = _ONE_LINE if len(lines) > 1 else "overflow:hidden;word-wrap:break-word;max-height:34px"
    row = Markup('<div dir="auto" title="{}" style="line-height:17px;{}">{}</div>')
    rows = [row.format(words, style, line) for words, line in lines]
    return Markup(
        '<div style="display:flex;flex-direction:column;justify-content:center;height:34px;'
        'font-size:12px;opacity:0.75">{}</div>'
    ).format(Markup("").join(rows))


def _kept(card: Card) -> str:
    if card.clip is None:
        return ""
    if any(clip.saved_to for clip in card.clip.every):
        return fill(WORDS["saved"], place=one_line(", ".join(clip_places(card)), 300))
    until = f" until {to_moment(card.clip.expires_at_s)}" if card.clip.expires_at_s else ""
    return capital(f"{WORDS['not_saved']}; plays from its link{until}")
