"""SessionFootage: the pictures of a job's clip, wherever it lies; see `job.footage`.

The package imports this module when it is imported, so what it needs loads at its first use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


class SessionFootage:
    """Finds clips as the session of this process knows them, and decodes them."""

    def frames(
        self,
        job_id: str,
        saved_path: str | None,
        every_s: float | None,
        at_s: Sequence[float | str] | None,
        count: int | None,
    ) -> np.ndarray[Any, Any]:
        """See `Job.frames`."""
        from ..editing.frames import frames
        from ..editing.times import Times
        from .finished import finished_clip
        from .session import current

        times = Times.checked(every_s, at_s, count)
        with finished_clip(current(), job_id, saved_path) as clip:
            return frames(clip.file, times)

    def iter_frames(
        self, job_id: str, saved_path: str | None, every_s: float | None
    ) -> Iterator[tuple[float, np.ndarray[Any, Any]]]:
        """See `Job.iter_frames`."""
        from ..editing.frames import iter_frames
        from .finished import finished_clip
        from .session import current

        with finished_clip(current(), job_id, saved_path) as clip:
            yield from iter_frames(clip.file, every_s)

    def last_frame(self, job_id: str, saved_path: str | None) -> Image.Image:
        """See `Job.last_frame`."""
        from ..editing.frames import last_frame
        from .finished import finished_clip
        from .session import current

        with finished_clip(current(), job_id, saved_path) as clip:
            return last_frame(clip.file)
