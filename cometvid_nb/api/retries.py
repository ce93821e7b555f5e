"""Retries: when a request that failed may be sent again, and when a failure is final. Pure."""

from __future__ import annotations

import math
import random
from datetime import UTC
from email.utils import parsedate_to_datetime

HINT_CAP_S = 60.0
"""The longest pause a server's hint can impose; a clip may rot behind a longer one."""

NOT_FOUND_TIMES = 3
NOT_FOUND_SPAN_S = 10.0
"""`task_not_exist` may come for some seconds after creation: it is the truth only when it came
this often in a row over at least this long. Source: FACTS, seen on the live API."""


def backoff_s(failures_in_row: int, rng: random.Random) -> float:
    """Seconds to wait after that many failed requests in a row: min(30, 2^n) plus up to 1 s.

    Source: the API's published retry advice.
    """
    return min(30.0, 2.0 ** min(failures_in_row, 10)) + rng.random()


def retry_delay_s(backoff_s: float, retry_after_s: float | None) -> float:
    """Seconds until the next try: the back-off, or a server's longer hint up to its cap.

    `retry_after_s` None: the server gave no hint.
    """
    return max(backoff_s, min(retry_after_s or 0.0, HINT_CAP_S))


def is_not_found_final(times_in_row: int, first_at_s: float, now_s: float) -> bool:
    """Whether `task_not_exist` is to be believed by now."""
    return times_in_row >= NOT_FOUND_TIMES and now_s - first_at_s >= NOT_FOUND_SPAN_S


def parse_retry_after(value: str | None, now_s: float) -> float | None:
    """Seconds a `Retry-After` header asks for: a number or an HTTP date (RFC 9110 §10.2.3).

    A date in the past means now (0.0); anything unreadable or infinite means None.
    """
    if value is None:
        return None
    text = value.strip()[:100]
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
            # The old asctime form names no zone; every HTTP date is in UTC.
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = moment.timestamp() - now_s
        except (ValueError, OverflowError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
