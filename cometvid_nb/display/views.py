"""Views: what a page, a headless run and a terminal offer to draw on."""

from __future__ import annotations

from typing import Protocol

from ..cards.card import Card
from ..cards.gallery import Gallery


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


class GalleryView(Shown, Protocol):
    """Something that draws a gallery, at most a few times a second."""

    def show(self, gallery: Gallery, now_s: float) -> None:
        """Draw what has changed (unix seconds). Settled: it is the last time."""
