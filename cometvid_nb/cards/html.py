"""The card as static HTML and as text: what a saved notebook, an export and a terminal show.

The HTML is what survives JupyterLab's sanitizer in an untrusted notebook: `<video src>` (never
`<source>`), no `<style>`, no scripts, no `var(…)` in a style. Every string is escaped here.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, urlsplit

from .card import Card, Phase

_BAR_CELLS = 24
# The live card's measures; see `cometvid-body` and `cometvid-fact` in static/card.css.
_BODY = (
    "flex:999 1 220px;box-sizing:border-box;display:flex;flex-direction:column;gap:10px;"
    "min-width:0;padding:14px 16px 12px;font-size:13px;line-height:1.5;overflow-wrap:anywhere"
)
_CHIP = (
    "border:1px solid rgba(128,128,128,0.35);border-radius:6px;padding:1px 8px;"
    "font-size:12px;line-height:1.5"
)
_MARKS = {Phase.COMPLETED: "✓ ", Phase.FAILED: "✕ ", Phase.BROKEN: "✕ ", Phase.GAVE_UP: "◷ "}


def to_bundle(card: Card, *, is_player: bool = True) -> dict[str, str]:
    """The MIME bundle that stays in a notebook: no widget in it, so no kernel is needed."""
    return {"text/html": to_html(card, is_player=is_player), "text/plain": to_text(card)}


def to_html(card: Card, *, is_player: bool = True) -> str:
    """What is known of the job: as a table, or at its end as a framed record with the player."""
    if card.phase.is_active or not is_player:
        return f'<div class="cometvid-record">{_table(card)}</div>'
    player = _player(card)
    # As the card does: a tall clip stands beside its words, and above them in a narrow column.
    layout = "display:flex;flex-wrap:wrap;align-items:flex-start;" if _is_tall(card) else ""
    return (
        f'<div class="cometvid-record" style="{layout}box-sizing:border-box;max-width:640px;'
        'margin:4px 0;border:1px solid rgba(128,128,128,0.35);border-radius:12px;overflow:hidden">'
        f"{player}{_caption(card)}</div>"
    )


def to_text(card: Card) -> str:
    """Plain text, a line an idea; ends in the clip's path or link once there is one."""
    job_id = one_line(card.job_id)
    lines = [" · ".join(filter(None, [job_id, to_state(card), *card.facts, took(card)]))]
    if card.is_simulated:
        lines[0] += " · simulation"
    lines += [one_line(text) for text in (card.problem, card.advice) if text]
    if card.command and not card.phase.is_active:
        lines.append(card.command)
    if place := clip_place(card):
        lines.append(place)
    return "\n".join(lines)


def to_progress_line(card: Card, now_s: float, width: int = 79) -> str:
    """One line of at most `width` characters for a terminal that redraws it in place."""
    percent = card.progress_percent
    filled = round(_BAR_CELLS * (percent or 0) / 100)
    bar = f"[{'█' * filled}{'·' * (_BAR_CELLS - filled)}]" if percent is not None else ""
    state = to_state(card)
    clock = to_clock(max(0.0, (card.elapsed_to_s or now_s) - (card.elapsed_from_s or now_s)))
    left = ""
    if card.remaining_s and card.checked_at_s is not None:
        low_s, high_s = card.remaining_s
        middle_s = (low_s + high_s) / 2 - (now_s - card.checked_at_s)
        left = f"about {to_clock(middle_s)} left" if middle_s > 0 else ""
    trouble = one_line(card.problem) if card.problem else ""
    line = "  ".join(filter(None, [card.job_id, bar, state, clock, left, trouble]))
    return line if len(line) <= width else line[: width - 1] + "…"


def to_state(card: Card) -> str:
    """The state in words, with the percentage where there is one."""
    if card.saving is not None:
        saving = card.saving
        again = f", try {saving.attempt}: {one_line(saving.problem)}" if saving.problem else ""
        amount = f" {saving.received_bytes / 1e6:.1f}" if saving.received_bytes else ""
        total = f" of {saving.total_bytes / 1e6:.1f}" if amount and saving.total_bytes else ""
        return f"{card.headline}, saving{amount}{total}{' MB' if amount else ''}{again}"
    if card.progress_percent is None or not card.phase.is_active:
        return card.headline
    return f"{card.headline}, {card.progress_percent:.0f} %"


def mark(card: Card) -> str:
    """The sign before the headline of what is over."""
    return _MARKS.get(card.phase, "")


def clip_place(card: Card) -> str | None:
    """Where the clip can be had, in words: the place it was saved to, else its link."""
    return (card.clip.saved_to or card.clip.url) if card.clip else None


def to_clock(seconds: float) -> str:
    """`m:ss`, or `h:mm:ss` from an hour on."""
    whole = int(max(0.0, seconds)) if math.isfinite(seconds) else 0
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def one_line(text: str, most: int = 300) -> str:
    """`text` without line breaks and control characters: a terminal obeys escape sequences."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _player(card: Card) -> str:
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
        until = _moment(card.clip.expires_at_s)
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
        ("Created", _moment(card.elapsed_from_s) if card.elapsed_from_s else None),
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
    until = f", works until {_moment(card.clip.expires_at_s)}" if card.clip.expires_at_s else ""
    name = escape(card.clip.saved_to) if card.clip.saved_to else f"link{until}"
    return f'<a href="{escape(source)}">{name}</a>'


def took(card: Card) -> str:
    """How long it took, in words; nothing while it is not over."""
    if card.elapsed_to_s is None or card.elapsed_from_s is None:
        return ""
    word = "took" if card.phase in (Phase.COMPLETED, Phase.FAILED) else "after"
    return f"{word} {to_clock(card.elapsed_to_s - card.elapsed_from_s)}"


def _moment(at_s: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "an unreadable time"
