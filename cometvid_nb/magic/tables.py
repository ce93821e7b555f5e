"""Tables of settings and of remembered jobs, as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from ..cards.html import code, foreign, quiet
from ..cards.text import clock_text, one_line
from ..cards.words import WORDS, fill
from ..clips.places import page_path
from ..ledger.ledger import Entry
from ..settings import Settings

_JOB_HEADS = ("When", "Job", "State", "Prompt", "Clip")
_JOB_COLUMNS = ("When", "Job", "Model", "Size", "Length", "State", "Took", "Prompt", "Clip")


def settings_bundle(settings: Settings) -> dict[str, str]:
    """Every setting, its value and its meaning; the key masked."""
    rows = []
    for field in fields(settings):
        value: Any = getattr(settings, field.name)
        if isinstance(value, bool):
            value = "on" if value else "off"
        elif isinstance(value, float):
            value = f"{value:g}"
        shown = "not set" if value is None else str(value)
        rows.append((field.name, shown, field.metadata["help"]))
    cells = [[code(name), shown, meaning] for name, shown, meaning in rows]
    head = ("Setting", "Value", "What it is")
    return {"text/html": str(_html_table(head, cells)), "text/plain": _text_table(head, rows)}


def jobs_bundle(entries: Sequence[Entry], total: int, beside: Path) -> dict[str, str]:
    """Remembered jobs, the latest first.

    `total` is how many there are in all, `beside` where the notebook lies: clips there get a link.
    """
    if not entries:
        words = "No remembered job is like that." if total else "No job is remembered."
        return {"text/html": f"<p>{words}</p>", "text/plain": words}
    html = _html_table(_JOB_HEADS, [_job_cells(entry, beside) for entry in entries])
    text = _text_table(_JOB_COLUMNS, [_job_row(entry) for entry in entries])
    if total > len(entries):
        more = f"{len(entries)} of {total} jobs. All: %cometvid jobs --all"
        html, text = html + Markup("<p>{}</p>").format(more), f"{text}\n{more}"
    return {"text/html": str(html), "text/plain": text}


def _job_row(entry: Entry) -> tuple[str, ...]:
    words = (
        _when(entry),
        entry.name,
        entry.model or "",
        (entry.size or "").replace("x", "×"),
        f"{entry.seconds} s" if entry.seconds else "",
        _state(entry),
        clock_text(entry.took_s) if entry.took_s is not None else "",
        one_line(entry.prompt or "", 60),
        entry.clip or "",
    )
    return tuple(map(one_line, words))


def _job_cells(entry: Entry, beside: Path) -> list[str | Markup]:
    """The same in five columns of HTML: nine are too many for a notebook."""
    when, job_id, model, size, seconds, state, took, prompt, _ = _job_row(entry)
    made_by = " · ".join(filter(None, (model, size, seconds)))
    took = fill(WORDS["elapsed"]["ended"], clock=took) if took else ""
    two_lines = Markup("{}<br>{}")
    return [
        _no_wrap(when),
        two_lines.format(_no_wrap(code(job_id)), quiet(made_by)),
        two_lines.format(state, quiet(took)),
        foreign(prompt),
        _clip(entry, beside),
    ]


def _clip(entry: Entry, beside: Path) -> str | Markup:
    if entry.clip is None:
        return ""
    path = None if "://" in entry.clip else page_path(Path(entry.clip), beside)
    if path is None:
        return code(entry.clip)
    return Markup('<a href="{}">{}</a>').format(quote(path), path)


def _when(entry: Entry) -> str:
    # Local time: it is a person's memory that this is compared with.
    try:
        return f"{datetime.fromtimestamp(entry.began_at_s).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return "–"  # the API named a year that no calendar knows


def _state(entry: Entry) -> str:
    reason = f": {one_line(entry.problem, 80)}" if entry.problem else ""
    return entry.state.replace("_", " ") + reason


def _no_wrap(html: str | Markup) -> Markup:
    return Markup('<span style="white-space:nowrap">{}</span>').format(html)


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str | Markup]]) -> Markup:
    style = "text-align:left;vertical-align:top;white-space:normal"
    name, cell, row = (
        Markup('<th style="{}">{}</th>'),
        Markup('<td style="{}">{}</td>'),
        Markup("<tr>{}</tr>"),
    )
    heads = row.format(Markup("").join(name.format(style, words) for words in head))
    body = Markup("").join(
        row.format(Markup("").join(cell.format(style, words) for words in cells)) for cells in rows
    )
    return Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(heads, body)


def _text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [tuple(head), *(tuple(one_line(text) for text in row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
