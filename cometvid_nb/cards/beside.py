"""The record beside a widget: HTML that shows only where the widget next to it does not live.

The page alone decides, by the rules below, as nobody is there to ask once a kernel has died. They
speak of JupyterLab's and Notebook 7's output areas; `display.beside` uses them nowhere else. An
untrusted notebook strips them, and there no widget is drawn: the record shows.
"""

from __future__ import annotations

from .html import quiet
from .markup import Markup
from .text import to_moment
from .trusted import trusted
from .words import WORDS

CLASS = "cometvid-beside"
LATE_S = 4
"""A widget has loaded by then, so that the record does not flash up before it."""

_AREA, _CHILD = ".jp-OutputArea", ".jp-OutputArea-child"
_OUTPUT = "> .jp-OutputArea-output"
_OURS = f"{_CHILD}:has({_OUTPUT} > .{CLASS})"
_LIVES = ":has(.cometvid-root:not(.jp-RenderedHTMLCommon *))"
# ipywidgets' renderer: "Loading widget…" and "Error displaying widget: model not found" are bare
# text in the output's own node, which only the error gives the class of a widget. A page without
# anywidget has a broken picture there, in red, which tells the error when it is clicked.
_BARE = f"{_CHILD}:has({_OUTPUT}.lm-Panel):not(:has({_OUTPUT} > *))"
_BROKEN = f"{_OUTPUT} > .jupyter-widgets > .jupyter-widgets-error-widget"
_DEAD = f":is({_BARE}, {_CHILD}:has({_BROKEN}))"
_RULES = f"""
{_AREA}{_LIVES} > {_OURS} {{ display: none; }}
{_AREA}:not({_LIVES}) > {_DEAD}:has(~ {_CHILD} {_OUTPUT} > .{CLASS}) {{ display: none; }}
@media screen {{
  .jp-NotebookPanel {_OURS} {{ animation: cometvid-late 0s {LATE_S}s backwards; }}
  .jp-NotebookPanel {_AREA}:has(> {_CHILD} {_OUTPUT}.jupyter-widgets) > {_OURS},
  .jp-NotebookPanel {_AREA}:has(> {_CHILD} {_BROKEN}) > {_OURS} {{ animation: none; }}
}}
@keyframes cometvid-late {{ from {{ visibility: hidden; max-height: 0; overflow: hidden; }} }}
"""
_RULES = " ".join(_RULES.split())


def beside_bundle(bundle: dict[str, str]) -> dict[str, str]:
    """Make a record's MIME bundle one that stands beside a widget."""
    html = f'<div class="{CLASS}"><style>{_RULES}</style>{bundle.get("text/html", "")}</div>'
    return {**bundle, "text/html": html}


def dated(bundle: dict[str, str], known_at_s: float, command: str) -> dict[str, str]:
    """Put above a record of what still goes on when it was known, and what shows what it became."""
    words = f"As it was at {to_moment(known_at_s)}. {WORDS['became']}"
    line = Markup(
        '<div class="cometvid-dated" style="display:flex;flex-wrap:wrap;gap:4px 8px;'
        'align-items:center;margin:4px 0 8px;font-size:13px">{} {}</div>'
    ).format(quiet(words), Markup('<code class="cometvid-command">{}</code>').format(command))
    return {
        "text/html": trusted(f"{line}{bundle.get('text/html', '')}"),
        "text/plain": f"{words} {command}\n{bundle.get('text/plain', '')}",
    }
