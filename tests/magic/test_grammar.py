"""A line is understood, or answered with what was probably meant."""

from __future__ import annotations

import argparse
import contextlib
import re
from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cometvid_nb
from cometvid_nb.api.new_job import MOST_JOBS
from cometvid_nb.magic.grammar import COMMANDS
from cometvid_nb.magic.help import explain, list_of_commands
from cometvid_nb.magic.line import find_command, parse
from cometvid_nb.magic.parser import GrammarError

ISSUE_2 = ["watch", "status", "stop", "wait", "config", "login", "demo", "help"]


def arguments(line: str) -> dict[str, object]:
    return vars(parse(line)[1])


@pytest.mark.parametrize(
    "line",
    [
        "watch video_1 video_2 --wait --timeout 60 --interval=5",
        "watch --wait --timeout=60 --interval 5 video_1 video_2",
        "watch --interval 5 video_1 video_2 --timeout 60 --wait",
    ],
)
def test_watch_takes_ids_with_its_options_on_either_side(line: str) -> None:
    command, given_ = parse(line)
    assert command.name == "watch"
    assert given_.ids == ["video_1", "video_2"]
    assert (given_.wait, given_.timeout, given_.interval) == (True, "60", "5")
    assert given_.no_save is False


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("status video_1", {"id": "video_1"}),
        ("stop", {"ids": [], "all": False}),
        ("stop --all", {"ids": [], "all": True}),
        ("wait a b", {"ids": ["a", "b"], "timeout": None}),
        ("config", {"changes": []}),
        ('config save_dir="my clips" save=off', {"changes": ["save_dir=my clips", "save=off"]}),
        (r"config save_dir=C:\clips", {"changes": [r"save_dir=C:\clips"]}),
        ("login", {}),
        ("demo --speed 4", {"speed": "4", "stop": False, "trouble": None}),
        ("help watch", {"command": "watch"}),
        ("", {"command": None}),
        ("  --help ", {"command": None}),
        ("?", {"command": None}),
    ],
)
def test_a_line_is_split_into_its_arguments(line: str, expected: dict[str, object]) -> None:
    assert arguments(line) == expected


def test_create_takes_repeated_options_in_their_order_and_dashes_become_names() -> None:
    line = 'create "A comet" --image b.png --set x=1 --image=a.png --set "y=a b" --seed -1'
    given_ = arguments(f"{line} --first-frame c.png --negative 'no text' --dry-run --force")
    assert given_["image"] == ["b.png", "a.png"]
    assert given_["set"] == ["x=1", "y=a b"]
    assert (given_["seed"], given_["first_frame"]) == ("-1", "c.png")
    assert (given_["negative"], given_["dry_run"], given_["force"]) == ("no text", True, True)
    plain = arguments('create "A comet"')
    options = ("image", "set", "first_frame", "last_frame", "ratio", "resolution", "fit", "seed")
    assert [plain[name] for name in options] == [None] * len(options)
    assert (plain["dry_run"], plain["force"]) == (False, False)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "help"])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_can_be_asked_of_every_command(name: str, option: str) -> None:
    command, given_ = parse(f"{name} {option}")
    assert (command.name, given_.command) == ("help", name)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("wach video_1", ["no command 'wach'", "Did you mean 'watch'?", "Commands: watch"]),
        ("frobnicate", ["no command 'frobnicate'", "Commands: watch"]),
        ("watch", ["ID", "Usage: %cometvid watch"]),
        ("watch video_1 --wiat", ["--wiat", "Did you mean --wait?"]),
        ("watch video_1 --intervall=5", ["Did you mean --interval?"]),
        ("watch video_1 --timeout", ["--timeout", "Usage:"]),
        ("status a b", ["b", "Usage: %cometvid status ID"]),
        ('watch "video_1', ["quotation mark"]),
        ("login sk-secret-on-the-line", ["Usage: %cometvid login"]),
        ("frames a --bogus", ["unrecognized arguments: --bogus.", "Usage: %cometvid frames"]),
        ("rate a --unpik", ["Did you mean --unpick?"]),
    ],
)
def test_a_mistake_is_answered_with_what_was_probably_meant(line: str, words: list[str]) -> None:
    with pytest.raises(GrammarError) as caught:
        parse(line)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "line",
    ["continue a 'x' --at 9", "remix a 'x' --image b.png", "save a --save b", "loop a --bog"],
)
def test_only_an_option_of_a_like_spelling_is_suggested(line: str) -> None:
    with pytest.raises(GrammarError, match="unrecognized") as caught:
        parse(line)
    assert "Did you mean" not in str(caught.value)


def test_an_option_must_be_written_out() -> None:
    with pytest.raises(GrammarError, match="Did you mean --timeout"):
        parse("watch video_1 --timeo 5")


@given(
    st.one_of(
        st.text(),
        st.sampled_from(list(COMMANDS)).flatmap(
            lambda name: st.text().map(lambda rest: f"{name} {rest}")
        ),
    )
)
def test_no_line_leaves_the_process(line: str) -> None:
    """Argparse would: `SystemExit` ends a kernel."""
    with contextlib.suppress(GrammarError):
        command, given_ = parse(line)
        assert command in COMMANDS.values()
        assert isinstance(given_, argparse.Namespace)


def test_all_that_watches_takes_the_same_options() -> None:
    shared = set(COMMANDS["watch"].options)
    assert {"--timeout", "--interval", "--save", "--no-save", "--embed", "--gallery"} <= shared
    for name in ("create", "remix", "resume"):
        assert shared <= set(COMMANDS[name].options), name


def test_python_takes_them_too() -> None:
    watching = {name for name in signature(cometvid_nb.watch).parameters if name != "job_id"}
    for function in (cometvid_nb.create, cometvid_nb.remix):
        assert watching <= set(signature(function).parameters)


def test_the_help_names_the_most_takes() -> None:
    assert f"1 to {MOST_JOBS}" in explain(COMMANDS["create"])


def test_the_commands_of_this_issue_are_there() -> None:
    assert set(ISSUE_2) <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_has_its_help(name: str) -> None:
    text = explain(COMMANDS[name])
    assert text.startswith(f"%cometvid {name}")
    for action in COMMANDS[name].parser()._actions:
        assert action.help
        assert action.help.split()[0] in text
    for option in COMMANDS[name].options:
        assert option in text
    assert not re.search(r"\w-$", text, re.MULTILINE), "what is to be copied is not broken"


def test_the_list_of_all_has_a_line_for_each() -> None:
    listed = re.findall(r"^  %cometvid (\w+)", list_of_commands(), re.MULTILINE)
    assert listed == list(COMMANDS)


def test_help_on_a_command_there_is_not_names_the_nearest() -> None:
    with pytest.raises(GrammarError, match="Did you mean 'watch'"):
        find_command("wathc")
