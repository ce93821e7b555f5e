"""Page: watches shown as widgets in a page, or as plain HTML where the page cannot draw widgets.

A page whose server lacks the anywidget extension (the kernel lives in another environment) shows
dead error text in the place of a widget, and nothing tells the kernel. So a page says "loaded"
when it has the model, whether or not the cell is in sight. If nothing is heard while the kernel is
free to hear it, the output becomes plain HTML, replaced at each change; a late word undoes that.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

from ..cards.card import Card
from ..cards.gallery import Gallery, Group
from ..cards.html import card_to_bundle, gallery_to_bundle
from ..notebook import spawn, until_idle
from .embedding import last_cards

if TYPE_CHECKING:
    from .widget import CardWidget, CometvidWidget, GridWidget

LOADED_WITHIN_S = 3.0
"""So long may a page take to load a widget, counted only while the kernel is free to hear of it."""
REDRAWN_EVERY_S = 2.0
"""Each change of a plain output sends all of it."""

PAGE_TRIES_S = 5.0
"""How long a page may take to find that it cannot play a link."""
COMPARED_WITHIN_S = 20.0
"""So long the live gallery stays when all is done, as only there the clips play in sync; as long
as somebody plays them, it stays."""
LOOKED_AT_EVERY_S = 2.0
"""How often a gallery whose jobs are done looks whether somebody plays its clips."""

NOTE = (
    '<p style="opacity:0.75;font-size:12px;margin:4px 0">Plain view, as this page cannot load '
    "live cards. If JupyterLab runs in another environment than this kernel, put them there with "
    "<code>pip install anywidget</code>, restart it and reload the page.</p>"
)


class Page:
    """What is known of the pages that this kernel has."""

    def __init__(self) -> None:
        self.is_mute = False
        """Whether the last widget was never loaded, so that the next begins as plain HTML."""


class WidgetOutput:
    """Displays `widget`; what it shows can be replaced. Safe to use from any thread.

    The widget comes first, though a page without the extension shows an error until it is
    replaced: plain first, and everybody else's card would wait for the running cell to end.
    `page` None: the front end draws widgets for certain, or nothing may replace them.
    """

    def __init__(self, widget: CometvidWidget, page: Page | None) -> None:
        from IPython.display import display

        self._widget = widget
        self._page = page
        self._lock = threading.RLock()
        self._is_due = False
        self._drawn_s = 0.0
        self.is_plain = page is not None and page.is_mute and not widget.is_loaded
        """Whether plain HTML stands in the place of the widget."""
        if self.is_plain:
            handle = display(self._plain(), raw=True, display_id=True)
        else:
            handle = display(widget, display_id=True)
        self._handle: Any = handle if page is not None else None
        if page is not None and not widget.is_loaded:
            widget.on_request(self._hear)
            if not self.is_plain:
                spawn(self._become_plain_unless_loaded())

    def redraw(self) -> None:
        """What the widget shows has changed; draw it where the widget cannot."""
        with self._lock:
            left_s = self._drawn_s + REDRAWN_EVERY_S - time.monotonic()
            if not self.is_plain or self._handle is None:
                return
            if left_s <= 0:
                self._draw()
            elif not self._is_due:
                self._is_due = True
                spawn(self._draw_after(left_s))

    def settle(self, bundle: dict[str, str]) -> None:
        """Put `bundle` there for good; a second time nothing happens."""
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                handle.update(bundle, raw=True)

    @property
    def is_open(self) -> bool:
        """Whether `settle` can still do something."""
        return self._handle is not None

    async def _become_plain_unless_loaded(self) -> None:
        await until_idle(LOADED_WITHIN_S)
        with self._lock:
            if self._page is None or self._handle is None or self._widget.is_loaded:
                return
            self._page.is_mute = self.is_plain = True
            self._draw()

    def _hear(self, _message: dict[str, Any]) -> None:
        with self._lock:
            if self._page is not None:
                self._page.is_mute = False
            if self.is_plain and self._handle is not None:
                self._handle.update(self._widget)
            self.is_plain = False

    async def _draw_after(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        with self._lock:
            if self._is_due and self.is_plain and self._handle is not None:
                self._draw()

    def _draw(self) -> None:
        self._is_due, self._drawn_s = False, time.monotonic()
        self._handle.update(self._plain(), raw=True)

    def _plain(self) -> dict[str, str]:
        bundle = self._widget.static_bundle(is_player=False)
        return {**bundle, "text/html": bundle.get("text/html", "") + NOTE}


class WidgetView:
    """A widget in a page, replaced at the end by the static record, which needs no kernel.

    Without the replacement a notebook that is opened again would show "model not found". Where
    no file is kept, or where the record could not load the clip, `page` is None: no replacement.
    """

    def __init__(self, widget: CardWidget, page: Page | None = None) -> None:
        self._widget = widget
        self._output = WidgetOutput(widget, page)

    def show(self, card: Card, *, is_settled: bool) -> None:
        """The widget draws itself; this sees to the record, and to a page without widgets."""
        if not is_settled:
            self._output.redraw()
        elif self._output.is_plain or not is_link_only(card):
            self._output.settle(card_to_bundle(card))
        else:
            # Only the API's link could stand in the record. A page that cannot play it asks for
            # the clip through the kernel, and then the widget is the one place where it plays.
            spawn(self._settle_unless_relaying(card))

    async def _settle_unless_relaying(self, card: Card) -> None:
        await until_idle(PAGE_TRIES_S)
        if not self._widget.is_relaying:
            self._output.settle(card_to_bundle(card))

    def tick(self, now_s: float) -> None:
        """The page ticks by itself."""

    def leave(self) -> None:
        """The page goes on by itself."""


def is_link_only(card: Card) -> bool:
    """Whether nothing but the API's link leads to the clip."""
    return card.clip is not None and not (card.clip.path or card.clip.data_url)


class GalleryWidgetView:
    """A widget in a page, replaced at the end by the static record, as `WidgetView` does it."""

    def __init__(
        self, widget: GridWidget, page: Page | None = None, *, is_embedding: bool = False
    ) -> None:
        self._widget = widget
        self._is_embedding = is_embedding
        self._is_settling = False
        self._output = WidgetOutput(widget, page)

    def show(self, gallery: Gallery, now_s: float) -> None:
        """The widget draws itself; this sees to the record, and to a page without widgets."""
        if not gallery.is_settled:
            self._output.redraw()
        elif self._output.is_open and not self._is_settling:
            cards = last_cards(gallery, is_embedding=self._is_embedding)
            if self._output.is_plain or gallery.totals[Group.COMPLETED] < 2:
                self._output.settle(gallery_to_bundle(gallery, cards))
            else:
                self._is_settling = True
                spawn(self._settle_when_unused(gallery, cards))

    async def _settle_when_unused(self, gallery: Gallery, cards: list[Card]) -> None:
        left_s = COMPARED_WITHIN_S
        while left_s > 0 and self._output.is_open and not self._output.is_plain:
            await until_idle(min(left_s, LOOKED_AT_EVERY_S))
            left_s = COMPARED_WITHIN_S if self._widget.is_used else left_s - LOOKED_AT_EVERY_S
        self._is_settling = False
        # Some clips may have nothing but the API's link; see `WidgetView.show`.
        is_needed = self._widget.is_relaying and any(map(is_link_only, cards))
        if not is_needed and gallery.is_settled:
            self._output.settle(gallery_to_bundle(gallery, cards))

    def tick(self, now_s: float) -> None:
        """The page ticks by itself."""

    def leave(self) -> None:
        """The page goes on by itself."""
