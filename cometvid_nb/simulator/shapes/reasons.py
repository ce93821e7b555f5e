"""Where the reason of a failure stands in the answer of a failed job."""

from __future__ import annotations

import json
from collections.abc import Callable

from cometvid_nb.simulator.shapes.answer import Dialect, JobJson, without

Reason = Callable[[str, str], JobJson]
"""From code and message to the fields that say so."""

PLACES: dict[str, Reason] = {
    "flat_error": lambda _, text: {"error": text},
    "reason_fail_reason": lambda _, text: {"fail_reason": text},
    "reason_failure": lambda _, text: {"failure": text},
    "reason_failure_object": lambda code, text: {"failure": {"code": code, "reason": text}},
    "reason_failure_reason": lambda _, text: {"failure_reason": text},
    "reason_error_message": lambda code, text: {"error_code": code, "error_message": text},
    "reason_error_msg": lambda _, text: {"error_msg": text},
    "reason_message": lambda _, text: {"message": text},
    "reason_msg": lambda code, text: {"code": code, "msg": text},
    "reason_status_msg": lambda _, text: {"status_msg": text},
    "reason_task_status_msg": lambda _, text: {"task_status_msg": text},
    "reason_base_resp": lambda _, text: {"base_resp": {"status_code": 1026, "status_msg": text}},
    "reason_reason": lambda _, text: {"reason": text},
    "reason_detail": lambda _, text: {"detail": text},
    "reason_error_list": lambda _, text: {"error": [text]},
    "reason_errors": lambda code, text: {"errors": [{"code": code, "message": text}]},
    "reason_error_detail": lambda code, text: {"error": {"type": code, "detail": text}},
    "reason_error_nested": lambda code, text: {"error": {"error": {"code": code, "message": text}}},
    "reason_message_object": lambda code, text: {"message": {"code": code, "message": text}},
    "reason_error_message_object": lambda code, text: {
        "error": {"code": code, "message": {"detail": text}}
    },
    "reason_json_text": lambda code, text: {
        "error": json.dumps({"error": {"code": code, "message": text}})
    },
    "reason_json_in_message": lambda code, text: {
        "error": {"code": "upstream", "message": json.dumps({"code": code, "message": text})}
    },
    "reason_beside_blank_error": lambda code, text: {
        "error": {"code": code, "message": ""},
        "fail_reason": text,
    },
    "reason_in_metadata": lambda _, text: {"error": None, "metadata": {"error_message": text}},
}
"""By the dialect's name. None of them changes the answer of a job that has not failed."""


def _at(place: Reason) -> Dialect:
    def speak(job: JobJson) -> JobJson:
        error = job["error"] or {}
        if job["status"] != "failed":
            return {**job, "error": None}
        return {**without(job, "error"), **place(error.get("code", ""), error.get("message", ""))}

    return speak


REASONS: dict[str, Dialect] = {name: _at(place) for name, place in PLACES.items()}
