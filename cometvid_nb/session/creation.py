"""create: creates a job exactly once, and writes intent and outcome into the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..api.client import Client
from ..api.new_job import NewJob
from ..cards.text import one_line
from ..errors import CometVidError, OutcomeUnknown, retold
from ..job.job import Job
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..machine import say
from .reruns import Made, Place, Wanted, blocked_by, failed_before, is_shown, made_before

if TYPE_CHECKING:
    from ..watching.loop import WatchLoop

MOST_ANSWER = 500
"""Characters of an answer without a usable id, in the ledger and in the message: the id that it
may hold stands near its beginning."""


def create_each(
    loop: WatchLoop, client: Client, ledger: Ledger, wanted: Sequence[Wanted], how: str
) -> Iterator[Made]:
    """Yield the job of each request: one that is made already, or one that is created for it.

    One after the other, so that an interrupt of the reader ends the creating. If a request fails,
    nothing more is created; nor is anything where an outcome is not known from the beginning.
    Jobs that are there already are given all the same. `how` is what a person adds to a request
    that is to be sent again.

    Raises:
        CometVidError: what has ended the creating, after the last job.
    """
    entries = (one.entry for one in wanted if one.is_blocked)
    blocked = next(filter(None, entries), None)
    error: CometVidError | None = blocked_by(blocked, how) if blocked is not None else None
    for one in wanted:
        try:
            if one.entry is not None and one.is_made:
                yield made_before(one, one.entry, how)
            elif error is None:
                if told := failed_before(one):
                    say(told)
                yield loop.run(_create_wanted(client, ledger, one, how)).result()
        except CometVidError as caught:
            error = caught
    if error is not None:
        raise error


async def _create_wanted(client: Client, ledger: Ledger, wanted: Wanted, how: str) -> Made:
    if wanted.place is None:
        return Made(await create(client, ledger, wanted.new), wanted)
    result = await create_in(client, ledger, wanted.new, wanted.place)
    if isinstance(result, Job):
        return Made(result, wanted)
    if not is_shown(result):  # another kernel came first, and its answer is not there yet
        raise blocked_by(result, how)
    return made_before(wanted, result, how)


async def create(client: Client, ledger: Ledger, new: NewJob) -> Job:
    """Create the job `new` and return it.

    Raises:
        ApiError, TransientError: the API refused or was never reached; no job was created.
        OutcomeUnknown: the answer was lost, so a job may exist. Nothing is sent again.
    """
    # In threads: these writes wait for the disk, and every watch runs on this loop.
    ref = await asyncio.to_thread(ledger.intend, client.settings.base_url, **_columns(new))
    return await _send(client, ledger, new, ref)


async def create_in(client: Client, ledger: Ledger, new: NewJob, place: Place) -> Job | Entry:
    """Create a job for a place of a notebook; or return the entry that stands there already.

    Another kernel may have come first. Raises the errors of `create`.
    """
    base_url = client.settings.base_url
    ref = await asyncio.to_thread(
        ledger.intend_once,
        base_url,
        place.repeat,
        place.slot,
        is_again=place.is_again,
        **_columns(new),
    )
    return ref if isinstance(ref, Entry) else await _send(client, ledger, new, ref)


def _columns(new: NewJob) -> dict[str, str | None]:
    """Return what the ledger keeps of a request."""
    return {
        "model": new.model,
        "seconds": new.seconds,
        "size": new.size,
        "prompt": new.prompt,
        "image": ", ".join(image.name for image in new.images) or None,
        "remixed_from": new.remix_of,
        "continued_from": new.continued_from,
        "request": new.to_json_text(),
    }


async def _send(client: Client, ledger: Ledger, new: NewJob, ref: str) -> Job:
    assert not new.needs_frame  # it would be another clip than the one that was asked for
    try:
        job = await client.create(new, idempotency_key=ref)
    except OutcomeUnknown as error:
        # Whatever the answer was, it is kept: it may be all that leads to a job that is paid for.
        answer = one_line(error.answer, MOST_ANSWER)
        words = f"{str(error).rstrip('.')}. What came: {answer}"
        told = retold(error, words) if answer else error
        if ledger.path is not None:
            told.advise("%cometvid jobs lists the attempt.")
        await asyncio.to_thread(ledger.lose, ref, str(told), answer)
        raise told from error.__cause__
    except CometVidError as error:
        await asyncio.to_thread(ledger.refuse, ref, str(error))
        raise
    except BaseException:  # the session was closed while the request was under way
        # Not in a thread: the loop is about to end.
        ledger.lose(ref, "The session was closed before the answer came.")
        raise
    # Not in a thread: a cancellation between the answer and this write would lose the job's id.
    ledger.accept(ref, job)
    if ledger.is_behind:
        await asyncio.to_thread(ledger.settle)  # with more patience than the loop may have
    images = tuple(image.name for image in new.images)
    job = replace(job, images=images, seed=job.seed or new.fields.get("seed"))
    return replace(job, continued_from=new.continued_from)
