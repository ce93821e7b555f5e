"""Variables are filled in as data, and single quotes keep all that stands between them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cometvid_nb.job.ids import check_job_id, reads_like_several
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
    assume(not any(reads_like_several(text) for text in (*job_ids, " ".join(job_ids))))
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


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("""rate {x} --note "it's a $5 {x}" """, "note"),
        ("rate --note='it\"s a $5 {x}' $x", "note"),
        ("""create "A sea" --negative "it's a $5 {x}" """, "negative"),
    ],
)
def test_free_text_is_filled_in_as_a_prompt_is(line: str, option: str) -> None:
    text = getattr(parse(line, names=NAMES)[1], option)
    assert text[3:] == "s a $5 {x}"
    text = getattr(parse(f"{line} --expand", names=NAMES)[1], option)
    assert text[3:] == "s a $5 video_1"


def test_a_price_is_no_variable() -> None:
    given_ = parse('rate $x --tag "$5" --tag "{folder}"', names=NAMES)[1]
    assert given_.tag == ["$5", "my clips"]
    assert parse('create "It costs $5 {x}" --expand', names=NAMES)[1].prompts == [
        "It costs $5 video_1"
    ]


def test_a_recipe_is_asked_for_as_any_clip() -> None:
    watch = SimpleNamespace(job_id="video_1")
    for line in ("recipe {w}", "recipe $w", "recipe {[w]}", "recipe 'video_1'"):
        assert parse(line, names={"w": watch})[1].id == "video_1"
    assert parse("recipe videos/a(1).json")[1].id == "videos/a(1).json"
    with pytest.raises(GrammarError, match="undefined variable"):
        parse("recipe {w.saved_path}", names={"w": watch})
    with pytest.raises(GrammarError, match=r"names several: a, b, c, d, …$"):
        parse("recipe {many}", names={"many": list("abcde")})


@given(st.text())
def test_any_line_is_split_or_lacks_the_partner_of_a_quotation_mark(line: str) -> None:
    try:
        found = words(line)
    except ValueError:
        assert "'" in line or '"' in line
    else:
        assert all(word == unmarked(word) for word in found)


VIDEO_1, VIDEO_2 = SimpleNamespace(job_id="video_1"), SimpleNamespace(id="video_2")
VALUES: dict[str, Any] = {
    "watch": VIDEO_1,
    "job": VIDEO_2,
    "jobs": [VIDEO_1, "video_2"],
    "both": {"video_1": None, "video_2": None}.keys(),
    "pair": ("video_1", VIDEO_2),
    "column": SimpleNamespace(tolist=lambda: ["video_1", "video_2"]),
    "rows": [{"job_id": "video_1"}, {"job_id": "video_2"}],
    "typed": "video_1, video_2",
    "none": None,
    "empty": [],
    "nothing_in_it": set(),
    "table": {"a": 1},
    "thing": object(),
    "odd": "a,",
}


@pytest.mark.parametrize(
    "ids_as_typed",
    [
        "{watch} {job}",
        "$watch $job",
        "{jobs}",
        "$jobs",
        "{both}",
        "{pair}",
        "{column}",
        "{rows}",
        "{typed}",
        "{jobs[:1]} {jobs[1]}",
        "video_1,video_2",
        "video_1, video_2,",
        "video_1 , video_2",
        "[video_1, video_2]",
        "['video_1', 'video_2']",
        '["video_1", "video_2"]',
        "('video_1','video_2')",
        "video_1 video_2;",
        "video_1; video_2",
        "video_1 video_2 # the good ones, I think",
        "video_1 video_2 --wait # it is late",
        "video_1 video_2 #7",
    ],
)
def test_ids_are_understood_however_a_list_is_written(ids_as_typed: str) -> None:
    assert parse(f"watch {ids_as_typed}", names=VALUES)[1].ids == ["video_1", "video_2"]


@pytest.mark.parametrize("command", ["watch", "stop", "wait", "status", "save", "forget"])
@pytest.mark.parametrize(
    ("ids_as_typed", "words"),
    [
        ("{empty}", "an empty list names no job"),
        ("$nothing_in_it", "an empty set names no job"),
        ("{none}", "a NoneType names no job"),
        ("{table}", "a dict names no job"),
        ("{thing}", "a object names no job"),
        ("[]", "names no job|not one job id"),
        (",", "names no job|not one job id"),
        ("<Watch>", "is not a job id"),
    ],
)
def test_what_names_no_job_is_refused_and_never_taken_for_all_jobs(
    command: str, ids_as_typed: str, words: str
) -> None:
    with pytest.raises(GrammarError, match=words):
        parse(f"{command} {ids_as_typed}", names=VALUES)


@pytest.mark.parametrize(
    "line", ["status a,b", "save {jobs}", "save {typed}", "remix {jobs} 'At night'"]
)
def test_who_takes_one_id_refuses_several(line: str) -> None:
    with pytest.raises((GrammarError, ValueError)):
        check_job_id(parse(line, names=VALUES)[1].id)


@pytest.mark.parametrize("job_id", ["a,b", "a;", "[x]", "#1", "(x)", "<x>", "a, "])
def test_in_quotes_each_is_one_id(job_id: str) -> None:
    assert parse(f"watch '{job_id}' \"{job_id}\"")[1].ids == [job_id, job_id]


def test_a_remix_takes_a_watch_or_a_job_and_its_prompt_keeps_its_commas() -> None:
    line = 'remix {watch} "Night, rain; #1 [wide]";  # a note'
    given_ = parse(line, names=VALUES)[1]
    assert (given_.id, given_.prompts) == ("video_1", ["Night, rain; #1 [wide]"])


def test_what_is_no_id_keeps_its_signs() -> None:
    assert parse("config save_dir=a,b[1];")[1].changes == ["save_dir=a,b[1]"]
    assert parse("jobs --search #1")[1].search == "#1"
    assert parse("jobs --all # every one")[1].all is True
    assert parse("jobs;")[0].name == "jobs"
