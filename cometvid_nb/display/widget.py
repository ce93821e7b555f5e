"""Bare widgets: hold the cards that the browser draws, and pass on the browser's messages."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..cards.card import Card
from ..cards.card_html import card_to_bundle
from ..cards.gallery import Gallery
from ..cards.gallery_html import gallery_to_bundle
from ..cards.words import WORDS

if TYPE_CHECKING:
    from ..watching.watch import Watch
    from .feed import CardFeed

_STATIC = Path(__file__).parent / "static"
CARD_PARTS = ("words.js", "dom.js", "kernel.js", "player.js", "card.js")
"""The scripts of a card, in this order; `tests/js/jsconfig.json` type-checks them together.

anywidget loads one module from a Blob URL, where relative imports fail, so they are joined."""
GALLERY_PARTS = (
    *CARD_PARTS,
    "sync.js",
    "tile.js",
    "gallery_model.js",
    "gallery_dom.js",
    "gallery.js",
)

_FOR_READERS = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n?|^[ \t]+", re.DOTALL | re.MULTILINE)
"""Comments that begin a line, and what lines are indented by: a sixth of the whole. Therefore no
text in backquotes may go over several lines."""
STYLES = ("card.css", "gallery.css")
"""The same for every widget: a page has the sheet of each widget on it, in whatever order, and the
last one would win over the rules of another."""


def join(*parts: str, render: str | None = None) -> str:
    """Return the files of `static/` as one module or style sheet, without what is for readers.

    `render` names the function that draws a view; None for a style sheet. Each widget sends all of
    it to each page.
    """
    sources = [(_STATIC / part).read_text(encoding="utf-8") for part in parts]
    texts = [_FOR_READERS.sub("", source) for source in sources]
    if render is None:
        return "\n".join(texts)
    words = f"const WORDS = {json.dumps(WORDS, ensure_ascii=False)};"
    module = f"export default {{ initialize: greet, render: {render} }};\n"
    return "\n".join([words, *texts, module])


class CometvidWidget(anywidget.AnyWidget):
    """The common part of both widgets: messages of the page, and the HTML for other front ends."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_relaying = False
        """Whether a page got a clip through the kernel. Then only the widget can play the clip, so
        that no record may replace it."""
        self.is_loaded = False
        """Whether a page has loaded the widget; a page without anywidget never does."""
        self.is_used = False
        """Whether somebody plays the clips just now, so that no record may replace the widget."""
        self.on_request(self._note_page)

    def on_request(self, handle: Callable[[dict[str, Any]], None]) -> None:
        """Call `handle(message)` for each message of a page: a dict whose `kind` is a text.

        Anything else is dropped, as a page may send what it likes.
        """

        def receive(_: Any, content: Any, __: Any) -> None:
            if isinstance(content, dict) and isinstance(content.get("kind"), str):
                handle(content)

        self.on_msg(receive)

    def tick(self, now_s: float) -> None:
        """Do nothing: the page has a clock of its own."""

    def leave(self) -> None:
        """Do nothing: the widget goes on without a waiting cell."""

    def _note_page(self, message: dict[str, Any]) -> None:
        self.is_loaded = True
        # A page sends "hello" when it opens; a page that was reloaded no longer plays.
        if message["kind"] in ("use", "hello"):
            self.is_used = message.get("is_used") is True

    def static_bundle(self, *, is_player: bool = True) -> dict[str, str]:
        """Return the bundle for front ends without widgets; VS Code falls back to it as well.

        `is_player` False: without the player, for an output that is going to be replaced, as the
        clip would start again each time.
        """
        raise NotImplementedError

    # A widget of ipywidgets 7 (Colab's) displays itself without the `display_id`, so that nothing
    # could ever replace its output. With None here IPython asks for the bundle below instead.
    _ipython_display_ = None

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        inherited = getattr(super(), "_repr_mimebundle_", self._view_bundle)  # ipywidgets 7: none
        bundle = inherited(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return ({**data, **self.static_bundle()}, metadata) if data is not None else None

    def _view_bundle(self, **kwargs: Any) -> dict[str, Any] | None:
        """Return the bundle that ipywidgets 8 makes; None for a closed widget."""
        if self.comm is None:
            return None
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view}


class CardWidget(CometvidWidget):
    """The live card of one job, which becomes the player."""

    # Text and not a path: for a path anywidget starts to watch the file for changes.
    _esm = join(*CARD_PARTS, render="renderCard")
    _css = join(*STYLES)
    card = traitlets.Dict(help="The card as JSON; see `Card.to_json`.").tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feed: CardFeed | None = None
        """Brings the cards of a watch; None: the widget shows no watch."""
        self._shown: Card | None = None
        """The card shown last, to send only what differs, and for `static_bundle`."""

    @property
    def watch(self) -> Watch | None:
        """The watch on the card, None without one; the latest if its job was watched again."""
        return self.feed.watch if self.feed is not None else None

    def show(self, card: Card, *, is_settled: bool = False) -> None:
        """Draw `card`; a card that equals the last one sends nothing to the page."""
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

    A page that opens gets all of `gallery`; after that it gets only the changes, as messages.
    """

    _esm = join(*GALLERY_PARTS, render="renderGallery")
    _css = join(*STYLES)
    gallery = traitlets.Dict(help="One page as JSON; see `Gallery.to_json`.").tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._shown: Gallery | None = None

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Draw the changes of `gallery`; without a visible change nothing is sent to the page."""
        is_first, self._shown = self._shown is None, gallery
        change = gallery.change(now_s)
        if change is None:
            return
        # For pages that open later; `send_state` keeps the assignment itself from being sent.
        self.gallery = gallery.to_json(now_s)
        if is_first:
            super().send_state("gallery")
        else:
            self.send({"kind": "gallery_change", **change})

    def send_state(self, key: Any = None) -> None:
        """Send the state, but not for a change of `gallery`: that goes as a smaller message."""
        if key != "gallery":
            super().send_state(key)

    def static_bundle(self, *, is_player: bool = True) -> dict[str, str]:
        if self._shown is None:
            return {"text/plain": f"{type(self).__name__} without jobs"}
        return gallery_to_bundle(self._shown, is_player=is_player)
