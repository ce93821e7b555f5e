"""Layers: one answer as the mappings that lie in each other around a job, outermost first.

The documented answer is one layer. Gateways wrap it (`{"code": "success", "data": {…}}`), some
twice, and keep the provider's own answer inside theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .names import IDS, STATES, WRAPPERS

MOST_LAYERS = 4
MOST_FIELDS = 200
"""Fields looked at in one mapping."""
LONGEST_NAME = 64

Fields = dict[str, Any]
"""The fields of a mapping, by their names in snake_case."""


def layers_of(payload: object, job_id: str = "") -> list[Fields]:
    """Return the layers of an answer; [] if it is no object.

    Of a list, the object that names `job_id` counts, else the first one.
    """
    layers: list[Fields] = []
    value = payload
    while len(layers) < MOST_LAYERS:
        found = _mapping_in(value, job_id)
        if found is None:
            break
        fields = fields_of(found)
        layers.append(fields)
        inner = [fields[name] for name in WRAPPERS if name in fields]
        # The first that describes a job; else the first that may hold what does.
        value = next((child for child in inner if _is_telling(child)), None)
        if value is None:
            value = next((child for child in inner if _mapping_in(child) is not None), None)
    return layers


def fields_of(mapping: Mapping[Any, Any]) -> Fields:
    """Return the fields of a mapping; of names that differ only in style, the first with a value.

    None and "" count as no value, but stay where nothing else is there.
    """
    fields: Fields = {}
    for number, (name, value) in enumerate(mapping.items()):
        if number >= MOST_FIELDS:
            break
        if isinstance(name, str) and len(name) <= LONGEST_NAME:
            plain = snake_case(name)
            if plain not in fields or fields[plain] in (None, ""):
                fields[plain] = value
    return fields


@lru_cache(maxsize=2048)
def snake_case(name: str) -> str:
    """Return `videoUrl`, `VideoURL` and `video-url` as `video_url`."""
    name = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def parsed(value: object) -> object:
    """Return the JSON value in a text such as '{"a": 1}'; anything else comes back as it is."""
    if not isinstance(value, str) or len(value) > 100_000 or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _mapping_in(value: object, job_id: str = "") -> Mapping[Any, Any] | None:
    value = parsed(value)
    if isinstance(value, list):
        entries = [entry for entry in value[:MOST_FIELDS] if isinstance(entry, Mapping)]
        asked = (e for e in entries if job_id and job_id in (e.get("id"), e.get("task_id")))
        value = next(asked, entries[0] if entries else None)
    return value if isinstance(value, Mapping) else None


def _is_telling(value: object) -> bool:
    """Whether a value holds an object that names a job or its state."""
    found = _mapping_in(value)
    return found is not None and not fields_of(found).keys().isdisjoint((*IDS, *STATES))
