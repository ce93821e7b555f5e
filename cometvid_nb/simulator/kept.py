"""KeptJobs: a file with which the simulator of another process goes on with the same jobs."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cometvid_nb.simulator.life import SimulatedJob
from cometvid_nb.simulator.script import Scenario

KEPT_FOR_S = 24 * 3600.0
"""How long a job is kept after it has begun."""
_TUPLES = {field.name for field in fields(Scenario) if str(field.type).startswith("tuple")}


@dataclass(frozen=True, slots=True)
class KeptJob:
    """A job as it stands in the file: its script, and since when it runs at which speed."""

    scenario: Scenario
    speed: float
    started_at_s: float
    """Unix seconds."""
    request: tuple[str, str] | None = None
    """Path and idempotency key of the request that made it; None: without a key, or built in."""
    is_created: bool = True
    """False: one of the jobs that every simulator has."""

    def to_json_text(self) -> str:
        """Return the job as one line."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, default=asdict)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> KeptJob:
        """Return the job of a line.

        Raises:
            LookupError, TypeError, ValueError: the line is not what `to_json_text` writes.
        """
        told = value["scenario"]
        script: dict[str, Any] = {
            name: tuple(told[name]) if name in _TUPLES else told[name] for name in told
        }
        request = value["request"]
        return cls(
            Scenario(**script),
            float(value["speed"]),
            float(value["started_at_s"]),
            (str(request[0]), str(request[1])) if request else None,
            bool(value["is_created"]),
        )

    def job(self, refresh_s: float) -> SimulatedJob:
        """Return the job, which has gone on meanwhile."""
        job = SimulatedJob(self.scenario, self.speed, refresh_s)
        job.begin(self.started_at_s)
        return job


class KeptJobs:
    """The jobs in the file `path`, a line for each that begins and each that is deleted.

    A file that cannot be read or written keeps nothing, and nothing else happens: the simulation
    goes on without it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self, now_s: float) -> list[KeptJob]:
        """Return the jobs to go on with, and drop all others from the file.

        A built-in job that has ended is not among them: whoever asks for it again wants to see it
        run. A line that is cut or damaged is skipped.
        """
        if self._path is None:
            return []
        kept: dict[str, KeptJob] = {}
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        for line in lines:
            with contextlib.suppress(LookupError, TypeError, ValueError, RecursionError):
                value = json.loads(line)
                if "deleted" in value:
                    kept.pop(value["deleted"], None)
                else:
                    job = KeptJob.from_json(value)
                    kept[job.scenario.job_id] = job
        jobs = [job for job in kept.values() if _goes_on(job, now_s)]
        self._rewrite(jobs)
        return jobs

    def add(self, job: KeptJob) -> None:
        """Write down a job that has begun."""
        self._append(job.to_json_text())

    def delete(self, job_id: str) -> None:
        """Write down that a job was deleted."""
        self._append(json.dumps({"deleted": job_id}))

    def _append(self, line: str) -> None:
        if self._path is not None:
            with contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def _rewrite(self, jobs: list[KeptJob]) -> None:
        assert self._path is not None
        new = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            new.write_text("".join(f"{job.to_json_text()}\n" for job in jobs), encoding="utf-8")
            new.replace(self._path)


def _goes_on(kept: KeptJob, now_s: float) -> bool:
    if not 0 <= now_s - kept.started_at_s < KEPT_FOR_S:
        return False
    moment = kept.job(0.0).at(now_s)
    return kept.is_created or not (moment.is_completed or moment.status == "failed")
