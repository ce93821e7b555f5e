"""What a record gains where a page allows styles and scripts: a trusted notebook, an HTML export.

There it looks as the live card does, to the pixel (`static/card.css` has the same measures), and a
command has a button that copies it. Where they are stripped, the record says the same without.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

_FOLDER = Path(__file__).parent
STYLE = " ".join((_FOLDER / "card_record.css").read_text(encoding="utf-8").split())
PLAY_SERVED = (_FOLDER / "served.js").read_text(encoding="utf-8")
"""Lets a page of Jupyter's look for a clip from its server's root where its path leads nowhere: in
a notebook of another folder than the one where the kernel began, or that was moved."""
SCRIPT = f"{{{PLAY_SERVED}{(_FOLDER / 'card_record.js').read_text(encoding='utf-8')}}}"

_RING = "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5z"
ICONS: Mapping[str, str] = {
    "starting": f"{_RING}M8 4.75V8l2.25 1.5",
    "queued": f"{_RING}M8 4.75V8l2.25 1.5",
    "running": "M8 1.75a6.25 6.25 0 1 1-6.25 6.25",
    "unknown": f"{_RING}M6.2 6.3a1.85 1.85 0 1 1 2.6 1.75c-.55.25-.8.6-.8 1.2M8 11.4v.1",
    "completed": f"{_RING}M5.2 8.2l2 2l3.7-4.2",
    "failed": f"{_RING}M5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2",
    "stopped": f"{_RING}M6.1 6.1h3.8v3.8h-3.8z",
    "gave_up": "M4.5 1.75h7M4.5 14.25h7M5.25 1.75c0 3.6 5.5 5.5 5.5 12.5M10.75 1.75"
    "c0 3.6-5.5 5.5-5.5 12.5",
    "broken": "M8 2.1l6.2 11.4H1.8zM8 6.4v3.2M8 11.6v.1",
}
"""The shapes of `ICONS` in static/words.js, by phase: a test compares the two."""


def trusted(html: str, *phases: str) -> str:
    """Return a record that looks alive where that is allowed; `phases`: those whose icons it shows.

    `html` is drawn as it is: a piece of ours, in which every foreign text is escaped.
    """
    icons = "".join(f".cometvid-is-{phase}{{--cometvid-icon:{_mask(phase)}}}" for phase in phases)
    # One line: a Markdown export ends a block of HTML at an empty one.
    script = " ".join(line.strip() for line in SCRIPT.splitlines())
    return f"{html}<style>{STYLE} {icons}</style><script>{script}</script>"


def _mask(phase: str) -> str:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#000" '
        'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="{ICONS[phase]}"/></svg>'
    )
    return f'url("data:image/svg+xml,{quote(svg, safe="")}")'
