"""Dialects: every form in which real servers were seen to send one and the same answer, by name.

A name works in three ways: the job `video_dialect_<name>` of a new simulator answers so, every
created job of `Simulator(dialect="<name>")` does, and so does one that is created with the model
`dialect-<name>`. To add a form, write a line into the table of its idea in `shapes/`:

    words      status words, progress, the wrapper; what answers leave out; families' own forms
    links      the link of the clip: its place, relative, several of them, a data URL
    reasons    the reason of a failure
    figures    times, and the frame of the clip
    over_http  a job under an HTTP status that says otherwise, pending without a job
    created    the id in the answer to a create: only created jobs have these
"""

from __future__ import annotations

from cometvid_nb.simulator.shapes.answer import Answer, Dialect, HttpDialect, JobJson
from cometvid_nb.simulator.shapes.created import CREATED
from cometvid_nb.simulator.shapes.figures import FRAMES, TIMES
from cometvid_nb.simulator.shapes.links import LINKS
from cometvid_nb.simulator.shapes.over_http import ENDED, OVER_HTTP
from cometvid_nb.simulator.shapes.reasons import REASONS
from cometvid_nb.simulator.shapes.words import FAMILY_WORDS, LEFT_OUT, OTHER_WORDS, WORDS

__all__ = [
    "CREATED",
    "DIALECTS",
    "FAILING_DIALECTS",
    "NAMES",
    "OTHER_WORDS",
    "OVER_HTTP",
    "PORTRAIT_DIALECTS",
    "Dialect",
    "HttpDialect",
    "JobJson",
    "creation_answer",
    "retrieval_answer",
]

DIALECTS: dict[str, Dialect] = {
    **WORDS,
    **LINKS,
    **REASONS,
    **TIMES,
    **FRAMES,
    **LEFT_OUT,
    **FAMILY_WORDS,
}
"""The dialects of retrievals that differ in the JSON alone."""

FAILING_DIALECTS = frozenset({*OTHER_WORDS["failed"], *REASONS, *ENDED})
"""The dialects that differ only in the answers of a failed job."""

PORTRAIT_DIALECTS = frozenset(FRAMES)
"""The dialects whose job is a portrait, as every reader takes a clip for a landscape at first."""

NAMES = (*DIALECTS, *OVER_HTTP, *CREATED)
"""All dialects; no name means two things."""
assert len(set(NAMES)) == len(NAMES)


def retrieval_answer(name: str, job: JobJson) -> Answer:
    """Return what a retrieval of the documented `job` answers in this dialect."""
    if name in OVER_HTTP:
        return OVER_HTTP[name](job)
    return Answer(DIALECTS[name](job) if name in DIALECTS else job)


def creation_answer(name: str, job: JobJson) -> Answer:
    """Return what the creation of the documented `job` answers in this dialect."""
    told = {**job, "task_id": job["id"]}
    if name in CREATED:
        return CREATED[name](told)
    return Answer(DIALECTS[name](told) if name in DIALECTS else told)
