"""Client: the video API over HTTP.

The key is added by an `httpx.Auth` that looks at each request's origin (`transport`), so that no
redirect, link or mistake of ours can carry it elsewhere. Logs carry method, path template and
status, never a URL: a signed link is as good as the clip.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, Self
from urllib.parse import quote

import httpx

from ..errors import (
    CometVidError,
    ConnectionTrouble,
    JobNotFound,
    MissingKey,
    OutcomeUnknown,
    RateLimited,
    ServerTrouble,
    TransientError,
)
from ..job.ids import check_job_id
from ..job.job import Job, Polled
from ..job.status import JobStatus
from ..settings import Settings, origin_of
from .answers import (
    Answer,
    clip_refusal,
    clip_stream,
    job_payload,
    no_answer,
    refusal,
    without_frames,
)
from .connections import Connections
from .form_text import IMAGE_FIELD
from .new_job import NewJob
from .retries import backoff_s, is_not_found_final, retry_delay_s
from .streams import ClipStream, HangUp
from .threads import in_thread
from .transport import AnyHttp, AsyncHttp, Body, Http, open_http, send_for_clip, trusted
from .turns import Turns

log = logging.getLogger("cometvid_nb.api.client")
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
CREATE_TIMEOUT = httpx.Timeout(180.0, connect=10.0)
"""Whoever gives up on the answer may pay for the job twice, so this is patient."""
ANSWER_WITHIN_S, CREATED_WITHIN_S = 60.0, 600.0
"""For the whole of an answer: one that trickles in never meets the timeout of a read."""
MOST_CREATE_ATTEMPTS = 4
MOST_CLIPS_AT_ONCE = 12
"""The other clips wait here and not in the pool of httpx, whose timeout would run meanwhile."""
TO_BE_KEPT = httpx.Limits(max_connections=1, keepalive_expiry=None)
"""`Connections` decides for how long."""
NOT_TO_BE_KEPT = httpx.Limits(max_connections=MOST_CLIPS_AT_ONCE, max_keepalive_connections=0)
"""A clip's own connection can be hung up at any time."""
NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)
"""What httpx raises where no answer comes: a name that no resolver takes is a `UnicodeError`."""


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
        self.turns = Turns()
        """One rate for all that asks through this client; `poll` itself waits for no turn."""
        self._trust: ssl.SSLContext | None = None
        self._connections = Connections(lambda: self._open(AsyncHttp, TO_BE_KEPT))
        # Connections of their own: slow clips must not hold up the polls.
        self._clip_http: Http | None = None
        self._clip_places = asyncio.Semaphore(MOST_CLIPS_AT_ONCE)
        self._rng = random.Random()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. The next request opens new ones."""
        clip_http, self._clip_http = self._clip_http, None
        await self._connections.aclose()
        if clip_http is not None:
            clip_http.close()

    async def poll(self, job_id: str) -> Polled:
        """The job as it stands now, by one request without a retry.

        Raises:
            TransientError: no usable answer this time.
            ApiError: a refusal (`JobNotFound` may be false within 10 s of the job's creation).
            MissingKey: no key is set; nothing was sent.
        """
        answer = await self._request("GET", "/videos/{id}", job_id)
        job = Job.parse(job_payload(answer, job_id), job_id=job_id)
        # Under the id that was asked for, whatever the answer calls it: an id is also a file name.
        job = job if job.id == job_id else replace(job, id=job_id)
        return Polled(job, answer.retry_after_s(time.time()))

    async def retrieve(self, job_id: str, *, max_failures: int = 4) -> Job:
        """The job as it stands now; a poll that fails for a while is repeated a few times.

        An unknown id is believed only after 3 refusals over 10 s, as the API may not know a new
        job for some seconds.

        Raises:
            TransientError: `max_failures` polls in a row got no usable answer.
            ApiError: a refusal. ValueError: `job_id` cannot be an id.
        """
        job_id = check_job_id(job_id)
        failures = not_found_times = 0
        first_not_found_at_s = 0.0
        while True:
            now_s = time.time()
            try:
                async with self.turns.after_hold():
                    return (await self.poll(job_id)).job
            except JobNotFound:
                not_found_times += 1
                first_not_found_at_s = first_not_found_at_s or now_s
                if is_not_found_final(not_found_times, first_not_found_at_s, time.time()):
                    raise
                delay_s = 5.0
            except TransientError as error:
                failures += 1
                if failures >= max_failures:
                    raise
                delay_s = retry_delay_s(backoff_s(failures - 1, self._rng), error.retry_after_s)
            await asyncio.sleep(delay_s)

    async def create(self, new: NewJob, *, idempotency_key: str | None = None) -> Job:
        """Ask for a new job, or a remix, exactly once.

        The request is repeated only when it was provably not accepted: no connection was made,
        or the API itself answered 429 or 503. `idempotency_key` goes along, for gateways that
        know the header.

        Raises:
            ApiError: the API refused; nothing was made.
            TransientError: it was not accepted, several times in a row; nothing was made.
            OutcomeUnknown: the answer was lost, so there may be a job.
        """
        key = idempotency_key or uuid.uuid4().hex
        for attempt in range(1, MOST_CREATE_ATTEMPTS + 1):
            try:
                async with self.turns.after_hold():
                    answer = await self._post(new, key)
            except (RateLimited, ServerTrouble, ConnectionTrouble) as error:
                if not _is_unaccepted(error):
                    raise OutcomeUnknown(f"The answer to the new job was lost. {error}") from error
                if attempt == MOST_CREATE_ATTEMPTS:
                    raise
                delay_s = retry_delay_s(backoff_s(attempt - 1, self._rng), error.retry_after_s)
                await asyncio.sleep(delay_s)
            else:
                return self._created(answer, new)
        raise AssertionError("unreachable")

    async def _post(self, new: NewJob, idempotency_key: str) -> Answer:
        headers = {"Idempotency-Key": idempotency_key}
        if new.remix_of is not None:
            template = "/videos/{id}/remix"
            options = {
                "json": dict(new.fields),
                "headers": headers,
                "timeout": CREATE_TIMEOUT,
            }
            return await self._request("POST", template, new.remix_of, **options)
        # The endpoint takes a multipart form; httpx makes one only where there are "files". The
        # order of images means something: first and last frame, or what the prompt counts.
        files: list[tuple[str, Any]] = [(name, (None, text)) for name, text in new.fields.items()]
        files += [
            (IMAGE_FIELD, (image.name, image.content, image.media_type)) for image in new.images
        ]
        return await self._request(
            "POST", "/videos", "", files=files, headers=headers, timeout=CREATE_TIMEOUT
        )

    def _created(self, answer: Answer, new: NewJob) -> Job:
        try:
            job = Job.parse(job_payload(answer, "the new one"))
            check_job_id(job.id)
        except (ServerTrouble, ValueError) as error:
            raise OutcomeUnknown("The API accepted the job, but its answer names no id.") from error
        # Some gateways answer with the id alone: what was asked for is known here.
        asked = Job.parse(dict(new.fields))
        return replace(
            job,
            status=job.status if job.status_word else JobStatus.QUEUED,
            status_word=job.status_word or JobStatus.QUEUED.value,
            prompt=job.prompt or new.prompt,
            model=job.model or new.model,
            duration_s=job.duration_s or (float(new.seconds) if new.seconds else None),
            width=job.width or asked.width,
            height=job.height or asked.height,
            remixed_from=job.remixed_from or new.remix_of,
        )

    async def thumbnail(self, job_id: str) -> bytes | None:
        """A small picture of a completed job's clip, or None where the API has none."""
        try:
            template = "/videos/{id}/content"
            answer = await self._request("GET", template, job_id, params={"variant": "thumbnail"})
        except CometVidError:
            return None  # "when supported", says the reference
        return answer.body

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
        headers = {"Accept": "video/*, application/octet-stream"}
        if offset and validator:
            headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
        of_whom, host = f"the clip of {job.id}", origin_of(url)[1]
        async with self._clip_places:
            if self._clip_http is None:
                self._clip_http = self._open(Http, NOT_TO_BE_KEPT)
            try:
                request = self._clip_http.build_request("GET", url, headers=headers)
                api_host = self.settings.origin[1]
                hang_up = HangUp()
                response = await send_for_clip(self._clip_http, request, hang_up, api_host, job.id)
            except NO_ANSWER as error:
                raise no_answer(error, of_whom, host) from without_frames(error)
            try:
                log.debug("GET clip of %s: %s", job.id, response.status_code)
                if is_own and response.status_code >= 400 and response.status_code != 416:
                    # The API's own words; a link's host has none for people.
                    body = await _whole(response, hang_up)
                    told = Answer(response.status_code, response.headers, body)
                    raise clip_refusal(told, job.id, time.time())
                yield clip_stream(response, hang_up, job.id, offset)
            except httpx.HTTPError as error:
                raise no_answer(error, of_whom, host) from without_frames(error)
            finally:
                response.close()

    def _url(self, template: str, job_id: str) -> str:
        return self.settings.base_url + template.replace("{id}", quote(job_id, safe=""))

    def _open(self, kind: type[AnyHttp], limits: httpx.Limits) -> AnyHttp:
        self._trust = self._trust or trusted()
        return open_http(kind, self.settings, TIMEOUT, limits, self._trust)

    async def _request(self, method: str, template: str, job_id: str, **options: Any) -> Answer:
        if self.settings.api_key is None:
            raise MissingKey
        url = self._url(template, job_id)
        within_s = CREATED_WITHIN_S if "timeout" in options else ANSWER_WITHIN_S
        try:
            # What must be sent once goes over a connection that nobody has hung up on meanwhile.
            async with self._connections.lend(is_fresh=method == "POST") as http:
                request = http.build_request(method, _parsed(url), **options)
                async with asyncio.timeout(within_s):
                    response = await http.send(request, stream=True)
                    try:
                        body = Body(response)
                        async for chunk in response.aiter_raw():
                            body.add(chunk)
                    finally:
                        await response.aclose()
        except NO_ANSWER as error:
            raise no_answer(error, "the API", origin_of(url)[1]) from without_frames(error)
        log.debug("%s %s: %s", method, template, response.status_code)
        answer = Answer(response.status_code, response.headers, bytes(body))
        if response.is_success:
            return answer
        raise refusal(answer, job_id, time.time())


@lru_cache(maxsize=4096)
def _parsed(url: str) -> httpx.URL:
    # The same few addresses of the API, again and again.
    return httpx.URL(url)


def _is_unaccepted(error: TransientError) -> bool:
    """Whether the API provably made nothing of the request that met this error."""
    if isinstance(error, ConnectionTrouble):
        return error.is_unsent
    return isinstance(error, RateLimited) or (
        isinstance(error, ServerTrouble) and error.status_code == 503 and error.is_from_api
    )


async def _whole(response: httpx.Response, hang_up: HangUp) -> bytes:
    """The body of a refusal, or nothing if it does not come in time."""

    def read() -> bytes:
        body = Body(response)
        for chunk in response.iter_raw():
            body.add(chunk)
        return bytes(body)

    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await in_thread(read, interrupt=hang_up.now)
    except TimeoutError:
        return b""
