"""WatchState: all that is known of one watch, and how each event changes it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ..api.retries import is_not_found_final
from ..clips.places import SavedClip, Saving
from ..errors import (
    CometVidError,
    GaveUp,
    JobFailed,
    JobNotFound,
    RequestRejected,
    TransientError,
    WatchStopped,
)
from ..job import Job, JobStatus
from .schedule import Observation, PollState


class Ending(StrEnum):
    """Why a watch is over."""

    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    GAVE_UP = "gave_up"
    BROKEN = "broken"
    """The API will not answer about this job: wrong key, unknown id, no quota."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """One watch at one moment. Times are unix seconds.

    `checks_at_s` begins with the last poll that happened; the rest is the plan, which holds as
    long as nothing changes. `error` is what a caller of `Watch.wait` will be told, `problem` what
    went wrong with the latest polls or with the saving, in words.
    """

    job_id: str
    began_at_s: float
    give_up_after_s: float
    poll: PollState
    is_simulated: bool = False
    job: Job | None = None
    checks_at_s: tuple[float, ...] = ()
    problem: str | None = None
    ending: Ending | None = None
    ended_at_s: float | None = None
    error: CometVidError | None = None
    saving: Saving | None = None
    saved: SavedClip | None = None
    poster: str | None = None
    """A small picture of a clip that is not saved, as a data URL."""
    not_found_times: int = 0
    not_found_first_at_s: float = 0.0

    @classmethod
    def begin(
        cls, job_id: str, now_s: float, give_up_after_s: float, *, is_simulated: bool = False
    ) -> WatchState:
        """Before the first poll."""
        return cls(
            job_id=job_id,
            began_at_s=now_s,
            give_up_after_s=give_up_after_s,
            poll=PollState.begin(now_s),
            is_simulated=is_simulated,
        )

    @property
    def is_over(self) -> bool:
        """Whether the polling is over. The saving may still go on."""
        return self.ending is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing will change any more: over, and the clip saved or given up on."""
        return self.is_over and self.saving is None

    def looks_like(self, other: WatchState) -> bool:
        """Whether a person would see no difference: only the times of the checks may differ."""
        return self._sight() == other._sight()

    def _sight(self) -> tuple[object, ...]:
        return (self.job, self.problem, self.ending, self.saving, self.saved)

    def answered(self, job: Job, now_s: float, retry_after_s: float | None = None) -> WatchState:
        """The API described the job."""
        poll = self.poll.created(job.created_at_s).after(
            Observation(now_s, job.status, job.progress_percent, retry_after_s)
        )
        state = replace(
            self, job=job, poll=poll, problem=None, not_found_times=0, checks_at_s=(now_s,)
        )
        if job.status is JobStatus.COMPLETED:
            return replace(state, ending=Ending.COMPLETED, ended_at_s=now_s)
        if job.status is JobStatus.FAILED:
            reason = job.error_message or "the API gave no reason"
            error = JobFailed(f"{self.job_id} failed: {reason}", job=job)
            return replace(state, ending=Ending.FAILED, ended_at_s=now_s, error=error)
        return state

    def troubled(self, error: CometVidError, now_s: float) -> WatchState:
        """The poll got no description of the job; what asking again cannot mend ends the watch."""
        if isinstance(error, JobNotFound):
            times = self.not_found_times + 1
            first_at_s = self.not_found_first_at_s if self.not_found_times else now_s
            if is_not_found_final(times, first_at_s, now_s):
                return self._broken(error, now_s)
            return replace(
                self._after_failed_poll(now_s, None),
                problem="The API does not know this id yet. "
                "A new job can take a few seconds to appear.",
                not_found_times=times,
                not_found_first_at_s=first_at_s,
            )
        # A page for people in the place of a refusal comes from something in between; once the
        # API itself has described the job, that is a passing trouble of the road.
        is_passing = isinstance(error, TransientError) or (
            isinstance(error, RequestRejected) and not error.is_from_api and self.job is not None
        )
        if not is_passing:
            return self._broken(error, now_s)
        state = self._after_failed_poll(now_s, getattr(error, "retry_after_s", None))
        times = state.poll.failures_in_row
        repeated = f" ({times} checks in a row)" if times > 1 else ""
        # Trouble says nothing of the id: what was said of it before still counts.
        return replace(state, problem=f"{error}{repeated}")

    def _after_failed_poll(self, now_s: float, retry_after_s: float | None) -> WatchState:
        seen = Observation(now_s, None, None, retry_after_s, is_failure=True)
        return replace(self, poll=self.poll.after(seen), checks_at_s=(now_s,))

    def _broken(self, error: CometVidError, now_s: float) -> WatchState:
        return replace(
            self,
            ending=Ending.BROKEN,
            ended_at_s=now_s,
            error=error,
            problem=None,
            checks_at_s=(now_s,),
        )

    def broke(self, fault: Exception, now_s: float) -> WatchState:
        """An error that is ours, not the job's: said on the card rather than going silent."""
        mistake = CometVidError(
            f"The watch of {self.job_id} broke: {type(fault).__name__}.",
            advice="This is a fault of cometvid-nb. The job goes on; watch it again.",
        )
        if self.is_over:  # it broke while saving: the job stays as it ended
            return replace(self, saving=None, problem=f"The clip is not saved. {mistake}")
        return replace(self, ending=Ending.BROKEN, ended_at_s=now_s, error=mistake)

    def remembered(self, job: Job, saved: SavedClip, ended_at_s: float) -> WatchState:
        """The job was watched to its end before, and its clip lies here."""
        job = replace(job, saved_path=saved.saved_to)
        ended = replace(self, job=job, saved=saved, ended_at_s=ended_at_s)
        return replace(ended, ending=Ending.COMPLETED)

    def gave_up(self, now_s: float) -> WatchState:
        """The deadline passed."""
        last = f"; its last status was {self.job.status_word!r}" if self.job else ""
        trouble = f" {self.problem}" if self.problem else ""
        error = GaveUp(
            f"{self.job_id} had not ended after {self.give_up_after_s:.0f} s of watching{last}."
            f"{trouble}",
            job=self.job,
            advice="The job may still be running: watch it again, or with a longer --timeout.",
        )
        return replace(self, ending=Ending.GAVE_UP, ended_at_s=now_s, error=error)

    def with_clip(self, saved: SavedClip) -> WatchState:
        """The clip of the completed job lies at `saved`, too."""
        before = self.saved
        if before is not None and before.saved_to != saved.saved_to:
            # The one that a page can load stays the first.
            first, other = (before, saved) if before.path or not saved.path else (saved, before)
            also = dict.fromkeys([*before.also, other.saved_to])
            saved = replace(first, also=tuple(also), poster=first.poster or other.poster)
        elif before is not None:
            saved = replace(saved, also=before.also)
        job = self.job and replace(self.job, saved_path=saved.saved_to)
        return replace(self, job=job, saved=saved, problem=None)

    def without_clip(self, error: CometVidError, tries: int) -> WatchState:
        """The clip of the completed job could not be saved, in so many tries."""
        other = " to the other place" if self.saved is not None else ""
        times = f" after {tries} tries" if tries > 1 else ""
        words = [f"The clip is not saved{other}{times}. {error}", error.advice]
        return replace(self, problem=" ".join(filter(None, words)))

    def stopped(self, now_s: float) -> WatchState:
        """A person stopped the watch; a watch that is over stays as it ended."""
        if self.is_over:
            return replace(self, saving=None)
        error = WatchStopped(f"The watch of {self.job_id} was stopped.", job=self.job)
        return replace(self, ending=Ending.STOPPED, ended_at_s=now_s, error=error, problem=None)
