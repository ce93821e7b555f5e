"""Defines every error that this package raises, grouped by what its reader does next.

    CometVidError
    ├── SettingsError          mend a setting and run the cell again
    │   └── MissingKey         … namely: give an API key
    ├── ApiError               the API said no; asking again will not help
    │   ├── BadKey             401: the key is wrong or revoked
    │   ├── QuotaExceeded      403: the account cannot pay for this
    │   ├── JobNotFound        400 task_not_exist: no such job under this key
    │   └── RequestRejected    any other refusal, in the API's own words
    ├── TransientError         asking again later may well help
    │   ├── ConnectionTrouble  no answer: refused, reset, timed out, no such host
    │   ├── RateLimited        429: slow down
    │   └── ServerTrouble      5xx, or an answer that is not the API's JSON
    ├── OutcomeUnknown         the answer to a paid request was lost: look before asking again
    ├── LedgerError            this machine's list of jobs cannot be read; the jobs go on
    ├── ClipError              the job is done, but its clip could not be fetched or saved
    │   ├── ClipNotReady       … as the server does not have it yet: some come a minute late
    │   └── PlaceUnusable      … as it cannot be written where it should go: choose another place
    ├── EditError              a frame, sheet, loop, reel or copy cannot be made of a clip
    └── WatchEnded             the watch is over and there is no clip
        ├── JobFailed          the job itself failed
        ├── GaveUp             the deadline passed first
        └── WatchStopped       somebody stopped watching

A message tells what happened, to which job, and what to do about it. No message contains the API
key, a request header, a signed link, or a control character: what the API says ends in terminals.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

from .job.plain import plain

if TYPE_CHECKING:
    from .job.job import Job

_Error = TypeVar("_Error", bound="CometVidError")


class CometVidError(Exception):
    """The base class: `except CometVidError` catches every error this package raises on purpose."""

    advice: str | None = None
    """What the reader can do next, in one or two sentences; None if the message tells it."""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(plain(message))
        if advice is not None:
            self.advice = plain(advice)
        if self.advice is not None:
            self.add_note(self.advice)  # so that a traceback shows it (PEP 678)

    def advise(self, advice: str) -> None:
        """Add a sentence to the advice, once more is known of what was asked for."""
        self.advice = " ".join(filter(None, [self.advice, plain(advice)]))
        self.add_note(plain(advice))

    def __reduce__(self) -> Any:
        # Exceptions are pickled by class and message alone, but half of these classes need further
        # arguments. The worker sends its errors to the kernel as pickles.
        return _revived, (type(self), self.args, self.__dict__)


class SettingsError(CometVidError):
    """A setting or an argument has a value that cannot be used; nothing was sent."""


class MissingKey(SettingsError):
    """No API key is known."""

    advice = (
        "Run %cometvid login, or set COMETAPI_KEY before the kernel starts. "
        "No key? %cometvid demo needs none."
    )

    def __init__(self, message: str = "No API key is set.", *, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)


class ApiError(CometVidError):
    """The API refused the request and would refuse it again.

    `status_code` is the HTTP status, `code` the API's short word for the reason, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(message, advice=advice)
        self.status_code = status_code
        self.code = code


class BadKey(ApiError):
    """401: the API does not accept this key."""

    advice = "Check the key, then run %cometvid login."


class QuotaExceeded(ApiError):
    """403: the account behind the key may not do this, or cannot pay for it."""

    advice = "Check the account of this key and its balance, then run the command again."


class JobNotFound(ApiError):
    """400 task_not_exist: the API knows no such job under this key."""

    advice = "Check the id for typos, and that the key belongs to the account that created the job."


class RequestRejected(ApiError):
    """Any other refusal; the message carries the API's words."""

    is_from_api = True
    """False: the body was not the API's JSON, so a proxy or a gateway refused, not the API."""


class TransientError(CometVidError):
    """One request got no usable answer; the job is not affected.

    `retry_after_s` is the pause that the server asked for (seconds), or None.
    """

    is_unaccepted = False
    """True: the server provably made nothing of the request, as it was never sent, or as the API
    itself turned it away.

    Only then may a request that costs money be sent again.
    """

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, advice: str | None = None
    ) -> None:
        super().__init__(message, advice=advice)
        self.retry_after_s = retry_after_s


class ConnectionTrouble(TransientError):
    """No answer came back: connection refused or reset, timeout, unknown host, bad certificate."""

    answer: str = ""
    """What had come of an answer before it broke off, as one line of text."""


class RateLimited(TransientError):
    """429: too many requests."""


class ServerTrouble(TransientError):
    """A 5xx, or a body that is not the API's JSON (a gateway's HTML page, half an answer)."""


class OutcomeUnknown(CometVidError):
    """The answer to a request for a new job was lost: the job may exist and be paid for.

    The request was not sent again. `answer` is a piece of what the API answered, where an answer
    came that nobody can read an id from; "" where none came.
    """

    answer: str = ""
    advice = (
        "The request was not sent again. Check your account before you repeat it: the job may "
        "exist and may be paid for."
    )


class LedgerError(CometVidError):
    """The ledger cannot be used now, so nobody can say what it holds. No job is affected."""

    advice = (
        "Try again in a moment. If that does not help, move the file away to start afresh, or turn "
        "the ledger off: %cometvid config ledger=off"
    )


class ClipError(CometVidError):
    """The clip could not be fetched or saved; the job stays completed and paid for."""


class ClipNotReady(ClipError):
    """The server does not have the clip of a completed job yet, or does not have it any more.

    `retry_after_s` is the pause that it asked for (seconds), or None.
    """

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, advice: str | None = None
    ) -> None:
        super().__init__(message, advice=advice)
        self.retry_after_s = retry_after_s


class PlaceUnusable(ClipError):
    """The place that a clip is to be saved to cannot be written."""


class EditError(CometVidError):
    """What was asked for cannot be made of a clip; the clip itself is as it was."""


class WatchEnded(CometVidError):
    """The watch is over without a clip. `job` is the job as last seen, or None."""

    def __init__(self, message: str, *, job: Job | None, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.job = job


class JobFailed(WatchEnded):
    """The API reports that the job failed; the message carries the API's reason."""


class GaveUp(WatchEnded):
    """The deadline passed before the job ended. The job may still be running."""


class WatchStopped(WatchEnded):
    """Somebody stopped the watch. The job itself goes on at the server."""


def retold(error: _Error, message: str) -> _Error:
    """Return a copy of `error` with another message; `error` itself does not change.

    A copy, as one error object may be raised to several waiters.
    """
    told = copy.copy(error)
    told.args = (plain(message),)
    return told


def _revived(
    kind: type[CometVidError], args: tuple[object, ...], attributes: dict[str, Any]
) -> CometVidError:
    """Rebuild a pickled error without `__init__`, whose arguments the pickle does not hold."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error
