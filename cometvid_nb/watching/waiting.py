"""Waiting: until a watch is settled, on whatever loop somebody waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .state import WatchState

Observer = Callable[[WatchState], None]
Subscribe = Callable[[Observer], Callable[[], None]]
"""The method `Watch.subscribe` of a watch: it calls an observer at once and at each change."""

log = logging.getLogger("cometvid_nb.watching.waiting")


async def until_settled(subscribe: Subscribe) -> None:
    """Wait on the caller's loop, which need not be the loop that polls."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def observe(state: WatchState) -> None:
        if state.is_settled:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:
                log.debug("the loop that awaited %s is closed", state.job_id)

    unsubscribe = subscribe(observe)
    try:
        await event.wait()
    finally:
        unsubscribe()
