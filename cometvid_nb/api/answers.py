"""Answers: what an HTTP answer means, a job's JSON or one of our errors with the API's message."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from ..errors import (
    ApiError,
    BadKey,
    ClipError,
    ClipNotReady,
    CometVidError,
    ConnectionTrouble,
    JobNotFound,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    ServerTrouble,
    TransientError,
)
from .packing import READABLE, compressions, unpacked
from .retries import parse_retry_after
from .streams import ClipStream, HangUp, bounded


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read to its end."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    def to_json(self) -> Any:
        """The body as a JSON value.

        Raises:
            ValueError: it is not JSON, or nested too deeply to be honest.
        """
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    @property
    def is_html(self) -> bool:
        """Whether the body is a page for people: a gateway's, not the API's."""
        is_named = "html" in self.headers.get("Content-Type", "").lower()
        return is_named or self.body[:200].lstrip()[:1] == b"<"

    def retry_after_s(self, now_s: float) -> float | None:
        """The longest pause the headers ask for: Retry-After, or OpenAI's own poll hint."""
        seconds = parse_retry_after(self.headers.get("Retry-After"), now_s)
        milliseconds = parse_retry_after(self.headers.get("openai-poll-after-ms"), now_s)
        hints = [seconds, milliseconds / 1000 if milliseconds is not None else None]
        return max((hint for hint in hints if hint is not None), default=None)


def job_payload(answer: Answer, job_id: str) -> dict[str, Any]:
    """The JSON object that describes the job.

    Raises:
        ServerTrouble: a success status over something else (a gateway's page, half an answer).
    """
    try:
        payload = answer.to_json()
    except ValueError:
        kind = "an HTML page" if answer.is_html else "no JSON"
        raise ServerTrouble(f"The API answered {kind} when asked after {job_id}.") from None
    if not isinstance(payload, dict):
        raise ServerTrouble(f"The API answered JSON that describes no job ({job_id}).")
    is_bare = payload.keys().isdisjoint(("status", "state", "task_status"))
    if is_bare and not isinstance(payload.get("data"), dict):
        is_flat = _code_of(payload) is not None and _message_of(payload) != ""
        if is_flat or isinstance(payload.get("error"), dict | str):
            # Some gateways put an error under a 200.
            raise ServerTrouble(f"The API answered: {_message_of(payload) or 'an error'}")
    return payload


def refusal(answer: Answer, job_id: str, now_s: float) -> CometVidError:
    """The error that a status other than 2xx stands for."""
    status = answer.status_code
    message, code = "", None
    try:
        payload = answer.to_json()
    except ValueError:
        payload = None
    if isinstance(payload, dict):
        message, code = _message_of(payload), _code_of(payload)
    said = f": {message}" if message else (" with an HTML page" if answer.is_html else "")
    told = f"The API answered {status}{said}"
    hint_s = answer.retry_after_s(now_s)
    if status == 429:
        return RateLimited(told, retry_after_s=hint_s)
    if code == "task_not_exist":
        return JobNotFound(
            f"The API knows no job {job_id} under this key.", status_code=status, code=code
        )
    if status in (408, 425) or (status >= 500 and code != "invalid_request"):
        trouble = ServerTrouble(told, retry_after_s=hint_s)
        trouble.status_code, trouble.is_from_api = status, isinstance(payload, dict)
        return trouble
    if not isinstance(payload, dict):
        # A refusal that is not the API's JSON comes from something in between, or a wrong path.
        advice = "Check base_url (%cometvid config): it ends in /v1."
        rejected = RequestRejected(told, status_code=status, advice=advice)
        rejected.is_from_api = False
        return rejected
    kinds: dict[int, type[ApiError]] = {401: BadKey, 403: QuotaExceeded}
    return kinds.get(status, RequestRejected)(told, status_code=status, code=code)


def _message_of(payload: dict[str, Any]) -> str:
    error = payload.get("error")
    message = (error.get("message") if isinstance(error, dict) else error) or payload.get("message")
    if not isinstance(message, str):
        return ""
    # On one line, and free of what a terminal obeys and of what UTF-8 cannot say.
    return " ".join("".join(c if c.isprintable() else " " for c in message[:5000]).split())[:500]


def _code_of(payload: dict[str, Any]) -> str | None:
    error = payload.get("error")
    code = (error.get("code") if isinstance(error, dict) else None) or payload.get("code")
    return str(code)[:80] if isinstance(code, str) else None


def no_answer(error: Exception, of_whom: str, host: str) -> ConnectionTrouble:
    """The error for a request that got no answer, without the URL: a link may be signed."""
    reasons: dict[type[Exception], str] = {
        httpx.ConnectTimeout: "it did not let us connect in time",
        httpx.ConnectError: "it cannot be reached",
        httpx.ReadTimeout: "it did not answer in time",
        TimeoutError: "it did not answer in time",
        httpx.ReadError: "the connection was reset",
        httpx.WriteError: "the connection was reset",
        httpx.ProxyError: "the proxy will not let us through",
        httpx.TooManyRedirects: "it redirects without an end",
        httpx.DecodingError: "what it sent cannot be read",
        httpx.RemoteProtocolError: "it closed the connection in the middle",
    }
    reason = reasons.get(type(error), type(error).__name__)
    detail = str(error.__cause__ or error)
    advice = None
    if "CERTIFICATE" in detail.upper():
        reason = "its certificate cannot be trusted"
        advice = "A proxy or a wrong clock may be why; certificates are never waved through."
    elif isinstance(error, httpx.ConnectError) and "SSL" in detail.upper():
        reason = "it does not speak TLS as it should"
    elif isinstance(error, UnicodeError) or "getaddrinfo" in detail or _is_look_up(error):
        reason = "there is no host of that name, or no network"
    host = host[:100]
    trouble = ConnectionTrouble(f"No answer from {of_whom} at {host}: {reason}.", advice=advice)
    unsent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
    never = (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError)
    trouble.is_unsent = isinstance(error, (*unsent, *never))
    return trouble


def _is_look_up(error: BaseException | None) -> bool:
    """Whether it was the resolver that failed, at the root of it."""
    while error is not None and not isinstance(error, socket.gaierror):
        error = error.__cause__ or error.__context__
    return error is not None


def without_frames(error: BaseException) -> BaseException:
    """`error` and its causes without their frames.

    A verbose traceback prints local variables, and the frames of the HTTP library hold the
    Authorization header.
    """
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


NOT_THERE_YET = (202, 204, 205, 400, 404, 409)
"""How servers say that the clip of a completed job has not reached its place, or its store."""


def is_clip(response: httpx.Response) -> bool:
    """Whether an answer may be a clip; else it is a refusal, and its body is words."""
    is_json = "json" in response.headers.get("Content-Type", "").lower()
    return response.status_code in (200, 206) and not is_json


def clip_stream(response: httpx.Response, hang_up: HangUp, job_id: str, offset: int) -> ClipStream:
    """The clip in `response`, which `is_clip`, asked for from byte `offset` on.

    Raises:
        ClipError: it came packed in a way that cannot be read here.
    """
    start, total = 0, _int(response.headers.get("Content-Length"))
    if response.status_code == 206:
        start, total = _content_range(response.headers.get("Content-Range", ""), offset)
    marks = (response.headers.get("ETag"), response.headers.get("Last-Modified"))
    validator = marks[0] or marks[1]
    if validator and validator.startswith("W/"):
        validator = None  # RFC 9110 §13.1.5: a weak validator cannot guard a range
    # No chunk size: with one, httpx collects, and a break loses what it has collected.
    chunks = response.iter_raw()
    if packing := compressions(response.headers.get("Content-Encoding")):
        if len(packing) > 1 or packing[0] not in READABLE or start:
            raise ClipError(f"The clip of {job_id} came packed, which nobody had asked for.")
        # Lengths and ranges count packed bytes: it cannot go on in the middle.
        chunks, total, validator = unpacked(chunks, total, job_id), None, None
    return ClipStream(bounded(chunks, total, job_id), start, total, validator, hang_up, marks)


def clip_refusal(
    answer: Answer, job_id: str, now_s: float, *, is_own: bool, offset: int = 0
) -> CometVidError:
    """The error for a clip that was refused; `is_own`: by the API itself, whose words count.

    A link's host has no words for people.
    """
    status, hint_s = answer.status_code, answer.retry_after_s(now_s)
    if status == 416:
        return ClipError(f"The server has no clip of {job_id} beyond byte {offset}.")
    error = refusal(answer, job_id, now_s)
    if status < 300 or status in NOT_THERE_YET or _is_missing(answer):
        words = _words(answer) if status < 300 else f" {error}"
        told = words if is_own else f" Its link was answered with {status}."
        return ClipNotReady(
            f"The clip of {job_id} is not there yet, or no longer.{told}", retry_after_s=hint_s
        )
    if is_own:
        if isinstance(error, TransientError):
            return error
        return ClipError(f"The clip of {job_id} was refused. {error}", advice=error.advice)
    if status in (408, 425, 429) or status >= 500:
        return ServerTrouble(
            f"The clip of {job_id} was answered with {status}.", retry_after_s=hint_s
        )
    return ClipError(f"The clip of {job_id} was refused with {status}: its link may have expired.")


def _is_missing(answer: Answer) -> bool:
    """Whether a store of files says so under a 403: S3 and its kind, where nobody may list them."""
    is_denied = b"AccessDenied" in answer.body and b"expired" not in answer.body
    return answer.status_code == 403 and (is_denied or b"NoSuchKey" in answer.body)


def _words(answer: Answer) -> str:
    """What an answer that is no refusal says in place of a clip."""
    try:
        payload = answer.to_json()
    except ValueError:
        payload = None
    message = _message_of(payload) if isinstance(payload, dict) else ""
    return f" The API answered {answer.status_code}{f': {message}' if message else '.'}"


def _content_range(header: str, offset: int) -> tuple[int, int | None]:
    """(first byte, whole length) of `Content-Range: bytes 5-9/10`."""
    span, _, total = header.removeprefix("bytes").strip().partition("/")
    start = _int(span.partition("-")[0])
    return (offset if start is None else start), _int(total)


def _int(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
