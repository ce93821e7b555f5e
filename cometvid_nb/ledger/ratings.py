"""Ratings: how the ledger keeps what a person thinks of a clip, and finds it among a million."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..job.rating import Rating, RatingFilter, check_stars, check_tags
from .file import RATED

_SEPARATOR = "\n"
"""Stands around each tag, so that one is found as a whole; no tag holds it."""


def read_rating(stars: object, flag: object, tags: object, note: object) -> Rating | None:
    """Return a rating as a row has it; None: nothing is given, or nothing that makes sense."""
    rating = Rating()
    told = {"stars": stars, "flag": flag, "note": note}
    told["tags"] = tags.strip(_SEPARATOR).split(_SEPARATOR) if isinstance(tags, str) else None
    for name, value in told.items():
        try:
            rating = rating.changed(**{name: value})  # type: ignore[arg-type]
        except ValueError:
            continue  # other hands have written it
    return rating if rating != Rating() else None


def filtering(wanted: RatingFilter) -> tuple[str, list[object]]:
    """Return the condition, and its values, that lets ratings through; "" if all are."""
    if not wanted:
        return "", []
    where, values = f" AND {RATED}", list[object]()
    if wanted.flag is not None:
        where += " AND flag = ?"
        values.append(str(wanted.flag))
    if wanted.min_stars is not None:
        where += " AND stars >= ?"
        values.append(check_stars(wanted.min_stars))
    if wanted.tag is not None:
        where += " AND instr(folded(CAST(tags AS BLOB)), folded(CAST(? AS BLOB)))"
        values.append(_stored_tags(check_tags(wanted.tag)))
    return where, values


def rating_columns(changes: Mapping[str, Any]) -> dict[str, object]:
    """Return the columns of an entry that hold the `changes` of a rating, given by name."""
    columns = dict(changes)
    if "tags" in columns:
        columns["tags"] = _stored_tags(tuple(columns["tags"]))
    if columns.get("flag") is not None:
        columns["flag"] = str(columns["flag"])
    return columns


def _stored_tags(tags: tuple[str, ...]) -> str | None:
    return f"{_SEPARATOR}{_SEPARATOR.join(tags)}{_SEPARATOR}" if tags else None
