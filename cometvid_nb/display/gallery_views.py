"""Gallery views: how many watches are shown at once; siblings, as those of `views.py` are."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ..cards.card import Card
from ..cards.gallery import Gallery, Group
from ..cards.gallery_html import MOST_CARDS, to_bundle, to_ended_line, to_progress_line, to_totals
from ..notebook import when_idle
from .embedding import embedded_within
from .page import Page, WidgetOutput
from .views import Shown, is_link_only

if TYPE_CHECKING:
    from .widget import GalleryWidget

COMPARED_WITHIN_S = 20.0
"""So long the live gallery stays when all is done, as only there the clips play in sync; as long
as somebody plays them, it stays."""
LOOK_EVERY_S = 2.0
FILE_EVERY_S = 2.0
"""How often an output that nobody looks at is replaced at most; each has a whole grid in it."""


class GalleryView(Shown, Protocol):
    """Something that draws a gallery, at most a few times a second."""

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Draw what has changed (unix seconds). Settled: it is the last time."""


class GalleryWidgetView:
    """A widget in a page, replaced at the end by the static record, as `WidgetView` does it."""

    def __init__(
        self, widget: GalleryWidget, page: Page | None = None, *, is_embedding: bool = False
    ) -> None:
        self._widget = widget
        self._is_embedding = is_embedding
        self._is_settling = False
        self._output = WidgetOutput(widget, page)

    def show(self, gallery: Gallery, now_s: float) -> None:
        """The widget draws itself; this sees to the record, and to a page without widgets."""
        if not gallery.is_settled:
            self._output.redraw()
            return
        if not self._output.is_open:
            return
        if self._is_settling:
            return
        cards = _last_cards(gallery, is_embedding=self._is_embedding)
        if self._output.is_plain or gallery.totals[Group.COMPLETED] < 2:
            self._output.settle(to_bundle(gallery, cards))
        else:
            self._is_settling = True
            self._settle_later(gallery, cards, COMPARED_WITHIN_S)

    def _settle_later(self, gallery: Gallery, cards: list[Card], left_s: float) -> None:
        look_s = min(left_s, LOOK_EVERY_S)
        when_idle(look_s, lambda: self._settle_unless_used(gallery, cards, left_s - look_s))

    def _settle_unless_used(self, gallery: Gallery, cards: list[Card], left_s: float) -> None:
        if not self._output.is_open:
            return
        if self._widget.is_used:
            self._settle_later(gallery, cards, COMPARED_WITHIN_S)
        elif left_s > 0 and not self._output.is_plain:
            self._settle_later(gallery, cards, left_s)
        else:
            self._is_settling = False
            # Some clips may have nothing but the API's link; see `WidgetView.show`.
            is_needed = self._widget.is_relaying and any(map(is_link_only, cards))
            if not is_needed and gallery.is_settled:
                self._output.settle(to_bundle(gallery, cards))

    def tick(self, now_s: float) -> None:
        """The page ticks by itself."""

    def leave(self) -> None:
        """The page goes on by itself."""


class GalleryHtmlView:
    """The static record in an output that is replaced when a job changes its group."""

    def __init__(self, *, is_embedding: bool = False) -> None:
        self._is_embedding = is_embedding
        self._handle: Any = None
        self._gallery: Gallery | None = None
        self._totals: object = None
        self._shown_at_s = 0.0

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Replace the output if a reader of the file would care."""
        from IPython.display import display

        self._gallery = gallery
        is_same = gallery.totals == self._totals
        is_early = now_s - self._shown_at_s < FILE_EVERY_S
        if self._handle is not None and not gallery.is_settled and (is_same or is_early):
            return
        self._totals, self._shown_at_s = gallery.totals, now_s
        cards = _last_cards(gallery, is_embedding=self._is_embedding)
        bundle = to_bundle(gallery, cards)
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def tick(self, now_s: float) -> None:
        """What came too early before may be due now."""
        if self._gallery is not None and not self._gallery.is_settled:
            self.show(self._gallery, now_s)

    def leave(self) -> None:
        """Nobody looks."""


class GalleryTextView:
    """A line for each job that ends, and in a terminal one below them that moves."""

    def __init__(self, began_at_s: float, stream: TextIO | None = None) -> None:
        self._began_at_s = began_at_s
        self._out = stream if stream is not None else sys.stdout
        self._is_terminal = bool(getattr(self._out, "isatty", lambda: False)())
        self._gallery: Gallery | None = None
        self._width = 0

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Write what has ended, then draw the line anew."""
        self._gallery = gallery
        for state in gallery.take_ended():
            self.leave()
            print(to_ended_line(Card.of_watch(state)), file=self._out, flush=True)
        if not gallery.is_settled:
            self.tick(now_s)
        elif self._is_terminal:
            self.leave()
            self._gallery = None
            print(to_totals(gallery), file=self._out, flush=True)

    def tick(self, now_s: float) -> None:
        """Redraw, as the elapsed time has changed."""
        if not self._is_terminal or self._gallery is None:
            return
        room = shutil.get_terminal_size().columns - 1
        elapsed_s = self._gallery.elapsed_s(self._began_at_s, now_s)
        line = to_progress_line(self._gallery, elapsed_s, room)
        self._out.write("\r" + line.ljust(self._width))
        self._out.flush()
        self._width = len(line)

    def leave(self) -> None:
        """Take the line away, so that what comes next begins one."""
        if self._is_terminal and self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._out.flush()
            self._width = 0


def _last_cards(gallery: Gallery, *, is_embedding: bool) -> list[Card]:
    cards = gallery.cards(MOST_CARDS)
    if is_embedding and gallery.is_settled:
        return embedded_within(cards, gallery.states)
    return cards
