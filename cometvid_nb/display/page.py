"""Page: shows watches as widgets, or as plain HTML if the page cannot draw widgets.

A page whose server lacks the anywidget extension (the kernel has another environment) draws an
error instead of a widget, and nothing tells the kernel. Therefore our front end sends "loaded" as
soon as it has the model, whether or not the cell is in view. If no such message comes while the
kernel is free to receive it, the output becomes plain HTML, replaced at each change. Until then the
record beside the widget hides the error (`cards.beside`). A message that comes late turns the
output into the widget again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..cards.card import Card
from ..cards.card_html import card_to_bundle
from ..cards.gallery import Gallery, Group
from ..cards.gallery_html import MOST_RECORD_CARDS
from ..job.rating import Rating
from ..notebook import spawn, until_idle
from .embedding import last_cards, with_unreachable
from .record import gallery_record

if TYPE_CHECKING:
    from .widget import CardWidget, CometvidWidget, GridWidget

log = logging.getLogger("cometvid_nb.display.page")

LOADED_WITHIN_S = 3.0
"""How long a page may take to load a widget, counted only while the kernel can receive messages;
anywidget itself wants a widget initialised within 2 s."""
REDRAWN_EVERY_S = 2.0
"""The shortest pause between two versions of a plain output, as each sends all of it."""

PAGE_TRIES_S = 5.0
"""How long a page may take to find out that it cannot play the API's link, and to ask for the
clip through the kernel."""
REPEATED_WITHIN_S = 120.0
"""How long a card stays that offers another take, while no cell runs: its record has no button."""
COMPARED_WITHIN_S = 20.0
"""How long a live gallery stays after its last job has ended, and after somebody last played a
clip: its clips play in sync, those of the record do not."""
AMENDED_AFTER_S = 5.0
"""How long after somebody has rated a clip its record says so: it is drawn anew, which stops for a
moment what plays in it."""
LOOKED_AT_EVERY_S = 2.0
"""How often such a gallery checks whether somebody plays its clips."""

NOTE = (
    '<p style="opacity:0.75;font-size:12px;margin:4px 0">Plain view, as this page cannot load '
    "live cards. If JupyterLab runs in another environment than this kernel, put them there with "
    "<code>pip install anywidget</code>, restart it and reload the page.</p>"
)


class Page:
    """What the kernel knows about its page, shared by all outputs."""

    def __init__(self) -> None:
        self.is_mute = False
        """Whether the page did not load the last widget. The next output then starts as plain HTML,
        without 3 s of waiting."""
        self.is_settling_at_once = False
        """Whether no widget stays once its jobs are over, as in Colab: what comes after the request
        may get lost, and the saved file would keep a widget."""
        self.is_shared = False
        """Whether others may have the notebook open at the same time."""
        self._staying: WeakSet[WidgetOutput] | None = WeakSet()
        """Outputs whose widget stays for its buttons; None: nobody answers those any more."""

    def stay(self, output: WidgetOutput) -> bool:
        """Whether the widget of `output`, which is over, may stay until somebody watches again."""
        if self._staying is not None:
            self._staying.add(output)
        return self._staying is not None

    def leave(self) -> None:
        """Put a record in the place of each widget that stays, and let none stay from now on."""
        staying, self._staying = self._staying or (), None
        for output in list(staying):
            try:
                output.settle(output.bundle)
            except Exception:
                # A page that is gone must not keep the session from closing.
                log.exception("an output was not settled")

    def come_back(self) -> None:
        """Let widgets stay again."""
        self._staying = WeakSet()


class WidgetOutput:
    """Displays `widget` in an output that can be replaced. Safe to use from any thread.

    The widget is displayed first, although a page without the extension cannot draw it. With plain
    HTML first, everybody else would see the live card only after the running cell has ended.
    `page` None: nothing may replace the widget.
    """

    def __init__(self, widget: CometvidWidget, page: Page | None) -> None:
        from IPython.display import display

        self._widget = widget
        self._page = page
        # Reentrant, and held around every change: updates come from the watch loop, messages of
        # the page from the kernel's thread.
        self._lock = threading.RLock()
        self._is_due = False
        """Whether a redraw of the plain output is already scheduled."""
        self._drawn_s = 0.0
        """When the plain output was last drawn (monotonic seconds)."""
        self.is_plain = page is not None and page.is_mute and not widget.is_loaded
        """Whether the output is plain HTML instead of the widget."""
        # Not where no record ever replaces the widget: nobody would empty this one.
        self._beside = widget.add_record(is_shown=not self.is_plain) if page is not None else None
        shown = self._plain() if self.is_plain else self._live()
        handle = display(shown, raw=True, display_id=True)
        # None: the output is never replaced, or has already got its record.
        self._handle: Any = handle if page is not None else None
        self._settled: Any = None
        """The handle of an output that has its record."""
        if page is not None:
            page.is_shared |= widget.is_shared
        if page is not None and not widget.is_loaded:
            widget.on_request(self._hear)
            if not self.is_plain:
                spawn(self._become_plain_unless_loaded())

    def redraw(self) -> None:
        """Redraw the plain output after a change of the widget; a real widget draws itself."""
        with self._lock:
            left_s = self._drawn_s + REDRAWN_EVERY_S - time.monotonic()
            if not self.is_plain or self._handle is None:
                return
            if left_s <= 0:
                self._draw()
            elif not self._is_due:
                self._is_due = True
                spawn(self._draw_after(left_s))

    def stay(self) -> None:
        """Keep the widget on the page, and have the saved file say what the widget says now.

        A record beside it does so by itself. Where no widget is shown, or nobody would answer its
        buttons, its record replaces it.
        """
        with self._lock:
            if self._page is None or self._handle is None:
                return
            if self.is_plain or not self._page.stay(self):
                self.settle(self.bundle)
            elif self._beside is None:
                self._handle.update(self._live(), raw=True)

    @property
    def bundle(self) -> dict[str, str]:
        """The record of what the widget shows now."""
        return self._widget.record_bundle(time.time())

    def settle(self, bundle: dict[str, str]) -> None:
        """Replace the output by `bundle` for good. A second call does nothing.

        In a shared notebook the record beside the widget says it instead.
        """
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None and self._beside is not None and self.is_shared:
                self._beside.end(bundle)
            elif handle is not None:
                self._settled = handle
                # First, while the widget still hides it: so nobody ever sees both.
                self._show_beside(False)
                handle.update(bundle, raw=True)

    def amend(self, bundle: dict[str, str]) -> None:
        """Replace the record that `settle` has put in place by a newer one."""
        with self._lock:
            if self._settled is not None:
                self._settled.update(bundle, raw=True)
            elif self._handle is None and self._beside is not None and self.is_shared:
                self._beside.end(bundle)

    @property
    def has_record(self) -> bool:
        """Whether a record stands beside the widget, so that the widget may stay for good."""
        return self._beside is not None

    @property
    def is_shared(self) -> bool:
        """Whether the widget stays for good, as the notebook is a shared one; see `beside`."""
        is_shared = self._page is not None and self._page.is_shared
        return is_shared and self.has_record and not self.is_plain

    @property
    def is_open(self) -> bool:
        """Whether `settle` can still replace the output."""
        return self._handle is not None

    @property
    def is_settling_at_once(self) -> bool:
        """Whether a record takes the widget's place as soon as its jobs are over."""
        return self.is_plain or (self._page is not None and self._page.is_settling_at_once)

    async def _become_plain_unless_loaded(self) -> None:
        await until_idle(LOADED_WITHIN_S)
        with self._lock:
            if self._page is None or self._handle is None or self._widget.is_loaded:
                return
            self._page.is_mute = self.is_plain = True
            self._show_beside(False)
            self._draw()

    def _hear(self, _message: dict[str, Any]) -> None:
        """Any message proves that a page has the widget: show it, if plain HTML took its place."""
        with self._lock:
            if self._page is not None:
                self._page.is_mute = False
                self._page.is_shared |= self._widget.is_shared
            if self.is_plain and self._handle is not None:
                self._handle.update(self._live(), raw=True)
                self._show_beside(True)
            self.is_plain = False

    async def _draw_after(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        with self._lock:
            if self._is_due and self.is_plain and self._handle is not None:
                self._draw()

    def _draw(self) -> None:
        self._is_due, self._drawn_s = False, time.monotonic()
        self._handle.update(self._plain(), raw=True)

    def _show_beside(self, is_shown: bool) -> None:
        if self._beside is not None:
            self._beside.show(is_shown)

    def _live(self) -> dict[str, Any]:
        return self._widget.bundle(has_record=self._beside is not None)

    def _plain(self) -> dict[str, str]:
        bundle = self._widget.record_bundle(time.time())
        return {**bundle, "text/html": bundle.get("text/html", "") + NOTE}


class WidgetView:
    """Shows a card's widget in a page; at the end a static record replaces it.

    The record needs no kernel: a reopened notebook with the widget would show "model not found".
    `page` None: no replacement, because the front end keeps no file or the record could not load
    the clip.
    """

    def __init__(self, widget: CardWidget, page: Page | None = None) -> None:
        self._widget = widget
        self._card: Card | None = None
        """The card shown last."""
        self._output = WidgetOutput(widget, page)

    def show(self, card: Card, *, is_settled: bool) -> None:
        """Put the record in place at the end, or redraw a plain output; the widget draws itself.

        The widget stays as long as its buttons have something to do: the end that a watch came to
        need not be the end of the job.
        """
        before, self._card = self._card, card
        if not is_settled:
            self._output.redraw()
        elif not self._output.is_open and before is not None and before.rating != card.rating:
            spawn(self._amend_later(card))
        elif self._output.is_settling_at_once or not self._output.is_open:
            self._settle(card)
        elif card.actions or (card.can_repeat and self._output.has_record):
            self._output.stay()
        elif card.can_repeat:
            spawn(self._settle_unless_repeated(card))
        elif before is None or not before.can_repeat:  # else another take is being created
            self._settle(card)

    def _settle(self, card: Card) -> None:
        (card,) = with_unreachable([card])
        if self._output.is_settling_at_once or not is_link_only(card):
            self._output.settle(card_to_bundle(card))
        else:
            # The record could only hold the API's link. A page that cannot play it asks for the
            # clip through the kernel; then only the widget can play the clip, and it stays.
            spawn(self._settle_unless_relaying(card))

    async def _settle_unless_repeated(self, card: Card) -> None:
        await until_idle(REPEATED_WITHIN_S)
        if self._card is card:
            self._settle(card)

    async def _amend_later(self, card: Card) -> None:
        await until_idle(AMENDED_AFTER_S)
        if self._card is card:
            self._output.amend(card_to_bundle(*with_unreachable([card])))

    async def _settle_unless_relaying(self, card: Card) -> None:
        await until_idle(PAGE_TRIES_S)
        if not self._widget.is_relaying:
            self._output.settle(card_to_bundle(card))

    def tick(self, now_s: float) -> None:
        """Do nothing: the page has a clock of its own."""

    def leave(self) -> None:
        """Do nothing: the widget goes on without a waiting cell."""


def is_link_only(card: Card) -> bool:
    """Whether the clip can be loaded by the API's link only: it is neither saved nor embedded."""
    return card.clip is not None and not (card.clip.path or card.clip.data_url)


class GalleryWidgetView:
    """Shows a gallery's widget in a page; at the end a static record replaces it.

    `page` as for `WidgetView`. `is_embedding`: the record contains the clips.
    """

    def __init__(
        self, widget: GridWidget, page: Page | None = None, *, is_embedding: bool = False
    ) -> None:
        self._widget = widget
        self._is_embedding = is_embedding
        self._is_settling = False
        """Whether `_settle_when_unused` is at work; browsing calls `show` again meanwhile."""
        self._rated: list[Rating | None] = []
        """What the record says of the clips."""
        self._output = WidgetOutput(widget, page)

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Put the record in place at the end, or redraw a plain output; the widget draws itself."""
        if not gallery.is_settled:
            self._output.redraw()
        elif self._output.is_open and not self._is_settling:
            # A single clip has nothing to be compared with.
            if self._output.is_settling_at_once or gallery.totals[Group.COMPLETED] < 2:
                self._output.settle(self._record(gallery, self._last_cards(gallery)))
            else:
                self._is_settling = True
                spawn(self._settle_when_unused(gallery))
        elif not self._is_settling and self._rated != _ratings(gallery):
            self._is_settling = True
            spawn(self._amend_when_unused(gallery))

    async def _until_unused(self) -> None:
        left_s = COMPARED_WITHIN_S
        while left_s > 0 and not self._output.is_plain:
            await until_idle(min(left_s, LOOKED_AT_EVERY_S))
            left_s = COMPARED_WITHIN_S if self._widget.is_used else left_s - LOOKED_AT_EVERY_S
        self._is_settling = False

    async def _amend_when_unused(self, gallery: Gallery) -> None:
        await self._until_unused()
        if gallery.is_settled:
            self._output.amend(self._record(gallery, self._last_cards(gallery)))

    async def _settle_when_unused(self, gallery: Gallery) -> None:
        await self._until_unused()
        cards = self._last_cards(gallery)  # as they are now: somebody may have rated them
        # Some clips may have only the API's link, see `WidgetView.show`. And a page may have asked
        # to watch a job again: then the gallery is no longer settled.
        is_needed = self._widget.is_relaying and any(map(is_link_only, cards))
        if not is_needed and gallery.is_settled:
            self._output.settle(self._record(gallery, cards))

    def _last_cards(self, gallery: Gallery) -> list[Card]:
        return last_cards(gallery, is_embedding=self._is_embedding)

    def _record(self, gallery: Gallery, cards: list[Card]) -> dict[str, str]:
        self._rated = [card.rating for card in cards]
        token = "" if self._output.is_shared else self._widget.record_token
        return gallery_record(gallery, cards, token=token)

    def tick(self, now_s: float) -> None:
        """Do nothing: the page has a clock of its own."""

    def leave(self) -> None:
        """Do nothing: the widget goes on without a waiting cell."""


def _ratings(gallery: Gallery) -> list[Rating | None]:
    return [card.rating for card in gallery.cards(MOST_RECORD_CARDS)]
