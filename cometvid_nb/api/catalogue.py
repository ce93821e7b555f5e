"""Catalogue: the models that an endpoint offers, read from the list that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..job.plain import squeezed
from .prices import Price, read_price

MOST_MODELS = 3000


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a catalogue. Every text is on one line and bounded; "" is not known."""

    id: str
    provider: str = ""
    features: tuple[str, ...] = ()
    """Such as "text-to-video"."""
    price: Price | None = None
    """None: not known, which is never nothing."""
    page_url: str | None = None
    """Its page in the documentation, an http(s) address."""
    is_video: bool | None = None
    """None: the list does not say what the model makes."""

    def is_like(self, words: Sequence[str]) -> bool:
        """Whether each word stands in id, provider or features; letter case does not matter."""
        told = " ".join([self.id, self.provider, *self.features]).casefold()
        return all(word.casefold() in told for word in words)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of one endpoint at one time (unix seconds)."""

    models: tuple[Model, ...]
    fetched_at_s: float

    @property
    def videos(self) -> list[Model]:
        """The models that make clips, and those of which the list does not say what they make."""
        return [model for model in self.models if model.is_video is not False]

    def find(self, model_id: str) -> Model | None:
        """Return the model of that id, or None."""
        return next((model for model in self.models if model.id == model_id), None)


def read_models(payload: object) -> list[Model]:
    """Return the models in a list of CometAPI's or of OpenAI's shape; what is none is left out.

    Raises:
        ValueError: there is no list in it.
    """
    entries = payload
    for name in ("data", "models"):  # {"data": […]}, {"models": […]}, {"data": {"models": […]}}
        if isinstance(entries, Mapping):
            entries = entries.get(name, entries)
    if not isinstance(entries, list):
        raise ValueError("no list of models")
    models: dict[str, Model] = {}
    for entry in entries:
        told: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {"id": entry}
        model_id = told.get("id")
        if not isinstance(model_id, str) or not _is_word(model_id):
            continue
        kind = told.get("model_type")
        models[model_id] = Model(
            model_id,
            line_of(told.get("provider")) or line_of(told.get("owned_by")),
            _texts(told.get("features")),
            read_price(told.get("pricing")),
            _web_address(told.get("api_doc_url")),
            kind.strip().lower() == "video" if isinstance(kind, str) and kind.strip() else None,
        )
        if len(models) >= MOST_MODELS:
            break
    return list(models.values())


def _is_word(text: str) -> bool:
    return 0 < len(text) <= 200 and text.isprintable() and " " not in text


def line_of(value: object, most: int = 60) -> str:
    """Return a text of the server on one line, without control characters; "" for what is none."""
    if not isinstance(value, str):
        return ""
    return squeezed(value[: 2 * most])[:most]


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(",")
    return tuple(filter(None, map(line_of, value[:20]))) if isinstance(value, list) else ()


def _web_address(value: object) -> str | None:
    if not isinstance(value, str) or not value.isascii() or not _is_word(value[:500]):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    is_web = parts.scheme.lower() in ("http", "https") and parts.netloc and "@" not in parts.netloc
    return value if is_web and len(value) <= 200 else None
