"""Variables are filled in as data, and single quotes keep all that stands between them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cometvid_nb.magic.expansion import expand, split, unmarked
from cometvid_nb.magic.grammar import COMMANDS
from cometvid_nb.magic.line import parse
from cometvid_nb.magic.parser import GrammarError
from tests.strategies import ids

NAMES: dict[str, Any] = {
    "x": "video_1",
    "several": ["a", "b"],
    "job": SimpleNamespace(id="-it's"),
    "row": {"id": 'a"b'},
    "options": "--wait --timeout=5",
    "folder": "my clips",
}


def words(line: str) -> list[str]:
    return [unmarked(word) for word in split(expand(line, NAMES))]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("{x} $x", ["video_1", "video_1"]),
        ("a{x}b $job.id", ["avideo_1b", "-it's"]),
        ('{" ".join(several)}', ["a", "b"]),
        ("{row['id']}", ['a"b']),
        ('"{folder}/{x}"', ["my clips/video_1"]),
        ("save_dir='{folder} $x'", ["save_dir={folder} $x"]),
        ("{nothing} $nothing {x}", ["{nothing}", "$nothing", "video_1"]),
        ("{{x}} $$x", ["{x}", "$x"]),
        ('it"\'"s {x}', ["it's", "video_1"]),
        ('"it\'s" {x} "it\'s"', ["it's", "video_1", "it's"]),
        (r"C:\clips #1", [r"C:\clips", "#1"]),
        ("'' \"\"", ["", ""]),
    ],
)
def test_a_line_is_filled_in_and_split(line: str, wanted: list[str]) -> None:
    assert words(line) == wanted


@given(st.lists(ids, min_size=1, max_size=3))
def test_an_id_in_a_variable_is_that_id_whatever_it_holds(job_ids: list[str]) -> None:
    # What is filled in may be an option, too: an id of such a name goes in quotes.
    options = COMMANDS["watch"].options
    assume(not any(job_id.partition("=")[0] in options for job_id in job_ids))
    names = {"jobs": job_ids, "first": job_ids[0]}
    line = 'watch $first {" ".join(jobs)} "{first}"'
    assert parse(line, names=names)[1].ids == [job_ids[0], *job_ids, job_ids[0]]


def test_options_may_stand_in_a_variable_and_quotes_make_ids_of_them() -> None:
    given_ = parse("watch {x} {options}", names=NAMES)[1]
    assert (given_.ids, given_.wait, given_.timeout) == (["video_1"], True, "5")
    given_ = parse("""watch '--wait' "--wait" "{options.split()[0]}" """, names=NAMES)[1]
    assert (given_.ids, given_.wait) == (["--wait"] * 3, None)


@pytest.mark.parametrize("line", ["watch {job_id}", "status video_{n}", "save $job_id"])
def test_a_variable_there_is_not_is_no_id(line: str) -> None:
    with pytest.raises(GrammarError, match=r"undefined variable.* in single quotes: '"):
        parse(line, names=NAMES)


def test_an_id_that_looks_like_an_option_is_told_to_go_in_quotes() -> None:
    with pytest.raises(GrammarError, match="in quotes: %cometvid watch '-abc'"):
        parse("watch -abc")
    with pytest.raises(GrammarError, match="Did you mean --wait"):
        parse("watch abc --wiat")
    with pytest.raises(GrammarError, match="unrecognized"):
        parse('create "A comet" -abc')


def test_a_prompt_is_filled_in_only_when_asked_and_its_options_always() -> None:
    line = "create 'A {x} sea' --model {x} --save '{x}'"
    given_ = parse(line, names=NAMES)[1]
    assert (given_.prompts, given_.model, given_.save) == (["A {x} sea"], "video_1", "{x}")
    given_ = parse(f"{line} --expand", names=NAMES)[1]
    assert given_.prompts == ["A video_1 sea"]
    assert parse('create "-5 degrees, it\'s {x}"', names=NAMES)[1].prompts == [
        "-5 degrees, it's {x}"
    ]


@given(st.text())
def test_any_line_is_split_or_lacks_the_partner_of_a_quotation_mark(line: str) -> None:
    try:
        found = words(line)
    except ValueError:
        assert "'" in line or '"' in line
    else:
        assert all(word == unmarked(word) for word in found)
