"""Named faults that are no weather but the manner of a server: how it words and serves things.

Use one of them with `replace(ERRORS_UNDER_200["a quota"], match="POST /videos", times=1)`. Each
table is one idea; a line more in it is one more shape. `weather` has what networks do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from cometvid_nb.simulator.problems import error_body
from cometvid_nb.simulator.script import BAD_GATEWAY_PAGE, Fault

_JSON = {"Content-Type": "application/json"}
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_XML = {"Content-Type": "application/xml"}


def _json(status: int, value: object) -> Fault:
    """Answer with any JSON value, as a fault's own body may be an object only."""
    return Fault(status=status, body=json.dumps(value), headers=_JSON)


ERRORS_UNDER_200: Mapping[str, Fault] = {
    "an error": _json(200, error_body("content_policy", "The prompt breaks a rule.")),
    "an error as text": _json(200, {"error": "The prompt breaks a rule."}),
    "an error beside a blank status": _json(
        200, {"status": "", "error": {"message": "The prompt breaks a rule.", "code": "policy"}}
    ),
    "a number as code": _json(200, {"code": 1303, "message": "Too many jobs at once."}),
    "a number in text": _json(200, {"code": "1303", "message": "Too many jobs at once."}),
    "a quota": _json(
        200,
        {"code": "insufficient_user_quota", "message": "user quota is not enough", "data": None},
    ),
    "no success": _json(200, {"success": False, "message": "No channel serves this model."}),
    "no success, in msg": _json(200, {"success": False, "msg": "No channel serves this model."}),
    "base_resp": _json(
        200,
        {"task_id": "", "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
    ),
    "detail": _json(200, {"detail": "The prompt breaks a rule."}),
    "errors": _json(200, {"errors": [{"message": "The prompt breaks a rule."}]}),
    "text": Fault(status=200, body="The prompt breaks a rule.", headers=_TEXT),
    "a text as JSON": _json(200, "The prompt breaks a rule."),
}
"""A refusal under HTTP 200, on a poll or a create: no job, but the API's words."""

_MISSING = [
    {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": None},
    {"type": "enum", "loc": ["body", "size"], "msg": "Input should be '720p'", "input": "big"},
]
_LITELLM = (
    "litellm.BadRequestError: OpenAIException - "
    '{"error":{"message":"The prompt breaks a rule.","type":"invalid_request_error","code":null}}'
)

ERROR_BODIES: Mapping[str, Fault] = {
    "detail": _json(400, {"detail": "The prompt breaks a rule."}),
    "detail as an object": _json(400, {"detail": {"error": "The prompt breaks a rule."}}),
    "FastAPI's list": _json(422, {"detail": _MISSING}),
    "404 with detail": _json(404, {"detail": "Video not found"}),
    "404 of a wrong path": _json(404, {"detail": "Not Found"}),
    "msg": _json(400, {"code": 400, "msg": "The prompt breaks a rule."}),
    "message": _json(400, {"message": "The prompt breaks a rule."}),
    "title": _json(
        400,
        {"type": "about:blank", "title": "The prompt breaks a rule.", "status": 400},
    ),
    "problem with detail": _json(
        400, {"title": "Bad Request", "detail": "The prompt breaks a rule.", "status": 400}
    ),
    "errors": _json(400, {"errors": [{"message": "The prompt breaks a rule."}]}),
    "errors as texts": _json(400, {"errors": ["The prompt breaks a rule."]}),
    "error as text": _json(401, {"error": "Unauthorized"}),
    "error and description": _json(
        401, {"error": "invalid_token", "error_description": "The token has expired."}
    ),
    "text": Fault(status=400, body="The prompt breaks a rule.", headers=_TEXT),
    "text of a proxy": Fault(status=404, body="404 page not found\n", headers=_TEXT),
    "a text as JSON": _json(400, "The prompt breaks a rule."),
    "a list": _json(400, [{"error": {"message": "The prompt breaks a rule.", "code": 400}}]),
    "LiteLLM": _json(
        400,
        {"error": {"message": _LITELLM, "type": None, "param": None, "code": "400"}},
    ),
    "JSON in the message": _json(
        400, error_body("400", json.dumps({"error": {"message": "The prompt breaks a rule."}}))
    ),
    "JSON in a text": _json(400, json.dumps({"message": "The prompt breaks a rule."})),
    "base_resp": _json(400, {"base_resp": {"status_code": 2013, "status_msg": "invalid params"}}),
    "empty": Fault(status=400, body="", headers=_TEXT),
    "XML": Fault(
        status=400,
        body="<Error><Code>BadPrompt</Code><Message>The prompt breaks a rule.</Message></Error>",
        headers=_XML,
    ),
}
"""Refusals under an HTTP error, in other bodies than the documented one."""


def _not_yet(fault: Fault) -> Fault:
    return Fault(
        "GET /videos/{id}", times=2, status=fault.status, body=fault.body, headers=fault.headers
    )


_LITELLM_LOST = "litellm.BadRequestError: CometAPIException - task_not_exist"

NOT_KNOWN_YET: Mapping[str, Fault] = {
    "as documented": _not_yet(_json(400, error_body("task_not_exist", "task_not_exist"))),
    "no code": _not_yet(_json(400, error_body("", "task_not_exist"))),
    "null as code": _not_yet(
        _json(400, {"error": {"message": "task_not_exist", "type": "x", "code": None}})
    ),
    "a number as code": _not_yet(
        _json(400, {"error": {"message": "task_not_exist: video_1", "code": 400}})
    ),
    "flat": _not_yet(_json(400, {"code": "task_not_exist", "message": "task_not_exist"})),
    "flat, a number as code": _not_yet(_json(400, {"code": 400, "message": "task_not_exist"})),
    "LiteLLM": _not_yet(
        _json(400, {"error": {"message": _LITELLM_LOST, "type": None, "code": "400"}})
    ),
    "LiteLLM under 500": _not_yet(
        _json(500, {"error": {"message": _LITELLM_LOST, "type": None, "code": "500"}})
    ),
    "404": _not_yet(_json(404, error_body("not_found", "The video was not found."))),
    "404 with detail": _not_yet(_json(404, {"detail": "Video not found"})),
    "404 without a body": _not_yet(Fault(status=404, body="", headers=_TEXT)),
}
"""Two polls right after creation at which the server does not know the job yet."""

_NO_SUCH_KEY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
    "<Message>The specified key does not exist.</Message></Error>"
)

LATE: Mapping[str, Fault] = {
    "404": _json(404, {"error": {"message": "Content not found", "code": "not_found"}}),
    "404_detail": _json(404, {"detail": "Video content is not available yet"}),
    "400": _json(400, error_body("video_not_ready", "Video is not ready yet.")),
    "409": _json(409, error_body("conflict", "The video is still being written.")),
    "425": Fault(status=425, body="", headers=_TEXT),
    "202": Fault(status=202, body="", headers=_TEXT),
    "202_json": _json(202, {"status": "processing"}),
    "204": Fault(status=204, body=""),
    "no_such_key": Fault(status=403, body=_NO_SUCH_KEY, headers=_XML),
    "no_such_key_404": Fault(status=404, body=_NO_SUCH_KEY, headers=_XML),
    "json": _json(200, {"status": "processing", "message": "The file is on its way."}),
    "empty": Fault(status=200, body=""),
    "502": Fault(status=502, body=BAD_GATEWAY_PAGE),
    "503": _json(503, error_body("service_unavailable", "Please try again later.")),
}
"""What the link and `/content` say of a clip that comes a little late; see `Scenario.late`."""

ENCODINGS: Mapping[str, Fault] = {
    **{
        name or "empty": Fault("GET *", times=None, headers={"Content-Encoding": name})
        for name in ("", "identity", "binary", "utf-8", "UTF-8", "aws-chunked", "none", "8bit")
    },
    "aws-chunked, identity": Fault(
        "GET *", times=None, headers={"Content-Encoding": "aws-chunked, identity"}
    ),
    "gzip": Fault(
        "GET *",
        times=None,
        headers={"Content-Encoding": "gzip"},
        is_gzipped=True,
        range="ignored",
    ),
    "gzip that is none": Fault("GET *", times=None, headers={"Content-Encoding": "gzip"}),
}
"""What `Content-Encoding` says of an answer: only "gzip" is a compression, and truly one."""

_POLL = "GET /videos/{id}"

TROUBLES: Mapping[str, tuple[Fault, ...]] = {
    "busy": (
        Fault(_POLL, status=429, headers={"Retry-After": "2"}),
        Fault(_POLL, status=502, body=BAD_GATEWAY_PAGE),
        Fault(_POLL, drop_connection=True),
    ),
    "down": (Fault(_POLL, status=503),),
    "lost": (Fault("POST /videos", drop_connection=True),),
    "broke": (
        Fault(
            "POST /videos",
            status=402,
            body=error_body("insufficient_user_quota", "The account's balance is not enough."),
        ),
    ),
}
"""What `%cometvid demo --trouble NAME` lets go wrong with the next requests, for who learns:
too many requests and gateways that break, a poll that fails, an answer to a paid request that is
lost, an account without money."""
