"""Server: one API as one kernel asks it, by itself or through a process that polls for many."""

from __future__ import annotations

from ..api.client import Client
from ..settings import Settings
from .worker import Worker


class Server:
    """The client of one API with its turns, and the process that polls while its jobs are many.

    Used on the loop of the watches, but for `settings`.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = Client(settings)
        self.turns = self.client.turns
        self._worker: Worker | None = None

    @property
    def worker(self) -> Worker | None:
        """The polling process, while the jobs are many and for as long as it is at work.

        None: the kernel polls by itself. A process that was lost is not started again.
        """
        if self._worker is None:
            if not self.turns.is_crowded:
                return None
            self._worker = Worker(self.settings, self.turns)
        if self._worker.is_lost:
            return None
        return self._worker if self._worker.is_needed or self.turns.is_crowded else None

    def draw(self, job_id: str) -> None:
        """A card has begun to draw the plan of this job: whoever polls has to make one."""
        if self._worker is not None:
            self._worker.draw(job_id)

    async def aclose(self) -> None:
        """End the process and close every connection. The server can be used again."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.aclose()
        await self.client.aclose()
