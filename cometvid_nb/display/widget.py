"""Bare widgets: they hold what the browser draws, and pass on what it asks for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..cards.card import Card
from ..cards.gallery import Gallery
from ..cards.html import card_to_bundle, gallery_to_bundle
from ..cards.words import WORDS

if TYPE_CHECKING:
    from ..watching.watch import Watch
    from .feed import CardFeed

_STATIC = Path(__file__).parent / "static"
CARD_PARTS = ("words.js", "dom.js", "kernel.js", "player.js", "card.js")
"""What a card's page is made of, in this order; `tests/js/jsconfig.json` checks them together."""
GALLERY_PARTS = (
    *CARD_PARTS,
    "sync.js",
    "tile.js",
    "gallery_model.js",
    "gallery_dom.js",
    "gallery.js",
)


def join(*parts: str, render: str | None = None) -> str:
    """Text of one module or style sheet, since anywidget loads a single Blob.

    `render` names the function that draws the view; None for a style sheet.
    """
    texts = [(_STATIC / part).read_text(encoding="utf-8") for part in parts]
    if render is None:
        return "\n".join(texts)
    words = f"const WORDS = {json.dumps(WORDS, ensure_ascii=False)};"
    module = f"export default {{ initialize: greet, render: {render} }};\n"
    return "\n".join([words, *texts, module])


class CometvidWidget(anywidget.AnyWidget):
    """What both widgets do. A page draws them, ticks by itself, and goes on when a wait is over."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_relaying = False
        """Whether a page has asked for a clip through the kernel."""
        self.is_loaded = False
        """Whether a page has loaded it, which a page without our front end never does."""
        self.is_used = False
        """Whether somebody plays its clips just now, and it should stay where it is."""
        self.on_request(self._note_page)

    def on_request(self, handle: Callable[[dict[str, Any]], None]) -> None:
        """Call `handle(message)` for each message of the page, a dict with a text `kind`."""

        def receive(_: Any, content: Any, __: Any) -> None:
            if isinstance(content, dict) and isinstance(content.get("kind"), str):
                handle(content)

        self.on_msg(receive)

    def tick(self, now_s: float) -> None:
        """The page ticks by itself."""

    def leave(self) -> None:
        """The page goes on by itself."""

    def _note_page(self, message: dict[str, Any]) -> None:
        self.is_loaded = True
        if message["kind"] in ("use", "hello"):  # a page that says hello has just been opened
            self.is_used = message.get("is_used") is True

    def static_bundle(self, *, is_player: bool = True) -> dict[str, str]:
        """What a front end without widgets shows instead; VS Code falls back to it, too.

        `is_player` False: it is going to be replaced, and a clip would begin anew each time.
        """
        raise NotImplementedError

    # ipywidgets 7 (Colab's) displays itself and forgets the `display_id`, so that no record could
    # ever take the widget's place, nor a plain card. Where this is None, the bundle is asked for.
    _ipython_display_ = None

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        inherited = getattr(super(), "_repr_mimebundle_", self._view_bundle)  # 7 has none
        bundle = inherited(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return ({**data, **self.static_bundle()}, metadata) if data is not None else None

    def _view_bundle(self, **kwargs: Any) -> dict[str, Any] | None:
        if self.comm is None:
            return None  # it was closed
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view}


class CardWidget(CometvidWidget):
    """The live card of one job, which becomes the player."""

    # Read here, once: anywidget would start watching a path for changes.
    _esm = join(*CARD_PARTS, render="renderCard")
    _css = join("card.css")
    card = traitlets.Dict(help="The card as JSON; see `Card.to_json`.").tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feed: CardFeed | None = None
        """What brings it its cards, once it shows a watch."""
        self._shown: Card | None = None

    @property
    def watch(self) -> Watch | None:
        """The watch that is shown: the latest, if the page has asked to watch its job again."""
        return self.feed.watch if self.feed is not None else None

    def show(self, card: Card, *, is_settled: bool = False) -> None:
        """Draw `card`. What looks the same as before sends nothing."""
        if card == self._shown:
            return
        self._shown = card
        self.card = card.to_json(time.time())

    def static_bundle(self, *, is_player: bool = True) -> dict[str, str]:
        if self._shown is None:
            return {"text/plain": f"{type(self).__name__} without a job"}
        return card_to_bundle(self._shown, is_player=is_player)


class GridWidget(CometvidWidget):
    """The live cards of many jobs, a page at a time; each becomes a player in its place.

    The whole of `gallery` goes to a page that opens; after that only what has changed, as messages.
    """

    _esm = join(*GALLERY_PARTS, render="renderGallery")
    _css = join("card.css", "gallery.css")
    gallery = traitlets.Dict(help="One page as JSON; see `Gallery.to_json`.").tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._shown: Gallery | None = None

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Draw `gallery`. What looks the same as before sends nothing."""
        is_first, self._shown = self._shown is None, gallery
        change = gallery.change(now_s)
        if change is None:
            return
        self.gallery = gallery.to_json(now_s)
        if is_first:
            super().send_state("gallery")
        else:
            self.send({"kind": "gallery_change", **change})

    def send_state(self, key: Any = None) -> None:
        """Send the state, but for `gallery` alone: its changes go as messages of their own."""
        if key != "gallery":
            super().send_state(key)

    def static_bundle(self, *, is_player: bool = True) -> dict[str, str]:
        if self._shown is None:
            return {"text/plain": f"{type(self).__name__} without jobs"}
        return gallery_to_bundle(self._shown, is_player=is_player)
