"""Where the link of a completed clip stands in the answer, and how many there are."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from cometvid_nb.simulator.clips import padded, read_clip
from cometvid_nb.simulator.shapes.answer import Dialect, JobJson, nested, without

PLACES: dict[str, tuple[str | int, ...]] = {
    "url": ("url",),
    "metadata_url": ("metadata", "url"),
    "output_list": ("output", 0),
    "content_video_url": ("content", "video_url"),
    "link_video_url": ("video", "url"),
    "link_output": ("output",),
    "link_output_url": ("output", "url"),
    "link_output_video_url": ("output", "video_url"),
    "link_outputs_url": ("outputs", 0, "url"),
    "link_videos_url": ("videos", 0, "url"),
    "link_videos_text": ("videos", 0),
    "link_video_urls": ("video_urls", 0),
    "link_video_text": ("video",),
    "link_urls": ("urls", 0),
    "link_result_url": ("result_url",),
    "link_result_video_url": ("result", "video_url"),
    "link_results_url": ("results", 0, "url"),
    "link_data_url": ("data", 0, "url"),
    "link_data_video_url": ("data", "video_url"),
    "link_task_result": ("data", "task_result", "videos", 0, "url"),
    "link_task_result_flat": ("task_result", "videos", 0, "url"),
    "link_creations": ("creations", 0, "url"),
    "link_generations": ("generations", 0, "video", "url"),
    "link_assets_video": ("assets", "video"),
    "link_file_download_url": ("file", "download_url"),
    "link_download_url": ("download_url",),
    "link_content_list": ("content", 0, "video_url", "url"),
    "link_response_videos": ("response", "videos", 0, "uri"),
    "link_fail_reason": ("fail_reason",),
}
"""By the dialect's name: the path to the link; a number is a place in a list."""


def _linked(job: JobJson, linked: JobJson) -> JobJson:
    rest = without(job, "video_url")
    return {**rest, **linked} if job["video_url"] else rest


def _at(path: tuple[str | int, ...]) -> Dialect:
    return lambda job: _linked(job, nested(path, job["video_url"]))


def _among_pictures(job: JobJson) -> JobJson:
    """Surrounds the link with those of pictures, a page and a source, which are no clip."""
    url = job["video_url"]
    pictures = {
        "thumbnail_url": "https://pictures.invalid/thumbnail.webp",
        "cover_image_url": "https://pictures.invalid/cover.jpg",
        "input_reference": {"url": "https://pictures.invalid/source.png"},
        "source_video_url": "https://pictures.invalid/source.mp4",
        "webhook_url": "https://pictures.invalid/hook",
        "urls": {"get": "https://pictures.invalid/jobs/1", "web": "https://pictures.invalid/p/1"},
        "video": {"thumbnail": "https://pictures.invalid/poster.jpg", "url": url},
    }
    return _linked({**job, "thumbnail_url": pictures["thumbnail_url"]}, pictures)


def _kling(job: JobJson) -> JobJson:
    """The whole answer in Kling's form, whose code 0 means that all is well."""
    words = {"queued": "submitted", "in_progress": "processing", "completed": "succeed"}
    inner = {
        "task_id": job["id"],
        "task_status": words.get(job["status"], job["status"]),
        "task_status_msg": (job["error"] or {}).get("message", ""),
        "created_at": job["created_at"] * 1000,
    }
    if job["video_url"]:
        clip = {"id": "clip-1", "url": job["video_url"], "duration": job["seconds"]}
        inner["task_result"] = {"videos": [clip]}
    return {"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": inner}


def other_output(url: str) -> str:
    """Return the link to the second clip of a job that made two."""
    return f"{url}{'&' if '?' in url else '?'}output=2"


def _two(job: JobJson) -> tuple[str, str]:
    return job["video_url"] or "", other_output(job["video_url"] or "")


SEVERAL: dict[str, Dialect] = {
    "several_output": lambda job: _linked(job, {"output": [*_two(job)]}),
    "several_videos": lambda job: _linked(job, {"videos": [{"url": url} for url in _two(job)]}),
    "several_video_urls": lambda job: _linked(job, {"video_urls": [*_two(job)]}),
    "several_beside_video_url": lambda job: _linked(
        job, {"video_url": job["video_url"], "outputs": [{"url": url} for url in _two(job)]}
    ),
}
"""Two clips of one job; the second has another link and other bytes."""


def _below(job: JobJson, prefix: str) -> JobJson:
    if not job["video_url"]:
        return job
    parts = urlsplit(job["video_url"])
    host = f"//{parts.netloc}" if prefix == "//" else ""
    return {**job, "video_url": f"{host}{parts.path}{f'?{parts.query}' if parts.query else ''}"}


RELATIVE: dict[str, Dialect] = {
    "relative_link": lambda job: _below(job, "/"),
    "relative_to_scheme": lambda job: _below(job, "//"),
}
"""Links relative to the API's address: they lead to a clip if it lives at the API's own origin."""

BIG_BYTES = 7_000_000


def _in_answer(job: JobJson, at_least_bytes: int = 0) -> JobJson:
    if not job["video_url"]:
        return job
    text = base64.b64encode(padded(read_clip(job["size"]), at_least_bytes)).decode()
    return {**job, "video_url": f"data:video/mp4;base64,{text}"}


IN_ANSWER: dict[str, Dialect] = {
    "data_url": _in_answer,
    "data_url_7_mb": lambda job: _in_answer(job, BIG_BYTES),
    "data_url_output": lambda job: _linked(job, {"output": [_in_answer(job)["video_url"]]}),
}
"""The clip itself in the answer, as a data URL."""

LINKS: dict[str, Dialect] = {
    **{name: _at(path) for name, path in PLACES.items()},
    "link_among_pictures": _among_pictures,
    "kling": _kling,
    **SEVERAL,
    **RELATIVE,
    **IN_ANSWER,
}
