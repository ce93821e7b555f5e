"""Line: reads a `%cometvid` line: which command it is, and with which arguments."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from .expansion import Unfit, expand, id_text, ids_text, split, unmarked
from .grammar import COMMANDS, Command, Ids
from .parser import (
    GrammarError,
    check_ids,
    fill_free_text,
    fill_options,
    separate_ids,
    with_options,
    without_note,
)

_KEPT = re.compile(
    r"""(?<=\s)(?:--(?:name|note)(?:=|\s+)|name_template=)(?:"[^"]*"|'[^']*'|[^\s"'])*"""
)
"""What is not filled in, in a line without a prompt: a template of names, and a note."""


def names_a_prompt(line: str) -> bool:
    """Whether a line holds a prompt, in which {x} and $x stay as they are without `--expand`."""
    return line.split()[:1] in (["create"], ["remix"], ["continue"])


def parse(
    line: str, cell: str | None = None, names: Mapping[str, Any] | None = None
) -> tuple[Command, argparse.Namespace]:
    """Return the command of a line and its arguments; an empty line means help.

    `cell` is the body under a `%%cometvid` line, allowed only as the prompt of a new job. `names`
    are the reader's variables, which fill in `{x}` and `$x`: in all of the line but free text (a
    prompt, `--negative`, `--note`), which takes `--expand` for it.

    Raises:
        GrammarError: the line is no valid command; the message shows what was probably meant.
    """
    try:
        return _parse(line, cell, names or {})
    except Unfit as error:
        raise GrammarError(str(error)) from None


def find_command(name: str) -> Command:
    """Return the command of that name.

    Raises:
        GrammarError: there is none; the message shows what was probably meant.
    """
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        meant = f"Did you mean {near[0]!r}? " if near else ""
        raise GrammarError(
            f"there is no command {name[:60]!r}. {meant}Commands: {', '.join(COMMANDS)}."
        )
    return COMMANDS[name]


def _parse(
    line: str, cell: str | None, names: Mapping[str, Any]
) -> tuple[Command, argparse.Namespace]:
    has_prompt = names_a_prompt(line)
    named = COMMANDS.get("".join(line.split()[:1]))
    to_text = _text_for(named) if named is not None else None
    try:
        words = split(line if has_prompt else _expanded(line, named, names, to_text))
    except ValueError:
        raise GrammarError(f"a quotation mark is missing its partner: {line!r}") from None
    name, *rest = words or ["help"]
    name = unmarked(name.rstrip(";"))
    command = find_command("help" if name in ("-h", "--help", "?") else name)
    parser, takes_ids = command.parser(), command.ids != Ids.NONE
    rest = without_note(rest, parser)
    if "-h" in rest or "--help" in rest:
        return COMMANDS["help"], argparse.Namespace(command=command.name)
    arguments = parser.parse_args(with_options(rest, parser, takes_ids=takes_ids))
    if cell is not None and not has_prompt:
        raise GrammarError(
            f"{command.name} takes no %% cell: write %cometvid {line} in a line of its own"
        )
    if has_prompt:
        fill_options(arguments, names)
    check_ids(arguments)
    separate_ids(arguments)
    for key, value in vars(arguments).items():
        if isinstance(value, str):
            setattr(arguments, key, unmarked(value))
        elif isinstance(value, list):
            setattr(arguments, key, [unmarked(word) for word in value])
    if hasattr(arguments, "prompts"):
        arguments.prompts = _prompts(arguments.prompts, cell)
    if getattr(arguments, "expand", False):
        fill_free_text(arguments, names)
    return command, arguments


def _expanded(
    line: str,
    command: Command | None,
    names: Mapping[str, Any],
    to_text: Callable[[Any], str] | None,
) -> str:
    """Return a line filled in, but for free text and a template, whose fields are no variables."""
    kept = {"--name", "--note"}
    if command is None or not (command.name == "config" or kept & set(command.options)):
        return expand(line, names, to_text)
    filled, at = "", 0
    for found in _KEPT.finditer(line):
        filled += expand(line[at : found.start()], names, to_text) + found[0]
        at = found.end()
    return filled + expand(line[at:], names, to_text)


def _text_for(command: Command) -> Callable[[Any], str] | None:
    """Return what makes the text of a value in a line of this command; None: `str`."""
    if command.ids == Ids.NONE:
        return None
    takes_one = any(action.dest == "id" for action in command.parser()._actions)
    return id_text if takes_one else ids_text


def _prompts(words: list[str], cell: str | None) -> list[str]:
    if cell is not None:
        if words:
            raise GrammarError("the prompt is in the cell, so the line must have none")
        return [cell]
    if not words:
        raise GrammarError('there is no prompt: write it "in quotes", or in the body of a %% cell')
    if len(words) > 1 and any(" " not in word.strip() for word in words):
        # Each prompt is a job that costs money: forgotten quotes must not make six jobs of a
        # sentence. Several prompts therefore need more than one word each.
        raise GrammarError(f'put the prompt in quotes: "{" ".join(words)}"')
    return words
