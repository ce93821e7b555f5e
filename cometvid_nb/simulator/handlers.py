"""HTTP: tornado's request handlers in front of the gateway."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from tornado import web
from tornado.routing import URLSpec

from cometvid_nb.simulator.gateway import Gateway, Request
from cometvid_nb.simulator.links import parse_range
from cometvid_nb.simulator.problems import ERROR_WORDS, ApiProblem, error_body
from cometvid_nb.simulator.script import Fault

PIECE_BYTES = 64 * 1024
WRONG_PATH_PAGE = "<!doctype html><html><head><title>404</title></head><body>404</body></html>"


class _Handler(web.RequestHandler):
    """Records the request, lets the fault script act, and words errors as the API does."""

    host: Literal["api", "clips"] = "api"
    fault: Fault | None = None

    def initialize(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def prepare(self) -> None:
        asked = self.request
        headers = {name.lower(): value for name, value in asked.headers.get_all()}
        method, path = asked.method or "", asked.path
        self.gateway.record(
            Request(self.host, method, path, asked.query, headers, self.gateway.clock())
        )
        self.fault = self.gateway.take_fault(method, path)
        if self.fault is not None:
            await self._suffer(self.fault)
        if not self._finished:
            self.check_access()

    async def _suffer(self, fault: Fault) -> None:
        if fault.delay_s > 0:
            await asyncio.sleep(fault.delay_s)
        if fault.drop_connection:
            self.detach().close()
            return
        if fault.status is not None:
            self._answer_fault(fault.status, fault.body)

    def _answer_fault(self, status: int, body: str | bytes | Mapping[str, object] | None) -> None:
        self.set_status(status, _reason(status))
        if body is None and status >= HTTPStatus.BAD_REQUEST:
            body = error_body(*ERROR_WORDS.get(status, ("error", f"Error {status}.")))
        if isinstance(body, Mapping):
            self.send_json(body)
        elif body is not None:
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(body)
        else:
            self.finish()

    def check_access(self) -> None:
        """Raise `ApiProblem` unless the request may pass."""
        sent = self.request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(sent, f"Bearer {self.gateway.api_key}".encode()):
            raise ApiProblem(401, *ERROR_WORDS[401])

    def send_json(self, body: Mapping[str, object]) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(body))

    async def send_bytes(self, content: bytes, first: int, end: int) -> None:
        """Send content[first:end] in pieces, or less of it if the fault script says so."""
        self.set_header("Content-Length", str(end - first))
        if self.request.method == "HEAD":
            self.finish()
            return
        cut = self.fault.cut_after_bytes if self.fault is not None else None
        stop = end if cut is None else min(end, first + cut)
        for at in range(first, stop, PIECE_BYTES):
            self.write(content[at : min(at + PIECE_BYTES, stop)])
            await self.flush()
        if stop < end:
            await self.flush()
            self.detach().close()
        else:
            self.finish()

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> asyncio.Future[None]:
        self._add_fault_headers()
        return super().finish(chunk)

    def flush(self, include_footers: bool = False) -> asyncio.Future[None]:
        self._add_fault_headers()
        return super().flush(include_footers)

    def _add_fault_headers(self) -> None:
        if self.fault is not None and not self._headers_written:
            for name, value in self.fault.headers.items():
                self.set_header(name, value)

    def compute_etag(self) -> str | None:
        """None: the API sends no ETag of its own, and clips carry theirs."""
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = kwargs.get("exc_info", (None, None))[1]
        if isinstance(problem, ApiProblem):
            self.set_status(problem.status, _reason(problem.status))
            self.send_json(problem.body)
        else:
            self._answer_fault(status_code, None)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is a fault of this program only."""
        if not isinstance(value, ApiProblem):
            super().log_exception(typ, value, tb)


class Videos(_Handler):
    """/v1/videos."""

    def post(self) -> None:
        form = {name: self.get_body_argument(name) for name in self.request.body_arguments}
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            raise ApiProblem(400, "invalid_request", "this endpoint takes multipart/form-data")
        self.send_json(self.gateway.create(form, self.request.headers.get("Idempotency-Key")))


class Video(_Handler):
    """/v1/videos/{id}."""

    def get(self, job_id: str) -> None:
        self.send_json(self.gateway.retrieve(job_id))


class Remix(_Handler):
    """/v1/videos/{id}/remix."""

    def post(self, job_id: str) -> None:
        try:
            body = json.loads(self.request.body)
        except ValueError:
            raise ApiProblem(400, "invalid_request", "the body is not JSON") from None
        prompt = body.get("prompt") if isinstance(body, dict) else None
        key = self.request.headers.get("Idempotency-Key")
        self.send_json(self.gateway.remix(job_id, prompt, key))


class Content(_Handler):
    """/v1/videos/{id}/content: the whole file, never a part; ranges are for links only."""

    async def get(self, job_id: str) -> None:
        variant = self.get_query_argument("variant", "video")
        content, media_type = self.gateway.content(job_id, variant)
        self.set_header("Content-Type", media_type)
        await self.send_bytes(content, 0, len(content))


class Clip(_Handler):
    """/clips/{id}.mp4, under a signed link, in ranges, for a page of any origin."""

    host = "clips"

    def set_default_headers(self) -> None:
        self.set_header("Access-Control-Allow-Origin", "*")
        self.set_header("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        self.set_header("Access-Control-Allow-Headers", "*")
        exposed = "Accept-Ranges, Content-Length, Content-Range, ETag"
        self.set_header("Access-Control-Expose-Headers", exposed)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")

    def check_access(self) -> None:
        if self.request.method == "OPTIONS":
            return
        expires = self.get_query_argument("expires", "")
        signature = self.get_query_argument("signature", "")
        path = f"/clips/{self.path_args[0]}.mp4"
        now_s = self.gateway.clock()
        verdict = self.gateway.signer.verdict(path, expires, signature, now_s)
        if verdict != "good":
            raise ApiProblem(403, f"link_{verdict}", f"This link is {verdict}.")

    def options(self, _job_id: str) -> None:
        self.set_status(204)
        self.finish()

    async def get(self, job_id: str) -> None:
        content, media_type = self.gateway.content(job_id, "video")
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        self.set_header("ETag", etag)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Cache-Control", "private, max-age=3600")
        asked = self.request.headers
        if etag in asked.get("If-None-Match", ""):
            self.set_status(304)
            self.finish()
            return
        part = None
        if asked.get("If-Range", etag) == etag:  # else the rest would not fit what the caller has
            part = parse_range(asked.get("Range"), len(content))
        if part is not None and len(part) == 0:
            self.set_header("Content-Range", f"bytes */{len(content)}")
            self.set_status(416)
            self.send_json(error_body(*ERROR_WORDS[416]))
            return
        self.set_header("Content-Type", media_type)
        if part is None:
            await self.send_bytes(content, 0, len(content))
            return
        self.set_status(206)
        self.set_header("Content-Range", f"bytes {part.start}-{part.stop - 1}/{len(content)}")
        await self.send_bytes(content, part.start, part.stop)

    async def head(self, job_id: str) -> None:
        await self.get(job_id)


class WrongPath(_Handler):
    """Any other path: JSON under /v1, the site's HTML page elsewhere."""

    def check_access(self) -> None:
        """All may see that there is nothing."""

    def _nothing(self) -> None:
        if self.request.path.startswith("/v1/"):
            message = f"Invalid URL ({self.request.method} {self.request.path})"
            raise ApiProblem(404, "not_found", message)
        self._answer_fault(404, WRONG_PATH_PAGE)

    get = post = put = patch = delete = head = options = _nothing


class WrongClipPath(WrongPath):
    """Any other path of the clips' own host."""

    host = "clips"


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 524 and its like are no standard
        return "Unknown"


def api_routes(gateway: Gateway) -> list[URLSpec]:
    """The routes of the API's own host."""
    arguments = {"gateway": gateway}
    routes: list[tuple[str, type[_Handler]]] = [
        (r"/v1/videos", Videos),
        (r"/v1/videos/([^/]+)", Video),
        (r"/v1/videos/([^/]+)/remix", Remix),
        (r"/v1/videos/([^/]+)/content", Content),
    ]
    return [URLSpec(path, handler, arguments) for path, handler in routes]


def clip_routes(gateway: Gateway) -> list[URLSpec]:
    """The routes of the host that keeps the clips."""
    return [URLSpec(r"/clips/([^/]+)\.mp4", Clip, {"gateway": gateway})]
