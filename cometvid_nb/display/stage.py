"""Stage: shows watches where they were asked for, waits for them, and answers their pages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from ..cards.card import Card
from ..notebook import cell_number, shell
from ..watching.blocking import block_on
from ..watching.state import WatchState
from ..watching.watch import Watch
from .delivery import Delivery
from .embedding import embedded
from .feed import GalleryFeed
from .frontend import Frontend, detect
from .headless import GalleryHtmlView, HtmlView
from .page import GalleryWidgetView, Page, WidgetView
from .terminal import GalleryTextView, TextView
from .views import GalleryView, Shown, View

if TYPE_CHECKING:
    from .widget import GalleryWidget, JobWidget

MOST_CARDS = 3
"""So many watches get a card each; more share a gallery."""


class Stage:
    """Everything of a session that is seen.

    `follow(job_id)` begins a watch anew for a page that asks; `run(coroutine)` runs on the loop
    where the connections live.
    """

    def __init__(
        self, follow: Callable[[str], Watch], run: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._follow = follow
        self._run = run
        self._delivery = Delivery()
        self._page = Page()

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
                watch.shown_in_cell = cell_number()
        if is_gallery or len({watch.job_id for watch in watches}) > MOST_CARDS:
            views, leave = self._show_gallery(frontend, watches, is_embedding=is_embedding)
        else:
            views, leave = self._show_cards(frontend, watches, is_embedding=is_embedding)
        if not is_waiting:
            return
        try:
            self.wait(watches, views)
        finally:
            if not frontend.has_widgets:
                leave()
                for view in set(views):
                    view.leave()

    def wait_again(self, watches: Sequence[Watch]) -> None:
        """Block for watches of before; where nothing of them is seen any more, show them anew."""
        if detect(shell(), os.environ).has_widgets:
            self.wait(watches)
        else:
            self.present(watches, wait=True)

    def wait(self, watches: Sequence[Watch], views: Sequence[Shown] = ()) -> None:
        """Block until every one of `watches` has ended and saved, showing what changes."""
        done: set[Watch] = set()

        def mark(watch: Watch) -> Callable[[WatchState], None]:
            # Posted behind the views' own updates, so that nothing is left undrawn.
            return lambda state: (
                self._delivery.post(lambda: done.add(watch)) if state.is_settled else None
            )

        marks = [watch.subscribe(mark(watch)) for watch in watches]

        def is_done() -> bool:
            return len(done) == len(set(watches))

        def tick() -> None:
            for view in set(views):
                view.tick(time.time())

        try:
            block_on(self._delivery.pump(is_done, tick))
        finally:
            for unsubscribe in marks:
                unsubscribe()

    def make_widget(self, watch: Watch) -> JobWidget:
        """A new widget that shows `watch`."""
        from .widget import JobWidget

        widget = JobWidget()
        self.bind(widget, watch)
        return widget

    def bind(self, widget: JobWidget, watch: Watch) -> None:
        """Make `widget` show `watch` and do what its buttons ask."""
        unsubscribe: Callable[[], None] = lambda: None  # noqa: E731 - replaced below

        def follow(watch: Watch) -> None:
            nonlocal unsubscribe
            unsubscribe()
            widget.watch = watch

            def observe(state: WatchState) -> None:
                card = Card.of_watch(state)
                self._delivery.post(lambda: widget.show(card))

            unsubscribe = watch.subscribe(observe)

        def answer(message: dict[str, Any]) -> None:
            if message["kind"] == "fetch_clip":
                self._send_clip(widget, widget.watch, message.get("request"))
            elif message["kind"] == "action" and message.get("name") == "stop":
                widget.watch.stop()
            elif message["kind"] == "action" and message.get("name") == "watch":
                follow(self._follow(widget.watch.job_id))

        follow(watch)
        widget.on_request(answer)

    def bind_gallery(self, widget: GalleryWidget, watches: Sequence[Watch]) -> GalleryFeed:
        """Make `widget` show `watches` and do what its page asks."""
        feed = GalleryFeed(watches, self._delivery, self._run)

        def answer(message: dict[str, Any]) -> None:
            if message["kind"] == "view":
                feed.turn(message)
                return
            if message["kind"] == "hello":
                feed.tell_all()
                return
            watch = feed.watches.get(str(message.get("job_id")))
            if watch is None:
                return
            if message["kind"] == "fetch_clip":
                self._send_clip(widget, watch, message.get("request"))
            elif message["kind"] == "action" and message.get("name") == "stop":
                watch.stop()
            elif message["kind"] == "action" and message.get("name") == "watch":
                feed.replace(self._follow(watch.job_id))

        feed.begin(widget)
        widget.on_request(answer)
        return feed

    def _send_clip(self, widget: JobWidget | GalleryWidget, watch: Watch, request: object) -> None:
        state = watch.state
        if not isinstance(request, int) or state.job is None or not state.is_over:
            return
        widget.is_relaying = True
        self._run(_answer_with_clip(widget, watch.source, state, request))

    def _show_gallery(
        self, frontend: Frontend, watches: Sequence[Watch], *, is_embedding: bool
    ) -> tuple[Sequence[Shown], Callable[[], None]]:
        """One gallery in the place of many cards: its views, and what ends it."""
        if frontend.has_widgets:
            from .widget import GalleryWidget

            widget = GalleryWidget()
            feed = self.bind_gallery(widget, watches)
            # Displayed with its first page in it, and settled only after that.
            feed.add(GalleryWidgetView(widget, self._page_of(frontend), is_embedding=is_embedding))
            return [], feed.end
        view: GalleryView = GalleryTextView(time.time())
        if frontend is Frontend.HEADLESS:
            view = GalleryHtmlView(is_embedding=is_embedding)
        feed = GalleryFeed(watches, self._delivery, self._run)
        feed.begin(view)
        return [view], feed.end

    def _show_cards(
        self, frontend: Frontend, watches: Sequence[Watch], *, is_embedding: bool
    ) -> tuple[Sequence[Shown], Callable[[], None]]:
        views = self._views(frontend, watches)
        ends = [
            watch.subscribe(self._deliver(view, is_embedding=is_embedding))
            for watch, view in zip(watches, views, strict=True)
        ]

        def end() -> None:
            for unsubscribe in ends:
                unsubscribe()

        return views, end

    def _views(self, frontend: Frontend, watches: Sequence[Watch]) -> list[View]:
        if frontend.has_widgets:
            return [WidgetView(watch.widget, self._page_of(frontend)) for watch in watches]
        if frontend is Frontend.HEADLESS:
            return [HtmlView() for _ in watches]
        text = TextView()
        return [text for _ in watches]

    def _page_of(self, frontend: Frontend) -> Page | None:
        return self._page if frontend.is_settling else None

    def _deliver(self, view: View, *, is_embedding: bool) -> Callable[[WatchState], None]:
        def observe(state: WatchState) -> None:
            card, is_settled = Card.of_watch(state), state.is_settled
            if is_embedding and is_settled:
                card = embedded(card, state)
            self._delivery.post(lambda: view.show(card, is_settled=is_settled))

        return observe


async def _answer_with_clip(
    widget: JobWidget | GalleryWidget, client: Any, state: WatchState, request: int
) -> None:
    from ..clips.relay import relay

    assert state.job is not None  # a watch that is over has seen its job
    async for message, buffers in relay(client, state.job, state.saved, request):
        widget.send(message, buffers)
