"""Of every answer to a request for a job it is known whether there is a job, none, or who knows."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.api.accepted import made_job
from cometvid_nb.api.answers import Answer
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import (
    ApiError,
    BadKey,
    CometVidError,
    JobNotFound,
    OutcomeUnknown,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    ServerTrouble,
    TransientError,
)
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from tests.strategies import payloads

BASE_URL = "https://api.example/v1"
NEW = NewJob.check("A comet", seconds=4, size="720x1280")
BUSY = {"message": "no channel", "type": "comet_api_error", "code": "busy"}


def made(status: int, body: object, location: str = "", new: NewJob = NEW) -> Job:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"{BASE_URL}/videos" + (f"/{new.remix_of}/remix" if new.remix_of else "")
    answer = Answer(status, httpx.Headers({"Retry-After": "7"}), raw, location)
    return made_job(answer, new, path, BASE_URL, 0.0)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"id": "video_1"}),
        (201, {"request_id": "video_1"}),
        (200, {"code": "success", "message": "", "data": "video_1"}),
        (
            200,
            {
                "code": 0,
                "message": "SUCCEED",
                "data": {"task_id": "video_1", "task_status": "submitted"},
            },
        ),
        (200, {"task_id": "video_1", "base_resp": {"status_code": 0, "status_msg": "success"}}),
        (200, {"status": "success", "data": {"id": "video_1"}}),
        (200, {"id": "video_1", "status": "queued", "error": {}}),
        (503, {"id": "video_1", "status": "queued"}),
        (429, {"data": {"task_id": "video_1", "status": "SUBMITTED"}}),
        (302, {"id": "video_1", "status": "queued"}),
    ],
    ids=str,
)
def test_an_answer_that_names_a_job_and_no_error_is_a_made_job(status: int, body: object) -> None:
    job = made(status, body)
    assert (job.id, job.status) == ("video_1", JobStatus.QUEUED)
    assert (job.prompt, job.duration_s, job.size) == ("A comet", 4.0, "720x1280")


def test_a_job_that_failed_at_once_is_a_made_job() -> None:
    body = {"id": "video_1", "status": "failed", "error": {"message": "blocked"}}
    assert made(200, body).error_message == "blocked"
    assert made(422, {**body, "model": "wan", "prompt": "A comet"}).id == "video_1"


@pytest.mark.parametrize("status", [201, 202, 204, 301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "/v1/videos/video_1",
        "https://api.example/v1/videos/video_1?x=1",
        "videos/video_1",
        "/v1/videos/video_1/content",
        "/v1/video/generations/video%5F1",
    ],
)
def test_the_job_may_stand_in_the_location(status: int, location: str) -> None:
    assert made(status, b"", location).id == "video_1"


@pytest.mark.parametrize("status", [302, 303, 307])
@pytest.mark.parametrize(
    "location",
    [
        "urn:video:1",
        "mailto:x@y",
        "http:videos/1",
        "https://xn--a/",
        "/login",
        "",
        "http://[bad",
        "https://elsewhere.example/v1/videos/video_1",
        "/v1/videos/..%2F..",
    ],
)
def test_a_redirect_that_names_no_job_is_an_unknown_outcome(status: int, location: str) -> None:
    with pytest.raises(OutcomeUnknown, match=str(status)) as caught:
        made(status, b"gone there", location)
    assert location in caught.value.answer
    assert "gone there" in caught.value.answer


def test_an_error_beside_the_location_of_a_job_proves_nothing() -> None:
    with pytest.raises(OutcomeUnknown, match="no channel"):
        made(503, {"error": BUSY}, "/v1/videos/video_1")


@pytest.mark.parametrize(
    ("status", "location"),
    [
        (303, "/v1/videos/"),
        (302, "/v1/videos"),
        (307, "?id=video_1"),
        (301, "/v1/videos/?id=video_1"),
        (302, "#video_1"),
        (302, "/v1/videos/#video_1"),
    ],
)
def test_a_redirect_to_the_list_of_jobs_may_follow_a_made_one(status: int, location: str) -> None:
    with pytest.raises(OutcomeUnknown, match="a redirect that names no job"):
        made(status, b"", location)


@pytest.mark.parametrize("location", ["https://www.api.example/v1/videos", "/v1/videos/"])
def test_an_api_that_has_moved_made_nothing(location: str) -> None:
    with pytest.raises(RequestRejected, match="a redirect to") as caught:
        made(308, b"", location)
    assert "base_url" in str(caught.value.advice)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"error": {"message": "Oh.", "code": "x"}}, RequestRejected, "Oh."),
        ({"error": "bad size"}, RequestRejected, "bad size"),
        ({"code": 1303, "message": "rate limit reached"}, RateLimited, "rate limit reached"),
        (
            {"code": "insufficient_user_quota", "message": "none left", "data": None},
            QuotaExceeded,
            "none left",
        ),
        ({"success": False, "message": "bad size"}, RequestRejected, "bad size"),
        ({"status": "failed", "message": "bad size"}, RequestRejected, "bad size"),
        (
            {
                "task_id": "",
                "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"},
            },
            QuotaExceeded,
            "insufficient balance",
        ),
        ({"status": "", "error": {"message": "Incorrect API key provided"}}, BadKey, "API key"),
        ({"code": 401, "message": "who are you"}, BadKey, "who are you"),
        ({"code": 403, "message": "用户额度不足"}, QuotaExceeded, "用户额度不足"),
        ({"code": 429, "message": "later"}, RateLimited, "later"),
        (
            {"status": "error", "message": "bad size", "request_id": "r"},
            RequestRejected,
            "bad size",
        ),
        ({"error": {"message": "bad size"}, "request_id": "r"}, RequestRejected, "bad size"),
        (
            {"detail": [{"loc": ["body", "size"], "msg": "wrong"}]},
            RequestRejected,
            "body.size: wrong",
        ),
        pytest.param(
            {"error": {"message": "a\n\x1b[31mb" + "c" * 9999}},
            RequestRejected,
            "a bc",
            id="escapes",
        ),
    ],
    ids=str,
)
def test_an_error_under_a_success_is_a_refusal_in_the_words_of_the_api(
    body: object, kind: type[CometVidError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        made(200, body)
    assert type(caught.value) is kind
    assert not getattr(caught.value, "is_unaccepted", False), "not to be sent again"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, {"id": "video_1", "error": {"message": "but no"}}, "but no"),
        (200, {"id": "video_1", "status": "error", "message": "but no"}, "but no"),
        (200, {"code": 500, "message": "system busy"}, "system busy"),
        (200, {"status": "queued"}, "names no id"),
        (200, {"message": "Your video is on its way"}, "names no id"),
        (200, {"id": "../../etc/passwd"}, "names no usable id"),
        (200, {"success": False, "message": "upstream request timeout"}, "upstream request"),
        (200, [1, 2], "names no id"),
        (200, b"<html>", "names no id"),
        (500, {"error": BUSY}, "500: no channel"),
        (503, {"error": BUSY, "task_id": "video_1"}, "503: no channel"),
        (503, {"error": {**BUSY, "task_id": "video_1"}}, "503: no channel"),
        (429, {"code": "busy", "message": "no channel", "data": "video_1"}, "429: no channel"),
        (503, {"message": "Service Unavailable"}, "503: Service Unavailable"),
        (503, {"error": {**BUSY, "code": "upstream_timeout"}}, "503: no channel"),
        (429, {"error": {**BUSY, "message": "no channel: video_68ab runs"}}, "429: no channel"),
        (429, {"error": BUSY, "status": "queued"}, "429: no channel"),
        (503, {"error": BUSY, "a": {"b": {"c": {"d": {"taskId": 7}}}}}, "503: no channel"),
        (503, b'{"error": {"message": "no channel"}, "id": "video_1", "id": null}', "503: no"),
        (503, {}, "503"),
        (429, b"", "429"),
        (429, b"<html>slow down", "429 with an HTML page"),
    ],
    ids=str,
)
def test_in_doubt_the_outcome_is_unknown_and_the_answer_is_kept(
    status: int, body: object, words: str
) -> None:
    with pytest.raises(OutcomeUnknown, match=words) as caught:
        made(status, body)
    raw = body.decode() if isinstance(body, bytes) else json.dumps(body)
    assert caught.value.answer == f"HTTP {status} {raw}".strip()


def test_what_is_kept_of_an_answer_is_bounded_plain_text() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        made(200, b"\x1b[2Jno\r\n id \xff" + b"x" * 1_000_000)
    assert caught.value.answer.startswith("HTTP 200 no id \ufffdxxx")
    assert caught.value.answer.isprintable()
    assert len(caught.value.answer) == 2000


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {"error": BUSY}, RateLimited),
        (429, {"code": "busy", "message": "no channel", "data": None}, RateLimited),
        (503, {"error": BUSY}, ServerTrouble),
        (503, {"error": BUSY, "request_id": "2026112807", "id": None}, ServerTrouble),
        (429, {"error": {**BUSY, "type": "video_model_busy", "task_id": ""}}, RateLimited),
    ],
)
def test_only_the_apis_own_error_proves_that_nothing_was_made(
    status: int, body: object, kind: type[TransientError]
) -> None:
    with pytest.raises(kind, match="no channel") as caught:
        made(status, body)
    assert caught.value.is_unaccepted
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            400,
            {"id": "req_1", "status": "error", "message": "bad prompt"},
            RequestRejected,
            "bad prompt",
        ),
        (400, {"detail": "prompt is required"}, RequestRejected, "prompt is required"),
        (401, {"error": "Unauthorized"}, BadKey, "Unauthorized"),
        (404, {"detail": "Not Found"}, RequestRejected, "404: Not Found"),
        (400, b"bad size", RequestRejected, "400: bad size"),
    ],
)
def test_a_refusal_is_a_refusal(
    status: int, body: object, kind: type[ApiError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        made(status, body)


@pytest.mark.parametrize(
    "body", [{"detail": "Not Found"}, {"code": "", "message": "task_not_exist"}]
)
def test_a_remix_of_a_job_there_is_not_says_so(body: object) -> None:
    with pytest.raises(JobNotFound, match="no job video_0"):
        made(404, body, new=NewJob.check("At night", remix_of="video_0"))


@pytest.mark.parametrize(
    ("status", "body", "location"),
    [
        (200, {"id": "video_0", "status": "queued"}, ""),
        (303, b"", "/v1/videos/video_0"),
        (303, b"", "/v1/videos/video_0/remix"),
    ],
)
def test_the_job_to_be_remixed_is_never_taken_for_the_remix(
    status: int, body: object, location: str
) -> None:
    with pytest.raises(OutcomeUnknown, match="names no"):
        made(status, body, location, new=NewJob.check("At night", remix_of="video_0"))


def test_a_remix_whose_path_has_moved_by_a_slash_is_not_made() -> None:
    with pytest.raises(RequestRejected, match="a redirect to"):
        made(308, b"", "/v1/videos/video_0/remix/", NewJob.check("At night", remix_of="video_0"))


@given(
    st.integers(200, 599),
    st.one_of(payloads.map(json.dumps), st.text()),
    st.one_of(st.text(max_size=30), st.sampled_from(["/v1/videos/video_1", "http://[", "urn:x"])),
)
def test_whatever_comes_there_is_a_job_or_one_of_our_errors(
    status: int, body: str, location: str
) -> None:
    outcome: Any = None
    try:
        outcome = made(status, body.encode("utf-8", "replace"), location)
    except (ApiError, TransientError, OutcomeUnknown) as error:
        outcome = error
    if isinstance(outcome, Job):
        assert outcome.id
    else:
        assert str(outcome).isprintable()
        assert getattr(outcome, "answer", "").isprintable()
        assert not getattr(outcome, "is_unaccepted", False) or status in (429, 503)
