"""One card as static HTML: what a saved notebook and an export show of a job."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from .card import Card
from .html import KEEPS_KEYS, Box, anchor, code, foreign, player_of, quiet, source_of
from .text import card_to_text, elapsed_text, mark, to_moment, to_state
from .words import WORDS, capital

# The live card's measures; see `cometvid-body` and `cometvid-fact` in static/card.css.
_BODY = (
    "flex:999 1 220px;box-sizing:border-box;display:flex;flex-direction:column;gap:10px;"
    "min-width:0;padding:14px 16px 12px;font-size:13px;line-height:1.5;overflow-wrap:anywhere"
)
_CHIP = (
    "border:1px solid rgba(128,128,128,0.35);border-radius:6px;padding:1px 8px;"
    "font-size:12px;line-height:1.5"
)
_FURTHER = Box(
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
    player = player_of(card, card.clip, _card_box(card), poster)
    return str(html.format(layout, player, _caption(card), _further(card)))


def _card_box(card: Card) -> Box:
    ratio, is_tall = card.aspect_ratio, _is_tall(card)
    width = min(288, round(480 * ratio)) if is_tall else 640  # 45 % of 640, as on the card
    # Alone on its line, in a narrow column, the tall one fills it, as it does on the card.
    span = f"flex:1 1 {width}px;min-width:0" if is_tall else "width:100%"
    style = f"display:block;{span};height:auto;max-height:480px;background:#000"
    return Box(width, min(480, round(width / ratio)), style, 640)


def _is_tall(card: Card) -> bool:
    return card.aspect_ratio <= 1


def _further(card: Card) -> Markup:
    """The players of the further clips of a job, side by side beneath the first one."""
    others = card.clip.others if card.clip is not None else ()
    players = [player_of(card, clip, _FURTHER, None) for clip in others]
    style = "display:flex;flex-wrap:wrap;gap:8px;flex:1 1 100%;padding:0 16px 12px"
    row = Markup('<div style="{}">{}</div>')
    return row.format(style, Markup("").join(players)) if any(players) else Markup("")


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
        '<summary {} style="display:inline;cursor:pointer;text-decoration:underline">'
        "not playing?</summary>"
        "<div>The clip is the file {} beside this notebook: bring it along, or "
        "fetch it anew while the server still has it, with "
        "{}.</div></details>"
    ).format(KEEPS_KEYS, code(card.clip.path), code(card.watch_command or "%cometvid jobs"))


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
        anchor(source, clip.saved_to or f"link{until}")
        for clip in card.clip.every
        if (source := source_of(clip)) is not None
    ]
    return Markup(", ").join(links) or None
