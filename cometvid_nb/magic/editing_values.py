"""Editing values: what the options of `frames`, `sheet` and `loop` are given, read and checked.

Here and not where it is used, as a mistake is told by the name of the option.
"""

from __future__ import annotations

import math
from argparse import Namespace

from ..editing.times import LAST, Times
from .grammar import as_number, number_of, whole
from .parser import GrammarError

_AT = f"give seconds from 0 on, parted by commas, such as 0,1.5,{LAST}"


def times_of(arguments: Namespace) -> Times | None:
    """The moments that a line names; None: none.

    Raises:
        GrammarError: an option has a value that is not allowed.
    """
    at_s = _moments(arguments.at) if arguments.at is not None else None
    every_s = number_of("--every", arguments.every, 0.001, 86_400, "seconds")
    count = whole("--count", arguments.count, 10_000) if arguments.count is not None else None
    given = every_s is not None or at_s is not None or count is not None
    return Times.checked(every_s, at_s, count) if given else None


def _moments(text: str) -> list[float | str]:
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    moments = [piece if piece == LAST else as_number(piece) for piece in pieces]
    for moment in moments or [None]:
        if moment is None or (moment != LAST and not 0 <= float(moment) < math.inf):
            raise GrammarError(f"--at is {text!r}: {_AT}")
    return [moment for moment in moments if moment is not None]
