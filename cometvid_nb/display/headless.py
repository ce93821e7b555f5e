"""Headless: shows watches in a file that nobody reads before the run is over."""

from __future__ import annotations

import time
from typing import Any

from ..cards.card import Card, Phase
from ..cards.card_html import card_to_bundle
from ..cards.gallery import Gallery
from .embedding import last_cards, with_unreachable
from .record import gallery_record

FILE_EVERY_S = 2.0
"""The shortest pause between two versions of a gallery's output, as each holds the whole grid."""


class HtmlView:
    """Shows a card as a static record, replaced when the card's phase changes.

    Not a widget: without a page it would only leave its state in the file.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        """The display handle of the output; None before the first card."""
        self._phase: Phase | None = None
        """The phase shown last. Progress within a phase is of no use in a file."""

    def show(self, card: Card, *, is_settled: bool) -> None:
        """Show `card` if its phase is new or it is the last one."""
        from IPython.display import display

        # A run that is killed leaves its file with what was known last.
        if is_settled:
            (card,) = with_unreachable([card])
        bundle = card_to_bundle(card, known_at_s=time.time())
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        elif is_settled or card.phase is not self._phase:
            self._handle.update(bundle, raw=True)
        self._phase = card.phase

    def tick(self, now_s: float) -> None:
        """Do nothing: a file has no clock."""

    def leave(self) -> None:
        """Do nothing: the output stays."""


class GalleryHtmlView:
    """Shows a gallery as a static record, replaced when a job moves to another group.

    `is_embedding`: the last record contains the clips.
    """

    def __init__(self, *, is_embedding: bool = False) -> None:
        self._is_embedding = is_embedding
        self._handle: Any = None
        self._gallery: Gallery | None = None
        """For `tick`, which shows a change that came too early."""
        self._totals: object = None
        """The jobs per group as shown last, and the unix second of that."""
        self._shown_at_s = 0.0

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Show `gallery` if a job has moved to another group and the last output is old enough."""
        from IPython.display import display

        self._gallery = gallery
        is_same = gallery.totals == self._totals
        is_early = now_s - self._shown_at_s < FILE_EVERY_S
        if self._handle is not None and not gallery.is_settled and (is_same or is_early):
            return
        self._totals, self._shown_at_s = gallery.totals, now_s
        cards = last_cards(gallery, is_embedding=self._is_embedding)
        bundle = gallery_record(gallery, cards)
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def tick(self, now_s: float) -> None:
        """Show a change that came too early before."""
        if self._gallery is not None and not self._gallery.is_settled:
            self.show(self._gallery, now_s)

    def leave(self) -> None:
        """Do nothing: the output stays."""
