"""Back-off, Retry-After, and when "not found" is true."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.api.retries import backoff_s, is_not_found_final, parse_retry_after

NOW_S = 1_781_079_478.0
rngs = st.integers(0, 2**32).map(random.Random)


@given(st.integers(0, 10**6), rngs)
def test_backing_off_follows_the_published_advice(failures: int, rng: random.Random) -> None:
    base_s = min(30.0, 2.0 ** min(failures, 5))
    assert base_s <= backoff_s(failures, rng) < base_s + 1


@pytest.mark.parametrize(
    ("times", "span_s", "is_final"),
    [(1, 0, False), (3, 9.9, False), (2, 60, False), (3, 10, True), (9, 9, False), (4, 11, True)],
)
def test_an_unknown_id_is_believed_after_three_times_over_ten_seconds(
    times: int, span_s: float, is_final: bool
) -> None:
    assert is_not_found_final(times, NOW_S, NOW_S + span_s) is is_final


# Retry-After.


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York"])
def _any_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its zone")
@pytest.mark.usefixtures("_any_zone")
@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 09:49:37 +0100",
    ],
)
def test_retry_after_reads_all_three_http_dates_in_any_zone(date: str) -> None:
    assert parse_retry_after(date, 784_111_777.0 - 90) == pytest.approx(90)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("-5", 0.0),
        ("", None),
        (None, None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 99999 08:49:37 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_nothing(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW_S) == seconds


def test_retry_after_date_in_the_past_means_now() -> None:
    assert parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", NOW_S) == 0.0


@given(st.one_of(st.text(), st.datetimes().map(format_datetime)))
def test_retry_after_of_any_text_is_finite_or_nothing(value: str) -> None:
    seconds = parse_retry_after(value, NOW_S)
    assert seconds is None or 0 <= seconds < math.inf
