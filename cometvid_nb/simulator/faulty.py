"""FaultyHandler: the base of all routes; notes requests, carries out faults, words errors."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import socket
import struct
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from tornado import web
from tornado.iostream import StreamClosedError

from cometvid_nb.simulator.arrivals import Request
from cometvid_nb.simulator.forms import Part, parse_form
from cometvid_nb.simulator.gateway import Gateway
from cometvid_nb.simulator.problems import ERROR_WORDS, ApiProblem, error_body
from cometvid_nb.simulator.script import Fault
from cometvid_nb.simulator.shapes.answer import Answer

PIECE_BYTES = 64 * 1024
"""The size of a piece of a body, so that a fault can act in the middle of a clip."""
LINGER_NOT = struct.pack("ii", 1, 0)
"""The C struct linger: on, for 0 s. A close then sends a reset (RST, RFC 9293) instead of a FIN."""


class FaultyHandler(web.RequestHandler):
    """Notes the request, carries out the fault that hits it, and words errors as the API does."""

    host: Literal["api", "clips"] = "api"
    fault: Fault | None = None
    """The fault that hits this request; None: it is answered truly."""

    parts: tuple[Part, ...] = ()
    """The parts of the form that was sent."""

    def initialize(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def prepare(self) -> None:
        asked = self.request
        headers = {name.lower(): value for name, value in asked.headers.get_all()}
        method, path = asked.method or "", asked.path
        self.parts = parse_form(headers.get("content-type", ""), asked.body)
        now_s = self.gateway.clock()
        self.gateway.record(
            Request(self.host, method, path, asked.query, headers, now_s, self.parts)
        )
        self.fault = self.gateway.take_fault(method, path)
        if self.fault is not None:
            await self._suffer(self.fault)
        if not self._finished:
            self.check_access()

    async def _suffer(self, fault: Fault) -> None:
        """Carry out what a fault does before the answer: wait, close the connection, refuse."""
        if fault.delay_s > 0:
            await asyncio.sleep(fault.delay_s)
        if fault.drop_connection or fault.reset_connection:
            stream = self.detach()
            if fault.reset_connection:
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            stream.close()
            return
        if fault.status is not None:
            await self.answer_fault(fault.status, fault.body)

    async def answer_fault(
        self, status: int, body: str | bytes | Mapping[str, object] | None
    ) -> None:
        """Answer with `status` and `body` instead of the true answer.

        A mapping goes out as JSON, a text as HTML; None is the API's own error for the status.
        """
        self.set_status(status, _reason(status))
        if body is None and status >= HTTPStatus.BAD_REQUEST:
            body = error_body(*ERROR_WORDS.get(status, ("error", f"Error {status}.")))
        if isinstance(body, Mapping):
            self._set_json()
        elif body is not None:
            self.set_header("Content-Type", "text/html; charset=utf-8")
        await self._send(json.dumps(dict(body)) if isinstance(body, Mapping) else body or b"")

    def check_access(self) -> None:
        """Check the request's key.

        Raises:
            ApiProblem: the key is missing or wrong, and the gateway wants one.
        """
        if not self.gateway.api_key:
            return
        sent = self.request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(sent, f"Bearer {self.gateway.api_key}".encode()):
            raise ApiProblem(401, *ERROR_WORDS[401])

    async def send_json(self, body: Mapping[str, object]) -> None:
        """Send a true answer, changed as the fault says; a change to None drops the field."""
        self._set_json()
        if self.fault is not None:
            kept = {name: value for name, value in body.items() if name not in self.fault.changes}
            told = {name: value for name, value in self.fault.changes.items() if value is not None}
            body = kept | told
        await self._send(json.dumps(body))

    async def send_answer(self, answer: Answer) -> None:
        """Send an answer with its status and headers; a fault changes it if it is an object."""
        self.set_status(answer.status, _reason(answer.status))
        for name, value in answer.headers.items():
            self.set_header(name, value.replace("{self}", self.request.full_url()))
        if answer.text is None and isinstance(answer.json, Mapping):
            await self.send_json(answer.json)
            return
        if answer.text is None:
            self._set_json()
        elif "Content-Type" not in answer.headers:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
        await self._send(json.dumps(answer.json) if answer.text is None else answer.text)

    def _set_json(self) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")

    async def _send(self, body: str | bytes) -> None:
        # A prompt may hold a lone surrogate, which plain UTF-8 refuses.
        content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        fault = self.fault
        is_odd = fault is not None and (
            fault.trickle_s or fault.cut_after_bytes is not None or fault.is_gzipped
        )
        if not is_odd:
            # Not an empty piece, which tornado takes for a body: a 204 may have none.
            self.finish(content or None)
        else:
            await self.send_bytes(content, 0, len(content))

    async def send_bytes(self, content: bytes, first: int, end: int) -> None:
        """Send content[first:end] in pieces, cut or slowed down as the fault says.

        `Content-Length` announces all of it, or `length_off` bytes more or less.
        """
        fault = self.fault or Fault()
        if fault.is_gzipped:
            content = gzip.compress(content[first:end])
            first, end = 0, len(content)
        announced = max(0, end - first + fault.length_off)
        self.set_header("Content-Length", str(announced))
        if self.request.method == "HEAD":
            self.finish()
            return
        stop = min(end, first + announced)
        if fault.cut_after_bytes is not None:
            stop = min(stop, first + fault.cut_after_bytes)
        step = 1 if fault.trickle_s else PIECE_BYTES
        try:
            for at in range(first, stop, step):
                self.write(content[at : min(at + step, stop)])
                await self.flush()
                if fault.revoke_link:
                    self.gateway.revoke_link(self.path_args[0])
                if fault.trickle_s:
                    await asyncio.sleep(fault.trickle_s)
            if stop < first + announced:
                # Not `finish`, which raises for a body that is shorter than announced.
                await self.flush()
                self.detach().close()
            else:
                self.finish()
        except StreamClosedError:
            self._finished = True  # the client has closed the connection

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> asyncio.Future[None]:
        self._add_fault_headers()
        return super().finish(chunk)

    def flush(self, include_footers: bool = False) -> asyncio.Future[None]:
        self._add_fault_headers()
        return super().flush(include_footers)

    def _add_fault_headers(self) -> None:
        if self.fault is not None and not self._headers_written:
            for name, value in self.fault.headers.items():
                self.set_header(name, value.replace("{self}", self.request.full_url()))

    def compute_etag(self) -> str | None:
        """Return None: the API sends no ETag, and `Clip` sets its own; tornado would add one."""
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = kwargs.get("exc_info", (None, None))[1]
        if isinstance(problem, ApiProblem):
            self.set_status(problem.status, _reason(problem.status))
            body = problem.body
        else:
            body = error_body(*ERROR_WORDS.get(status_code, ("error", f"Error {status_code}.")))
        self._set_json()
        self.finish(json.dumps(body))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log faults of the simulator itself only, not the errors that it sends on purpose."""
        if not isinstance(value, ApiProblem):
            super().log_exception(typ, value, tb)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # not a standard status, such as 524
        return "Unknown"
