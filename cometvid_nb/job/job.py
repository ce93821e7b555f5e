"""Job: every status word and dialect of the endpoint's answers, parsed into one value.

Source of the dialects: the published reference of `GET /v1/videos/{id}`, and answers seen on the
live endpoint. Parsing never fails: any JSON value gives a Job, an unusable field becomes None, and
the original stays in `Job.raw`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .status import JobStatus

LONGEST_TEXT = 10_000
"""Characters kept of any text of the API: a hostile or broken answer must not fill a page's memory
or the ledger."""
LONGEST_WORD = 200
"""Characters kept of a status word, which a card shows as it is; known words are far shorter."""


@dataclass(frozen=True, slots=True)
class Job:
    """One video-generation job, as the server last described it.

    Times are unix seconds (UTC), `progress_percent` is 0-100, `duration_s` the clip's length in
    seconds, `width` and `height` are pixels. None: the answer did not contain the value.
    """

    id: str
    status: JobStatus = JobStatus.UNKNOWN
    status_word: str = ""
    """The status as the API spelled it; a card shows an unknown word in this form."""
    model: str | None = None
    prompt: str | None = None
    progress_percent: float | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    created_at_s: float | None = None
    completed_at_s: float | None = None
    """Does not mean that the job has ended: some models set it earlier. Only `status` decides."""
    expires_at_s: float | None = None
    """When `video_url` stops working. Never computed: only the API knows how long a link lives."""
    video_url: str | None = field(default=None, repr=False)
    """A signed, short-lived link to the clip. Whoever has the link can load the clip, so it is
    kept out of reprs and logs."""
    other_video_urls: tuple[str, ...] = field(default=(), repr=False)
    """Links to the further clips of a job that made several, in the API's order."""
    ratio: float | None = None
    """Width over height as the answer words it ("16:9", "9x16"), where it gives no pixels."""
    error_message: str | None = None
    error_code: str | None = None
    remixed_from: str | None = None
    saved_path: str | None = field(default=None, compare=False)
    """Where a watch has saved the clip: a path (relative if it lies beside the notebook) or the
    URL of a storage. None: the clip is not saved, or this job comes straight from the API."""
    raw: Any = field(default=None, repr=False, compare=False)
    """The JSON value that was parsed. Not compared, so a change of an unread field is no change."""

    @classmethod
    def parse(cls, payload: object, *, job_id: str = "") -> Job:
        """Parse any JSON value into a Job. Never raises.

        `job_id` is the id of the request; the job gets it if the answer contains none.
        """
        top = payload if isinstance(payload, Mapping) else {}
        body, is_wrapped = _unwrap(top)
        word = (_first_text(body, "status", "state", "task_status") or "")[:LONGEST_WORD]
        status = JobStatus.parse(word)
        error_message, error_code = _error(body)
        url = _clip_url(body)
        reason = _text(body.get("fail_reason"))
        if is_wrapped and reason:
            # The legacy dialect puts the link of a completed clip into `fail_reason`.
            if status == JobStatus.COMPLETED:
                url = url or _url(reason)
            else:
                error_message = error_message or reason
        width, height = _size(body.get("size"))
        return cls(
            id=_first_text(body, "id", "task_id", "video_id") or job_id,
            status=status,
            status_word=word,
            model=_first_text(body, "model", "model_name"),
            prompt=_text(body.get("prompt")),
            progress_percent=_percent(body.get("progress")),
            duration_s=_positive(body.get("seconds")) or _positive(body.get("duration")),
            width=width,
            height=height,
            created_at_s=_positive(body.get("created_at")) or _positive(body.get("submit_time")),
            completed_at_s=_positive(body.get("completed_at"))
            or _positive(body.get("finish_time")),
            expires_at_s=_positive(body.get("expires_at")),
            video_url=url,
            error_message=error_message,
            error_code=error_code,
            remixed_from=_text(body.get("remixed_from_video_id")),
            raw=payload,
        )

    @property
    def is_final(self) -> bool:
        """Whether the server will not change this job any more."""
        return self.status.is_final

    @property
    def size(self) -> str | None:
        """`WIDTHxHEIGHT` in pixels, or None."""
        return f"{self.width}x{self.height}" if self.width and self.height else None

    @property
    def aspect_ratio(self) -> float:
        """Width over height; 16:9 where neither the size nor a ratio is known."""
        return self.width / self.height if self.width and self.height else self.ratio or 16 / 9


class Polled(NamedTuple):
    """The answer to one poll: the job, and the pause the server asked for (seconds), or None."""

    job: Job
    retry_after_s: float | None = None


def _unwrap(top: Mapping[Any, Any]) -> tuple[Mapping[Any, Any], bool]:
    """Return the mapping that describes the job, and whether the legacy `data` wrapper held it."""
    inner = top.get("data")
    if isinstance(inner, Mapping) and ("status" in inner or "task_id" in inner):
        deeper = inner.get("data")
        if isinstance(deeper, Mapping):
            # Some gateways nest the provider's answer once more. The outer value wins where both
            # have one, and the provider's id is dropped, as the endpoint does not know it.
            theirs = {k: v for k, v in deeper.items() if k not in ("id", "task_id")}
            inner = {**theirs, **{k: v for k, v in inner.items() if v not in (None, "")}}
        return inner, True
    return top, False


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and abs(value) >= 10**100:
        return None  # str() of a huge int is slow, and raises ValueError above 4300 digits
    text = str(value).strip()[:LONGEST_TEXT]
    if not text.isascii():
        # JSON may hold a lone surrogate ("\ud800"), which UTF-8 cannot encode.
        text = text.encode("utf-8", "replace").decode()
    return text or None


def _first_text(body: Mapping[Any, Any], *names: str) -> str | None:
    return next((text for name in names if (text := _text(body.get(name)))), None)


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        # "30%" is a progress, "8s" a length; 40 characters hold every number worth reading.
        value = value.strip()[:40].removesuffix("%").removesuffix("s")
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _positive(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _percent(value: object) -> float | None:
    number = _number(value)
    return None if number is None else min(100.0, max(0.0, number))


def _size(value: object) -> tuple[int | None, int | None]:
    match = (
        re.fullmatch(r"\s*(\d{1,5})\s*[xX×*:]\s*(\d{1,5})\s*", value)
        if (isinstance(value, str))
        else None
    )
    if match is None:
        return None, None
    width, height = int(match[1]), int(match[2])
    # Smaller numbers are a ratio such as "16:9" (Veo answers "16x9"), not a size in pixels.
    return (width, height) if min(width, height) >= 16 else (None, None)


def _url(value: object) -> str | None:
    """Return `value` if it is a plain web address, else None.

    Other schemes (`javascript:`, `file:`) and addresses with a password must not reach a page or
    the downloader.
    """
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return None
    url = value.strip()
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None  # a malformed host or port
    is_plain = url.isprintable() and " " not in url and "@" not in parts.netloc  # "@": a password
    return url if is_web and is_plain else None


def _clip_url(body: Mapping[Any, Any]) -> str | None:
    # The documented place first, then those seen in other dialects; the first usable link wins.
    output = body.get("output")
    metadata, content = body.get("metadata"), body.get("content")
    candidates = [
        body.get("video_url"),
        body.get("url"),
        metadata.get("url") if isinstance(metadata, Mapping) else None,
        output[0] if isinstance(output, list) and output else output,
        content.get("video_url") if isinstance(content, Mapping) else None,
        body.get("result_url"),
    ]
    return next((url for candidate in candidates if (url := _url(candidate))), None)


def _error(body: Mapping[Any, Any]) -> tuple[str | None, str | None]:
    """Return (message, code) of a failed job; some dialects send the error as a bare string."""
    error = body.get("error")
    if isinstance(error, Mapping):
        return _text(error.get("message")), _text(error.get("code")) or _text(error.get("type"))
    return _text(error), None
