"""Expansion: fills `{x}` and `$x` into a line and splits it into words, quotation marks and all.

The rules are a shell's, so that a printed command can be pasted back whatever it holds:

- in single quotes everything stands as it is, also braces, dollars and a `-` in front;
- in double quotes `{x}` and `$x` are filled in, spaces stay, and a `-` in front is no option;
- what is filled in is data: its own quotation marks, braces and dollars mean nothing.

Within this package such data is marked: a character that would mean something is replaced by a
noncharacter of Unicode, which no id, file name or prompt holds, until `unmarked` puts it back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# "Noncharacters … are intended for process-internal uses" (The Unicode Standard, §23.7).
_QUOTE, _DASH, _FILLED_DASH = "\ufdd0", "\ufdd1", "\ufdd2"
_QUOTED = str.maketrans("'\"{}$-", f"{_QUOTE}\ufdd3\ufdd4\ufdd5\ufdd6{_DASH}")
_FILLED = {**_QUOTED, ord("-"): ord(_FILLED_DASH)}
_IN_DOUBLE = str.maketrans({"'": _QUOTE, "-": _DASH, _FILLED_DASH: _DASH})
_PLAIN = {**{mark: char for char, mark in _QUOTED.items()}, ord(_FILLED_DASH): ord("-")}

_FIELD = re.compile(r"\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\}|\$\$?[\w.]+")
_SINGLE_QUOTED = re.compile(r"'[^']*'")
_WORD = re.compile(r"""(?:[^ \t\r\n'"]|'[^']*'|"[^"]*")+""")
_PIECE = re.compile(r"""'([^']*)'|"([^"]*)"|([^'"]+)""")


def expand(text: str, names: Mapping[str, Any]) -> str:
    """Return `text` with `{x}` and `$x` filled in from `names`; unknown ones stay as they are.

    `{{` and `$$x` become `{` and `$x`, as in all IPython magics. Text in single quotes stays.
    """
    filled: list[str] = []
    at, is_in_double = 0, False
    while at < len(text):
        quoted = None if is_in_double else _SINGLE_QUOTED.match(text, at)
        if quoted is not None:
            filled.append(quoted[0])
            at = quoted.end()
        elif field := _FIELD.match(text, at):
            filled.append(_value(field[0], names))
            at = field.end()
        else:
            is_in_double ^= text[at] == '"'
            filled.append(text[at])
            at += 1
    return "".join(filled)


def fill_in(text: str, names: Mapping[str, Any]) -> str:
    """Return a text that is no line, such as a prompt, filled in; as it is if a name is unknown."""
    filled = _filled(text, names)
    return text if filled is None else filled


def split(line: str) -> list[str]:
    r"""Split a line into words, marked; quotation marks group words.

    A backslash is an ordinary character, as in the Windows path `C:\videos`, and so is `#`.

    Raises:
        ValueError: a quotation mark has no partner.
    """
    words = _WORD.findall(line)
    if re.sub(r"[ \t\r\n]", "", _WORD.sub("", line)):
        raise ValueError("a quotation mark has no partner")
    return [_unquoted(word) for word in words]


def as_option(word: str) -> str:
    """Return a word that may be an option as argparse sees one: with its dashes in front."""
    return word.replace(_FILLED_DASH, "-") if word.startswith(_FILLED_DASH) else word


def unmarked(text: str) -> str:
    """Return `text` without marks: as it was meant."""
    return text.translate(_PLAIN)


def _value(field: str, names: Mapping[str, Any]) -> str:
    value = _filled(field, names)
    return field if value is None else value.translate(_FILLED)


def _filled(text: str, names: Mapping[str, Any]) -> str | None:
    from IPython.utils.text import DollarFormatter

    try:
        return str(DollarFormatter().vformat(text, args=[], kwargs=names))
    except Exception:  # noqa: BLE001 - the reader's own expressions may raise anything
        return None


def _unquoted(word: str) -> str:
    pieces: list[str] = []
    for single, double, bare in _PIECE.findall(word):
        if single:
            pieces.append(single.translate(_QUOTED))
        elif double:
            # Braces and dollars keep their meaning until an option is filled in.
            pieces.append(double.translate(_IN_DOUBLE))
        else:
            pieces.append(bare)
    return "".join(pieces)
