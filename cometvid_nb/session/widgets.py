"""The public widgets: the bare widgets of `display`, with watches of the kernel's session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..display.widget import CardWidget, GridWidget
from ..watching.watch import Watch
from .session import current


class JobWidget(CardWidget):
    """The live card of one job, which becomes the player.

    `JobWidget("video_abc123")` watches that job. The widget can stand alone or inside `HBox`,
    `VBox`, `Tab` and the like. `.watch` is the `Watch` behind the card, None without a job.

    Raises:
        SettingsError: no key is set.
        ValueError: `job_id` cannot be an id.
    """

    def __init__(self, job_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if job_id is not None:
            session = current()
            session.stage.bind(self, session.watch(job_id))


class GalleryWidget(GridWidget):
    """The live cards of many jobs, a page at a time; each becomes a player in its place.

    `GalleryWidget(["video_1", watch])` watches these jobs; ids and `Watch` objects may mix.

    Raises:
        SettingsError: no key is set.
        ValueError: one of the texts cannot be a job id.
    """

    def __init__(self, watches: Sequence[Watch | str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if watches is not None:
            session = current()
            followed = [session.watch(one) if isinstance(one, str) else one for one in watches]
            session.stage.bind_gallery(self, followed)
