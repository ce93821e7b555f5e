"""Every error this package raises, grouped by what its reader does next.

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
    ├── ClipError              the job is done, but its clip could not be fetched or saved
    └── WatchEnded             the watch is over and there is no clip
        ├── JobFailed          the job itself failed
        ├── GaveUp             the deadline passed first
        └── WatchStopped       somebody stopped watching

A message says what happened, to which job, and what to do about it. None holds the API key, a
request header or a signed link.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .job import Job

_Error = TypeVar("_Error", bound="CometVidError")


class CometVidError(Exception):
    """The root: `except CometVidError` catches everything this package raises on purpose."""

    advice: str | None = None
    """One sentence on what the reader can do, or None where the message already says it."""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        if advice is not None:
            self.advice = advice
        if self.advice is not None:
            self.add_note(self.advice)  # a traceback shows it, too

    def __reduce__(self) -> Any:
        # Python's own way calls the class with the message alone; half of ours ask for more, and
        # an error has to come home from a worker process.
        return _revived, (type(self), self.args, self.__dict__)


class SettingsError(CometVidError):
    """A setting or an argument makes no sense; nothing was sent."""


class MissingKey(SettingsError):
    """No API key is known."""

    advice = (
        "Run %cometvid login, or set COMETAPI_KEY before the kernel starts. "
        "No key? %cometvid demo needs none."
    )

    def __init__(self, message: str = "No API key is set.") -> None:
        super().__init__(message)


class ApiError(CometVidError):
    """The API refused, and would refuse again.

    `status_code` is the HTTP status, `code` the API's own short word for the reason (or None).
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

    advice = "Check the key, then run %cometvid login. A job already created goes on by itself."


class QuotaExceeded(ApiError):
    """403: the account behind the key may not, or cannot pay to, do this."""

    advice = "Top up or check the account behind this key, then run the command again."


class JobNotFound(ApiError):
    """400 task_not_exist: the API knows no such job under this key."""

    advice = "Check the id for a typo, and that the key belongs to the account that made the job."


class RequestRejected(ApiError):
    """Any other refusal; the message carries the API's words.

    `is_from_api` False: the body was not the API's JSON, so something in between refused.
    """

    is_from_api = True


class TransientError(CometVidError):
    """This one question got no usable answer; the job is not affected.

    `retry_after_s` is how long the server asked us to wait (seconds), or None.
    """

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, advice: str | None = None
    ) -> None:
        super().__init__(message, advice=advice)
        self.retry_after_s = retry_after_s


class ConnectionTrouble(TransientError):
    """No answer came back: connection refused or reset, timeout, unknown host, bad certificate."""

    is_unsent = False
    """True: no connection was made, so the server cannot have seen the request."""


class RateLimited(TransientError):
    """429: too many questions."""


class ServerTrouble(TransientError):
    """A 5xx, or a body that is not the API's JSON (a gateway's HTML page, half an answer).

    `status_code` is the HTTP status or None; `is_from_api`: the body was the API's own JSON error.
    """

    status_code: int | None = None
    is_from_api = False


class OutcomeUnknown(CometVidError):
    """A job was asked for and the answer was lost. It may exist and may have been paid for.

    Nothing was sent again.
    """

    advice = (
        "Nothing was sent again. Look at your account before you repeat it: the job may exist "
        "and may be paid for. %cometvid jobs remembers the attempt."
    )


class ClipError(CometVidError):
    """The clip could not be fetched or saved; the job stays completed and paid for."""


class WatchEnded(CometVidError):
    """The watch is over without a clip. `job` is the last that was seen of it, or None."""

    def __init__(self, message: str, *, job: Job | None, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.job = job


class JobFailed(WatchEnded):
    """The API says that the job failed; the message carries its reason."""


class GaveUp(WatchEnded):
    """The deadline passed before the job ended. The job may still be running."""


class WatchStopped(WatchEnded):
    """Somebody stopped the watch. The job itself goes on."""


def retold(error: _Error, message: str) -> _Error:
    """The same error in other words; `error` itself stays as it is."""
    told = copy.copy(error)
    told.args = (message,)
    return told


def _revived(
    kind: type[CometVidError], args: tuple[object, ...], attributes: dict[str, Any]
) -> CometVidError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error
