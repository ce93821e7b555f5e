"""A recipe's line makes the same request again, whatever the prompt holds."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.api.form_text import set_values
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.clips.recipe import Recipe
from cometvid_nb.job.job import Job
from cometvid_nb.magic.creation import _OPTIONS
from cometvid_nb.magic.line import parse
from cometvid_nb.magic.recipe_line import recipe_lines

NOWHERE = Path("/nowhere")


def asked_by(lines: list[str]) -> dict[str, str]:
    """The form that the parser, or Python, makes of what was printed."""
    if lines[0].startswith("cometvid_nb"):
        told: dict[str, Any] = eval(
            lines[0].replace("cometvid_nb.create", "create"),
            {"create": lambda prompt, **options: {"prompt": prompt, **options}},
        )
        return dict(NewJob.check(**told).fields)
    line, *body = lines
    cell = "\n".join([*body, ""]) if line.startswith("%%") else None
    names = {"x": "X", "prompt": "P", "model": "M"}
    command, arguments = parse(line.lstrip("%").removeprefix("cometvid "), cell, names)
    assert command.name == "create"
    [prompt] = arguments.prompts
    options = {name: getattr(arguments, name) for name in _OPTIONS}
    return dict(NewJob.check(prompt, extra=set_values(arguments.set), **options).fields)


# What no text of a request can hold, and what stands for our own marks within a line.
SIGNS = st.characters(
    exclude_categories=["Cs"], exclude_characters=[chr(code) for code in range(0xFDD0, 0xFDF0)]
)
HARD = st.sampled_from(
    ["'", '"', "{x}", "$x", "{{", "\n", "%", "#", ";", "--model", "\\", "?", " "]
)
TEXT = st.lists(HARD | st.text(SIGNS, max_size=6), max_size=8).map("".join)
PROMPT = TEXT.filter(lambda text: text.strip())
MODEL = st.none() | st.sampled_from(["sora-2", "wan2.6", "my model", "it's", "-x", "{x}"])
NAME = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
TAKEN = {"prompt", "model", "seconds", "size", "input_reference"}


@given(
    prompt=PROMPT,
    model=MODEL,
    seed=st.none() | st.integers(-1, 2**40),
    negative=st.none() | PROMPT,
    extra=st.dictionaries(NAME.filter(lambda name: name not in TAKEN), TEXT, max_size=3),
    seconds=st.none() | st.sampled_from([4, "8"]),
    size=st.none() | st.sampled_from(["1280x720", "16:9", "auto", "it's"]),
)
def test_the_line_of_a_recipe_asks_for_the_same(
    prompt: str, model: str | None, **options: Any
) -> None:
    try:
        new = NewJob.check(prompt, model=model, **options)
    except Exception:  # noqa: BLE001 - what cannot be asked for has no recipe
        return
    lines = recipe_lines(Recipe("a", new.fields), NOWHERE)
    assert all(line.isprintable() or "\t" in line for line in lines)
    assert asked_by(lines) == dict(new.fields)


def lines_of(**told: Any) -> str:
    fields = {"prompt": "It flies", "model": "sora-2", **told.pop("fields", {})}
    return "\n".join(recipe_lines(Recipe("a", fields, **told), told.pop("folder", NOWHERE)))


def test_lines_read_as_somebody_would_have_typed_them() -> None:
    assert lines_of() == "%cometvid create 'It flies' --model sora-2"
    assert lines_of(fields={"prompt": "It's {x}"}) == (
        "%cometvid create 'It'\"'\"'s {x}' --model sora-2"
    )
    assert lines_of(fields={"prompt": "a\nb", "camera": "pan left"}) == (
        "%%cometvid create --model sora-2 --set 'camera=pan left'\na\nb"
    )
    assert lines_of(continued_from="v-1") == "%cometvid continue v-1 'It flies' --model sora-2"
    assert lines_of(fields={"prompt": "a\x1b[31m"}) == (
        "cometvid_nb.create('a\\x1b[31m', model='sora-2')"
    )
    remix = Recipe("a", {"prompt": "It flies", "style": "noir"}, remix_of="v 1")
    assert recipe_lines(remix, NOWHERE) == ["%cometvid remix 'v 1' 'It flies' --set style=noir"]


def test_a_picture_is_known_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"picture")
    digest = hashlib.sha256(b"picture").hexdigest()
    recipe = Recipe("a", {"prompt": "It flies"}, (("a.png", digest),))
    assert recipe_lines(recipe, tmp_path) == ["%cometvid create 'It flies' --image a.png"]
    (tmp_path / "a.png").write_bytes(b"another")
    note, line = recipe_lines(recipe, tmp_path)
    assert "another picture" in note
    assert digest in note
    assert line.endswith("--image a.png")
    assert "is not there" in recipe_lines(recipe, NOWHERE)[0]
    assert (
        "none of a file" in recipe_lines(Recipe("a", {"prompt": "x"}, (("../a", ""),)), tmp_path)[0]
    )


def test_what_was_left_out_is_named() -> None:
    asked = {"fields": {"prompt": "x", "callback": "https://a/?sig=1", "api_key": "sk-1"}}
    recipe = Recipe.of(Job("a"), asked)
    assert dict(recipe.fields) == {"prompt": "x"}
    [note, line] = recipe_lines(recipe, NOWHERE)
    assert note.endswith("callback, api_key")
    assert "https" not in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "did not write it"),
        (b'{"made_by": "cometvid-nb", "recipe": 2}', "later version"),
        (b'{"made_by": "cometvid-nb", "recipe": 1, "fields": {"prompt": 5}}', "no prompt"),
    ],
)
def test_what_is_no_recipe_is_said_to_be_none(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Recipe.read(content)
