"""The HTTP routes of the gateway."""

from __future__ import annotations

import hashlib
import json

from tornado.routing import URLSpec

from cometvid_nb.simulator.catalogue import catalogue, openai_list
from cometvid_nb.simulator.faulty import FaultyHandler
from cometvid_nb.simulator.gateway import Gateway
from cometvid_nb.simulator.links import parse_range
from cometvid_nb.simulator.problems import ERROR_WORDS, ApiProblem, error_body

# The real endpoint answers a wrong path with its site's HTML, which a client must not parse.
WRONG_PATH_PAGE = "<!doctype html><html><head><title>404</title></head><body>404</body></html>"


class Videos(FaultyHandler):
    """/v1/videos."""

    async def post(self) -> None:
        form = {name: self.get_body_argument(name) for name in self.request.body_arguments}
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            raise ApiProblem(400, "invalid_request", "this endpoint takes multipart/form-data")
        key = self.request.headers.get("Idempotency-Key")
        self.gateway.check(self.parts)
        job = self.gateway.create(form, key)
        await self.send_answer(self.gateway.creation_answer(job))

    async def get(self) -> None:
        limit = self.get_query_argument("limit", "20")
        page = self.gateway.page(
            after=self.get_query_argument("after", ""),
            limit=int(limit) if limit.isdecimal() and len(limit) < 9 else 0,
            order=self.get_query_argument("order", "desc"),
        )
        await self.send_json(page)


class Video(FaultyHandler):
    """/v1/videos/{id}."""

    async def get(self, job_id: str) -> None:
        await self.send_answer(self.gateway.retrieval_answer(job_id))

    async def delete(self, job_id: str) -> None:
        await self.send_json(self.gateway.delete(job_id))


class Remix(FaultyHandler):
    """/v1/videos/{id}/remix."""

    async def post(self, job_id: str) -> None:
        try:
            body = json.loads(self.request.body)
        except ValueError:
            raise ApiProblem(400, "invalid_request", "the body is not JSON") from None
        prompt = body.get("prompt") if isinstance(body, dict) else None
        key = self.request.headers.get("Idempotency-Key")
        job = self.gateway.remix(job_id, prompt, key)
        await self.send_answer(self.gateway.creation_answer(job))


class Content(FaultyHandler):
    """/v1/videos/{id}/content: the whole file, never a part; only links honour ranges."""

    async def get(self, job_id: str) -> None:
        variant = self.get_query_argument("variant", "video")
        content, media_type = self.gateway.content(job_id, variant)
        self.set_header("Content-Type", media_type)
        await self.send_bytes(content, 0, len(content))


class Clip(FaultyHandler):
    """/clips/{id}.mp4: under a signed link, in ranges, readable by pages of any origin (CORS)."""

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
        now_s = self.gateway.clock()
        verdict = self.gateway.signer.verdict(self.request.path, expires, signature, now_s)
        if verdict == "good" and self.gateway.is_revoked(self.path_args[0], expires):
            verdict = "expired"
        if verdict != "good":
            raise ApiProblem(403, f"link_{verdict}", f"This link is {verdict}.")

    def options(self, _job_id: str) -> None:
        self.set_status(204)
        self.finish()

    async def get(self, job_id: str) -> None:
        output = 2 if self.get_query_argument("output", "") == "2" else 1
        content, media_type = self.gateway.content(job_id, "video", output)
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
        # RFC 9110 §13.1.5: a client that has part of another version gets the whole file.
        if asked.get("If-Range", etag) == etag:
            part = parse_range(asked.get("Range"), len(content))
        claimed = part
        if part and self.fault is not None:
            claimed, part = told_range(self.fault.range, part)
        if part is not None and len(part) == 0:
            self.set_header("Content-Range", f"bytes */{len(content)}")
            self.set_status(416)
            await self.send_json(error_body(*ERROR_WORDS[416]))
            return
        self.set_header("Content-Type", media_type)
        if part is None or claimed is None:
            await self.send_bytes(content, 0, len(content))
            return
        self.set_status(206)
        self.set_header("Content-Range", f"bytes {claimed.start}-{claimed.stop - 1}/{len(content)}")
        await self.send_bytes(content, part.start, part.stop)

    async def head(self, job_id: str) -> None:
        await self.get(job_id)


class Models(FaultyHandler):
    """/v1/models: the catalogue in brief, as OpenAI's clients list it."""

    async def get(self) -> None:
        await self.send_json(openai_list())


class Catalogue(FaultyHandler):
    """/api/models: the whole catalogue, beside /v1 and for everyone."""

    def check_access(self) -> None:
        """Let everyone in; `Request.has_authorization` says who sent a key that nobody needs."""

    async def get(self) -> None:
        await self.send_json(catalogue())


class WrongPath(FaultyHandler):
    """Any other path: JSON under /v1, the site's HTML page elsewhere."""

    def check_access(self) -> None:
        """Let everyone in: a wrong path needs no key."""

    async def _nothing(self) -> None:
        if self.request.path.startswith("/v1/"):
            message = f"Invalid URL ({self.request.method} {self.request.path})"
            raise ApiProblem(404, "not_found", message)
        await self.answer_fault(404, WRONG_PATH_PAGE)

    get = post = put = patch = delete = head = options = _nothing


class WrongClipPath(WrongPath):
    """Any other path of the clips' own host."""

    host = "clips"


def told_range(kind: str, asked: range) -> tuple[range | None, range | None]:
    """Return the range that the answer claims and the range it sends; None = the whole file.

    `kind` is `Fault.range`.
    """
    if kind == "ignored":
        return None, None
    if kind == "shifted":
        shifted = range(asked.start // 2, asked.stop)
        return shifted, shifted
    return asked, range(len(asked)) if kind == "false" else asked


def api_routes(gateway: Gateway) -> list[URLSpec]:
    """Return the routes of the API's own host."""
    arguments = {"gateway": gateway}
    routes: list[tuple[str, type[FaultyHandler]]] = [
        (r"/api/models", Catalogue),
        (r"/v1/models", Models),
        (r"/v1/videos", Videos),
        (r"/v1/videos/([^/]+)", Video),
        (r"/v1/videos/([^/]+)/remix", Remix),
        (r"/v1/videos/([^/]+)/content", Content),
    ]
    return [URLSpec(path, handler, arguments) for path, handler in routes]


def clip_routes(gateway: Gateway) -> list[URLSpec]:
    """Return the routes of the clips' host."""
    return [URLSpec(r"/clips/([^/]+)\.mp4", Clip, {"gateway": gateway})]
