"""Cards and galleries as static HTML: what a saved notebook and an export show.

The HTML is what survives JupyterLab's sanitizer in an untrusted notebook: `<video src>` (never
`<source>`), no `<style>`, no scripts, no `var(…)` in a style. Every string is escaped here. It is
bounded: what a thousand jobs leave in a notebook is no more than what sixty do.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote, urlsplit

from .card import Card, Phase
from .gallery import Gallery
from .text import (
    card_to_text,
    clip_place,
    gallery_to_text,
    mark,
    one_line,
    to_moment,
    to_more,
    to_state,
    to_totals,
    took,
)

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


def card_to_bundle(card: Card, *, is_player: bool = True) -> dict[str, str]:
    """The MIME bundle that stays in a notebook: no widget in it, so no kernel is needed."""
    return {"text/html": card_to_html(card, is_player=is_player), "text/plain": card_to_text(card)}


def card_to_html(card: Card, *, is_player: bool = True) -> str:
    """What is known of the job: as a table, or at its end as a framed record with the player."""
    if card.phase.is_active or not is_player:
        return f'<div class="cometvid-record">{_table(card)}</div>'
    player = _card_player(card)
    # As the card does: a tall clip stands beside its words, and above them in a narrow column.
    layout = "display:flex;flex-wrap:wrap;align-items:flex-start;" if _is_tall(card) else ""
    return (
        f'<div class="cometvid-record" style="{layout}box-sizing:border-box;max-width:640px;'
        'margin:4px 0;border:1px solid rgba(128,128,128,0.35);border-radius:12px;overflow:hidden">'
        f"{player}{_caption(card)}</div>"
    )


def _card_player(card: Card) -> str:
    source = source_of(card)
    if source is None:
        return ""
    # Both numbers are attributes, which the sanitizer keeps: nothing jumps when the clip loads.
    ratio, is_tall = card.aspect_ratio, _is_tall(card)
    width = min(288, round(480 * ratio)) if is_tall else 640  # 45 % of 640, as on the card
    # Alone on its line, in a narrow column, the tall one fills it, as it does on the card.
    span = f"flex:1 1 {width}px;min-width:0" if is_tall else "width:100%"
    return (
        f'<video controls preload="metadata" playsinline width="{width}" '
        f'height="{min(480, round(width / ratio))}" '
        f'style="display:block;{span};height:auto;max-height:480px;background:#000" '
        f'title="{escape(card.job_id)}"{_poster(card)} src="{escape(source)}">'
        f"{_picture(card, source)}</video>"
    )


def _poster(card: Card) -> str:
    return f' poster="{escape(card.clip.poster)}"' if card.clip and card.clip.poster else ""


def _picture(card: Card, source: str) -> str:
    """What stands in the place of a `<video>` that is not known or not allowed, as on GitHub."""
    place = escape(clip_place(card) or "the clip")
    label = place
    if card.clip and card.clip.poster:
        label = f'<img src="{escape(card.clip.poster)}" alt="{place}" width="640">'
    return label if source.startswith("data:") else f'<a href="{escape(source)}">{label}</a>'


def _is_tall(card: Card) -> bool:
    return card.aspect_ratio <= 1


def source_of(card: Card) -> str | None:
    """What a page can load the clip from; None where there is nothing."""
    if card.clip is None:
        return None
    if card.clip.data_url is not None:
        return card.clip.data_url
    if card.clip.path is not None:
        return quote(card.clip.path)
    url = card.clip.url
    return url if url and urlsplit(url).scheme.lower() in ("http", "https") else None


def _caption(card: Card) -> str:
    """The words under the player, in the order and the measures of the live card: no jump."""
    state = f"<b>{mark(card)}{escape(card.headline)}</b>"
    rows = [_row(f"{state} {quiet(escape(took(card)))}", "min-height:28px;align-items:center")]
    notices = [
        escape(card.problem) if card.problem else "",
        quiet(escape(card.advice)) if card.advice else "",
        f"<code>{escape(card.command)}</code>" if card.command else "",
    ]
    rows += [f"<div>{notice}</div>" for notice in notices if notice]
    if card.prompt:
        rows.append(
            f'<div style="font-size:14px"><span dir="auto">{escape(card.prompt)}</span></div>'
        )
    chips = ["<b>Simulation</b>"] if card.is_simulated else []
    chips += map(escape, card.facts)
    if chips:
        rows.append(_row("".join(f'<span style="{_CHIP}">{chip}</span>' for chip in chips)))
    rows.append(f'<div style="font-size:12px"><code>{escape(card.job_id)}</code></div>')
    if kept := _kept(card):
        # A line of its own, as tall as the live card's on its checks: what follows stays in place.
        rows.append(
            f'<div style="font-size:12px;margin-top:-8px">{quiet(kept)}{_if_missing(card)}</div>'
        )
    return f'<div style="{_BODY}">{"".join(rows)}</div>'


def _row(html: str, style: str = "") -> str:
    return f'<div style="display:flex;flex-wrap:wrap;gap:4px 8px;{style}">{html}</div>'


def _kept(card: Card) -> str:
    """Where the clip is kept, or how long its link lives."""
    if card.clip is None:
        return ""
    if card.clip.saved_to:
        return f"Saved to <code>{escape(card.clip.saved_to)}</code>"
    # A record has no script: when its link has expired, only the command brings the clip back.
    if card.clip.expires_at_s:
        until = to_moment(card.clip.expires_at_s)
        return f"not saved · this player stops working when the link expires, at {until}"
    if card.clip.url:
        return "not saved · this player stops working when the link expires, in about an hour"
    return "not saved"


def _if_missing(card: Card) -> str:
    """What to do where the notebook lies without its clips, which a record cannot know."""
    if card.clip is None or card.clip.path is None or card.clip.data_url is not None:
        return ""
    path, job_id = escape(card.clip.path), escape(card.job_id)
    return (
        ' <details style="display:inline">'
        '<summary style="display:inline;cursor:pointer;text-decoration:underline">'
        "not playing?</summary>"
        f"<div>The clip is the file <code>{path}</code> beside this notebook: bring it along, or "
        "fetch it anew while the server still has it, with "
        f"<code>%cometvid watch {job_id}</code>.</div></details>"
    )


def quiet(html: str) -> str:
    """What matters less, as HTML."""
    return f'<span style="opacity:0.75">{html}</span>'


def _table(card: Card) -> str:
    rows: list[tuple[str, str | None]] = [
        ("Job", f"<code>{escape(card.job_id)}</code>"),
        ("State", f"<b>{escape(to_state(card))}</b>"),
        ("Made by", " · ".join(map(escape, card.facts)) or None),
        ("Prompt", f'<span dir="auto">{escape(card.prompt)}</span>' if card.prompt else None),
        ("Clip", _link(card)),
        ("Created", to_moment(card.elapsed_from_s) if card.elapsed_from_s else None),
        ("Took", escape(took(card)).removeprefix("took ") or None),
        ("Reason", escape(card.problem) if card.problem else None),
        ("What to do", escape(card.advice) if card.advice else None),
        ("Command", f"<code>{escape(card.command)}</code>" if card.command else None),
        ("Note", "simulation: nothing was rendered or paid for" if card.is_simulated else None),
    ]
    cells = "".join(
        f'<tr><th style="text-align:left;vertical-align:top">{name}</th>'
        f'<td style="text-align:left;white-space:normal">{value}</td></tr>'
        for name, value in rows
        if value
    )
    return f"<table>{cells}</table>"


def _link(card: Card) -> str | None:
    source = source_of(card)
    if card.clip is None or source is None:
        return None
    until = f", works until {to_moment(card.clip.expires_at_s)}" if card.clip.expires_at_s else ""
    name = escape(card.clip.saved_to) if card.clip.saved_to else f"link{until}"
    return f'<a href="{escape(source)}">{name}</a>'


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
    simulation = " · simulation" if gallery.is_simulated else ""
    head = f"<b>{escape(to_totals(gallery))}</b>{simulation}"
    more = f"<p>{escape(to_more(gallery, cards))}</p>" if gallery.total > len(cards) else ""
    left, cells = MOST_POSTERS_CHARS, []
    for card in cards:
        poster = (card.clip.poster if card.clip else None) or ""
        has_poster = 0 < len(poster) <= left
        left -= len(poster) if has_poster else 0
        cells.append(_cell(card, poster if has_poster else None, is_player=is_player))
    return (
        f'<div class="cometvid-record"><div style="margin:4px 0 8px">{head}</div>'
        '<div style="display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start">'
        f"{''.join(cells)}</div>{more}{_compare(cards)}</div>"
    )


def _compare(cards: Sequence[Card]) -> str:
    """How to see the clips play in sync again, which no static page can do."""
    ids = [card.job_id for card in cards if card.clip is not None]
    if not 1 < len(ids) <= MOST_COMPARED or sum(map(len, ids)) > MOST_COMPARED * 40:
        return ""
    command = escape(f"%cometvid watch --gallery {' '.join(ids)}")
    words = f"To play them in sync: <code>{command}</code>"
    return f'<p style="opacity:0.75;font-size:12px;margin:8px 0 0">{words}</p>'


def _cell(card: Card, poster: str | None, *, is_player: bool) -> str:
    lines = [f"{mark(card)}<b>{escape(to_state(card))}</b> {quiet(escape(took(card)))}".rstrip()]
    if card.problem:
        lines.append(escape(one_line(card.problem, 300)))
    if card.advice:
        lines.append(quiet(escape(one_line(card.advice, 300))))
    if card.command:
        lines.append(f"<code>{escape(card.command)}</code>")
    if card.prompt:
        lines.append(f'<span dir="auto">{escape(one_line(card.prompt, 160))}</span>')
    lines.append(quiet(f"<code>{escape(one_line(card.job_id, 80))}</code>"))
    rows = "".join(f'<div style="margin:2px 0">{line}</div>' for line in lines)
    player = (
        _tile_player(card, poster, is_player=is_player) if card.phase is Phase.COMPLETED else ""
    )
    return f'<div style="{_CELL}">{player}<div style="{_WORDS_STYLE}">{rows}</div></div>'


def _tile_player(card: Card, poster: str | None, *, is_player: bool) -> str:
    source = source_of(card)
    if source is None:
        return ""
    place = escape(clip_place(card) or "the clip")
    # What stands where no `<video>` is allowed, as on GitHub: its picture, else its name.
    label = f'<img src="{escape(poster)}" alt="{place}" width="320">' if poster else place
    instead = label if source.startswith("data:") else f'<a href="{escape(source)}">{label}</a>'
    if not is_player:
        return instead
    picture = f' poster="{escape(poster)}"' if poster else ""
    # One height for all, so that the grid does not jump; sixty clips wait until they are wanted.
    return (
        f'<video controls preload="{"none" if poster else "metadata"}" playsinline '
        'width="266" height="150" style="display:block;width:100%;height:150px;background:#000" '
        f'title="{escape(card.job_id)}"{picture} src="{escape(source)}">{instead}</video>'
    )
