"""Save: the clip of a job to its place, whatever the road."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ..api.client import Client
from ..errors import ClipError, CometVidError, TransientError
from ..job.job import Job
from .download import TRIES_PER_ROAD, ClipFile, Tries, download
from .file import clip_file_name
from .places import Destination, SavedClip, Saving, local_file, page_path
from .posters import poster_of
from .roads import roads_of

MOST_TRIES = 6
"""Of one save, along all roads together: so that it ends in time where each of them is slow."""


async def save(
    client: Client,
    job: Job,
    destination: Destination,
    on_progress: Callable[[Saving], None],
    saved: SavedClip | None = None,
) -> SavedClip:
    """Save the clip of a completed job to `destination`, and give where it lies then.

    `on_progress` is called on the loop, some times a second: one of the few callbacks between
    rooms, as a bar must move long before there is a result. `saved`: where the clip lies already.
    A file on this machine is copied, and no server is asked for it.

    Raises:
        ClipError, TransientError: no road led to it, or the storage would not take it.
    """
    tries = Tries(on_progress)
    poster = saved.poster if saved is not None else None
    if destination.url is None:
        folder, name = destination.folder, destination.file_name
        file = await _download(client, job, saved, folder, name, tries)
        path = page_path(file.path, destination.beside)
        poster = poster or await poster_of(client, job, file.path)
        return SavedClip(str(file.path), path, path or str(file.path), file.size_bytes, poster)
    from .storage import upload

    name = destination.file_name or clip_file_name(job.id)
    if (source := local_file(saved)) is not None:
        url = await upload(source, destination.url, name, job.id)
        size_bytes = source.stat().st_size
    else:
        with tempfile.TemporaryDirectory(prefix="cometvid-") as folder_name:
            file = await _download(client, job, None, Path(folder_name), name, tries)
            url = await upload(file.path, destination.url, name, job.id)
            poster, size_bytes = await poster_of(client, job, file.path), file.size_bytes
    return SavedClip(url, None, url, size_bytes, poster)


async def _download(
    client: Client,
    job: Job,
    saved: SavedClip | None,
    folder: Path,
    file_name: str | None,
    tries: Tries,
) -> ClipFile:
    """The clip in a file in `folder`, by the first road that leads to it."""
    problem: CometVidError | None = None
    async for road in roads_of(client, job, saved):
        if problem is not None:
            tries.failed(problem)
        # One try is kept for the last road, which needs no link.
        left = MOST_TRIES - tries.number - (0 if road.is_last else 1)
        try:
            return await download(
                client,
                road,
                folder,
                file_name=file_name,
                tries=tries,
                most_tries=min(TRIES_PER_ROAD, left),
            )
        except (ClipError, TransientError) as error:
            if isinstance(error.__cause__, OSError):
                raise  # the disk: another road would end there as well
            problem = error
    raise problem or ClipError(f"There is no way to the clip of {job.id}.")
