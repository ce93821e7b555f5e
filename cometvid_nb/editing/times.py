"""Times: which moments of a clip are asked for, as a rule that its length fills in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SettingsError

LAST = "last"
_HOW = "give every_s=0.5, or at_s=[0, 1.5, 'last'], or count=12"


@dataclass(frozen=True, slots=True)
class Times:
    """Moments of a clip: every `every_s` seconds, `at_s` certain ones, or `count` spread evenly.

    Exactly one of the three is set. Seconds count from the beginning; `LAST` is the last frame.
    """

    every_s: float | None = None
    at_s: tuple[float | str, ...] = ()
    count: int | None = None

    @classmethod
    def checked(
        cls,
        every_s: float | None = None,
        at_s: Sequence[float | str] | None = None,
        count: int | None = None,
    ) -> Times:
        """The rule that these say.

        Raises:
            SettingsError: not exactly one is given, or its value is not allowed; it says what is.
        """
        given = [value for value in (every_s, at_s, count) if value is not None]
        if len(given) != 1:
            much = "one of them" if given else "something"
            raise SettingsError(f"which frames? Choose {much}: {_HOW}")
        if every_s is not None and not (math.isfinite(every_s) and every_s > 0):
            raise SettingsError(f"every_s is {every_s!r}: give seconds above 0")
        if count is not None and (count < 1 or count != int(count)):
            raise SettingsError(f"count is {count!r}: give a whole number from 1 on")
        moments = () if at_s is None else tuple(at_s)
        if at_s is not None and (isinstance(at_s, str) or not moments):
            raise SettingsError(f"at_s is {at_s!r}: give a list of seconds, such as [0, 1.5]")
        for moment in moments:
            if moment != LAST and not (_is_number(moment) and 0 <= float(moment) < math.inf):
                raise SettingsError(
                    f"at_s holds {moment!r}: give seconds from 0 on, or {LAST!r} for the last frame"
                )
        return cls(every_s, moments, None if count is None else int(count))

    def within(self, length_s: float, last_s: float, name: str) -> list[float]:
        """The moments in a clip of `length_s`, whose last frame is shown at `last_s`.

        In the order they were given in. `name` is the clip's, for what it is told.

        Raises:
            SettingsError: one of them is after the end.
        """
        if self.every_s is not None:
            number = max(1, math.ceil(length_s / self.every_s - 1e-6))
            return [place * self.every_s for place in range(number)]
        if self.count is not None:
            steps = max(1, self.count - 1)
            # One alone is better taken from the middle: clips often begin in black.
            begin = last_s / 2 if self.count == 1 else 0.0
            return [begin + last_s * place / steps for place in range(self.count)]
        moments = [last_s if one == LAST else float(one) for one in self.at_s]
        if late := [one for one in moments if one > length_s + 1e-3]:
            raise SettingsError(
                f"{late[0]:g} s is after the end of {name}, which is {length_s:.2f} s long: "
                f"give seconds up to that, or {LAST!r} for the last frame"
            )
        return moments


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
