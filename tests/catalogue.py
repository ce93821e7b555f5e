"""A server that answers every request with one answer, and lists of models for it to give."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE_URL = "https://apidoc.example/veo3.1"
LISTED: dict[str, Any] = {
    "success": True,
    "page": 0,
    "page_size": 0,
    "total": 4,
    "data": [
        {
            "id": "sora-2",
            "provider": "openai",
            "model_type": "video",
            "features": ["text-to-video", "image-to-video"],
            "pricing": {"currency": "USD / Second", "per_second": 0.1, "per_request": None},
            "api_doc_url": None,
        },
        {
            "id": "veo3.1",
            "provider": "google",
            "model_type": "video",
            "features": ["text-to-video"],
            "pricing": {
                "currency": "USD / Second",
                "per_second": {"720p": 0.4, "1080p": 0.4, "4K": 0.6},
            },
            "api_doc_url": PAGE_URL,
        },
        {
            "id": "doubao-seedance-2-0",
            "provider": "bytedance",
            "model_type": "video",
            "features": [],
            "pricing": {
                "currency": "USD / M Tokens",
                "input": 1.2,
                "output": 7,
                "per_second": None,
            },
            "api_doc_url": None,
        },
        {"id": "gpt-5.1", "provider": "openai", "model_type": "text", "pricing": None},
    ],
}
"""As CometAPI lists models: prices by the second, by resolution and by tokens, and no video."""
OPENAI_LISTED: dict[str, Any] = {
    "object": "list",
    "data": [
        {"id": "my/own-model", "object": "model", "created": 1, "owned_by": "me"},
        {"id": "other", "object": "model", "created": 1, "owned_by": "me"},
    ],
}


@dataclass
class Answering:
    """A server that gives `body` to whoever asks for anything, and notes what was asked."""

    base_url: str = ""
    body: Any = field(default_factory=lambda: LISTED)
    """Bytes as they are, anything else as JSON."""
    status: int = 200
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """The path and the Authorization header of each request."""


@contextmanager
def answering() -> Iterator[Answering]:
    """Serve on a port of its own until the end of the block."""
    told = Answering()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers.get("Authorization")))
            body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: pytest shows what is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        told.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        yield told
        server.shutdown()
        thread.join()
