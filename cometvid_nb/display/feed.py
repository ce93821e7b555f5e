"""Feeds: bring the changes of watches to the views that draw them, for a card or a gallery."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
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
"""The shortest pause between two drawings of a gallery, however many jobs it has: Jupyter Server
drops the messages of a kernel that sends too many."""
MOST_SHARE = 0.05
"""The share of time that drawing may take: a gallery of very many jobs is drawn less often."""


class CardFeed:
    """Draws one watch on any number of views; each visible change makes one card for all of them.

    `watch` is the latest watch of the job.
    """

    def __init__(self, watch: Watch, delivery: Delivery) -> None:
        self.watch = watch
        self.views: list[View] = []
        self.is_settled = False
        """Whether the last card has been drawn. A waiting cell waits for this and not for the
        watch, as the drawing of the last change may still be in the queue."""
        self._embedding: set[View] = set()
        """The views whose last card holds the clip."""
        self._news: deque[tuple[WatchState, Card]] = deque(maxlen=1)
        """What the next drawing shows: the latest, however many changes came before it."""
        self._latest: tuple[WatchState, Card] | None = None
        """For a view that is added later."""
        self._delivery = delivery
        self._unsubscribe = watch.subscribe(partial(self._take, watch))

    def add(self, view: View, *, is_embedding: bool = False) -> None:
        """Draw on `view`, now and at each change. `is_embedding`: its last card holds the clip."""
        if is_embedding:
            self._embedding.add(view)
        self._delivery.post(partial(self._begin, view))

    def find(self, _job_id: object) -> Watch:
        """Return the watch that a page's message is for; a card has only one."""
        return self.watch

    def replace(self, watch: Watch) -> None:
        """Draw `watch` instead of the old one: of the same job, or of another take of it."""
        self._unsubscribe()
        self.watch = watch
        self._unsubscribe = watch.subscribe(partial(self._take, watch))

    def leave(self, view: View) -> None:
        """Draw on `view` no more; without any view there is nothing to draw."""
        self.views = [other for other in self.views if other is not view]
        if not self.views:
            self.end()

    def end(self) -> None:
        """Stop drawing."""
        self._unsubscribe()

    def _take(self, watch: Watch, state: WatchState) -> None:
        card = Card.of_watch(state, watch.picture)
        if watch is self.watch:  # a call of the one before may still be under way
            self._news.append((state, card))
            self._delivery.post(self._draw)

    def _begin(self, view: View) -> None:
        self.views.append(view)
        if self._latest is not None:
            self._show(view, *self._latest)

    def _draw(self) -> None:
        if not self._news:
            return  # an earlier drawing has shown it
        state, card = self._latest = self._news.pop()
        for view in self.views:
            self._show(view, state, card)
        self.is_settled = state.is_settled

    def _show(self, view: View, state: WatchState, card: Card) -> None:
        if state.is_settled and view in self._embedding:
            card = embedded(card, state)
        view.show(card, is_settled=state.is_settled)


class GalleryFeed:
    """Draws many watches on the views of one gallery.

    A change after a quiet time is drawn at once; changes soon after it are collected and drawn
    together. Order of locks: a watch's, then the delivery's, then this one's. No lock is taken
    while this one is held.
    """

    def __init__(self, watches: Iterable[Watch], delivery: Delivery, loop: WatchLoop) -> None:
        # By job id; after `replace` the latest watch of the job.
        self.watches = {watch.job_id: watch for watch in watches}
        self.gallery = Gallery(watch.state for watch in self.watches.values())
        self.views: list[GalleryView] = []
        self.is_settled = False
        """Whether the last change has been drawn; see `CardFeed.is_settled`."""
        self._delivery = delivery
        self._loop = loop
        self._lock = threading.RLock()
        self._ends: dict[str, Callable[[], None]] = {}
        """By job id: the function that ends the subscription to its watch."""
        self._is_begun = False
        """False while subscribing, which tells the state of each watch: one drawing serves all."""
        self._is_due = False
        """Whether a drawing is already on its way, which will show further changes as well."""
        self._drawn_s = 0.0
        """When the last drawing ended (monotonic seconds)."""
        self._pause_s = DRAWN_EVERY_S
        """The pause until the next drawing, longer if drawing is slow: see `MOST_SHARE`."""

    def begin(self, *views: GalleryView) -> None:
        """Draw the gallery on `views`, now and whenever something changes."""
        self.views = list(views)
        for watch in self.watches.values():
            self._ends[watch.job_id] = watch.subscribe(self._take)
        self._is_begun = True
        self._delivery.post(self._draw)

    def add(self, view: GalleryView) -> None:
        """Draw on one more view."""
        with self._lock:
            self.views.append(view)
        self._delivery.post(self._draw)

    def find(self, job_id: object) -> Watch | None:
        """Return the watch of the job that a page names, or None for a job that is not here."""
        return self.watches.get(str(job_id))

    def replace(self, watch: Watch) -> None:
        """Draw `watch` instead of the old one of its job, or, of another take, beside the rest."""
        if watch.job_id in self._ends:
            self._ends[watch.job_id]()
        self.watches[watch.job_id] = watch
        self._ends[watch.job_id] = watch.subscribe(self._take)

    def browse(self, wish: Mapping[str, object]) -> None:
        """Show another part of the gallery (see `Gallery.browse`), at once: somebody is waiting."""
        with self._lock:
            self.gallery.browse(wish)
        self._delivery.post(self._draw)

    def show_all(self) -> None:
        """Send the whole page again: a page that has just opened may have missed changes."""
        with self._lock:
            self.gallery.forget_shown()
        self._delivery.post(self._draw)

    def leave(self, view: GalleryView) -> None:
        """Draw on `view` no more; without any view there is nothing to draw."""
        with self._lock:
            self.views = [other for other in self.views if other is not view]
        if not self.views:
            self.end()

    def end(self) -> None:
        """Stop drawing."""
        for unsubscribe in self._ends.values():
            unsubscribe()

    def _take(self, state: WatchState) -> None:
        with self._lock:
            self.gallery.see(state)
            # The last change is drawn at once: a timer runs on the loop, which may soon be closed.
            is_last = self.gallery.is_settled
            if not self._is_begun or (self._is_due and not is_last):
                return
            left_s = self._drawn_s + self._pause_s - time.monotonic()
            is_at_once = is_last or left_s <= 0
            self._is_due = True
        if is_at_once:
            self._delivery.post(self._draw)
        else:
            self._loop.run(self._draw_after(left_s, self._drawn_s))

    async def _draw_after(self, pause_s: float, drawn_s: float) -> None:
        """Draw after a pause, unless what came since `drawn_s` was drawn before: for a new view."""
        await asyncio.sleep(pause_s)
        if self._drawn_s == drawn_s:
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
"""A feed of either kind, where it does not matter which."""
