"""WORDS: the words that the kernel and the page share, read from words.json.

The page gets the same table (see `join` in display/widget.py). What fills it stands in text.py here
and in static/words.js there; tests/cards/cases.json holds the two to the same words.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS: dict[str, Any] = json.loads(
    Path(__file__).with_name("words.json").read_text(encoding="utf-8")
)


def fill(words: str, **values: object) -> str:
    """Words of the table with their `{names}` filled in."""
    return words.format(**values)


def capital(words: str) -> str:
    """Words of the table as they begin a line."""
    return words[:1].upper() + words[1:]
