"""Stage: shows a session's watches, waits for them, and answers the messages of their pages."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..notebook import shell
from ..watching.blocking import block_on
from ..watching.loop import WatchLoop
from ..watching.state import WatchState
from ..watching.watch import Watch
from .delivery import Delivery
from .feed import CardFeed, Feed, GalleryFeed
from .frontend import Frontend, detect
from .headless import GalleryHtmlView, HtmlView
from .page import GalleryWidgetView, Page, WidgetView
from .terminal import GalleryTextView, TextView
from .views import GalleryView, View

if TYPE_CHECKING:
    from ..api.client import Client
    from .widget import CardWidget, CometvidWidget, GridWidget

MOST_SINGLE_CARDS = 3
"""Up to this many jobs get a card each; more share a gallery."""


class Stage:
    """Shows a session's watches and waits for them.

    The session's own subclass implements `watch_again`, as only a session can start a watch.
    """

    def __init__(self, loop: WatchLoop) -> None:
        self._loop = loop
        # One for all feeds: a cell that waits must draw the changes of all of them.
        self._delivery = Delivery()
        # One for all outputs: a page without the extension shows none of the widgets.
        self._page = Page()

    def leave(self) -> None:
        """Settle every output for good: nobody answers the buttons of its widget from now on."""
        self._page.leave()

    def come_back(self) -> None:
        """Undo `leave`, for outputs that are still to come."""
        self._page.come_back()

    def watch_again(self, watch: Watch) -> Watch:
        """Return a new watch of a job, for the button "Watch again" of a card that is over.

        `watch` is the one that the card has shown: the new one is told the same.
        """
        raise NotImplementedError

    def present(
        self,
        watches: Sequence[Watch],
        *,
        wait: bool | None = None,
        is_embedding: bool = False,
        is_gallery: bool = False,
    ) -> None:
        """Show watches in the running cell, and block until they end if necessary.

        A KeyboardInterrupt ends the wait, not the watches.

        Args:
            watches: what to show; up to three jobs get a card each, more share a gallery.
            wait: whether to block; None blocks only if later updates would be lost (`Frontend`).
            is_embedding: the record at the end contains the whole clip, if it is small enough.
            is_gallery: three jobs or fewer share a gallery, too.
        """
        frontend = detect(shell(), os.environ)
        is_waiting = frontend.is_blocking if wait is None else wait
        if not is_waiting and frontend.is_text:
            return  # a line printed later would appear in the middle of what somebody types
        if not frontend.is_text:
            for watch in watches:
                watch.note_shown()
        if is_gallery or len({watch.job_id for watch in watches}) > MOST_SINGLE_CARDS:
            feeds: Sequence[Feed] = [
                self._show_gallery(frontend, watches, is_embedding=is_embedding)
            ]
        else:
            feeds = self._show_cards(frontend, watches, is_embedding=is_embedding)
        if not is_waiting:
            return
        try:
            self._wait(feeds)
        finally:
            # Widgets go on after an interrupt; a line of text or an output of a file cannot.
            if not frontend.has_widgets:
                _leave(feeds)

    def wait_again(self, watches: Sequence[Watch]) -> None:
        """Block until watches that were shown before have ended.

        A front end without widgets shows them again, as their lines are gone.
        """
        if not detect(shell(), os.environ).has_widgets:
            self.present(watches, wait=True)
            return
        # Feeds without views: the cards are drawn by their own feeds, here only the end matters.
        feeds = [CardFeed(watch, self._delivery) for watch in watches]
        try:
            self._wait(feeds)
        finally:
            _leave(feeds)

    def make_widget(self, watch: Watch) -> CardWidget:
        """Return a new widget that shows `watch`."""
        from .widget import CardWidget

        widget = CardWidget()
        self.bind(widget, watch)
        return widget

    def bind(self, widget: CardWidget, watch: Watch) -> None:
        """Make `widget` show `watch`, and carry out what its buttons ask for."""
        widget.feed = feed = CardFeed(watch, self._delivery)
        feed.add(widget)
        widget.on_request(partial(self._answer, widget, feed))

    def bind_gallery(self, widget: GridWidget, watches: Sequence[Watch]) -> GalleryFeed:
        """Make `widget` show `watches`, and carry out what its page asks for; return its feed."""
        feed = GalleryFeed(watches, self._delivery, self._loop)
        feed.begin(widget)
        widget.on_request(partial(self._answer_gallery, widget, feed))
        return feed

    def _wait(self, feeds: Sequence[Feed]) -> None:
        """Block until every feed has drawn its last change; all drawing happens on this thread."""

        def is_done() -> bool:
            return all(feed.is_settled for feed in feeds)

        def tick() -> None:
            for view in _views_of(feeds):
                view.tick(time.time())

        block_on(self._delivery.pump(is_done, tick))

    def _answer_gallery(
        self, widget: GridWidget, feed: GalleryFeed, message: dict[str, Any]
    ) -> None:
        if message["kind"] == "view":
            feed.browse(message)
        elif message["kind"] == "hello":
            feed.show_all()
        else:
            self._answer(widget, feed, message)

    def _answer(self, widget: CometvidWidget, feed: Feed, message: dict[str, Any]) -> None:
        watch = feed.find(message.get("job_id"))
        if watch is None:
            return
        if message["kind"] == "fetch_clip":
            self._relay_clip(widget, watch, message.get("request"), message.get("number"))
        elif message["kind"] == "action" and message.get("name") == "stop":
            watch.stop()
        elif message["kind"] == "action" and message.get("name") == "watch":
            feed.replace(self.watch_again(watch))

    def _relay_clip(
        self, widget: CometvidWidget, watch: Watch, request: object, number: object
    ) -> None:
        """Send the bytes of a clip to a page that cannot load it by itself; see `clips.relay`.

        `request` is a number that the page chose, `number` that of the clip among the job's; they
        come from a page, so they may be anything.
        """
        state = watch.state
        number = number if isinstance(number, int) else 0
        if not isinstance(request, int) or state.job is None or not state.is_over:
            return
        widget.is_relaying = True
        self._loop.run(_send_clip(widget, watch.server.client, state, request, number))

    def _show_gallery(
        self, frontend: Frontend, watches: Sequence[Watch], *, is_embedding: bool
    ) -> GalleryFeed:
        """Show one gallery, in the way of the front end; return its feed."""
        if frontend.has_widgets:
            from .widget import GridWidget

            widget = GridWidget()
            feed = self.bind_gallery(widget, watches)
            # After `bind_gallery`, so that the widget is displayed with its first page in it.
            feed.add(GalleryWidgetView(widget, self._page_of(frontend), is_embedding=is_embedding))
            return feed
        view: GalleryView = GalleryTextView(time.time())
        if frontend is Frontend.HEADLESS:
            view = GalleryHtmlView(is_embedding=is_embedding)
        feed = GalleryFeed(watches, self._delivery, self._loop)
        feed.begin(view)
        return feed

    def _show_cards(
        self, frontend: Frontend, watches: Sequence[Watch], *, is_embedding: bool
    ) -> list[CardFeed]:
        """Show each watch on a card of its own, in the way of the front end; return the feeds."""
        # One view for all: a terminal has one line to redraw.
        feeds, text = [], TextView()
        for watch in watches:
            view: View = HtmlView() if frontend is Frontend.HEADLESS else text
            if frontend.has_widgets:
                widget = watch.widget
                feed, view = widget.feed, WidgetView(widget, self._page_of(frontend))
            else:
                feed = CardFeed(watch, self._delivery)
            feed.add(view, is_embedding=is_embedding)
            feeds.append(feed)
        return feeds

    def _page_of(self, frontend: Frontend) -> Page | None:
        return self._page if frontend.is_settling else None


async def _send_clip(
    widget: CometvidWidget, client: Client, state: WatchState, request: int, number: int
) -> None:
    from ..clips.relay import relay

    assert state.job is not None  # `_relay_clip` has looked
    async for message, buffers in relay(client, state.job, state.saved, request, number):
        widget.send(message, buffers)


def _views_of(feeds: Sequence[Feed]) -> set[View | GalleryView]:
    """Return the views of all feeds, each once: one line of text may serve several feeds."""
    return {view for feed in feeds for view in feed.views}


def _leave(feeds: Sequence[Feed]) -> None:
    for feed in feeds:
        feed.end()
    for view in _views_of(feeds):
        view.leave()
