"""create: a job asked for exactly once, written into the ledger before, during and after."""

from __future__ import annotations

from .client import Client
from .errors import CometVidError, OutcomeUnknown
from .job import Job
from .ledger import Ledger
from .new_job import NewJob


async def create(client: Client, ledger: Ledger, new: NewJob) -> Job:
    """Ask for a job.

    Raises:
        ApiError, TransientError: the API refused it, or was never reached; nothing was made.
        OutcomeUnknown: the answer was lost; there may be a job. Nothing is sent again.
    """
    ref = ledger.intend(
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
        ledger.lose(ref, str(error))
        raise
    except CometVidError as error:
        ledger.refuse(ref, str(error))
        raise
    ledger.accept(ref, job)
    return job
