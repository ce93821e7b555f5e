"""One card as static HTML: what a saved notebook and an export show of a job."""

from __future__ import annotations

from collections.abc import Sequence

from .card import Card, Phase
from .html import KEEPS_KEYS, NO_MATH, Box, anchor, code, foreign, open_link, player_of, source_of
from .markup import Markup
from .text import card_to_text, elapsed_text, mark, to_moment, to_rating, to_state
from .trusted import trusted
from .words import WORDS, capital, fill

# The live card's measures; see `cometvid-body` and what follows it in static/card.css.
_BODY = (
    "flex:999 1 220px;align-self:stretch;box-sizing:border-box;display:flex;flex-direction:column;"
    "gap:10px;min-width:0;padding:14px 16px 12px;font-size:13px;line-height:1.5;"
    "overflow-wrap:anywhere"
)
_LINE = "border:1px solid rgba(128,128,128,0.35)"
_CHIP = f"{_LINE};border-radius:6px;padding:1px 8px;font-size:12px;line-height:1.5"
_NOTICE = (
    "display:flex;flex-direction:column;gap:6px;padding:10px 12px;border-radius:8px;"
    "background:rgba(128,128,128,0.1)"
)
_COMMAND = (
    "display:flex;gap:8px;align-items:center;justify-content:space-between;"
    f"padding:4px 4px 4px 10px;{_LINE};border-radius:7px"
)
_CODE = (
    "min-width:0;padding:0;border:0;background:none;color:inherit;font-size:12px;line-height:1.5;"
    "white-space:pre-wrap"
)
_FOOTER = (
    "display:flex;flex-wrap:wrap;gap:2px 16px;align-items:baseline;"
    "justify-content:space-between;margin-top:auto;font-size:12px;"
    "opacity:0.75"
)
_FURTHER = Box(
    192,
    108,
    "display:block;flex:1 1 180px;min-width:0;max-width:300px;height:auto;background:#000",
    320,
)
"""The further clips of a job that made several."""


def card_to_bundle(
    card: Card, *, is_player: bool = True, known_at_s: float | None = None
) -> dict[str, str]:
    """The MIME bundle that stays in a notebook: no widget in it, so no kernel is needed."""
    html = card_to_html(card, is_player=is_player, known_at_s=known_at_s)
    if not _is_table(card, is_player=is_player, known_at_s=known_at_s):
        html = trusted(html, card.phase)
    return {"text/html": html, "text/plain": card_to_text(card, known_at_s)}


def card_to_html(card: Card, *, is_player: bool = True, known_at_s: float | None = None) -> str:
    """What is known of the job: as a table, or as a framed record, at its end with the player.

    `known_at_s`: when that was known, in unix seconds. A record of a job that still goes on says
    so, as it may be read when nobody follows the job any more; without it, it is a table.
    """
    if _is_table(card, is_player=is_player, known_at_s=known_at_s):
        html = Markup('<div class="cometvid-record {}">{}</div>')
        return str(html.format(NO_MATH, _table(card)))
    poster = card.clip.poster if card.clip else None
    if card.clip is not None and (card.clip.codec or source_of(card.clip) is None):
        player = _still(card, poster)
    else:
        player = player_of(card, card.clip, _card_box(card), poster)
    # As the card does: a tall clip stands beside its words, and above them in a narrow column.
    is_beside = bool(player) and _is_tall(card)
    html = Markup(
        '<div class="cometvid-record {}" style="box-sizing:border-box;max-width:640px;'
        'margin:4px 0;{};border-radius:12px;overflow:hidden">'
        '<div class="{}" style="{}">{}{}</div>{}</div>'
    )
    return str(
        html.format(
            NO_MATH,
            _LINE,
            "cometvid-tall" if is_beside else "cometvid-wide",
            f"--cometvid-ratio:{card.aspect_ratio:.4f};display:flex;flex-wrap:wrap;"
            "align-items:flex-start"
            if is_beside
            else "",
            player,
            _caption(card, known_at_s),
            _further(card),
        )
    )


def _is_table(card: Card, *, is_player: bool, known_at_s: float | None) -> bool:
    return not is_player or (card.phase.is_active and known_at_s is None)


def _still(card: Card, poster: str | None) -> Markup:
    """The picture of a clip that cannot be played here, instead of a player that stays black.

    It leads to the file, if a page can load that: another program may play it. Empty without a
    picture: the words tell it all.
    """
    source, box = source_of(card.clip), _card_box(card)
    if poster is None:
        return Markup("")
    image = Markup('<img width="{}" height="{}" style="{};object-fit:contain" alt="{}" src="{}">')
    label = f"Picture of the clip of {card.job_id}"
    picture = image.format(box.width, box.height, box.style, label, poster)
    if source is None or source.startswith("data:"):
        return picture
    return anchor(source, picture)


def _card_box(card: Card) -> Box:
    ratio, is_tall = card.aspect_ratio, _is_tall(card)
    width = min(288, round(480 * ratio)) if is_tall else 640  # 45 % of 640, as on the card
    # Alone on its line, in a narrow column, the tall one fills it, as it does on the card.
    span = f"flex:1 1 {width}px;min-width:0" if is_tall else "width:100%"
    style = f"display:block;{span};height:auto;max-height:480px;background:#000"
    style += "" if is_tall else ";min-height:112px"
    return Box(width, min(480, round(width / ratio)), style, width)


def _is_tall(card: Card) -> bool:
    return card.aspect_ratio <= 1


def _further(card: Card) -> Markup:
    """The players of the further clips of a job, side by side beneath the first one."""
    others = card.clip.others if card.clip is not None else ()
    players = [player_of(card, clip, _FURTHER, None) for clip in others]
    style = "display:flex;flex-wrap:wrap;gap:8px;flex:1 1 100%;padding:0 16px 12px"
    row = Markup('<div style="{}">{}</div>')
    return row.format(style, Markup("").join(players)) if any(players) else Markup("")


def _caption(card: Card, known_at_s: float | None) -> Markup:
    """The words under the player, in the order and the measures of the live card: no jump."""
    is_dated = known_at_s is not None and (card.phase.is_active or card.saving is not None)
    moment = f"at {to_moment(known_at_s or 0.0)}" if is_dated else elapsed_text(card)
    headline = to_state(card) if is_dated else card.headline
    state = Markup(
        '<span style="display:flex;align-items:center;font-size:14px">'
        '<span class="cometvid-mark cometvid-is-{}" style="white-space:pre">{}</span>'
        '<b style="font-weight:600">{}</b></span>'
    ).format(card.phase.value, mark(card), headline)
    elapsed = Markup('<span style="font-weight:500">{}</span>').format(_soft(moment))
    rows = [_actions(card)] if card.phase == Phase.COMPLETED and card.clip is not None else []
    rows.append(_row([state, elapsed], "gap:4px 10px;min-height:28px;align-items:center"))
    if card.note:
        line = Markup('<div style="font-size:12px;margin-top:-8px">{}</div>')
        rows.append(line.format(_soft(card.note)))
    command = card.watch_command if is_dated else card.command
    advice = WORDS["became"] if is_dated and command else card.advice
    if card.problem or advice or command:
        rows.append(_notice(card.problem, advice, command))
    if card.prompt:
        prompt = Markup(
            '<div><div class="cometvid-prompt" dir="auto" '
            'style="font-size:14px;line-height:1.5;white-space:pre-line">{}</div></div>'
        )
        rows.append(prompt.format(card.prompt))
    chip = Markup('<span class="cometvid-chip{}" dir="auto" style="{}">{}</span>')
    badge = (" cometvid-model", f"{_CHIP};font-weight:600")
    chips = [chip.format(*(badge if f == card.model else ("", _CHIP)), f) for f in card.facts]
    tags = card.rating.tags if card.rating is not None else ()
    chips += [chip.format("", _CHIP, f"#{tag}") for tag in tags]
    if card.is_simulated:
        simulation = capital(WORDS["simulation"])
        chips.insert(0, chip.format(" cometvid-simulated", f"{_CHIP};font-weight:600", simulation))
    if chips:
        rows.append(_row(chips, "gap:6px"))
    if card.rating is not None and card.rating.note:
        rows.append(Markup('<div dir="auto">{}</div>').format(_soft(card.rating.note)))
    kept = _kept(card)
    # A line of its own, as on the live card: so its height does not hang on the words.
    place = Markup('<span style="flex:1 0 100%">{}{}</span>').format(kept, _if_missing(card))
    footer = Markup('<div class="cometvid-soft" style="{}">{} {}</div>').format(
        _FOOTER, _id(card.job_id), place if kept else ""
    )
    return Markup('<div style="{}">{}{}</div>').format(_BODY, Markup("").join(rows), footer)


def _actions(card: Card) -> Markup:
    """What stands where the live card has its row of actions, as tall as that: signs and commands.

    Where the kernel's model of the card lives in the page, static/row_record.js puts the row there.
    """
    rated = Markup('<span dir="auto" style="min-width:0;{}">{}</span>').format(
        "overflow:hidden;text-overflow:ellipsis;white-space:nowrap",
        to_rating(card.rating, is_whole=False),
    )
    return Markup(
        '<div class="cometvid-actions-seat" style="display:flex;gap:4px 14px;align-items:center;'
        'min-height:28px;font-size:12px">{}<span style="flex:1 1 0"></span>{}{}</div>'
    ).format(rated, open_link(card.clip), _commands(card))


def _commands(card: Card) -> Markup:
    """The lines that go on from the clip, folded away; empty where no line can hold the id."""
    if card.typed_id is None:
        return Markup("")
    lines = ('remix {} ""', 'continue {} ""', "rate {} --stars 5")
    line = Markup('<div class="cometvid-line" style="{};margin:4px 0">{}</div>')
    code_alone = Markup('<code class="cometvid-command" style="{}">{}</code>')
    rows = [
        line.format(_COMMAND, code_alone.format(_CODE, f"%cometvid {one.format(card.typed_id)}"))
        for one in lines
    ]
    return Markup(
        '<details style="min-width:0"><summary {} style="cursor:pointer;line-height:28px">'
        "Go on …</summary>{}</details>"
    ).format(KEEPS_KEYS, Markup("").join(rows))


def _notice(problem: str | None, advice: str | None, command: str | None) -> Markup:
    """What went wrong, what to do, and the line that does it."""
    # Without the frame that a page draws around code.
    code_alone = Markup('<code class="cometvid-command" style="{}">{}</code>')
    lines = []
    if problem:
        lines.append(Markup('<div style="font-weight:500">{}</div>').format(problem))
    if advice:
        lines.append(Markup("<div>{}</div>").format(_soft(advice)))
    if command:
        line = Markup('<div class="cometvid-line" style="{}">{}</div>')
        lines.append(line.format(_COMMAND, code_alone.format(_CODE, command)))
    return Markup('<div class="cometvid-notice" style="{}">{}</div>').format(
        _NOTICE, Markup("").join(lines)
    )


def _id(job_id: str) -> Markup:
    """The id, of which the end always shows: ids often begin alike."""
    head, tail = job_id, ""
    if len(job_id) > 24:  # as `sayId` in static/dom.js does
        head, tail = job_id[:-8], job_id[-8:]
    html = Markup('<code class="cometvid-id" title="{}" style="{}">{}{}</code>')
    span = Markup('<span class="cometvid-id-{}">{}</span>')
    ends = (span.format("head", head), span.format("tail", tail) if tail else "")
    return html.format(job_id, _CODE, *ends)


def _soft(html: str | Markup) -> Markup:
    """What matters less, as HTML; `quiet` in the card's own colour where styles are allowed."""
    return Markup('<span class="cometvid-soft" style="opacity:0.75">{}</span>').format(html)


def _row(parts: Sequence[Markup], style: str) -> Markup:
    """Parts side by side; the spaces between them show only where styles are stripped (GitHub)."""
    row = Markup('<div style="display:flex;flex-wrap:wrap;{}">{}</div>')
    return row.format(style, Markup(" ").join(parts))


def _kept(card: Card) -> str:
    """Where the clip is kept, or how long its link lives."""
    if card.clip is None:
        return ""
    if places := [clip.saved_to for clip in card.clip.every if clip.saved_to]:
        return fill(WORDS["saved"], place=", ".join(places))
    # When its link has expired, only the command brings the clip back. One line also in a narrow
    # column, as on the live card.
    if card.clip.expires_at_s:
        return f"{WORDS['not_saved']} · plays until {to_moment(card.clip.expires_at_s)}"
    more = " · plays for about an hour" if card.clip.url else ""
    return f"{WORDS['not_saved']}{more}"


def _if_missing(card: Card) -> Markup:
    """What to do where the page cannot load the clip, or the notebook lies without it.

    The former is known here; the latter a record cannot know.
    """
    clip = card.clip
    if clip is None or clip.data_url is not None or clip.saved_to is None:
        return Markup("")
    if clip.path is not None:
        asked = "not playing?"
        seen = "seen from" if clip.path.startswith("../") else "beside"
        answer = Markup(
            "The clip is the file {} {} this notebook: bring it along, or fetch it anew while "
            "the server still has it, with {}."
        ).format(code(clip.path), seen, code(card.watch_command or "%cometvid jobs"))
    elif "://" in clip.saved_to:
        return Markup("")
    else:
        asked = "how to see it"
        answer = Markup(
            "The clip lies where this page cannot load it, on the machine of the kernel: open the "
            "file there{}."
        ).format(_copy_beside(card))
    return Markup(
        ' <details class="cometvid-missing" style="display:inline">'
        '<summary {} style="display:inline;cursor:pointer;text-decoration:underline">'
        "{}</summary><div>{}</div></details>"
    ).format(KEEPS_KEYS, asked, answer)


def _copy_beside(card: Card) -> Markup:
    """How a copy of the clip comes beside the notebook; empty for an id that no line can hold."""
    line = card.watch_command
    if line is None:
        return Markup("")
    save = line.replace("%cometvid watch", "%cometvid save", 1)
    return Markup(", or put a copy beside this notebook with {}").format(code(f"{save} videos"))


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
        ("Rating", foreign(rated) if (rated := to_rating(card.rating)) else None),
        ("Note", card.note),
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
