"""Stage: shows the watches of a session, waits for them, and answers their pages."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..notebook import shell
from ..watching.blocking import block_on
from ..watching.loop import WatchLoop
from ..watching.watch import Watch
from .delivery import Delivery
from .feed import CardFeed, Feed, GalleryFeed
from .frontend import Frontend, detect
from .headless import GalleryHtmlView, HtmlView
from .page import GalleryWidgetView, Page, WidgetView
from .terminal import GalleryTextView, TextView
from .views import GalleryView, View

if TYPE_CHECKING:
    from .widget import CardWidget, CometvidWidget, GridWidget

MOST_SINGLE_CARDS = 3
"""So many watches get a card each; more share a gallery."""


class Stage:
    """Where the watches of a session are seen.

    `watch_again` is for the session's own subclass, as only a session can begin a watch.
    """

    def __init__(self, loop: WatchLoop) -> None:
        self._loop = loop
        self._delivery = Delivery()
        self._page = Page()

    def watch_again(self, job_id: str) -> Watch:
        """A watch for a page that asks to see the end of a job after all."""
        raise NotImplementedError

    def present(
        self,
        watches: Sequence[Watch],
        *,
        wait: bool | None = None,
        is_embedding: bool = False,
        is_gallery: bool = False,
    ) -> None:
        """Show watches where this is called, and block until they end where that is the way.

        `wait` None: block only where later updates would be lost (see `Frontend`). A
        KeyboardInterrupt ends the waiting, not the watches. `is_embedding`: the record at the end
        holds the whole clip, if it is small enough. `is_gallery`: few of them share one, too.
        """
        frontend = detect(shell(), os.environ)
        is_waiting = frontend.is_blocking if wait is None else wait
        if not is_waiting and frontend.is_text:
            return  # a line printed later would land in the middle of somebody's typing
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
            if not frontend.has_widgets:
                _leave(feeds)

    def wait_again(self, watches: Sequence[Watch]) -> None:
        """Block for watches of before; where nothing of them is seen any more, show them anew."""
        if not detect(shell(), os.environ).has_widgets:
            self.present(watches, wait=True)
            return
        feeds = [CardFeed(watch, self._delivery) for watch in watches]
        try:
            self._wait(feeds)
        finally:
            _leave(feeds)

    def make_widget(self, watch: Watch) -> CardWidget:
        """A new widget that shows `watch`."""
        from .widget import CardWidget

        widget = CardWidget()
        self.bind(widget, watch)
        return widget

    def bind(self, widget: CardWidget, watch: Watch) -> None:
        """Make `widget` show `watch` and do what its buttons ask."""
        widget.feed = feed = CardFeed(watch, self._delivery)
        feed.add(widget)
        widget.on_request(partial(self._answer, widget, feed))

    def bind_gallery(self, widget: GridWidget, watches: Sequence[Watch]) -> GalleryFeed:
        """Make `widget` show `watches` and do what its page asks."""
        feed = GalleryFeed(watches, self._delivery, self._loop)
        feed.begin(widget)
        widget.on_request(partial(self._answer_gallery, widget, feed))
        return feed

    def _wait(self, feeds: Sequence[Feed]) -> None:
        """Block until every feed has drawn its end, drawing what changes on this thread."""

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
            self._send_clip(widget, watch, message.get("request"))
        elif message["kind"] == "action" and message.get("name") == "stop":
            watch.stop()
        elif message["kind"] == "action" and message.get("name") == "watch":
            feed.replace(self.watch_again(watch.job_id))

    def _send_clip(self, widget: CometvidWidget, watch: Watch, request: object) -> None:
        state = watch.state
        if not isinstance(request, int) or state.job is None or not state.is_over:
            return
        from ..clips.relay import send_to_page

        widget.is_relaying = True
        client = watch.server.client
        self._loop.run(send_to_page(client, state.job, state.saved, request, widget.send))

    def _show_gallery(
        self, frontend: Frontend, watches: Sequence[Watch], *, is_embedding: bool
    ) -> GalleryFeed:
        """One gallery in the place of many cards."""
        if frontend.has_widgets:
            from .widget import GridWidget

            widget = GridWidget()
            feed = self.bind_gallery(widget, watches)
            # Displayed with its first page in it, and settled only after that.
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


def _views_of(feeds: Sequence[Feed]) -> set[View | GalleryView]:
    """The views of all the feeds, each once: one line of text may serve several."""
    return {view for feed in feeds for view in feed.views}


def _leave(feeds: Sequence[Feed]) -> None:
    for feed in feeds:
        feed.end()
    for view in _views_of(feeds):
        view.leave()
