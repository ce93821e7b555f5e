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
from cometvid_nb.simulator import BAD_GATEWAY_PAGE
from tests.strategies import json_values

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
