"""Roads to the bytes of a clip: its link, a fresh link, the API's own content endpoint."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from .answer import ClipStream
from .client import Client
from .clip_place import Destination, page_path
from .errors import ClipError, CometVidError, TransientError
from .job import Job
from .posters import first_frame, to_data_url
from .relay import Send, file_chunks, relay
from .storage import SavedFile, clip_file_name, save_clip
from .watch_state import SavedClip

OpenStream = Callable[[int, str | None], AbstractAsyncContextManager[ClipStream]]


async def save(
    client: Client,
    job: Job,
    place: Destination,
    beside: Path,
    on_progress: Callable[[int, int | None], None],
) -> SavedClip:
    """Save the clip of a completed job to `place`; `beside` is where the notebook lies.

    Raises:
        ClipError, TransientError: no road led to it, or the storage would not take it.
    """
    if place.url is not None:
        from .remote_storage import store

        name = place.file_name or clip_file_name(job.id)
        with tempfile.TemporaryDirectory(prefix="cometvid-") as folder:
            file = await _fetch(client, job, Path(folder), name, on_progress)
            url = await store(file.path, place.url, name, job.id)
            poster = await _poster(client, job, file.path)
        # Whatever names the place from now on must not name the way in.
        url = re.sub(r"://[^/@]*@", "://", url)
        return SavedClip(url, None, url, file.size_bytes, poster)
    file = await _fetch(client, job, place.folder, place.file_name, on_progress)
    path = page_path(file.path, beside)
    poster = await _poster(client, job, file.path)
    return SavedClip(str(file.path), path, path or str(file.path), file.size_bytes, poster)


async def _poster(client: Client, job: Job, file: Path) -> str | None:
    """The API's thumbnail, else the clip's first frame, else nothing."""
    given = await client.thumbnail(job.id)
    poster = to_data_url(given) if given else None
    if poster is None and (made := await asyncio.to_thread(first_frame, file)) is not None:
        poster = to_data_url(made)
    return poster


async def _fetch(
    client: Client,
    job: Job,
    folder: Path,
    file_name: str | None,
    on_progress: Callable[[int, int | None], None],
) -> SavedFile:
    problem: CometVidError | None = None
    async for open_stream in _roads(client, job):
        try:
            return await save_clip(
                open_stream, folder, job.id, file_name=file_name, on_progress=on_progress
            )
        except (ClipError, TransientError) as error:
            if isinstance(error.__cause__, OSError):
                raise  # the disk: another road would end there as well
            problem = error
    raise problem or ClipError(f"There is no way to the clip of {job.id}.")


async def send_to_page(
    client: Client, job: Job, saved: SavedClip | None, request: int, send: Send
) -> None:
    """Send the clip to a page that asked for it; say so where that cannot be."""
    if saved is not None and Path(saved.file_path).is_file():
        await relay(file_chunks(Path(saved.file_path)), saved.size_bytes, request, send)
        return
    problem = "there is no way to it"
    async for open_stream in _roads(client, job):
        try:
            async with open_stream(0, None) as stream:
                await relay(stream.chunks, stream.total_bytes, request, send)
            return
        except (CometVidError, ValueError) as error:
            problem = str(error)
    send({"kind": "clip_failed", "request": request, "problem": problem}, [])


async def _roads(client: Client, job: Job) -> AsyncIterator[OpenStream]:
    if job.video_url:
        yield lambda offset, validator: client.open_clip(job, offset=offset, validator=validator)
        try:
            fresh = (await client.poll(job.id)).job
        except CometVidError:
            fresh = job  # the content endpoint may still answer
        if fresh.video_url and fresh.video_url != job.video_url:
            yield lambda offset, validator: client.open_clip(
                fresh, offset=offset, validator=validator
            )
    yield lambda offset, validator: client.open_clip(
        job, by_link=False, offset=offset, validator=validator
    )
