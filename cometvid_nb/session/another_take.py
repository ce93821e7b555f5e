"""Another take: one more job like a shown one, for a page's button; this costs money."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ..errors import CometVidError, OutcomeUnknown, SettingsError
from ..job.ids import quoted_id
from ..job.job import Job
from ..ledger.ledger import Ledger
from ..watching.watch import Watch
from .creation import create_in
from .reruns import Offer

log = logging.getLogger("cometvid_nb.session.another_take")


async def another_take(
    watch: Watch, offer: Offer, ledger: Ledger, base_url: str, follow: Callable[..., Watch]
) -> Watch:
    """Create another take of the job of `watch`, in its place in the notebook; return its watch.

    `base_url` is where the settings lead now; `follow(job_id, **options)` starts the new watch. If
    no job can be created, `watch` itself tells why, and is returned. It offers another try unless
    a job may have been made.
    """
    try:
        job = await _create(watch, offer, ledger, base_url)
        another = await asyncio.to_thread(follow, job.id, **offer.options)
    except CometVidError as error:
        is_lost = isinstance(error, OutcomeUnknown)
        words = [f"no other take was created: {error}"] if not is_lost else [str(error)]
        words += [error.advice] if error.advice else []
        watch.annotate(" ".join(words), can_repeat=not is_lost)
        return watch
    except Exception as error:
        log.exception("another take of %s broke", watch.job_id)
        watch.annotate(f"another take broke ({type(error).__name__}): see %cometvid jobs")
        return watch
    another.annotate(f"another take; the one before: %cometvid watch {quoted_id(watch.job_id)}")
    return another


async def _create(watch: Watch, offer: Offer, ledger: Ledger, base_url: str) -> Job:
    server, place = watch.server, offer.wanted.place
    if base_url != server.settings.base_url or place is None:
        raise SettingsError("the settings lead to another API by now. Run the cell again.")
    again = place._replace(is_again=True)
    job = await create_in(server.client, ledger, offer.wanted.new, again)
    assert isinstance(job, Job)  # `is_again`: nothing stands in its way
    return job
