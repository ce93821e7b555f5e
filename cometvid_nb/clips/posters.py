"""Posters: a small picture of a clip as a data URL, for where the clip itself cannot play."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path
from typing import Any

from ..api.client import Client
from ..job.job import Job

MOST_POSTER_BYTES = 150_000
"""A poster stands in the notebook's file twice; the API's thumbnails have some 10 to 50 kB."""
POSTER_WIDTH_PX = 640
POSTER_WITHIN_S = 5.0
"""A card must not wait longer than this for a picture."""


def to_data_url(content: bytes) -> str | None:
    """`content` as a data URL, if it is a picture and small enough to stand in a notebook."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        kind = "image/webp"
    elif content.startswith(b"\xff\xd8\xff"):
        kind = "image/jpeg"
    elif content.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = "image/png"
    else:
        return None
    if len(content) > MOST_POSTER_BYTES:
        return None
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def first_frame(clip: Path) -> bytes | None:
    """The first frame of a clip as a JPEG, where PyAV is installed (extra: cometvid-nb[poster])."""
    try:
        import av  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    try:
        with av.open(str(clip)) as container:
            picture: Any = next(container.decode(video=0)).to_image()
    except (av.FFmpegError, StopIteration, ImportError, OSError):
        return None
    picture.thumbnail((POSTER_WIDTH_PX, POSTER_WIDTH_PX))
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


async def picture(client: Client, job: Job) -> str | None:
    """The API's thumbnail of a clip as a data URL; None: there is none, or none soon."""
    try:
        async with asyncio.timeout(POSTER_WITHIN_S):
            given = await client.thumbnail(job.id)
    except TimeoutError:
        return None
    return to_data_url(given) if given else None


async def poster_of(client: Client, job: Job, file: Path) -> str | None:
    """The API's thumbnail as a data URL, else the first frame of the clip in `file`, else None."""
    poster = await picture(client, job)
    if poster is None and (made := await asyncio.to_thread(first_frame, file)) is not None:
        poster = to_data_url(made)
    return poster
