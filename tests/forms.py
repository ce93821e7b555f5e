"""A server that keeps every request as its bytes came: what a form really held, files and all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class File(NamedTuple):
    """A file part of a form."""

    name: str
    file_name: str
    media_type: str
    content: bytes


@dataclass
class Arrived:
    """One request."""

    method: str
    path: str
    headers: Message
    body: bytes

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields in the order in which they were sent; JSON as well."""
        if self.headers.get_content_type() == "application/json":
            return list(json.loads(self.body).items())
        return [
            (name, content.decode())
            for name, file_name, _, content in self._parts
            if file_name is None
        ]

    @property
    def files(self) -> list[File]:
        """The files in the order in which they were sent."""
        return [
            File(name, file_name, media_type, content)
            for name, file_name, media_type, content in self._parts
            if file_name is not None
        ]

    @property
    def _parts(self) -> list[tuple[str, str | None, str, bytes]]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = BytesParser().parsebytes(head + self.body)
        assert form.is_multipart()
        parts: list[tuple[str, str | None, str, bytes]] = []
        for part in form.get_payload():
            assert isinstance(part, Message)
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            name = str(part.get_param("name", header="Content-Disposition"))
            parts.append((name, part.get_filename(), part.get_content_type(), content))
        return parts


@dataclass
class FormServer:
    """What it was asked, what it gives, and where it is."""

    base_url: str
    arrived: list[Arrived] = field(default_factory=list)
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """By path: what GET answers (status, headers, body). Others are jobs that are still queued."""


@contextmanager
def open_form_server() -> Iterator[FormServer]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.arrived.append(Arrived("POST", self.path, self.headers, body))
            job = {"id": f"video_{len(server.arrived)}", "status": "queued"}
            self._answer(200, {"Content-Type": "application/json"}, json.dumps(job).encode())

        def do_GET(self) -> None:
            server.arrived.append(Arrived("GET", self.path, self.headers, b""))
            job = json.dumps({"id": self.path.rpartition("/")[2], "status": "queued"}).encode()
            page = (200, {"Content-Type": "application/json"}, job)
            self._answer(*server.pages.get(self.path, page))

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server = FormServer(f"http://127.0.0.1:{http.server_port}/v1")
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        http.shutdown()
        thread.join()
