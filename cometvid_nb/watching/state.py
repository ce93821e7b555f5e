"""WatchState: everything known about one watch, and how each event changes it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ..api.data_urls import is_data_url
from ..api.retries import is_not_found_final
from ..clips.places import SavedClip, Saving
from ..errors import (
    CometVidError,
    GaveUp,
    JobFailed,
    JobNotFound,
    PlaceUnusable,
    RequestRejected,
    TransientError,
    WatchStopped,
)
from ..job.ids import shown_id
from ..job.job import Job
from ..job.rating import Rating
from ..job.status import JobStatus
from ..job.values import one_line
from .schedule import Observation, PollState


class Ending(StrEnum):
    """Why a watch is over."""

    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    GAVE_UP = "gave_up"
    BROKEN = "broken"
    """The API refuses to answer about this job (wrong key, unknown id, no quota), or our own code
    failed."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """One watch at one moment. Times are unix seconds; None: not known, or not yet."""

    job_id: str
    began_at_s: float
    give_up_after_s: float
    poll: PollState
    is_simulated: bool = False
    """The card then shows that nothing was rendered or paid for."""
    job: Job | None = None
    asked: Job | None = None
    """What this machine knows of the request: it fills in what the answers leave out."""
    checks_at_s: tuple[float, ...] = ()
    """The last poll, then the planned ones; the plan holds as long as no poll finds a change."""
    problem: str | None = None
    """What went wrong with the latest polls or with the save, in words. Does not end the watch."""
    ending: Ending | None = None
    ended_at_s: float | None = None
    error: CometVidError | None = None
    """The error that `Watch.wait` raises; None if the watch has a completed job, or goes on."""
    saving: Saving | None = None
    """How far the save is. The watch is not settled while this is set."""
    saved: SavedClip | None = None
    poster: str | None = None
    """A small picture of a clip that is not saved, as a data URL."""
    not_found_times: int = 0
    """How many polls were answered `task_not_exist` since the API last described the job. A new
    job is unknown for some seconds, so that only several such answers end the watch."""
    not_found_first_at_s: float = 0.0
    is_place_unusable: bool = False
    """Whether the clip is not saved as its place cannot be written: another try needs another."""
    note: str | None = None
    """One quiet sentence about the job, such as that an earlier run of the cell has made it."""
    can_repeat: bool = False
    """Whether the page may ask for another take of the job, which costs money."""
    rating: Rating | None = None
    """What a person thinks of the clip; None: nothing yet."""

    @classmethod
    def begin(
        cls,
        job_id: str,
        now_s: float,
        give_up_after_s: float,
        *,
        asked: Job | None = None,
        is_simulated: bool = False,
        rating: Rating | None = None,
    ) -> WatchState:
        """Return the state before the first poll."""
        return cls(
            job_id=job_id,
            began_at_s=now_s,
            give_up_after_s=give_up_after_s,
            poll=PollState.begin(now_s),
            asked=asked,
            is_simulated=is_simulated,
            rating=rating,
        )

    @property
    def is_over(self) -> bool:
        """Whether the polling is over. The save may still go on."""
        return self.ending is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing will change any more: polling and saving are both over."""
        return self.is_over and self.saving is None

    def looks_like(self, other: WatchState) -> bool:
        """Whether a person would see no difference; the times of the polls may differ."""
        return self._sight() == other._sight()

    def _sight(self) -> tuple[object, ...]:
        shown = (self.note, self.can_repeat, self.rating)
        return (self.job, self.problem, self.ending, self.saving, self.saved, *shown)

    def answered(self, job: Job, now_s: float, retry_after_s: float | None = None) -> WatchState:
        """Return the state after an answer that describes the job.

        Where the answer only says "pending", what is known already stays.
        """
        is_pending = self.job is not None and job == Job.pending(self.job_id)
        job = self.job if is_pending and self.job is not None else job.filled(self.asked)
        # What has been read is kept, the answer itself is not: hundreds of watches would keep
        # megabytes each, here and in the worker.
        job = replace(job, raw=None)
        poll = self.poll.created(job.created_at_s).after(
            Observation(now_s, job.status, job.progress_percent, retry_after_s)
        )
        state = replace(
            self, job=job, poll=poll, problem=None, not_found_times=0, checks_at_s=(now_s,)
        )
        if job.status == JobStatus.COMPLETED:
            return replace(state, ending=Ending.COMPLETED, ended_at_s=now_s)
        if job.status == JobStatus.FAILED:
            reason = one_line(job.error_message or "the API gave no reason")
            error = JobFailed(f"{shown_id(self.job_id)} failed: {reason}", job=job)
            return replace(state, ending=Ending.FAILED, ended_at_s=now_s, error=error)
        return state

    def troubled(self, error: CometVidError, now_s: float) -> WatchState:
        """Return the state after a poll that failed with `error`.

        The watch ends if another poll would fail the same way, else it goes on.
        """
        # Until the API has described the job once, any 404 may only mean that the job is new.
        is_missing = isinstance(error, RequestRejected) and error.status_code == 404
        if isinstance(error, JobNotFound) or (is_missing and self.job is None):
            times = self.not_found_times + 1
            first_at_s = self.not_found_first_at_s if self.not_found_times else now_s
            if is_not_found_final(times, first_at_s, now_s):
                return self.refused(error, now_s)
            problem = (
                "The API does not know this id yet. A new job can take a few seconds to appear."
            )
            return replace(
                self._after_failed_poll(now_s, None),
                problem=str(error) if is_missing else problem,
                not_found_times=times,
                not_found_first_at_s=first_at_s,
            )
        # A refusal as an HTML page comes from a proxy or gateway. If the API itself has already
        # described the job, the key and the path are right, so that the refusal is temporary.
        is_passing = isinstance(error, TransientError) or (
            isinstance(error, RequestRejected) and not error.is_from_api and self.job is not None
        )
        if not is_passing:
            return self.refused(error, now_s)
        state = self._after_failed_poll(now_s, getattr(error, "retry_after_s", None))
        times = state.poll.failures_in_row
        repeated = f" ({times} checks in a row)" if times > 1 else ""
        # A failed request tells nothing about the id: `not_found_times` stays as it is.
        return replace(state, problem=f"{error}{repeated}")

    def _after_failed_poll(self, now_s: float, retry_after_s: float | None) -> WatchState:
        seen = Observation(now_s, None, None, retry_after_s, is_failure=True)
        return replace(self, poll=self.poll.after(seen), checks_at_s=(now_s,))

    def refused(self, error: CometVidError, now_s: float) -> WatchState:
        """Return the state after it has become clear that no poll can tell anything of the job."""
        return replace(
            self,
            ending=Ending.BROKEN,
            ended_at_s=now_s,
            error=error,
            problem=None,
            checks_at_s=(now_s,),
        )

    def broke(self, fault: Exception, now_s: float) -> WatchState:
        """Return the state after a fault of our own code; the card shows it.

        A watch that ended without a word would look as if it still ran.
        """
        mistake = CometVidError(
            f"The watch of {shown_id(self.job_id)} crashed: {type(fault).__name__}.",
            advice="This is a bug in cometvid-nb. The job goes on; watch it again.",
        )
        if self.is_over:  # it broke while saving: the job keeps its ending
            return replace(self, saving=None, problem=f"The clip is not saved. {mistake}")
        return replace(self, ending=Ending.BROKEN, ended_at_s=now_s, error=mistake)

    def remembered(self, job: Job, saved: SavedClip, ended_at_s: float) -> WatchState:
        """Return the state of a job that was watched to its end before and whose clip is saved."""
        job = replace(job, saved_path=saved.saved_to)
        ended = replace(self, job=job, saved=saved, ended_at_s=ended_at_s)
        return replace(ended, ending=Ending.COMPLETED)

    def gave_up(self, now_s: float) -> WatchState:
        """Return the state after the deadline passed."""
        last = f"; its last status was {self.job.status_word!r}" if self.job else ""
        trouble = f" {self.problem}" if self.problem else ""
        error = GaveUp(
            f"{shown_id(self.job_id)} had not ended after {self.give_up_after_s:.0f} s of "
            f"watching{last}.{trouble}",
            job=self.job,
            advice="The job may still be running. Watch it again, or use a longer --timeout.",
        )
        return replace(self, ending=Ending.GAVE_UP, ended_at_s=now_s, error=error)

    def with_clip(self, saved: SavedClip) -> WatchState:
        """Return the state after a save to `saved`; earlier saves are kept in `saved.also`."""
        before, problem = self.saved, saved.incomplete
        if before is not None and before.saved_to != saved.saved_to:
            # The first one is what the player loads: a file that a page can load comes first.
            first, other = (before, saved) if before.path or not saved.path else (saved, before)
            also = dict.fromkeys([*before.also, *(one.saved_to for one in other.every)])
            saved = replace(first, also=tuple(also), poster=first.poster or other.poster)
        elif before is not None:
            saved = replace(saved, also=before.also)
        job = self.job and replace(self.job, saved_path=saved.saved_to)
        if job is not None and is_data_url(job.video_url):
            job = replace(job, video_url=None, raw=None)  # megabytes of text, and all on the disk
        return replace(self, job=job, saved=saved, problem=problem, is_place_unusable=False)

    def without_clip(self, error: CometVidError, tries: int) -> WatchState:
        """Return the state after a save that failed with `error`, in `tries` tries."""
        other = " to the other place" if self.saved is not None else ""
        times = f" after {tries} tries" if tries > 1 else ""
        if isinstance(error, PlaceUnusable):  # it names the place, and the card the way on
            return replace(self, problem=str(error), is_place_unusable=True)
        words = [f"The clip is not saved{other}{times}. {error}", error.advice]
        return replace(self, problem=" ".join(filter(None, words)))

    def stopped(self, now_s: float) -> WatchState:
        """Return the state after somebody stopped the watch; a finished one keeps its ending."""
        if self.is_over:
            return replace(self, saving=None)
        error = WatchStopped(f"The watch of {shown_id(self.job_id)} was stopped.", job=self.job)
        return replace(self, ending=Ending.STOPPED, ended_at_s=now_s, error=error, problem=None)
