"""Continuation: a new clip that begins with the last frame of an earlier one."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..api.families import family_of
from ..api.images import Image
from ..api.new_job import NewJob
from ..clips.file import clip_file_name
from ..errors import SettingsError
from ..job.ids import shown_id
from ..job.job import Job
from ..job.status import JobStatus
from .files import job_id_of
from .finished import finished_clip
from .remembered import latest_watch, remembered_entry

if TYPE_CHECKING:
    from .session import Session

_SHAPE = {"size": "size", "ratio": "aspect_ratio", "resolution": "resolution"}
"""By option: the field of a request that it fills."""


def as_before(
    session: Session, job_id: str, options: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return the options of a job that continues `job_id`, and in lines what is to be said.

    Model, size and seconds are those of that job where `options` name none. What another model
    does not take of them is left out.

    Raises:
        SettingsError: the job has failed, or its model takes no picture to begin with.
        ApiError, TransientError, MissingKey: nothing is known of the job here, nor at the API.
    """
    job_id = job_id_of(session, job_id)
    source = _Source.of(session, job_id)
    model = options.get("model") or source.model
    wanted, notes = {**options, "model": model, "continued_from": job_id}, list[str]()
    family, is_forced = family_of(model), bool(options.get("force"))
    if family.most_images == 0 and not is_forced:
        raise SettingsError(
            f"{model} takes no picture, so its clip cannot begin with the last frame of "
            f"{shown_id(job_id)}.",
            advice='Name a model that does, with --model M (in Python: model="M").',
        )
    if not family.has_last_frame:
        notes.append(
            f"{model} takes pictures as references: its clip may not begin with exactly that frame."
        )
    for name, text in source.kept(options).items():
        try:
            one: dict[str, Any] = {name: text}
            NewJob.check("x", model=model, force=is_forced, **one)
        except SettingsError:
            notes.append(f"{model} takes no {name} {text}, which that clip has: it is left out.")
        else:
            wanted[name] = text
    return wanted, notes


def with_frames(session: Session, new: Sequence[NewJob]) -> list[NewJob]:
    """Return new jobs, those that continue a clip with its last frame, which is fetched now.

    Only when it is known that a job is to be created: a cell that runs again needs no frame.

    Raises:
        ClipError, EditError, ApiError, TransientError: the clip cannot be had, or not be read.
        SettingsError: the frame cannot be made what the model takes.
    """
    frames: dict[str, Image] = {}
    made = list[NewJob]()
    for one in new:
        job_id = one.continued_from
        if job_id is not None and one.needs_frame:
            if job_id not in frames:
                frames[job_id] = _frame_of(session, job_id)
            # Takes of one request share what was made of the picture.
            same = next(
                (made[at] for at, other in enumerate(new[: len(made)]) if other == one), None
            )
            one = same or one.with_frame(frames[job_id])
        made.append(one)
    return made


@dataclass(frozen=True, slots=True)
class _Source:
    """The job that is continued, and the fields that were asked for."""

    job: Job
    fields: Mapping[str, str]

    @classmethod
    def of(cls, session: Session, job_id: str) -> _Source:
        entry = remembered_entry(session.ledger, session.settings, job_id)
        watched = latest_watch(session.watches, job_id)
        job = watched.job if watched is not None else None
        if job is None and entry is not None:
            job = entry.to_job()
        if job is None:  # the API knows it, or nobody does
            job = session.poll(job_id)
        if job.status == JobStatus.FAILED:
            raise SettingsError(
                f"{shown_id(job_id)} has failed, so it has no clip to continue.",
                advice="Continue another take.",
            )
        asked = entry.asked.get("fields") if entry is not None else None
        given = asked if isinstance(asked, dict) else {}
        return cls(job, {name: text for name, text in given.items() if isinstance(text, str)})

    @property
    def model(self) -> str | None:
        """As it was asked for: an answer may name what that stands for today."""
        return self.fields.get("model") or self.job.model

    def kept(self, options: Mapping[str, Any]) -> dict[str, str]:
        """Return the length and the shape, as options, where `options` name none."""
        job, kept = self.job, dict[str, str]()
        seconds = self.fields.get("seconds") or (f"{job.duration_s:g}" if job.duration_s else None)
        if options.get("seconds") is None and seconds:
            kept["seconds"] = seconds
        if all(options.get(name) is None for name in _SHAPE):
            asked = {name: self.fields.get(field) for name, field in _SHAPE.items()}
            shape = {name: text for name, text in asked.items() if text}
            kept |= shape or ({"size": job.size} if job.size else {})
        return kept


def _frame_of(session: Session, job_id: str) -> Image:
    """Return the last frame of the clip of a job, wherever that lies."""
    from ..editing.frames import last_frame

    with finished_clip(session, job_id) as clip:
        picture = last_frame(clip.file)
    content = io.BytesIO()
    picture.save(content, "PNG")
    name = f"{clip_file_name(job_id).removesuffix('.mp4')}-last-frame.png"
    # The same for the frame of one job, whatever decoder has made its pixels.
    digest = hashlib.sha256(f"the last frame of {job_id}".encode()).hexdigest()
    return replace(Image(name, content.getvalue(), "image/png"), given_digest=digest)
