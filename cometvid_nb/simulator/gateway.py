"""Gateway: the rules and the state of the simulated API, without a socket."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from cometvid_nb.simulator.clips import VARIANTS
from cometvid_nb.simulator.creation import asked_fields, check_parts, draw_scenario
from cometvid_nb.simulator.dialects import NAMES, creation_answer, retrieval_answer
from cometvid_nb.simulator.faults import LATE
from cometvid_nb.simulator.forms import Part
from cometvid_nb.simulator.ids import ID_SHAPES
from cometvid_nb.simulator.kept import KeptJob, KeptJobs
from cometvid_nb.simulator.life import SimulatedJob
from cometvid_nb.simulator.links import LinkSigner
from cometvid_nb.simulator.problems import ApiProblem, unknown_job
from cometvid_nb.simulator.scenarios import SCENARIOS
from cometvid_nb.simulator.script import Fault, Scenario
from cometvid_nb.simulator.shapes.answer import Answer, JobJson
from cometvid_nb.simulator.traffic import Traffic


class Gateway(Traffic):
    """The simulated API: its jobs, beside the faults and requests of `Traffic`.

    Args:
        scenarios: further jobs; one with a known id replaces the known one.
        faults: what goes wrong, tried in this order.
        api_key: the key that every request needs; None: no request needs one.
        speed: how many times as fast as in reality the jobs run.
        refresh_s: how often the gateway refreshes a job's state, in simulated seconds, as the real
            one does every 15 s or so; 0 = always current.
        seed: determines ids and durations of created jobs, in the order of their creation.
        median_s: the typical running time of a created 4 s clip at speed 1.
        link_life_s: how many real seconds a link works.
        clock: returns unix seconds.
        storm: returns a fault, or None, for each request that no other fault has hit.
        strict: refuse what the documentation of a model's family does not name; see `families`.
        dialect: how the API speaks of created jobs, a name of `dialects`; "" = as their family.
        ids: the shape of the ids of created jobs, a name of `ids`.
        kept: the file that keeps the jobs that have begun, to go on with those in it; see `kept`.
    """

    def __init__(
        self,
        *,
        scenarios: Iterable[Scenario] = (),
        faults: Iterable[Fault] = (),
        api_key: str | None = "simulated-key",
        speed: float = 1.0,
        refresh_s: float = 0.0,
        seed: int = 0,
        median_s: float = 60.0,
        link_life_s: float = 3600.0,
        clock: Callable[[], float] = time.time,
        storm: Callable[[str, str], Fault | None] = lambda method, path: None,
        strict: bool = False,
        dialect: str = "",
        ids: str = "plain",
        kept: Path | None = None,
    ) -> None:
        super().__init__(storm)
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed!r}")
        if dialect and dialect not in NAMES:
            raise ValueError(f"no dialect {dialect!r}; there are {', '.join(NAMES)}")
        if ids not in ID_SHAPES:
            raise ValueError(f"no ids {ids!r}; there are {', '.join(ID_SHAPES)}")
        self.api_key = api_key or ""
        """"" = no request needs a key."""
        self.speed = speed
        self.clip_origin = ""
        """Scheme, host and port of the clips; known once the simulator listens."""
        self.dead_origin = ""
        """An origin that refuses every connection, for the links of the scenario "dead"."""
        self.clock = clock
        self.signer = LinkSigner(f"cometvid simulator {seed}".encode())
        self._refresh_s = refresh_s
        self._seed = seed
        self._median_s = median_s
        self._link_life_s = link_life_s
        self._strict = strict
        self._dialect = dialect
        self._ids = ids
        self._created_count = 0
        self._revoked: set[tuple[str, str]] = set()
        """(job id, expiry) of links that were made to expire early."""
        self._job_of_idempotency_key: dict[tuple[str, str], str] = {}
        self._jobs: dict[str, SimulatedJob] = {}
        for scenario in (*SCENARIOS, *scenarios):
            self.add(scenario)
        self._kept = KeptJobs(kept)
        self._go_on(self._kept.load(clock()))
        for fault in faults:
            self.add_fault(fault)

    # For the owner, such as a test.

    @property
    def jobs(self) -> list[str]:
        """The ids of all jobs."""
        with self._changed:
            return list(self._jobs)

    @property
    def created_count(self) -> int:
        """How many jobs were created, also by an earlier simulator that kept them."""
        return self._created_count

    def add(self, scenario: Scenario) -> str:
        """Add a job and return its id."""
        with self._changed:
            self._jobs[scenario.job_id] = SimulatedJob(scenario, self.speed, self._refresh_s)
        return scenario.job_id

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

    def clip_bytes(self, job_id: str, variant: str = "video", output: int = 1) -> bytes:
        """Return the file of a job's clip, to compare a download with; `output` counts from 1."""
        with self._changed:
            return self._owned(job_id).clip(variant, output)[0]

    # For the handlers.

    def take_fault(self, method: str, path: str) -> Fault | None:
        """Return the fault that hits this request, or what a late clip answers, or None."""
        return self._late(path) or super().take_fault(method, path)

    def check(self, parts: Sequence[Part]) -> None:
        """Check the parts of a form to POST /videos, if the simulator is strict.

        Raises:
            ApiProblem: the model's family does not take one of them.
        """
        if self._strict:
            check_parts(parts)

    def create(self, form: Mapping[str, str], idempotency_key: str | None) -> JobJson:
        """Return the job that POST /videos makes.

        Raises:
            ApiProblem: the form lacks a prompt, or a field is not what it should be.
        """
        return self._created("/videos", asked_fields(form), idempotency_key)

    def remix(self, job_id: str, prompt: object, idempotency_key: str | None) -> JobJson:
        """Return what POST /videos/{id}/remix makes: a new job like the old one.

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

    def creation_answer(self, job: JobJson) -> Answer:
        """Return what a request is answered that has made this job."""
        with self._changed:
            return creation_answer(self._asked(job["id"]).scenario.dialect, job)

    def retrieve(self, job_id: str) -> JobJson:
        """Return the JSON of `retrieval_answer`."""
        job: JobJson = self.retrieval_answer(job_id).json
        return job

    def retrieval_answer(self, job_id: str) -> Answer:
        """Return the answer to GET /videos/{id}; the first request starts the job's clock.

        Raises:
            ApiProblem: 400 `task_not_exist`.
        """
        with self._changed:
            job = self._asked(job_id)
            if job.unknown_polls_left > 0:
                job.unknown_polls_left -= 1
                raise unknown_job(job_id)
            self._begin(job)
            return retrieval_answer(job.scenario.dialect, self._to_json(job))

    def content(self, job_id: str, variant: str, output: int = 1) -> tuple[bytes, str]:
        """Return a completed job's file and its media type; `output` is which of several clips.

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
            return job.clip("video" if job.scenario.ignores_variant else variant, output)

    def page(self, after: str, limit: int, order: str) -> JobJson:
        """Return a page of the jobs that have begun, by the time of their beginning.

        `after` is the id of the last job of the page before, "" for the first page. `order` is
        "asc" or "desc", the newest first. The jobs are plain, whatever their dialect is.

        Raises:
            ApiProblem: 400, for an id, a limit or an order that there is not.
        """
        if order not in ("asc", "desc") or not 1 <= limit <= 100:
            raise ApiProblem(400, "invalid_request", "limit is 1 to 100, order asc or desc")
        with self._changed:
            begun = [job for job in self._jobs.values() if job.started_at_s is not None]
            begun.sort(key=lambda job: job.started_at_s or 0.0)
            # The whole list is turned, as of two that began at once the later one is the newer.
            told = begun if order == "asc" else begun[::-1]
            ids = [job.scenario.job_id for job in told]
            if after and after not in ids:
                raise unknown_job(after)
            start = ids.index(after) + 1 if after else 0
            data = [self._to_json(job) for job in told[start : start + limit]]
            return {
                "object": "list",
                "data": data,
                "first_id": data[0]["id"] if data else None,
                "last_id": data[-1]["id"] if data else None,
                "has_more": start + limit < len(told),
            }

    def delete(self, job_id: str) -> JobJson:
        """Drop a job and return the answer to DELETE /videos/{id}.

        Raises:
            ApiProblem: the id is unknown.
        """
        with self._changed:
            self._asked(job_id)
            del self._jobs[job_id]
            self._kept.delete(job_id)
            return {"id": job_id, "object": "video.deleted", "deleted": True}

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
            self._begin(job, (path, key) if key else None, is_created=True)
            return {**self._to_json(job), "task_id": job_id}

    def _begin(
        self, job: SimulatedJob, request: tuple[str, str] | None = None, *, is_created: bool = False
    ) -> None:
        if job.started_at_s is None:
            job.begin(now_s := self.clock())
            self._kept.add(KeptJob(job.scenario, self.speed, now_s, request, is_created))

    def _go_on(self, jobs: Iterable[KeptJob]) -> None:
        for kept in jobs:
            job_id = kept.scenario.job_id
            self._jobs[job_id] = kept.job(self._refresh_s)
            # Numbers go on as well: the next job must not get an id that is taken.
            self._created_count += kept.is_created
            if kept.request is not None:
                self._job_of_idempotency_key[kept.request] = job_id

    def _next_scenario(self, fields: Mapping[str, str]) -> Scenario:
        self._created_count += 1
        # The prompt is in the seed: otherwise two demos would give one id to different clips.
        seed = f"{self._seed}/{self._created_count}/{fields['prompt']}"
        return draw_scenario(seed, self._median_s, fields, self._dialect, self._ids)

    def _late(self, path: str) -> Fault | None:
        if path.startswith("/clips/"):
            name = path.removeprefix("/clips/").removesuffix(".mp4")
        elif path.endswith("/content"):
            name = path.removeprefix("/v1/videos/").removesuffix("/content")
        else:
            return None
        with self._changed:
            job = self._jobs.get(unquote(name))
            is_late = job is not None and job.is_late(self.clock())
            return LATE[job.scenario.late] if job is not None and is_late else None

    def _to_json(self, job: SimulatedJob) -> JobJson:
        now_s = self.clock()
        is_completed = job.at(now_s).is_completed
        url, expires_at_s = self._link(job, now_s) if is_completed else (None, None)
        return job.to_json(now_s, url, expires_at_s)

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
        path = f"/clips/{quote(job.scenario.job_id, safe='')}.mp4"
        return origin + self.signer.sign(path, expires_at_s), expires_at_s
