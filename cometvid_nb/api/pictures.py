"""Pictures: an answer that is to be a small picture, read no further than it is one."""

from __future__ import annotations

import httpx

from .image_header import media_type_of
from .packing import compressions


def picture_type(head: bytes) -> str | None:
    """The media type of a picture that begins so: WebP, JPEG or PNG; None = something else."""
    kind = media_type_of(head)
    return kind if kind in ("image/webp", "image/jpeg", "image/png") else None


async def read_picture(response: httpx.Response, most_bytes: int) -> bytes | None:
    """The picture in `response`, or None as soon as it is clear that there is none.

    None, too, for a picture of more than `most_bytes`. Raises the errors of httpx.
    """
    headers = response.headers
    media_type = headers.get("Content-Type", "").lower()
    length = headers.get("Content-Length", "")
    is_large = length.isdecimal() and int(length[:18]) > most_bytes
    is_other = media_type.startswith(("video/", "text/", "application/json"))
    if response.status_code != 200 or is_other or is_large:
        return None
    if compressions(headers.get("Content-Encoding")):
        return None
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        is_known = len(content) < 12 or picture_type(bytes(content[:12])) is not None
        if len(content) > most_bytes or not is_known:
            return None
    return bytes(content)
