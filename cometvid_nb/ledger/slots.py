"""Slots: which earlier request of its notebook a new one repeats. Pure.

A notebook that holds three equal requests has three slots, and each has a job. A cell keeps its
slots by the id that the notebook's file has for it. Where no such id is known, slots are taken in
the order in which they were first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Slot(NamedTuple):
    """The place of a request among the equal ones of one notebook."""

    cell: str | None
    """The id of the cell, as the notebook's file keeps it; None: not known."""
    take: int
    """From 1: which of the equal requests in a run of the cell it is; without a cell, which of
    those of the notebook."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request of a notebook, as it is looked up among the earlier ones."""

    notebook: str
    digest: str
    """Equal for equal requests, and for those only."""
    cell: str | None = None
    """The lasting id of the cell that asks; None: the front end tells none."""
    take: int = 1
    """From 1: which of the equal requests in this run of the cell it is."""
    held: Slot | None = None
    """The slot that this same request has had before in this kernel."""
    taken: frozenset[Slot] = frozenset()
    """The slots of the other requests of this kernel."""
    left: frozenset[str] = frozenset()
    """Cells that are gone from the notebook, or split: what they have asked for is free."""

    @property
    def own(self) -> Slot | None:
        """The slot that a lasting id gives it, or None."""
        return Slot(self.cell, self.take) if self.cell is not None else None

    def slot_among(self, known: Sequence[Slot]) -> Slot:
        """Return the one of the `known` slots that it repeats, else a new one.

        `known` has those of all equal requests of the notebook, the earliest first.
        """
        if self.held is not None:
            return self.held
        own = self.own
        if own is not None and own in known:
            return own
        if (free := next(filter(self._is_free, known), None)) is not None:
            return free
        return own or Slot(None, 1 + _highest([*known, *self.taken]))

    def _is_free(self, slot: Slot) -> bool:
        # A cell with a lasting id takes from another one only what that has left behind; it would
        # otherwise show the job of an equal cell that stands in the notebook as well.
        is_left = self.cell is None or slot.cell is None or slot.cell in self.left
        return is_left and slot not in self.taken


def _highest(slots: Iterable[Slot]) -> int:
    return max((slot.take for slot in slots if slot.cell is None), default=0)
