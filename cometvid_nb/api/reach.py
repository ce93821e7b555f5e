"""Reach: what a public API names as a clip leads to no address of a private network.

The transports here look a host's name up once and connect to the very address that was checked: a
name may lead to another address a moment later (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from .threads import start

LOOK_UP_WITHIN_S = 5.0
PRIVATE_NETWORKS = [
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "168.63.129.16/32"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
]
"""This machine, its own network, the network of its provider, and the metadata services of clouds
(Azure's is 168.63.129.16, Alibaba's 100.100.100.200, Oracle's 192.0.0.192). Not 198.18.0.0/15,
behind which some local proxies hide the whole public network. Where one hides it behind
100.64.0.0/10, the API's own name leads there too, and `Reach` lets every name do so."""
_WITH_IPV4_AT_THE_END = [
    ipaddress.IPv6Network(network)
    for network in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
]
"""IPv4-compatible, IPv4-translated, and what a NAT64 leads to (RFC 6052, RFC 8215)."""
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


class LeadsInside(Exception):
    """A host of the private network, or one whose name leads there."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the way to a clip may lead, as the API at `api_host` names it.

    An API of the public network has no business with an address of the private one. Otherwise a
    link could make this machine ask its router, or the metadata service of its cloud.
    """

    api_host: str

    def check(self, url: httpx.URL) -> list[str]:
        """Return the addresses of the host of `url`, each of which may be asked. Blocks.

        Empty: it may have any address, as it is the API's own or the API is a private one.

        Raises:
            LeadsInside: the way leads from the public network into this machine's own.
            OSError, UnicodeError: there is no such host.
        """
        host = _host_of(url)
        if self.api_host in (host, url.host) or is_private(self.api_host):
            return []
        if is_private(host):
            raise LeadsInside(host)
        addresses = _look_up(host)
        if any(map(is_private, addresses)) and not self._is_at_home():
            raise LeadsInside(host)
        return addresses

    def _is_at_home(self) -> bool:
        """Whether the API's name leads inside, as every name does behind some proxies."""
        try:
            return any(map(is_private, _look_up(self.api_host)))
        except (OSError, UnicodeError):
            return False


class DirectTransport(httpx.HTTPTransport):
    """Connects to the addresses that the request's `reach` has checked, one after the other.

    The name stays in the Host header and in TLS, whose certificate is that of the name.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; see `_reach_of`. Raises `LeadsInside`."""
        try:
            addresses = _reach_of(request).check(request.url)
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        trouble: httpx.TransportError | None = None
        for address in addresses:
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": _host_of(request.url)},
            )
            try:
                return super().handle_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                trouble = error
        if trouble is not None:
            raise trouble
        return super().handle_request(request)


class ProxiedTransport(httpx.HTTPTransport):
    """Leaves the look-up to its proxy, and checks what this machine itself knows of the name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; see `_reach_of`. Raises `LeadsInside`."""
        check = partial(_reach_of(request).check, request.url)
        # Behind a proxy there may be no resolver, and each look-up would hang for half a minute.
        with suppress(OSError, UnicodeError):
            start(check).result(LOOK_UP_WITHIN_S)
        return super().handle_request(request)


class GuardedClient(httpx.Client):
    """A client that asks only where `reach` allows; each request carries it in its extensions."""

    # No option of httpx gives a transport and keeps the proxies of the environment.

    def _init_transport(self, *_: Any, **options: Any) -> httpx.BaseTransport:
        options.pop("transport", None)
        return DirectTransport(**options)

    def _init_proxy_transport(self, *proxy: Any, **options: Any) -> httpx.BaseTransport:
        return ProxiedTransport(proxy=proxy[0], **options)


def _reach_of(request: httpx.Request) -> Reach:
    """The reach of a request. Without one there is a KeyError, and nothing is sent."""
    reach: Reach = request.extensions["reach"]
    return reach


def _host_of(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")  # as the resolver takes it: xn--…


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_private(host: str) -> bool:
    """Whether `host` is an address of a private network, or a name of this machine."""
    name = host.strip("[]").partition("%")[0].rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return any(one in network for one in _addresses_in(address) for network in PRIVATE_NETWORKS)


def _addresses_in(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Return `address`, and the IPv4 addresses that it stands for or leads through."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    number = int(address)
    has_ipv4 = any(address in network for network in _WITH_IPV4_AT_THE_END)
    if has_ipv4 or (number >> 32) & 0xFFFF_FFFF in _ISATAP:
        inner.append(ipaddress.IPv4Address(number & 0xFFFF_FFFF))
    return [address, *(one for one in inner if one is not None)]
