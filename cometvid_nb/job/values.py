"""Values: what one text or number of an answer means: a time, a length, a shape, a link.

Each function takes any JSON value and gives None for what it cannot use.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from .plain import plain, squeezed

LONGEST_TEXT = 10_000
"""Characters kept of any text of the API: a hostile or broken answer must not fill a page's memory
or the ledger."""
MOST_SAID = 500
"""Characters of the API's words in one of our messages."""

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
_VIDEO_DATA_URL = re.compile(r"data:video/[a-z0-9.+-]{1,40}(?:;[a-z0-9=.\"+-]{1,80}){0,3};base64,")
_CLIP_ENDING = re.compile(r"\.(?:mp4|m4v|mov|webm|mkv|gif)$")
_OTHER_ENDING = re.compile(
    r"\.(?:png|jpe?g|webp|avif|bmp|svg|mp3|wav|m4a|aac|flac|json|txt|srt|vtt|html?|zip|pdf)$"
)

_SHAPES = {"landscape": 16 / 9, "horizontal": 16 / 9, "square": 1.0, "portrait": 9 / 16}
_SHAPES["vertical"] = _SHAPES["portrait"]
"""Shapes that some APIs name instead of a ratio."""
_NARROWEST, _WIDEST = 0.1, 10.0
"""The ratios that a clip may have; beyond them, two numbers are something else."""


def text_of(value: object) -> str | None:
    """Return a text or a number as a text, stripped and bounded; "" is None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and abs(value) >= 10**100:
        return None  # str() of a huge int is slow, and raises ValueError above 4300 digits
    text = str(value).strip()[:LONGEST_TEXT]
    if not text.isascii():
        # JSON may hold a lone surrogate ("\ud800"), which UTF-8 cannot encode.
        text = text.encode("utf-8", "replace").decode()
    return text or None


def one_line(text: str, most: int = MOST_SAID) -> str:
    """Return `text` on one line, free of what a terminal obeys and of what UTF-8 cannot say."""
    kept = plain(text[: most * 10])
    return squeezed(kept)[:most].rstrip()


def number_of(value: object) -> float | None:
    """Return a finite number; a text may end in "%" (a progress) or "s" (a length)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        # 40 characters hold every number worth reading.
        value = value.strip()[:40].removesuffix("%").removesuffix("s")
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def positive_of(value: object) -> float | None:
    """Return a number above 0."""
    number = number_of(value)
    return number if number is not None and number > 0 else None


def percent_of(value: object) -> float | None:
    """Return a progress as a number from 0 to 100."""
    number = number_of(value)
    return None if number is None else min(100.0, max(0.0, number))


def moment_of(value: object) -> float | None:
    """Return a moment in unix seconds: from seconds, milliseconds or finer, or ISO 8601 text.

    Text without a time zone counts as UTC. 0 is how some gateways say "not yet".
    """
    number = positive_of(value)
    if number is not None:
        # 1e11 s is the year 5138, and 1e11 ms is 1973.
        while number >= 1e11:
            number /= 1000
        return number
    if not isinstance(value, str) or not 10 <= len(value.strip()) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return positive_of((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def pixels_of(value: object) -> tuple[int, int] | None:
    """Return (width, height) in pixels, from "1280x720" in its spellings."""
    sides = _two_numbers(value)
    # Smaller numbers are a ratio such as "16:9" (Veo answers "16x9"), not a size in pixels.
    return sides if sides is not None and min(sides) >= 16 else None


def side_of(value: object) -> int | None:
    """Return a width or height in pixels."""
    number = number_of(value)
    return int(number) if number is not None and 16 <= number <= 99_999 else None


def ratio_of(value: object) -> float | None:
    """Return width over height, from "16:9", "9x16", "portrait" or 1.78; "720p" tells none."""
    if isinstance(value, str) and (named := _SHAPES.get(value.strip().lower())):
        return named
    sides = _two_numbers(value)
    if sides is not None and min(sides) > 0:
        ratio = sides[0] / sides[1]
    elif isinstance(value, float):
        ratio = value
    else:
        return None
    return ratio if _NARROWEST <= ratio <= _WIDEST else None


def _two_numbers(value: object) -> tuple[int, int] | None:
    pattern = r"\s*(\d{1,5})\s*(?:px)?\s*[xX×*:/]\s*(\d{1,5})\s*(?:px)?\s*"
    match = re.fullmatch(pattern, value) if isinstance(value, str) and len(value) < 60 else None
    return (int(match[1]), int(match[2])) if match else None


def web_address(value: object) -> str | None:
    """Return `value` if it is a plain web address.

    Other schemes (`javascript:`, `file:`) and addresses with a password must not reach a page or
    the downloader.
    """
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return None
    url = value.strip()
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None  # a malformed host or port
    is_plain = url.isprintable() and " " not in url and "@" not in parts.netloc  # "@": a password
    return url if is_web and is_plain else None


def link_of(value: object, base_url: str) -> str | None:
    """Return a link to a clip: a web address, also relative to `base_url`, or a video data URL."""
    if not isinstance(value, str):
        return None
    if value[:20].lstrip().lower().startswith("data:"):
        return video_data_url(value)
    return web_address(value) or _absolute(value.strip(), base_url)


def video_data_url(value: str) -> str | None:
    """Return `value` if it is a data URL that holds a video as base64, and nothing else."""
    url = value.strip()
    head = _VIDEO_DATA_URL.match(url[:400].lower())
    if head is None or len(url) == head.end() or not url.isascii():
        return None
    # `translate` looks through ten megabytes in a hundredth of a second.
    return None if url[head.end() :].encode().translate(None, _BASE64) else url


def _absolute(path: str, base_url: str) -> str | None:
    """Return a relative link as an address at the API; "" as `base_url` knows no API."""
    if not base_url or not path.isprintable() or " " in path or len(path) > LONGEST_TEXT:
        return None
    # Nearly any word is a relative link by the book, so only what looks like one is taken.
    if not (path.startswith(("/", "./", "../")) or is_clip_name(path)) or "://" in path:
        return None
    try:
        return web_address(urljoin(base_url.rstrip("/") + "/", path))
    except ValueError:
        return None


def is_clip_name(url: str) -> bool:
    """Whether a link ends as a clip's does (`.mp4`)."""
    return _CLIP_ENDING.search(_path_of(url)) is not None


def is_other_name(url: str) -> bool:
    """Whether a link ends as that of a picture, a sound or a text does."""
    return _OTHER_ENDING.search(_path_of(url)) is not None


def _path_of(url: str) -> str:
    return re.split(r"[?#]", url[:LONGEST_TEXT], maxsplit=1)[0].lower()
