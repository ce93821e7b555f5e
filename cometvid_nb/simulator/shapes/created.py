"""Where the id stands in the answer to a create or a remix; later answers are plain."""

from __future__ import annotations

from urllib.parse import quote

from cometvid_nb.simulator.shapes.answer import Answer, HttpDialect, JobJson, nested

PLACES: dict[str, tuple[str | int, ...]] = {
    "created_task_id": ("task_id",),
    "created_video_id": ("video_id",),
    "created_request_id": ("request_id",),
    "created_job_id": ("job_id",),
    "created_generation_id": ("generation_id",),
    "created_uuid": ("uuid",),
    "created_name": ("name",),
    "created_data_text": ("data",),
    "created_data_list": ("data", 0, "id"),
    "created_data_list_text": ("data", 0),
    "created_data_task_id": ("data", "task_id"),
    "created_data_data_task_id": ("data", "data", "task_id"),
    "created_result_id": ("result", "id"),
    "created_result_text": ("result",),
    "created_output_task_id": ("output", "task_id"),
    "created_video_object": ("video", "id"),
    "created_task_ids": ("task_ids", 0),
    "created_ids": ("ids", 0),
}
"""By the dialect's name: the path to the id; a number is a place in a list."""


def _at(path: tuple[str | int, ...]) -> HttpDialect:
    return lambda job: Answer({"code": "success", "message": "", **nested(path, job["id"])})


def _wrapped(job: JobJson) -> Answer:
    return Answer({"code": "success", "data": job})


def _location(base: str, answer: Answer) -> HttpDialect:
    """Give this answer, and the id only in a header."""

    def speak(job: JobJson) -> Answer:
        place = {"Location": f"{base}/{quote(job['id'], safe='')}"}
        return Answer(answer.json, answer.text, answer.status, {**answer.headers, **place})

    return speak


_BLANK = Answer(text="", status=202)
_ACCEPTED = {"status": "queued", "message": "The job is accepted."}

CREATED: dict[str, HttpDialect] = {
    **{name: _at(path) for name, path in PLACES.items()},
    "created_wrapped": _wrapped,
    "created_only_id": lambda job: Answer({"id": job["id"]}),
    "created_201": lambda job: Answer(job, status=201),
    "created_202": lambda job: Answer(job, status=202),
    "created_location": _location("/v1/videos", _BLANK),
    "created_location_whole": _location("{self}", Answer(text="", status=201)),
    "created_location_json": _location("/v1/videos", Answer(_ACCEPTED, status=202)),
    "created_operation_location": lambda job: Answer(
        _ACCEPTED,
        status=202,
        headers={"Operation-Location": f"/v1/videos/{quote(job['id'], safe='')}"},
    ),
}

NO_ID: dict[str, HttpDialect] = {
    "created_no_id": lambda _: Answer(_ACCEPTED),
    "created_no_id_text": lambda _: Answer(text="Accepted. Your video will be ready soon."),
    "created_no_id_page": lambda _: Answer(
        text="<!doctype html><title>Accepted</title><p>Thank you.</p>",
        headers={"Content-Type": "text/html; charset=utf-8"},
    ),
    "created_no_id_empty": lambda _: Answer(text="", status=202),
    "created_no_id_list": lambda _: Answer(["queued", 1]),
    "created_no_id_long": lambda _: Answer({**_ACCEPTED, "log": "waiting for a worker; " * 500}),
}
"""No id can be read: the outcome is unknown, and the answer is all that there is."""

CREATED |= NO_ID
