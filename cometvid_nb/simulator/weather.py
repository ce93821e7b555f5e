"""Named faults as seen on real networks, and storms of them.

Use one of them with `replace(TRANSIENT["reset"], match="GET /videos/{id}", times=3)`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from cometvid_nb.simulator.problems import error_body
from cometvid_nb.simulator.script import BAD_GATEWAY_PAGE, Fault

# What a protection against bots sends instead of an answer, under any status.
PAGE = "<!doctype html><title>Just a moment…</title><body>Checking your browser</body>"
_GATEWAY_ERRORS = (500, 502, 503, 504, 524)
_RETRY_AFTER = {
    "seconds": "1",
    "date": "Tue, 01 Jan 2080 00:00:00 GMT",
    "past": "Wed, 21 Oct 2015 07:28:00 GMT",
    "huge": "999999999999",
    "negative": "-5",
    "garbage": "soon, \u00fc",
    "nan": "nan",
    "infinite": "inf",
}
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
"""What a terminal would obey: a new title, a clear screen, a colour, another direction."""
PATIENT = ("429 with date Retry-After", "429 with huge Retry-After")
"""The faults that ask for a pause of years."""
_AS_JSON = {"Content-Type": "application/json"}
_LOST = error_body("task_not_exist", "task_not_exist")

TRANSIENT: Mapping[str, Fault] = {
    "reset": Fault(reset_connection=True),
    "dropped": Fault(drop_connection=True),
    "cut body": Fault(cut_after_bytes=20),
    "empty body": Fault(status=200, body="", headers=_AS_JSON),
    "page under 200": Fault(status=200, body=PAGE),
    "half JSON": Fault(status=200, body='{"id": "video_1", "status": "comp', headers=_AS_JSON),
    "list": Fault(status=200, body="[1, 2]", headers=_AS_JSON),
    "deep JSON": Fault(status=200, body="[" * 100_000, headers=_AS_JSON),
    "error under 200": Fault(status=200, body=error_body("busy", "upstream is busy")),
    "packed": Fault(status=200, body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "broken packing": Fault(status=200, body="{}", headers={"Content-Encoding": "gzip"}),
    "not known yet": Fault(status=400, body=_LOST),
    **{f"{status} as JSON": Fault(status=status) for status in _GATEWAY_ERRORS},
    **{f"{status} as a page": Fault(status=status, body=BAD_GATEWAY_PAGE) for status in (502, 504)},
    "500 as a page": Fault(status=500, body=PAGE),
    "503 as a page": Fault(status=503, body=PAGE),
    "524 as a page": Fault(status=524, body=PAGE),
    **{
        f"429 with {kind} Retry-After": Fault(status=429, headers={"Retry-After": value})
        for kind, value in _RETRY_AFTER.items()
    },
    "429 as a page": Fault(status=429, body=PAGE),
    "503 with escapes": Fault(status=503, body=error_body("busy", f"busy{ESCAPES}")),
}
"""Faults that a later poll may get over: no answer, or none that can be used."""

UNTRUE: Mapping[str, Fault] = {
    "JSON as text": Fault(headers={"Content-Type": "text/html"}),
    "no content type": Fault(headers={"Content-Type": ""}),
    "backwards": Fault(changes={"status": "queued", "progress": 0}),
    "unknown word": Fault(changes={"status": "dreaming"}),
    "no status": Fault(changes={"status": None}),
    "early completed_at": Fault(changes={"completed_at": 1, "status": "in_progress"}),
    "clock behind": Fault(changes={"created_at": 1, "status": "in_progress"}),
    "clock ahead": Fault(changes={"created_at": 4_000_000_000, "status": "in_progress"}),
    "milliseconds": Fault(changes={"created_at": 1_781_079_478_000, "status": "in_progress"}),
    "not a number": Fault(changes={"progress": float("nan"), "status": "in_progress"}),
    "escapes": Fault(changes={"prompt": ESCAPES, "model": ESCAPES, "status": "in_progress"}),
    "slow": Fault(delay_s=0.05),
    "trickling": Fault(trickle_s=0.0002),
}
"""Faults that make part of an answer wrong or late; none of them may end a watch."""

FATAL: Mapping[str, Fault] = {
    **{str(status): Fault(status=status) for status in (400, 401, 403, 404)},
    "500 that means no": Fault(status=500, body=error_body("invalid_request", "Invalid request.")),
    "404 as a page": Fault(status=404, body=PAGE),
    "redirect to itself": Fault(status=302, headers={"Location": "{self}"}),
    "redirect elsewhere": Fault(status=307, headers={"Location": "http://elsewhere.invalid/"}),
}
"""Faults that another request cannot mend."""

WRONG_CLIPS: Mapping[str, Fault] = {
    "reset": Fault(reset_connection=True),
    "cut": Fault(cut_after_bytes=70_000),
    "cut at once": Fault(cut_after_bytes=0),
    "revoked on the way": Fault(cut_after_bytes=70_000, revoke_link=True),
    "range ignored": Fault(range="ignored"),
    "range shifted": Fault(range="shifted"),
    "range false": Fault(range="false"),
    "too short": Fault(length_off=-1000),
    "too long": Fault(length_off=1000),
    "a page": Fault(status=200, body=PAGE),
    "JSON": Fault(status=200, body=error_body("busy", "try again")),
    "nothing": Fault(status=200, body=""),
    "not an MP4": Fault(status=200, body=b"GIF89a" * 30_000, headers={"Content-Type": "video/mp4"}),
    "packed": Fault(headers={"Content-Encoding": "gzip"}),
    "redirect to itself": Fault(status=302, headers={"Location": "{self}"}),
    "redirect nowhere": Fault(status=302, headers={"Location": "http://[bad"}),
    "redirect to no name": Fault(status=302, headers={"Location": "http://xn--/a.mp4"}),
    "redirect with a password": Fault(status=302, headers={"Location": "http://me:pw@[::1]/a"}),
    "redirect to a file": Fault(status=302, headers={"Location": "file:///etc/passwd"}),
    **{str(status): Fault(status=status) for status in (403, 404, 416, 429, 500, 503)},
}
"""Faults of a download: what comes instead of the clip."""


class Storm:
    """Draws a fault for a `share` (0-1) of all GET requests; the same seed draws the same faults.

    A path gets "not known yet" at most twice in a row, as a client must believe the third. At most
    `most_in_row` requests of a path in a row go wrong, so that every clip can be fetched in the
    end. No storm asks for a pause of years: a client waits up to a minute for it, which proves
    nothing here.
    """

    def __init__(self, seed: int, share: float = 0.3, most_in_row: int = 4) -> None:
        self.counts: dict[str, int] = {}
        """How often each fault was drawn, by its name."""
        self._rng = random.Random(seed)
        self._share = share
        self._most_in_row = most_in_row
        self._in_row: dict[str, int] = {}

    def __call__(self, method: str, path: str) -> Fault | None:
        in_row = self._in_row.get(path, 0)
        is_clip = path.endswith((".mp4", "/content"))
        if method != "GET" or in_row >= self._most_in_row or self._rng.random() >= self._share:
            self._in_row[path] = 0
            return None
        self._in_row[path] = in_row + 1
        kinds = WRONG_CLIPS if is_clip else {**TRANSIENT, **UNTRUE}
        name = self._rng.choice(sorted(set(kinds) - set(PATIENT)))
        if name.startswith("429") and self._rng.random() < 0.8:
            name = (
                "503" if is_clip else "503 as JSON"
            )  # one 429 slows down a whole session: some will do
        if name == "not known yet" and in_row >= 2:
            name = "reset"
        told = f"clip: {name}" if is_clip else name
        self.counts[told] = self.counts.get(told, 0) + 1
        return replace(kinds[name], times=None)
