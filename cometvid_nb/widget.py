"""JobWidget: holds one card for the browser, and passes on what the browser asks for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from .card import Card
from .record import to_bundle

_STATIC = Path(__file__).parent / "static"


class JobWidget(anywidget.AnyWidget):
    """The live card of one job, which becomes the player.

    `JobWidget("video_abc123")` watches that job and can stand alone or inside `HBox`, `VBox`,
    `Tab` and their like. `.watch` is the `Watch` behind it, None for a widget without a job.

    Raises:
        SettingsError: no key is set. ValueError: the text cannot be a job id.
    """

    # Read here, once: anywidget would start watching a path for changes.
    _esm = (_STATIC / "widget.js").read_text(encoding="utf-8")
    _css = (_STATIC / "widget.css").read_text(encoding="utf-8")
    card = traitlets.Dict(help="The card as JSON; see `Card.to_json`.").tag(sync=True)

    def __init__(self, job_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.watch: Any = None
        self.is_relaying = False
        """Whether a page has asked for the clip through the kernel."""
        self._shown: Card | None = None
        self._bundle = {"text/plain": "JobWidget without a job"}
        if job_id is not None:
            # The one constructor that people call without a session in hand.
            from .session import current

            current().attach(self, job_id)

    def show(self, card: Card) -> None:
        """Draw `card`. What looks the same as before sends nothing."""
        if card == self._shown:
            return
        self._shown = card
        self._bundle = to_bundle(card)
        self.card = card.to_json(time.time())

    def on_request(self, handle: Callable[[dict[str, Any]], None]) -> None:
        """Call `handle(message)` for each message of the page, a dict with a text `kind`."""

        def receive(_: Any, content: Any, __: Any) -> None:
            if isinstance(content, dict) and isinstance(content.get("kind"), str):
                handle(content)

        self.on_msg(receive)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # What a front end without widgets shows instead; VS Code falls back to it, too.
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return ({**data, **self._bundle}, metadata) if data is not None else None
