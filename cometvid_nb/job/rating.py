"""Rating: what a person thinks of a clip, so that the good takes are found again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from typing import Any

from .plain import squeezed

MOST_STARS = 5
MOST_TAGS = 20
MOST_TAG_CHARACTERS = 40
MOST_NOTE_CHARACTERS = 2000
_MOST_STRANGE = 40
"""Of a value that is refused, so much is told."""


class Flag(StrEnum):
    """Whether a take goes on; a take without a flag is not decided yet."""

    PICKED = "picked"
    REJECTED = "rejected"


class Keep(Enum):
    """The value of what a change leaves as it is; None takes it away."""

    KEEP = "keep"


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True)
class Rating:
    """What a person thinks of the clip of one job. The API never hears of it."""

    stars: int | None = None
    """1 to `MOST_STARS`; None: not given."""
    flag: Flag | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None

    @classmethod
    def of(cls, told: object) -> Rating:
        """Return the rating that a page or a program tells, a mapping with the names of the fields.

        Raises:
            ValueError: a value is not allowed; the message tells which, and what is.
        """
        if not isinstance(told, Mapping):
            raise ValueError(f"a rating is no {type(told).__name__}")
        known = {field.name: told[field.name] for field in fields(cls) if field.name in told}
        return cls().changed(**known)

    def changed(
        self,
        *,
        stars: int | Keep | None = KEEP,
        flag: str | Keep | None = KEEP,
        tags: Iterable[str] | Keep | None = KEEP,
        note: str | Keep | None = KEEP,
    ) -> Rating:
        """Return this rating with other values, each checked; None takes a value away.

        Raises:
            ValueError: a value is not allowed; the message tells which, and what is.
        """
        return Rating(
            self.stars if isinstance(stars, Keep) else check_stars(stars),
            self.flag if isinstance(flag, Keep) else _flag(flag),
            self.tags if isinstance(tags, Keep) else check_tags(tags),
            self.note if isinstance(note, Keep) else _note(note),
        )

    def changes_from(self, before: Rating) -> dict[str, Any]:
        """Return the values that are not those of `before`, by name."""
        names = (field.name for field in fields(self))
        return {n: getattr(self, n) for n in names if getattr(self, n) != getattr(before, n)}

    @property
    def words(self) -> str:
        """The rating on one line, such as `★★★☆☆ · picked · #comet · “soft”`; "" = nothing."""
        stars = "★" * (self.stars or 0) + "☆" * (MOST_STARS - (self.stars or 0))
        tags = [f"#{tag}" for tag in self.tags]
        note = f"“{squeezed(self.note)}”" if self.note else ""
        return " · ".join(filter(None, [stars if self.stars else "", self.flag, *tags, note]))


@dataclass(frozen=True, slots=True)
class RatingFilter:
    """Which ratings a list shows; what is None lets all through."""

    flag: Flag | None = None
    min_stars: int | None = None
    tag: str | None = None
    """One of the tags, whatever the case of its letters."""

    def __bool__(self) -> bool:
        return (self.flag, self.min_stars, self.tag) != (None, None, None)

    @property
    def words(self) -> str:
        """What is shown, in words: `picked, at least 3 stars, #comet`."""
        least = (
            f"at least {self.min_stars} star{'s' * (self.min_stars > 1)}" if self.min_stars else ""
        )
        return ", ".join(filter(None, (self.flag, least, f"#{self.tag}" if self.tag else "")))


def check_stars(stars: object) -> int | None:
    """Return a number of stars; None stays. Raises `ValueError` if it is no number from 1 to 5."""
    if stars is None:
        return None
    # `True` is a whole number to Python, and to nobody else.
    if isinstance(stars, bool) or not isinstance(stars, int) or not 1 <= stars <= MOST_STARS:
        raise ValueError(f"stars is {_shown(stars)}: give a whole number from 1 to {MOST_STARS}")
    return int(stars)


def check_tags(tags: object) -> tuple[str, ...]:
    """Return tags, each once; None is none of them, and a comma separates two.

    Raises:
        ValueError: one is empty, too long or no text, or there are too many.
    """
    if tags is None:
        return ()
    if isinstance(tags, str):  # it is a collection of letters to Python, and to nobody else
        tags = (tags,)
    if not isinstance(tags, Iterable):
        raise ValueError(f"tags is {_shown(tags)}: give texts")
    found: dict[str, str] = {}
    parts = (part for tag in tags for part in (tag.split(",") if isinstance(tag, str) else [tag]))
    for part in parts:
        if len(found) > MOST_TAGS:
            break
        one = _tag(part)
        found.setdefault(one.casefold(), one)
    if len(found) > MOST_TAGS:
        raise ValueError(f"there are more than {MOST_TAGS} tags")
    return tuple(found.values())


def _tag(tag: object) -> str:
    # People write a `#` in front of it.
    text = squeezed(tag).lstrip("#").strip() if isinstance(tag, str) else ""
    if len(text) > MOST_TAG_CHARACTERS:
        most = f"{MOST_TAG_CHARACTERS} fit at most"
        raise ValueError(f"the tag {_shown(tag)} has {len(text):,} characters: {most}")
    if not text or not _is_storable(text):
        raise ValueError(f"the tag is {_shown(tag)}: give a text")
    return text


def _flag(flag: object) -> Flag | None:
    if flag is None:
        return None
    if not isinstance(flag, str) or flag not in tuple(Flag):
        raise ValueError(f"flag is {_shown(flag)}: give {' or '.join(Flag)}")
    return Flag(flag)


def _note(note: object) -> str | None:
    if note is None:
        return None
    if not isinstance(note, str) or not _is_storable(note):
        raise ValueError(f"note is {_shown(note)}: give a text")
    text = "\n".join(line for line in map(squeezed, note.splitlines()) if line)
    if len(text) > MOST_NOTE_CHARACTERS:
        raise ValueError(
            f"the note has {len(text):,} characters: {MOST_NOTE_CHARACTERS:,} fit at most"
        )
    return text or None


def _is_storable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _shown(value: object) -> str:
    if isinstance(value, str | int | float):
        if not isinstance(value, str):
            return repr(value)[:60]
        text = squeezed(value)
        return repr(text if len(text) <= _MOST_STRANGE else f"{text[:_MOST_STRANGE]}…")
    return f"a {type(value).__name__}"
