"""The simulator's protocol, judged by OpenAI's own client."""

from __future__ import annotations

import pytest

from cometvid_nb.simulator import Simulator

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def test_the_openai_client_creates_polls_and_downloads_byte_for_byte() -> None:
    import openai  # not above, where every worker of pytest would wait half a second for it

    with (
        Simulator(speed=400) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key=sim.api_key) as client,
    ):
        created = client.videos.create(
            prompt="a comet",
            model="sora-2",
            seconds="8",
            size="720x1280",
            input_reference=("first.png", b"\x89PNG", "image/png"),
        )
        assert (created.status, created.progress, created.object) == ("queued", 0, "video")
        assert (created.seconds, created.size, created.prompt) == ("8", "720x1280", "a comet")
        assert client.videos.retrieve(created.id).id == created.id

        done = client.videos.poll(created.id, poll_interval_ms=20)

        assert (done.status, done.progress, done.error) == ("completed", 100, None)
        assert done.completed_at is not None
        assert done.completed_at >= done.created_at
        clip = client.videos.download_content(created.id).read()
        assert clip == sim.clip_bytes(created.id)
        assert clip[4:8] == b"ftyp"
        thumbnail = client.videos.download_content(created.id, variant="thumbnail").read()
        assert (thumbnail[:4], thumbnail[8:12]) == (b"RIFF", b"WEBP")
        sheet = client.videos.download_content(created.id, variant="spritesheet").read()
        assert sheet[:3] == b"\xff\xd8\xff"


def test_the_openai_client_remixes_and_reads_errors(sim: Simulator) -> None:
    import openai

    with openai.OpenAI(base_url=sim.base_url, api_key=sim.api_key, max_retries=0) as client:
        with pytest.raises(openai.BadRequestError, match="only a completed video"):
            client.videos.remix("video_demo", prompt="with two tails")
        sim.finish("video_demo")
        remixed = client.videos.remix("video_demo", prompt="with two tails")
        assert remixed.id != "video_demo"
        assert (remixed.remixed_from_video_id, remixed.status) == ("video_demo", "queued")
        assert remixed.prompt == "with two tails"
        with pytest.raises(openai.BadRequestError) as unknown:
            client.videos.retrieve("video_nobody")
        assert unknown.value.code == "task_not_exist"
    with (
        openai.OpenAI(base_url=sim.base_url, api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.videos.retrieve("video_demo")
