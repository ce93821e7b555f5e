"""Saves a clip to its place, whatever the road."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..api.client import Client
from ..errors import ClipError, CometVidError, TransientError
from ..job import Job
from .download import ATTEMPTS, SavedFile, Tries, save_clip
from .file import clip_file_name
from .places import Destination, SavedClip, Saving, local_file, page_path
from .posters import poster_of
from .roads import Roads, file_road, roads_of

MOST_TRIES = 6
"""Of one save, along all roads together."""


async def save(
    client: Client,
    job: Job,
    place: Destination,
    on_progress: Callable[[Saving], None],
    saved: SavedClip | None = None,
) -> SavedClip:
    """Save the clip of a completed job to `place`.

    `saved`: where it lies already. A file on this machine is copied, and nobody is asked for it.

    Raises:
        ClipError, TransientError: no road led to it, or the storage would not take it.
    """
    source = local_file(saved)
    roads = file_road(source) if source is not None else roads_of(client, job)
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
                poster, size_bytes = await poster_of(client, job, file.path), file.size_bytes
        # Whatever names the place from now on must not name the way in.
        url = re.sub(r"://[^/@]*@", "://", url)
        return SavedClip(url, None, url, size_bytes, poster)
    file = await _fetch(roads, job, place.folder, place.file_name, on_progress)
    path = page_path(file.path, place.beside)
    poster = (saved and saved.poster) or await poster_of(client, job, file.path)
    return SavedClip(str(file.path), path, path or str(file.path), file.size_bytes, poster)


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
