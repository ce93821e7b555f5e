"""Answers: what an HTTP answer means, a job's JSON or one of our errors with the API's message."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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
    MissingKey,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    ServerTrouble,
    TransientError,
)
from ..job.job import Job
from ..job.reading import Reading
from ..job.reasons import Reason, reason_of
from ..job.status import JobStatus
from ..job.values import LONGEST_TEXT, MOST_SAID, number_of, one_line
from ..settings import Settings
from .packing import READABLE, compressions, unpacked
from .retries import parse_retry_after
from .streams import ClipStream, HangUp, bounded

NOT_JSON = object()
"""The payload of an answer whose body is no JSON, as None is JSON too."""
BASE_URL_ADVICE = "Check base_url with %cometvid config: it should end in /v1."
MOST_KEPT = 2000
"""Characters kept of an answer that nobody can read an id from."""

_HUNG_UP = re.compile(r"disconnected|closed connection|incomplete", re.IGNORECASE)
"""How h11 and httpcore word the end of a connection, beside all else that is no HTTP."""
_UNKNOWN_JOB = re.compile(r"\btask(?:_origin)?[_ ](?:does[_ ])?not[_ ]exists?\b", re.IGNORECASE)
_ID_FIELD = re.compile(
    r'"(?:(?:task|video|job|generation|operation|prediction)[_-]?)?(?:uu)?ids?"\s*:\s*'
    r'(?!null|false|""|\[\]|\{\})\S',
    re.IGNORECASE,
)
"""A field of a job's id, also where a parser drops it: in a key that comes twice, or deep."""
_MAYBE_MADE = re.compile(
    r"time.?out|timed.out|deadline.exceeded|超时|\b(?:video|task|job)_(?=\w*\d)\w{3}", re.IGNORECASE
)
"""Words of an error after which a job may go on, or the id of one."""
_WRONG_PATH = re.compile(
    r"invalid url|cannot (?:get|post) /|no route|(?:page|route|path|endpoint) not found",
    re.IGNORECASE,
)
_KINDS_BY_NUMBER: dict[float | None, type[ApiError | TransientError]] = {
    401: BadKey,
    402: QuotaExceeded,
    403: QuotaExceeded,
    429: RateLimited,
}
_KINDS_BY_WORDS: tuple[tuple[type[ApiError | TransientError], re.Pattern[str]], ...] = (
    (
        QuotaExceeded,
        re.compile(
            r"quota|insufficient.{0,20}(?:balance|credit|fund)|billing|payment required"
            r"|(?:balance|credits?) .{0,20}not enough|not enough .{0,20}(?:balance|credit)"
            r"|余额|额度|欠费"
        ),
    ),
    (RateLimited, re.compile(r"rate.?limit|too.many.requests|too frequent|频率|速率")),
    (
        BadKey,
        re.compile(
            r"(?:invalid|incorrect|wrong|missing|expired|revoked).{0,20}(?:api.?key|token)"
            r"|(?:api.?key|token).{0,20}(?:invalid|incorrect|wrong|missing|expired|revoked)"
            r"|unauthori[sz]ed|authentication|令牌"
        ),
    ),
    (
        ServerTrouble,
        re.compile(
            r"internal.{0,10}error|server.?error|system.?(?:error|busy)|timed.out"
            r"|(?:upstream|gateway|request).{0,20}time.?out|deadline.exceeded"
        ),
    ),
)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end. `location` is the header of that name, "" if none."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes
    location: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status_code < 300

    @cached_property
    def payload(self) -> Any:
        """The body as a JSON value; `NOT_JSON` if it is none, or nested too deeply to be honest."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return NOT_JSON

    @cached_property
    def reason(self) -> Reason:
        """What the body says went wrong: a JSON error in any form, or plain text."""
        if self.payload is not NOT_JSON:
            return reason_of(self.payload)
        text = self.body[:MOST_KEPT].decode("utf-8", "replace")
        return Reason() if self.is_html or "\0" in text else reason_of(text)

    @property
    def proves_nothing_made(self) -> bool:
        """Whether this error is the API's own and tells of no job, so that no job was made.

        A gateway before the API may give up on a request that the API goes on with; what "timed
        out" may be under way. A job is told of by an id, anywhere, or by a state of going on.
        """
        reading = Reading(self.payload)
        if not reading.is_own_error or reading.names_job or self.location:
            return False
        text = self.body.decode(json.detect_encoding(self.body), "replace")
        is_going_on = reading.status not in (JobStatus.UNKNOWN, JobStatus.FAILED)
        return not (is_going_on or _ID_FIELD.search(text) or _says(_MAYBE_MADE, self.reason))

    @property
    def piece(self) -> str:
        """The status, the Location and a piece of the body as one line of text."""
        where = f" Location: {self.location}" if self.location else ""
        text = self.body[: 4 * MOST_KEPT].decode("utf-8", "replace")
        return one_line(f"HTTP {self.status_code}{where} {text}", MOST_KEPT)

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


def polled_job(answer: Answer, job_id: str, base_url: str, now_s: float) -> Job:
    """The job as the answer to a poll describes it.

    A body that describes this job and says a final word is believed whatever the HTTP status:
    vLLM-Omni answers the poll of a failed job with the status of its failure. A 202 or 204 that
    describes nothing means that there is no news yet: see `Job.pending`.

    Raises:
        ApiError: a refusal.
        TransientError: no usable answer this time; or a success status over an error, or over
            something else (a gateway's page, half an answer).
    """
    payload = answer.payload
    reading = Reading(payload, job_id, base_url)
    if not answer.is_success:
        if reading.status.is_final and reading.looks_like_job():
            return Job.of(reading)
        raise refusal(answer, job_id, now_s, is_poll=True)
    if not reading.is_told and (reason := reading.error or reading.remark) is not None:
        raise _hidden_trouble(reason, job_id)
    is_page = answer.body.lstrip()[:1] == b"<"
    if answer.status_code in (202, 204) and not is_page and not reading.status_word:
        return Job.pending(job_id)
    if payload is NOT_JSON:
        kind = "an HTML page" if answer.is_html else "no JSON"
        raise ServerTrouble(f"The API answered {kind} when asked about {job_id}.")
    if not reading.layers:
        raise ServerTrouble(f"The API answered JSON that describes no job ({job_id}).")
    return Job.of(reading)


def refusal(
    answer: Answer, job_id: str, now_s: float, *, is_poll: bool = False
) -> ApiError | TransientError:
    """The error that a status other than 2xx stands for, in the API's own words.

    `is_poll`: the job itself was asked for, so that a 404 of the API says that there is none.
    """
    status = answer.status_code
    reason = answer.reason
    is_from_api = isinstance(answer.payload, dict | list)
    told = f"The API answered {status}{_words_of(answer)}"
    hint_s = answer.retry_after_s(now_s)
    if status == 429:
        limited = RateLimited(told, retry_after_s=hint_s)
        limited.is_unaccepted = answer.proves_nothing_made
        return limited
    is_missing = is_poll and status == 404 and is_from_api and not _says(_WRONG_PATH, reason)
    if job_id and (is_missing or _says(_UNKNOWN_JOB, reason)):
        return _not_found(job_id, status, reason)
    if status in (408, 425) or (status >= 500 and reason.code != "invalid_request"):
        trouble = ServerTrouble(told, retry_after_s=hint_s)
        trouble.is_unaccepted = status == 503 and answer.proves_nothing_made
        return trouble
    kinds: dict[int, type[ApiError]] = {401: BadKey, 402: QuotaExceeded, 403: QuotaExceeded}
    # A refusal that is not the API's JSON comes from something in between, or a wrong path.
    is_trusted = is_from_api or (status == 401 and not answer.is_html)
    kind = kinds.get(status, RequestRejected) if is_trusted else RequestRejected
    is_path = status in (404, 405) or not (is_from_api or reason.message)
    advice = BASE_URL_ADVICE if is_path and kind is RequestRejected else None
    rejected = kind(told, status_code=status, code=reason.code, advice=advice)
    if isinstance(rejected, RequestRejected):
        rejected.is_from_api = is_from_api
    return rejected


def kind_of(reason: Reason) -> type[ApiError | TransientError]:
    """The kind of an error that no HTTP status tells, by its code, else by its words."""
    number = number_of(reason.code)
    if (kind := _KINDS_BY_NUMBER.get(number)) is not None:
        return kind
    if number is not None and 500 <= number <= 599:
        return ServerTrouble
    words = f"{reason.code} {reason.message}".lower()[:MOST_SAID]
    return next((kind for kind, said in _KINDS_BY_WORDS if said.search(words)), RequestRejected)


def for_want_of_a_key(error: CometVidError, settings: Settings) -> CometVidError:
    """`error`, or with other advice where a server refuses for want of a key that is not set."""
    if settings.api_key is not None or not isinstance(error, BadKey | QuotaExceeded):
        return error
    return type(error)(
        f"{str(error).rstrip('.')}. No API key is set.",
        status_code=error.status_code,
        code=error.code,
        advice=MissingKey.advice,
    )


def _hidden_trouble(reason: Reason, job_id: str) -> ApiError | TransientError:
    """The error that the answer to a poll hides under a 2xx; it may pass, but for an unknown id."""
    if _says(_UNKNOWN_JOB, reason):
        return _not_found(job_id, 200, reason)
    kind = RateLimited if kind_of(reason) is RateLimited else ServerTrouble
    return kind(f"The API answered: {one_line(reason.message or 'an error')}")


def _not_found(job_id: str, status: int, reason: Reason) -> JobNotFound:
    told = f"The API knows no job {job_id} under this key"
    said = f" ({status}: {one_line(reason.message)})" if reason.message else f" ({status})"
    if _says(_UNKNOWN_JOB, reason):
        more = (reason.message or "").replace(job_id, "").strip(" :.")
        is_bare = not more or _UNKNOWN_JOB.fullmatch(more)
        message = f"{told}{'' if is_bare else said}."
        return JobNotFound(message, status_code=status, code=reason.code)
    # A wrong path may be answered just so.
    advice = f"{JobNotFound.advice} {BASE_URL_ADVICE}"
    return JobNotFound(f"{told}{said}.", status_code=status, code=reason.code, advice=advice)


def _words_of(answer: Answer) -> str:
    if answer.reason.message:
        return f": {one_line(answer.reason.message)}"
    if answer.location:
        return f", a redirect to {one_line(answer.location, 200)}"
    return " with an HTML page" if answer.is_html else ""


def _says(pattern: re.Pattern[str], reason: Reason) -> bool:
    return any(pattern.search(text[:LONGEST_TEXT]) for text in reason if text)


def no_answer(error: Exception, of_whom: str, host: str) -> ConnectionTrouble:
    """The error for a request that got no answer, without the URL: a link may be signed."""
    words: dict[type[Exception], str] = {
        httpx.ConnectTimeout: "connecting to it took too long",
        httpx.ConnectError: "it cannot be reached",
        httpx.ReadTimeout: "it did not answer in time",
        TimeoutError: "it did not answer in time",
        httpx.ReadError: "the connection was reset",
        httpx.WriteError: "the connection was reset",
        httpx.ProxyError: "the proxy refused the connection",
        httpx.TooManyRedirects: "it redirects endlessly",
        httpx.DecodingError: "its answer cannot be read",
        httpx.RemoteProtocolError: "it closed the connection too early",
    }
    reason = words.get(type(error), type(error).__name__)
    detail = str(error.__cause__ or error)
    if isinstance(error, httpx.RemoteProtocolError) and not _HUNG_UP.search(detail):
        reason = "what it sent cannot be read"
    advice = None
    if "CERTIFICATE" in detail.upper():
        reason = "its certificate cannot be trusted"
        advice = "Check the clock of this machine and any proxy: certificates are always verified."
    elif isinstance(error, httpx.ConnectError) and "SSL" in detail.upper():
        reason = "its TLS connection failed"
    elif isinstance(error, UnicodeError) or "getaddrinfo" in detail or _is_look_up(error):
        reason = "there is no such host, or no network"
    host = host[:100]
    return ConnectionTrouble(f"No answer from {of_whom} at {host}: {reason}.", advice=advice)


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
            raise ClipError(f"The clip of {job_id} came compressed in a way that cannot be read.")
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
        return ClipError(f"The server has no more of the clip of {job_id} after byte {offset}.")
    error = refusal(answer, job_id, now_s)
    if status < 300 or status in NOT_THERE_YET or _is_missing(answer):
        said = f" The API answered {status}{_words_of(answer) or '.'}"
        words = said if status < 300 else f" {error}"
        told = words if is_own else f" Its link was answered with {status}."
        return ClipNotReady(
            f"The clip of {job_id} is not available yet, or no longer.{told}", retry_after_s=hint_s
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


def _content_range(header: str, offset: int) -> tuple[int, int | None]:
    """(first byte, whole length) of `Content-Range: bytes 5-9/10`."""
    span, _, total = header.removeprefix("bytes").strip().partition("/")
    start = _int(span.partition("-")[0])
    return (offset if start is None else start), _int(total)


def _int(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
