"""Tables of settings and of remembered jobs, as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from html import escape
from typing import Any

from .ledger import Entry
from .record import one_line, to_clock
from .settings import Settings

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
    return _bundle(("Setting", "Value", "What it is"), rows)


def jobs_bundle(entries: Sequence[Entry], total: int) -> dict[str, str]:
    """Remembered jobs, the latest first; `total` is how many there are in all."""
    if not entries:
        words = "No job is remembered." if not total else "No remembered job is like that."
        return {"text/html": f"<p>{words}</p>", "text/plain": words}
    bundle = _bundle(_JOB_COLUMNS, [_job_row(entry) for entry in entries])
    if total > len(entries):
        more = f"{len(entries)} of {total} jobs. All: %cometvid jobs --all"
        bundle["text/html"] += f"<p>{escape(more)}</p>"
        bundle["text/plain"] += f"\n{more}"
    return bundle


def _job_row(entry: Entry) -> tuple[str, ...]:
    # Local time: it is a person's memory that this is compared with.
    began = datetime.fromtimestamp(entry.began_at_s).astimezone()
    state = entry.state.replace("_", " ")
    reason = f": {one_line(entry.problem, 80)}" if entry.problem else ""
    return (
        f"{began:%Y-%m-%d %H:%M}",
        entry.job_id or "–",
        entry.model or "",
        (entry.size or "").replace("x", "×"),
        f"{entry.seconds} s" if entry.seconds else "",
        state + reason,
        to_clock(entry.took_s) if entry.took_s is not None else "",
        one_line(entry.prompt or "", 60),
        entry.clip or "",
    )


def _bundle(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    cell = 'style="text-align:left;vertical-align:top;white-space:normal;overflow-wrap:anywhere"'
    html_head = "".join(f"<th {cell}>{escape(name)}</th>" for name in head)
    html_rows = "".join(
        f"<tr>{''.join(f'<td {cell}>{escape(text)}</td>' for text in row)}</tr>" for row in rows
    )
    lines = [tuple(head), *(tuple(one_line(text) for text in row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = "\n".join(
        "  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    html = f"<table><thead><tr>{html_head}</tr></thead><tbody>{html_rows}</tbody></table>"
    return {"text/html": html, "text/plain": text}
