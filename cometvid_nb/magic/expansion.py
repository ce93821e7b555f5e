"""Expansion: fills `{x}` and `$x` into a line and splits it into words, quotation marks and all.

The rules are a shell's, so that a printed command can be pasted back whatever it holds:

- in single quotes everything stands as it is, also braces, dollars and a `-` in front;
- in double quotes `{x}` and `$x` are filled in, spaces stay, and a `-` in front is no option;
- what is filled in is data: its own quotation marks, braces and dollars mean nothing;
- where a line names jobs, a value may be a `Watch`, a `Job` or a collection: its ids are filled in.

Within this package such data is marked: a character that would mean something is replaced by a
noncharacter of Unicode, which no id, file name or prompt holds, until `unmarked` puts it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ..job.ids import ids_in, reads_like_several, shown_id

# "Noncharacters … are intended for process-internal uses" (The Unicode Standard, §23.7).
_QUOTE, _DASH, _FILLED_DASH = "\ufdd0", "\ufdd1", "\ufdd2"
_SEPARATORS = {ord(char): 0xFDD7 + place for place, char in enumerate(",;#[]()<>")}
"""What stands between ids and around them, where somebody types or pastes a list of them."""
_QUOTED = str.maketrans("'\"{}$-", f"{_QUOTE}\ufdd3\ufdd4\ufdd5\ufdd6{_DASH}") | _SEPARATORS
_FILLED = {**_QUOTED, ord("-"): ord(_FILLED_DASH)}
_IN_DOUBLE = str.maketrans({"'": _QUOTE, "-": _DASH, _FILLED_DASH: _DASH}) | _SEPARATORS
_PLAIN = {**{mark: char for char, mark in _QUOTED.items()}, ord(_FILLED_DASH): ord("-")}

_FIELD = re.compile(r"\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\}|\$\$?[^\W\d][\w.]*")
_VARIABLE = re.compile(r"(.*?)\$(\$?[^\W\d][\w.]*)(?=([^']*'[^']*')*[^']*$)")
_SINGLE_QUOTED = re.compile(r"'[^']*'")
_WORD = re.compile(r"""(?:[^ \t\r\n'"]|'[^']*'|"[^"]*")+""")
_PIECE = re.compile(r"""'([^']*)'|"([^"]*)"|([^'"]+)""")


MOST_NAMED = 4
"""Of the jobs that a value names, in a message."""


class Unfit(Exception):
    """A value of a variable cannot stand where it is to be filled in; the message says why."""


def expand(text: str, names: Mapping[str, Any], to_text: Callable[[Any], str] | None = None) -> str:
    """Return `text` with `{x}` and `$x` filled in from `names`; unknown ones stay as they are.

    `{{` and `$$x` become `{` and `$x`, as in all IPython magics. Text in single quotes stays.

    `to_text` makes a text of each value where the line names jobs: `ids_text` or `id_text`.

    Raises:
        Unfit: a value names no job.
    """
    filled: list[str] = []
    at, is_in_double = 0, False
    while at < len(text):
        quoted = None if is_in_double else _SINGLE_QUOTED.match(text, at)
        if quoted is not None:
            filled.append(quoted[0])
            at = quoted.end()
        elif field := _FIELD.match(text, at):
            filled.append(_value(field[0], names, to_text))
            at = field.end()
        else:
            is_in_double ^= text[at] == '"'
            filled.append(text[at])
            at += 1
    return "".join(filled)


def fill_in(text: str, names: Mapping[str, Any], to_text: Callable[[Any], str] = str) -> str:
    """Return a text that is no line, such as a prompt, filled in; as it is if a name is unknown.

    `to_text` makes a text of each value; what it raises as `Unfit` is raised.
    """
    filled = _filled(text, names, to_text)
    return text if filled is None else filled


def ids_text(value: Any) -> str:
    """Return what stands in a line for a value that names jobs: its ids, else its text.

    Raises:
        Unfit: it names no job, and is no text, number or path that an option could take.
    """
    if isinstance(value, str | int | float | PurePath):
        return str(value)
    try:
        return " ".join(ids_in(value))
    except ValueError as error:
        raise Unfit(str(error)) from None


def split(line: str) -> list[str]:
    r"""Split a line into words, marked; quotation marks group words.

    A backslash is an ordinary character, as in the Windows path `C:\videos`.

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


def id_text(value: Any) -> str:
    """Return the same for a line that takes one job, whose further words are no ids.

    Raises:
        Unfit: as `ids_text`; or there are several.
    """
    text = ids_text(value)
    is_list = not isinstance(value, str | PurePath) or reads_like_several(text)
    if is_list and len(text.split()) > 1:
        ids = [shown_id(one) for one in text.split()]
        more = ", …" if len(ids) > MOST_NAMED else ""
        told = f"{', '.join(ids[:MOST_NAMED])}{more}"
        raise Unfit(f"one job belongs here, and this names several: {told}")
    return text


def _value(field: str, names: Mapping[str, Any], to_text: Callable[[Any], str] | None) -> str:
    value = _filled(field, names, to_text or str)
    if value is None:
        return field
    # The text of a variable may be a list of ids as well as a typed one.
    is_list = to_text is not None and reads_like_several(value)
    marks = {ord("-"): ord(_FILLED_DASH)} if is_list else _FILLED
    return value.translate(marks)


def _filled(text: str, names: Mapping[str, Any], to_text: Callable[[Any], str]) -> str | None:
    from IPython.utils.text import DollarFormatter

    class Filling(DollarFormatter):
        # IPython's own takes `$5` for the value of the expression 5, and loses the dollar.
        _dollar_pattern_ignore_single_quote = _VARIABLE

        def parse(self, text: str) -> Iterator[tuple[Any, Any, Any, Any]]:
            for literal, field, spec, conversion in super().parse(text):
                # An expression may stand in double quotes, where its signs are marked.
                yield literal, field and unmarked(field), spec and unmarked(spec), conversion

        def format_field(self, value: Any, format_spec: str) -> str:
            return to_text(value)

    try:
        return str(Filling().vformat(text, args=[], kwargs=names))
    except Unfit:
        raise
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
