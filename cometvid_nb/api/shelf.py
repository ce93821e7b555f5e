"""Shelf: keeps catalogues on this machine, so that they are there at once and without a network."""

from __future__ import annotations

import hashlib
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..machine import user_folder
from .catalogue import Catalogue, read_models
from .prices import Price

MOST_FILE_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class Shelf:
    """The catalogues that this machine has seen, by base URL, in files of the user's cache.

    For a user without a home, or on a disk that takes nothing, they are kept in memory only.
    """

    _kept: dict[str, tuple[int, Catalogue]] = field(default_factory=dict)
    """By base URL: when its file was written, so that it is read once, and what it said."""

    def get(self, base_url: str) -> Catalogue | None:
        """Return the last catalogue that was seen, however old; no network is asked."""
        written_at, catalogue = self._kept.get(base_url, (0, None))
        if (path := self._path(base_url)) is None:
            return catalogue
        try:
            now_written_at = path.stat().st_mtime_ns
            if now_written_at != written_at and path.stat().st_size <= MOST_FILE_BYTES:
                read = _from_json(path.read_text(encoding="utf-8"), base_url)
                self._kept[base_url] = (now_written_at, read)
                return read
        except (OSError, ValueError, RecursionError):
            pass  # never kept, or damaged: it is a cache
        return catalogue

    def put(self, base_url: str, catalogue: Catalogue, *, is_lasting: bool = True) -> None:
        """Keep `catalogue`, `is_lasting` False for as long as this process lives only."""
        self._kept[base_url] = (0, catalogue)
        path = self._path(base_url)
        if path is None or not is_lasting:
            return
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_text(_to_json(catalogue, base_url), encoding="utf-8")
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            self._kept[base_url] = (path.stat().st_mtime_ns, catalogue)

    def _path(self, base_url: str) -> Path | None:
        folder = user_folder("cache")
        digest = hashlib.sha256(base_url.encode("utf-8", "replace")).hexdigest()[:16]
        return folder / f"models-{digest}.json" if folder is not None else None


def _to_json(catalogue: Catalogue, base_url: str) -> str:
    models = [
        {
            "id": model.id,
            "provider": model.provider,
            "features": model.features,
            "pricing": model.price and _pricing_of(model.price),
            "api_doc_url": model.page_url,
            "model_type": {True: "video", False: "other", None: ""}[model.is_video],
        }
        for model in catalogue.models
    ]
    return json.dumps({"base_url": base_url, "at": catalogue.fetched_at_s, "data": models})


def _pricing_of(price: Price) -> dict[str, object]:
    amounts = dict(price.amounts)
    amount = amounts.get("", amounts)
    return {"currency": f"{price.currency} / {price.unit}", f"per_{price.unit}": amount}


def _from_json(text: str, base_url: str) -> Catalogue:
    """Raises: ValueError: it is no kept catalogue, or that of another endpoint."""
    told = json.loads(text)
    if not isinstance(told, dict) or told.get("base_url") != base_url:
        raise ValueError("another catalogue")
    return Catalogue(tuple(read_models(told)), float(told["at"]))
