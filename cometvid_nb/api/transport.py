"""Transport: HTTP with the key for one origin only, without cookies, and with bounds on bodies.

No server is trusted with this machine's memory, disk, time or network.
"""

from __future__ import annotations

import logging
import re
import ssl
import zlib
from collections.abc import Callable, Generator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import httpx

from ..errors import ClipError
from ..machine import is_this_machine
from ..settings import Secret, Settings, origin_of
from .packing import GZIP_OR_ZLIB, READABLE, compressions
from .reach import GuardedClient, LeadsInside, Reach
from .streams import HangUp, send
from .variables import certificates_error, proxy_error

# httpx logs every URL at INFO, httpcore a redirect's headers at DEBUG: signed links. A filter
# holds for its own logger and for none below it, so each is named.
for _name in [
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.proxy",
    "httpcore.socks",
]:
    logging.getLogger(_name).addFilter(lambda record: record.levelno >= logging.WARNING)

MOST_ANSWER_BYTES = 4 * 1024 * 1024
"""A job's description is a few hundred bytes; what is larger than this is no description."""
MOST_WITH_CLIP_BYTES = 16 * 1024 * 1024
"""Of an answer that holds a clip as base64. Only such text may exceed `MOST_ANSWER_BYTES`: in a
list, each byte of JSON becomes up to fifty bytes of memory."""
_LONG_BASE64 = re.compile(rb'"(?:data:[^",]{0,200}+,)?+[A-Za-z0-9+/=_\\-]{65536,}+"')
MOST_REDIRECTS = 5


class _NoCookies(httpx.Cookies):
    """Nothing here needs a cookie, and a server that sets a new one each time fills the jar."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Take none."""


_NO_COOKIES = _NoCookies()


class AsyncHttp(httpx.AsyncClient):
    """For all requests but clips: many at once, on the watcher's loop. It follows no redirect."""

    cookies = property(lambda self: _NO_COOKIES)

    def __init__(self, **options: Any) -> None:
        super().__init__(event_hooks={"response": [_set_location_aside]}, **options)


async def _set_location_aside(response: httpx.Response) -> None:
    """Keep the Location from httpx, which reads it even where no redirect is to be followed.

    It then raises for `urn:video:1`, after the answer came, and the answer would be lost.
    """
    location = response.headers.pop("Location", None)
    if location is not None:
        response.extensions["location"] = location


class Sending:
    """Whether a request may have left this machine; `note` is httpx's trace of its connection."""

    def __init__(self) -> None:
        self.has_begun = False
        """httpx has got the request."""
        self._is_traced = self._is_sent = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear of one step: connected, encrypted, the request is being sent."""
        self._is_traced = True
        if event.endswith("send_request_headers.started"):
            # CONNECT only asks a proxy for a way to the server.
            self._is_sent |= getattr(info.get("request"), "method", b"") != b"CONNECT"

    @property
    def may_have_left(self) -> bool:
        """False: it provably did not. A connection that tells nothing proves nothing."""
        return self._is_sent or (self.has_begun and not self._is_traced)


class Http(GuardedClient):
    """For clips: each read by a thread of its own."""

    cookies = property(lambda self: _NO_COOKIES)


AnyHttp = TypeVar("AnyHttp", AsyncHttp, Http)


def open_http(
    kind: type[AnyHttp],
    settings: Settings,
    url: str,
    timeout: httpx.Timeout,
    limits: httpx.Limits,
    trust: ssl.SSLContext,
) -> AnyHttp:
    """What sends requests to hosts like that of `url`, the key to its own origin only.

    This machine is never asked through a proxy: that could not reach it, and would get the key.

    Raises:
        SettingsError: the environment names a proxy that cannot be used.
    """
    try:
        return kind(
            auth=_OriginAuth(settings.origin, settings.api_key),
            timeout=timeout,
            limits=limits,
            verify=trust,
            trust_env=not is_this_machine(origin_of(url)[1]),
            # A compressed answer may be a thousand times larger than what came.
            headers={
                "User-Agent": "cometvid-nb",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        # Without the message and the frames of the cause: they may hold the password of the proxy.
        raise proxy_error() from None


def trusted(url: str) -> ssl.SSLContext:
    """The certificates to trust when `url` is asked; all of its `surroundings_of` share them.

    Raises:
        SettingsError: the environment names certificates that cannot be used.
    """
    scheme, host, _ = origin_of(url)
    if scheme == "http" and is_this_machine(host):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it will not be asked, and trusts nobody
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise certificates_error() from error


def surroundings_of(url: str) -> tuple[bool, str]:
    """What `open_http` and `trusted` look at: requests of one kind can share what they give."""
    scheme, host, _ = origin_of(url)
    return (True, scheme) if is_this_machine(host) else (False, "")


class _OriginAuth(httpx.Auth):
    """Adds the key to requests to one origin, and to no other."""

    def __init__(self, origin: tuple[str, str, int], key: Secret | None) -> None:
        self._origin = origin
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._key is not None and _origin_of(request) == self._origin:
            request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


def _origin_of(request: httpx.Request) -> tuple[str, str, int]:
    return _origin(request.url.scheme, request.url.netloc)


@lru_cache(maxsize=64)
def _origin(scheme: str, netloc: bytes) -> tuple[str, str, int]:
    """`origin_of` without the path, so that it is worked out once and no link is kept."""
    return origin_of(f"{scheme}://{netloc.decode('ascii')}")


class Body:
    """The body of an answer that is wanted whole, packed or not, if it is not far too large.

    Raises:
        httpx.DecodingError: it is, or it cannot be unpacked.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._request = response.request
        self._bytes = bytearray()
        packing = compressions(response.headers.get("Content-Encoding"))
        # What is packed by other means is no JSON; that a header alone says so proves nothing.
        is_packed = not set(READABLE).isdisjoint(packing)
        self._unpacker = zlib.decompressobj(GZIP_OR_ZLIB) if is_packed else None

    def add(self, chunk: bytes) -> None:
        """The next bytes, as they came over the wire."""
        try:
            if self._unpacker is not None:
                chunk = self._unpacker.decompress(chunk, MOST_WITH_CLIP_BYTES + 1)
        except zlib.error as error:
            raise httpx.DecodingError(str(error), request=self._request) from None
        self._bytes += chunk
        if len(self._bytes) > MOST_WITH_CLIP_BYTES:
            raise httpx.DecodingError("the answer is far too large", request=self._request)

    def checked(self) -> bytes:
        """All of it."""
        if len(self._bytes) > MOST_ANSWER_BYTES:
            clips = sum(len(found[0]) for found in _LONG_BASE64.finditer(self._bytes))
            if len(self._bytes) - clips > MOST_ANSWER_BYTES:
                raise httpx.DecodingError("the answer is far too large", request=self._request)
        return bytes(self._bytes)

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)


async def whole(http: AsyncHttp, request: httpx.Request) -> tuple[httpx.Response, bytes]:
    """Send `request`; return the answer and its body. Raises what HTTPX and `Body` raise."""
    response = await http.send(request, stream=True)
    try:
        body = Body(response)
        async for chunk in response.aiter_raw():
            body.add(chunk)
    finally:
        await response.aclose()
    return response, body.checked()


async def send_for_clip(
    http_for: Callable[[str], httpx.Client],
    request: httpx.Request,
    hang_up: HangUp,
    api_host: str,
    job_id: str,
) -> httpx.Response:
    """The answer at the end of a link's redirects. Whoever calls this closes it.

    `http_for` gives what sends to a URL: a redirect may lead from this machine to another one.

    Raises:
        ClipError: the way leads from the public network into this machine's own, or names a
            password.
    """
    request.extensions["reach"] = Reach(api_host)  # which every redirect inherits
    try:
        response = await send(http_for(str(request.url)), request, hang_up)
        for _ in range(MOST_REDIRECTS):
            following = response.next_request
            if following is None:
                return response
            response.close()
            if following.url.userinfo:
                raise ClipError(
                    f"The link to the clip of {job_id} leads to an address with a password in it, "
                    "and was not followed."
                )
            if _origin_of(following) != _origin_of(response.request):
                # httpx keeps it on the way from http to https.
                following.headers.pop("Authorization", None)
            response = await send(http_for(str(following.url)), following, hang_up, auth=None)
    except LeadsInside as error:
        raise ClipError(
            f"The link to the clip of {job_id} leads to {str(error)[:100]}, an address in a "
            "private network, and was not followed."
        ) from None
    response.close()
    raise httpx.TooManyRedirects("it redirects endlessly", request=request)
