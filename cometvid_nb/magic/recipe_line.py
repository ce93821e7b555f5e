"""Recipe lines: the `%cometvid` line that makes a clip again, from its recipe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from ..clips.recipe import Recipe
from ..job.ids import quoted_id
from ..job.values import one_line

_OPTIONS = {
    "model": "--model",
    "seconds": "--seconds",
    "size": "--size",
    "resolution": "--resolution",
    "seed": "--seed",
    "negative_prompt": "--negative",
}
"""By field of a request: the option that fills it. Any other field goes by `--set`."""
_IN_PYTHON = {"negative_prompt": "negative"}
"""The same for `cometvid_nb.create`, where the name is another one."""
_PLAIN = re.compile(r"[\w.:/@%+~][\w.:/@%+=~-]*", re.ASCII)


def recipe_lines(recipe: Recipe, folder: Path) -> list[str]:
    """Return what makes the clip again: a line or a cell to paste, and in comments what it needs.

    Pictures are looked for in `folder`, beside the notebook, by their names.
    """
    return [*(f"# {note}" for note in _notes(recipe, folder)), *_call(recipe)]


def _call(recipe: Recipe) -> list[str]:
    prompt, fields = recipe.fields["prompt"], dict(recipe.fields)
    del fields["prompt"]
    words = _words(recipe, fields)
    if not all(word.isprintable() for word in words):
        return [_in_python(recipe, fields)]
    if prompt.isprintable():
        command, *options = words
        at = 1 if recipe.continued_from or recipe.remix_of else 0  # behind the id
        return [" ".join(["%cometvid", command, *options[:at], _quote(prompt), *options[at:]])]
    if all(sign.isprintable() or sign in "\n\t" for sign in prompt):
        # An empty line first: of a second line such as ">>> x" IPython would cut off the sign.
        gap = [""] if re.match(r"\s*(>>>|\.\.\.|In \[)", prompt) else []
        return [" ".join(["%%cometvid", *words]), *gap, *prompt.split("\n")]
    return [_in_python(recipe, fields)]


def _words(recipe: Recipe, fields: Mapping[str, str]) -> list[str]:
    """Return the command and its options, but for the prompt."""
    parent = recipe.continued_from or recipe.remix_of
    command = "continue" if recipe.continued_from else "remix" if recipe.remix_of else "create"
    words = [command, *([quoted_id(parent)] if parent else [])]
    for name, text in fields.items():
        if name in _OPTIONS and not recipe.remix_of:
            words += [_OPTIONS[name], _quoted(text)]
        else:
            words += ["--set", _quoted(f"{name}={text}")]
    if not parent:
        for name, _ in recipe.pictures:
            words += ["--image", _quoted(name)]
    return words


def _in_python(recipe: Recipe, fields: dict[str, str]) -> str:
    """Return a call in Python, for what no line of a notebook can hold."""
    prompt, extra = repr(recipe.fields["prompt"]), dict(fields)
    options: dict[str, object] = {}
    if recipe.remix_of is None:
        for name in _OPTIONS:
            if name in extra:
                options[_IN_PYTHON.get(name, name)] = extra.pop(name)
    if recipe.pictures and not recipe.continued_from and not recipe.remix_of:
        options["image"] = [name for name, _ in recipe.pictures]
    options |= {"extra": extra} if extra else {}
    if recipe.continued_from:
        options["continue_from"] = recipe.continued_from
    told = "".join(f", {name}={value!r}" for name, value in options.items())
    if recipe.remix_of is not None:
        return f"cometvid_nb.remix({recipe.remix_of!r}, {prompt}{told})"
    return f"cometvid_nb.create({prompt}{told})"


def _notes(recipe: Recipe, folder: Path) -> list[str]:
    """Return what the line needs and does not hold."""
    notes: list[str] = []
    if recipe.left_out:
        names = ", ".join(one_line(name) for name in recipe.left_out)
        notes.append(f"Left out of the recipe, as it holds no key and no link: {names}")
    if recipe.continued_from or recipe.remix_of:
        return notes
    for name, digest in recipe.pictures:
        shown, why = one_line(name), _why_not(folder, name, digest)
        if why:
            known = f" Its SHA-256 is {digest}." if digest else ""
            notes.append(f"The picture {shown} is needed beside the notebook; {why}.{known}")
    return notes


def _why_not(folder: Path, name: str, digest: str) -> str:
    """Return why a picture cannot be the one that went along; "" = it is."""
    if not name or re.search(r"[/\\]", name) or name in (".", ".."):
        return "its name is none of a file here"
    try:
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return "it is not there"
    if not digest:
        return "whether it is the one that went along is not known"
    return "" if found == digest else "the file of that name is another picture"


def _quoted(text: str) -> str:
    """Return a text as one word of a line, which takes it as it is; see `magic.expansion`."""
    return text if _PLAIN.fullmatch(text) else _quote(text)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"
