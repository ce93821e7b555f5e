"""Completes `%cometvid` lines by tab: commands, options, their values, settings, known job ids."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from IPython.core import completer

from ..job.ids import quoted_id
from ..settings import Settings
from .grammar import COMMANDS, Command, Ids

# Also `x = %cometvid …` and `a, b = %cometvid …`: IPython allows a magic behind an assignment.
_LINE = re.compile(r"^\s*(?:[\w.,\s]+=\s*)?%%?cometvid(?:\s+(?P<words>.*))?$", re.DOTALL)


# What the commands call a value that may be a path.
_FILES = ("FILE", "DEST")
MOST_PATHS = 200

IdsOf = Callable[[Ids, str], Iterable[str]]
"""Returns ids of a kind, those that begin with the text first: `ids_of(Ids.KNOWN, "video_")`."""
ValuesOf = Callable[[str], Iterable[str]]
"""Returns the values of an option that are known: `values_of("--model")`."""


def complete(
    text_until_cursor: str, ids_of: IdsOf, values_of: ValuesOf = lambda option: ()
) -> tuple[str, list[str]] | None:
    """Return (the word being typed, its completions), or None if the line is not `%cometvid`."""
    line = text_until_cursor.rpartition("\n")[2]
    match = _LINE.match(line)
    if match is None or match["words"] is None:
        return None
    before, piece = re.fullmatch(r"(.*?)(\S*)", match["words"], re.DOTALL).groups()  # type: ignore[union-attr]
    words = before.split()
    if not words:
        return piece, _starting(piece, COMMANDS)
    command = COMMANDS.get(words[0])
    if command is None:
        return piece, []
    if (kind := _value_of(words[-1], command)) is not None:
        known = _starting(piece, values_of(words[-1]))
        return piece, known or (_paths(piece) if kind in _FILES else [])
    if piece in ("-", "--") or (piece.startswith("-") and command.ids == Ids.NONE):
        return piece, [name for name in _starting(piece, command.options) if name not in words]
    if command.ids != Ids.NONE:
        options = _starting(piece, command.options) if piece.startswith("-") else []
        found = [*options, *_ids(piece, ids_of, command.ids)]
        if command.name == "save" and len(words) > 1:
            found = _paths(piece)  # its second word is a place
        if command.takes_files and not options and (piece or not found):
            found += _paths(piece)
        return piece, [word for word in found if word not in words]
    if command.name == "help":
        return piece, _starting(piece, COMMANDS)
    if command.name == "config":
        # `Commands.config` refuses these two; login and demo set them.
        own = {field.name for field in fields(Settings)} - {"api_key", "is_simulated"}
        names = [f"{name}=" for name in sorted(own)]
        if piece.startswith("model="):
            names = [f"model={value}" for value in values_of("--model")]
        return piece, _starting(piece, names)
    return piece, []


def _value_of(word: str, command: Command) -> str | None:
    """Return what the option `word` takes as its value, such as FILE; None: it takes none."""
    if not word.startswith("-"):
        return None
    actions = command.parser()._actions
    found = [str(one.metavar) for one in actions if word in one.option_strings and one.nargs != 0]
    return found[0] if found else None


def _paths(piece: str) -> list[str]:
    """Return the files and folders that begin so; IPython's own are silenced with all the rest."""
    mark = "\\" if os.sep == "\\" and piece.rfind("\\") > piece.rfind("/") else "/"
    folder, slash, beginning = piece.rpartition(mark)
    try:
        with os.scandir(Path(folder + slash).expanduser()) as entries:
            names = [entry.name + mark * entry.is_dir() for entry in entries]
    except (OSError, RuntimeError):  # `~nobody`
        return []
    plain = [name for name in sorted(names) if not re.search(r"[\s'\"{}$]", name)]
    is_hidden = beginning.startswith(".")
    found = [name for name in _starting(beginning, plain) if is_hidden or name[0] != "."]
    return [f"{folder}{slash}{name}" for name in found[:MOST_PATHS]]


def _ids(piece: str, ids_of: IdsOf, kind: Ids) -> list[str]:
    """Return the ids that begin so, as the line takes them: in quotes where they need some."""
    beginning = piece.removeprefix("'")
    found = {
        quoted_id(job_id): job_id.startswith((piece, beginning))
        for job_id in ids_of(kind, beginning)
    }
    return [word for word, is_it in found.items() if is_it or word.startswith(piece)]


def attach(shell: Any, ids_of: IdsOf, values_of: ValuesOf) -> Callable[[], None]:
    """Have `shell` complete `%cometvid` lines, and return what ends that.

    Both functions are called at each tab, so that new jobs are offered.
    """
    if not hasattr(completer, "context_matcher"):  # before IPython 8.6; Colab has 7.34
        return _attach_hook(shell, ids_of, values_of)
    matcher, matchers = make_matcher(ids_of, values_of), shell.Completer.custom_matchers
    matchers.append(matcher)
    return lambda: matchers.remove(matcher) if matcher in matchers else None


def _attach_hook(shell: Any, ids_of: IdsOf, values_of: ValuesOf) -> Callable[[], None]:
    """Do so in an IPython without `context_matcher`: what its hook offers silences the rest.

    It cannot silence the rest where it has nothing to offer.
    """

    def offer(_: Any, event: Any) -> list[str]:
        found = complete(event.text_until_cursor, ids_of, values_of)
        if found is None:
            return []
        # IPython cuts words by its own rules, and replaces no more than what it has cut off.
        piece, words = found
        before = piece.removesuffix(event.symbol)
        return [word.removeprefix(before) for word in words if word.startswith(before)]

    shell.set_hook("complete_command", offer, re_key=_LINE.pattern)
    line = re.compile(_LINE.pattern)  # as `set_hook` keeps it

    def detach() -> None:
        shell.strdispatchers["complete_command"].regexs.pop(line, None)

    return detach


def make_matcher(ids_of: IdsOf, values_of: ValuesOf = lambda option: ()) -> Callable[..., Any]:
    """Return a matcher for `shell.Completer.custom_matchers`."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator, unused-ignore]  # untyped in IPython 8
    def cometvid_matcher(context: Any) -> Any:
        # IPython counts the position within the cursor's line, not within the cell.
        until = context.line_with_cursor[: context.cursor_position]
        found = complete(until, ids_of, values_of)
        if found is None and _is_in_prompt(context.full_text, context.cursor_line):
            found = "", []
        if found is None:
            return {"completions": []}
        piece, candidates = found
        completions = [SimpleCompletion(text=text, type="magic") for text in candidates]
        return {
            "completions": completions or _Silence(),
            "matched_fragment": piece,
            # Silences IPython's own: magics, keywords, variables mean nothing on this line.
            "suppress": True,
        }

    matcher: Callable[..., Any] = cometvid_matcher
    return matcher


class _Silence:
    """No completions, but counted as one: only a matcher that has some silences the others."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _is_in_prompt(cell: str, cursor_line: int) -> bool:
    """Whether the cursor is in the body of a `%%cometvid` cell, which is a prompt."""
    lines = cell.split("\n")[:cursor_line]
    first = next((line for line in lines if line.strip()), "")
    return re.match(r"%%cometvid(\s|$)", first) is not None


def _starting(piece: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(piece)]
