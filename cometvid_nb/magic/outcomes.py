"""Outcomes: what a cell is told of watches that have ended without a clip."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ApiError, ClipError, CometVidError, WatchEnded, retold
from ..job.ids import shown_id
from ..watching.watch import Watch


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


def why(ended: list[tuple[Watch, CometVidError]]) -> CometVidError:
    """Return the error to raise for watches without a clip.

    It has their own class if all have the same one, so that `except JobFailed` works for many.
    """
    errors = [error for _, error in ended]
    if len(ended) == 1:
        return retold(errors[0], _last_words(*ended[0]))
    words = [
        " ".join(filter(None, [_last_words(watch, error), error.advice])) for watch, error in ended
    ]
    told = retold(errors[0], "\n".join(words)) if len({*map(type, errors)}) == 1 else None
    if told is None:
        told = WatchEnded("\n".join(words), job=None)
    told.advice = None  # the text has the advice of each error
    return told


def _last_words(watch: Watch, error: CometVidError) -> str:
    """Return the error's message with the job's id in front, if the message lacks it."""
    words = str(error)
    is_named = (
        shown_id(watch.job_id) in words or watch.job_id in words or not isinstance(error, ApiError)
    )
    return words if is_named else f"{shown_id(watch.job_id)}: {words}"
