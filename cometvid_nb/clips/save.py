"""Roads to the bytes of a clip: its link, a fresh link, the API's own content endpoint."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from ..api.client import Client
from ..api.streams import ClipStream
from ..errors import ClipError, CometVidError, TransientError
from ..job import Job
from .download import ATTEMPTS, SavedFile, Tries, save_clip
from .file import clip_file_name
from .places import Destination, SavedClip, Saving, local_file, page_path
from .posters import first_frame, to_data_url
from .relay import Send, file_chunks, relay

MOST_TRIES = 6
"""Of one save, along all roads together."""
POSTER_WITHIN_S = 5.0
"""A picture is worth no longer wait."""

OpenStream = Callable[[int, str | None], AbstractAsyncContextManager[ClipStream]]
Roads = AsyncIterator[tuple[OpenStream, bool]]
"""Ways to a clip, the best first, each with whether it is the last."""


async def save(
    client: Client,
    job: Job,
    place: Destination,
    beside: Path,
    on_progress: Callable[[Saving], None],
    saved: SavedClip | None = None,
) -> SavedClip:
    """Save the clip of a completed job to `place`; `beside` is where the notebook lies.

    `saved`: where it lies already. A file on this machine is copied, and nobody is asked for it.

    Raises:
        ClipError, TransientError: no road led to it, or the storage would not take it.
    """
    source = local_file(saved)
    roads = _file_road(source) if source is not None else _roads(client, job)
    if place.url is not None:
        from .storage import store

        name = place.file_name or clip_file_name(job.id)
        if source is not None:
            url = await store(source, place.url, name, job.id)
            poster, size_bytes = saved.poster if saved else None, source.stat().st_size
        else:
            with tempfile.TemporaryDirectory(prefix="cometvid-") as folder:
                file = await _fetch(roads, job, Path(folder), name, on_progress)
                url = await store(file.path, place.url, name, job.id)
                poster, size_bytes = await _poster(client, job, file.path), file.size_bytes
        # Whatever names the place from now on must not name the way in.
        url = re.sub(r"://[^/@]*@", "://", url)
        return SavedClip(url, None, url, size_bytes, poster)
    file = await _fetch(roads, job, place.folder, place.file_name, on_progress)
    path = page_path(file.path, beside)
    poster = (saved and saved.poster) or await _poster(client, job, file.path)
    return SavedClip(str(file.path), path, path or str(file.path), file.size_bytes, poster)


async def picture(client: Client, job: Job) -> str | None:
    """The API's thumbnail of a clip that is not here, as a data URL, if there is one soon."""
    try:
        async with asyncio.timeout(POSTER_WITHIN_S):
            given = await client.thumbnail(job.id)
    except TimeoutError:
        return None
    return to_data_url(given) if given else None


async def _poster(client: Client, job: Job, file: Path) -> str | None:
    """The API's thumbnail, else the clip's first frame, else nothing."""
    poster = await picture(client, job)
    if poster is None and (made := await asyncio.to_thread(first_frame, file)) is not None:
        poster = to_data_url(made)
    return poster


async def _fetch(
    roads: Roads,
    job: Job,
    folder: Path,
    file_name: str | None,
    on_progress: Callable[[Saving], None],
) -> SavedFile:
    problem: CometVidError | None = None
    tries = Tries(on_progress)
    async for open_stream, is_last in roads:
        if problem is not None:
            tries.failed(problem)
        # One try is kept for the last road, which needs no link.
        left = MOST_TRIES - tries.number - (0 if is_last else 1)
        try:
            return await save_clip(
                open_stream,
                folder,
                job.id,
                file_name=file_name,
                tries=tries,
                most_tries=min(ATTEMPTS, left),
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
    if saved is not None and (file := local_file(saved)) is not None:
        await _relay(_file_stream(file), request, send)
        return
    problem = "there is no way to it"
    async for open_stream, _ in _roads(client, job):
        try:
            async with open_stream(0, None) as stream:
                await _relay(stream, request, send)
            return
        except (CometVidError, ValueError) as error:
            problem = str(error)
    send({"kind": "clip_failed", "request": request, "problem": problem}, [])


async def _relay(stream: ClipStream, request: int, send: Send) -> None:
    await stream.read_by(lambda chunks: relay(chunks, stream.total_bytes, request, send))


async def _roads(client: Client, job: Job) -> Roads:
    def by_link(job: Job) -> OpenStream:
        return lambda offset, validator: client.open_clip(job, offset=offset, validator=validator)

    if job.video_url:
        yield by_link(job), False
        try:
            fresh = (await client.poll(job.id)).job
        except CometVidError:
            fresh = job  # the content endpoint may still answer
        if fresh.video_url and fresh.video_url != job.video_url:
            yield by_link(fresh), False

    def by_content(offset: int, validator: str | None) -> AbstractAsyncContextManager[ClipStream]:
        return client.open_clip(job, by_link=False, offset=offset, validator=validator)

    yield by_content, True


async def _file_road(file: Path) -> Roads:
    @asynccontextmanager
    async def open_file(_offset: int, _validator: str | None) -> AsyncIterator[ClipStream]:
        yield _file_stream(file)

    yield open_file, True


def _file_stream(file: Path) -> ClipStream:
    return ClipStream(file_chunks(file), 0, file.stat().st_size, None)
