"""Prices: what a catalogue publishes that a clip costs, and what one request would cost by it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_SEVERAL = 24
"""More prices than a model has resolutions are no prices by resolution."""
_NAMES_OF_RESOLUTION = ("resolution", "quality", "size", "name")
_NAMES_OF_AMOUNT = ("price", "amount", "value", "per_second", "per_request")


@dataclass(frozen=True, slots=True)
class Price:
    """What one second of a clip, or one request, costs.

    `amounts` has an amount for each resolution ("720p"), or one for all of them under "".
    """

    unit: Literal["second", "request"]
    currency: str
    amounts: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        by_amount: dict[float, list[str]] = {}
        for resolution, amount in self.amounts:
            by_amount.setdefault(amount, []).append(resolution)
        told = [
            f"{', '.join(filter(None, names))} {_amount_text(amount)}".strip()
            for amount, names in by_amount.items()
        ]
        return f"{'; '.join(told)} {self.currency} per {self.unit}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request costs by the published price, from `least` to `most`; accounts may differ.

    They differ from one another where the resolution, which decides, is left to the API.
    """

    least: float
    most: float
    currency: str

    def __str__(self) -> str:
        amount = _amount_text(self.least)
        if self.most > self.least:
            amount = f"{amount} to {_amount_text(self.most)}"
        return f"about {amount} {self.currency} (an estimate from the published price)"


def estimate(
    price: Price | None,
    *,
    seconds: str | float | None = None,
    size: str | None = None,
    resolution: str | None = None,
    count: int = 1,
) -> Estimate | None:
    """Return what `count` equal requests would cost; None: not known, which is never nothing.

    `size` and `resolution` as the request has them: "1280x720", "16:9", "720p", "4K"; None is left
    to the API. It is not known without a price, for a resolution that has none, and for a price by
    the second where the seconds are left to the API.
    """
    if price is None:
        return None
    factor = float(count)
    if price.unit == "second":
        length_s = _number(seconds)
        if length_s is None:
            return None
        factor *= length_s
    asked = _resolution(resolution) or _resolution(size)
    amounts = dict(price.amounts)
    if "" in amounts or asked:
        amount = amounts.get(asked, amounts.get(""))
        fitting = [] if amount is None else [amount]
    else:
        fitting = list(amounts.values())
    if not fitting:
        return None
    return Estimate(min(fitting) * factor, max(fitting) * factor, price.currency)


def read_price(pricing: object) -> Price | None:
    """Return the price in a catalogue's entry; None: none for clips, such as one by tokens.

    `pricing` is `{"currency": "USD / Second", "per_second": 0.4, "per_request": null, …}`, where an
    amount may be a number, its text, or several by resolution.
    """
    if not isinstance(pricing, Mapping):
        return None
    money, _, unit = str(pricing.get("currency") or "")[:80].partition("/")
    currency = re.sub(r"[^A-Za-z$€£¥]", "", money)[:8] or "USD"
    unit = unit.strip().lower()
    found: dict[Literal["second", "request"], tuple[tuple[str, float], ...]] = {
        "second": _amounts(pricing.get("per_second")),
        "request": _amounts(pricing.get("per_request")),
    }
    priced = [name for name, amounts in found.items() if amounts]
    if unit:  # it says which of them is meant, or that neither is: by tokens
        priced = [name for name in priced if (name == "second") == unit.startswith("sec")]
        priced = [] if "token" in unit else priced
    return Price(priced[0], currency, found[priced[0]]) if len(priced) == 1 else None


def _amounts(value: object) -> tuple[tuple[str, float], ...]:
    """Return amounts by resolution, or one under ""; nothing at all if one cannot be read."""
    if (number := _number(value)) is not None:
        return (("", number),)
    pairs: list[tuple[object, object]] = []
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        pairs = [
            (_first(one, _NAMES_OF_RESOLUTION), _first(one, _NAMES_OF_AMOUNT)) for one in value
        ]
    amounts = {_resolution(name): _number(amount) for name, amount in pairs[: _SEVERAL + 1]}
    if not 0 < len(amounts) <= _SEVERAL or len(amounts) < len(pairs) or "" in amounts:
        return ()
    known = [(name, amount) for name, amount in amounts.items() if amount is not None]
    return tuple(known) if len(known) == len(amounts) else ()


def _first(entry: object, names: Sequence[str]) -> Any:
    if not isinstance(entry, Mapping):
        return None
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _number(value: object) -> float | None:
    """Return a number above 0, also from its text; None for anything else: 0 is no price."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 < number < 1e6 else None


def _resolution(value: object) -> str:
    """Return "720p" for "720P", "1280x720" and 720, "2160p" for "4K"; "" for a shape alone."""
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    if match := re.fullmatch(r"(\d{2,5})\s*[x×*]\s*(\d{2,5})", text):
        return f"{min(int(match[1]), int(match[2]))}p" if min(map(len, match.groups())) > 2 else ""
    if match := re.fullmatch(r"([1-8])k", text):
        return {"1": "1080p", "2": "1440p", "4": "2160p", "8": "4320p"}.get(match[1], "")
    match = re.fullmatch(r"(\d{3,4})p?", text)
    return f"{match[1]}p" if match else ""


def _amount_text(amount: float) -> str:
    is_of_cents = round(amount, 2) == amount or amount >= 100
    return f"{amount:,.2f}" if is_of_cents else f"{amount:.4g}"
