"""Dialects: the different forms in which the endpoint sends one and the same answer.

A dialect is a function from the documented job (a JSON object) to the JSON object that is sent.
All of them were seen on this endpoint, behind one model family or another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

JobJson = dict[str, Any]
Dialect = Callable[[JobJson], JobJson]

OTHER_WORDS: dict[str, tuple[str, ...]] = {
    "queued": ("pending", "submitted", "not_start", "in_queue"),
    "in_progress": ("processing", "running", "generating"),
    "completed": ("success", "succeeded", "succeed", "done"),
    "failed": ("failure", "error", "cancelled", "canceled", "expired", "rejected"),
}
"""Further status words, by the documented one that they mean."""


def _plain(job: JobJson) -> JobJson:
    return job


def _sparse(job: JobJson) -> JobJson:
    """As in the published example, which lacks `size`, `seconds` and everything optional."""
    kept = ("id", "model", "object", "status", "progress", "created_at")
    sparse = {name: job[name] for name in kept}
    if job["video_url"]:
        sparse["video_url"] = job["video_url"]
    return sparse


def _legacy_wrapper(job: JobJson) -> JobJson:
    """As the older task API answers: it puts the link of a completed clip into `fail_reason`."""
    words = {"completed": "SUCCESS", "failed": "FAILURE", "queued": "NOT_START"}
    error = job["error"] or {}
    inner = {
        "task_id": job["id"],
        "action": "generate",
        "status": words.get(job["status"], job["status"].upper()),
        "fail_reason": job["video_url"] or error.get("message", ""),
        "submit_time": job["created_at"],
        "finish_time": job["completed_at"] or 0,
        "progress": f"{job['progress']}%",
        "data": {"model": job["model"]},
    }
    return {"code": "success", "message": "", "data": inner}


def _progress_as(write: Callable[[int], object]) -> Dialect:
    return lambda job: {**job, "progress": write(job["progress"])}


def _no_progress(job: JobJson) -> JobJson:
    return {name: value for name, value in job.items() if name != "progress"}


def _upper_case(job: JobJson) -> JobJson:
    return {**job, "status": job["status"].upper()}


def _early_completed_at(job: JobJson) -> JobJson:
    """Sets `completed_at` from the start, to prove that the client goes by the status alone."""
    return {**job, "completed_at": job["completed_at"] or job["created_at"]}


def _flat_error(job: JobJson) -> JobJson:
    """Sends the error as a bare string."""
    return {**job, "error": (job["error"] or {}).get("message")}


def _link_as(place: Callable[[str], JobJson]) -> Dialect:
    def speak(job: JobJson) -> JobJson:
        url = job["video_url"]
        rest = {name: value for name, value in job.items() if name != "video_url"}
        return {**rest, **place(url)} if url else rest

    return speak


def _word(plain: str, other: str) -> Dialect:
    return lambda job: {**job, "status": other if job["status"] == plain else job["status"]}


DIALECTS: dict[str, Dialect] = {
    "plain": _plain,
    "sparse": _sparse,
    "legacy_wrapper": _legacy_wrapper,
    "percent_string": _progress_as(lambda percent: f"{percent}%"),
    "number_string": _progress_as(str),
    "float_progress": _progress_as(float),
    "no_progress": _no_progress,
    "upper_case": _upper_case,
    "early_completed_at": _early_completed_at,
    "flat_error": _flat_error,
    "url": _link_as(lambda url: {"url": url}),
    "metadata_url": _link_as(lambda url: {"metadata": {"url": url}}),
    "output_list": _link_as(lambda url: {"output": [url]}),
    "content_video_url": _link_as(lambda url: {"content": {"video_url": url}}),
    **{other: _word(plain, other) for plain, others in OTHER_WORDS.items() for other in others},
}
"""All dialects by name; the job `video_dialect_<name>` answers in it."""

FAILING_DIALECTS = frozenset({*OTHER_WORDS["failed"], "flat_error"})
"""The dialects that differ only in the answers of a failed job."""
