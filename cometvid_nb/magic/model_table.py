"""The table of the models that an endpoint offers, as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..api.catalogue import Catalogue, Model
from ..api.families import summary
from ..cards.html import code, no_math
from ..cards.markup import Markup
from ..cards.table import html_table, text_table

MOST_ROWS = 100
_HEADS = ("Model", "Provider", "Features", "Price", "Takes")
NO_PRICE = "not known"


def models_bundle(catalogue: Catalogue, words: Sequence[str], host: str) -> dict[str, str]:
    """The video models of `catalogue` that are like `words`; `host` is who published it.

    A list that does not say what its models make is shown whole.
    """
    found = [model for model in catalogue.videos if model.is_like(words)]
    # Where a list does not tell videos from the rest, those that we know come first.
    found.sort(key=lambda model: model.is_video is None and not _takes(model.id))
    if not found:
        named = f" like {' '.join(words)!r}" if words else ""
        told = (
            f"None of the {len(catalogue.models)} models that {host} lists is a video model{named}."
        )
        return {"text/html": no_math(Markup("<p>{}</p>").format(told)), "text/plain": told}
    rows = [_row(model) for model in found[:MOST_ROWS]]
    # A column that holds nothing for any model is left out.
    shown = [i for i, head in enumerate(_HEADS) if head == "Model" or any(row[i] for row in rows)]
    heads = [_HEADS[i] for i in shown]
    cells = [
        [_name(model), *(row[i] for i in shown[1:])]
        for model, row in zip(found, rows, strict=False)
    ]
    notes = _notes(catalogue, found, host)
    html, text = html_table(heads, cells), text_table(heads, [[r[i] for i in shown] for r in rows])
    for note in notes:
        html, text = html + Markup("<p>{}</p>").format(note), f"{text}\n{note}"
    return {"text/html": no_math(html), "text/plain": text}


def age_text(catalogue: Catalogue, now_s: float) -> str:
    """How long ago the catalogue was asked for, in words."""
    age_s = max(0.0, now_s - catalogue.fetched_at_s)
    for length_s, name in ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if age_s >= length_s:
            count = int(age_s // length_s)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "a moment ago"


def _row(model: Model) -> tuple[str, ...]:
    # Without a single price in the list the column says nothing, and a price of 0 would be a lie.
    price = str(model.price) if model.price is not None else ""
    if not price and model.is_video is not None:
        price = NO_PRICE
    return model.id, model.provider, ", ".join(model.features), price, _takes(model.id)


def _takes(model_id: str) -> str:
    """What is known of the fields that a model takes; "" is nothing."""
    return summary(model_id)


def _name(model: Model) -> Markup:
    name = code(model.id)
    if model.page_url is None:
        return name
    link = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>')
    return link.format(model.page_url, name)


def _notes(catalogue: Catalogue, found: Sequence[Model], host: str) -> list[str]:
    notes = []
    if len(found) > MOST_ROWS:
        notes.append(
            f"{MOST_ROWS} of {len(found)} models. To narrow the list: %cometvid models WORD"
        )
    day = datetime.fromtimestamp(catalogue.fetched_at_s).astimezone()
    said = f"Listed by {host} on {day:%Y-%m-%d}."
    if any(model.price is not None for model in found):
        said += " Your account's prices may differ."
    if any(model.is_video is None for model in found):
        said += " The list does not say which of them make videos."
    notes.append(f"{said} To choose one: %cometvid config model=ID")
    return notes
