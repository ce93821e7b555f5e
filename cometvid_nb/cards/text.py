"""Cards and galleries as text: what a terminal, a log and a plain export show.

The functions named `…_text` have a twin in static/words.js, such as `clock_text` and `clockText`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ..clips.places import Saving
from ..job.ids import MOST_CHARACTERS, shown_id
from ..job.plain import plain, squeezed
from ..job.rating import Flag, Rating
from .card import Card, Phase
from .gallery import Gallery, Group
from .words import WORDS, fill

_BAR_CELLS = 16
_MARKS = {Phase.COMPLETED: "✓ ", Phase.FAILED: "✕ ", Phase.BROKEN: "✕ ", Phase.GAVE_UP: "◷ "}


def card_to_text(card: Card, known_at_s: float | None = None) -> str:
    """Plain text, a line an idea; ends in the clip's path or link once there is one.

    `known_at_s`: when this was known of a job that still goes on, in unix seconds.
    """
    head = [one_line(card.job_id, MOST_CHARACTERS), to_state(card), *card.facts, elapsed_text(card)]
    if card.is_simulated:
        head.append(WORDS["simulation"])
    lines = [" · ".join(filter(None, head))]
    lines += [rated] if (rated := to_rating(card.rating)) else []
    lines += [one_line(text) for text in (card.problem, card.advice, card.note) if text]
    if known_at_s is not None and card.phase.is_active:
        lines.append(f"As it was at {to_moment(known_at_s)}. {WORDS['became']}")
        lines += [card.watch_command] if card.watch_command else []
    if card.command and not card.phase.is_active:
        lines.append(card.command)
    lines += clip_places(card)
    return "\n".join(lines)


def card_to_progress_line(card: Card, now_s: float, width: int = 79) -> str:
    """One line of at most `width` characters for a terminal that redraws it in place."""
    percent = card.progress_percent
    filled = round(_BAR_CELLS * (percent or 0) / 100)
    bar = f"[{'█' * filled}{'·' * (_BAR_CELLS - filled)}]" if percent is not None else ""
    state, clock = to_state(card), elapsed_text(card, now_s)
    left = remaining_text(card, now_s) if card.phase.is_active else ""
    trouble = one_line(card.problem) if card.problem else ""
    line = "  ".join(filter(None, [shown_id(card.job_id), bar, state, clock, left, trouble]))
    return line if len(line) <= width else line[: width - 1] + "…"


MOST_RATING = 600
"""Characters of a rating on one line; a note can be long."""


def to_rating(rating: Rating | None, *, is_whole: bool = True) -> str:
    """What a person thinks of a clip, as `★★★★☆ · picked · #sky · “the best”`; empty: nothing.

    `is_whole` False: without tags and note.
    """
    if rating is None:
        return ""
    told = rating if is_whole else replace(rating, tags=(), note=None)
    return one_line(told.words, MOST_RATING)


def to_verdict(rating: Rating | None) -> str:
    """The stars and the flag as signs, where there is little room: `★★★★☆ ✓`."""
    if rating is None:
        return ""
    flag = {Flag.PICKED: "✓", Flag.REJECTED: "✗"}[rating.flag] if rating.flag else ""
    return " ".join(filter(None, [Rating(rating.stars).words, flag]))


def to_state(card: Card) -> str:
    """The state in words, with how far its work has come where that is known."""
    if card.saving is not None:
        return f"{card.headline} · {one_line(saving_text(card.saving))}"
    if card.progress_percent is None or not card.phase.is_active:
        return card.headline
    return f"{card.headline}, {percent_text(card.progress_percent)}"


def mark(card: Card) -> str:
    """The sign before the headline of what is over."""
    return _MARKS.get(card.phase, "")


def clip_places(card: Card) -> list[str]:
    """Where each clip can be had, in words: the place it was saved to, else its link."""
    places = [clip.saved_to or clip.url for clip in card.clip.every] if card.clip else []
    return [" ".join(plain(place).splitlines()) for place in places if place]


def one_line(text: str, most: int = 300) -> str:
    """`text` without line breaks and control characters: a terminal obeys escape sequences."""
    line = squeezed(text)
    return line if len(line) <= most else line[: most - 1] + "…"


def to_moment(at_s: float) -> str:
    """A time of day in UTC, for a text that is read elsewhere and later."""
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "an unknown time"


def gallery_to_text(gallery: Gallery, cards: Sequence[Card]) -> str:
    """The totals, then a line a job: its id, its state, where its clip is."""
    ids = [shown_id(card.job_id) for card in cards]
    states = [one_line(to_state(card), 40) for card in cards]
    widths = [max(map(len, column), default=0) for column in (ids, states)]
    lines = [to_totals(gallery) + (f" · {WORDS['simulation']}" if gallery.is_simulated else "")]
    for card, job_id, state in zip(cards, ids, states, strict=True):
        words = (f"{job_id:<{widths[0]}}", f"{state:<{widths[1]}}", _outcome(card))
        lines.append("  ".join(words).rstrip())
    if gallery.total > len(cards):
        lines.append(to_more(gallery, cards))
    return "\n".join(lines)


def to_totals(gallery: Gallery) -> str:
    """Such as `12 jobs: 3 queued, 4 running 45%, 5 done`."""
    percent = gallery.running_percent
    parts = []
    for group, count in gallery.totals.items():
        is_moving = group == Group.RUNNING and percent is not None
        progress = f" {percent_text(percent or 0.0)}" if is_moving else ""
        parts += [f"{count:,} {WORDS['groups'][group]}{progress}"] if count else []
    return f"{count_text(gallery.total)}: {', '.join(parts) or 'nothing to show'}"


def to_ended_line(card: Card) -> str:
    """One line for a job that has ended: its id, its state, where its clip is."""
    return " · ".join(filter(None, [shown_id(card.job_id), to_state(card), _outcome(card)]))


def gallery_to_progress_line(gallery: Gallery, elapsed_s: float, width: int) -> str:
    """One line of at most `width` characters for a terminal that redraws it in place."""
    return one_line(f"{to_totals(gallery)} · {_elapsed(elapsed_s)}", width)


def cards_to_progress_line(cards: Sequence[Card], now_s: float, width: int = 79) -> str:
    """The same for a few jobs: all that is known of a single one, else how many there are."""
    if len(cards) == 1:
        return card_to_progress_line(cards[0], now_s, width)
    since_s = min(card.elapsed_from_s or now_s for card in cards)
    return one_line(f"{count_text(len(cards))} to go  {_elapsed(now_s - since_s)}", width)


def to_more(gallery: Gallery, cards: Sequence[Card]) -> str:
    """How many jobs there are beside those of `cards`, and where to see them."""
    return f"… and {gallery.total - len(cards):,} more: %cometvid jobs"


def _outcome(card: Card) -> str:
    """Where the clip is, or why there is none."""
    places = clip_places(card)
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return one_line(f"{places[0]}{more}" if places else card.problem or "", 200)


def clock_text(duration_s: float) -> str:
    """`m:ss`, or `h:mm:ss` from an hour on."""
    total_s = int(max(0.0, duration_s)) if math.isfinite(duration_s) else 0
    hours, minutes = divmod(total_s // 60, 60)
    return f"{hours}:{minutes:02}:{total_s % 60:02}" if hours else f"{minutes}:{total_s % 60:02}"


def to_age(passed_s: float) -> str:
    """How long ago something was, in one coarse unit: `3 min ago`."""
    if passed_s < 5:
        return "just now"
    for unit_s, unit in ((86400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        if passed_s >= unit_s:
            count = int(passed_s // unit_s)
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''} ago"
    return "just now"


def count_text(count: int) -> str:
    """How many jobs, such as `1,000 jobs`."""
    return fill(WORDS["jobs"]["one" if count == 1 else "many"], count=f"{count:,}")


def percent_text(percent: float) -> str:
    """A progress as a whole number of percent, such as `45%`."""
    return fill(WORDS["percent"], percent=_rounded(min(100.0, max(0.0, percent))))


def elapsed_text(card: Card, now_s: float | None = None) -> str:
    """For how long the job has been on its way, or how long it took.

    `now_s` None: for a text that stands still, where a running time would soon be wrong.
    """
    from_s, to_s = card.elapsed_from_s, card.elapsed_to_s
    if card.phase.is_active:
        kind, to_s = "running", now_s
    else:
        kind = "ended" if card.phase in (Phase.COMPLETED, Phase.FAILED) else "left"
    if from_s is None or to_s is None:
        return ""
    return fill(WORDS["elapsed"][kind], clock=clock_text(to_s - from_s))


def remaining_text(card: Card, now_s: float) -> str:
    """How long it will still take, never finer than the estimate is; empty where none holds."""
    if card.remaining_s is None:
        return ""
    passed_s = now_s - card.checks_at_s[0] if card.checks_at_s else 0.0
    is_fresh = passed_s * 2 < card.remaining_s[1]
    low_s, high_s = (duration_s - passed_s for duration_s in card.remaining_s)
    if high_s <= 0:
        return ""
    # Counted down from far away, "a few seconds" would be a promise that nobody made.
    if high_s < 8:
        return str(WORDS["remaining"]["few"]) if is_fresh else ""
    step_s, unit, grain = (1, "s", 5) if high_s < 100 else (60, "min", 1)
    low, high, middle = (
        _rounded(duration_s / step_s / grain) * grain
        for duration_s in (low_s, high_s, (low_s + high_s) / 2)
    )
    if low <= 0:
        kind = "under"
    else:
        kind = "about" if low_s > high_s * 0.75 or low == high else "between"
    return fill(WORDS["remaining"][kind], low=low, high=high, middle=middle, unit=unit)


def bytes_text(received_bytes: int, total_bytes: int | None) -> str:
    """Such as `3.1 of 8.0 MB`; `total_bytes` None = not announced."""
    is_small = (total_bytes or received_bytes) < 1e6

    def amount(size_bytes: int) -> str:
        # Rounded by hand: `round` and JavaScript's `toFixed` differ where a number is half way.
        return str(_rounded(size_bytes / 1e3)) if is_small else f"{_rounded(size_bytes / 1e5) / 10}"

    return fill(
        WORDS["bytes"]["part" if total_bytes else "some"],
        received=amount(received_bytes),
        total=amount(total_bytes or 0),
        unit="kB" if is_small else "MB",
    )


def saving_text(saving: Saving) -> str:
    """How far the saving of a clip has come, and why it had to begin anew."""
    words = WORDS["saving"]
    if saving.received_bytes or saving.total_bytes:
        amount = bytes_text(saving.received_bytes, saving.total_bytes)
        parts = [fill(words["amount"], amount=amount)]
    else:
        parts = [words["begun"]]
    if saving.count > 1:
        parts.append(fill(words["which"], number=saving.number, count=saving.count))
    if saving.attempt > 1:
        parts += [fill(words["retry"], attempt=saving.attempt), saving.problem or ""]
    return " · ".join(filter(None, parts))


def _elapsed(duration_s: float) -> str:
    return fill(WORDS["elapsed"]["running"], clock=clock_text(duration_s))


def _rounded(number: float) -> int:
    """`number` to the nearest integer, a half upwards, as JavaScript's `Math.round`."""
    return math.floor(number + 0.5)
