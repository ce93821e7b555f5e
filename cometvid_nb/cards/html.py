"""Cards and galleries as static HTML: what a saved notebook and an export show.

The HTML is what survives JupyterLab's sanitizer in an untrusted notebook: `<video src>` (never
`<source>`), no `<style>`, no scripts, no `var(…)` in a style. It is bounded: what a thousand jobs
leave in a notebook is no more than what sixty do.

Every piece of HTML is a `Markup`, whose `format` and `join` escape each string that is not one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from ..job.ids import MOST_CHARACTERS, SHOWN_CHARACTERS, quoted_ids, shown_id
from .card import Card, Phase
from .clip import Clip
from .gallery import Gallery
from .text import (
    card_to_text,
    clip_places,
    elapsed_text,
    gallery_to_text,
    mark,
    one_line,
    to_moment,
    to_more,
    to_state,
    to_totals,
)
from .words import WORDS, capital

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

# The live card's measures; see `cometvid-body` and `cometvid-fact` in static/card.css.
_BODY = (
    "flex:999 1 220px;box-sizing:border-box;display:flex;flex-direction:column;gap:10px;"
    "min-width:0;padding:14px 16px 12px;font-size:13px;line-height:1.5;overflow-wrap:anywhere"
)
_CHIP = (
    "border:1px solid rgba(128,128,128,0.35);border-radius:6px;padding:1px 8px;"
    "font-size:12px;line-height:1.5"
)


@dataclass(frozen=True, slots=True)
class _Box:
    """The box of a player, which it has before its clip is loaded, so that nothing jumps.

    Its measures are attributes, as the sanitizer keeps those.
    """

    width: int
    height: int
    style: str
    picture_width: int
    """How wide the poster is where no `<video>` is allowed."""


_TILE = _Box(266, 150, "display:block;width:100%;height:150px;background:#000", 320)
"""One height for all, so that the grid does not jump."""
_FURTHER = _Box(
    192,
    108,
    "display:block;flex:1 1 180px;min-width:0;max-width:300px;height:auto;background:#000",
    320,
)
"""The further clips of a job that made several."""


def card_to_bundle(card: Card, *, is_player: bool = True) -> dict[str, str]:
    """The MIME bundle that stays in a notebook: no widget in it, so no kernel is needed."""
    return {"text/html": card_to_html(card, is_player=is_player), "text/plain": card_to_text(card)}


def card_to_html(card: Card, *, is_player: bool = True) -> str:
    """What is known of the job: as a table, or at its end as a framed record with the player."""
    if card.phase.is_active or not is_player:
        return str(Markup('<div class="cometvid-record">{}</div>').format(_table(card)))
    # As the card does: a tall clip stands beside its words, and above them in a narrow column.
    layout = "display:flex;flex-wrap:wrap;align-items:flex-start;" if _is_tall(card) else ""
    poster = card.clip.poster if card.clip else None
    html = Markup(
        '<div class="cometvid-record" style="{}box-sizing:border-box;max-width:640px;'
        'margin:4px 0;border:1px solid rgba(128,128,128,0.35);border-radius:12px;overflow:hidden">'
        "{}{}{}</div>"
    )
    player = _player(card, card.clip, _card_box(card), poster)
    return str(html.format(layout, player, _caption(card), _further(card)))


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
        '<div class="cometvid-record"><div style="margin:4px 0 8px"><b>{}</b>{}</div>'
        '<div style="display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start">'
        "{}</div>{}{}</div>"
    ).format(
        to_totals(gallery),
        f" · {WORDS['simulation']}" if gallery.is_simulated else "",
        Markup("").join(cells),
        Markup("<p>{}</p>").format(to_more(gallery, cards)) if is_cut else "",
        _compare(cards),
    )
    return str(html)


def source_of(clip: Clip | None) -> str | None:
    """What a page can load a clip from; None where there is nothing."""
    if clip is None:
        return None
    if clip.data_url is not None:
        return clip.data_url
    if clip.path is not None:
        return quote(clip.path)
    url = clip.url
    return url if url and urlsplit(url).scheme.lower() in ("http", "https") else None


def quiet(html: str | Markup) -> Markup:
    """What matters less, as HTML."""
    return Markup('<span style="opacity:0.75">{}</span>').format(html)


def code(html: str | Markup) -> Markup:
    """What can be typed or copied, as HTML."""
    return Markup("<code>{}</code>").format(html)


def code_of_id(job_id: str, most: int = SHOWN_CHARACTERS) -> Markup:
    """An id, cut in the middle where it is long; the whole of it shows where the mouse rests."""
    return Markup('<code title="{}">{}</code>').format(
        one_line(job_id, MOST_CHARACTERS), shown_id(job_id, most)
    )


def foreign(text: str) -> Markup:
    """Somebody's own words, which may run from right to left, as HTML."""
    return Markup('<span dir="auto">{}</span>').format(text)


def _card_box(card: Card) -> _Box:
    ratio, is_tall = card.aspect_ratio, _is_tall(card)
    width = min(288, round(480 * ratio)) if is_tall else 640  # 45 % of 640, as on the card
    # Alone on its line, in a narrow column, the tall one fills it, as it does on the card.
    span = f"flex:1 1 {width}px;min-width:0" if is_tall else "width:100%"
    style = f"display:block;{span};height:auto;max-height:480px;background:#000"
    return _Box(width, min(480, round(width / ratio)), style, 640)


def _is_tall(card: Card) -> bool:
    return card.aspect_ratio <= 1


def _player(
    card: Card, clip: Clip | None, box: _Box, poster: str | None, *, is_patient: bool = False
) -> Markup:
    """The player of a clip, empty where there is none; `is_patient`: it loads when it is wanted.

    A GIF is shown as the picture it is, in the same box.
    """
    source = source_of(clip)
    if clip is None or source is None:
        return Markup("")
    if clip.is_image:
        image = Markup(
            '<img width="{}" height="{}" style="{};object-fit:contain" alt="{}" src="{}">'
        )
        return image.format(box.width, box.height, box.style, f"Clip of {card.job_id}", source)
    return Markup(
        '<video controls preload="{}" playsinline width="{}" height="{}" style="{}" '
        'title="{}"{} src="{}">{}</video>'
    ).format(
        "none" if is_patient else "metadata",
        box.width,
        box.height,
        box.style,
        card.job_id,
        Markup(' poster="{}"').format(poster) if poster else "",
        source,
        _picture(clip, box, poster),
    )


def _further(card: Card) -> Markup:
    """The players of the further clips of a job, side by side beneath the first one."""
    others = card.clip.others if card.clip is not None else ()
    players = [_player(card, clip, _FURTHER, None) for clip in others]
    style = "display:flex;flex-wrap:wrap;gap:8px;flex:1 1 100%;padding:0 16px 12px"
    row = Markup('<div style="{}">{}</div>')
    return row.format(style, Markup("").join(players)) if any(players) else Markup("")


def _picture(clip: Clip | None, box: _Box, poster: str | None) -> Markup:
    """What stands in the place of a `<video>` that is not known or not allowed, as on GitHub."""
    source = source_of(clip)
    if clip is None or source is None:
        return Markup("")
    label: str | Markup = clip.saved_to or clip.url or "the clip"
    if poster:
        image = Markup('<img src="{}" alt="{}" width="{}">')
        label = image.format(poster, label, box.picture_width)
    return escape(label) if source.startswith("data:") else _anchor(source, label)


def _anchor(target: str, label: str | Markup) -> Markup:
    return Markup('<a href="{}">{}</a>').format(target, label)


def _caption(card: Card) -> Markup:
    """The words under the player, in the order and the measures of the live card: no jump."""
    state = Markup("<b>{}{}</b> {}").format(mark(card), card.headline, quiet(elapsed_text(card)))
    rows = [_row([state], "min-height:28px;align-items:center")]
    notices = [
        card.problem,
        quiet(card.advice) if card.advice else None,
        code(card.command) if card.command else None,
    ]
    rows += [Markup("<div>{}</div>").format(notice) for notice in notices if notice]
    if card.prompt:
        rows.append(Markup('<div style="font-size:14px">{}</div>').format(foreign(card.prompt)))
    chips: list[str | Markup] = list(card.facts)
    if card.is_simulated:
        chips.insert(0, Markup("<b>{}</b>").format(capital(WORDS["simulation"])))
    if chips:
        chip = Markup('<span style="{}">{}</span>')
        rows.append(_row([chip.format(_CHIP, words) for words in chips]))
    rows.append(Markup('<div style="font-size:12px">{}</div>').format(code(card.job_id)))
    if kept := _kept(card):
        # A line of its own, as tall as the live card's on its checks: what follows stays in place.
        line = Markup('<div style="font-size:12px;margin-top:-8px">{}{}</div>')
        rows.append(line.format(quiet(kept), _if_missing(card)))
    return Markup('<div style="{}">{}</div>').format(_BODY, Markup("").join(rows))


def _row(parts: Sequence[Markup], style: str = "") -> Markup:
    row = Markup('<div style="display:flex;flex-wrap:wrap;gap:4px 8px;{}">{}</div>')
    return row.format(style, Markup("").join(parts))


def _kept(card: Card) -> str | Markup:
    """Where the clip is kept, or how long its link lives."""
    if card.clip is None:
        return ""
    if places := [clip.saved_to for clip in card.clip.every if clip.saved_to]:
        return escape(WORDS["saved"]).format(place=Markup(", ").join(map(code, places)))
    # A record has no script: when its link has expired, only the command brings the clip back.
    end = f"{WORDS['not_saved']} · this player stops working when the link expires"
    if card.clip.expires_at_s:
        return f"{end}, at {to_moment(card.clip.expires_at_s)}"
    return f"{end}, in about an hour" if card.clip.url else str(WORDS["not_saved"])


def _if_missing(card: Card) -> Markup:
    """What to do where the notebook lies without its clips, which a record cannot know."""
    if card.clip is None or card.clip.path is None or card.clip.data_url is not None:
        return Markup("")
    return Markup(
        ' <details style="display:inline">'
        '<summary style="display:inline;cursor:pointer;text-decoration:underline">'
        "not playing?</summary>"
        "<div>The clip is the file {} beside this notebook: bring it along, or "
        "fetch it anew while the server still has it, with "
        "{}.</div></details>"
    ).format(code(card.clip.path), code(card.watch_command or "%cometvid jobs"))


def _table(card: Card) -> Markup:
    state = Markup("<b>{}</b>").format(to_state(card))
    rows: list[tuple[str, str | Markup | None]] = [
        ("Job", code(card.job_id)),
        ("State", Markup(" ").join(filter(None, [state, elapsed_text(card)]))),
        ("Made by", " · ".join(card.facts)),
        ("Prompt", foreign(card.prompt) if card.prompt else None),
        ("Clip", _link(card)),
        ("Created", to_moment(card.elapsed_from_s) if card.elapsed_from_s else None),
        ("Reason", card.problem),
        ("What to do", card.advice),
        ("Command", code(card.command) if card.command else None),
        (
            "Note",
            f"{WORDS['simulation']}: nothing was rendered or paid for"
            if card.is_simulated
            else None,
        ),
    ]
    row = Markup(
        '<tr><th style="text-align:left;vertical-align:top">{}</th>'
        '<td style="text-align:left;white-space:normal">{}</td></tr>'
    )
    cells = Markup("").join(row.format(name, value) for name, value in rows if value)
    return Markup("<table>{}</table>").format(cells)


def _link(card: Card) -> Markup | None:
    if card.clip is None:
        return None
    until = f", works until {to_moment(card.clip.expires_at_s)}" if card.clip.expires_at_s else ""
    links = [
        _anchor(source, clip.saved_to or f"link{until}")
        for clip in card.clip.every
        if (source := source_of(clip)) is not None
    ]
    return Markup(", ").join(links) or None


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
        player = _player(card, card.clip, _TILE, poster, is_patient=poster is not None)
    elif card.phase == Phase.COMPLETED:
        player = _picture(card.clip, _TILE, poster)
    cell = Markup('<div style="{}">{}<div style="{}">{}</div></div>')
    return cell.format(_CELL, player, _WORDS_STYLE, Markup("").join(rows))
