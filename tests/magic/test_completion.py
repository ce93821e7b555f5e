"""Tab completes commands, options, settings and known ids, wherever the line stands."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core import completer as completers
from IPython.core.completer import IPCompleter, provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from cometvid_nb.magic.completion import attach, complete, make_matcher
from cometvid_nb.magic.grammar import COMMANDS, Ids
from cometvid_nb.magic.line import parse
from tests.strategies import ids

IDS = ["video_1", "video_2", "other"]
ODD = ["it's", "-abc", "{x}", "$x", "a==", "models/veo/1"]


def ids_of(_: Ids, __: str) -> list[str]:
    return IDS


def candidates(text: str) -> list[str]:
    found = complete(text, ids_of)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("%cometvid ", list(COMMANDS)),
        ("%cometvid wa", ["watch", "wait"]),
        ("x = %cometvid wat", ["watch"]),
        ("a, b = %cometvid wat", ["watch"]),
        ("job.latest = %cometvid wat", ["watch"]),
        ("  %cometvid sta", ["status"]),
        ("y = 1\nx = %cometvid wat", ["watch"]),
        ("%cometvid frobnicate ", []),
        ("%cometvid watch ", IDS),
        ("%cometvid watch video_", ["video_1", "video_2"]),
        ("%cometvid watch video_1 ", ["video_2", "other"]),
        ("%cometvid watch video_1 --w", ["--wait"]),
        ("%cometvid watch --wait --w", []),
        ("%cometvid stop --", ["--all"]),
        ("%cometvid demo --", ["--speed", "--stop", "--trouble"]),
        ("%cometvid help log", ["login"]),
        ("%cometvid config save_", ["save_dir="]),
        ("%cometvid config base", ["base_url="]),
        ("%cometvid config model=", []),
        ("%cometvid login ", []),
        ("%cometvid recipe vid", ["video_1", "video_2"]),
        ("%cometvid forget oth", ["other"]),
        ("%cometvid watch 'vid", ["video_1", "video_2"]),
    ],
)
def test_a_line_completes_to_what_can_stand_there(text: str, wanted: list[str]) -> None:
    assert candidates(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("%cometvid create --model ", ["sora-2", "veo3"]),
        ("%cometvid create 'A comet' --model so", ["sora-2"]),
        ("%cometvid create --model sora-2 ", []),
        ("%cometvid create --size ", []),
        ("%cometvid watch --timeout ", []),
        ("%cometvid watch --wait ", IDS),
        ("%cometvid config model=", ["model=sora-2", "model=veo3"]),
        ("%cometvid config save=off model=v", ["model=veo3"]),
        ("%cometvid config mod", ["model="]),
    ],
)
def test_an_option_completes_to_what_was_used_before(text: str, wanted: list[str]) -> None:
    values = {"--model": ["sora-2", "veo3"]}
    found = complete(text, ids_of, lambda option: values.get(option, ()))
    assert found is not None
    assert found[1] == wanted


@pytest.mark.parametrize(
    ("piece", "wanted"),
    [("it", "it's"), ("-a", "-abc"), ("'-a", "-abc"), ("{", "{x}"), ("$", "$x")],
)
def test_an_odd_id_completes_to_a_word_that_the_line_reads_as_this_id(
    piece: str, wanted: str
) -> None:
    found = complete(f"%cometvid watch {piece}", lambda kind, beginning: ODD)
    assert found is not None
    [word] = found[1]
    assert parse(f"watch {word}")[1].ids == [wanted]


@given(ids)
def test_any_id_completes_from_any_beginning_to_itself(job_id: str) -> None:
    for end in range(len(job_id) + 1):
        piece = job_id[:end]
        found = complete(f"%cometvid status {piece}", lambda kind, beginning: [job_id])
        assert found is not None
        words = [word for word in found[1] if not word.startswith("--")]
        if piece not in ("-", "--"):  # what begins so is an option as long as nothing follows
            assert [parse(f"status {word}")[1].id for word in words] == [job_id]


@pytest.mark.parametrize("name", COMMANDS)
def test_whoever_takes_an_id_completes_it_and_nobody_else(name: str) -> None:
    asked: list[Ids] = []

    def note(kind: Ids, _: str) -> list[str]:
        asked.append(kind)
        return ["zebra"]

    found = complete(f"%cometvid {name} zeb", note)
    takes_ids = any(action.dest in ("id", "ids") for action in COMMANDS[name].parser()._actions)
    assert found == ("zeb", ["zebra"] if takes_ids else [])
    assert asked == ([COMMANDS[name].ids] if takes_ids else [])


@pytest.mark.parametrize("name", ["api_key", "is_simulated"])
def test_what_config_refuses_is_not_offered(name: str) -> None:
    assert candidates(f"%cometvid config {name[:4]}") == []


@pytest.mark.parametrize(
    "text",
    ["", "x = 1", "%cometvid", "%cometvidx ", "print('%cometvid ", "# %cometvid wa", "%time x"],
)
def test_other_lines_are_left_alone(text: str) -> None:
    assert complete(text, ids_of) is None


@given(st.one_of(st.text(), st.text().map(lambda rest: f"%cometvid {rest}")))
def test_any_text_completes_or_is_left_alone(text: str) -> None:
    found = complete(text, ids_of)
    if found is not None:
        piece, names = found
        assert text.endswith(piece)
        assert all(name.startswith(piece) for name in names)


@pytest.fixture
def completer() -> Iterator[IPCompleter]:
    shell = InteractiveShell()
    shell.Completer.use_jedi = False
    models = {"--model": ["sora-2", "veo3"]}
    values_of = lambda option: models.get(option, ())  # noqa: E731 - as short as its neighbour
    attach(shell, ids_of, values_of)
    yield shell.Completer
    atexit.unregister(shell.atexit_operations)  # else it would run at the end of all tests
    shell.atexit_operations()


@pytest.mark.parametrize(
    ("code", "at", "wanted"),
    [
        ("%cometvid wa", None, {"watch", "wait"}),
        ("x = %cometvid watch vid", None, {"video_1", "video_2"}),
        ("first = 1\nx = %cometvid watch vid", None, {"video_1", "video_2"}),
        ("%cometvid watch vid\nlast = 1", 19, {"video_1", "video_2"}),
        ("%cometvid config inter", None, {"interval_s="}),
        ("%cometvid config model=so", None, {"model=sora-2"}),
        ("%cometvid create --model so", None, {"sora-2"}),
    ],
)
def test_ipythons_own_completer_asks_for_the_line_of_the_cursor(
    completer: IPCompleter, code: str, at: int | None, wanted: set[str]
) -> None:
    until = code if at is None else code[:at]
    with provisionalcompleter():
        found = list(completer.completions(code, len(until)))
    # An old IPython cuts words at an equals sign, and offers what follows it.
    begin = max(until.rfind(sign) for sign in " \n") + 1
    assert {until[begin : one.start] + one.text for one in found} == wanted


@pytest.mark.skipif(
    not hasattr(completers, "context_matcher"), reason="an old IPython cannot be silenced"
)
@pytest.mark.parametrize("use_jedi", [False, True])
@pytest.mark.parametrize(
    "code",
    [
        "%cometvid status ",
        "%cometvid status x",
        "job = %cometvid save i",
        "%cometvid login ",
        "%cometvid frobnicate i",
        "%cometvid create --seed ",
        "%%cometvid create --model m\nA comet i",
    ],
)
def test_where_nothing_is_known_nothing_is_offered(
    completer: IPCompleter, code: str, *, use_jedi: bool
) -> None:
    """Not `%alias`, not `if`: IPython heeds `suppress` only of a matcher that offers something."""
    completer.custom_matchers[:] = [make_matcher(lambda kind, beginning: [])]
    completer.use_jedi = use_jedi
    with provisionalcompleter():
        assert list(completer.completions(code, len(code))) == []


def test_a_cell_of_python_below_a_line_magic_keeps_its_completions(completer: IPCompleter) -> None:
    code = "%cometvid jobs\nimpor"
    with provisionalcompleter():
        assert "import" in {one.text for one in completer.completions(code, len(code))}


def test_a_place_completes_to_files_and_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    for name in ("comet.png", "clips/a.mp4", ".hidden", "two words.png"):
        (tmp_path / name).touch()
    assert candidates("%cometvid create --image c") == ["clips/", "comet.png"]
    assert candidates("%cometvid create --image ") == ["clips/", "comet.png"]
    assert candidates("%cometvid watch video_1 --save clips/") == ["clips/a.mp4"]
    assert candidates("%cometvid save video_1 cl") == ["clips/"]
    assert candidates("%cometvid save vid") == ["video_1", "video_2"]
    assert candidates("%cometvid create --image ~nobody-of-that-name/x") == []


@pytest.mark.skipif(sys.platform != "win32", reason="a backslash parts folders on Windows only")
def test_a_place_completes_as_it_is_written_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips" / "new").mkdir(parents=True)
    assert candidates("%cometvid save video_1 clips\\n") == ["clips\\new\\"]
    assert candidates("%cometvid save video_1 clips/n") == ["clips/new/"]
