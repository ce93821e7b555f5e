"""Terminal: watches shown as lines of text."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from ..cards.card import Card
from ..cards.gallery import Gallery
from ..cards.text import (
    card_to_progress_line,
    card_to_text,
    cards_to_progress_line,
    gallery_to_progress_line,
    to_ended_line,
    to_totals,
)
from ..machine import writable


class MovingLine:
    """The last line of a terminal, redrawn in place; what is printed goes above it.

    In a file or a pipe there is no such line, and printing is all that happens. `is_drawn` None
    lets the stream tell; that of a kernel does not know of the console behind it.
    """

    def __init__(self, stream: TextIO | None = None, *, is_drawn: bool | None = None) -> None:
        self._out = stream if stream is not None else sys.stdout
        is_terminal = bool(getattr(self._out, "isatty", lambda: False)())
        self.is_drawn = is_terminal if is_drawn is None else is_drawn
        self._shown_columns = 0

    @property
    def columns(self) -> int:
        """How much fits: one less than there are, as a full line would wrap in some terminals."""
        return shutil.get_terminal_size().columns - 1

    def draw(self, line: str) -> None:
        """Show `line` in the place of what was there."""
        if self.is_drawn:
            line = writable(line, self._out)[: self.columns]
            self._out.write("\r" + line.ljust(self._shown_columns))
            self._out.flush()
            self._shown_columns = len(line)

    def clear(self) -> None:
        """Take the line away, so that what comes next begins one."""
        if self._shown_columns:
            self._out.write("\r" + " " * self._shown_columns + "\r")
            self._out.flush()
            self._shown_columns = 0

    def print(self, text: str) -> None:
        """Write what stays."""
        self.clear()
        print(writable(text, self._out), file=self._out, flush=True)


class TextView:
    """One line in a terminal, redrawn in place, that ends in the clip's path or link.

    Into a file or a pipe: a line for each change of the phase. One view serves several jobs.
    """

    def __init__(self, stream: TextIO | None = None, *, is_drawn: bool | None = None) -> None:
        self._line = MovingLine(stream, is_drawn=is_drawn)
        self._cards: dict[str, Card] = {}

    def show(self, card: Card, *, is_settled: bool) -> None:
        """Redraw the line, or write the job's last words and forget it."""
        before = self._cards.get(card.job_id)
        if is_settled:
            self._cards.pop(card.job_id, None)
            self._line.print(card_to_text(card))
            return
        self._cards[card.job_id] = card
        if self._line.is_drawn:
            self.tick(time.time())
        elif not card.phase.is_active:
            return  # the last words, once the clip is saved, are enough
        elif before is None or before.phase is not card.phase or before.problem != card.problem:
            self._line.print(card_to_progress_line(card, time.time(), 500))

    def tick(self, now_s: float) -> None:
        """Redraw, as the elapsed time has changed."""
        if self._cards:
            cards = list(self._cards.values())
            self._line.draw(cards_to_progress_line(cards, now_s, self._line.columns))

    def leave(self) -> None:
        """Take the line away, so that what comes next begins one."""
        self._line.clear()


class GalleryTextView:
    """A line for each job that ends, and in a terminal one below them that moves."""

    def __init__(
        self, began_at_s: float, stream: TextIO | None = None, *, is_drawn: bool | None = None
    ) -> None:
        self._began_at_s = began_at_s
        self._line = MovingLine(stream, is_drawn=is_drawn)
        self._gallery: Gallery | None = None

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Write what has ended, then draw the line anew."""
        self._gallery = gallery
        for state in gallery.take_ended():
            self._line.print(to_ended_line(Card.of_watch(state)))
        if not gallery.is_settled:
            self.tick(now_s)
        elif self._line.is_drawn:
            self._gallery = None
            self._line.print(to_totals(gallery))

    def tick(self, now_s: float) -> None:
        """Redraw, as the elapsed time has changed."""
        if self._gallery is not None:
            elapsed_s = self._gallery.elapsed_s(self._began_at_s, now_s)
            self._line.draw(gallery_to_progress_line(self._gallery, elapsed_s, self._line.columns))

    def leave(self) -> None:
        """Take the line away, so that what comes next begins one."""
        self._line.clear()
