"""Save: the clips of a job to their place, whatever the roads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..api.client import Client
from ..errors import ClipError, CometVidError, TransientError
from ..job.job import Job
from .download import ClipFile, Tries
from .fetch import Wanted, fetch, late_until_s
from .file import fitting, name_by, with_number
from .parts import scratch_folder
from .places import Destination, SavedClip, Saving, local_file, page_path, served_path
from .posters import first_frame_of
from .roads import clip_count


async def save(
    client: Client,
    job: Job,
    destination: Destination,
    on_progress: Callable[[Saving], None],
    saved: SavedClip | None = None,
    *,
    is_fresh: bool = False,
) -> SavedClip:
    """Save the clips of a completed job to `destination`, and give where they lie then.

    `on_progress` is called on the loop, some times a second: one of the few callbacks between
    rooms, as a bar must move long before there is a result. `saved`: where they lie already. A
    file on this machine is copied, and no server is asked for it. `is_fresh`: see `late_until_s`.

    There is no poster yet, except in another storage (see `posters.illustrated`): whether a clip
    is kept must never depend on a picture.

    Raises:
        ClipError, TransientError: no road led to any of them, or the storage would not take it.
    """
    tries, until_s = Tries(on_progress), late_until_s(job, is_fresh=is_fresh)
    known = {one.number: one for one in saved.every} if saved is not None else {}
    count = max([clip_count(job), *(number + 1 for number in known)])
    kept: list[SavedClip] = []
    problems: list[CometVidError] = []
    for number in range(count):
        tries.turn_to(number + 1, count)
        wanted = Wanted(job, number, known.get(number), until_s)
        try:
            kept.append(await _save_one(client, wanted, destination, tries))
        except (ClipError, TransientError) as error:
            problems.append(error)
    if not kept:
        raise problems[0]
    told = [f"{len(kept)} of {count} clips are saved.", *dict.fromkeys(map(str, problems))]
    incomplete = " ".join(told) if problems else None
    return replace(kept[0], others=tuple(kept[1:]), incomplete=incomplete)


async def _save_one(
    client: Client, wanted: Wanted, destination: Destination, tries: Tries
) -> SavedClip:
    saved, job_id = wanted.saved, wanted.job.id
    name = destination.file_name or name_by(destination.name_template, wanted.job)
    name = with_number(name, wanted.number + 1) if wanted.number else name
    if destination.url is None:
        file = await fetch(client, wanted, destination.folder, name, tries)
        path = page_path(file.path, destination.beside, destination.root)
        place, poster = path or str(file.path), saved.poster if saved is not None else None
        served = served_path(path, destination.beside, destination.root)
        saved = SavedClip(str(file.path), path, place, file.size_bytes, poster, served)
        return _kept(wanted, file, saved)
    from .storage import upload

    if saved is not None and (source := local_file(saved)) is not None:
        name = fitting(name, source.suffix.lower())
        url = await upload(source, destination.url, name, f"The clip of {job_id}")
        return replace(saved, file_path=url, path=None, saved_to=url, others=(), also=())
    with scratch_folder() as folder:
        file = await fetch(client, wanted, folder, name, tries)
        # Not the name of that file: the number of a take is chosen where the clip goes.
        name = fitting(name, file.path.suffix)
        url = await upload(file.path, destination.url, name, f"The clip of {job_id}")
        poster = await first_frame_of(file.path)
        return _kept(wanted, file, SavedClip(url, None, url, file.size_bytes, poster))


def _kept(wanted: Wanted, file: ClipFile, saved: SavedClip) -> SavedClip:
    """`saved` with what is known of the clip in `file`."""
    found = file.format
    return replace(
        saved, width=found.width, height=found.height, codec=found.codec, number=wanted.number
    )
