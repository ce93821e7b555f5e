"""Client: the video API over HTTP, the only module that knows HTTP.

The key is added by an `httpx.Auth` that looks at each request's origin, so that no redirect, link
or mistake of ours can carry it elsewhere. Logs carry method, path template and status, never a
URL: a signed link is as good as the clip.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import httpx

from .answer import Answer, job_payload, no_answer, refusal, without_frames
from .errors import ClipError, JobNotFound, MissingKey, ServerTrouble, TransientError
from .job import Job, Polled, check_job_id
from .pacing import HINT_CAP_S, backoff_s, is_not_found_final, parse_retry_after
from .settings import Secret, Settings, origin_of

log = logging.getLogger("cometvid_nb.client")
# httpx logs every URL at INFO, signed links included.
logging.getLogger("httpx").addFilter(lambda record: record.levelno >= logging.WARNING)
logging.getLogger("httpcore").addFilter(lambda record: record.levelno >= logging.WARNING)

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
MOST_ANSWER_BYTES = 4 * 1024 * 1024
"""A job's description is a few hundred bytes; what is larger than this is no description."""
MOST_CONNECTIONS = 16
NOT_PROXIED = ("localhost", "127.0.0.1", "[::1]")
"""This machine: the proxy of a company cannot reach it, and must not be asked with the key."""


@dataclass(frozen=True, slots=True)
class ClipStream:
    """The bytes of a clip from `offset` on.

    `total_bytes` counts the whole clip, None = unknown;
    `validator` is what a later Range request must name in If-Range, None = cannot be resumed.
    """

    chunks: AsyncIterator[bytes]
    offset: int
    total_bytes: int | None
    validator: str | None


class Client:
    """The API, asynchronously: `async with Client() as client: job = await client.retrieve(id)`.

    Without `settings` the key and the base URL come from the environment. A client belongs to
    the event loop it is first used in.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        if settings is None:
            import os

            settings = Settings.from_environ(os.environ)
        self.settings = settings
        self._http: httpx.AsyncClient | None = None
        self._rng = random.Random()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. The next request opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def poll(self, job_id: str) -> Polled:
        """Ask once after a job: one request, no retry.

        Raises:
            TransientError: no usable answer this time.
            ApiError: a refusal (`JobNotFound` may be false within 10 s of the job's creation).
            MissingKey: no key is set; nothing was sent.
        """
        answer = await self._request("GET", "/videos/{id}", job_id)
        job = Job.parse(job_payload(answer, job_id), job_id=job_id)
        return Polled(job, answer.retry_after_s(time.time()))

    async def retrieve(self, job_id: str, *, max_failures: int = 4) -> Job:
        """The job as it stands now; what is transient is asked again a few times.

        An unknown id is believed only after 3 refusals over 10 s, as the API may not know a new
        job for some seconds.

        Raises:
            TransientError: `max_failures` questions in a row got no usable answer.
            ApiError: a refusal. ValueError: `job_id` cannot be an id.
        """
        job_id = check_job_id(job_id)
        failures = not_found_times = 0
        first_not_found_at_s = 0.0
        while True:
            now_s = time.time()
            try:
                return (await self.poll(job_id)).job
            except JobNotFound:
                not_found_times += 1
                first_not_found_at_s = first_not_found_at_s or now_s
                if is_not_found_final(not_found_times, first_not_found_at_s, time.time()):
                    raise
                delay_s = 5.0
            except TransientError as error:
                not_found_times, first_not_found_at_s = 0, 0.0  # "in a row", and this is none
                failures += 1
                if failures >= max_failures:
                    raise
                hint_s = min(error.retry_after_s or 0.0, HINT_CAP_S)
                delay_s = max(backoff_s(failures - 1, self._rng), hint_s)
            await asyncio.sleep(delay_s)

    @asynccontextmanager
    async def open_clip(
        self, job: Job, *, by_link: bool = True, offset: int = 0, validator: str | None = None
    ) -> AsyncIterator[ClipStream]:
        """The clip of a completed job: through its link, else through `/videos/{id}/content`.

        `by_link=False` takes the second road at once. With `offset` and `validator` the answer
        begins at that byte, if the server can and the clip is still the same; look at `.offset`.

        Raises:
            ClipError: the server will not give it (the link has expired, say).
            TransientError: no usable answer this time, or the stream broke.
        """
        url = (
            job.video_url
            if by_link and job.video_url
            else self._url("/videos/{id}/content", job.id)
        )
        is_own = origin_of(url) == self.settings.origin
        if is_own and self.settings.api_key is None:
            raise MissingKey
        # A transport's own compression would make lengths and ranges mean something else.
        headers = {"Accept": "video/*, application/octet-stream", "Accept-Encoding": "identity"}
        if offset and validator:
            headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
        try:
            request = self._client().build_request("GET", url, headers=headers)
            response = await self._client().send(request, stream=True, follow_redirects=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise no_answer(error, f"the clip of {job.id}", origin_of(url)[1]) from without_frames(
                error
            )
        try:
            log.debug("GET clip of %s: %s", job.id, response.status_code)
            yield _clip_stream(response, job.id, offset)
        except httpx.HTTPError as error:
            raise no_answer(error, f"the clip of {job.id}", origin_of(url)[1]) from without_frames(
                error
            )
        finally:
            await response.aclose()

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(
                auth=_OriginAuth(self.settings.origin, self.settings.api_key),
                timeout=TIMEOUT,
                limits=httpx.Limits(max_connections=MOST_CONNECTIONS),
                mounts={f"all://{host}": None for host in NOT_PROXIED},
                headers={"User-Agent": "cometvid-nb", "Accept": "application/json"},
            )
        return self._http

    def _url(self, template: str, job_id: str) -> str:
        return self.settings.base_url + template.replace("{id}", quote(job_id, safe=""))

    async def _request(self, method: str, template: str, job_id: str, **options: Any) -> Answer:
        if self.settings.api_key is None:
            raise MissingKey
        url = self._url(template, job_id)
        try:
            async with self._client().stream(method, url, **options) as response:
                body = await _read_bounded(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise no_answer(error, "the API", origin_of(url)[1]) from without_frames(error)
        log.debug("%s %s: %s", method, template, response.status_code)
        answer = Answer(response.status_code, response.headers, body)
        if response.is_success:
            return answer
        raise refusal(answer, job_id, time.time())


class _OriginAuth(httpx.Auth):
    """Adds the key to requests to one origin, and to no other."""

    def __init__(self, origin: tuple[str, str, int], key: Secret | None) -> None:
        self._origin = origin
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._key is not None and origin_of(str(request.url)) == self._origin:
            request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


async def _read_bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_ANSWER_BYTES:
            raise httpx.DecodingError("the answer is far too large", request=response.request)
    return bytes(body)


def _clip_stream(response: httpx.Response, job_id: str, offset: int) -> ClipStream:
    status = response.status_code
    if status in (200, 206):
        start, total = 0, _int(response.headers.get("Content-Length"))
        if status == 206:
            start, total = _content_range(response.headers.get("Content-Range", ""), offset)
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and validator.startswith("W/"):
            validator = None  # RFC 9110 §13.1.5: a weak validator cannot guard a range
        return ClipStream(response.aiter_bytes(1 << 18), start, total, validator)
    if status == 416:
        raise ClipError(f"The server has no clip of {job_id} beyond byte {offset}.")
    if status in (408, 425, 429) or status >= 500:
        raise ServerTrouble(
            f"The clip of {job_id} was answered with {status}.",
            retry_after_s=parse_retry_after(response.headers.get("Retry-After"), time.time()),
        )
    raise ClipError(
        f"The clip of {job_id} was refused with {status}: its link may have expired.",
    )


def _content_range(header: str, offset: int) -> tuple[int, int | None]:
    """(first byte, whole length) of `Content-Range: bytes 5-9/10`."""
    span, _, total = header.removeprefix("bytes").strip().partition("/")
    start = _int(span.partition("-")[0])
    return (offset if start is None else start), _int(total)


def _int(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
