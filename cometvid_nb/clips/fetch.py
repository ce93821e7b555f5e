"""Fetch: one clip of a job to a file, by the first road that leads to it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from ..api.client import Client
from ..api.retries import retry_delay_s
from ..errors import (
    ClipError,
    ClipNotReady,
    CometVidError,
    RateLimited,
    ServerTrouble,
    TransientError,
    retold,
)
from ..job.job import Job
from .download import TRIES_PER_ROAD, ClipFile, Tries, download
from .places import SavedClip
from .roads import roads_of

MOST_TRIES = 6
"""Of one clip, along all roads together: so that it ends in time where each of them is slow."""
LATE_WITHIN_S = 60.0
"""How long after the end of a job its clip may still be on the way to where it is served from."""
LATE_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Between two walks along all roads; the last one stays."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One clip of `job`, the `number`th from 0, and where it lies already, or None.

    `late_until_s` (monotonic seconds): until then it may still be on its way to its server.
    """

    job: Job
    number: int = 0
    saved: SavedClip | None = None
    late_until_s: float = 0.0


def late_until_s(job: Job, *, is_fresh: bool) -> float:
    """Until when the clips of a completed job may be late (monotonic seconds).

    `is_fresh`: it has just ended, whatever `completed_at` says: some models set that early.
    """
    ago_s = 0.0 if is_fresh or job.completed_at_s is None else time.time() - job.completed_at_s
    return time.monotonic() + LATE_WITHIN_S - max(0.0, ago_s)


async def fetch(
    client: Client, wanted: Wanted, folder: Path, file_name: str, tries: Tries
) -> ClipFile:
    """The clip in a file in `folder`, by the first road that leads to it.

    Where none does, and the last of them says that the clip is not there yet, they are walked
    again until it cannot be late any more, each with one try.

    Raises:
        ClipError, TransientError: no road led to it, or the disk would not take it.
    """
    problems: dict[str, CometVidError] = {}
    walks = 0
    while True:
        problem: CometVidError | None = None
        async for road in roads_of(
            client, wanted.job, wanted.saved, wanted.number, is_late=walks > 0
        ):
            if problem is not None:
                tries.failed(problem)
            # One try is kept for the last road, which needs no link.
            left = MOST_TRIES - tries.number - (0 if road.is_last else 1)
            most_tries = 1 if walks else min(TRIES_PER_ROAD, left)
            try:
                return await download(
                    client, road, folder, file_name=file_name, tries=tries, most_tries=most_tries
                )
            except (ClipError, TransientError) as error:
                if isinstance(error.__cause__, OSError):
                    raise  # the disk: another road would end there as well
                problem = problems[road.name] = error
        if problem is None:
            raise ClipError(f"The API gave no link to the clip of {wanted.job.id}.")
        hint_s = getattr(problem, "retry_after_s", None)
        pause_s = retry_delay_s(LATE_PAUSES_S[min(walks, len(LATE_PAUSES_S) - 1)], hint_s)
        is_late = isinstance(problem, ClipNotReady | ServerTrouble | RateLimited)
        if not is_late or time.monotonic() + pause_s > wanted.late_until_s:
            raise _in_the_end(problems)
        tries.failed(f"{problem} The clip may take a little longer; trying again.")
        await asyncio.sleep(pause_s)
        walks += 1


def _in_the_end(problems: dict[str, CometVidError]) -> CometVidError:
    """The last problem, with the words of all roads that ended otherwise.

    The last road's "not found" is no news where the first one had brought a broken file.
    """
    last = list(problems.values())[-1]
    told = {str(problem): name for name, problem in problems.items()}
    if len(told) == 1:
        return last
    return retold(last, " ".join(f"By {name}: {words}" for words, name in told.items()))
