"""Form texts: each value of a request as the text that a form carries, or why it cannot be one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import SettingsError

MOST_SECONDS = 600
MOST_CHARACTERS = 100_000
IMAGE_FIELD = "input_reference"
"""The files of a form; the part is repeated for several."""
_RESERVED = {
    "prompt": "the prompt goes in quotes",
    "model": "use --model",
    "seconds": "use --seconds",
    "size": "use --size",
    IMAGE_FIELD: "use --image",
}
"""Fields that have a way of their own, which checks them."""
_NAME = re.compile(r"[A-Za-z_][\w.:\[\]-]{0,63}", re.ASCII)


def prompt_text(prompt: str) -> str:
    """Return a prompt, stripped. Raises `SettingsError` if it is empty or cannot be sent."""
    if not prompt.strip():
        raise SettingsError("the prompt is empty: say what the clip should show")
    return _sendable("the prompt", prompt.strip())


def negative_text(negative: object) -> str:
    """Return what a clip is not to show. Raises `SettingsError` as for a prompt."""
    if not isinstance(negative, str) or not negative.strip():
        raise SettingsError("the negative prompt is empty: say what the clip should not show")
    return _sendable("the negative prompt", negative.strip())


def model_text(model: object) -> str:
    """Return the name of a model. Raises `SettingsError` if it is not allowed."""
    if not (isinstance(model, str) and model.strip() and model.isprintable()):
        raise SettingsError(f"{model!r} is not the name of a model")
    return _sendable("the name of the model", model.strip())


def seconds_text(value: str | float) -> str:
    """Return a length in seconds. Raises `SettingsError` if no clip can have it."""
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        number = -1.0
    if not 0 < number <= MOST_SECONDS:
        raise SettingsError(f"seconds is {value!r}: give a length such as 4, 8 or 12")
    return f"{number:g}"


def seed_text(value: str | int) -> str:
    """Return a seed. Raises `SettingsError` if it is no whole number."""
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,20}", text, re.ASCII):
        raise SettingsError(f"seed is {value!r}: give a whole number")
    return str(int(text))


def extra_texts(extra: Mapping[Any, Any] | None, taken: Mapping[str, str]) -> dict[str, str]:
    """Return further fields: a text as it is, other values as JSON, as a form has only texts.

    Raises:
        SettingsError: a name is none, belongs to an option, or is in `taken` already.
    """
    texts: dict[str, str] = {}
    for name, value in (extra or {}).items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SettingsError(f"{str(name)[:60]!r} is not the name of a field")
        if name in _RESERVED:
            raise SettingsError(f"{name} is not for --set: {_RESERVED[name]}")
        if name in taken:
            raise SettingsError(f"{name} is given twice: with its own option and with --set")
        texts[name] = _sendable(name, value if isinstance(value, str) else _json(name, value))
    return texts


def set_values(words: list[str] | None) -> dict[str, str]:
    """Return what `--set KEY=VALUE` says, each time that it is said.

    Raises:
        SettingsError: a word is no KEY=VALUE, or a key comes twice.
    """
    values: dict[str, str] = {}
    for word in words or []:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise SettingsError(f"--set {word[:60]!r} sets nothing: write --set KEY=VALUE")
        if name.strip() in values:
            raise SettingsError(f"--set gives {name.strip()[:60]} twice: give it once")
        values[name.strip()] = value
    return values


def _json(name: str, value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        kind = type(value).__name__
        raise SettingsError(f"{name} is of type {kind}, which cannot be sent") from None


def _sendable(told: str, text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise SettingsError(f"{told} contains half a character, which cannot be sent")
    if len(text) > MOST_CHARACTERS:
        raise SettingsError(f"{told} has {len(text)} characters, at most {MOST_CHARACTERS} fit")
    return text
