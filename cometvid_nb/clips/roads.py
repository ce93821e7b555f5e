"""Roads to the bytes of a clip: its link, a fresh link, the API's own content endpoint, a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..api.client import Client
from ..api.streams import BLOCK_BYTES, ClipStream
from ..errors import CometVidError
from ..job.job import Job
from .places import SavedClip, local_file


@dataclass(frozen=True, slots=True)
class Road:
    """One road to the clip of `job`: a `file` on this machine, else the job's link, else the API.

    `is_link` False, and no file: the API's content endpoint, which needs no link.
    """

    job: Job
    name: str = "its link"
    """In words, such as "its link"."""
    is_link: bool = True
    file: Path | None = None

    @property
    def is_last(self) -> bool:
        """Whether no other road follows this one."""
        return self.file is not None or not self.is_link

    @asynccontextmanager
    async def open(
        self, client: Client, offset: int = 0, validator: str | None = None
    ) -> AsyncIterator[ClipStream]:
        """The clip's bytes, from `offset` on if `validator` still holds; look at `.offset`.

        Raises what `Client.open_clip` raises. A file begins at its beginning.
        """
        if self.file is not None:
            async with client.clip_places.take(""):
                yield ClipStream(_chunks_of(self.file), total_bytes=self.file.stat().st_size)
            return
        async with client.open_clip(
            self.job, by_link=self.is_link, offset=offset, validator=validator
        ) as stream:
            yield stream


def clip_count(job: Job) -> int:
    """How many clips a job has made; most make one."""
    return 1 + len(job.other_video_urls)


async def roads_of(
    client: Client, job: Job, saved: SavedClip | None, number: int = 0, *, is_late: bool = False
) -> AsyncIterator[Road]:
    """The roads to a clip, the best first. One that is saved on this machine is its own only road.

    `number` counts the clips of the job from 0; the content endpoint knows the first of them only.
    `is_late`: the known link has led nowhere yet, so that the API is asked for one first. A link
    may have expired by now, so the API is asked for a fresh one before the second road, too.
    """
    if (file := local_file(saved)) is not None:
        yield Road(job, "the file", file=file)
        return
    linked = _linked(job, number)
    if linked.video_url and not is_late:
        yield Road(linked)
    if linked.video_url or is_late:
        try:
            fresh = _linked((await client.poll(job.id)).job, number)
        except CometVidError:
            fresh = linked  # the content endpoint may still answer
        if fresh.video_url and (is_late or fresh.video_url != linked.video_url):
            yield Road(fresh, "a fresh link")
    if number == 0:
        yield Road(job, "the API's content endpoint", is_link=False)


def _linked(job: Job, number: int) -> Job:
    """`job` with the link to one of its clips as the only one."""
    links = (job.video_url, *job.other_video_urls)
    return replace(job, video_url=links[number] if number < len(links) else None)


def _chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(BLOCK_BYTES):
            yield chunk
