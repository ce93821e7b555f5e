"""Parser: argparse, with words that may be data, and mistakes that end no kernel."""

from __future__ import annotations

import argparse
import difflib
import re
import textwrap
from collections.abc import Mapping
from typing import Any, NoReturn

from ..job.ids import quoted_id
from .expansion import as_option, fill_in, id_text, unmarked

LEAST_ALIKE = 0.7
"""Of a mistyped option and the one that was meant: `wiat` and `wait`, but not `at`."""


class GrammarError(Exception):
    """A line that is no valid command; the message shows what would be."""


class HelpText(argparse.HelpFormatter):
    """Help whose words are not broken at a hyphen: what is to be copied stays whole."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in self._split_lines(text, width - len(indent)))


class Parser(argparse.ArgumentParser):
    """A parser that raises `GrammarError`; argparse's own ends the process, here the kernel."""

    def error(self, message: str) -> NoReturn:
        message = unmarked(message)
        wrong = message.rpartition("unrecognized arguments: ")[2].split()[:1]
        near = _nearest(wrong[0], self) if wrong else None
        hint = f" Did you mean {near}?" if near else ""
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise GrammarError(f"{message}.{hint}\nUsage: {usage}")


def options_of(parser: argparse.ArgumentParser) -> list[str]:
    """Return the names of all options of a parser."""
    return [name for action in parser._actions for name in action.option_strings]


def _nearest(word: str, parser: argparse.ArgumentParser) -> str | None:
    """Return the option that was probably meant, or None."""
    # Without the dashes, by which all options are alike.
    names = {name.lstrip("-"): name for name in options_of(parser)}
    near = difflib.get_close_matches(word.partition("=")[0].lstrip("-"), names, 1, LEAST_ALIKE)
    return names[near[0]] if near else None


def with_options(words: list[str], parser: Parser, *, takes_ids: bool) -> list[str]:
    """Return words for argparse: what was filled in may be an option, if there is such a one.

    Raises:
        GrammarError: an id begins with `-` and stands without quotes.
    """
    options = options_of(parser)
    ready: list[str] = []
    for word in words:
        option = as_option(word)
        is_known = unmarked(option).partition("=")[0] in options
        ready.append(option if is_known else word)
        # Not where there is a prompt: a wrong option must not become a job that costs money.
        is_strange = re.match(r"-[^-\d]|--.", word) is not None and not is_known
        if is_strange and takes_ids and not _nearest(unmarked(word), parser):
            if re.fullmatch(r"--[a-z]+(-[a-z]+)*(=.*)?", word, re.DOTALL):
                parser.error(f"unrecognized arguments: {word}")  # no server names a job so
            raise GrammarError(
                f"there is no option {unmarked(word)[:60]}. "
                f"If it is an id, put it in quotes: "
                f"{parser.prog} {quoted_id(unmarked(word))}"
            )
    return ready


FREE_TEXT = ("prompts", "negative", "note")
"""What a person writes for other people or for a model: braces and dollars are part of it."""


def fill_options(arguments: argparse.Namespace, names: Mapping[str, Any]) -> None:
    """Fill `{x}` and `$x` into the values of options, but for free text and a template of names."""
    for key, value in vars(arguments).items():
        if key == "name" or key in FREE_TEXT:
            continue
        if isinstance(value, str):
            setattr(arguments, key, fill_in(value, names, id_text if key == "id" else str))
        elif isinstance(value, list):  # of an option that repeats
            setattr(arguments, key, [fill_in(text, names) for text in value])


def fill_free_text(arguments: argparse.Namespace, names: Mapping[str, Any]) -> None:
    """Fill `{x}` and `$x` into free text, as `--expand` asks for."""
    for key in FREE_TEXT:
        value = getattr(arguments, key, None)
        if isinstance(value, str):
            setattr(arguments, key, unmarked(fill_in(value, names)))
        elif isinstance(value, list):
            setattr(arguments, key, [unmarked(fill_in(text, names)) for text in value])


def without_note(words: list[str], parser: Parser) -> list[str]:
    """Return a line's words without a note at its end, and without the `;` that hides a value.

    A note begins with a `#` of its own, as in Python: `watch video_1 # the good one`.
    """
    with_value = {name for one in parser._actions if one.nargs != 0 for name in one.option_strings}
    for place, word in enumerate(words):
        if word.startswith("#") and not (place and words[place - 1] in with_value):
            words = words[:place]
            break
    if words and words[-1].endswith(";"):
        *words, last = words
        words += [rest] if (rest := last.rstrip(";")) else []
    return words


def separate_ids(arguments: argparse.Namespace) -> None:
    """Take ids apart that stand as a list: `a,b`, `[a, b]`. In quotes each is one id.

    Raises:
        GrammarError: there is no id in the list, or several where one belongs.
    """
    if given := getattr(arguments, "ids", None):
        arguments.ids = [one for word in given for one in _ids_of(word)]
        if not arguments.ids:
            raise GrammarError(f"{unmarked(' '.join(given))!r} names no job: the list is empty")
    if (word := getattr(arguments, "id", None)) is not None:
        ids = _ids_of(word)
        if len(ids) != 1:
            raise GrammarError(f"{unmarked(word)[:60]!r} is not one job id: give the id of one job")
        arguments.id = ids[0]


def _ids_of(word: str) -> list[str]:
    pieces = (piece.strip("[]()") for piece in re.split(r"[,;]+", word))
    return [piece for piece in pieces if piece] if word else [word]


def check_ids(arguments: argparse.Namespace) -> None:
    """Refuse ids that are names of variables, which IPython's rules leave as they are.

    Raises:
        GrammarError: a variable is not defined. An id may look like one, and then needs quotes.
    """
    given = [getattr(arguments, "id", None), *getattr(arguments, "ids", [])]
    for word in filter(None, given):
        shown = unmarked(word)
        if re.search(r"[<>]", word):
            raise GrammarError(
                f"{shown[:60]!r} is not a job id. If it is one, put it in single quotes: "
                f"{quoted_id(shown)}"
            )
        if re.search(r"[{}]|^\$", word):
            raise GrammarError(
                f"{shown[:60]!r} is not a job id: undefined variable? If it is an id, put it in "
                f"single quotes: {quoted_id(shown)}"
            )
