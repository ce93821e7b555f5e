"""create: creates a job exactly once, and writes intent and outcome into the ledger."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ..api.client import Client
from ..api.new_job import NewJob
from ..cards.text import one_line
from ..errors import CometVidError, OutcomeUnknown, retold
from ..job.job import Job
from ..ledger.ledger import Ledger

MOST_ANSWER = 500
"""Characters of an answer without a usable id, in the ledger and in the message: the id that it
may hold stands near its beginning."""


async def create(client: Client, ledger: Ledger, new: NewJob) -> Job:
    """Create the job `new` and return it.

    Raises:
        ApiError, TransientError: the API refused or was never reached; no job was created.
        OutcomeUnknown: the answer was lost, so a job may exist. Nothing is sent again.
    """
    # In threads: these writes wait for the disk, and every watch runs on this loop.
    ref = await asyncio.to_thread(
        ledger.intend,
        client.settings.base_url,
        model=new.model,
        seconds=new.seconds,
        size=new.size,
        prompt=new.prompt,
        image=", ".join(image.name for image in new.images) or None,
        remixed_from=new.remix_of,
        request=new.to_json_text(),
    )
    try:
        job = await client.create(new, idempotency_key=ref)
    except OutcomeUnknown as error:
        # Whatever the answer was, it is kept: it may be all that leads to a job that is paid for.
        answer = one_line(error.answer, MOST_ANSWER)
        told = retold(error, f"{error} The API answered: {answer}") if answer else error
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
    return replace(job, images=images, seed=job.seed or new.fields.get("seed"))
