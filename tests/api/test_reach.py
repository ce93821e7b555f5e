"""A link of a public API leads to no private address: whatever it is called, however it is found.

Here 127.0.0.1 is the private network and the rest of 127.0.0.0/8 the public one.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from cometvid_nb.api import reach, transport
from cometvid_nb.api.client import Client
from cometvid_nb.api.streams import HangUp
from cometvid_nb.errors import ClipError, ConnectionTrouble
from cometvid_nb.job.job import Job
from cometvid_nb.settings import Secret, Settings
from tests.simulated import KEY

CLIP = b"the bytes of a clip"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="has one 127.0.0.1 only")


class Server(ThreadingHTTPServer):
    """Answers every request with `CLIP`, or a redirect, and keeps what it was asked."""

    def __init__(self, address: str, location: str | None = None) -> None:
        super().__init__((address, 0), _Handler)
        self.location = location
        self.connections = 0
        self.asked: list[tuple[str, str, str | None]] = []
        """(request line's target, Host, Authorization) of each request."""

    def get_request(self) -> tuple[Any, Any]:
        self.connections += 1
        return super().get_request()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        host, key = str(self.headers["Host"]), self.headers["Authorization"]
        self.server.asked.append((self.path, host, key))
        self.send_response(302 if self.server.location else 200)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(len(CLIP)))
        self.end_headers()
        self.wfile.write(CLIP)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(
    address: str, *, location: str | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    with Server(address, location) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


Resolver = Callable[[dict[str, list[list[str]]]], list[str]]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """`resolver({name: [addresses at the first look-up, at the second, …]})` lists look-ups."""
    monkeypatch.setattr(reach, "PRIVATE_NETWORKS", [ipaddress.ip_network("127.0.0.1/32")])
    real = socket.getaddrinfo

    def resolver(names: dict[str, list[list[str]]]) -> list[str]:
        looked_up: list[str] = []

        def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            if name not in names:
                return real(host, port, *args, **options)
            looked_up.append(name)
            answers = names[name]
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            if not found:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [a for one in found for a in real(one, port, *args, **options)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return looked_up

    return resolver


async def download(url: str, base_url: str = "http://127.0.0.9:9/v1") -> bytes:
    settings = Settings(Secret(KEY), base_url, allow_http=True)
    job: Any = Job("video_1", video_url=url)
    async with Client(settings) as client, client.open_clip(job) as stream:
        return b"".join([block async for block in stream])


# What is private.


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.192", "168.63.129.16"),
        *("224.0.0.251", "255.255.255.255", "localhost", "printer.LOCALHOST."),
        *("::", "[::1]", "fd00:ec2::254", "fe80::1%eth0", "fec0::1", "feff::1", "ff02::fb"),
        *("[::ffff:10.0.0.1]", "::127.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::169.254.169.254"),
        *("64:ff9b:1::10.0.0.1", "2002:7f00:1::1", "2002:c0a8:101::", "2001:db8::5efe:10.0.0.1"),
        *("2001:0:a00:1::f7f7:f7f7", "2001:0:808:808::f5ff:fffe"),  # a Teredo server, and client
    ],
)
def test_private(host: str) -> None:
    assert reach.is_private(host)


@pytest.mark.parametrize(
    "host",
    [
        *("8.8.8.8", "100.63.255.255", "100.128.0.1", "192.0.1.1", "168.63.129.17", "198.18.0.1"),
        *("clips.example", "localhost.example", "2606:4700::1111", "64:ff9b::8.8.8.8"),
        *("2002:808:808::1", "2001:0:808:808::f7f7:f7f7", "::ffff:8.8.8.8"),
    ],
)
def test_public(host: str) -> None:
    assert not reach.is_private(host)


# Where a way leads.


@linux_only
async def test_a_name_that_leads_elsewhere_a_moment_later_is_looked_up_once(
    resolver: Resolver,
) -> None:
    with serving("127.0.0.1") as private:
        looked_up = resolver({"clips.example": [["127.0.0.2"], ["127.0.0.1"]]})
        with pytest.raises(ConnectionTrouble):  # at its first address nobody answers
            await download(f"http://clips.example:{private.server_port}/a.mp4")
        assert (looked_up, private.connections) == (["clips.example"], 0)


@linux_only
async def test_a_name_with_a_private_address_among_others_is_not_asked(resolver: Resolver) -> None:
    with serving("127.0.0.1") as private:
        resolver({"clips.example": [["127.0.0.2", "127.0.0.1"]]})
        with pytest.raises(ClipError, match=r"clips\.example, an address in a private network"):
            await download(f"http://clips.example:{private.server_port}/a.mp4")
        assert private.connections == 0


@linux_only
async def test_each_address_of_a_name_is_tried(resolver: Resolver) -> None:
    with serving("127.0.0.3") as public:
        looked_up = resolver({"clips.example": [["127.0.0.2", "127.0.0.3"]]})
        assert await download(f"http://clips.example:{public.server_port}/a.mp4") == CLIP
        assert looked_up == ["clips.example"]
        assert public.asked == [("/a.mp4", f"clips.example:{public.server_port}", None)]


@linux_only
async def test_no_redirect_leads_inside(resolver: Resolver) -> None:
    with (
        serving("127.0.0.1") as private,
        serving("127.0.0.2", location=f"http://127.0.0.1:{private.server_port}/a.mp4") as public,
    ):
        resolver({})
        with pytest.raises(ClipError, match="private network"):
            await download(f"http://127.0.0.2:{public.server_port}/a.mp4")
        assert (len(public.asked), private.connections) == (1, 0)


@linux_only
@pytest.mark.parametrize("api_address", ["127.0.0.1", "127.0.0.2"])
async def test_where_the_api_itself_leads_inside_a_link_may_do_so(
    resolver: Resolver, api_address: str
) -> None:
    with serving("127.0.0.1") as private:
        resolver({"api.example": [[api_address]], "clips.example": [["127.0.0.1"]]})
        url = f"http://clips.example:{private.server_port}/a.mp4"
        if api_address == "127.0.0.1":
            assert await download(url, "http://api.example:9/v1") == CLIP
        else:
            with pytest.raises(ClipError, match="private network"):
                await download(url, "http://api.example:9/v1")


async def test_a_redirect_to_an_address_with_a_password_is_not_followed() -> None:
    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "https://me:pass@8.8.4.4/a.mp4"})

    asked: list[str] = []
    with httpx.Client(transport=httpx.MockTransport(redirect)) as http:
        request = http.build_request("GET", "https://8.8.4.4/a.mp4")
        with pytest.raises(ClipError, match="password") as caught:
            await transport.send_for_clip(lambda url: http, request, HangUp(), "8.8.8.8", "video_1")
    assert asked == ["https://8.8.4.4/a.mp4"]
    assert "me:pass" not in str(caught.value)


async def test_the_key_does_not_follow_a_redirect_to_another_scheme() -> None:
    def redirect(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers.get("Authorization"))
        is_first = request.url.scheme == "http"
        headers = {"Location": "https://8.8.8.8/v1/a"}
        return httpx.Response(302 if is_first else 200, headers=headers if is_first else {})

    keys: list[str | None] = []
    with httpx.Client(transport=httpx.MockTransport(redirect)) as http:
        headers = {"Authorization": f"Bearer {KEY}"}
        request = http.build_request("GET", "http://8.8.8.8/v1/a", headers=headers)
        await transport.send_for_clip(lambda url: http, request, HangUp(), "8.8.8.8", "video_1")
    assert keys == [f"Bearer {KEY}", None]


# What stays as it was.


@linux_only
async def test_tls_and_the_host_header_speak_of_the_name(
    resolver: Resolver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, names = certificate_of("clips.example", tmp_path), []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    resolver({"clips.example": [["127.0.0.2"]], "other.example": [["127.0.0.2"]]})
    with serving("127.0.0.2", tls=tls) as public:
        port = public.server_port
        assert await download(f"https://clips.example:{port}/a.mp4") == CLIP
        assert public.asked == [("/a.mp4", f"clips.example:{port}", None)]
        with pytest.raises(ConnectionTrouble, match="certificate cannot be trusted"):
            await download(f"https://other.example:{port}/a.mp4")
    assert names == ["clips.example", "other.example"]


@linux_only
async def test_behind_a_proxy_the_proxy_looks_names_up(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving("127.0.0.1") as proxy:
        resolver({"clips.example": [[]], "router.example": [["127.0.0.1"]]})
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        assert await download("http://clips.example/a.mp4") == CLIP
        assert proxy.asked == [("http://clips.example/a.mp4", "clips.example", None)]
        for host in ("127.0.0.1.", "router.example", "2130706433"):
            with pytest.raises(ClipError, match="private network"):
                await download(f"http://{host}/a.mp4")
        assert len(proxy.asked) == 1


@linux_only
async def test_behind_a_proxy_a_resolver_that_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never = threading.Event()
    monkeypatch.setattr(reach, "_look_up", lambda host: never.wait(60))
    monkeypatch.setattr(reach, "LOOK_UP_WITHIN_S", 0.05)
    with serving("127.0.0.1") as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        assert await download("http://clips.example/a.mp4", "http://8.8.8.8/v1") == CLIP
    never.set()


async def test_a_request_of_unknown_reach_is_not_sent() -> None:
    with reach.GuardedClient() as http, pytest.raises(KeyError, match="reach"):
        http.get("http://8.8.8.8/")


def certificate_of(name: str, folder: Path) -> Path:
    """A certificate, signed by itself, and its key, in one file."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(pem) + private)
    return path
