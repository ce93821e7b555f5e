"""Any shape of an answer: links, ids, reasons, times and frames, wherever a server puts them.

The whole answers are those of real servers: new-api's task relay, LiteLLM, vLLM-Omni, SGLang, and
the providers behind this endpoint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cometvid_nb.job.job import Job
from cometvid_nb.job.names import FAILURES, JOB_FIELDS, MESSAGES
from cometvid_nb.job.reading import Reading
from cometvid_nb.job.status import JobStatus
from tests.strategies import json_values, payloads, texts

BASE_URL = "https://api.example/v1"
URL = "https://clips.example/a.mp4?signature=1"
OTHER = "https://clips.example/b.mp4?signature=2"
PICTURE = "https://clips.example/a.jpg"
IN_TEXT = json.dumps({"resultUrls": [URL, OTHER]})
DATA_URL = "data:video/mp4;base64,AAAAIGZ0eXBpc29t"


def completed(**fields: Any) -> Job:
    return Job.parse({"id": "video_1", "status": "completed", **fields}, base_url=BASE_URL)


def failed(**fields: Any) -> Job:
    return Job.parse({"id": "video_1", "status": "failed", **fields})


# Links.


@pytest.mark.parametrize(
    "place",
    [
        {"video": {"url": URL}},
        {"video": URL},
        {"video": [URL]},
        {"output": {"url": URL}},
        {"output": {"video_url": URL}},
        {"output": {"video": {"url": URL}}},
        {"videos": [{"url": URL, "cover_url": PICTURE, "watermark_url": OTHER}]},
        {"video_urls": [URL]},
        {"video_url": [URL]},
        {"video_url": {"url": URL}},
        {"result": {"video_url": URL}},
        {"results": [{"url": URL}]},
        {"result_url": URL},
        {"data": {"task_result": {"videos": [{"id": "x", "url": URL, "duration": "5"}]}}},
        {"data": {"resultJson": json.dumps({"resultUrls": [URL]})}},
        {"response": {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": URL}}]}}},
        {"content": {"video_url": URL, "last_frame_url": PICTURE}},
        {"content": [{"type": "text", "text": URL}, {"video_url": {"url": URL}}]},
        {"creations": [{"cover_url": PICTURE, "url": URL}]},
        {"assets": {"video": URL, "image": OTHER}},
        {"finalVideoURL": URL},
        {"mp4-url": URL},
        {"download_url": URL},
        {"fail_reason": URL},
        {"output": [PICTURE, URL]},
        {"output": [{"type": "image", "url": OTHER}, {"type": "video", "url": URL}]},
        {"url": "", "metadata": {"url": URL}},
        {"urls": {"get": OTHER, "cancel": OTHER}, "output": URL},
        {"status_url": OTHER, "response_url": OTHER, "video": {"url": URL}},
    ],
    ids=lambda place: json.dumps(place)[:60],
)
def test_a_link_is_found_under_names_that_mean_the_clip(place: dict[str, Any]) -> None:
    job = completed(**place)
    assert (job.video_url, job.other_video_urls) == (URL, ())


@pytest.mark.parametrize(
    "name",
    [
        *("thumbnail_url", "thumbnail", "cover", "coverImageUrl", "poster", "preview_url"),
        *("image_url", "image", "last_frame_url", "first_frame", "input_reference", "input"),
        *("source_video_url", "input_video", "reference_video_urls", "original_video_url"),
        *("audio_url", "callback_url", "webhook", "status_url", "response_url", "docs", "prompt"),
        *("remixed_from_video_id", "video_path", "file_path", "watermarked_video_url", "message"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"url": v}, lambda v: [{"video_url": v}]])
def test_no_other_name_leads_to_a_clip(name: str, wrap: Any) -> None:
    job = completed(**{name: wrap(URL)})
    assert (job.video_url, job.other_video_urls) == (None, ())
    assert completed(output={name: wrap(URL)}).video_url is None


@pytest.mark.parametrize(
    ("place", "others"),
    [
        ({"output": [URL, OTHER]}, (OTHER,)),
        ({"output": [URL, OTHER, URL, OTHER]}, (OTHER,)),
        ({"videos": [{"url": URL}, {"url": OTHER}]}, (OTHER,)),
        ({"data": [{"url": URL}, {"url": OTHER}]}, (OTHER,)),
        ({"video_url": URL, "video_urls": [URL, OTHER]}, (OTHER,)),
        ({"video_url": URL, "videos": [{"url": URL + "0"}, {"url": OTHER}]}, (OTHER,)),
        ({"video_url": URL, "videos": [{"url": OTHER}]}, ()),
        ({"video_url": URL, "metadata": {"url": OTHER}}, ()),
        ({"data": {"resultJson": IN_TEXT}}, (OTHER,)),
        ({"output": [{"video": URL, "audio": OTHER}, {"video": OTHER}]}, (OTHER,)),
    ],
)
def test_several_outputs_are_all_kept_and_each_once(
    place: dict[str, Any], others: tuple[str, ...]
) -> None:
    job = completed(**place)
    assert (job.video_url, job.other_video_urls) == (URL, others)


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("/cdn/x.mp4", "https://api.example/cdn/x.mp4"),
        ("/v1/videos/video_1/content", "https://api.example/v1/videos/video_1/content"),
        ("videos/x.mp4?sig=1", "https://api.example/v1/videos/x.mp4?sig=1"),
        ("../x.mp4", "https://api.example/x.mp4"),
        ("//clips.example/x.mp4", "https://clips.example/x.mp4"),
        ("video_1", None),
        ("pending", None),
        ("//me:secret@clips.example/x.mp4", None),
        ("/a b.mp4", None),
        ("file:///x.mp4", None),
        ("urn:x.mp4", None),
    ],
)
def test_a_relative_link_leads_from_the_api(link: str, target: str | None) -> None:
    assert completed(url=link).video_url == target
    assert Job.parse({"status": "completed", "url": link}).video_url is None, "from nowhere"


@pytest.mark.parametrize(
    "place",
    [
        {"video_url": DATA_URL},
        {"video": {"url": DATA_URL}},
        {"output": [DATA_URL]},
        {"data": [{"b64_json": DATA_URL.partition(",")[2]}]},
        {"fail_reason": DATA_URL},
    ],
    ids=lambda place: json.dumps(place)[:30],
)
def test_a_clip_inside_the_answer_is_its_link(place: dict[str, Any]) -> None:
    job = completed(**place)
    assert job.video_url == DATA_URL
    assert "AAAA" not in repr(job)


def test_a_clip_of_megabytes_is_read_at_once_and_is_cheap_to_compare() -> None:
    text = json.dumps({"status": "completed", "video_url": DATA_URL + "A" * 10_000_000})
    payload = json.loads(text)
    began_s = time.monotonic()
    job, again = Job.parse(payload), Job.parse(payload)
    assert len(job.video_url or "") > 10_000_000
    assert job.video_url is payload["video_url"], "not copied"
    assert (job == again, len(repr(job)) < 1000) == (True, True)
    assert time.monotonic() - began_s < 5


# Ids.


@pytest.mark.parametrize(
    "answer",
    [
        {"id": "video_1"},
        {"task_id": "video_1"},
        {"videoId": "video_1"},
        {"id": 7, "task_id": "video_1"},
        {"id": "", "task_id": "video_1"},
        {"request_id": "video_1"},
        {"request_id": "r", "output": {"task_id": "video_1"}},
        {"data": "video_1"},
        {"code": "success", "message": "", "data": "video_1"},
        {"data": [{"id": "video_1"}]},
        {"data": ["video_1"]},
        {"result": {"id": "video_1"}},
        {"task_ids": ["video_1"]},
        {"data": {"data": {"task_id": "video_1"}}},
        {"code": 200, "msg": "success", "data": {"taskId": "video_1"}},
        {"id": "r", "status": "success", "data": {"id": "video_1", "status": "queued"}},
        {"task_id": "video_1", "status": "RUNNING", "data": {"id": "x", "status": "succeeded"}},
        [{"id": "video_1"}],
    ],
    ids=json.dumps,
)
def test_an_id_is_found_wherever_it_stands(answer: object) -> None:
    assert Job.parse(answer).id == "video_1"


@pytest.mark.parametrize("answer", [{"data": "ok"}, {"data": URL}, {"data": "not yet"}, {}])
def test_what_is_no_id_is_none(answer: object) -> None:
    assert Job.parse(answer, job_id="asked").id == "asked"


# The status.


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"status": "success", "data": {"task_id": "x", "status": "processing"}}, "in_progress"),
        ({"status": "success", "task_status": "processing"}, "in_progress"),
        ({"status": 200, "data": {"task_id": "x", "state": "failed"}}, "failed"),
        ({"task_id": "x", "status": "RUNNING", "data": {"id": "y", "status": "failed"}}, "failed"),
        ({"task_id": "x", "status": "SUCCESS", "data": {"status": "running"}}, "completed"),
        ({"model": "m", "status": "completed", "data": {"status": "running"}}, "completed"),
        ({"id": "r", "status": "success", "data": {"status": "running"}}, "in_progress"),
        ({"status": {"state": "completed"}}, "completed"),
        ({"task": {"task_status": "TASK_STATUS_SUCCEED"}}, "completed"),
        ({"status": "success", "data": {"id": "x"}}, "unknown"),
        ({"status": "success", "data": {"id": "x", "url": URL}}, "completed"),
        ({"state": "soon_completed"}, "unknown"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
def test_the_word_of_the_job_counts_and_not_that_of_the_envelope(
    answer: object, status: str
) -> None:
    assert Job.parse(answer).status == status


WRAPS: list[Callable[[dict[str, Any]], Any]] = [
    lambda job: job,
    lambda job: {"code": "success", "message": "", "data": job},
    lambda job: {"code": 0, "data": {"data": job}},
    lambda job: {"status": "success", "data": job},
    lambda job: {"result": job, "request_id": "r"},
    lambda job: {"task": job},
    lambda job: {"output": job},
    lambda job: {"data": [job]},
    lambda job: [job],
    lambda job: {"data": json.dumps(job)},
]
"""What gateways put around a job."""
NOISE = sorted(JOB_FIELDS - {"task_status", "job_status", "video_status"})


@given(
    word=st.sampled_from(["completed", "SUCCESS", "Succeeded", "failed", "FAILURE", "cancelled"]),
    name=st.sampled_from(["status", "state", "task_status", "taskStatus"]),
    wrap=st.sampled_from(WRAPS),
    noise=st.dictionaries(st.sampled_from(NOISE), json_values, max_size=3),
)
def test_a_final_word_is_final_wherever_it_stands(
    word: str, name: str, wrap: Any, noise: dict[str, Any]
) -> None:
    job = Job.parse(wrap({**noise, "id": "video_1", name: word}), job_id="video_1")
    assert job.status is JobStatus.parse(word)


# Reasons.


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        *(
            ({name: "blocked by moderation"}, "blocked by moderation")
            for name in (
                *("fail_reason", "failure", "failure_reason", "error_message", "message"),
                *("status_msg", "task_status_msg", "errorMsg", "failMsg", "detail", "reason"),
            )
        ),
        ({"error": "blocked"}, "blocked"),
        ({"error": ["too long", "too wide"]}, "too long; too wide"),
        ({"error": {"detail": "blocked"}}, "blocked"),
        ({"error": {"message": {"reason": "blocked"}}}, "blocked"),
        ({"error": '{"code": "c", "message": "blocked"}'}, "blocked"),
        ({"error": {"message": 'upstream said: {"error": {"message": "blocked"}}'}}, "blocked"),
        ({"error": {"code": "moderation_blocked"}}, "moderation_blocked"),
        ({"error": "blocked", "message": "Faces are not allowed."}, "Faces are not allowed."),
        ({"error": {"message": "blocked"}, "message": "x y"}, "blocked"),
        ({"error": "", "fail_reason": "", "msg": "blocked"}, "blocked"),
        ({"base_resp": {"status_code": 1027, "status_msg": "blocked"}}, "blocked"),
        ({"error": {"errors": [{"loc": ["body", "size"], "msg": "wrong"}]}}, "body.size: wrong"),
        ({"error": {"code": "c1", "message": ""}, "fail_reason": "too long"}, "too long"),
        ({"error": None, "metadata": {"error_message": "blocked"}}, "blocked"),
        ({"message": "success", "error": None}, None),
        ({"type": "text-to-video"}, None),
        ({"error": {}}, None),
        ({"fail_reason": "https://clips.example/x"}, None),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
def test_the_reason_of_a_failure_is_found_in_any_form(
    fields: dict[str, Any], reason: str | None
) -> None:
    assert failed(**fields).error_message == reason
    inner = {"task_id": "x", "status": "FAILURE", **fields}
    assert Job.parse({"code": "success", "message": "", "data": inner}).error_message == reason


def test_a_remark_of_a_job_that_goes_on_is_no_error() -> None:
    running = Job.parse({"id": "x", "status": "running", "message": "in the queue of the model"})
    assert (running.error_message, running.error_code) == (None, None)


# Times, frames, lengths.


@pytest.mark.parametrize(
    ("moment", "at_s"),
    [
        (1781079478, 1781079478.0),
        ("1781079478", 1781079478.0),
        (1781079478123, 1781079478.123),
        ("1781079478123", 1781079478.123),
        (1781079478123456789, 1781079478.1234568),
        ("2026-06-10T08:17:58Z", 1781079478.0),
        ("2026-06-10T08:17:58.5+00:00", 1781079478.5),
        ("2026-06-10T10:17:58+02:00", 1781079478.0),
        ("2026-06-10 08:17:58", 1781079478.0),
        (0, None),
        ("0", None),
        (-5, None),
        ("soon enough", None),
        ("0001-01-01T00:00:00", None),
        ("9999-12-31T23:59:59-23:59", 253402387139.0),
    ],
)
def test_a_time_is_read_in_every_unit(moment: object, at_s: float | None) -> None:
    job = Job.parse({"created_at": moment, "finish_time": moment, "expiresAt": moment})
    for read in (job.created_at_s, job.completed_at_s, job.expires_at_s):
        assert read == (pytest.approx(at_s) if at_s is not None else None)


WIDE, TALL = 16 / 9, 9 / 16


@pytest.mark.parametrize(
    ("fields", "size", "ratio"),
    [
        ({"size": "1280x720"}, "1280x720", WIDE),
        ({"size": "1080*1920"}, "1080x1920", TALL),
        ({"resolution": "1080x1920"}, "1080x1920", TALL),
        ({"width": 720, "height": "1280"}, "720x1280", TALL),
        ({"video_width": 720, "video_height": 1280}, "720x1280", TALL),
        ({"metadata": {"width": 512, "height": 512}}, "512x512", 1),
        ({"videos": [{"url": URL, "width": 720, "height": 1280}]}, "720x1280", TALL),
        ({"size": {"width": 720, "height": 1280}}, "720x1280", TALL),
        ({"size": "16x9"}, None, WIDE),
        ({"size": "9x16"}, None, TALL),
        ({"size": "9:16"}, None, TALL),
        ({"size": "720P"}, None, WIDE),
        ({"size": "720P", "ratio": "9:16"}, None, TALL),
        ({"resolution": "1080p", "aspect_ratio": "9:16"}, None, TALL),
        ({"resolution": "720p", "aspectRatio": "21:9"}, None, 21 / 9),
        ({"parameters": {"resolution": "720p", "ratio": "9:16"}}, None, TALL),
        ({"size": "1280x720", "aspect_ratio": "9:16"}, "1280x720", WIDE),
        ({"aspect_ratio": 0.5625}, None, TALL),
        ({"orientation": "portrait"}, None, TALL),
        ({"ratio": "adaptive"}, None, WIDE),
        ({"size": "NonexNone"}, None, WIDE),
        ({"size": "0:0", "ratio": "1:99999"}, None, WIDE),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
def test_the_shape_is_known_from_the_start(
    fields: dict[str, Any], size: str | None, ratio: float
) -> None:
    for wrap in (WRAPS[0], WRAPS[1]):
        job = Job.parse(wrap({"id": "video_1", "status": "queued", **fields}))
        assert job.size == size
        assert job.aspect_ratio == pytest.approx(ratio)
        assert job.size is None or job.ratio is None


# Whole answers of real servers.

KLING = {
    "code": 0,
    "message": "SUCCEED",
    "request_id": "r",
    "data": {
        "task_id": "831922345719271433",
        "task_status": "succeed",
        "task_status_msg": "",
        "created_at": 1722769557708,
        "updated_at": 1722769558708,
        "task_result": {"videos": [{"id": "v", "url": URL, "duration": "5.1"}]},
    },
}
DASHSCOPE = {
    "request_id": "r",
    "output": {
        "task_id": "0385dc79",
        "task_status": "SUCCEEDED",
        "submit_time": "2026-06-10 08:17:58.000",
        "end_time": "2026-06-10 08:22:07.000",
        "orig_prompt": "A comet",
        "video_url": URL,
    },
    "usage": {"video_count": 1, "SR": 720, "duration": 5},
}
SEEDANCE = {
    "id": "cgt-2026",
    "model": "doubao-seedance-2-0",
    "status": "succeeded",
    "content": {"video_url": URL, "last_frame_url": PICTURE},
    "created_at": 1781079478,
    "resolution": "720p",
    "ratio": "9:16",
    "duration": 5,
    "usage": {"total_tokens": 10},
}
NEW_API = {
    "code": "success",
    "message": "",
    "data": {
        "id": 17,
        "task_id": "task_abc",
        "status": "SUCCESS",
        "fail_reason": "",
        "result_url": URL,
        "submit_time": 1781079478,
        "finish_time": 1781079578,
        "progress": "100%",
        "properties": {"input": "A comet", "origin_model_name": "veo3"},
        "data": {"id": "provider", "status": "running", "model": "veo3"},
    },
}
MINIMAX = {
    "task_id": "106916112212032",
    "status": "Success",
    "file_id": "205258526306433",
    "video_width": 720,
    "video_height": 1280,
    "base_resp": {"status_code": 0, "status_msg": "success"},
}
SGLANG = {
    "id": "1ea0ddb3",
    "object": "video",
    "model": "Wan-AI/Wan2.2",
    "status": "failed",
    "progress": 0,
    "created_at": 1771722826,
    "size": "NonexNone",
    "seconds": "0",
    "url": None,
    "error": {"message": "out of memory"},
    "file_path": "/outputs/1ea0ddb3.mp4",
    "remixed_from_video_id": None,
}


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (KLING, ("831922345719271433", "completed", URL, None, None, 5.1, 1722769557.708)),
        (DASHSCOPE, ("0385dc79", "completed", URL, None, None, None, 1781079478.0)),
        (SEEDANCE, ("cgt-2026", "completed", URL, None, None, 5.0, 1781079478.0)),
        (NEW_API, ("task_abc", "completed", URL, None, None, None, 1781079478.0)),
        (MINIMAX, ("106916112212032", "completed", None, None, "720x1280", None, None)),
        (SGLANG, ("1ea0ddb3", "failed", None, "out of memory", None, None, 1771722826.0)),
    ],
    ids=["kling", "dashscope", "seedance", "new-api", "minimax", "sglang"],
)
def test_the_answers_of_real_servers_are_read_whole(
    answer: object, wanted: tuple[Any, ...]
) -> None:
    job = Job.parse(answer, base_url=BASE_URL)
    values = (job.id, job.status, job.video_url, job.error_message, job.size, job.duration_s)
    assert (*values, job.created_at_s) == wanted


def test_the_shape_and_the_models_of_real_answers_are_read_too() -> None:
    assert Job.parse(SEEDANCE).aspect_ratio == pytest.approx(TALL)
    assert Job.parse(NEW_API).model == "veo3"
    assert Job.parse(DASHSCOPE).prompt == "A comet"


# Anything at all.


@given(payloads, st.sampled_from(["", BASE_URL, "http://[", "x"]))
@settings(max_examples=300)
def test_whatever_comes_is_read_without_an_exception(payload: object, base_url: str) -> None:
    job = Job.parse(payload, job_id="asked", base_url=base_url)
    links = (job.video_url, *job.other_video_urls)
    for link in links:
        assert link is None or link.startswith(("http://", "https://", "data:video/"))
    assert len(set(links)) == len(links)
    assert None not in job.other_video_urls
    assert job.status in JobStatus
    reading = Reading(payload, "asked", base_url)
    assert isinstance(reading.looks_like_job(), bool)
    assert reading.error is None or isinstance(reading.error.message, str | None)


def huge(kind: str) -> Any:
    """Answers that are as much work as so many bytes can be."""
    if kind == "deep":
        value: Any = "x"
        for _ in range(900):
            value = {"data": {"status": "queued", "output": [value], "error": value}}
        return value
    if kind == "links":
        return {"status": "completed", "output": [{"videos": [URL] * 100} for _ in range(30_000)]}
    if kind == "names":
        return {f"videoUrl{n}": {"url": [URL]} for n in range(100_000)}
    if kind == "texts":
        text = json.dumps({"message": "{" * 9_000})
        many = dict.fromkeys([*MESSAGES, *FAILURES], [text] * 400)
        return {"status": "failed", **many, "error": many}
    return {"status": "failed", "message": "{" * 4_000_000, "error": ["[" * 4_000_000] * 3}


@pytest.mark.parametrize("kind", ["deep", "links", "names", "texts", "braces"])
def test_no_answer_is_much_work(kind: str) -> None:
    payload = huge(kind)
    began_s = time.monotonic()
    Job.parse(payload, base_url=BASE_URL)
    Reading(payload).looks_like_job()
    assert time.monotonic() - began_s < 3


@given(texts)
@example("1e999")
@example("9" * 5000)
@example("٣٠:٤٠")
def test_any_text_in_any_field_is_read_or_left(text: str) -> None:
    names = ("size", "ratio", "created_at", "seconds", "status", "id", "url", "error")
    job = Job.parse(dict.fromkeys(names, text), base_url=BASE_URL)
    assert 0.1 <= job.aspect_ratio <= 10_000
