"""SimulatedJob: the state of one job at a given time, by its script and by what a test set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cometvid_nb.simulator.clips import clip_file, frame_of
from cometvid_nb.simulator.script import Scenario
from cometvid_nb.simulator.shapes.answer import JobJson


@dataclass(frozen=True, slots=True)
class Moment:
    """The state of a job at one moment; `status` is a documented word or the script's own."""

    status: str
    progress_percent: int
    completed_at_s: float | None = None
    error_message: str | None = None

    @property
    def is_completed(self) -> bool:
        """Whether there is a clip."""
        return self.status == "completed"


def scripted_moment(scenario: Scenario, age_s: float, word: str | None = None) -> Moment:
    """Return the state by the script, `age_s` simulated seconds after the start.

    `word` replaces "in_progress"; None takes the script's own word.
    """
    ran_s = age_s - scenario.queue_s
    word = word or scenario.status_word
    if ran_s < 0:
        return Moment("queued", 0)
    share = ran_s / scenario.run_s if scenario.run_s > 0 else 1.0
    if share < 1 or scenario.ending == "never":
        step = min(int(share * len(scenario.steps)), len(scenario.steps) - 1)
        return Moment(word or "in_progress", scenario.steps[step])
    if scenario.ending == "failed":
        return Moment("failed", scenario.steps[-1], error_message=scenario.error_message)
    return Moment("completed", 100)


class SimulatedJob:
    """A scenario whose clock starts at `begin`, with the changes that a test made."""

    def __init__(self, scenario: Scenario, speed: float, refresh_s: float) -> None:
        self.scenario = scenario
        self.unknown_polls_left = scenario.unknown_polls
        self.started_at_s: float | None = None
        """None: nobody has asked for the job yet, so that its clock stands still."""
        self.link_expires_at_s: float | None = None
        # What a test set; None: as scripted.
        self.progress_percent: int | None = None
        self.status_word: str | None = None
        self._speed = speed
        self._refresh_s = refresh_s
        self._ended: Moment | None = None
        """The end that a test set; it overrides everything."""

    def begin(self, now_s: float) -> None:
        """Start the clock if it does not run yet."""
        if self.started_at_s is None:
            self.started_at_s = now_s

    def end(
        self, status: Literal["completed", "failed"], now_s: float, message: str | None = None
    ) -> None:
        """End the job now, whatever its script says; a retrieval shows it before any refresh."""
        self.begin(now_s)
        percent = 100 if status == "completed" else self.at(now_s).progress_percent
        completed_at_s = now_s if status == "completed" else None
        self._ended = Moment(status, percent, completed_at_s, message)

    def at(self, now_s: float) -> Moment:
        """Return the state that a retrieval at `now_s` (unix seconds) shows."""
        if self._ended is not None:
            return self._ended
        started_at_s = now_s if self.started_at_s is None else self.started_at_s
        age_s = (now_s - started_at_s) * self._speed
        if self._refresh_s > 0:  # the state as of the last refresh
            age_s -= age_s % self._refresh_s
        moment = scripted_moment(self.scenario, age_s, self.status_word)
        if moment.is_completed:
            length_s = (self.scenario.queue_s + self.scenario.run_s) / self._speed
            return Moment("completed", 100, started_at_s + length_s)
        if moment.error_message is not None:
            return moment
        # What a test sets holds at once, even while the job is still queued by its script.
        status = self.status_word or moment.status
        percent = self.progress_percent
        if percent is None:
            return Moment(status, moment.progress_percent)
        return Moment("in_progress" if status == "queued" else status, percent)

    def clip(self, variant: str, output: int) -> tuple[bytes, str]:
        """Return the file of the clip and its media type.

        A second output has another shape, so that nobody takes one for the other.
        """
        script = self.scenario
        size = script.clip_size or script.size
        if output > 1 and variant == "video":
            width, height = frame_of(size)
            return clip_file("1280x720" if width == height else "960x960")
        return clip_file(size, variant, script.clip)

    def is_late(self, now_s: float) -> bool:
        """Whether the job has completed, but its clip cannot be had yet."""
        done_at_s = self.at(now_s).completed_at_s
        if not self.scenario.late or done_at_s is None:
            return False
        return now_s < done_at_s + self.scenario.late_s / self._speed

    def to_json(self, now_s: float, url: str | None, expires_at_s: float | None) -> JobJson:
        """Return the documented job at `now_s`, with this link to its clip."""
        script, moment = self.scenario, self.at(now_s)
        error = None
        if moment.status == "failed":
            error = {"code": script.error_code, "message": moment.error_message}
        done_at_s = moment.completed_at_s
        return {
            "id": script.job_id,
            "object": "video",
            "model": script.model,
            "status": moment.status,
            "progress": moment.progress_percent,
            "created_at": int(now_s if self.started_at_s is None else self.started_at_s),
            "completed_at": None if done_at_s is None else int(done_at_s),
            "expires_at": None if expires_at_s is None else int(expires_at_s),
            "seconds": script.seconds,
            "size": script.size,
            "prompt": script.prompt,
            "remixed_from_video_id": script.remixed_from,
            "error": error,
            "video_url": url,
        }
