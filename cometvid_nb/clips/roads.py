"""Roads to the bytes of a clip: its link, a fresh link, the API's own content endpoint, a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from ..api.client import Client
from ..api.streams import ClipStream
from ..errors import CometVidError
from ..job import Job

CHUNK_BYTES = 1 << 20
"""Large enough to be few messages, small enough for every websocket on the way."""

OpenStream = Callable[[int, str | None], AbstractAsyncContextManager[ClipStream]]
Roads = AsyncIterator[tuple[OpenStream, bool]]
"""Ways to a clip, the best first, each with whether it is the last."""


async def roads_of(client: Client, job: Job) -> Roads:
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


async def file_road(file: Path) -> Roads:
    @asynccontextmanager
    async def open_file(_offset: int, _validator: str | None) -> AsyncIterator[ClipStream]:
        yield file_stream(file)

    yield open_file, True


def file_stream(file: Path) -> ClipStream:
    return ClipStream(file_chunks(file), 0, file.stat().st_size, None)


def file_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a chunk at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
