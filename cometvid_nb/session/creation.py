"""create: a job asked for exactly once, written into the ledger before, during and after."""

from __future__ import annotations

import asyncio

from ..api.client import Client
from ..api.new_job import NewJob
from ..errors import CometVidError, OutcomeUnknown
from ..job import Job
from ..ledger.ledger import Ledger


async def create(client: Client, ledger: Ledger, new: NewJob) -> Job:
    """Ask for a job.

    Raises:
        ApiError, TransientError: the API refused it, or was never reached; nothing was made.
        OutcomeUnknown: the answer was lost; there may be a job. Nothing is sent again.
    """
    # Off the loop, where every watch lives: each of these waits for the disk.
    ref = await asyncio.to_thread(
        ledger.intend,
        client.settings.base_url,
        model=new.model,
        seconds=new.seconds,
        size=new.size,
        prompt=new.prompt,
        image=new.image.name if new.image else None,
        remixed_from=new.remix_of,
    )
    try:
        job = await client.create(new, idempotency_key=ref)
    except OutcomeUnknown as error:
        await asyncio.to_thread(ledger.lose, ref, str(error))
        raise
    except CometVidError as error:
        await asyncio.to_thread(ledger.refuse, ref, str(error))
        raise
    except BaseException:  # the session was closed while the API answered
        ledger.lose(ref, "The session was closed before the answer came.")
        raise
    ledger.accept(ref, job)  # here and now: nothing may come between the answer and this
    return job
