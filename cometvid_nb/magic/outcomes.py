"""Outcomes: what a cell is told of watches that have ended without a clip."""

from __future__ import annotations

from collections.abc import Sequence

from ..cards.text import one_line
from ..errors import ApiError, ClipError, CometVidError, WatchEnded, retold
from ..job.ids import shown_id
from ..watching.state import Ending
from ..watching.watch import Watch

_ENDED = {
    Ending.FAILED: "failed",
    Ending.GAVE_UP: "had not ended in time",
    Ending.STOPPED: "is no longer watched",
    Ending.BROKEN: "cannot be watched",
    Ending.COMPLETED: "is completed, but its clip is not saved",
}


def listed(watches: Sequence[Watch], most: int = 12) -> str:
    """Return ids for a sentence; of very many only the latest."""
    ids = [shown_id(watch.job_id) for watch in watches[-most:]]
    return ", ".join(["…", *ids] if len(watches) > most else ids)


def error_of(watch: Watch) -> CometVidError | None:
    """Return why a watch has no clip; None: it has one, or none was wanted, or it goes on."""
    state = watch.state
    if state.error is None and state.saved is None and state.is_over and state.problem:
        return ClipError(state.problem)
    return state.error


def failure_of(watches: Sequence[Watch], *, is_seen: bool) -> CometVidError | None:
    """Return the error of a cell that has waited: one line, None if every watch has its clip.

    It has the class of the watches' own errors if that is the same for all, so that
    `except JobFailed` works for many. `is_seen`: the same cell shows the cards, which tell the
    reason and what to do, so that the line need not.
    """
    ended = [(watch, error) for watch in watches if (error := error_of(watch)) is not None]
    if not ended:
        return None
    errors = [error for _, error in ended]
    if len(ended) > 1:
        told = f"{len(ended)} of {len(watches)} jobs have no clip: {listed([w for w, _ in ended])}."
        told += " The reasons are shown above." if is_seen else " Their cards tell why."
    elif is_seen:
        watch = ended[0][0]
        told = f"{shown_id(watch.job_id)} {_ENDED[watch.state.ending or Ending.BROKEN]}"
        told += "." if watch.state.ending == Ending.STOPPED else "; the reason is shown above."
    else:
        told = one_line(_last_words(*ended[0]))
    is_one_class = len({*map(type, errors)}) == 1
    failure = retold(errors[0], told) if is_one_class else WatchEnded(told, job=None)
    failure.advice = None  # the card has it
    return failure


def _last_words(watch: Watch, error: CometVidError) -> str:
    """Return the error's message with the job's id in front, if the message lacks it."""
    words = str(error)
    is_named = (
        shown_id(watch.job_id) in words or watch.job_id in words or not isinstance(error, ApiError)
    )
    return words if is_named else f"{shown_id(watch.job_id)}: {words}"
