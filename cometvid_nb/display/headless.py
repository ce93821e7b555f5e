"""Headless: watches shown in a file that nobody looks at before the run is over."""

from __future__ import annotations

from typing import Any

from ..cards.card import Card, Phase
from ..cards.gallery import Gallery
from ..cards.html import card_to_bundle, gallery_to_bundle
from .embedding import last_cards

FILE_EVERY_S = 2.0
"""How often an output that nobody looks at is replaced at most; each has a whole grid in it."""


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
            self._handle = display(card_to_bundle(card), raw=True, display_id=True)
        elif is_settled or card.phase is not self._phase:
            self._handle.update(card_to_bundle(card), raw=True)
        self._phase = card.phase

    def tick(self, now_s: float) -> None:
        """Nobody looks."""

    def leave(self) -> None:
        """Nobody looks."""


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
        cards = last_cards(gallery, is_embedding=self._is_embedding)
        bundle = gallery_to_bundle(gallery, cards)
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
