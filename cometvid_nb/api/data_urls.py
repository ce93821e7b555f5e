"""Data URLs: a clip that stands in the answer itself, as text, decoded piece by piece."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from urllib.parse import unquote

from ..errors import ClipError

SLICE_CHARS = 1 << 19
_CLEAN = str.maketrans("-_", "+/", " \t\r\n\f=")
"""Some write the alphabet of URLs, and some break the lines."""


def is_data_url(url: str | None) -> bool:
    """Whether a link holds the clip instead of leading to it."""
    return url is not None and url[:5].lower() == "data:"


def decoded(url: str, job_id: str) -> Iterator[bytes]:
    """The bytes in `data:video/mp4;base64,…`, half a megabyte at a time.

    Raises:
        ClipError: they are not base64 (RFC 4648).
    """
    at, left = url.find(",") + 1, ""
    while at < len(url):
        text = left + url[at : at + SLICE_CHARS]
        at += SLICE_CHARS
        left = ""
        if "%" in text:  # `%3D` and the like, perhaps cut in the middle
            cut = text.rfind("%", -2) if at < len(url) else -1
            text, left = (text[:cut], text[cut:]) if cut > 0 else (text, "")
            text = unquote(text)
        text = text.translate(_CLEAN)
        whole = len(text) // 4 * 4 if at < len(url) else len(text)
        left = text[whole:] + left
        text = text[:whole]
        try:
            yield binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
        except (binascii.Error, ValueError):
            raise ClipError(f"The clip of {job_id} in the API's answer is not base64.") from None
