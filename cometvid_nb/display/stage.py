"""Stage: shows a session's watches, waits for them, and answers the messages of their pages."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from ..clips.places import SavedClip
from ..job.ids import shown_id
from ..job.job import Job
from ..job.rating import Rating
from ..machine import say
from ..notebook import shell
from ..watching.blocking import block_on
from ..watching.loop import WatchLoop
from ..watching.watch import Watch
from .beside import display_promised, draw_late
from .delivery import Delivery
from .feed import CardFeed, Feed, GalleryFeed
from .frontend import Frontend, detect, loads_files
from .headless import GalleryHtmlView, HtmlView
from .page import GalleryWidgetView, Page, WidgetOutput, WidgetView
from .terminal import GalleryTextView, TextView
from .views import GalleryView, View

if TYPE_CHECKING:
    from ..api.client import Client
    from ..clips.relay import Message
    from .jobs_widget import JobsWidget
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
        """Undo `leave` for outputs that are still to come; the old ones get their last word."""
        draw_late()
        self._page.come_back()

    def watch_again(self, watch: Watch) -> Watch:
        """Return a new watch of a job, for the button "Watch again" of a card that is over.

        `watch` is the one that the card has shown: the new one is told the same.
        """
        raise NotImplementedError

    def another_take(self, watch: Watch) -> Future[Watch]:
        """Create another take of a job, for the button of its card; give the watch to show then."""
        raise NotImplementedError

    def present(
        self,
        watches: Sequence[Watch],
        *,
        wait: bool | None = None,
        is_embedding: bool = False,
        is_gallery: bool = False,
        timeout_s: float | None = None,
    ) -> None:
        """Show watches in the running cell, and block until they end if necessary.

        A KeyboardInterrupt ends the wait, not the watches.

        Args:
            watches: what to show; up to three jobs get a card each, more share a gallery.
            wait: whether to block; None blocks only if later updates would be lost (`Frontend`).
            is_embedding: the record at the end contains the whole clip, if it is small enough.
            is_gallery: three jobs or fewer share a gallery, too.
            timeout_s: seconds after which the wait ends; None waits as long as the watches go on.

        Raises:
            TimeoutError: `timeout_s` passed first. The watches go on.
        """
        frontend = self._frontend()
        is_embedding = is_embedding or not loads_files(shell(), os.environ)
        is_waiting = frontend.is_blocking if wait is None else wait
        if frontend.is_by_value:
            if is_waiting:
                self._wait_for(watches, timeout_s)
            return
        if not is_waiting and frontend.is_text:
            return  # a line printed later would appear in the middle of what somebody types
        if not frontend.is_text:
            for watch in watches:
                watch.note_shown()
        is_gallery = is_gallery or len({watch.job_id for watch in watches}) > MOST_SINGLE_CARDS
        if is_gallery or not frontend.has_widgets:
            _tell_notes(watches)
        if is_gallery:
            feeds: Sequence[Feed] = [
                self._show_gallery(frontend, watches, is_embedding=is_embedding)
            ]
        else:
            feeds = self._show_cards(frontend, watches, is_embedding=is_embedding)
        display_promised()
        self._delivery.run_waiting()
        if not is_waiting:
            return
        try:
            self._wait(feeds, timeout_s)
        finally:
            # Widgets go on after an interrupt; a line of text or an output of a file cannot.
            if not frontend.has_widgets:
                _leave(feeds)

    def wait_again(self, watches: Sequence[Watch], timeout_s: float | None = None) -> None:
        """Block until watches that were shown before have ended.

        A front end without widgets shows them again, as their lines are gone.

        Raises:
            TimeoutError: `timeout_s` passed first. The watches go on.
        """
        if not self._frontend().has_widgets:
            self.present(watches, wait=True, timeout_s=timeout_s)
        else:
            self._wait_for(watches, timeout_s)

    def make_widget(self, watch: Watch) -> CardWidget:
        """Return a new widget that shows `watch`."""
        from .widget import CardWidget

        widget = CardWidget()
        self.bind(widget, watch)
        return widget

    def bind(self, widget: CardWidget, watch: Watch, *, is_embedding: bool = False) -> None:
        """Make `widget` show `watch`, and carry out what its buttons ask for.

        `is_embedding`: its last card holds the clip.
        """
        self._frontend()
        widget.feed = feed = CardFeed(watch, self._delivery)
        feed.add(widget, is_embedding=is_embedding)
        self._delivery.run_waiting()
        widget.on_request(partial(self._hear, widget, feed))

    def bind_gallery(self, widget: GridWidget, watches: Sequence[Watch]) -> GalleryFeed:
        """Make `widget` show `watches`, and carry out what its page asks for; return its feed."""
        self._frontend()
        widget.feed = feed = GalleryFeed(watches, self._delivery, self._loop)
        feed.begin(widget)
        self._delivery.run_waiting()
        widget.on_request(partial(self._hear, widget, feed))
        return feed

    def _frontend(self) -> Frontend:
        """Return who is looking, and hold updates back where a page has to ask for them."""
        frontend = detect(shell(), os.environ)
        if frontend.is_asking and not self._delivery.is_holding:
            self._delivery.is_holding = True
            # A cell is a request, too: what has come up until its end reaches the page with it.
            shell().events.register("post_run_cell", lambda _: self._delivery.run_waiting())
        return frontend

    def _wait_for(self, watches: Sequence[Watch], timeout_s: float | None) -> None:
        """Block until watches have ended, which are drawn elsewhere or not at all."""
        feeds = [CardFeed(watch, self._delivery) for watch in watches]
        try:
            self._wait(feeds, timeout_s)
        finally:
            _leave(feeds)

    def _wait(self, feeds: Sequence[Feed], timeout_s: float | None) -> None:
        """Block until every feed has drawn its last change; all drawing happens on this thread."""

        def is_done() -> bool:
            return all(feed.is_settled for feed in feeds)

        def tick() -> None:
            for view in _views_of(feeds):
                view.tick(time.time())

        async def wait() -> None:
            async with asyncio.timeout(timeout_s):
                await self._delivery.pump(is_done, tick)

        block_on(wait())

    def _hear(self, widget: CometvidWidget, feed: Feed, message: dict[str, Any]) -> None:
        """Do what a page asks for; where it has to ask for news, all there is goes along."""
        if not isinstance(feed, GalleryFeed):
            self._answer(widget, feed, message)
        elif message["kind"] == "view":
            feed.browse(message)
        elif message["kind"] == "hello":
            feed.show_all()
        else:
            self._answer(widget, feed, message)
        if self._delivery.is_holding:
            self._delivery.run_waiting()
            widget.send({"kind": "pulled", "is_over": feed.is_settled})

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
        elif message["kind"] == "again" and message.get("job_id") == watch.job_id:
            self._repeat(feed, watch)
        elif message["kind"] == "rate":
            _rate(watch, message.get("rating"))

    def _repeat(self, feed: Feed, watch: Watch) -> None:
        """Show another take in the place of a job: once, however often somebody clicks."""
        if not watch.take_repeat("creating another take…"):
            return

        def follow(creating: Future[Watch]) -> None:
            # Else the session was closed meanwhile; the ledger has what became of it.
            if not creating.cancelled() and creating.exception() is None:
                feed.replace(creating.result())

        self.another_take(watch).add_done_callback(follow)

    def _relay_clip(
        self, widget: CometvidWidget, watch: Watch, request: object, number: object
    ) -> None:
        """Send the bytes of a clip to a page that cannot load it by itself; see `clips.relay`.

        `request` is a number that the page chose, `number` that of the clip among the job's; they
        come from a page, so they may be anything.
        """
        state = watch.state
        if state.job is not None and state.is_over:
            client = watch.server.client
            self.send_clip(widget, client, state.job, state.saved, request, number)

    def send_clip(
        self,
        widget: CometvidWidget,
        client: Client,
        job: Job,
        saved: SavedClip | None,
        request: object,
        number: object,
        *,
        is_late: bool = False,
    ) -> None:
        """Send the bytes of a clip, or why they cannot come; see `_relay_clip` and `relay`."""
        from ..clips.relay import relay

        if not isinstance(request, int):
            return
        widget.is_relaying = True
        number = number if isinstance(number, int) else 0
        messages = relay(client, job, saved, request, number, is_late=is_late)
        sending = self._loop.run(_send(widget, messages))
        if self._delivery.is_holding:
            sending.result()  # what is sent after the answer to this message may get lost

    def show_jobs(self, widget: JobsWidget) -> None:
        """Show a list of jobs in the running cell."""
        WidgetOutput(widget, self._page_of(detect(shell(), os.environ)))

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
        is_drawn = frontend is Frontend.TERMINAL
        view: GalleryView = GalleryTextView(time.time(), is_drawn=is_drawn)
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
        feeds, text = [], TextView(is_drawn=frontend is Frontend.TERMINAL)
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
        self._page.is_settling_at_once = frontend.is_asking
        return self._page if frontend.is_settling else None


async def _send(widget: CometvidWidget, messages: AsyncIterator[Message]) -> None:
    async for message, buffers in messages:
        widget.send(message, buffers)


def _rate(watch: Watch, told: object) -> None:
    """Have the rating that a page tells, which may be anything, as that of the clip."""
    try:
        watch.replace_rating(Rating.of(told))
    except ValueError as error:
        note = f"The rating was not taken: {error}."
        watch.annotate(note, can_repeat=watch.state.can_repeat)


def _tell_notes(watches: Sequence[Watch]) -> None:
    """Print what single cards in a page say by themselves: which jobs were made before."""
    noted = {watch.job_id: watch.state.note for watch in watches if watch.state.note}
    count = len({watch.job_id for watch in watches})
    for note in dict.fromkeys(noted.values()):
        ids = [job_id for job_id in noted if noted[job_id] == note]
        say(f"{shown_id(ids[0]) if count == 1 else f'{len(ids)} of {count} jobs'}: {note}.")


def _views_of(feeds: Sequence[Feed]) -> set[View | GalleryView]:
    """Return the views of all feeds, each once: one line of text may serve several feeds."""
    return {view for feed in feeds for view in feed.views}


def _leave(feeds: Sequence[Feed]) -> None:
    for feed in feeds:
        feed.end()
    for view in _views_of(feeds):
        view.leave()
