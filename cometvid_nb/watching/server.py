"""Server: holds the client, the turns and the worker that one kernel has for one API."""

from __future__ import annotations

from ..api.client import Client
from ..settings import Settings
from .worker import Worker


class Server:
    """One API and key, as one kernel uses them.

    Used on the loop of the watches, except for `settings`, which any thread may read.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = Client(settings)
        self.turns = self.client.turns
        self._worker: Worker | None = None
        """Made for the first crowd of jobs: a process costs time and memory that few never need."""

    @property
    def worker(self) -> Worker | None:
        """The worker, while there are many jobs and as long as it still polls one.

        None: the kernel polls by itself. A worker whose process was lost is not started again, as
        the kernel can do its work.
        """
        if self._worker is None:
            if not self.turns.is_crowded:
                return None
            self._worker = Worker(self.settings, self.turns)
        if self._worker.is_lost:
            return None
        return self._worker if self._worker.is_needed or self.turns.is_crowded else None

    def draw(self, job_id: str) -> None:
        """Tell the worker that a card now draws the plan of this job, so that it makes one."""
        if self._worker is not None:
            self._worker.draw(job_id)

    async def aclose(self) -> None:
        """End the worker and close every connection. The server can be used again."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.aclose()
        await self.client.aclose()
