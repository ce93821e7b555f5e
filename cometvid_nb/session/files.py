"""Files: what is given where an id may stand, and is a file on this machine.

An id is never a path: one that this machine knows stays an id, whatever lies beside the notebook.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from ..clips.format import suffix_of
from ..clips.recipe import Recipe, read_recipe_file
from ..errors import SettingsError
from ..job.ids import check_job_id, shown_id
from ..job.job import Job
from ..job.status import JobStatus
from ..ledger.ledger import Ledger
from ..notebook import notebook_folder
from ..settings import Settings
from ..watching.watch import Watch
from .remembered import latest_watch, remembered_entry


class Here(Protocol):
    """What is asked of a session, which imports this module itself."""

    @property
    def settings(self) -> Settings:
        """Those of today."""
        ...

    @property
    def ledger(self) -> Ledger:
        """The one that they name."""
        ...

    @property
    def watches(self) -> list[Watch]:
        """All of the kernel."""
        ...


def looks_like_path(text: str) -> bool:
    """Whether a text has a slash, or ends as a clip's file does."""
    return "/" in text or os.sep in text or suffix_of(text) != ""


def path_here(here: Here, text: str) -> Path | None:
    """Return the file or folder on this machine that a text names; None: it may only be an id."""
    text = text.strip()
    if not looks_like_path(text) or "://" in text:
        return None
    try:
        path = notebook_folder() / Path(text).expanduser()
        is_there = path.exists()
    except (OSError, ValueError, RuntimeError):  # no file can be named so; `~nobody`
        return None
    return path if is_there and not is_known(here, text) else None


def job_id_of(here: Here, text: str) -> str:
    """Return a text as a job id, for what takes nothing else.

    Raises:
        SettingsError: it is a file or a folder on this machine.
        ValueError: it cannot be an id.
    """
    refuse_path(here, text)
    return check_job_id(text)


def refuse_path(here: Here, text: str) -> None:
    """Check that a text is no path: none gets to the API.

    Raises:
        SettingsError: it is a file or a folder on this machine.
    """
    if (path := path_here(here, text)) is not None:
        kind = "folder" if path.is_dir() else "file"
        raise SettingsError(
            f"{shown_id(text)} is a {kind} on this machine, and this takes the id of a job",
            advice="%cometvid frames, sheet, loop, reel and convert take a clip's file as well.",
        )


def job_of_file(file: Path) -> Job:
    """Return the job that the recipe beside a clip tells of; without one only a name is known."""
    try:
        recipe = read_recipe_file(file)
        job_id = check_job_id(recipe.job_id)
    except ValueError:
        return Job(file.name, JobStatus.COMPLETED)
    told = {"id": job_id, "status": JobStatus.COMPLETED.value, **_told_by(recipe)}
    return Job.parse(told)


def _told_by(recipe: Recipe) -> dict[str, str]:
    return {name: recipe.fields[name] for name in ("prompt", "model") if name in recipe.fields}


def is_known(here: Here, job_id: str) -> bool:
    """Whether this kernel watches a job, or this machine remembers it."""
    if latest_watch(here.watches, job_id) is not None:
        return True
    return remembered_entry(here.ledger, here.settings, job_id) is not None
