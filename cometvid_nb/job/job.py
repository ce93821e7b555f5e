"""Job: every status word and dialect of the endpoint's answers, parsed into one value.

Source of the dialects: the published reference of `GET /v1/videos/{id}`, and answers seen on the
live endpoint. Parsing never fails: any JSON value gives a Job, an unusable field becomes None, and
the original stays in `Job.raw`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from . import names
from .footage import SLOT
from .reading import Reading
from .status import JobStatus
from .values import moment_of, percent_of, text_of

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


@dataclass(frozen=True, slots=True)
class Job:
    """One video-generation job, as the server last described it.

    Times are unix seconds (UTC), `progress_percent` is 0-100, `duration_s` the clip's length in
    seconds, `width` and `height` are pixels. None: the answer did not contain the value.
    """

    id: str
    status: JobStatus = JobStatus.UNKNOWN
    status_word: str = ""
    """The status as the API spelled it; a card shows an unknown word in this form."""
    model: str | None = None
    prompt: str | None = None
    progress_percent: float | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    created_at_s: float | None = None
    completed_at_s: float | None = None
    """Does not mean that the job has ended: some models set it earlier. Only `status` decides."""
    expires_at_s: float | None = None
    """When `video_url` stops working. Never computed: only the API knows how long a link lives."""
    video_url: str | None = field(default=None, repr=False)
    """A signed, short-lived link to the clip. Whoever has the link can load the clip, so it is
    kept out of reprs and logs."""
    other_video_urls: tuple[str, ...] = field(default=(), repr=False)
    """Links to the further clips of a job that made several, in the API's order."""
    ratio: float | None = None
    """Width over height as the answer words it ("16:9", "9x16"), where it gives no pixels."""
    error_message: str | None = None
    error_code: str | None = None
    remixed_from: str | None = None
    continued_from: str | None = None
    """The job whose last frame went along as its first picture; no answer tells it."""
    images: tuple[str, ...] = ()
    """File names of the pictures that went along with the request; no answer tells them."""
    seed: str | None = None
    """What the model's chance began with: with the same one some models make the same clip."""
    saved_path: str | None = field(default=None, compare=False)
    """Where a watch has saved the clip: a path (relative if it lies beside the notebook) or the
    URL of a storage. None: the clip is not saved, or this job comes straight from the API."""
    raw: Any = field(default=None, repr=False, compare=False)
    """The JSON value that was parsed; None on the job of a watch, as answers may have megabytes.
    Not compared, so a change of an unread field is no change."""

    @classmethod
    def parse(cls, payload: object, *, job_id: str = "", base_url: str = "") -> Job:
        """Parse any JSON value into a Job. Never raises.

        `job_id` is the id of the request; the job gets it if the answer contains none. Relative
        links lead from `base_url`; without one they are no links. See `reading` for the rules.
        """
        return cls.of(Reading(payload, job_id, base_url))

    @classmethod
    def of(cls, reading: Reading) -> Job:
        """Return the job that an answer, taken apart already, describes."""
        pixels, ratio = reading.shape
        width, height = pixels or (None, None)
        video_url, *others = reading.links or (None,)
        return cls(
            id=reading.id or reading.job_id,
            status=reading.status,
            status_word=reading.status_word,
            model=reading.first(names.MODELS, text_of),
            prompt=reading.first(names.PROMPTS, text_of),
            progress_percent=reading.first(names.PROGRESSES, percent_of),
            duration_s=reading.duration_s,
            width=width,
            height=height,
            created_at_s=reading.created_at_s,
            completed_at_s=reading.first(names.COMPLETED, moment_of),
            expires_at_s=reading.first(names.EXPIRES, moment_of),
            video_url=video_url,
            other_video_urls=tuple(filter(None, others)),
            ratio=ratio,
            error_message=reading.reason.message,
            error_code=reading.reason.code,
            remixed_from=reading.first(names.REMIXED, text_of),
            seed=reading.first(names.SEEDS, text_of),
            raw=reading.payload,
        )

    @classmethod
    def pending(cls, job_id: str) -> Job:
        """Return the job of an answer that says no more than "not yet", such as an empty 202."""
        return cls(job_id, JobStatus.QUEUED, "pending")

    def filled(self, asked: Job | None) -> Job:
        """Return this job with what its answer leaves out taken from what was asked for.

        The answer's own values win. None: nobody knows what was asked for.
        """
        if asked is None:
            return self
        width, height, ratio = self.width, self.height, self.ratio
        # A ratio says less than a size: the size that was asked for stays where the two agree.
        if self.size is None and (
            ratio is None or math.isclose(ratio, asked.aspect_ratio, rel_tol=0.02)
        ):
            width, height, ratio = asked.width, asked.height, ratio or asked.ratio
        return replace(
            self,
            model=self.model or asked.model,
            prompt=self.prompt or asked.prompt,
            duration_s=self.duration_s or asked.duration_s,
            width=width,
            height=height,
            ratio=ratio,
            remixed_from=self.remixed_from or asked.remixed_from,
            continued_from=self.continued_from or asked.continued_from,
            images=self.images or asked.images,
            seed=self.seed or asked.seed,
        )

    def frames(
        self,
        *,
        every_s: float | None = None,
        at_s: Sequence[float | str] | None = None,
        count: int | None = None,
    ) -> np.ndarray[Any, Any]:
        """What the clip shows at some moments: an array of n × height × width × 3, uint8, RGB.

        Give exactly one of the three: `every_s` seconds one frame; `at_s` certain seconds, such as
        `[0, 1.5, "last"]`, in this order; or `count` frames, from the first to the last. Upright
        and with square pixels, as a player shows them. The clip may lie on disk, in another
        storage, or still only at the API. Needs the extra `cometvid-nb[edit]`.

        Raises:
            SettingsError: which frames is not clear, or a moment is after the end.
            ClipError, ApiError, TransientError, MissingKey: the clip cannot be had.
            EditError: it cannot be decoded, or the extra is missing.
        """
        return SLOT.footage.frames(self.id, self.saved_path, every_s, at_s, count)

    def iter_frames(
        self, *, every_s: float | None = None
    ) -> Iterator[tuple[float, np.ndarray[Any, Any]]]:
        """Every frame of the clip, one after the other: pairs of its time in seconds and an array.

        Or what is shown every `every_s` seconds. One frame is held at a time, however long the
        clip is. Raises what `frames` raises, when the first one is asked for.
        """
        return SLOT.footage.iter_frames(self.id, self.saved_path, every_s)

    def last_frame(self) -> Image.Image:
        """The last frame of the clip as a PIL image. Raises what `frames` raises."""
        return SLOT.footage.last_frame(self.id, self.saved_path)

    @property
    def is_final(self) -> bool:
        """Whether the server will not change this job any more."""
        return self.status.is_final

    @property
    def size(self) -> str | None:
        """`WIDTHxHEIGHT` in pixels, or None."""
        return f"{self.width}x{self.height}" if self.width and self.height else None

    @property
    def aspect_ratio(self) -> float:
        """Width over height; 16:9 where neither the size nor a ratio is known."""
        return self.width / self.height if self.width and self.height else self.ratio or 16 / 9


class Polled(NamedTuple):
    """The answer to one poll: the job, and the pause the server asked for (seconds), or None."""

    job: Job
    retry_after_s: float | None = None
