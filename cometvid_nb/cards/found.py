"""Found: where a text stands in another, whatever the case of its letters."""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """A text in three pieces: before what was found, that itself, and after it."""

    before: str
    hit: str
    after: str


def find(text: str, search: str) -> Found:
    """Return `text` in three pieces; the last two are empty where it does not hold `search`."""
    wanted = search.casefold()
    folded = text.casefold()
    at = folded.find(wanted) if wanted else -1
    if at < 0:
        return Found(text, "", "")
    if len(folded) == len(text):
        start, end = at, at + len(wanted)
    else:
        # A letter may become several when its case is folded ("ß" is "ss"): counted one by one.
        places = [place for place, letter in enumerate(text) for _ in letter.casefold()]
        start, end = places[at], places[at + len(wanted) - 1] + 1
    return Found(text[:start], text[start:end], text[end:])


def within(found: Found, most: int) -> Found:
    """Return at most `most` characters of a text, with what was found in the middle of them."""
    before, hit, after = found
    if len(before) + len(hit) + len(after) <= most:
        return found
    if not hit:
        return Found(f"{before[: most - 1]}…", "", "")
    hit = hit if len(hit) <= most // 2 else f"{hit[: most // 2 - 1]}…"
    room = most - len(hit)
    left = min(len(before), max(room // 3, room - len(after)))
    right = room - left
    before = before if left == len(before) else f"…{before[len(before) - left + 1 :]}"
    after = after if len(after) <= right else f"{after[: right - 1]}…"
    return Found(before, hit, after)
