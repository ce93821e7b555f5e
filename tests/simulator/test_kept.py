"""A simulator goes on with the jobs of an earlier one, from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cometvid_nb.simulator.gateway import Gateway
from cometvid_nb.simulator.problems import ApiProblem

DAY_S = 24 * 3600.0


class Clock:
    """Unix seconds that the test moves on."""

    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.jsonl"


def gateway(path: Path, clock: Clock, speed: float = 1.0) -> Gateway:
    return Gateway(kept=path, clock=clock, speed=speed)


def create(gateway: Gateway, prompt: str = "A comet", key: str | None = None) -> str:
    job_id: str = gateway.create({"prompt": prompt, "size": "720x1280"}, key)["id"]
    return job_id


def test_a_created_job_goes_on_where_it_would_be_by_now(path: Path, clock: Clock) -> None:
    first = gateway(path, clock, speed=2.0)
    job_id = create(first)
    clock.now_s += 20
    seen = first.retrieve(job_id)
    assert seen["status"] == "in_progress"
    second = gateway(path, clock, speed=50.0)  # the job keeps the speed it was made with
    assert second.retrieve(job_id) == seen | {"video_url": None}
    clock.now_s += 3600
    assert second.retrieve(job_id)["status"] == "completed"
    assert second.created_count == 1


def test_the_next_job_of_the_same_prompt_has_an_id_of_its_own(path: Path, clock: Clock) -> None:
    ids = {create(gateway(path, clock)) for _ in range(3)}
    assert len(ids) == 3
    assert ids <= set(gateway(path, clock).jobs)


def test_a_request_that_is_repeated_with_its_key_gets_its_job(path: Path, clock: Clock) -> None:
    job_id = create(gateway(path, clock), key="k")
    assert create(gateway(path, clock), key="k") == job_id


def test_a_built_in_job_goes_on_while_it_runs_and_begins_again_once_it_has_ended(
    path: Path, clock: Clock
) -> None:
    gateway(path, clock).retrieve("video_demo")
    clock.now_s += 30
    assert gateway(path, clock).retrieve("video_demo")["progress"] > 0
    clock.now_s += 30
    assert gateway(path, clock).retrieve("video_demo")["progress"] == 0


@pytest.mark.parametrize("passed_s", [DAY_S, -5.0])
def test_a_job_is_kept_for_a_day_and_not_if_the_clock_went_back(
    path: Path, clock: Clock, passed_s: float
) -> None:
    job_id = create(gateway(path, clock))
    clock.now_s += passed_s
    assert job_id not in gateway(path, clock).jobs
    assert path.read_text("utf-8") == ""


def test_a_deleted_job_stays_deleted(path: Path, clock: Clock) -> None:
    first = gateway(path, clock)
    job_id = create(first)
    first.delete(job_id)
    with pytest.raises(ApiProblem):
        gateway(path, clock).retrieve(job_id)


@pytest.mark.parametrize(
    "damage", ["{", "[]", "1", '{"scenario": {}}', '{"deleted": 1}', "\x00\ufffd", "[" * 100_000]
)
def test_a_damaged_line_takes_no_other_job_with_it(path: Path, clock: Clock, damage: str) -> None:
    first = create(gateway(path, clock), "one")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{damage}\n")
    second = create(gateway(path, clock), "two")
    assert {first, second} <= set(gateway(path, clock).jobs)


def test_without_a_place_to_write_the_simulation_runs_all_the_same(
    tmp_path: Path, clock: Clock
) -> None:
    missing = gateway(tmp_path / "no" / "folder" / "jobs.jsonl", clock)
    assert missing.retrieve(create(missing))["status"] == "queued"
