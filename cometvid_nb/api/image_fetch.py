"""Image fetch: a picture from its web address, without the key, bounded in size, time and way."""

from __future__ import annotations

import time
from urllib.parse import unquote, urlsplit

import httpx

from ..errors import SettingsError
from ..machine import is_this_machine
from .reach import is_private

MOST_REDIRECTS = 5
FETCH_WITHIN_S = 60.0
_TIMEOUT = httpx.Timeout(20.0, connect=10.0)


def fetch(url: str, most_bytes: int) -> tuple[str, bytes]:
    """Return the name of the file at the end of an address, which may be "", and its content.

    Raises:
        SettingsError: nothing can be fetched there, or it has more bytes than `most_bytes`. The
            message names the host and the file, and no query, which may hold a signature.
    """
    try:
        host, path = urlsplit(url).hostname or "", urlsplit(url).path
    except ValueError:
        host, path = "", ""
    if not host:
        raise SettingsError(f"{url[:100]!r} is not the web address of a picture")
    name = "".join(c for c in unquote(path).rpartition("/")[2] if c.isprintable())[:100]
    told = f"the picture {name or 'there'} at {host}"
    try:
        content = _get(url, host, told, most_bytes)
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, OSError, ValueError) as error:
        words = str(error).partition("://")[0] or type(error).__name__
        raise SettingsError(f"{told} cannot be fetched: {words[:100]}") from None
    return name, content


def _get(url: str, host: str, told: str, most_bytes: int) -> bytes:
    give_up_at_s = time.monotonic() + FETCH_WITHIN_S
    # No key and no cookies: nothing of this client is shared with the one that asks the API. A
    # proxy cannot reach this machine.
    with httpx.Client(timeout=_TIMEOUT, trust_env=not is_this_machine(host)) as http:
        request = http.build_request("GET", url, headers={"User-Agent": "cometvid-nb"})
        for _ in range(MOST_REDIRECTS + 1):
            response = http.send(request, stream=True)
            try:
                if response.next_request is None:
                    return _body(response, give_up_at_s, told, most_bytes)
                request = response.next_request
            finally:
                response.close()
            if _is_near(request.url.host) and not _is_near(host):
                raise SettingsError(f"{told} points into your private network, and was not fetched")
    raise SettingsError(f"{told} cannot be fetched: it redirects endlessly")


def _body(response: httpx.Response, give_up_at_s: float, told: str, most_bytes: int) -> bytes:
    if not response.is_success:
        raise SettingsError(f"{told} cannot be fetched: the answer is {response.status_code}")
    content = bytearray()
    for chunk in response.iter_bytes(64 * 1024):
        content += chunk
        if len(content) > most_bytes:
            raise SettingsError(f"{told} is larger than {most_bytes / 1e6:.0f} MB, the limit")
        if time.monotonic() > give_up_at_s:
            raise SettingsError(f"{told} cannot be fetched: it takes over {FETCH_WITHIN_S:.0f} s")
    return bytes(content)


def _is_near(host: str) -> bool:
    return is_this_machine(host) or is_private(host)
