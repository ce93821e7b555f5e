"""Tables of settings and of remembered jobs, as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from IPython.core.display_functions import display

from ..cards.html import code, code_of_id, foreign, quiet
from ..cards.markup import Markup
from ..cards.text import clock_text, one_line
from ..cards.words import WORDS, fill
from ..clips.places import page_path
from ..errors import MissingKey, SettingsError
from ..job.ids import shown_id
from ..ledger.entry import Entry
from ..machine import writable
from ..settings import Settings

MOST_COUNTED = 10_000
"""Of the jobs beside those of a table: to count a million takes longer than to show twenty."""
_JOB_HEADS = ("When", "Job", "State", "Prompt", "Clip")
_JOB_COLUMNS = ("When", "Job", "Model", "Size", "Length", "State", "Took", "Prompt", "Clip")


def settings_bundle(settings: Settings) -> dict[str, str]:
    """Every setting, its value and its meaning; the key masked.

    Below them why the API cannot be asked, where it cannot: the settings themselves work then.
    """
    rows = []
    for field in fields(settings):
        value: Any = getattr(settings, field.name)
        if isinstance(value, bool):
            value = "on" if value else "off"
        elif isinstance(value, float):
            value = f"{value:g}"
        shown = "not set" if value is None or value == "" else one_line(str(value))
        if value is None and not settings.needs_key:
            shown = "not set, none needed"
        rows.append((field.name, shown, field.metadata["help"]))
    cells = [[code(name), shown, meaning] for name, shown, meaning in rows]
    head = ("Setting", "Value", "What it is")
    html, text = html_table(head, cells), text_table(head, rows)
    try:
        settings.check_api()
    except MissingKey:
        pass  # the table says so
    except SettingsError as error:
        fault = f"The API cannot be asked: {error}. {error.advice or ''}"
        html, text = html + Markup("<p>{}</p>").format(fault), f"{text}\n{one_line(fault, 600)}"
    return {"text/html": str(html), "text/plain": text}


def jobs_bundle(entries: Sequence[Entry], total: int, beside: Path) -> dict[str, str]:
    """Remembered jobs, the latest first.

    `total` is how many there are in all, counted up to one more than `MOST_COUNTED`. `beside` is
    where the notebook lies: clips there get a link.
    """
    if not entries:
        none = "No job matches. States: queued, in_progress, completed, failed."
        words = none if total else "No job is remembered."
        return {"text/html": f"<p>{words}</p>", "text/plain": words}
    html = html_table(_JOB_HEADS, [_job_cells(entry, beside) for entry in entries])
    text = text_table(_JOB_COLUMNS, [_job_row(entry) for entry in entries])
    if total > len(entries):
        count = f"{total:,}" if total <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"
        more = f"{len(entries):,} of {count} jobs. "
        if len(entries) < MOST_COUNTED:
            more += "All: %cometvid jobs --all"
        else:
            more += "All: pandas.DataFrame(cometvid_nb.jobs())"
        html, text = html + Markup("<p>{}</p>").format(more), f"{text}\n{more}"
    return {"text/html": str(html), "text/plain": text}


def _job_row(entry: Entry) -> tuple[str, ...]:
    words = (
        _when(entry),
        shown_id(entry.name),
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
    when, _, model, size, seconds, state, took, prompt, _ = _job_row(entry)
    made_by = " · ".join(filter(None, (model, size, seconds)))
    took = fill(WORDS["elapsed"]["ended"], clock=took) if took else ""
    two_lines = Markup("{}<br>{}")
    return [
        _no_wrap(when),
        two_lines.format(_no_wrap(code_of_id(entry.name)), quiet(made_by)),
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
    # Apart, as the problem may be cut before its end, where the same words stand.
    answer = f" Answer: {one_line(entry.answer, 120)}" if entry.answer else ""
    return entry.state.replace("_", " ") + reason + answer


def _no_wrap(html: str | Markup) -> Markup:
    return Markup('<span style="white-space:nowrap">{}</span>').format(html)


def show(bundle: dict[str, str]) -> None:
    """Show `bundle` as the output of the cell; a terminal gets the signs that it can write."""
    display({**bundle, "text/plain": writable(bundle["text/plain"])}, raw=True)


def html_table(head: Sequence[str], rows: Sequence[Sequence[str | Markup]]) -> Markup:
    """Return a table; whatever is no `Markup` in it is escaped."""
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


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the same as text: a line for each row, the columns below their heads."""
    lines = [tuple(head), *(tuple(one_line(text) for text in row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
