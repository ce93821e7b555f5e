"""How the tests of the simulator ask it: with httpx, and by a clock that stands still."""

from __future__ import annotations

from typing import Any

import httpx

from cometvid_nb.simulator import Simulator


class Clock:
    """Unix seconds that pass only when told."""

    def __init__(self) -> None:
        self.now_s = 1_781_079_478.0

    def __call__(self) -> float:
        return self.now_s


def client_of(sim: Simulator) -> httpx.Client:
    key = {"Authorization": f"Bearer {sim.api_key}"} if sim.api_key else {}
    return httpx.Client(base_url=sim.base_url, headers=key, trust_env=False, timeout=10)


def get_job(http: httpx.Client, job_id: str) -> dict[str, Any]:
    answer = http.get(f"/videos/{job_id}")
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert isinstance(job, dict)
    return job


def finished_link(sim: Simulator, http: httpx.Client, job_id: str = "video_demo") -> str:
    sim.finish(job_id)
    url = get_job(http, job_id)["video_url"]
    assert isinstance(url, str)
    return url


def code_of(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "comet_api_error"
    return str(error["code"])
