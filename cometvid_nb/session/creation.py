"""create: creates a job exactly once, and writes intent and outcome into the ledger."""

from __future__ import annotations

import asyncio

from ..api.client import Client
from ..api.new_job import NewJob
from ..errors import CometVidError, OutcomeUnknown
from ..job.job import Job
from ..ledger.ledger import Ledger


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
    )
    try:
        job = await client.create(new, idempotency_key=ref)
    except OutcomeUnknown as error:
        await asyncio.to_thread(ledger.lose, ref, str(error))
        raise
    except CometVidError as error:
        await asyncio.to_thread(ledger.refuse, ref, str(error))
        raise
    except BaseException:  # the session was closed while the request was under way
        # Not in a thread: the loop is about to end.
        ledger.lose(ref, "The session was closed before the answer came.")
        raise
    # Not in a thread: a cancellation between the answer and this write would lose the job's id.
    ledger.accept(ref, job)
    return job
