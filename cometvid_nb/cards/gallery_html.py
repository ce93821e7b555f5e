"""A gallery as static HTML: what a saved notebook and an export show of many jobs.

It is bounded: what a thousand jobs leave in a notebook is no more than what sixty do.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..job.ids import quoted_ids
from .card import Card, Phase
from .gallery import Gallery
from .html import NO_MATH, Box, code, code_of_id, foreign, picture_of, player_of, quiet
from .markup import Markup
from .text import (
    clip_places,
    elapsed_text,
    gallery_to_text,
    mark,
    one_line,
    to_more,
    to_state,
    to_totals,
)
from .words import WORDS

MOST_RECORD_CARDS = 60
MOST_COMPARED = 12
"""The rest is named by its number: a notebook is sent, compared and opened as a whole."""
MOST_POSTERS_CHARS = 2_000_000
"""All the posters of one record; a player without one shows the clip's first frame."""

_CELL = (
    "flex:0 1 268px;min-width:200px;box-sizing:border-box;overflow:hidden;"
    "border:1px solid rgba(128,128,128,0.35);border-radius:8px"
)
_WORDS_STYLE = "padding:8px 12px;font-size:13px;line-height:1.5;overflow-wrap:anywhere"

_TILE = Box(266, 150, "display:block;width:100%;height:150px;background:#000", 320)
"""One height for all, so that the grid does not jump."""


def gallery_to_bundle(
    gallery: Gallery, cards: Sequence[Card] | None = None, *, is_player: bool = True
) -> dict[str, str]:
    """The MIME bundle that stays in a notebook; `cards` are the first ones, if made already."""
    shown = gallery.cards(MOST_RECORD_CARDS) if cards is None else cards
    html = gallery_to_html(gallery, shown, is_player=is_player)
    return {"text/html": html, "text/plain": gallery_to_text(gallery, shown)}


def gallery_to_html(gallery: Gallery, cards: Sequence[Card], *, is_player: bool = True) -> str:
    """A grid of players with their words; a card without a clip says what there is instead.

    `is_player` False: pictures that lead to the clips, for what is replaced time and again.
    """
    is_cut = gallery.total > len(cards)
    left_chars, cells = MOST_POSTERS_CHARS, []
    for card in cards:
        poster = (card.clip.poster if card.clip else None) or ""
        has_poster = 0 < len(poster) <= left_chars
        left_chars -= len(poster) if has_poster else 0
        cells.append(_cell(card, poster if has_poster else None, is_player=is_player))
    html = Markup(
        '<div class="cometvid-record {}"><div style="margin:4px 0 8px"><b>{}</b>{}</div>'
        '<div style="display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start">'
        "{}</div>{}{}</div>"
    ).format(
        NO_MATH,
        to_totals(gallery),
        f" · {WORDS['simulation']}" if gallery.is_simulated else "",
        Markup("").join(cells),
        Markup("<p>{}</p>").format(to_more(gallery, cards)) if is_cut else "",
        _compare(cards),
    )
    return str(html)


def _compare(cards: Sequence[Card]) -> Markup:
    """How to see the clips play in sync again, which no static page can do."""
    ids = [card.job_id for card in cards if card.clip is not None]
    if not 1 < len(ids) <= MOST_COMPARED or sum(map(len, ids)) > MOST_COMPARED * 40:
        return Markup("")
    style = "opacity:0.75;font-size:12px;margin:8px 0 0"
    words = Markup('<p style="{}">To play them in sync: {}</p>')
    return words.format(style, code(f"%cometvid watch --gallery {quoted_ids(ids)}"))


def _cell(card: Card, poster: str | None, *, is_player: bool) -> Markup:
    state = Markup("{}<b>{}</b> {}")
    lines: list[str | Markup] = [
        state.format(mark(card), to_state(card), quiet(elapsed_text(card)))
    ]
    if card.problem:
        lines.append(one_line(card.problem, 300))
    if card.advice:
        lines.append(quiet(one_line(card.advice, 300)))
    if card.command:
        lines.append(code(card.command))
    if card.prompt:
        lines.append(foreign(one_line(card.prompt, 160)))
    lines.append(quiet(code_of_id(card.job_id)))
    if card.clip is not None and card.clip.others:
        lines.append(quiet(one_line(f"and {', '.join(clip_places(card)[1:])}", 300)))
    rows = [Markup('<div style="margin:2px 0">{}</div>').format(line) for line in lines]
    player = Markup("")
    if card.phase == Phase.COMPLETED and is_player:
        # Sixty clips wait until they are wanted, where there is a picture of them meanwhile.
        player = player_of(card, card.clip, _TILE, poster, is_patient=poster is not None)
    elif card.phase == Phase.COMPLETED:
        player = picture_of(card.clip, _TILE, poster)
    cell = Markup('<div style="{}">{}<div style="{}">{}</div></div>')
    return cell.format(_CELL, player, _WORDS_STYLE, Markup("").join(rows))
