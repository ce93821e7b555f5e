"""Shape: how size, ratio and resolution of a clip are written for a family of models."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ..errors import SettingsError
from .families import Family, listed

MOST_PIXELS_A_SIDE = 16384
LEAST_PIXELS_A_SIDE = 16
"""A smaller number is one of a ratio: `16x9`. `job.job` reads answers by the same rule."""
MOST_CHARACTERS = 100
_PAIR = re.compile(r"(\d{1,5})\s*([xX×*:])\s*(\d{1,5})", re.ASCII)
_RESOLUTION = re.compile(r"\d{3,4}[pP]|\d{1,2}[kK]", re.ASCII)


def shape_fields(
    family: Family,
    model: str,
    *,
    size: str | None = None,
    ratio: str | None = None,
    resolution: str | None = None,
) -> tuple[dict[str, str], list[str]]:
    """Return the fields of a form, and in sentences what the family is known to refuse of them.

    `size` may be anything that a person calls one: pixels, a ratio, or a resolution such as 720p.
    It goes into the field that the family has for it; for an unknown model that is `size`.

    Raises:
        SettingsError: a value makes no sense for any model, or two say different things.
    """
    size, ratio, resolution = word("size", size), word("ratio", ratio), _resolution(resolution)
    pixels = _pixels(size)
    if size is not None and family.models and pixels is None:
        # Such a family has a field for it, which is another one, or is written in another way.
        if _RESOLUTION.fullmatch(size) and family.resolutions:
            resolution = _one_of("resolution", size.lower(), resolution)
            size = None
        elif _PAIR.fullmatch(size) and family.ratios:
            ratio = _one_of("ratio", _ratio(size), _ratio(ratio) if ratio is not None else None)
            size = None
    fields: dict[str, str] = {}
    refused: list[str] = []
    if size is not None:
        fields["size"] = f"{pixels[0]}x{pixels[1]}" if pixels else size
        refused += _refused_size(family, model, fields["size"])
    if ratio is not None:
        written = _ratio(ratio).replace(":", family.ratio_sign)
        if family.ratio_field in fields:
            raise SettingsError(
                f"size is {size} and ratio is {ratio}: {model} has one field for both: give one"
            )
        fields[family.ratio_field] = written
        refused += _refused_ratio(family, model, _ratio(ratio))
    if resolution is not None:
        fields["resolution"] = resolution
        refused += _refused_resolution(family, model, resolution)
    return fields, refused


def pixels_of(fields: Mapping[str, str]) -> tuple[int, int] | None:
    """Return width and height of the clip that these fields ask for, if they say pixels."""
    return _pixels(fields.get("size"))


def ratio_of(fields: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the ratio that these fields ask for, as two numbers; None: they name none."""
    texts = (fields.get("aspect_ratio", ""), fields.get("size", ""))
    pairs = (match for text in texts if (match := _PAIR.fullmatch(text)) is not None)
    return next(((int(pair[1]), int(pair[3])) for pair in pairs), None)


def size_like(frame: tuple[int, int], family: Family) -> str | None:
    """Return the size of a family that suits a picture best: the same, or of its orientation."""
    if frame in _frames(family).values():
        return f"{frame[0]}x{frame[1]}"
    is_wide = frame[0] >= frame[1]
    return next((size for size, (w, h) in _frames(family).items() if (w >= h) == is_wide), None)


def word(name: str, value: object) -> str | None:
    """Return a value that is a short text, stripped; None stays.

    Raises:
        SettingsError: it is no text, empty, long, or holds control characters.
    """
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > MOST_CHARACTERS or not text.isprintable():
        raise SettingsError(f"{name} is {str(value)[:MOST_CHARACTERS]!r}: no model takes that")
    pair = _PAIR.fullmatch(text)
    if pair is not None and not _is_sensible(int(pair[1]), int(pair[3])):
        raise SettingsError(
            f"{name} is {text!r}: give WIDTHxHEIGHT in pixels, or a ratio like 16:9"
        )
    return text


def _is_sensible(wide: int, high: int) -> bool:
    return min(wide, high) >= 1 and max(wide, high) <= MOST_PIXELS_A_SIDE


def _pixels(text: str | None) -> tuple[int, int] | None:
    pair = _PAIR.fullmatch(text) if text else None
    if pair is None or pair[2] == ":" or min(int(pair[1]), int(pair[3])) < LEAST_PIXELS_A_SIDE:
        return None
    return int(pair[1]), int(pair[3])


def _ratio(text: str) -> str:
    """Return a ratio with a colon; a word such as "auto" stays."""
    pair = _PAIR.fullmatch(text)
    return f"{int(pair[1])}:{int(pair[3])}" if pair is not None else text


def _resolution(value: str | None) -> str | None:
    text = word("resolution", value)
    return text.lower() if text is not None and _RESOLUTION.fullmatch(text) else text


def _one_of(name: str, by_size: str, given: str | None) -> str:
    if given is not None and given != by_size:
        raise SettingsError(f"size says {by_size} and {name} says {given}: give one of them")
    return by_size


def _refused_size(family: Family, model: str, size: str) -> list[str]:
    pair, ratios = _pixels(size), family.ratios or ()
    if family.sizes is None:
        is_taken = pair is not None or not ratios
    else:
        is_taken = size in family.sizes
    if is_taken:
        return []
    if family.sizes and pair is None and _PAIR.fullmatch(size):
        return _refused_ratio(family, model, _ratio(size))
    if family.sizes and pair is None and _RESOLUTION.fullmatch(size):
        return _refused_resolution(family, model, size)
    if family.sizes:
        return [f"{model} takes no size {size}: size may be {listed(family.sizes)}."]
    if pair is None:
        return [f"{model} takes no size {size}: ratio may be {listed(ratios)}."]
    alike = [ratio for ratio in ratios if _is_ratio_of(pair, ratio)]
    short = f"{min(pair)}p"
    more = f" and resolution {short}" if short in (family.resolutions or ()) else ""
    told = f"for {size} give ratio {alike[0]}{more}" if alike else f"ratio may be {listed(ratios)}"
    return [f"{model} takes no size in pixels: {told}."]


def _refused_ratio(family: Family, model: str, ratio: str) -> list[str]:
    if family.ratios is None or ratio in family.ratios:
        return []
    if family.ratios:
        return [f"{model} takes no ratio {ratio}: ratio may be {listed(family.ratios)}."]
    alike = [size for size, pair in _frames(family).items() if _is_ratio_of(pair, ratio)]
    return [f"{model} takes no ratio: {_sizes_for(ratio, alike, family)}."]


def _refused_resolution(family: Family, model: str, resolution: str) -> list[str]:
    if family.resolutions is None or resolution in family.resolutions:
        return []
    if family.resolutions:
        told = listed(family.resolutions)
        return [f"{model} takes no resolution {resolution}: resolution may be {told}."]
    short = resolution.lower().removesuffix("p")
    alike = [size for size, pair in _frames(family).items() if str(min(pair)) == short]
    return [f"{model} takes no resolution: {_sizes_for(resolution, alike, family)}."]


def _sizes_for(asked: str, alike: list[str], family: Family) -> str:
    if alike:
        return f"for {asked} give size {listed(alike)}"
    return f"size may be {listed(family.sizes or ())}"


def _frames(family: Family) -> dict[str, tuple[int, int]]:
    """Return the sizes of a family as they are written, each with its width and height."""
    return {size: pair for size in family.sizes or () if (pair := _pixels(size)) is not None}


def _is_ratio_of(frame: tuple[int, int], ratio: str) -> bool:
    pair = _PAIR.fullmatch(ratio)
    if pair is None:
        return False
    # Sizes are rounded to whole blocks of pixels: 1088x832 is meant as 4:3.
    return math.isclose(frame[0] / frame[1], int(pair[1]) / int(pair[3]), rel_tol=0.03)
