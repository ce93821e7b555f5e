"""Gateway: the rules and the state of the simulated API, without a socket."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from cometvid_nb.simulator.arrivals import Request
from cometvid_nb.simulator.clips import VARIANTS, read_clip
from cometvid_nb.simulator.dialects import DIALECTS, JobJson
from cometvid_nb.simulator.life import SimulatedJob
from cometvid_nb.simulator.links import LinkSigner
from cometvid_nb.simulator.problems import ApiProblem, unknown_job
from cometvid_nb.simulator.script import SCENARIOS, Fault, Scenario, draw_scenario, is_match


class Gateway:
    """The simulated API: its jobs, faults and requests. Safe to use from any thread.

    Args:
        scenarios: further jobs; one with a known id replaces the known one.
        faults: what goes wrong, tried in this order.
        speed: how many times as fast as in reality the jobs run.
        refresh_s: how often the gateway refreshes a job's state, in simulated seconds, as the real
            one does every 15 s or so; 0 = always current.
        seed: determines ids and durations of created jobs, in the order of their creation.
        median_s: the typical running time of a created 4 s clip at speed 1.
        link_life_s: how many real seconds a link works.
        clock: returns unix seconds.
        storm: returns a fault, or None, for each request that no other fault has hit.
    """

    def __init__(
        self,
        *,
        scenarios: Iterable[Scenario] = (),
        faults: Iterable[Fault] = (),
        api_key: str = "simulated-key",
        speed: float = 1.0,
        refresh_s: float = 0.0,
        seed: int = 0,
        median_s: float = 60.0,
        link_life_s: float = 3600.0,
        clock: Callable[[], float] = time.time,
        storm: Callable[[str, str], Fault | None] = lambda method, path: None,
    ) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed!r}")
        self.api_key = api_key
        self.speed = speed
        self.clip_origin = ""
        """Scheme, host and port of the clips; known once the simulator listens."""
        self.dead_origin = ""
        """An origin that refuses every connection, for the links of the scenario "dead"."""
        # Bounded: a demo may run for days.
        self.requests: deque[Request] = deque(maxlen=10_000)
        self.clock = clock
        self.storm = storm
        self.signer = LinkSigner(f"cometvid simulator {seed}".encode())
        self._refresh_s = refresh_s
        self._seed = seed
        self._median_s = median_s
        self._link_life_s = link_life_s
        self._created_count = 0
        self._revoked: set[tuple[str, str]] = set()
        """(job id, expiry) of links that were made to expire early."""
        self._job_of_idempotency_key: dict[tuple[str, str], str] = {}
        self._jobs: dict[str, SimulatedJob] = {}
        self._faults: list[tuple[Fault, list[int]]] = []  # with how many requests each has met
        self._changed = threading.Condition()  # its lock (reentrant) guards all of the above
        for scenario in (*SCENARIOS, *scenarios):
            self.add(scenario)
        for fault in faults:
            self.add_fault(fault)

    # For the owner, such as a test.

    @property
    def jobs(self) -> list[str]:
        """The ids of all jobs."""
        with self._changed:
            return list(self._jobs)

    def add(self, scenario: Scenario) -> str:
        """Add a job and return its id."""
        with self._changed:
            self._jobs[scenario.job_id] = SimulatedJob(scenario, self.speed, self._refresh_s)
        return scenario.job_id

    def add_fault(self, fault: Fault) -> None:
        """Add a fault after the others."""
        with self._changed:
            self._faults.append((fault, [0]))

    def clear_faults(self) -> None:
        """Drop all faults."""
        with self._changed:
            self._faults.clear()

    def finish(self, job_id: str) -> None:
        """Complete a job now."""
        with self._changed:
            self._owned(job_id).end("completed", self.clock())

    def fail(self, job_id: str, message: str = "The video could not be generated.") -> None:
        """Fail a job now."""
        with self._changed:
            self._owned(job_id).end("failed", self.clock(), message)

    def set_progress(self, job_id: str, percent: int | None) -> None:
        """Answer with this progress until the job ends; None returns to the script."""
        with self._changed:
            self._owned(job_id).progress_percent = percent

    def set_status_word(self, job_id: str, word: str | None) -> None:
        """Answer with this status word until the job ends; None returns to the script."""
        with self._changed:
            self._owned(job_id).status_word = word

    def forget(self, job_id: str) -> None:
        """Lose a job: from now on the API does not know its id."""
        with self._changed:
            self._owned(job_id).unknown_polls_left = sys.maxsize

    def revoke_link(self, job_id: str) -> None:
        """Let the link of a job expire now; the next retrieval returns a new one."""
        with self._changed:
            job = self._owned(job_id)
            if job.link_expires_at_s is not None:
                self._revoked.add((job_id, f"{job.link_expires_at_s:.3f}"))
                job.link_expires_at_s = None

    def is_revoked(self, job_id: str, expires: str) -> bool:
        """Whether the link with this expiry was revoked."""
        return (job_id, expires) in self._revoked

    def clip_bytes(self, job_id: str, variant: str = "video") -> bytes:
        """Return the file of a job's clip, to compare a download with."""
        with self._changed:
            return read_clip(self._owned(job_id).scenario.size, VARIANTS[variant][0])

    def count(self, pattern: str = "*") -> int:
        """Return how many requests match, e.g. `"GET /videos/{id}"`; see `Fault.match`."""
        with self._changed:
            return sum(is_match(pattern, asked.method, asked.path) for asked in self.requests)

    def wait_for_requests(self, pattern: str, count: int = 1, within_s: float = 10.0) -> bool:
        """Wait until `count` matching requests have come in all; return False after `within_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count(pattern) >= count, within_s)

    # For the handlers.

    def record(self, request: Request) -> None:
        """Note a request and wake those that wait for it."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def take_fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that hits this request, or None."""
        with self._changed:
            for fault, met in self._faults:
                if fault.times is not None and met[0] >= fault.after + fault.times:
                    continue
                if is_match(fault.match, method, path):
                    met[0] += 1
                    if met[0] > fault.after:
                        return fault
            return self.storm(method, path)

    def create(self, form: Mapping[str, str], idempotency_key: str | None) -> JobJson:
        """Return the answer to POST /videos.

        Raises:
            ApiProblem: the form lacks a prompt, or a field is not what it should be.
        """
        if not form.get("prompt", "").strip():
            raise ApiProblem(400, "invalid_request", "prompt is required")
        size, seconds = form.get("size") or "1280x720", form.get("seconds") or "4"
        if not re.fullmatch(r"[1-9]\d{1,4}x[1-9]\d{1,4}", size, re.ASCII):
            raise ApiProblem(400, "invalid_request", f"size must be WIDTHxHEIGHT, not {size!r}")
        if not re.fullmatch(r"[1-9]\d{0,2}", seconds, re.ASCII):
            raise ApiProblem(400, "invalid_request", f"seconds must be a number, not {seconds!r}")
        fields = {"prompt": form["prompt"], "size": size, "seconds": seconds}
        fields["model"] = form.get("model") or "sora-2"
        return self._created("/videos", fields, idempotency_key)

    def remix(self, job_id: str, prompt: object, idempotency_key: str | None) -> JobJson:
        """Return the answer to POST /videos/{id}/remix: a new job like the old one.

        Raises:
            ApiProblem: the id is unknown, the job not completed, or the prompt missing.
        """
        with self._changed:
            job = self._asked(job_id)
            if not isinstance(prompt, str) or not prompt.strip():
                raise ApiProblem(400, "invalid_request", "prompt is required")
            if not job.at(self.clock()).is_completed:
                raise ApiProblem(400, "invalid_request", "only a completed video can be remixed")
            old = job.scenario
            fields = {"prompt": prompt, "size": old.size, "seconds": old.seconds}
            fields |= {"model": old.model, "remixed_from": job_id}
            return self._created(f"/videos/{job_id}/remix", fields, idempotency_key)

    def retrieve(self, job_id: str) -> JobJson:
        """Return the answer to GET /videos/{id}; the first request starts the job's clock.

        Raises:
            ApiProblem: 400 `task_not_exist`.
        """
        with self._changed:
            job = self._asked(job_id)
            if job.unknown_polls_left > 0:
                job.unknown_polls_left -= 1
                raise unknown_job(job_id)
            job.begin(self.clock())
            return DIALECTS[job.scenario.dialect](self._to_json(job))

    def content(self, job_id: str, variant: str) -> tuple[bytes, str]:
        """Return a completed job's file and its media type.

        Raises:
            ApiProblem: the id is unknown, there is no such variant, or there is no clip (yet).
        """
        with self._changed:
            job = self._asked(job_id)
            if variant not in VARIANTS:
                raise ApiProblem(400, "invalid_request", f"no variant {variant!r}")
            status = job.at(self.clock()).status
            if status != "completed":
                message = f"Video is not ready: its status is {status}."
                raise ApiProblem(400, "video_not_ready", message)
            suffix, media_type = VARIANTS[variant]
            return read_clip(job.scenario.size, suffix), media_type

    # Internal; the lock is held.

    def _owned(self, job_id: str) -> SimulatedJob:
        """Return a job for the owner, who gets a KeyError; a client gets an `ApiProblem`."""
        if job_id not in self._jobs:
            raise KeyError(f"the simulator has no job {job_id!r}")
        return self._jobs[job_id]

    def _asked(self, job_id: str) -> SimulatedJob:
        if job_id not in self._jobs:
            raise unknown_job(job_id)
        return self._jobs[job_id]

    def _created(self, path: str, fields: dict[str, str], key: str | None) -> JobJson:
        with self._changed:
            # The same key again means a repeated request: it gets the job that exists.
            known = self._job_of_idempotency_key.get((path, key)) if key else None
            job_id = known or self.add(self._next_scenario(fields))
            if key:
                self._job_of_idempotency_key[path, key] = job_id
            job = self._jobs[job_id]
            job.begin(self.clock())
            return {**self._to_json(job), "task_id": job_id}

    def _next_scenario(self, fields: Mapping[str, str]) -> Scenario:
        self._created_count += 1
        # The prompt is in the seed: otherwise two demos would give one id to different clips.
        seed = f"{self._seed}/{self._created_count}/{fields['prompt']}"
        return draw_scenario(seed, self._median_s, fields)

    def _to_json(self, job: SimulatedJob) -> JobJson:
        now_s, script = self.clock(), job.scenario
        moment = job.at(now_s)
        url, expires_at_s = self._link(job, now_s) if moment.is_completed else (None, None)
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
            "created_at": int(now_s if job.started_at_s is None else job.started_at_s),
            "completed_at": None if done_at_s is None else int(done_at_s),
            "expires_at": None if expires_at_s is None else int(expires_at_s),
            "seconds": script.seconds,
            "size": script.size,
            "prompt": script.prompt,
            "remixed_from_video_id": script.remixed_from,
            "error": error,
            "video_url": url,
        }

    def _link(self, job: SimulatedJob, now_s: float) -> tuple[str | None, float | None]:
        """Return the job's link and its expiry (unix seconds); a link stays until it expires."""
        if job.scenario.link == "none":
            return None, None
        expires_at_s = job.link_expires_at_s
        if expires_at_s is None or expires_at_s <= now_s:
            life_s = job.scenario.link_life_s
            expires_at_s = now_s + (self._link_life_s if life_s is None else life_s)
            job.link_expires_at_s = expires_at_s
        origin = self.dead_origin if job.scenario.link == "dead" else self.clip_origin
        return origin + self.signer.sign(f"/clips/{job.scenario.job_id}.mp4", expires_at_s), (
            expires_at_s
        )
