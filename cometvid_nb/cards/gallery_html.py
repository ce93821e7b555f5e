"""The gallery as static HTML and as text: a grid of players, a short table, a line.

The HTML keeps to what an untrusted notebook keeps, as `record.py` does, and is bounded: what a
thousand jobs leave in a notebook is no more than what sixty do.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .card import Card, Phase
from .gallery import Gallery, Group
from .html import clip_place, mark, one_line, quiet, source_of, to_clock, to_state, took

MOST_CARDS = 60
MOST_COMPARED = 12
"""The rest is named by its number: a notebook is sent, compared and opened as a whole."""
MOST_POSTERS_CHARS = 2_000_000
"""All the posters of one record; a player without one shows the clip's first frame."""

_WORDS = {
    Group.QUEUED: "queued",
    Group.RUNNING: "running",
    Group.COMPLETED: "done",
    Group.FAILED: "failed",
    Group.OTHER: "not watched any more",
}
_CELL = (
    "flex:0 1 268px;min-width:200px;box-sizing:border-box;overflow:hidden;"
    "border:1px solid rgba(128,128,128,0.35);border-radius:8px"
)
_WORDS_STYLE = "padding:8px 12px;font-size:13px;line-height:1.5;overflow-wrap:anywhere"


def to_bundle(
    gallery: Gallery, cards: Sequence[Card] | None = None, *, is_player: bool = True
) -> dict[str, str]:
    """The MIME bundle that stays in a notebook; `cards` are the first ones, if made already."""
    shown = gallery.cards(MOST_CARDS) if cards is None else cards
    html = to_html(gallery, shown, is_player=is_player)
    return {"text/html": html, "text/plain": to_text(gallery, shown)}


def to_html(gallery: Gallery, cards: Sequence[Card], *, is_player: bool = True) -> str:
    """A grid of players with their words; a card without a clip says what there is instead.

    `is_player` False: pictures that lead to the clips, for what is replaced time and again.
    """
    simulation = " · simulation" if gallery.is_simulated else ""
    head = f"<b>{escape(to_totals(gallery))}</b>{simulation}"
    more = f"<p>{escape(_more(gallery, cards))}</p>" if gallery.total > len(cards) else ""
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


def to_text(gallery: Gallery, cards: Sequence[Card]) -> str:
    """The totals, then a line a job: its id, its state, where its clip is."""
    ids = [one_line(card.job_id, 40) for card in cards]
    states = [one_line(to_state(card), 40) for card in cards]
    widths = [max(map(len, column), default=0) for column in (ids, states)]
    lines = [to_totals(gallery) + (" · simulation" if gallery.is_simulated else "")]
    for card, job_id, state in zip(cards, ids, states, strict=True):
        words = (f"{job_id:<{widths[0]}}", f"{state:<{widths[1]}}", _outcome(card))
        lines.append("  ".join(words).rstrip())
    if gallery.total > len(cards):
        lines.append(_more(gallery, cards))
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


def to_progress_line(gallery: Gallery, elapsed_s: float, width: int) -> str:
    """One line of at most `width` characters for a terminal that redraws it in place."""
    return one_line(f"{to_totals(gallery)} · {to_clock(elapsed_s)}", width)


def _outcome(card: Card) -> str:
    """Where the clip is, or why there is none."""
    return one_line(clip_place(card) or card.problem or "", 200)


def _more(gallery: Gallery, cards: Sequence[Card]) -> str:
    return f"… and {gallery.total - len(cards):,} more: %cometvid jobs"


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
    player = _player(card, poster, is_player=is_player) if card.phase is Phase.COMPLETED else ""
    return f'<div style="{_CELL}">{player}<div style="{_WORDS_STYLE}">{rows}</div></div>'


def _player(card: Card, poster: str | None, *, is_player: bool) -> str:
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
