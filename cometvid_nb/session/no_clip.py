"""no_clip: the error of a job whose clip is asked for and that is not completed."""

from __future__ import annotations

from ..errors import ClipError
from ..job.ids import quoted_id, shown_id
from ..job.job import Job
from ..job.values import one_line


def no_clip(job: Job) -> ClipError:
    """Return it: why the job has no clip, and what to do."""
    shown, typed = shown_id(job.id), quoted_id(job.id)
    if job.is_final:
        told = f": {one_line(job.error_message, 200)}" if job.error_message else ""
        advice = f"Take another one, or make a new one: %cometvid recipe {typed} prints its line."
        return ClipError(f"{shown} has no clip: it has failed{told}", advice=advice)
    word = one_line(job.status_word, 60)
    advice = f"Watch it until it has one: %cometvid watch {typed} --wait"
    return ClipError(f"{shown} has no clip yet: it is {word!r}.", advice=advice)
