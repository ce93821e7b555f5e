"""Remembered jobs as a plain table: what a saved notebook, an export and a terminal show."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from ..job.ids import MOST_CHARACTERS, shown_id
from ..job.plain import squeezed
from .found import Found, find, within
from .html import code, foreign, no_math, quiet
from .job_list import JobRow, number_text
from .markup import Markup
from .table import html_table, text_lines
from .text import clock_text, one_line
from .words import WORDS, fill

MOST_PROMPT_CHARACTERS = 600
"""Of one prompt in the HTML; a prompt may be a page long, and a table of twenty is no book."""
MOST_ROWS = 10_000
"""Of a plain table."""
TEXT_COLUMNS = 100
"""The width of the text where there is no terminal to ask."""
_PROMPT_LINES = 2
_INDENT = " " * 4

NONE_ALIKE = "No job matches. States: queued, in_progress, completed, failed."
NONE_AT_ALL = "No job is remembered."
WAY_TO_ALL = "%cometvid jobs --all"

_HEADS = ("When", "Prompt", "State", "Clip")
# The prompt has what the others leave: their words break, so that it is never squeezed.
_STYLES = (
    "white-space:nowrap",
    "width:100%;min-width:16em;overflow-wrap:anywhere",
    "min-width:7em",
    "min-width:12em;overflow-wrap:anywhere",
)


def jobs_to_bundle(
    rows: Sequence[JobRow],
    total: int,
    search: str = "",
    columns: int = TEXT_COLUMNS,
    way: str = WAY_TO_ALL,
) -> dict[str, str]:
    """Remembered jobs as HTML and as text; `total` is how many there are beside these, too.

    What `search` found is marked, and stands in what is shown of a long prompt. `columns` is the
    width of the text; `way` is what shows all of them.
    """
    if not rows:
        words = NONE_ALIKE if total else NONE_AT_ALL
        return {"text/html": no_math(Markup("<p>{}</p>").format(words)), "text/plain": words}
    more = more_text(len(rows), total, way)
    html = html_table(_HEADS, [_cells(row, search) for row in rows], _STYLES)
    text = _to_text(rows, search, columns)
    if more:
        html, text = html + Markup("<p>{}</p>").format(more), f"{text}\n{more}"
    return {"text/html": no_math(html), "text/plain": text}


def more_text(shown: int, total: int, way: str) -> str:
    """How many jobs there are beside those shown, and what shows them; empty if all are."""
    return f"{shown:,} of {number_text(total)} jobs. All: {way}" if total > shown else ""


def when_text(row: JobRow) -> str:
    """When a job began, in local time: it is a person's memory that this is compared with."""
    if row.began_at_s is not None:
        try:
            return f"{datetime.fromtimestamp(row.began_at_s).astimezone():%Y-%m-%d %H:%M}"
        except (ValueError, OverflowError, OSError):
            pass
    return "–"  # the API named a year that no calendar knows


def _prompt(row: JobRow, search: str, most: int) -> Found:
    """A prompt on one line, at most so long, with what was found in it."""
    return within(find(squeezed(row.prompt or ""), search), most)


def _state(row: JobRow) -> str:
    return one_line(row.state.replace("_", " "))


def _took(row: JobRow) -> str:
    return clock_text(row.took_s) if row.took_s is not None else ""


def _made_by(row: JobRow) -> str:
    continued = f"continues {shown_id(row.continued_from)}" if row.continued_from else None
    parts = (row.model, row.size, row.length, ", ".join(row.images), continued)
    return one_line(" · ".join(filter(None, parts)), 120)


def _reason(row: JobRow) -> str:
    """Why there is no clip, and what the API answered where its answer was no good."""
    answer = f" Answer: {one_line(row.answer, 120)}" if row.answer else ""
    return f"{one_line(row.problem or '', 200)}{answer}".strip()


def _rating(row: JobRow, search: str) -> Found | None:
    """What a person thinks of the clip: `★★★★☆ · picked · #comet`, with what was found in it."""
    return within(find(row.rating.words, search), 200) if row.rating is not None else None


def _cells(row: JobRow, search: str) -> list[str | Markup]:
    took = fill(WORDS["elapsed"]["ended"], clock=_took(row)) if row.took_s is not None else ""
    prompt = _marked(_prompt(row, search, MOST_PROMPT_CHARACTERS))
    made_by = quiet(_marked(find(_made_by(row), search)))
    beneath = Markup("<br>{} {}").format(_id(row, search), made_by)
    if rating := _rating(row, search):
        beneath += Markup("<br>") + foreign(_marked(rating))
    if reason := _reason(row):
        beneath += Markup("<br>") + foreign(reason)
    state: list[str | Markup] = [_state(row), quiet(took) if took else ""]
    return [
        when_text(row),
        foreign(prompt) + beneath,
        Markup("<br>").join(part for part in state if part),
        _clip(row),
    ]


def _id(row: JobRow, search: str) -> Markup:
    """An id, cut in the middle where it is long, unless what was found stands there."""
    whole = one_line(row.name, MOST_CHARACTERS)
    found = find(whole, search)
    shown = _marked(found) if found.hit else Markup("{}").format(shown_id(whole))
    return Markup('<code title="{}">{}</code>').format(whole, shown)


def _marked(found: Found) -> Markup:
    if not found.hit:
        return Markup("{}").format(found.before)
    return Markup("{}<mark>{}</mark>{}").format(*found)


def _clip(row: JobRow) -> str | Markup:
    if row.clip is None or row.clip.saved_to is None:
        return ""
    if row.clip.path is None:
        return code(one_line(row.clip.saved_to, 500))
    link = Markup('<a href="{}">{}</a>')
    path = quote(row.clip.path, errors="surrogateescape")
    return link.format(path, one_line(row.clip.path, 500))


def _to_text(rows: Sequence[JobRow], search: str, columns: int) -> str:
    heads = ("When", "Job", "State", "Took", "Made with")
    ids = [row.name if find(row.name, search).hit else shown_id(row.name) for row in rows]
    table = [
        (when_text(row), job_id, _state(row), _took(row), _made_by(row))
        for row, job_id in zip(rows, ids, strict=True)
    ]
    head, *lines = text_lines(heads, table)
    out = [head]
    for row, line in zip(rows, lines, strict=True):
        out += [line, *_details(row, search, max(40, columns))]
    return "\n".join(out)


def _details(row: JobRow, search: str, columns: int) -> list[str]:
    """The lines under a job: its prompt, why it has no clip, where the clip is."""
    room = columns - len(_INDENT)
    # A little less than the lines hold, as they break between words.
    prompt = _prompt(row, search, _PROMPT_LINES * room - 20)
    lines = textwrap.wrap("".join(prompt), room)
    if rating := _rating(row, search):
        lines.append("".join(rating))
    if reason := _reason(row):
        lines.append(f"{_state(row)}: {reason}")
    if row.clip is not None and row.clip.saved_to is not None:
        lines.append(f"clip: {one_line(row.clip.saved_to, 1000)}")
    return [_INDENT + line for line in lines]
