"""GalleryFeed: brings what many watches tell to one gallery's views, a few times a second."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from ..cards.gallery import Gallery
from ..watching.state import WatchState
from ..watching.watch import Watch
from .delivery import Delivery
from .views import GalleryView

DRAWN_EVERY_S = 1 / 3
"""However many jobs there are, a page gets no more than three messages a second."""
MOST_SHARE = 0.05
"""How much of the time may go into drawing: a gallery of very many jobs is drawn less often."""


class GalleryFeed:
    """The watches behind one gallery; `watches` gives the latest of each job.

    What changes after a calm is drawn at once, what changes soon after waits for its turn. The
    lock is taken below those of the watches and of the delivery, and none is taken under it.
    """

    def __init__(
        self,
        watches: Iterable[Watch],
        delivery: Delivery,
        run: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self.watches = {watch.job_id: watch for watch in watches}
        self.gallery = Gallery(watch.state for watch in self.watches.values())
        self._views: list[GalleryView] = []
        self._delivery = delivery
        self._run = run
        self._lock = threading.RLock()
        self._ends: dict[str, Callable[[], None]] = {}
        self._is_begun = False
        self._is_due = False
        self._drawn_s = 0.0
        self._pause_s = DRAWN_EVERY_S

    def begin(self, *views: GalleryView) -> None:
        """Draw the gallery on `views`, now and whenever something changes."""
        self._views = list(views)
        for watch in self.watches.values():
            self._ends[watch.job_id] = watch.subscribe(self._note)
        self._is_begun = True
        self._delivery.post(self._draw)

    def add(self, view: GalleryView) -> None:
        """Draw on one view more."""
        with self._lock:
            self._views.append(view)
        self._delivery.post(self._draw)

    def end(self) -> None:
        """Draw nothing any more."""
        for unsubscribe in self._ends.values():
            unsubscribe()

    def browse(self, wish: Mapping[str, object]) -> None:
        """Show another part of the gallery, at once."""
        with self._lock:
            self.gallery.browse(wish)
        self._delivery.post(self._draw)

    def tell_all(self) -> None:
        """Show all of the page anew: one that has just opened may have missed what was told."""
        with self._lock:
            self.gallery.forget_shown()
        self._delivery.post(self._draw)

    def replace(self, watch: Watch) -> None:
        """A job that was in the gallery is watched anew."""
        self._ends[watch.job_id]()
        self.watches[watch.job_id] = watch
        self._ends[watch.job_id] = watch.subscribe(self._note)

    def _note(self, state: WatchState) -> None:
        with self._lock:
            self.gallery.see(state)
            # The last word must not wait for a timer: the loop it runs on may be about to close.
            is_last = self.gallery.is_settled
            if not self._is_begun or (self._is_due and not is_last):
                return
            left_s = self._drawn_s + self._pause_s - time.monotonic()
            is_at_once = is_last or left_s <= 0
            self._is_due = True
        if is_at_once:
            self._delivery.post(self._draw)
        else:
            self._run(self._draw_after(left_s))

    async def _draw_after(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        self._delivery.post(self._draw)

    def _draw(self) -> None:
        with self._lock:
            began_s = time.monotonic()
            self._is_due = False
            for view in self._views:
                view.show(self.gallery, time.time())
            self._drawn_s = time.monotonic()
            cost_s = self._drawn_s - began_s
            self._pause_s = max(DRAWN_EVERY_S, cost_s / MOST_SHARE)
