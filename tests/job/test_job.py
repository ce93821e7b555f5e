"""Job reads every dialect of the endpoint, and nothing that a server may send can break it."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import example, given

from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.job.values import LONGEST_TEXT
from cometvid_nb.simulator.dialects import DIALECTS, FAILING_DIALECTS
from tests.strategies import json_values, payloads, texts

URL = "https://clips.example/a.mp4?expires=1&signature=f00d"

STATUS_WORDS = {
    JobStatus.COMPLETED: "completed success succeeded succeed done",
    JobStatus.FAILED: "failed failure error cancelled canceled expired rejected",
    JobStatus.QUEUED: "queued pending submitted not_start in_queue",
    JobStatus.IN_PROGRESS: "in_progress processing running generating",
}
"""FACTS §1, word for word."""
KNOWN_WORDS = {word: status for status, words in STATUS_WORDS.items() for word in words.split()}


def documented_job(**changes: Any) -> dict[str, Any]:
    return {
        "id": "video_1",
        "object": "video",
        "model": "sora-2",
        "status": "in_progress",
        "progress": 30,
        "created_at": 1781079478,
        "completed_at": None,
        "expires_at": None,
        "seconds": "4",
        "size": "1280x720",
        "prompt": "A comet",
        "remixed_from_video_id": None,
        "error": None,
        "video_url": None,
    } | changes


def test_the_documented_job_is_read_whole() -> None:
    job = Job.parse(
        documented_job(
            status="completed",
            progress=100,
            completed_at=1781079548,
            expires_at=1781083148,
            remixed_from_video_id="video_0",
            video_url=URL,
        )
    )

    assert job == Job(
        id="video_1",
        status=JobStatus.COMPLETED,
        status_word="completed",
        model="sora-2",
        prompt="A comet",
        progress_percent=100.0,
        duration_s=4.0,
        width=1280,
        height=720,
        created_at_s=1781079478.0,
        completed_at_s=1781079548.0,
        expires_at_s=1781083148.0,
        video_url=URL,
        remixed_from="video_0",
    )
    assert job.is_final
    assert job.size == "1280x720"


def test_the_published_example_which_lacks_size_and_seconds_is_read() -> None:
    text = (
        '{"id": "<video_id>", "model": "sora-2", "object": "video", "status": "in_progress", '
        '"progress": 30, "created_at": 1781079478}'
    )
    job = Job.parse(json.loads(text))

    assert (job.id, job.status, job.progress_percent) == ("<video_id>", "in_progress", 30.0)
    assert (job.size, job.duration_s, job.video_url) == (None, None, None)
    assert job.aspect_ratio == pytest.approx(16 / 9)


@pytest.mark.parametrize(("word", "status"), KNOWN_WORDS.items())
def test_a_status_word_is_known_in_any_letter_case(word: str, status: JobStatus) -> None:
    spellings = (word, word.upper(), word.title(), f" {word}\n", word.replace("_", " "))
    assert {Job.parse({"status": spelling}).status for spelling in spellings} == {status}


@given(texts)
@example("completed_soon")
@example("not completed")
@example("")
def test_a_word_nobody_knows_never_ends_a_job(word: str) -> None:
    job = Job.parse(documented_job(status=word, completed_at=1781079548, video_url=URL))
    if job.is_final:
        assert "_".join(word.lower().replace("-", " ").split()) in {
            *KNOWN_WORDS,
            "complete",
            "finished",
            "fail",
        }


def test_an_unknown_word_is_kept_verbatim() -> None:
    job = Job.parse(documented_job(status="Paused_By_Moderation"))
    assert (job.status, job.status_word) == (JobStatus.UNKNOWN, "Paused_By_Moderation")


@pytest.mark.parametrize("status", [None, 1, True, [], {}, ["completed"]])
def test_a_status_that_is_no_text_is_unknown(status: object) -> None:
    assert Job.parse(documented_job(status=status)).status is JobStatus.UNKNOWN


def test_only_the_status_decides_not_completed_at() -> None:
    job = Job.parse(documented_job(completed_at=1781079548))
    assert not job.is_final


@pytest.mark.parametrize(
    ("progress", "percent"),
    [
        (30, 30.0),
        ("30", 30.0),
        ("30%", 30.0),
        (" 30 % ", 30.0),
        (30.0, 30.0),
        (0, 0.0),
        (250, 100.0),
        (-3, 0.0),
        ("", None),
        (None, None),
        (True, None),
        ("soon", None),
        ([30], None),
        (math.nan, None),
        ("inf", None),
        (10**400, None),
    ],
)
def test_progress_is_read_in_every_form(progress: object, percent: float | None) -> None:
    assert Job.parse(documented_job(progress=progress)).progress_percent == percent


@pytest.mark.parametrize(
    "place",
    [
        {"video_url": URL},
        {"url": URL},
        {"metadata": {"url": URL}},
        {"output": [URL, "https://elsewhere.example/b.mp4"]},
        {"content": {"video_url": URL}},
        {"video_url": "", "url": URL},
        {"video_url": None, "metadata": {"url": URL}},
    ],
    ids=lambda place: "+".join(place),
)
def test_the_link_is_found_wherever_it_is_put(place: dict[str, object]) -> None:
    body = {"id": "video_1", "status": "completed", **place}
    assert Job.parse(body).video_url == URL


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html;base64,AAAA",
        "data:image/png;base64,AAAA",
        "data:video/mp4,AAAA",
        "data:video/mp4;base64,",
        'data:video/mp4;base64,AAAA"><script>',
        "data:video/mp4;base64,\u0410",
        "//clips.example/a.mp4",
        "clips/a.mp4",
        "https://",
        "https:///a.mp4",
        "http://[bad",
        "http://host:99999999/a.mp4",
        "http://host:0/a.mp4",
        "http://a\u2100b/",
        "https://clips.example/a b.mp4",
        "https://clips.example/\x1b[31m",
        "https://clips.example/\u202e4pm.exe",
        "https://clips.example/" + "a" * LONGEST_TEXT,
        42,
        {"text": "https://clips.example/a.mp4"},
    ],
)
def test_what_no_browser_should_follow_is_no_link(url: object) -> None:
    assert Job.parse(documented_job(status="completed", video_url=url)).video_url is None


def test_the_legacy_wrapper_puts_the_link_into_fail_reason() -> None:
    inner = {"task_id": "video_1", "status": "SUCCESS", "fail_reason": URL, "progress": "100%"}
    job = Job.parse({"code": "success", "message": "", "data": inner})

    assert (job.id, job.status, job.progress_percent) == ("video_1", "completed", 100.0)
    assert (job.video_url, job.error_message) == (URL, None)


def test_the_legacy_wrapper_of_a_failure_gives_its_reason() -> None:
    inner = {"task_id": "video_1", "status": "FAILURE", "fail_reason": "moderation"}
    job = Job.parse({"code": "success", "data": inner})
    assert (job.status, job.error_message, job.video_url) == ("failed", "moderation", None)


def test_the_providers_own_answer_inside_the_wrapper_fills_gaps_only() -> None:
    provider = {"id": "cgt-2026", "status": "running", "model": "seedance", "url": URL}
    inner = {"task_id": "video_1", "status": "SUCCESS", "model": "", "data": provider}
    job = Job.parse({"code": "success", "data": inner})

    assert job.id == "video_1", "the provider's id means nothing to our endpoint"
    assert (job.status, job.model, job.video_url) == ("completed", "seedance", URL)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_of_the_simulator_means_the_same_job(dialect: str) -> None:
    is_failing = dialect in FAILING_DIALECTS
    plain = documented_job(
        status="failed" if is_failing else "completed",
        progress=100,
        video_url=None if is_failing else URL,
        error={"code": "blocked", "message": "not allowed"} if is_failing else None,
    )
    job = Job.parse(DIALECTS[dialect](plain), base_url=URL[: URL.index("/a.mp4")] + "/v1")
    is_inside = dialect.startswith("data_url")

    assert job.id == "video_1"
    assert job.status is (JobStatus.FAILED if is_failing else JobStatus.COMPLETED)
    if is_inside:
        assert (job.video_url or "").startswith("data:video/mp4;base64,")
    else:
        assert job.video_url == (None if is_failing else URL)
    assert job.error_message == ("not allowed" if is_failing else None)


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        ({"message": "blocked", "code": "moderation"}, "blocked", "moderation"),
        ({"message": "blocked", "type": "comet_api_error"}, "blocked", "comet_api_error"),
        ({"message": "blocked", "code": 7}, "blocked", "7"),
        ("blocked", "blocked", None),
        ({}, None, None),
        (None, None, None),
        ([1], None, None),
    ],
)
def test_an_error_is_read_in_its_forms(
    error: object, message: str | None, code: str | None
) -> None:
    job = Job.parse(documented_job(status="failed", error=error))
    assert (job.error_message, job.error_code) == (message, code)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ("1280x720", "1280x720"),
        (" 720 X 1280 ", "720x1280"),
        ("1280*720", "1280x720"),
        ("1280×720", "1280x720"),
        ("16:9", None),
        ("0x0", None),
        ("999999x1", None),
        ("720p", None),
        (720, None),
        (None, None),
    ],
)
def test_a_size_is_two_numbers_of_pixels_or_nothing(size: object, wanted: str | None) -> None:
    assert Job.parse(documented_job(size=size)).size == wanted


def test_the_id_that_was_asked_for_stands_in_where_the_answer_names_none() -> None:
    assert Job.parse({"status": "queued"}, job_id="video_1").id == "video_1"
    assert Job.parse({"task_id": "task_2"}, job_id="video_1").id == "task_2"


@given(payloads)
def test_parse_never_raises_and_gives_sane_values(payload: object) -> None:
    job = Job.parse(payload, job_id="asked")

    assert job.raw is payload
    for text in (job.id, job.status_word, job.model, job.prompt, job.error_message, job.video_url):
        assert text is None or len(text.encode()) <= 4 * LONGEST_TEXT
    for number in (job.duration_s, job.created_at_s, job.completed_at_s, job.expires_at_s):
        assert number is None or (math.isfinite(number) and number > 0)
    assert job.progress_percent is None or 0 <= job.progress_percent <= 100
    assert 0 < job.aspect_ratio < math.inf
    assert job.is_final == (job.status in ("completed", "failed"))
    assert isinstance(hash(job), int)
    assert repr(job)


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    payload: Any = "x"
    for _ in range(sys.getrecursionlimit() * 3):
        payload = {"data": {"status": "queued", "data": payload}}
    assert Job.parse(payload).status is JobStatus.QUEUED


@pytest.mark.parametrize("field", ["id", "progress", "seconds", "created_at", "model", "error"])
def test_a_number_too_long_to_print_is_nothing(field: str) -> None:
    job = Job.parse({"status": "queued", field: 10**5000})
    assert job == Job(id="", status=JobStatus.QUEUED, status_word="queued")


def test_a_signed_link_and_the_raw_answer_stay_out_of_the_repr() -> None:
    job = Job.parse(documented_job(video_url=URL))
    assert "signature" not in repr(job)
    assert "raw" not in repr(job)


@given(json_values)
def test_the_status_of_any_value_is_a_status(value: object) -> None:
    assert JobStatus.parse(value) in JobStatus
