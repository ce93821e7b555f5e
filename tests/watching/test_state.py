"""Each event leads a watch to the right state, and over is over."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.clips.places import Saving
from cometvid_nb.errors import (
    ApiError,
    BadKey,
    CometVidError,
    ConnectionTrouble,
    GaveUp,
    JobFailed,
    JobNotFound,
    QuotaExceeded,
    RequestRejected,
    ServerTrouble,
    WatchStopped,
)
from cometvid_nb.job.job import Job
from cometvid_nb.watching.state import Ending, WatchState
from tests.strategies import payloads

NOW_S = 1_781_079_478.0


def begun() -> WatchState:
    return WatchState.begin("video_1", NOW_S, 600.0)


def job(**fields: Any) -> Job:
    return Job.parse({"id": "video_1", "status": "in_progress", **fields})


def not_found() -> JobNotFound:
    return JobNotFound("no such job", status_code=400, code="task_not_exist")


def test_a_new_watch_knows_nothing_and_is_not_over() -> None:
    state = begun()
    assert (state.job, state.ending, state.problem, state.checks_at_s) == (None, None, None, ())
    assert not state.is_over
    assert not state.is_settled


def test_a_completed_job_ends_the_watch_without_an_error() -> None:
    state = begun().answered(job(status="completed"), NOW_S + 9)
    assert (state.ending, state.ended_at_s, state.error) == (Ending.COMPLETED, NOW_S + 9, None)


def test_a_failed_job_ends_the_watch_with_the_apis_reason() -> None:
    failed = job(status="failed", error={"message": "blocked by moderation"})
    state = begun().answered(failed, NOW_S + 9)

    assert state.ending is Ending.FAILED
    assert isinstance(state.error, JobFailed)
    assert "blocked by moderation" in str(state.error)
    assert state.error.job == failed


def test_a_job_that_failed_without_a_reason_says_so() -> None:
    state = begun().answered(job(status="failed"), NOW_S)
    assert str(state.error) == "video_1 failed: the API gave no reason"


@pytest.mark.parametrize("word", ["queued", "in_progress", "paused_by_moderation", ""])
def test_any_other_word_goes_on(word: str) -> None:
    assert not begun().answered(job(status=word), NOW_S).is_over


@pytest.mark.parametrize("word", ["queued", "completed", "failed"])
def test_a_watch_keeps_what_it_has_read_and_not_the_answer(word: str) -> None:
    answer = job(status=word, prompt="A comet", notes="x" * 1_000_000)
    state = begun().answered(answer, NOW_S)
    assert state.job == answer
    assert len(pickle.dumps(state)) < 5_000, "it crosses the pipe of the worker"


def test_an_answer_that_only_says_pending_leaves_what_is_known() -> None:
    known = begun().answered(job(progress=30), NOW_S)
    state = known.troubled(ServerTrouble("502"), NOW_S + 4).answered(
        Job.pending("video_1"), NOW_S + 9, retry_after_s=5.0
    )
    assert (state.job, state.problem) == (known.job, None)
    assert (state.checks_at_s, state.poll.retry_after_s) == ((NOW_S + 9,), 5.0)
    first = begun().answered(Job.pending("video_1"), NOW_S)
    assert first.job is not None
    assert first.job.status_word == "pending"


def test_the_reason_of_a_failure_is_one_plain_line_of_bounded_length() -> None:
    failed = job(status="failed", error="\x1b]0;x\x07\x1b[2J no\n" + "x" * 10_000)
    told = str(begun().answered(failed, NOW_S).error)
    assert told.isprintable()
    assert len(told) < 600


def test_trouble_passes_and_an_answer_clears_it() -> None:
    state = begun().troubled(ServerTrouble("The API answered 502"), NOW_S)
    assert (state.problem, state.is_over) == ("The API answered 502", False)

    state = state.troubled(ConnectionTrouble("No answer"), NOW_S + 5)
    assert state.problem == "No answer (2 checks in a row)"

    state = state.answered(job(), NOW_S + 9)
    assert state.problem is None
    assert state.poll.failures_in_row == 0


def test_what_the_server_asked_for_reaches_the_schedule() -> None:
    state = begun().troubled(ServerTrouble("503", retry_after_s=40.0), NOW_S)
    assert state.poll.retry_after_s == 40.0
    state = state.answered(job(), NOW_S, retry_after_s=7.0)
    assert state.poll.retry_after_s == 7.0


@pytest.mark.parametrize(
    "error",
    [
        BadKey("401", status_code=401),
        QuotaExceeded("403", status_code=403),
        RequestRejected("422", status_code=422),
        CometVidError("anything else of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_ends_the_watch(error: CometVidError) -> None:
    state = begun().answered(job(), NOW_S).troubled(error, NOW_S + 5)
    assert (state.ending, state.error, state.ended_at_s) == (Ending.BROKEN, error, NOW_S + 5)
    assert state.job is not None, "what was seen before stays"


def test_a_page_in_the_place_of_a_refusal_passes_once_the_api_has_answered() -> None:
    page = RequestRejected("The API answered 403 with an HTML page", status_code=403)
    page.is_from_api = False
    assert begun().troubled(page, NOW_S).ending is Ending.BROKEN, "a wrong base URL, most likely"
    known = begun().answered(job(), NOW_S)
    assert known.troubled(page, NOW_S + 5).ending is None
    refused = RequestRejected("The API answered 403: no", status_code=403)
    assert known.troubled(refused, NOW_S + 5).ending is Ending.BROKEN


@pytest.mark.parametrize(
    ("ages_s", "is_over"),
    [
        ((0,), False),
        ((0, 4, 8), False),
        ((0, 4, 10), True),
        ((0, 30), False),
        ((0, 3, 6, 12), True),
    ],
)
def test_an_unknown_id_is_believed_after_three_times_over_ten_seconds(
    ages_s: tuple[float, ...], is_over: bool
) -> None:
    state = begun()
    for age_s in ages_s:
        state = state.troubled(not_found(), NOW_S + age_s)
    assert state.is_over is is_over
    assert isinstance(state.error, JobNotFound) is is_over
    assert (state.problem is None) is is_over


def test_a_404_right_after_the_creation_is_as_patient_as_the_code() -> None:
    page = RequestRejected("The API answered 404 with an HTML page", status_code=404)
    page.is_from_api = False
    state = begun().troubled(page, NOW_S).troubled(page, NOW_S + 4)
    assert (state.is_over, state.problem) == (False, str(page))
    assert state.troubled(page, NOW_S + 10).error is page
    known = begun().answered(job(), NOW_S).troubled(page, NOW_S + 20)
    assert not known.troubled(page, NOW_S + 99).is_over, "temporary, as the path is right"


def test_unknown_ids_are_counted_anew_once_the_api_has_described_the_job() -> None:
    state = begun().troubled(not_found(), NOW_S).troubled(not_found(), NOW_S + 8)
    state = state.answered(job(), NOW_S + 9).troubled(not_found(), NOW_S + 20)

    assert not state.is_over
    assert state.not_found_first_at_s == NOW_S + 20


def test_trouble_says_nothing_of_an_id_that_is_unknown() -> None:
    state = begun().troubled(not_found(), NOW_S).troubled(not_found(), NOW_S + 8)
    state = state.troubled(ServerTrouble("502"), NOW_S + 9)
    assert not state.is_over
    assert isinstance(state.troubled(not_found(), NOW_S + 20).error, JobNotFound)


def test_giving_up_names_the_deadline_the_last_word_and_how_to_go_on() -> None:
    paused = job(status="paused_by_moderation")
    state = begun().answered(paused, NOW_S).gave_up(NOW_S + 600)

    assert state.ending is Ending.GAVE_UP
    assert isinstance(state.error, GaveUp)
    assert state.error.job == paused
    for piece in ("video_1", "600 s", "paused_by_moderation"):
        assert piece in str(state.error)
    assert "Watch it again" in str(state.error.advice)


def test_giving_up_before_the_first_answer_has_no_last_word() -> None:
    assert "status" not in str(begun().gave_up(NOW_S).error)


def test_stopping_ends_an_active_watch_and_leaves_an_ended_one_as_it_ended() -> None:
    stopped = begun().answered(job(), NOW_S).stopped(NOW_S + 5)
    assert stopped.ending is Ending.STOPPED
    assert isinstance(stopped.error, WatchStopped)

    completed = begun().answered(job(status="completed"), NOW_S)
    saving = replace(completed, saving=Saving(10, 100))
    assert not saving.is_settled
    assert saving.stopped(NOW_S + 5) == completed
    assert stopped.stopped(NOW_S + 99) == stopped


def test_only_the_times_of_the_checks_make_no_visible_difference() -> None:
    first = begun().answered(job(progress=30), NOW_S)
    again = first.answered(job(progress=30), NOW_S + 10)
    moved = first.answered(job(progress=31), NOW_S + 10)

    assert again != first
    assert again.looks_like(first)
    assert not moved.looks_like(first)
    assert not first.troubled(ServerTrouble("502"), NOW_S).looks_like(first)
    assert not first.stopped(NOW_S).looks_like(first)


def test_the_same_job_in_other_raw_words_makes_no_visible_difference() -> None:
    first = begun().answered(job(), NOW_S)
    assert first.answered(job(request_id="r-2"), NOW_S + 10).looks_like(first)


events = st.one_of(
    st.builds(lambda payload: ("answered", Job.parse(payload, job_id="video_1")), payloads),
    st.sampled_from(
        [
            ("troubled", ServerTrouble("502", retry_after_s=1e12)),
            ("troubled", ConnectionTrouble("no answer")),
            ("troubled", not_found()),
            ("troubled", BadKey("401", status_code=401)),
            ("stopped", None),
            ("gave_up", None),
        ]
    ),
)


@given(st.lists(st.tuples(events, st.floats(0, 60)), max_size=8))
def test_over_always_has_a_moment_and_a_job_or_an_error(
    story: list[tuple[tuple[str, Any], float]],
) -> None:
    state, now_s = begun(), NOW_S
    for (name, value), pause_s in story:
        if state.is_over:
            break
        now_s += pause_s
        step = getattr(state, name)
        state = step(now_s) if value is None else step(value, now_s)

    assert state.is_over == (state.ended_at_s is not None)
    if state.is_over:
        is_good = state.ending is Ending.COMPLETED
        assert is_good == (state.error is None)
        assert not is_good or (state.job is not None and state.job.status == "completed")
    assert state.error is None or isinstance(
        state.error, GaveUp | WatchStopped | JobFailed | ApiError
    )
