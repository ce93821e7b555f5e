"""The record of a gallery with its script: what a notebook keeps, alive again where it can be.

Where no script may run (an untrusted notebook, GitHub) JupyterLab's sanitizer takes it out, and
nothing dead is left: all that needs it is built by it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..cards.card import Card
from ..cards.gallery import Gallery
from ..cards.gallery_html import gallery_to_bundle
from ..cards.trusted import PLAY_SERVED

STATIC = Path(__file__).parent / "static"
RECORD_PARTS = ("dom.js", "record_events.js", "sync.js", "playhead.js", "sync_bar.js", "record.js")


def _script() -> str:
    texts = [PLAY_SERVED, *((STATIC / part).read_text(encoding="utf-8") for part in RECORD_PARTS)]
    # A notebook is sent and compared as a whole: without what only people read.
    lines = [line.strip() for line in _without_comments("\n".join(texts)).splitlines()]
    style = json.dumps(" ".join((STATIC / "record.css").read_text(encoding="utf-8").split()))
    return f"const RECORD_STYLE = {style};\n" + "\n".join(filter(None, lines))


def _without_comments(code: str) -> str:
    """Without JSDoc and lines that are comments; one behind code stays, as it might be a string."""
    kept, is_inside = [], False
    for line in code.splitlines():
        begins = line.lstrip().startswith("/**")
        if not (is_inside or begins or line.lstrip().startswith("//")):
            kept.append(line)
        is_inside = (is_inside or begins) and "*/" not in line
    return "\n".join(kept)


SCRIPT = _script()


def gallery_record(
    gallery: Gallery,
    cards: Sequence[Card] | None = None,
    *,
    token: str = "",
    is_player: bool = True,
) -> dict[str, str]:
    """The MIME bundle of a gallery's record; see `gallery_to_bundle`.

    `token` names the widget of the live gallery (its `record_token`), which takes the record's
    place wherever a page has both.
    """
    bundle = gallery_to_bundle(gallery, cards, is_player=is_player)
    if not is_player:
        return bundle
    serve = "playServed(document.currentScript.parentElement);"
    wake = f"{serve}\nwakeRecord(document.currentScript, {json.dumps(token)});"
    script = f"<script>(() => {{\n{SCRIPT}\n{wake}\n}})();</script>"
    html = bundle["text/html"].removesuffix("</div>")
    return {**bundle, "text/html": f"{html}{script}</div>"}
