"""Feeds: what watches tell, brought to the views that draw it; one card's feed and a gallery's."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from ..cards.card import Card
from ..cards.gallery import Gallery
from ..watching.loop import WatchLoop
from ..watching.state import WatchState
from ..watching.watch import Watch
from .delivery import Delivery
from .embedding import embedded
from .views import GalleryView, View

DRAWN_EVERY_S = 1 / 3
"""However many jobs there are, a page gets no more than three messages a second."""
MOST_SHARE = 0.05
"""How much of the time may go into drawing: a gallery of very many jobs is drawn less often."""


class CardFeed:
    """The watch behind one card; `watch` is the latest one of its job.

    Each visible change makes one card, for all the views together.
    """

    def __init__(self, watch: Watch, delivery: Delivery) -> None:
        self.watch = watch
        self.views: list[View] = []
        self.is_settled = False
        """Whether the last card has been drawn, and nothing will change any more."""
        self._embedding: set[View] = set()
        self._latest: tuple[WatchState, Card] | None = None
        self._delivery = delivery
        self._unsubscribe = watch.subscribe(self._take)

    def add(self, view: View, *, is_embedding: bool = False) -> None:
        """Draw on `view`, now and at each change; `is_embedding`: its last card holds the clip."""
        if is_embedding:
            self._embedding.add(view)
        self._delivery.post(partial(self._begin, view))

    def find(self, _job_id: object) -> Watch:
        """The watch that a page means: there is only one."""
        return self.watch

    def replace(self, watch: Watch) -> None:
        """The job is watched anew."""
        self._unsubscribe()
        self.watch = watch
        self._unsubscribe = watch.subscribe(self._take)

    def end(self) -> None:
        """Draw nothing any more."""
        self._unsubscribe()

    def _take(self, state: WatchState) -> None:
        self._delivery.post(partial(self._draw, state, Card.of_watch(state)))

    def _begin(self, view: View) -> None:
        self.views.append(view)
        if self._latest is not None:
            self._show(view, *self._latest)

    def _draw(self, state: WatchState, card: Card) -> None:
        self._latest = (state, card)
        for view in self.views:
            self._show(view, state, card)
        self.is_settled = state.is_settled

    def _show(self, view: View, state: WatchState, card: Card) -> None:
        if state.is_settled and view in self._embedding:
            card = embedded(card, state)
        view.show(card, is_settled=state.is_settled)


class GalleryFeed:
    """The watches behind one gallery; `watches` gives the latest of each job.

    A change after a calm is drawn at once; changes soon after it wait and are drawn together. The
    lock is taken below those of the watches and of the delivery, and none is taken under it.
    """

    def __init__(self, watches: Iterable[Watch], delivery: Delivery, loop: WatchLoop) -> None:
        self.watches = {watch.job_id: watch for watch in watches}
        self.gallery = Gallery(watch.state for watch in self.watches.values())
        self.views: list[GalleryView] = []
        self.is_settled = False
        """Whether the gallery has been drawn for the last time."""
        self._delivery = delivery
        self._loop = loop
        self._lock = threading.RLock()
        self._ends: dict[str, Callable[[], None]] = {}
        self._is_begun = False
        self._is_due = False
        self._drawn_s = 0.0
        self._pause_s = DRAWN_EVERY_S

    def begin(self, *views: GalleryView) -> None:
        """Draw the gallery on `views`, now and whenever something changes."""
        self.views = list(views)
        for watch in self.watches.values():
            self._ends[watch.job_id] = watch.subscribe(self._take)
        self._is_begun = True
        self._delivery.post(self._draw)

    def add(self, view: GalleryView) -> None:
        """Draw on one view more."""
        with self._lock:
            self.views.append(view)
        self._delivery.post(self._draw)

    def find(self, job_id: object) -> Watch | None:
        """The watch of the job that a page means."""
        return self.watches.get(str(job_id))

    def replace(self, watch: Watch) -> None:
        """A job that was in the gallery is watched anew."""
        self._ends[watch.job_id]()
        self.watches[watch.job_id] = watch
        self._ends[watch.job_id] = watch.subscribe(self._take)

    def browse(self, wish: Mapping[str, object]) -> None:
        """Show another part of the gallery, at once."""
        with self._lock:
            self.gallery.browse(wish)
        self._delivery.post(self._draw)

    def show_all(self) -> None:
        """Show all of the page anew: one that has just opened may have missed some changes."""
        with self._lock:
            self.gallery.forget_shown()
        self._delivery.post(self._draw)

    def end(self) -> None:
        """Draw nothing any more."""
        for unsubscribe in self._ends.values():
            unsubscribe()

    def _take(self, state: WatchState) -> None:
        with self._lock:
            self.gallery.see(state)
            # The last change must not wait for a timer: the loop it runs on may be about to close.
            is_last = self.gallery.is_settled
            if not self._is_begun or (self._is_due and not is_last):
                return
            left_s = self._drawn_s + self._pause_s - time.monotonic()
            is_at_once = is_last or left_s <= 0
            self._is_due = True
        if is_at_once:
            self._delivery.post(self._draw)
        else:
            self._loop.run(self._draw_after(left_s))

    async def _draw_after(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        self._delivery.post(self._draw)

    def _draw(self) -> None:
        with self._lock:
            began_s = time.monotonic()
            self._is_due = False
            for view in self.views:
                view.show(self.gallery, time.time())
            self.is_settled = self.gallery.is_settled
            self._drawn_s = time.monotonic()
            cost_s = self._drawn_s - began_s
            self._pause_s = max(DRAWN_EVERY_S, cost_s / MOST_SHARE)


Feed = CardFeed | GalleryFeed
"""What is behind one thing that is shown."""
