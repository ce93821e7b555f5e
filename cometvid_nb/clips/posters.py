"""Posters: a small picture of a clip as a data URL, for where the clip itself cannot play."""

from __future__ import annotations

import asyncio
import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.pictures import picture_type
from ..api.threads import in_thread
from ..job.job import Job
from .places import SavedClip, local_file

if TYPE_CHECKING:
    from ..api.client import Client

MOST_POSTER_BYTES = 150_000
"""A poster stands in the notebook's file twice; the API's thumbnails have some 10 to 50 kB."""
POSTER_WIDTH_PX = 640
MOST_FRAME_PIXELS = 4096 * 4096
"""Of one frame that is decoded: 4K with room to spare, some 100 MB at work. A file of 1 MB may hold
frames of a gigabyte."""
POSTER_WITHIN_S = 5.0
"""A card must not wait longer than this for a picture."""


def to_data_url(content: bytes) -> str | None:
    """`content` as a data URL, if it is a picture and small enough to stand in a notebook."""
    kind = picture_type(content[:12])
    if kind is None or len(content) > MOST_POSTER_BYTES:
        return None
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def first_frame(clip: Path) -> bytes | None:
    """The first frame of a clip as a JPEG, where PyAV is installed (extra: cometvid-nb[poster]).

    None for a clip of sound alone, for one whose pictures are too large to be decoded, and for
    whatever else the library does not like.
    """
    try:
        import av
    except ImportError:
        return None
    try:
        # Its header may be small and its pictures large: the decoders keep to the limit, too.
        limit = {"max_pixels": str(MOST_FRAME_PIXELS)}
        with av.open(str(clip), options=limit) as container:
            stream: Any = next(iter(container.streams.video), None)
            if stream is None or stream.width * stream.height > MOST_FRAME_PIXELS:
                return None
            stream.codec_context.options = limit
            stream.codec_context.thread_count = 1  # each of them would hold some pictures
            frame: Any = next(container.decode(stream))
            scale = min(1.0, POSTER_WIDTH_PX / max(frame.width, frame.height, 1))
            size = [max(2, round(side * scale)) for side in (frame.width, frame.height)]
            picture = frame.reformat(*size, format="rgb24").to_image()
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=75)
    except Exception:  # noqa: BLE001 - whatever a decoder raises: it is only a picture
        return None
    return buffer.getvalue()


async def first_frame_of(file: Path) -> str | None:
    """The first frame of the clip in `file` as a data URL, or None."""
    made = await in_thread(lambda: first_frame(file))
    return to_data_url(made) if made is not None else None


async def picture(client: Client, job: Job) -> str | None:
    """The API's thumbnail of a clip as a data URL; None: there is none, or none soon."""
    try:
        async with asyncio.timeout(POSTER_WITHIN_S):
            given = await client.thumbnail(job.id, MOST_POSTER_BYTES)
    except TimeoutError:
        return None
    return to_data_url(given) if given else None


async def illustrated(client: Client, job: Job, saved: SavedClip) -> SavedClip:
    """`saved` with a small picture: the API's thumbnail, else the first frame of its file."""
    if saved.poster is not None:
        return saved
    poster = await picture(client, job)
    if poster is None and (file := local_file(saved)) is not None:
        poster = await first_frame_of(file)
    return replace(saved, poster=poster)
