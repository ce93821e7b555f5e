"""An id of any server is taken, shown and typed as it is; what cannot be one is told."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.job.ids import (
    MOST_CHARACTERS,
    check_job_id,
    ids_in,
    one_id,
    quoted_id,
    shown_id,
)
from cometvid_nb.magic.line import parse
from tests.strategies import ids, texts

LITELLM = (
    "video_" + base64.b64encode(b"litellm:custom_llm_provider:azure;model_id:sora;" * 6).decode()
)
VERTEX = "projects/p/locations/us-central1/publishers/google/models/veo-3.1/operations/abc"
ODD_IDS = [
    LITELLM,
    VERTEX,
    "-abc",
    "--wait",
    "-n",
    "abc==",
    "it's",
    'a"b',
    "a'b\"c",
    "#1",
    "a#b",
    "$x",
    "a$x",
    "{x}",
    "a{x!r:>9}b",
    "{{x}}",
    "}{",
    "видео_1",
    "視頻",
    "a%2Fb?c=d&e#f",
    "a\\b",
    "…",
    "*",
    "--",
    "a;b|c>d`e`",
]


@pytest.mark.parametrize("text", ["video_1", " video_1\n", "7f3c-a.b", "a" * 2000, *ODD_IDS])
def test_an_id_is_taken_stripped(text: str) -> None:
    assert check_job_id(text) == text.strip()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("a" * 2001, "2001 characters"),
        ("../../etc/passwd", "path"),
        ("models/../x", "path"),
        ("..\\1", "path"),
        ("a\\.\\1", "path"),
        ("..", "path"),
        (".", "path"),
        ("https://api.example/v1/videos/1", "link"),
        ("s3://bucket/1", "link"),
        ("video 1", "spaces"),
        ("video\u00a01", "spaces"),
        ("video\x1b[31m", "control"),
        ("video\u202e1", "control"),
        ("video\ud800", "control"),
    ],
)
def test_what_cannot_be_an_id_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_job_id(text)


@given(st.one_of(texts, ids, st.text(max_size=600)))
def test_a_checked_id_is_one_printable_word_and_a_refusal_is_short(text: str) -> None:
    job_id, refusal = "", ""
    try:
        job_id = check_job_id(text)
    except ValueError as error:
        refusal = str(error)

    assert bool(job_id) != bool(refusal)
    assert len(refusal.encode()) < 600
    assert job_id.isprintable()
    assert len(job_id.split()) <= 1
    assert len(job_id) <= MOST_CHARACTERS


@given(st.one_of(texts, st.text(max_size=600)), st.integers(3, 80))
def test_what_is_shown_of_an_id_is_one_short_line_with_both_its_ends(text: str, most: int) -> None:
    shown = shown_id(text, most)
    assert shown.isprintable()
    assert len(shown) <= most
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    head, cut, tail = shown.rpartition("…") if len(line) > most else (line, "", "")
    assert line.startswith(head)
    assert line.endswith(tail)
    assert not cut or 0 <= len(head) - len(tail) <= 1


def test_two_long_ids_that_differ_at_their_end_are_shown_apart() -> None:
    assert shown_id(LITELLM + "A==") != shown_id(LITELLM + "B==")


def test_an_ordinary_id_needs_no_quotes_and_any_other_gets_them() -> None:
    assert quoted_id("video_1-a.b") == "video_1-a.b"
    assert quoted_id(VERTEX) == VERTEX
    assert quoted_id(LITELLM) == LITELLM
    assert quoted_id("-abc") == "'-abc'"
    assert quoted_id("{x}") == "'{x}'"


NAMES = {"x": "another", "job_id": "another", "a": ["another"]}
"""What the reader's own variables are called: none of them may get into a pasted id."""


def pasted(command: str, job_ids: list[str]) -> list[str]:
    """The ids that a line reads, after it was printed and pasted."""
    line = " ".join([command, *map(quoted_id, job_ids)])
    _, arguments = parse(line, names=NAMES)
    return arguments.ids if hasattr(arguments, "ids") else [arguments.id]


@pytest.mark.parametrize("command", ["watch", "status", "save", "forget", "stop", "wait"])
@pytest.mark.parametrize("job_id", ODD_IDS)
def test_a_printed_command_can_be_pasted_back(command: str, job_id: str) -> None:
    assert pasted(command, [job_id]) == [job_id]


@given(st.lists(ids, min_size=1, max_size=4))
def test_any_ids_can_be_pasted_back_together(job_ids: list[str]) -> None:
    assert pasted("watch", job_ids) == job_ids


@given(ids)
def test_any_id_can_be_pasted_into_a_remix(job_id: str) -> None:
    line = f'remix {quoted_id(job_id)} "At {{x}} $x night"'
    arguments = parse(line, names=NAMES)[1]
    assert (arguments.id, arguments.prompts) == (job_id, ["At {x} $x night"])


@pytest.mark.parametrize("text", ["['video_1']", '("a",)', "[]", "{'a'}", "<Watch>"])
def test_the_text_of_a_python_value_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="the text of a Python value"):
        check_job_id(text)


def test_a_value_names_the_jobs_that_it_holds() -> None:
    watch, job = SimpleNamespace(job_id="a"), SimpleNamespace(id="b")
    assert ids_in("a") == ids_in(watch) == ["a"]
    assert ids_in([watch, job, "c"]) == ids_in(iter((watch, job, "c"))) == ["a", "b", "c"]
    assert sorted(ids_in({"a", "b"})) == ["a", "b"]
    assert one_id(job) == "b"


@pytest.mark.parametrize(
    "value", [[], (), set(), None, 7, b"a", {"a": 1}, object(), "a,b", ["a;b"]]
)
def test_a_value_that_names_no_job_is_refused_in_words(value: object) -> None:
    with pytest.raises(ValueError, match=r"names no job|reads like several ids"):
        ids_in(value)


def test_a_table_is_no_list_of_its_columns() -> None:
    class Table:
        def __iter__(self) -> Iterator[str]:
            return iter(["job_id", "prompt"])

    with pytest.raises(ValueError, match="a Table names no job"):
        ids_in(Table())


def test_a_collection_is_not_one_job() -> None:
    with pytest.raises(ValueError, match="give one of them"):
        one_id(["a"])
