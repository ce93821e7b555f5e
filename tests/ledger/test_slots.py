"""A notebook's equal requests have a slot each, and a cell keeps the ones that are its own."""

from __future__ import annotations

import pytest

from cometvid_nb.ledger.slots import Repeat, Slot

A, B = Slot("a", 1), Slot("b", 1)
FIRST, SECOND = Slot(None, 1), Slot(None, 2)


def asked(cell: str | None = None, take: int = 1, **more: object) -> Repeat:
    return Repeat("/n.ipynb", "digest", cell, take, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("repeat", "known", "expected"),
    [
        # A cell with an id that lasts has its own, wherever it stands.
        (asked("a"), [], A),
        (asked("a"), [A, B], A),
        (asked("b"), [A, B], B),
        (asked("a", 2), [A, B], Slot("a", 2)),
        # An equal cell is another cell.
        (asked("c"), [A, B], Slot("c", 1)),
        # What a cell that is gone has left, or one of which no id is known, is taken over.
        (asked("c", left=frozenset({"a"})), [A, B], A),
        (asked("c"), [A, FIRST], FIRST),
        (asked("c", taken=frozenset({FIRST})), [A, FIRST], Slot("c", 1)),
        # Without an id: in the order of the notebook, whoever has asked first.
        (asked(), [], FIRST),
        (asked(), [A, FIRST], A),
        (asked(taken=frozenset({A})), [A, FIRST], FIRST),
        (asked(taken=frozenset({A, FIRST})), [A, FIRST], SECOND),
        # Two that are not made yet do not share one.
        (asked(taken=frozenset({FIRST})), [], SECOND),
        # What the same request has had in this kernel, it has; also where it was forgotten.
        (asked(held=SECOND), [FIRST, SECOND], SECOND),
        (asked(held=FIRST), [SECOND], FIRST),
        (asked("a", held=A, left=frozenset({"b"})), [B], A),
    ],
)
def test_a_request_has_its_slot(repeat: Repeat, known: list[Slot], expected: Slot) -> None:
    assert repeat.slot_among(known) == expected
