"""Bare widgets: hold the cards that the browser draws, and pass on the browser's messages."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..cards.beside import dated
from ..cards.card import Card
from ..cards.card_html import card_to_bundle
from ..cards.gallery import Gallery
from ..cards.gallery_html import MOST_RECORD_CARDS, gallery_to_bundle
from ..cards.words import WORDS
from ..notebook import shell
from .beside import Beside, display_promised
from .frontend import detect, has_output_areas
from .record import gallery_record

if TYPE_CHECKING:
    from ..watching.watch import Watch
    from .feed import CardFeed, GalleryFeed

_STATIC = Path(__file__).parent / "static"
PLAYER_PARTS = ("words.js", "dom.js", "kernel.js", "shared.js", "player.js")
CARD_PARTS = (
    *PLAYER_PARTS,
    "ratings.js",
    "popup.js",
    "verdict.js",
    "actions_dom.js",
    "actions.js",
    "card.js",
    "row_record.js",
)
"""The scripts of a card, in this order; `tests/js/jsconfig.json` type-checks them together.

anywidget loads one module from a Blob URL, where relative imports fail, so they are joined."""
GALLERY_PARTS = (
    *CARD_PARTS,
    "sync.js",
    "playhead.js",
    "sync_bar.js",
    "tile.js",
    "compare_dom.js",
    "compare.js",
    "gallery_model.js",
    "gallery_dom.js",
    "fold.js",
    "gallery.js",
    "record_events.js",
    "gallery_record.js",
)

_FOR_READERS = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n?|^[ \t]+", re.DOTALL | re.MULTILINE)
"""Comments that begin a line, and what lines are indented by: a sixth of the whole. Therefore no
text in backquotes may go over several lines."""
STYLES = ("card.css", "gallery.css", "compare.css", "jobs.css")
"""For every widget the same: a page has the style sheet of each widget on it, in whatever order,
and of two that differ the last one would win over the other's rules."""

PULL_EVERY_S = 2.0
"""Each question occupies the kernel for some milliseconds, and a card has a clock of its own."""
CONTAINED_DEPTH = 8
"""How deep a container is searched: containers can hold one another in a circle."""
MOST_RECORDS = 20
"""So many records beside displays of one widget are kept up to date; older ones name the moment
that they speak of."""


def join(*parts: str, render: str | None = None, initialize: str = "greet") -> str:
    """Return the files of `static/` as one module or style sheet, without what is for readers.

    `render` names the function that draws a view, None for a style sheet; `initialize` the one that
    begins a model, with a view or without. Each widget sends all of it to each page.
    """
    sources = [(_STATIC / part).read_text(encoding="utf-8") for part in parts]
    texts = [_FOR_READERS.sub("", source) for source in sources]
    if render is None:
        return "\n".join(texts)
    words = f"const WORDS = {json.dumps(WORDS, ensure_ascii=False)};"
    module = f"export default {{ initialize: {initialize}, render: {render} }};\n"
    return "\n".join([words, *texts, module])


class CometvidWidget(anywidget.AnyWidget):
    """The common part of both widgets: messages of the page, and the HTML for other front ends."""

    pull_every_s = traitlets.Float(
        help="How often a page asks for news of jobs; 0 = never, as it is told."
    ).tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        is_asking = detect(shell(), os.environ).is_asking
        super().__init__(pull_every_s=PULL_EVERY_S if is_asking else 0.0, **kwargs)
        self.is_relaying = False
        """Whether a page got a clip through the kernel. Then only the widget can play the clip, so
        that no record may replace it."""
        self.is_loaded = False
        """Whether a page has loaded the widget; a page without anywidget never does."""
        self.feed: Any = None
        """Brings the cards of watches; None: the widget shows no watch."""
        self.is_used = False
        """Whether somebody plays the clips just now, so that no record may replace the widget."""
        self.is_shared = False
        """Whether others may have the notebook open at the same time; see `beside`."""
        self._besides: deque[Beside] = deque(maxlen=MOST_RECORDS)
        """The records beside the outputs that show this widget."""
        self.on_request(self._note_page)
        if (here := shell()) is not None:
            here.events.register("post_run_cell", _record_shown)  # once, however often

    def on_request(self, handle: Callable[[dict[str, Any]], None]) -> None:
        """Call `handle(message)` for each message of a page: a dict whose `kind` is a text.

        Anything else is dropped, as a page may send what it likes.
        """

        def receive(_: Any, content: Any, __: Any) -> None:
            if isinstance(content, dict) and isinstance(content.get("kind"), str):
                handle(content)

        self.on_msg(receive)

    @property
    def is_closed(self) -> bool:
        """Whether it is closed for good: marimo does that when the cell runs anew."""
        # The attribute is of `comm.base_comm`, which has no public one; marimo's has it as well.
        return self.comm is None or getattr(self.comm, "_closed", False) is True

    def tick(self, now_s: float) -> None:
        """Do nothing: the page has a clock of its own."""

    def leave(self) -> None:
        """Do nothing: the widget goes on without a waiting cell."""

    def _is_left(self) -> bool:
        """Return whether the widget is closed; then nothing is drawn on it any more."""
        if self.is_closed and self.feed is not None:
            self.feed.leave(self)
        return self.is_closed

    def _note_page(self, message: dict[str, Any]) -> None:
        self.is_loaded = True
        self.is_shared = self.is_shared or message.get("is_shared") is True
        # A page sends "hello" when it opens; a page that was reloaded no longer plays.
        if message["kind"] in ("use", "hello"):
            self.is_used = message.get("is_used") is True

    @property
    def news(self) -> object:
        """What is worth a new version of the record, None before there is anything to show."""
        raise NotImplementedError

    def record_bundle(self, now_s: float) -> dict[str, str]:
        """Return what is known at `now_s` as static HTML and text, for wherever no widget lives."""
        raise NotImplementedError

    def add_record(self, *, is_shown: bool = True) -> Beside | None:
        """Put a record beside the output that shows this widget, by the next `display_promised`.

        None where a page could show both at once, or there is nothing to record. `is_shown` False:
        it is empty until its `show(True)`.
        """
        if self.news is None or not has_output_areas(shell()):
            return None
        beside = Beside(self, is_shown=is_shown)
        self._besides.append(beside)
        return beside

    def bundle(self, *, has_record: bool) -> dict[str, Any]:
        """Return the MIME bundle that shows this widget; VS Code falls back to its HTML.

        `has_record`: a record stands beside it, so that it must not be told twice where no widget
        lives.
        """
        view = self._view_bundle()
        if view is None:
            return {}
        told = (
            {"text/html": "", "text/plain": ""} if has_record else self.record_bundle(time.time())
        )
        return {**view, **told}

    # A widget of ipywidgets 7 (Colab's) displays itself without the `display_id`, so that nothing
    # could ever replace its output. With None here IPython asks for the bundle below instead.
    _ipython_display_ = None

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Show the widget with a record beside it."""
        if self.comm is None:
            return None
        # Colab draws no widget of others without what anywidget tells in the metadata.
        _, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return self.bundle(has_record=self.add_record() is not None), metadata

    def _redraw_records(self) -> None:
        for beside in list(self._besides):
            beside.redraw()

    def _view_bundle(self) -> dict[str, Any] | None:
        """Return the bundle that ipywidgets 8 makes; None for a closed widget."""
        if self.comm is None:
            return None
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view}


class CardWidget(CometvidWidget):
    """The live card of one job, which becomes the player."""

    # Text and not a path: for a path anywidget starts to watch the file for changes.
    _esm = join(*CARD_PARTS, render="renderCard", initialize="greetCard")
    _css = join(*STYLES)
    card = traitlets.Dict(help="The card as JSON; see `Card.to_json`.").tag(sync=True)
    feed: CardFeed | None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._shown: Card | None = None
        """The card shown last, to send only what differs, and for `record_bundle`."""

    @property
    def watch(self) -> Watch | None:
        """The watch on the card, None without one; the latest if its job was watched again."""
        return self.feed.watch if self.feed is not None else None

    def show(self, card: Card, *, is_settled: bool = False) -> None:
        """Draw `card`; a card that equals the last one sends nothing to the page."""
        if card == self._shown or self._is_left():
            return
        self._shown = card
        self.card = card.to_json(time.time())
        self._redraw_records()

    @property
    def news(self) -> object:
        card = self._shown
        if card is None:
            return None
        quarter = int((card.progress_percent or 0) // 25)
        return card.phase, quarter, card.problem, card.saving is None, card.clip, card.rating

    def record_bundle(self, now_s: float) -> dict[str, str]:
        if self._shown is None:
            return {"text/plain": f"{type(self).__name__} without a job"}
        return card_to_bundle(self._shown, known_at_s=now_s)


class GridWidget(CometvidWidget):
    """The live cards of many jobs, a page at a time; each becomes a player in its place.

    A page that opens gets all of `gallery`; after that it gets only the changes, as messages.
    """

    _esm = join(*GALLERY_PARTS, render="renderGallery", initialize="greetGallery")
    _css = join(*STYLES)
    gallery = traitlets.Dict(help="One page as JSON; see `Gallery.to_json`.").tag(sync=True)
    feed: GalleryFeed | None
    record_token = traitlets.Unicode(help="By it a record in the page finds its widget.").tag(
        sync=True
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(record_token=secrets.token_hex(8), **kwargs)
        self._shown: Gallery | None = None

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Draw the changes of `gallery`; without a visible change nothing is sent to the page."""
        if self._is_left():
            return
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
        self._redraw_records()

    def send_state(self, key: Any = None) -> None:
        """Send the state, but not for a change of `gallery`: that goes as a smaller message."""
        if key != "gallery":
            super().send_state(key)

    @property
    def news(self) -> object:
        if self._shown is None:
            return None
        known = sum(state.job is not None for state in self._shown.states)
        return known, tuple(self._shown.totals.values()), self._shown.is_settled

    def record_bundle(self, now_s: float) -> dict[str, str]:
        if self._shown is None:
            return {"text/plain": f"{type(self).__name__} without jobs"}
        if self._shown.is_settled:
            # Without the widget's token: this record shows only where the widget does not live.
            return gallery_record(self._shown)
        # Without players, which a replaced output would start again, and without posters, which
        # are megabytes.
        cards = [_without_poster(card) for card in self._shown.cards(MOST_RECORD_CARDS)]
        bundle = gallery_to_bundle(self._shown, cards, is_player=False)
        return dated(bundle, now_s, "%cometvid resume")


def _without_poster(card: Card) -> Card:
    return card if card.clip is None else replace(card, clip=replace(card.clip, poster=None))


def _record_shown(result: Any) -> None:
    """Put records behind the widgets of a cell, also those in its result, an `HBox` or the like."""
    info = getattr(result, "info", None)
    if not str(getattr(info, "raw_cell", "")).rstrip().endswith(";"):
        for widget in _contained(getattr(result, "result", None), CONTAINED_DEPTH):
            widget.add_record()
    display_promised()


def _contained(container: Any, depth: int) -> Iterator[CometvidWidget]:
    children = (
        getattr(container, "children", ()) if isinstance(container, traitlets.HasTraits) else ()
    )
    for child in children if depth else ():
        if isinstance(child, CometvidWidget):
            yield child
        yield from _contained(child, depth - 1)
