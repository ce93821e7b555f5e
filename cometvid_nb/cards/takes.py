"""Takes: numbers the jobs that have the same prompt, as little else tells them apart."""

from __future__ import annotations

from bisect import bisect_left, insort


class Takes:
    """Which take of its prompt each job is, counted in the order the jobs were added.

    A prompt may become known later than its job, and changing one costs no more where there are
    thousands.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._prompts: dict[str, str | None] = {}
        self._places_of: dict[str, list[int]] = {}
        """By prompt: the places of its jobs, in order."""

    def see(self, job_id: str, prompt: str | None) -> None:
        """Take in a job, in the order of the first calls, and what is known of its prompt."""
        prompt = " ".join(prompt.split()) if prompt else None
        place = self._places.setdefault(job_id, len(self._places))
        known = self._prompts.get(job_id)
        if prompt == known:
            return
        if known is not None:
            self._places_of[known].remove(place)
        if prompt is not None:
            insort(self._places_of.setdefault(prompt, []), place)
        self._prompts[job_id] = prompt

    def number(self, job_id: str) -> int | None:
        """Which take of its prompt a job is, from 1; None if no other job has that prompt."""
        places = self._places_of.get(self._prompts.get(job_id) or "", ())
        return bisect_left(places, self._places[job_id]) + 1 if len(places) > 1 else None
