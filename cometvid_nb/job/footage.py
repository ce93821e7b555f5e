"""Footage: the pictures of a job's clip, for `Job.frames` and its like.

Where a clip lies, and how it is decoded, is known far above a job, which may import neither. So the
package, when it is imported, puts in here who knows: `session.footage`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


class Footage(Protocol):
    """Finds the clip of a job and decodes it; what the methods do is told in `Job`.

    `saved_path` is that of the job: where its clip lies, as far as the job knows.
    """

    def frames(
        self,
        job_id: str,
        saved_path: str | None,
        every_s: float | None,
        at_s: Sequence[float | str] | None,
        count: int | None,
    ) -> np.ndarray[Any, Any]:
        """See `Job.frames`."""
        ...

    def iter_frames(
        self, job_id: str, saved_path: str | None, every_s: float | None
    ) -> Iterator[tuple[float, np.ndarray[Any, Any]]]:
        """See `Job.iter_frames`."""
        ...

    def last_frame(self, job_id: str, saved_path: str | None) -> Image.Image:
        """See `Job.last_frame`."""
        ...


class Slot:
    """Holds who knows the footage; filled once, by the package's `__init__`."""

    def __init__(self) -> None:
        self.filled: Footage | None = None

    @property
    def footage(self) -> Footage:
        """Whoever knows it."""
        assert self.filled is not None  # nothing of this package is imported without its `__init__`
        return self.filled


SLOT = Slot()
