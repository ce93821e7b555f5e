"""finished_clip: the clip of a completed job as a file on this machine, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..clips.file import clip_file_name
from ..clips.format import suffix_of
from ..clips.parts import scratch_folder
from ..clips.places import Saving
from ..clips.storage import download as download_from_storage
from ..errors import JobNotFound
from ..job.ids import check_job_id, shown_id
from ..job.job import Job
from ..job.plain import squeezed
from ..job.status import JobStatus
from ..notebook import notebook_folder
from .files import job_id_of, job_of_file, looks_like_path, path_here
from .no_clip import no_clip
from .remembered import latest_watch, remembered_entry, saved_watch_state

if TYPE_CHECKING:
    from ..api.client import Client
    from .session import Session


@dataclass(frozen=True, slots=True)
class FinishedClip:
    """The clip of `job` in `file`, which may be gone when its `with` is left."""

    job: Job
    file: Path
    is_given: bool = False
    """Whether a person has named the file, and not the job."""

    @property
    def name(self) -> str:
        """What a sentence calls it."""
        return squeezed(self.file.name) if self.is_given else shown_id(self.job.id)

    @property
    def stem(self) -> str:
        """What the files begin with that are made of it."""
        return self.file.stem if self.is_given else Path(clip_file_name(self.job.id)).stem


@contextmanager
def finished_source(
    session: Session, text: str, on_progress: Callable[[Saving], None] = lambda saving: None
) -> Iterator[FinishedClip]:
    """The clip that a person names: a file on this machine, or the job that has it.

    Raises the errors of `finished_clip`, and `SettingsError` if it is a folder.
    """
    path = path_here(session, text)
    if path is not None and path.is_file():
        yield FinishedClip(job_of_file(path), path, is_given=True)
        return
    job_id = job_id_of(session, text)
    try:
        with finished_clip(session, job_id, on_progress=on_progress) as clip:
            yield clip
    except JobNotFound as error:
        if looks_like_path(text):
            error.advise("Nor is there such a file on this machine.")
        raise


@contextmanager
def finished_clip(
    session: Session,
    job_id: str,
    saved_path: str | None = None,
    on_progress: Callable[[Saving], None] = lambda saving: None,
) -> Iterator[FinishedClip]:
    """The first clip of a completed job: where it is saved, else brought to a temporary file.

    `saved_path`: where the clip lies, for all the caller knows; that comes first. `on_progress` is
    called as by `clips.save.save` where the API has to send the clip.

    Raises:
        ClipError: the job has no clip, or its clip cannot be fetched.
        ApiError, TransientError, MissingKey: the API cannot be asked, or refuses.
    """
    job_id = check_job_id(job_id)
    known, places = _known(session, job_id)
    places = list(dict.fromkeys(filter(None, [saved_path, *places])))
    done = known or Job(job_id, JobStatus.COMPLETED)
    for place in places:
        if "://" not in place and _is_file(file := notebook_folder() / place):
            yield FinishedClip(done, file)
            return
    with scratch_folder() as folder:
        for url in (place for place in places if "://" in place):
            file = folder / f"clip{suffix_of(url)}"
            session.run(download_from_storage(url, file, job_id))
            yield FinishedClip(done, file)
            return
        client = session.client(session.settings)
        job, file = session.run(_fetched(client, job_id, folder, on_progress))
        yield FinishedClip(job.filled(known), file)


def _known(session: Session, job_id: str) -> tuple[Job | None, list[str]]:
    """What is known of a job here, and the places of its clip: paths and URLs, the best first."""
    watched = latest_watch(session.watches, job_id)
    entry = remembered_entry(session.ledger, session.settings, job_id)
    state = saved_watch_state(session.ledger, session.settings, job_id, entry)
    jobs = [watched.job if watched is not None else None]
    jobs.append(entry.to_job() if entry is not None else None)
    saved = [watched.state.saved if watched is not None else None]
    saved.append(state.saved if state is not None else None)
    return next(filter(None, jobs), None), [one.file_path for one in saved if one is not None]


async def _fetched(
    client: Client, job_id: str, folder: Path, on_progress: Callable[[Saving], None]
) -> tuple[Job, Path]:
    from ..clips.download import Tries
    from ..clips.fetch import Wanted, fetch, late_until_s

    job = (await client.poll(job_id)).job
    if job.status != JobStatus.COMPLETED:
        raise no_clip(job)
    wanted = Wanted(job, late_until_s=late_until_s(job, is_fresh=False))
    fetched = await fetch(client, wanted, folder, clip_file_name(job_id), Tries(on_progress))
    return job, fetched.path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # its folder may not be looked into, or no file can be named so
        return False
