"""How an answer words the state of a job: status words, progress, the wrapper, what it leaves out.

All of them were seen on this endpoint, behind one model family or another.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cometvid_nb.simulator.shapes.answer import Dialect, JobJson, without

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


def _upper_case(job: JobJson) -> JobJson:
    return {**job, "status": job["status"].upper()}


def _early_completed_at(job: JobJson) -> JobJson:
    """Sets `completed_at` from the start, to prove that the client goes by the status alone."""
    return {**job, "completed_at": job["completed_at"] or job["created_at"]}


def _word(plain: str, other: str) -> Dialect:
    return lambda job: {**job, "status": other if job["status"] == plain else job["status"]}


def _seedance(job: JobJson) -> JobJson:
    return {**job, "status": "SUBMITTED" if job["status"] == "queued" else job["status"]}


def _veo(job: JobJson) -> JobJson:
    """The model that was resolved, no length, and the size as an orientation (FACTS §3)."""
    told = re.sub(r"^veo(?=\d)", "veo_", job["model"]).replace(".", "_")
    told = f"{told}-4K" if told == "veo_3_1" else told
    return {**job, "model": told, "seconds": "", "size": job["size"].replace(":", "x")}


WORDS: dict[str, Dialect] = {
    "plain": _plain,
    "sparse": _sparse,
    "legacy_wrapper": _legacy_wrapper,
    "percent_string": _progress_as(lambda percent: f"{percent}%"),
    "number_string": _progress_as(str),
    "float_progress": _progress_as(float),
    "no_progress": lambda job: without(job, "progress"),
    "upper_case": _upper_case,
    "early_completed_at": _early_completed_at,
    **{other: _word(plain, other) for plain, others in OTHER_WORDS.items() for other in others},
}

LEFT_OUT: dict[str, Dialect] = {
    "no_prompt": lambda job: without(job, "prompt"),
    "no_model": lambda job: without(job, "model"),
    "no_seconds": lambda job: without(job, "seconds"),
    "no_size": lambda job: without(job, "size"),
    "no_request": lambda job: without(job, "prompt", "model", "seconds", "size"),
    "null_request": lambda job: {**job, **dict.fromkeys(("prompt", "model", "seconds", "size"))},
    "blank_request": lambda job: {**job, "prompt": "", "model": "", "seconds": "", "size": ""},
}
"""Answers that leave out what the request said."""

FAMILY_WORDS: dict[str, Dialect] = {"seedance": _seedance, "veo": _veo}
"""How families of models answer; see `families`."""
