"""Transport: HTTP with the key for one origin only, without cookies, and with bounds on bodies.

No server is trusted with this machine's memory, disk, time or network.
"""

from __future__ import annotations

import logging
import ssl
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

import httpx

from ..errors import ClipError, SettingsError
from ..settings import Secret, Settings, origin_of
from .reach import GuardedClient, LeadsInside, Reach
from .streams import HangUp, send

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
MOST_REDIRECTS = 5
NOT_PROXIED = ("localhost", "127.0.0.1", "[::1]")
"""This machine: the proxy of a company cannot reach it, and must not be asked with the key."""


class _NoCookies(httpx.Cookies):
    """Nothing here needs a cookie, and a server that sets a new one each time fills the jar."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Take none."""


_NO_COOKIES = _NoCookies()


class AsyncHttp(httpx.AsyncClient):
    """For all requests but clips: many at once, on the watcher's loop."""

    cookies = property(lambda self: _NO_COOKIES)


class Http(GuardedClient):
    """For clips: each read by a thread of its own."""

    cookies = property(lambda self: _NO_COOKIES)


AnyHttp = TypeVar("AnyHttp", AsyncHttp, Http)


def open_http(
    kind: type[AnyHttp],
    settings: Settings,
    timeout: httpx.Timeout,
    limits: httpx.Limits,
    trust: ssl.SSLContext,
) -> AnyHttp:
    """What sends requests, and adds the key where, and only where, it belongs.

    Raises:
        SettingsError: the environment names a proxy that cannot be used.
    """
    with _told_apart():
        return kind(
            auth=_OriginAuth(settings.origin, settings.api_key),
            timeout=timeout,
            limits=limits,
            verify=trust,
            mounts={f"all://{host}": None for host in NOT_PROXIED},
            # A compressed answer may be a thousand times larger than what came.
            headers={
                "User-Agent": "cometvid-nb",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
        )


def trusted() -> ssl.SSLContext:
    """The certificates that are trusted; to be shared, as reading them takes 30 ms.

    Raises:
        SettingsError: the environment names certificates that cannot be used.
    """
    with _told_apart():
        return httpx.create_ssl_context()


@contextmanager
def _told_apart() -> Iterator[None]:
    """What the environment names and httpx cannot use, as an error that says which."""
    try:
        yield
    except ImportError as error:
        raise SettingsError(
            "The environment names a SOCKS proxy, and the library for such proxies is missing.",
            advice='Run %pip install "httpx[socks]" and restart the kernel, or unset ALL_PROXY.',
        ) from error
    except OSError as error:
        raise SettingsError(
            "The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read.",
            advice="Mend or unset these variables, then restart the kernel.",
        ) from error
    except (ValueError, httpx.InvalidURL):
        # Without the message and the frames of the cause: they may hold the password of the proxy.
        raise SettingsError(
            "A proxy that the environment names cannot be used.",
            advice="Look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.",
        ) from None


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
        httpx.DecodingError: it is, or it is packed in a way nobody asked for.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._request = response.request
        self._bytes = bytearray()
        packing = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packing not in ("identity", "gzip", "deflate", ""):
            raise httpx.DecodingError("the answer is packed", request=self._request)
        is_packed = packing in ("gzip", "deflate")
        self._unpacker = zlib.decompressobj(47) if is_packed else None  # 47: either

    def add(self, chunk: bytes) -> None:
        """The next bytes, as they came over the wire."""
        try:
            if self._unpacker is not None:
                chunk = self._unpacker.decompress(chunk, MOST_ANSWER_BYTES + 1)
        except zlib.error as error:
            raise httpx.DecodingError(str(error), request=self._request) from None
        self._bytes += chunk
        if len(self._bytes) > MOST_ANSWER_BYTES:
            raise httpx.DecodingError("the answer is far too large", request=self._request)

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)


async def send_for_clip(
    http: httpx.Client, request: httpx.Request, hang_up: HangUp, api_host: str, job_id: str
) -> httpx.Response:
    """The answer at the end of a link's redirects. Whoever calls this closes it.

    Raises:
        ClipError: the way leads from the public network into this machine's own, or names a
            password.
    """
    request.extensions["reach"] = Reach(api_host)  # which every redirect inherits
    try:
        response = await send(http, request, hang_up)
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
            response = await send(http, following, hang_up, auth=None)
    except LeadsInside as error:
        raise ClipError(
            f"The link to the clip of {job_id} leads to {str(error)[:100]}, an address of the "
            "private network, and was not followed."
        ) from None
    response.close()
    raise httpx.TooManyRedirects("it redirects without an end", request=request)
