"""A page gets a clip in pieces that fit through every websocket, or is told why it cannot."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cometvid_nb.api.client import Client
from cometvid_nb.clips import relay as clips
from cometvid_nb.clips.places import SavedClip
from cometvid_nb.clips.relay import MESSAGE_BYTES, relay
from cometvid_nb.job.job import Job
from cometvid_nb.settings import Secret, Settings
from cometvid_nb.simulator import Fault, Scenario, Simulator

KEY = "sk-simulated-0123456789-wxyz"
JOB = "video_1"
CLIP, CONTENT = "GET /clips/*", "GET /videos/{id}/content"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(api_key=KEY, separate_clip_host=True) as simulator:
        simulator.add(Scenario(JOB))
        simulator.finish(JOB)
        yield simulator


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[Client]:
    async with Client(Settings(api_key=Secret(KEY), base_url=sim.base_url)) as client:
        yield client


@pytest.fixture
async def job(client: Client) -> Job:
    return (await client.poll(JOB)).job


async def clip_of(
    client: Client, job: Job, saved: SavedClip | None = None
) -> tuple[bytes, list[dict[str, Any]]]:
    """The bytes of all pieces, and the content of all messages."""
    messages = [message async for message in relay(client, job, saved, 7)]
    return b"".join(buffer for _, buffers in messages for buffer in buffers), [
        content for content, _ in messages
    ]


async def test_a_clip_comes_whole_with_its_length(sim: Simulator, client: Client, job: Job) -> None:
    clip, told = await clip_of(client, job)
    assert clip == sim.clip_bytes(JOB)
    assert [content["kind"] for content in told] == ["clip_chunk"] * len(told)
    assert {(content["request"], content["total"]) for content in told} == {(7, len(clip))}
    assert [content["is_last"] for content in told] == [False] * (len(told) - 1) + [True]


@pytest.mark.parametrize("size_bytes", [0, 1, MESSAGE_BYTES, MESSAGE_BYTES + 1, 3 * MESSAGE_BYTES])
async def test_a_saved_clip_comes_from_its_file_in_pieces(
    sim: Simulator, client: Client, job: Job, tmp_path: Path, size_bytes: int
) -> None:
    content = bytes(range(256)) * (size_bytes // 256) + bytes(size_bytes % 256)
    (tmp_path / "clip.mp4").write_bytes(content)
    saved = SavedClip(str(tmp_path / "clip.mp4"), "clip.mp4", "clip.mp4", size_bytes)
    asked = sim.count()
    clip, told = await clip_of(client, job, saved)

    assert clip == content
    offsets = [content["offset"] for content in told]
    assert offsets == list(range(0, max(1, size_bytes), MESSAGE_BYTES))
    assert [content["is_last"] for content in told] == [False] * (len(told) - 1) + [True]
    assert sim.count() == asked, "a file that lies here is asked of nobody"


@pytest.mark.parametrize("is_saved", [True, False])
async def test_each_clip_of_a_job_comes_by_its_number(
    client: Client, job: Job, tmp_path: Path, is_saved: bool
) -> None:
    held = "data:video/mp4;base64," + base64.b64encode(b"the second one").decode()
    job = replace(job, other_video_urls=(held,))
    saved = None
    if is_saved:
        for name in ("a", "b"):
            (tmp_path / name).write_bytes(f"{name}'s file".encode())
        first, second = (
            SavedClip(str(tmp_path / name), name, name, 8, number=number)
            for number, name in enumerate("ab")
        )
        saved = replace(first, others=(second,))
    messages = [message async for message in relay(client, job, saved, 7, 1)]
    clip = b"".join(buffer for _, buffers in messages for buffer in buffers)
    assert clip == (b"b's file" if is_saved else b"the second one")


async def test_a_number_that_no_clip_has_is_told(client: Client, job: Job) -> None:
    [(told, _)] = [message async for message in relay(client, job, None, 7, 5)]
    assert told["kind"] == "clip_failed"


async def test_an_expired_link_leads_to_the_content_endpoint(
    sim: Simulator, client: Client, job: Job
) -> None:
    sim.add_fault(Fault(CLIP, times=None, status=403))
    clip, _ = await clip_of(client, job)
    assert clip == sim.clip_bytes(JOB)


async def test_a_file_that_is_gone_is_no_road(
    sim: Simulator, client: Client, job: Job, tmp_path: Path
) -> None:
    gone = SavedClip(str(tmp_path / "gone.mp4"), "gone.mp4", "gone.mp4", 5)
    clip, _ = await clip_of(client, job, gone)
    assert clip == sim.clip_bytes(JOB)


async def test_where_no_road_leads_to_it_the_page_is_told_why(
    sim: Simulator, client: Client, job: Job
) -> None:
    for pattern in (CLIP, CONTENT):
        sim.add_fault(Fault(pattern, times=None, status=404))
    clip, [told] = await clip_of(client, job)
    assert (clip, told["kind"], told["request"]) == (b"", "clip_failed", 7)
    assert "404" in told["problem"]


async def test_a_clip_that_is_too_large_for_a_page_is_not_sent(
    client: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "MOST_RELAYED_BYTES", 1000)
    clip, [told] = await clip_of(client, replace(job, video_url=None))
    assert (clip, told["kind"]) == (b"", "clip_failed")
    assert "too large" in told["problem"]
