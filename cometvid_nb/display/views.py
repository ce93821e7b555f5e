"""Views: the protocols that a page, a file and a terminal implement to draw watches."""

from __future__ import annotations

from typing import Protocol

from ..cards.card import Card
from ..cards.gallery import Gallery


class Shown(Protocol):
    """What all views have in common; called while a cell waits."""

    def tick(self, now_s: float) -> None:
        """Redraw what depends on the time; called about once a second. `now_s`: unix seconds."""

    def leave(self) -> None:
        """Clean up, as the cell no longer waits; what follows is not ours."""


class View(Shown, Protocol):
    """Draws cards, of one job or of several in turn."""

    def show(self, card: Card, *, is_settled: bool) -> None:
        """Draw `card`. `is_settled`: it is the last card of its job."""


class GalleryView(Shown, Protocol):
    """Draws a gallery; called a few times a second at most."""

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Draw the changes. `now_s`: unix seconds. A settled gallery is drawn for the last time."""
