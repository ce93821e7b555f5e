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
    ApiError,
    ConnectionTrouble,
    JobNotFound,
    OutcomeUnknown,
    TransientError,
)
from ..job.ids import check_job_id
from ..job.job import Job, Polled
from ..settings import Settings, origin_of
from .accepted import made_job
from .answers import (
    Answer,
    clip_refusal,
    clip_stream,
    for_want_of_a_key,
    is_clip,
    no_answer,
    polled_job,
    refusal,
    without_frames,
)
from .connections import Connections, HostPlaces
from .data_urls import decoded, is_data_url
from .form_text import IMAGE_FIELD
from .new_job import NewJob
from .pictures import read_picture
from .retries import backoff_s, is_not_found_final, retry_delay_s
from .streams import ClipStream, HangUp, bounded
from .threads import in_thread
from .transport import (
    AnyHttp,
    AsyncHttp,
    Body,
    Http,
    Sending,
    open_http,
    send_for_clip,
    surroundings_of,
    trusted,
)
from .turns import Turns

log = logging.getLogger("cometvid_nb.api.client")
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
CREATE_TIMEOUT = httpx.Timeout(180.0, connect=10.0)
"""Whoever gives up on the answer may pay for the job twice, so this is patient."""
ANSWER_WITHIN_S, CREATED_WITHIN_S = 60.0, 600.0
"""For the whole of an answer: one that trickles in never meets the timeout of a read."""
MOST_CREATE_ATTEMPTS = 4
MOST_CLIPS_AT_ONCE, MOST_CLIPS_OF_ALL_HOSTS = 12, 48
"""Of one host, and of all. The other clips wait here and not in the pool of httpx, whose timeout
would run meanwhile, and have no file open yet."""
HEADER_WITHIN_S = 60.0
"""From the request for a clip to the end of the last header, redirects included."""
TO_BE_KEPT = httpx.Limits(max_connections=1, keepalive_expiry=None)
"""`Connections` decides for how long."""
NOT_TO_BE_KEPT = httpx.Limits(max_connections=MOST_CLIPS_OF_ALL_HOSTS, max_keepalive_connections=0)
"""A clip's own connection can be hung up at any time."""
NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)
"""What httpx raises where no answer comes: a name that no resolver takes is a `UnicodeError`."""


class Client:
    """The API, asynchronously: `async with Client(settings) as client: await client.retrieve(id)`.

    A client belongs to the event loop it is first used in.

    Raises:
        SettingsError: the settings lead to no API. MissingKey: the API needs a key.
    """

    def __init__(self, settings: Settings) -> None:
        settings.check_api()
        self.settings = settings
        self.turns = Turns()
        """One rate for all that asks through this client; `poll` itself waits for no turn."""
        self._trusts: dict[tuple[bool, str], ssl.SSLContext] = {}
        self._connections = Connections(
            lambda: self._open(AsyncHttp, settings.base_url, TO_BE_KEPT)
        )
        # Connections of their own: slow clips must not hold up the polls.
        self._clip_https: dict[tuple[bool, str], Http] = {}
        self.clip_places = HostPlaces(MOST_CLIPS_AT_ONCE, MOST_CLIPS_OF_ALL_HOSTS)
        """For whatever brings a clip; "" is this machine."""
        self._rng = random.Random()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. The next request opens new ones."""
        clip_https, self._clip_https = self._clip_https, {}
        await self._connections.aclose()
        for clip_http in clip_https.values():
            clip_http.close()

    async def poll(self, job_id: str) -> Polled:
        """The job as it stands now, by one request without a retry.

        Raises:
            TransientError: no usable answer this time.
            ApiError: a refusal (`JobNotFound` may be false within 10 s of the job's creation).
        """
        answer = await self._ask("GET", "/videos/{id}", job_id)
        now_s = time.time()
        try:
            job = polled_job(answer, job_id, self.settings.base_url, now_s)
        except ApiError as error:
            raise for_want_of_a_key(error, self.settings) from None
        # Under the id that was asked for, whatever the answer calls it: an id is also a file name.
        job = job if job.id == job_id else replace(job, id=job_id)
        return Polled(job, answer.retry_after_s(now_s))

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

        The request is repeated only when it was provably not accepted: it was never sent, or the
        API itself answered 429 or 503 with an error that names no job. `idempotency_key` goes
        along, for gateways that know the header.

        Raises:
            ApiError: the API refused; nothing was made.
            TransientError: it was not accepted, several times in a row; nothing was made.
            OutcomeUnknown: the answer was lost or cannot be read, so there may be a job.
        """
        key = idempotency_key or uuid.uuid4().hex
        for attempt in range(1, MOST_CREATE_ATTEMPTS + 1):
            try:
                async with self.turns.after_hold():
                    answer = await self._post(new, key)
                    url = self._url(*_place_of(new))
                    return made_job(answer, new, url, self.settings.base_url, time.time())
            except TransientError as error:
                if isinstance(error, ConnectionTrouble) and not error.is_unaccepted:
                    lost = OutcomeUnknown(f"The answer to the new job was lost. {error}")
                    lost.answer = error.answer
                    raise lost from error
                if not error.is_unaccepted or attempt == MOST_CREATE_ATTEMPTS:
                    error.advise("No job was created, so it is safe to try again.")
                    raise
                delay_s = retry_delay_s(backoff_s(attempt - 1, self._rng), error.retry_after_s)
                await asyncio.sleep(delay_s)
            except ApiError as error:
                if attempt > 1 and error.status_code == 409:
                    # It knows the key of this request, which it had refused: as under way?
                    raise OutcomeUnknown(f"The answer to the new job was lost. {error}") from error
                raise for_want_of_a_key(error, self.settings) from None
        raise AssertionError("unreachable")

    async def _post(self, new: NewJob, idempotency_key: str) -> Answer:
        options: dict[str, Any] = {"headers": {"Idempotency-Key": idempotency_key}}
        if new.remix_of is not None:
            options["json"] = dict(new.fields)
        else:
            # The endpoint takes a multipart form; httpx makes one only where there are "files". The
            # order of images means something: first and last frame, or what the prompt counts.
            files: list[tuple[str, Any]] = [(name, (None, v)) for name, v in new.fields.items()]
            files += [(IMAGE_FIELD, (one.name, one.content, one.media_type)) for one in new.images]
            options["files"] = files
        return await self._ask("POST", *_place_of(new), timeout=CREATE_TIMEOUT, **options)

    async def thumbnail(self, job_id: str, most_bytes: int) -> bytes | None:
        """A small picture of a completed job's clip, or None where the API has none.

        A server that knows no thumbnails sends the whole clip again: what is no picture by its
        type, by its length (`most_bytes`) or by its first bytes is not read on.
        """
        url = self._url("/videos/{id}/content", job_id)
        try:
            async with self._connections.lend() as http, asyncio.timeout(ANSWER_WITHIN_S):
                request = http.build_request("GET", url, params={"variant": "thumbnail"})
                response = await http.send(request, stream=True)
                try:
                    return await read_picture(response, most_bytes)
                finally:
                    await response.aclose()
        except NO_ANSWER:
            return None  # "when supported", says the reference

    @asynccontextmanager
    async def open_clip(
        self, job: Job, *, by_link: bool = True, offset: int = 0, validator: str | None = None
    ) -> AsyncIterator[ClipStream]:
        """The clip of a completed job: through its link, else through `/videos/{id}/content`.

        A link may hold the clip itself, as a data URL. `by_link=False` takes the second road at
        once. With `offset` and `validator` the answer begins at that byte, if the server can and
        the clip is still the same; look at `.offset`.

        Raises:
            ClipNotReady: the server does not have it yet, or no longer.
            ClipError: the server will not give it (the link has expired, say).
            TransientError: no usable answer this time, or the stream broke.
        """
        url = (
            job.video_url
            if by_link and job.video_url
            else self._url("/videos/{id}/content", job.id)
        )
        if is_data_url(url):
            async with self.clip_places.take(""):
                yield ClipStream(bounded(decoded(url, job.id), None, job.id))
            return
        headers = {"Accept": "video/*, application/octet-stream"}
        if offset and validator:
            headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
        of_whom, host = f"the clip of {job.id}", origin_of(url)[1]
        async with self.clip_places.take(host):
            try:
                request = self._clip_http(url).build_request("GET", url, headers=headers)
                api_host = self.settings.origin[1]
                hang_up = HangUp()
                async with asyncio.timeout(HEADER_WITHIN_S):
                    response = await send_for_clip(
                        self._clip_http, request, hang_up, api_host, job.id
                    )
            except NO_ANSWER as error:
                raise no_answer(error, of_whom, host) from without_frames(error)
            try:
                log.debug("GET clip of %s: %s", job.id, response.status_code)
                if not is_clip(response):
                    body = await _words(response, hang_up)
                    told = self._answer_of(response, body)
                    is_own = origin_of(str(response.url)) == self.settings.origin
                    refused = clip_refusal(told, job.id, time.time(), is_own=is_own, offset=offset)
                    raise for_want_of_a_key(refused, self.settings)
                yield clip_stream(response, hang_up, job.id, offset)
            except httpx.HTTPError as error:
                raise no_answer(error, of_whom, host) from without_frames(error)
            finally:
                response.close()

    def _url(self, template: str, job_id: str) -> str:
        return self.settings.base_url + template.replace("{id}", quote(job_id, safe=""))

    def _open(self, kind: type[AnyHttp], url: str, limits: httpx.Limits) -> AnyHttp:
        trust = self._trusts.get(surroundings_of(url)) or trusted(url)
        self._trusts[surroundings_of(url)] = trust
        return open_http(kind, self.settings, url, TIMEOUT, limits, trust)

    def _clip_http(self, url: str) -> Http:
        if surroundings_of(url) not in self._clip_https:
            self._clip_https[surroundings_of(url)] = self._open(Http, url, NOT_TO_BE_KEPT)
        return self._clip_https[surroundings_of(url)]

    async def _request(self, method: str, template: str, job_id: str, **options: Any) -> Answer:
        """The answer, if its status is one of success."""
        answer = await self._ask(method, template, job_id, **options)
        if answer.is_success:
            return answer
        raise for_want_of_a_key(refusal(answer, job_id, time.time()), self.settings)

    async def _ask(self, method: str, template: str, job_id: str, **options: Any) -> Answer:
        """The answer, whatever its status.

        Raises:
            ConnectionTrouble: none came, or not all of it.
        """
        url = self._url(template, job_id)
        within_s = CREATED_WITHIN_S if "timeout" in options else ANSWER_WITHIN_S
        is_once = method == "POST"
        sending, head, body = Sending(), None, b""
        try:
            # What must be sent once goes over a connection that nobody has hung up on meanwhile.
            async with self._connections.lend(is_fresh=is_once) as http:
                request = http.build_request(method, _parsed(url), **options)
                if is_once:
                    request.extensions["trace"] = sending.note
                sending.has_begun = True
                async with asyncio.timeout(within_s):
                    response = await http.send(request, stream=True)
                    head, whole = response, Body(response)
                    try:
                        async for chunk in response.aiter_raw():
                            whole.add(chunk)
                        body = whole.checked()
                    finally:
                        body = body or bytes(whole)
                        await response.aclose()
        except NO_ANSWER as error:
            trouble = no_answer(error, "the API", origin_of(url)[1])
            # Known by where the trouble arose, never by its type: httpx may raise the same error
            # before the request and after its answer.
            trouble.is_unaccepted = head is None and not sending.may_have_left
            trouble.answer = self._answer_of(head, body).piece if head is not None else ""
            raise trouble from without_frames(error)
        log.debug("%s %s: %s", method, template, response.status_code)
        return self._answer_of(response, body)

    def _answer_of(self, response: httpx.Response, body: bytes) -> Answer:
        """The answer without the key, which servers repeat: what they say is shown and kept."""
        location = str(response.extensions.get("location", ""))
        if (key := self.settings.api_key) is not None:
            body = key.hidden_in(body)
            location = key.hidden_in(location.encode()).decode()
        return Answer(response.status_code, response.headers, body, location)


@lru_cache(maxsize=4096)
def _parsed(url: str) -> httpx.URL:
    # The same few addresses of the API, again and again.
    return httpx.URL(url)


def _place_of(new: NewJob) -> tuple[str, str]:
    """The template of the path that `new` is sent to, and the id in it."""
    return ("/videos", "") if new.remix_of is None else ("/videos/{id}/remix", new.remix_of)


async def _words(response: httpx.Response, hang_up: HangUp) -> bytes:
    """The body of a refusal as far as it tells anything, or nothing if it does not come in time."""

    def read() -> bytes:
        body = Body(response)
        for chunk in response.iter_raw():
            body.add(chunk)
        return bytes(body)

    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await in_thread(read, interrupt=hang_up.now)
    except (TimeoutError, httpx.HTTPError):
        return b""  # its status has told enough
