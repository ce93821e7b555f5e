"""Every HTTP answer has its meaning: a job, or one of our errors in the API's own words."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.api.answers import Answer, polled_job, refusal
from cometvid_nb.errors import (
    ApiError,
    BadKey,
    CometVidError,
    JobNotFound,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    ServerTrouble,
    TransientError,
)
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.simulator import BAD_GATEWAY_PAGE
from tests.strategies import json_values, payloads

NOW_S = 1_781_079_478.0
BASE_URL = "https://api.example/v1"


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> Answer:
    if isinstance(body, bytes):
        raw = body
    else:
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, httpx.Headers(headers or {}), raw)


def poll(status: int, body: object, headers: dict[str, str] | None = None) -> Job:
    return polled_job(answer(status, body, headers), "video_1", BASE_URL, NOW_S)


def nested(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "comet_api_error", "param": "", "code": code}}


ERRORS: list[tuple[int, object, type[CometVidError], str]] = [
    (400, nested("task_not_exist", "task_not_exist"), JobNotFound, "no job video_1"),
    (400, {"code": "task_not_exist", "message": "?"}, JobNotFound, "no job video_1"),
    (404, nested("?", "task_not_exist"), JobNotFound, "no job video_1"),
    (400, nested("size is wrong", "invalid_request"), RequestRejected, "400: size is wrong"),
    (401, nested("Invalid API key.", "invalid_api_key"), BadKey, "401: Invalid API key."),
    (401, {"code": "x", "message": "bad token"}, BadKey, "401: bad token"),
    (403, nested("user quota is not enough", "q"), QuotaExceeded, "user quota is not enough"),
    (404, nested("Invalid URL", "not_found"), RequestRejected, "404: Invalid URL"),
    (404, "<!doctype html><title>404</title>", RequestRejected, "404 with an HTML page"),
    (302, "", RequestRejected, "302"),
    (422, {"error": "no such model"}, RequestRejected, "422: no such model"),
    (422, {"detail": "too long"}, RequestRejected, "422: too long"),
    (
        422,
        {"detail": [{"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}]},
        RequestRejected,
        "422: body.prompt: Field required",
    ),
    (400, {"msg": "too long"}, RequestRejected, "400: too long"),
    (400, {"title": "Bad size", "type": "about:blank"}, RequestRejected, "400: Bad size"),
    (400, {"errors": [{"message": "one"}, {"message": "two"}]}, RequestRejected, "400: one; two"),
    (400, {"statusCode": 400, "error": "Bad Request", "message": ["a b"]}, RequestRejected, "a b"),
    (400, "the prompt is too long", RequestRejected, "400: the prompt is too long"),
    (400, '"the prompt is too long"', RequestRejected, "400: the prompt is too long"),
    (401, {"error": "Unauthorized"}, BadKey, "401: Unauthorized"),
    (401, "Unauthorized", BadKey, "401: Unauthorized"),
    (401, {"status": "error", "message": "invalid api key"}, BadKey, "401: invalid api key"),
    (402, {"detail": "no credits"}, QuotaExceeded, "402: no credits"),
    (400, {"code": "", "message": "task_not_exist"}, JobNotFound, "no job video_1"),
    (400, {"code": 400, "message": "task_not_exist"}, JobNotFound, "no job video_1"),
    (
        400,
        {"message": "task_not_exist: video_1"},
        JobNotFound,
        "The API knows no job video_1 under this key.",
    ),
    (500, nested('litellm.APIError: {"code":"task_not_exist"}', "500"), JobNotFound, "no job"),
    (
        400,
        nested(
            'litellm.BadRequestError: OpenAIException - {"error":{"message":"bad size"}}', "400"
        ),
        RequestRejected,
        "400: bad size",
    ),
    (
        400,
        {"code": "fail_to_fetch_task", "message": json.dumps(nested("bad size", "c"))},
        RequestRejected,
        "400: bad size",
    ),
    (408, "", ServerTrouble, "408"),
    (425, "", ServerTrouble, "425"),
    (429, nested("slow down", "rate_limit"), RateLimited, "429: slow down"),
    (429, "", RateLimited, "429"),
    (500, nested("oops", "server_error"), ServerTrouble, "500: oops"),
    (500, nested("bad size", "invalid_request"), RequestRejected, "500: bad size"),
    (502, BAD_GATEWAY_PAGE, ServerTrouble, "502 with an HTML page"),
    (503, nested("no channel", "busy"), ServerTrouble, "503: no channel"),
    (504, "", ServerTrouble, "504"),
    (524, "\n <html>a timeout occurred</html>", ServerTrouble, "524 with an HTML page"),
    (500, "null", ServerTrouble, "500"),
    (400, "[]", RequestRejected, "400"),
]


@pytest.mark.parametrize(("status", "body", "kind", "words"), ERRORS)
def test_a_refusal_is_the_error_it_stands_for(
    status: int, body: object, kind: type[CometVidError], words: str
) -> None:
    error = refusal(answer(status, body), "video_1", NOW_S)
    assert type(error) is kind
    assert words in str(error)
    if isinstance(error, ApiError):
        assert error.status_code == status


@pytest.mark.parametrize(
    "body", [{"detail": "Not Found"}, {"detail": "Video not found"}, nested("nothing here", "x")]
)
def test_a_404_of_the_api_may_mean_the_id_or_the_path(body: object) -> None:
    with pytest.raises(JobNotFound, match=r"no job video_1 under this key \(404") as caught:
        poll(404, body)
    for piece in ("typo", "/v1"):
        assert piece in str(caught.value.advice)


@pytest.mark.parametrize("body", [nested("Invalid URL (GET /videos/x)", "not_found"), "<p>", ""])
def test_a_404_of_a_wrong_path_is_about_the_path(body: object) -> None:
    with pytest.raises(RequestRejected) as caught:
        poll(404, body)
    assert "base_url" in str(caught.value.advice)


# A poll.

WHOLE = {"id": "video_1", "object": "video", "model": "wan", "prompt": "A comet"}
FAILED = {**WHOLE, "status": "failed", "error": {"code": 500, "message": "out of memory"}}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 503])
@pytest.mark.parametrize(
    "body",
    [
        FAILED,
        {**FAILED, "id": "by_another_name"},
        {"id": "video_1", "status": "failed", "error": "out of memory"},
        {
            "code": "success",
            "data": {"task_id": "video_1", "status": "FAILURE", "fail_reason": "out of memory"},
        },
    ],
    ids=["whole", "another id", "short", "wrapped"],
)
def test_a_finished_job_is_a_job_whatever_the_status(status: int, body: dict[str, Any]) -> None:
    job = poll(status, body)
    assert (job.status, job.error_message) == (JobStatus.FAILED, "out of memory")
    done = poll(status, {**WHOLE, "status": "completed", "video_url": "/x.mp4"})
    assert (done.status, done.video_url) == (JobStatus.COMPLETED, "https://api.example/x.mp4")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"status": "error", "message": "invalid api key"}),
        (401, {"status": "failed", "message": "invalid api key"}),
        (401, {"id": "req_1", "status": "failed", "message": "invalid api key"}),
        (401, {"code": "success", "status": "failed", "message": "invalid api key"}),
        (422, {"id": "req_1", "object": "error", "status": "error", "message": "bad"}),
        (400, {"status": 400, "error": "Bad Request", "path": "/v1/videos/video_1"}),
        (422, {"status": "failed", "model": "wan", "prompt": "A comet", "message": "bad"}),
        (500, {**WHOLE, "status": "queued"}),
        (500, {**WHOLE, "status": "paused"}),
        (500, WHOLE),
    ],
)
def test_an_error_is_no_failed_job_though_it_says_so(status: int, body: object) -> None:
    with pytest.raises(CometVidError, match=str(status)):
        poll(status, body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"code": 1303, "message": "try later"}, "try later"),
        ({"code": "insufficient_user_quota", "message": "no quota", "data": None}, "no quota"),
        ({"success": False, "message": "no"}, "no"),
        ({"task_id": "", "base_resp": {"status_code": 1008, "status_msg": "no money"}}, "no money"),
        ({"status": "", "error": {"message": "upstream"}}, "upstream"),
        ({"status": "error", "message": "upstream"}, "upstream"),
        ({"status": 404, "message": "upstream"}, "upstream"),
        ({"detail": "upstream"}, "upstream"),
        ({"message": "Forbidden"}, "Forbidden"),
        ({"id": "video_1", "error": {"message": "upstream"}}, "upstream"),
    ],
    ids=str,
)
def test_an_error_under_a_success_is_shown_in_its_own_words(
    body: dict[str, Any], words: str
) -> None:
    with pytest.raises(ServerTrouble, match=f"The API answered: {words}"):
        poll(200, body)


def test_some_errors_under_a_success_have_a_meaning_of_their_own() -> None:
    with pytest.raises(JobNotFound):
        poll(200, {"code": 400, "message": "task_not_exist"})
    with pytest.raises(RateLimited, match="too many requests"):
        poll(200, {"code": 1302, "message": "too many requests"})


@pytest.mark.parametrize(
    "body",
    [
        {"id": "video_1", "status": "error", "message": "blocked"},
        {"object": "video", "status": "error", "message": "blocked"},
        {"status": "failed", "message": "blocked"},
        {
            "code": 0,
            "message": "SUCCEED",
            "data": {"task_id": "video_1", "task_status": "failed", "task_status_msg": "blocked"},
        },
    ],
)
def test_a_job_that_failed_is_no_error_of_the_request(body: dict[str, Any]) -> None:
    job = poll(200, body)
    assert (job.status, job.error_message) == (JobStatus.FAILED, "blocked")


@pytest.mark.parametrize("status", [202, 204])
@pytest.mark.parametrize("body", ["", "processing", '"processing"', "{}", {"id": "video_1"}])
def test_an_answer_that_says_no_more_than_not_yet_is_pending(status: int, body: object) -> None:
    assert poll(status, body) == Job.pending("video_1")


def test_an_accepted_answer_that_says_more_is_read() -> None:
    assert poll(202, {"id": "video_1", "status": "running", "progress": 3}).progress_percent == 3
    with pytest.raises(ServerTrouble, match="an HTML page"):
        poll(202, BAD_GATEWAY_PAGE)


@given(st.integers(200, 599), st.one_of(payloads.map(json.dumps), st.text()))
def test_any_answer_to_a_poll_is_a_job_or_one_of_our_errors(status: int, body: str) -> None:
    said, job = "", None
    try:
        job = poll(status, body)
    except (ApiError, TransientError) as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 700
    assert said or (job is not None and (job.is_final or 200 <= status < 300))


def test_a_wrong_path_points_to_the_base_url() -> None:
    assert "base_url" in str(refusal(answer(404, "<html>"), "video_1", NOW_S).advice)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_pause_a_busy_server_asks_for_is_kept(status: int) -> None:
    error = refusal(answer(status, "", {"Retry-After": "17"}), "video_1", NOW_S)
    assert isinstance(error, TransientError)
    assert error.retry_after_s == 17


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"openai-poll-after-ms": "2500"}, 2.5),
        ({"Retry-After": "1", "openai-poll-after-ms": "2500"}, 2.5),
        ({"Retry-After": "soon", "openai-poll-after-ms": "-1"}, 0.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0.0),
    ],
)
def test_hints_are_read_from_either_header(headers: dict[str, str], seconds: float | None) -> None:
    assert answer(200, {}, headers).retry_after_s(NOW_S) == seconds


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BAD_GATEWAY_PAGE, "an HTML page"),
        ("", "no JSON"),
        ('{"id": "video_1", "sta', "no JSON"),
        ("[" * 100_000, "no JSON"),
        (b"\xff\xfe\xfd", "no JSON"),
        ("[]", "describes no job"),
        ("null", "describes no job"),
        ('"queued"', "describes no job"),
        (nested("upstream is down", "busy"), "upstream is down"),
        ({"error": "upstream is down"}, "upstream is down"),
        ({"code": "busy", "message": "upstream is down"}, "upstream is down"),
        ({"code": "busy", "message": "upstream is down", "data": None}, "upstream is down"),
        ({"error": {}}, "an error"),
    ],
)
def test_a_success_over_something_else_is_trouble_that_may_pass(body: object, words: str) -> None:
    with pytest.raises(ServerTrouble, match=words):
        poll(200, body)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "video_1", "status": "failed", "error": {"message": "blocked"}},
        {"id": "video_1", "state": "running", "error": ""},
        {"code": "success", "message": "", "data": {"task_id": "video_1", "status": "FAILURE"}},
        {"id": "video_1"},
        {},
    ],
)
def test_what_may_describe_a_job_is_taken_for_one(body: dict[str, Any]) -> None:
    assert poll(200, body).raw == body


def test_the_apis_words_come_on_one_printable_line_of_bounded_length() -> None:
    message = "first\r\n\tsecond \x1b[31m \ud800 \u202e " + "x" * 100_000
    told = str(refusal(answer(400, nested(message, "c")), "video_1", NOW_S))

    assert told.isprintable()
    assert "first second" in told
    assert len(told) < 600
    assert told.encode()


@given(st.integers(300, 599), st.one_of(json_values.map(json.dumps), st.text()), st.booleans())
def test_any_refusal_is_one_of_our_errors(status: int, body: str, is_flat: bool) -> None:
    wrapped = body if is_flat else f'{{"error": {body}, "code": {body}}}'
    error = refusal(answer(status, wrapped), "video_1", NOW_S)
    assert isinstance(error, ApiError | TransientError)
    assert str(error).isprintable()
    assert len(str(error)) < 600
