"""Errors: one tree, each with something to do, and each survives the way home from a worker."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
from collections.abc import Iterator

import pytest

import cometvid_nb
from cometvid_nb import errors
from cometvid_nb.errors import (
    ApiError,
    BadKey,
    CometVidError,
    GaveUp,
    JobFailed,
    JobNotFound,
    MissingKey,
    RequestRejected,
    ServerTrouble,
    SettingsError,
    TransientError,
    WatchEnded,
    retold,
)
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus


def family(kind: type[CometVidError] = CometVidError) -> Iterator[type[CometVidError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


def test_no_message_holds_what_a_terminal_obeys() -> None:
    said = "no\x1b]0;owned\x07\x1b[31m way\nhere"
    for error in (
        CometVidError(said, advice=said),
        RequestRejected(said, status_code=400),
        ServerTrouble(said),
        JobFailed(said, job=None),
    ):
        assert str(error) == "no ]0;owned  way\nhere"
        assert "\x1b" not in "".join(traceback.format_exception(error))
        assert str(retold(error, "\x9b2Jagain")) == " 2Jagain"


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"^    [│ ├└─]*([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE)
    real = [kind.__name__ for kind in family() if kind.__module__ == errors.__name__]
    assert drawn == real


@pytest.mark.parametrize(
    "error",
    [
        CometVidError("it broke", advice="Mend it."),
        SettingsError("no such setting"),
        MissingKey(),
        ApiError("no", status_code=422, code="odd"),
        BadKey("401", status_code=401),
        JobNotFound("no job", status_code=400, code="task_not_exist", advice="Look again."),
        ServerTrouble("502", retry_after_s=3.0),
        WatchEnded("over", job=None),
        GaveUp("late", job=Job("video_1"), advice="Watch it again."),
        JobFailed("blocked", job=Job.parse({"id": "video_1", "status": "failed"})),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize(
    "sent", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy], ids=["pickle", "copy"]
)
def test_an_error_comes_home_whole(error: CometVidError, sent: type) -> None:
    back = sent(error)
    assert type(back) is type(error)
    assert (str(back), back.args, vars(back)) == (str(error), error.args, vars(error))
    assert back.advice == error.advice


def test_what_one_can_do_about_it_stands_with_the_error() -> None:
    assert "login" in str(MissingKey().advice)
    assert "login" in str(BadKey("401", status_code=401).advice)
    assert ApiError("422", status_code=422).advice is None
    assert CometVidError("x", advice="y").advice == "y"


def test_one_except_catches_all_and_each_group_its_own() -> None:
    assert issubclass(JobFailed, WatchEnded)
    assert issubclass(MissingKey, SettingsError)
    assert issubclass(ServerTrouble, TransientError)
    assert not issubclass(TransientError, ApiError)
    assert JobFailed("x", job=Job("v", JobStatus.FAILED)).job is not None


@pytest.mark.parametrize("error", [MissingKey(), BadKey("No.", status_code=401)])
def test_a_traceback_shows_the_advice(error: CometVidError) -> None:
    assert error.advice is not None
    assert error.advice in "".join(traceback.format_exception(error))
    again = pickle.loads(pickle.dumps(error))
    assert "".join(traceback.format_exception(again)).count(error.advice) == 1


def test_an_error_in_other_words_stays_of_its_kind_and_leaves_the_first_alone() -> None:
    error = BadKey("No.", status_code=401)
    told = retold(error, "No, said the API.")
    assert (type(told), str(told), told.status_code) == (BadKey, "No, said the API.", 401)
    assert (str(error), told.advice) == ("No.", error.advice)


def test_an_option_there_is_not_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(TypeError, match=r"watch\(\) takes no timeout: did you mean timeout_s\?"):
        cometvid_nb.watch("video_1", timeout=3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="it takes prompt, model"):
        cometvid_nb.create("A comet", colour="red")  # type: ignore[call-overload]
