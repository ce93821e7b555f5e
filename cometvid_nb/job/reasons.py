"""Reasons: what an answer says went wrong, in whatever form it says it.

`reason_of` reads the words out of one value; `stated_error` finds an error that is said of a
request, `failure_of` the reason of a job that failed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple

from .layers import Fields, fields_of, snake_case
from .names import CODES, FAILURES, MESSAGES, NO_REASONS, REMARKS
from .values import LONGEST_TEXT, number_of, text_of, web_address

_SUCCESS_NUMBERS = frozenset((0.0, 200.0, 201.0, 202.0))
_PHRASES = frozenset(status.phrase.lower() for status in HTTPStatus)

_MOST_DEPTH, _MOST_VALUES, _MOST_ENTRIES = 6, 300, 5
"""Bounds of one search; a hostile answer is no work."""


class Reason(NamedTuple):
    """A message for people and a short code; None: not given."""

    message: str | None = None
    code: str | None = None


def reason_of(value: object) -> Reason:
    """Return the message and the code that a text, list or object tells of an error.

    Looks into lists, into objects, and into JSON inside a text, as gateways wrap each other's
    errors.
    """
    return _Search().read(value)


def stated_error(layers: Sequence[Fields]) -> Reason | None:
    """Return the error that an answer states, or None if it states none.

    An error is stated by `error` or `errors` with anything in it; by `success: false`; by a code
    other than 0, 2xx and "success" next to a message; by `base_resp` with a code; by a status
    such as 404 or "error" next to a message; by FastAPI's `detail`. The message may be None.
    """
    return next((reason_of(fields) for fields in layers if _states_error(fields)), None)


def failure_of(layers: Sequence[Fields]) -> Reason:
    """Return why a failed job failed: from the first layer that says it."""
    search = _Search()
    for fields in layers:
        found = search.first_in(fields, [*FAILURES, *REMARKS])
        if found.message is not None:
            return Reason(found.message, found.code or _code_in(fields, CODES))
    for fields in layers:
        for inner in fields.values():  # `metadata.error_message`
            if isinstance(inner, Mapping):
                found = search.first_in(fields_of(inner), FAILURES)
                if found.message is not None:
                    return found
    code = next((code for fields in layers if (code := _code_in(fields, CODES))), None)
    return Reason(code, code)


def is_own_error(fields: Fields) -> bool:
    """Whether an object has the shape of the API's own errors, and not just any.

    That is `{"error": {"message", "code"}}` or `{"code", "message"}`; gateways and proxies before
    an API word theirs as `{"message": …}` or as a page.
    """
    error = fields.get("error")
    if isinstance(error, Mapping):
        return reason_of(error).message is not None
    is_coded = _is_failing(fields.get("code"))
    return is_coded and _Search().first_in(fields, ("message", "msg")).message is not None


def is_success_word(value: object) -> bool:
    """Whether a text only says that there is no error."""
    return isinstance(value, str) and snake_case(value[:40]) in NO_REASONS


def _states_error(fields: Fields) -> bool:
    error = fields.get("error", fields.get("errors"))
    # An empty object states an error without words; None, "", [] and False state none.
    if error is not None and (error or isinstance(error, Mapping)) and not is_success_word(error):
        return True
    base = fields.get("base_resp")
    if isinstance(base, Mapping) and _is_failing(base.get("status_code")):
        return True
    if fields.get("success") is False or fields.get("ok") is False:
        return True
    state = fields.get("status", fields.get("state"))
    is_bad = (
        "detail" in fields
        or any(_is_failing(fields.get(name)) for name in ("code", "error_code"))
        or (
            snake_case(state) in ("error", "fail") if isinstance(state, str) else _is_refusal(state)
        )
    )
    return is_bad and _Search().first_in(fields, MESSAGES).message is not None


def _is_failing(code: object) -> bool:
    """Whether a code says anything else than that all is well."""
    if code is None or isinstance(code, bool) or code == "" or is_success_word(code):
        return False
    number = number_of(code)
    return number not in _SUCCESS_NUMBERS if number is not None else isinstance(code, str)


def _is_refusal(status: object) -> bool:
    """Whether a status is the number of a refusal, as of HTTP."""
    number = number_of(status) if isinstance(status, int | float) else None
    return number is not None and 400 <= number <= 599


def _code_in(fields: Fields, names: Sequence[str]) -> str | None:
    codes = (text_of(fields.get(name)) for name in names)
    return next((code for code in codes if code and _is_failing(code)), None)


def _is_phrase(text: str) -> bool:
    """Whether a text is a short code or the phrase of an HTTP status, not words of its own."""
    return text.lower() in _PHRASES or (len(text) <= 40 and not re.search(r"\s", text))


class _Search:
    """One search for words, which looks at so many values and no more."""

    def __init__(self) -> None:
        self._values_left = _MOST_VALUES

    def read(self, value: object, depth: int = 0) -> Reason:
        """Return what `value` tells."""
        self._values_left -= 1
        if depth > _MOST_DEPTH or self._values_left < 0:
            return Reason()
        if isinstance(value, str):
            return self._in_text(value, depth)
        if isinstance(value, Mapping):
            fields = fields_of(value)
            # In the answer itself `message` may be a remark, in an error it is the error.
            names = ["error", "errors", *MESSAGES] if depth == 0 else MESSAGES
            message, inner_code = self.first_in(fields, names, depth)
            code = _code_in(fields, CODES if depth == 0 else [*CODES, "type"])
            # A word says more than a number, and what was wrapped more than its wrapper.
            if inner_code is not None and (code is None or number_of(inner_code) is None):
                code = inner_code
            return Reason(message or code, code)
        if isinstance(value, list):
            return self._in_list(value, depth)
        return Reason()

    def first_in(self, fields: Fields, names: Sequence[str], depth: int = 0) -> Reason:
        """Return what the first of `names` tells that tells anything.

        A bare phrase or code ("Bad Request") gives way to a message beside it, as Nest and Spring
        send both, and some an error whose message is blank.
        """
        first = Reason()
        for name in names:
            told = self.read(fields[name], depth + 1) if name in fields else Reason()
            if told.message is None:
                continue
            is_short = isinstance(fields[name], str) and _is_phrase(told.message)
            if first.message is not None and not _is_phrase(told.message):
                return Reason(told.message, told.code or first.code or first.message)
            if first.message is None and not (is_short or told.message == told.code):
                return told
            first = first if first.message is not None else told
        return first

    def _in_text(self, text: str, depth: int) -> Reason:
        """Read a message, or the JSON in it: `litellm.BadRequestError: … - {"error": {…}}`."""
        message = text_of(text)
        if message is None or is_success_word(message) or web_address(message):
            return Reason()
        inner = self.read(self._json_in(message), depth + 1) if "{" in message else Reason()
        return inner if inner.message else Reason(message)

    def _in_list(self, entries: list[Any], depth: int) -> Reason:
        told: list[Reason] = []
        for entry in islice(entries, _MOST_ENTRIES):
            reason = self.read(entry, depth + 1)
            if reason.message and (place := _place_of(entry)):
                reason = Reason(f"{place}: {reason.message}", reason.code)
            told.append(reason)
        messages = dict.fromkeys(reason.message for reason in told if reason.message)
        code = next((reason.code for reason in told if reason.code), None)
        return Reason("; ".join(messages)[:LONGEST_TEXT] or None, code)

    def _json_in(self, text: str) -> object:
        """Return the first JSON object in a text, or None."""
        for match in islice(re.finditer(r"\{", text), 3):
            try:
                return json.JSONDecoder().raw_decode(text, match.start())[0]
            except (ValueError, RecursionError):
                continue
        return None


def _place_of(entry: object) -> str:
    """Return the field that FastAPI's `loc` names: ["body", "prompt"] is body.prompt."""
    place = entry.get("loc") if isinstance(entry, Mapping) else None
    steps = [text_of(step) for step in place[:6]] if isinstance(place, list) else []
    return ".".join(step[:60] for step in steps if step)
