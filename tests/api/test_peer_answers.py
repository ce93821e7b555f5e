"""Every answer of the real peers is read as what it is: `make peers` recorded them.

`tests/peers/record.py` says what a case holds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cometvid_nb.api.client
from cometvid_nb.api.client import Client
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import (
    BadKey,
    CometVidError,
    JobNotFound,
    QuotaExceeded,
    RateLimited,
)
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.simulator import Fault, Simulator

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "job" / "peer_answers.json").read_text(encoding="utf-8")
)
KINDS: dict[str, type[CometVidError]] = {
    "refusal": CometVidError,
    "not found": JobNotFound,
    "bad key": BadKey,
    "quota": QuotaExceeded,
    "rate limited": RateLimited,
    "trouble": CometVidError,  # on the creation of a job it leaves the outcome open
}


def cases(*kinds: str) -> pytest.MarkDecorator:
    """A test for each case of these kinds."""
    chosen = [case for case in CASES if case["must"]["kind"] in kinds]
    named = [pytest.param(case, id=f"{case['peer']}, {case['step']}") for case in chosen]
    return pytest.mark.parametrize("case", named)


@pytest.fixture
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked again is asked again at once."""
    monkeypatch.setattr(cometvid_nb.api.client, "backoff_s", lambda failures, rng: 0.01)


async def answer(sim: Simulator, client: Client, case: dict[str, Any]) -> Job:
    """The job that the client reads from the recorded answer to its request."""
    method, path = case["request"].split(" ")
    headers = {"Content-Type": case["headers"]["content-type"]}
    sim.add_fault(
        Fault(
            times=None, status=case["status_code"], body=json.dumps(case["body"]), headers=headers
        )
    )
    job_id = case["must"].get("id") or "video_1"
    if path.endswith("/content"):
        async with client.open_clip(Job(job_id)):
            raise AssertionError("there is no clip in this answer")
    if path.endswith("/remix"):
        return await client.create(NewJob.check("The same in blue", remix_of="video_1"))
    if method == "POST":
        return await client.create(NewJob.check("A glowing comet"))
    return (await client.poll(job_id)).job


@pytest.mark.usefixtures("_hurry")
@cases("job")
async def test_a_job_is_read_from_the_answer(
    sim: Simulator, client: Client, case: dict[str, Any]
) -> None:
    job = await answer(sim, client, case)
    must = case["must"]
    assert job.id == must["id"]
    assert job.status is JobStatus(must["status"])
    assert (job.size, job.progress_percent) == (must["size"], must["progress_percent"])
    assert job.model == must["model"]
    assert job.prompt == must["prompt"] or (must["prompt"] is None and "POST" in case["request"])
    assert must["error"] is None or must["error"] in (job.error_message or "")
    assert (job.error_message is None) == (must["error"] is None)
    assert (job.video_url, job.other_video_urls) == (None, ()), "a file on the server is no link"


@pytest.mark.usefixtures("_hurry")
@cases(*KINDS)
async def test_a_refusal_is_told_in_the_words_of_the_peer(
    sim: Simulator, client: Client, case: dict[str, Any]
) -> None:
    kind = KINDS[case["must"]["kind"]]
    with pytest.raises(CometVidError if "/content" in case["request"] else kind) as refused:
        await answer(sim, client, case)
    if kind is not JobNotFound:  # which says it in our words
        parts = [case["must"].get("error", ""), case["must"].get("field", "")]
        assert [part for part in parts if part not in str(refused.value)] == []


@cases("not yet")
async def test_a_clip_that_is_asked_for_too_early_is_told_in_the_words_of_the_peer(
    sim: Simulator, client: Client, case: dict[str, Any]
) -> None:
    with pytest.raises(CometVidError) as early:
        await answer(sim, client, case)
    assert case["must"]["error"] in str(early.value)


@cases("no picture")
async def test_what_is_no_picture_is_not_taken_for_a_thumbnail(
    sim: Simulator, client: Client, case: dict[str, Any]
) -> None:
    clip = sim.clip_bytes("video_demo")
    body = clip if "body_bytes" in case else json.dumps(case["body"])
    headers = {"Content-Type": case["headers"]["content-type"]}
    sim.add_fault(Fault(status=case["status_code"], body=body, headers=headers))
    assert await client.thumbnail("video_1", 150_000) is None
