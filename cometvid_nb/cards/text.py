"""Cards and galleries as text: what a terminal, a log and a plain export show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from .card import Card, Phase
from .gallery import Gallery, Group

_BAR_CELLS = 24
_MARKS = {Phase.COMPLETED: "✓ ", Phase.FAILED: "✕ ", Phase.BROKEN: "✕ ", Phase.GAVE_UP: "◷ "}

_WORDS = {
    Group.QUEUED: "queued",
    Group.RUNNING: "running",
    Group.COMPLETED: "done",
    Group.FAILED: "failed",
    Group.OTHER: "not watched any more",
}


def card_to_text(card: Card) -> str:
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


def card_to_progress_line(card: Card, now_s: float, width: int = 79) -> str:
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


def took(card: Card) -> str:
    """How long it took, in words; nothing while it is not over."""
    if card.elapsed_to_s is None or card.elapsed_from_s is None:
        return ""
    word = "took" if card.phase in (Phase.COMPLETED, Phase.FAILED) else "after"
    return f"{word} {to_clock(card.elapsed_to_s - card.elapsed_from_s)}"


def to_moment(at_s: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "an unreadable time"


def gallery_to_text(gallery: Gallery, cards: Sequence[Card]) -> str:
    """The totals, then a line a job: its id, its state, where its clip is."""
    ids = [one_line(card.job_id, 40) for card in cards]
    states = [one_line(to_state(card), 40) for card in cards]
    widths = [max(map(len, column), default=0) for column in (ids, states)]
    lines = [to_totals(gallery) + (" · simulation" if gallery.is_simulated else "")]
    for card, job_id, state in zip(cards, ids, states, strict=True):
        words = (f"{job_id:<{widths[0]}}", f"{state:<{widths[1]}}", _outcome(card))
        lines.append("  ".join(words).rstrip())
    if gallery.total > len(cards):
        lines.append(to_more(gallery, cards))
    return "\n".join(lines)


def to_totals(gallery: Gallery) -> str:
    """Such as `12 jobs: 3 queued, 4 running 45 %, 5 done`."""
    percent = gallery.running_percent
    parts = []
    for group, count in gallery.totals.items():
        progress = f" {percent:.0f} %" if group is Group.RUNNING and percent is not None else ""
        parts += [f"{count} {_WORDS[group]}{progress}"] if count else []
    noun = "job" if gallery.total == 1 else "jobs"
    return f"{gallery.total:,} {noun}: {', '.join(parts) or 'nothing to show'}"


def to_ended_line(card: Card) -> str:
    """One line for a job that has ended: its id, its state, where its clip is."""
    return " · ".join(filter(None, [one_line(card.job_id), to_state(card), _outcome(card)]))


def gallery_to_progress_line(gallery: Gallery, elapsed_s: float, width: int) -> str:
    """One line of at most `width` characters for a terminal that redraws it in place."""
    return one_line(f"{to_totals(gallery)} · {to_clock(elapsed_s)}", width)


def _outcome(card: Card) -> str:
    """Where the clip is, or why there is none."""
    return one_line(clip_place(card) or card.problem or "", 200)


def to_more(gallery: Gallery, cards: Sequence[Card]) -> str:
    return f"… and {gallery.total - len(cards):,} more: %cometvid jobs"
