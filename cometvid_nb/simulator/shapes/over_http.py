"""Answers in which the HTTP status or a body that is no JSON belongs to what is said."""

from __future__ import annotations

from cometvid_nb.simulator.shapes.answer import Answer, HttpDialect, JobJson

_FINAL = ("completed", "failed")


def _pending(answer: Answer) -> HttpDialect:
    """Give this answer until the job has ended."""
    return lambda job: Answer(job) if job["status"] in _FINAL else answer


def _ended_under(status: int, word: str = "failed") -> HttpDialect:
    """Send the job itself, but under this status once it has ended with `word`."""
    return lambda job: Answer(job, status=status if job["status"] == word else 200)


def _running_under(status: int) -> HttpDialect:
    return lambda job: Answer(job, status=200 if job["status"] in _FINAL else status)


def _detailed_under(status: int) -> HttpDialect:
    """Send a failed job inside FastAPI's `detail`."""

    def speak(job: JobJson) -> Answer:
        return Answer({"detail": job}, status=status) if job["status"] == "failed" else Answer(job)

    return speak


PENDING: dict[str, HttpDialect] = {
    "pending_202": _pending(Answer(text="", status=202)),
    "pending_202_text": _pending(Answer(text="Accepted", status=202)),
    "pending_202_null": _pending(Answer(None, status=202)),
    "pending_202_object": _pending(Answer({}, status=202)),
    "pending_204": _pending(Answer(text="", status=204)),
}
"""What stands for "pending" while the job runs."""

ENDED: dict[str, HttpDialect] = {
    **{f"failed_under_{n}": _ended_under(n) for n in (400, 403, 404, 409, 410, 422, 429)},
    **{f"failed_under_{n}": _ended_under(n) for n in (500, 502, 503, 504)},
    "failed_in_detail": _detailed_under(500),
}
"""A failed job under an HTTP error, as vLLM-Omni answers."""

UNDER_ERROR: dict[str, HttpDialect] = {
    "completed_under_500": _ended_under(500, "completed"),
    "completed_under_404": _ended_under(404, "completed"),
    "running_under_503": _running_under(503),
    "running_under_202": _running_under(202),
}
"""A job that completes, with an HTTP status that says otherwise."""

OVER_HTTP: dict[str, HttpDialect] = {**PENDING, **ENDED, **UNDER_ERROR}
