"""The API's error answers, in the documented words and shape."""

from __future__ import annotations

ERROR_WORDS: dict[int, tuple[str, str]] = {
    400: ("invalid_request", "Invalid request."),
    401: ("invalid_api_key", "Invalid API key."),
    403: ("insufficient_user_quota", "user quota is not enough"),
    404: ("not_found", "Invalid URL."),
    405: ("method_not_allowed", "Method not allowed."),
    416: ("range_not_satisfiable", "There are no such bytes."),
    429: ("rate_limit_exceeded", "Too many requests, please slow down."),
    500: ("server_error", "Internal server error."),
    502: ("bad_gateway", "Bad gateway."),
    503: ("service_unavailable", "No available channel, please try again later."),
    504: ("gateway_timeout", "The upstream did not answer in time."),
    524: ("gateway_timeout", "A timeout occurred."),
}
"""By HTTP status: the code and message of an error without a more specific reason."""


class ApiProblem(Exception):
    """Raised by the gateway to answer with an error; `body` has the documented shape."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(code, message, param)


def error_body(code: str, message: str, param: str = "") -> dict[str, object]:
    """Return an error in the documented shape; `param` names the field that is wrong."""
    error = {"message": message, "type": "comet_api_error", "param": param, "code": code}
    return {"error": error}


def unknown_job(job_id: str) -> ApiProblem:
    """Return the error for an id that the API does not know (yet): 400, not 404."""
    return ApiProblem(400, "task_not_exist", f"task_not_exist: {job_id}")
