"""Rating: what a person thinks of a clip, so that the good takes are found again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_STARS = 5


class Flag(StrEnum):
    """Whether a take goes on; a take without a flag is not decided yet."""

    PICKED = "picked"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Rating:
    """What a person thinks of the clip of one job. The API never hears of it."""

    stars: int | None = None
    """1 to `MOST_STARS`; None: not given."""
    flag: Flag | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
