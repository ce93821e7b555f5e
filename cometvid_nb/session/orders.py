"""What the settings say to a watch: when to poll, and where to save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..clips.format import SUFFIXES
from ..clips.places import Destination
from ..errors import SettingsError
from ..job.naming import check_template
from ..notebook import notebook_folder, served_root
from ..settings import Settings
from ..watching.schedule import PollPolicy

SIMULATED_MIN_DELAY_S, SIMULATED_MAX_DELAY_S = 0.5, 1.5
"""The bounds of a pause while simulating. The simulator runs in the same kernel, so that a poll
costs nothing, and a demo whose card moves every 15 s shows nothing."""


def destination_of(
    settings: Settings,
    dest: str | None,
    name: str | None = None,
    suffixes: Sequence[str] = SUFFIXES,
) -> Destination:
    """Return the place that `dest` names, or that of the settings.

    `name` is a template of file names; None takes that of the settings. `suffixes` are those of
    the files that can be written there.

    Raises:
        SettingsError: nothing can be saved to a place of that name, or by such a template.
    """
    beside = notebook_folder()
    place = Destination.parse(dest, beside / settings.save_folder, beside, served_root(), suffixes)
    if name is not None and place.file_name is not None:
        raise SettingsError("the clip is named twice: by --save FILE and by --name. Give one.")
    try:
        template = check_template(settings.name_template if name is None else name)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return replace(place, name_template=template, has_recipe=settings.recipe)


def policy_of(settings: Settings) -> PollPolicy:
    """Return when the settings want a job to be polled, and for how long."""
    if settings.interval_s:
        return PollPolicy.fixed(settings.interval_s, settings.timeout_s)
    policy = PollPolicy(give_up_after_s=settings.timeout_s)
    if settings.is_simulated:
        return replace(policy, min_delay_s=SIMULATED_MIN_DELAY_S, max_delay_s=SIMULATED_MAX_DELAY_S)
    return policy
