"""What the settings say to a watch: when to poll, and where to save."""

from __future__ import annotations

from dataclasses import replace

from ..clips.places import Destination
from ..notebook import notebook_folder, served_root
from ..settings import Settings
from ..watching.schedule import PollPolicy

SIMULATED_MIN_DELAY_S, SIMULATED_MAX_DELAY_S = 0.5, 1.5
"""The bounds of a pause while simulating. The simulator runs in the same kernel, so that a poll
costs nothing, and a demo whose card moves every 15 s shows nothing."""


def destination_of(settings: Settings, dest: str | None) -> Destination:
    """Return the place that `dest` names, or that of the settings.

    Raises:
        SettingsError: nothing can be saved to a place of that name.
    """
    beside = notebook_folder()
    return Destination.parse(dest, beside / settings.save_folder, beside, served_root())


def policy_of(settings: Settings) -> PollPolicy:
    """Return when the settings want a job to be polled, and for how long."""
    if settings.interval_s:
        return PollPolicy.fixed(settings.interval_s, settings.timeout_s)
    policy = PollPolicy(give_up_after_s=settings.timeout_s)
    if settings.is_simulated:
        return replace(policy, min_delay_s=SIMULATED_MIN_DELAY_S, max_delay_s=SIMULATED_MAX_DELAY_S)
    return policy
