"""One job's life on its clock: what its script says at a moment, and what a test made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cometvid_nb.simulator.script import Scenario


@dataclass(frozen=True, slots=True)
class Moment:
    """What a job is at one moment; `status` is documented or the script's own word."""

    status: str
    progress_percent: int
    completed_at_s: float | None = None
    error_message: str | None = None

    @property
    def is_completed(self) -> bool:
        """Whether there is a clip."""
        return self.status == "completed"


def scripted_moment(scenario: Scenario, age_s: float, word: str | None = None) -> Moment:
    """What the script says `age_s` simulated seconds after the start."""
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
    """A scenario whose clock starts at `begin`, and what tests changed about it."""

    def __init__(self, scenario: Scenario, speed: float, refresh_s: float) -> None:
        self.scenario = scenario
        self.unknown_polls_left = scenario.unknown_polls
        self.started_at_s: float | None = None
        self.link_expires_at_s: float | None = None
        self.progress_percent: int | None = None
        self.status_word: str | None = None
        self._speed = speed
        self._refresh_s = refresh_s
        self._ended: Moment | None = None

    def begin(self, now_s: float) -> None:
        """Start the clock, unless it runs already."""
        if self.started_at_s is None:
            self.started_at_s = now_s

    def end(
        self, status: Literal["completed", "failed"], now_s: float, message: str | None = None
    ) -> None:
        """End the job now, whatever its script says; visible at once, refresh or not."""
        self.begin(now_s)
        percent = 100 if status == "completed" else self.at(now_s).progress_percent
        completed_at_s = now_s if status == "completed" else None
        self._ended = Moment(status, percent, completed_at_s, message)

    def at(self, now_s: float) -> Moment:
        """What a retrieval at this moment shows."""
        if self._ended is not None:
            return self._ended
        started_at_s = now_s if self.started_at_s is None else self.started_at_s
        age_s = (now_s - started_at_s) * self._speed
        if self._refresh_s > 0:  # the gateway looks at its upstream only now and then
            age_s -= age_s % self._refresh_s
        moment = scripted_moment(self.scenario, age_s, self.status_word)
        if moment.is_completed:
            length_s = (self.scenario.queue_s + self.scenario.run_s) / self._speed
            return Moment("completed", 100, started_at_s + length_s)
        if moment.error_message is not None:
            return moment
        # What a test sets holds from that moment on, also while the script still queues.
        status = self.status_word or moment.status
        percent = self.progress_percent
        if percent is None:
            return Moment(status, moment.progress_percent)
        return Moment("in_progress" if status == "queued" else status, percent)
