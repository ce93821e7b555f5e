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
    gallery_to_progress_line,
    one_line,
    to_clock,
    to_ended_line,
    to_totals,
)


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
            print(card_to_text(card), file=self._out, flush=True)
            return
        self._cards[card.job_id] = card
        if self._is_terminal:
            self.tick(time.time())
        elif not card.phase.is_active:
            return  # the last words, once the clip is saved, are enough
        elif before is None or before.phase is not card.phase or before.problem != card.problem:
            print(card_to_progress_line(card, time.time(), 500), file=self._out, flush=True)

    def tick(self, now_s: float) -> None:
        """Redraw, as the elapsed time has changed."""
        if not self._is_terminal or not self._cards:
            return
        room = shutil.get_terminal_size().columns - 1
        cards = list(self._cards.values())
        if len(cards) == 1:
            line = card_to_progress_line(cards[0], now_s, room)
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
        line = gallery_to_progress_line(self._gallery, elapsed_s, room)
        self._out.write("\r" + line.ljust(self._width))
        self._out.flush()
        self._width = len(line)

    def leave(self) -> None:
        """Take the line away, so that what comes next begins one."""
        if self._is_terminal and self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._out.flush()
            self._width = 0
