"""Views: how a watch is shown where it was asked for; siblings with one method, `show`."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ..cards.card import Card, Phase
from ..cards.html import one_line, to_bundle, to_clock, to_progress_line, to_text
from ..notebook import when_idle
from .page import Page, WidgetOutput

if TYPE_CHECKING:
    from .widget import JobWidget


PAGE_TRIES_S = 5.0
"""How long a page may take to find that it cannot play a link."""


class Shown(Protocol):
    """Something that is seen while somebody waits."""

    def tick(self, now_s: float) -> None:
        """A second has passed (unix seconds) while somebody waits."""

    def leave(self) -> None:
        """Nobody waits any more."""


class View(Shown, Protocol):
    """Something that draws cards."""

    def show(self, card: Card, *, is_settled: bool) -> None:
        """Draw `card`; `is_settled`: it is the last one."""


class WidgetView:
    """A widget in a page, replaced at the end by the static record, which needs no kernel.

    Without the replacement a notebook that is opened again would show "model not found". Where
    no file is kept, or where the record could not load the clip, `page` is None: no replacement.
    """

    def __init__(self, widget: JobWidget, page: Page | None = None) -> None:
        self._widget = widget
        self._output = WidgetOutput(widget, page)

    def show(self, card: Card, *, is_settled: bool) -> None:
        """The widget draws itself; this sees to the record, and to a page without widgets."""
        if not is_settled:
            self._output.redraw()
        elif self._output.is_plain or not is_link_only(card):
            self._output.settle(to_bundle(card))
        else:
            # Only the API's link could stand in the record. A page that cannot play it asks for
            # the clip through the kernel, and then the widget is the one place where it plays.
            when_idle(PAGE_TRIES_S, lambda: self._settle_unless_relaying(card))

    def _settle_unless_relaying(self, card: Card) -> None:
        if not self._widget.is_relaying:
            self._output.settle(to_bundle(card))

    def tick(self, now_s: float) -> None:
        """The page ticks by itself."""

    def leave(self) -> None:
        """The page goes on by itself."""


def is_link_only(card: Card) -> bool:
    """Whether nothing but the API's link leads to the clip."""
    return card.clip is not None and not (card.clip.path or card.clip.data_url)


class HtmlView:
    """The static record in an output that is replaced at each change of the phase.

    For runs nobody looks at, where a widget would only leave its state behind.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._phase: Phase | None = None

    def show(self, card: Card, *, is_settled: bool) -> None:
        """Replace the output if a reader of the file would care."""
        from IPython.display import display

        if self._handle is None:
            self._handle = display(to_bundle(card), raw=True, display_id=True)
        elif is_settled or card.phase is not self._phase:
            self._handle.update(to_bundle(card), raw=True)
        self._phase = card.phase

    def tick(self, now_s: float) -> None:
        """Nobody looks."""

    def leave(self) -> None:
        """Nobody looks."""


class TextView:
    """One line in a terminal, redrawn in place, that ends in the clip's path or link.

    Into a file or a pipe: a line for each change of the phase. One view serves several jobs.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._out = stream if stream is not None else sys.stdout
        self._is_terminal = bool(getattr(self._out, "isatty", lambda: False)())
        self._cards: dict[str, Card] = {}
        self._width = 0

    def show(self, card: Card, *, is_settled: bool) -> None:
        """Redraw the line, or write the job's last words and forget it."""
        before = self._cards.get(card.job_id)
        if is_settled:
            self._cards.pop(card.job_id, None)
            self._clear()
            print(to_text(card), file=self._out, flush=True)
            return
        self._cards[card.job_id] = card
        if self._is_terminal:
            self.tick(time.time())
        elif not card.phase.is_active:
            return  # the last words, once the clip is saved, are enough
        elif before is None or before.phase is not card.phase or before.problem != card.problem:
            print(to_progress_line(card, time.time(), 500), file=self._out, flush=True)

    def tick(self, now_s: float) -> None:
        """Redraw, as the elapsed time has changed."""
        if not self._is_terminal or not self._cards:
            return
        room = shutil.get_terminal_size().columns - 1
        cards = list(self._cards.values())
        if len(cards) == 1:
            line = to_progress_line(cards[0], now_s, room)
        else:
            since_s = min(card.elapsed_from_s or now_s for card in cards)
            line = one_line(f"{len(cards)} jobs to go  {to_clock(now_s - since_s)}", room)
        self._out.write("\r" + line.ljust(self._width))
        self._out.flush()
        self._width = len(line)

    def leave(self) -> None:
        """Take the line away, so that what comes next begins one."""
        self._clear()

    def _clear(self) -> None:
        if self._is_terminal and self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._out.flush()
            self._width = 0
