"""WatchList: several watches that were started together."""

from __future__ import annotations

from ..job.job import Job
from ..job.rating import Flag
from ..machine import say
from .watch import Watch


class WatchList(list[Watch]):
    """Several watches that were started together."""

    def wait(self, timeout: float | None = None) -> list[Job]:
        """Block until all have ended, at most `timeout` seconds for each; see `Watch.wait`."""
        return [watch.wait(timeout) for watch in self]

    def picked(self) -> WatchList:
        """Return those whose clip somebody has picked."""
        return WatchList(watch for watch in self if watch.rating.flag == Flag.PICKED)

    def rejected(self) -> WatchList:
        """Return those whose clip somebody has rejected."""
        return WatchList(watch for watch in self if watch.rating.flag == Flag.REJECTED)

    def stop(self) -> None:
        """Stop watching all of them."""
        for watch in self:
            watch.stop()

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        return f"[{shown}]" if len(self) <= 3 else f"[{shown}, … {len(self) - 3:,} more]"

    def _ipython_display_(self) -> None:
        if not self or not all(watch.is_shown_here for watch in self):
            say(repr(self))
