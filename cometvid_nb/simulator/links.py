"""Signed links with an expiry, and the parsing of Range headers."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Literal
from urllib.parse import urlencode


class LinkSigner:
    """Signs paths with an expiry, as object stores do: whoever has a link needs no key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, path: str, expires_at_s: float) -> str:
        """Return the path with its query; `path` is as it stands in the URL, so escaped."""
        expires = f"{expires_at_s:.3f}"
        query = urlencode({"expires": expires, "signature": self._signature(path, expires)})
        return f"{path}?{query}"

    def verdict(
        self, path: str, expires: str, signature: str, now_s: float
    ) -> Literal["good", "tampered", "expired"]:
        """Check a link at `now_s` (unix seconds)."""
        wanted = self._signature(path, expires)
        if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
            return "tampered"
        return "good" if now_s < float(expires) else "expired"

    def _signature(self, path: str, expires: str) -> str:
        text = f"{path}\n{expires}".encode("utf-8", "replace")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()


def parse_range(header: str | None, total_bytes: int) -> range | None:
    """Return the bytes that a Range header asks for; None means the whole file.

    Anything but a single byte range counts as the whole file, which RFC 9110 §14.2 allows. An empty
    range means that the request cannot be satisfied (416).
    """
    asked = re.fullmatch(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", header or "", re.ASCII)
    if asked is None or asked.group(0).split("=")[1].strip() == "-":
        return None
    first, last = asked.groups()
    if not first:
        return range(max(0, total_bytes - int(last)), total_bytes)
    start, end = int(first), int(last) if last else total_bytes - 1
    if end < start:
        return None if last and int(last) < int(first) else range(0)
    return range(start, min(end + 1, total_bytes)) if start < total_bytes else range(0)
