"""again: which server is asked when a watch that is over is begun again."""

from __future__ import annotations

from dataclasses import replace

from ..errors import CometVidError
from ..settings import Settings


def settings_again(before: Settings, today: Settings) -> Settings:
    """The settings to reach a server with that was reached with those of `before`.

    Only the key for it is today's: the old one may be why the watch is over. A simulation lives
    on in the next one, which has another address.

    Raises:
        CometVidError: it was a simulation, and none is on.
    """
    if before.is_simulated:
        if not today.is_simulated:
            raise CometVidError(
                "The simulation that has this job is not on.",
                advice="Start it with %cometvid demo, then watch the job again.",
            )
        return today
    is_key_for_it = today.api_key is not None and today.base_url == before.base_url
    return replace(before, api_key=today.api_key if is_key_for_it else before.api_key)
