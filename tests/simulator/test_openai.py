"""The simulator's protocol, judged by OpenAI's own client."""

from __future__ import annotations

import pytest

from cometvid_nb.simulator import Simulator
from cometvid_nb.simulator.clips import MEDIA

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


def test_the_openai_client_lists_pages_and_deletes() -> None:
    import openai

    with (
        Simulator(speed=400) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key=sim.api_key, max_retries=0) as client,
    ):
        assert client.videos.list().data == [], "no job has begun"
        ids = [client.videos.create(prompt=f"comet {n}").id for n in range(5)]

        page = client.videos.list(limit=2)
        assert [video.id for video in page.data] == ids[:2:-1]
        assert page.has_more
        assert page.last_id == ids[3]
        assert [video.id for video in client.videos.list(limit=2, after=ids[3])][:2] == ids[2:0:-1]
        assert [video.id for video in client.videos.list(limit=2)] == ids[::-1], "page by page"
        assert [video.id for video in client.videos.list(order="asc")] == ids
        with pytest.raises(openai.BadRequestError):
            client.videos.list(limit=0)
        with pytest.raises(openai.BadRequestError, match="task_not_exist"):
            client.videos.list(after="video_nobody")

        gone = client.videos.delete(ids[2])
        assert (gone.id, gone.deleted, gone.object) == (ids[2], True, "video.deleted")
        assert ids[2] not in [video.id for video in client.videos.list()]
        with pytest.raises(openai.BadRequestError, match="task_not_exist"):
            client.videos.retrieve(ids[2])
        with pytest.raises(openai.BadRequestError, match="task_not_exist"):
            client.videos.delete(ids[2])


def test_the_openai_client_lists_the_models_and_needs_no_key_where_none_is_wanted() -> None:
    import openai

    with (
        Simulator(api_key=None) as sim,
        openai.OpenAI(base_url=sim.base_url, api_key="unused") as client,
    ):
        models = {model.id: model.owned_by for model in client.models.list()}
        assert models["sora-2"] == "openai"
        assert client.models.list().object == "list"


@pytest.mark.simulator(speed=400, ids="slashes_long", strict=True)
def test_the_openai_client_takes_odd_ids_and_sends_a_picture_that_is_remembered(
    sim: Simulator,
) -> None:
    import openai

    picture = (MEDIA / "square.webp").read_bytes()
    with openai.OpenAI(base_url=sim.base_url, api_key=sim.api_key, max_retries=0) as client:
        # Not `create_and_poll`, which takes the family's word SUBMITTED for an end.
        done = client.videos.create(
            prompt="a comet",
            model="doubao-seedance-2-0",
            input_reference=("first.webp", picture, "image/webp"),
        )
        [sent] = next(asked for asked in sim.requests if asked.method == "POST").files
        assert (sent.name, sent.file_name, sent.kind) == ("input_reference", "first.webp", "webp")
        sim.finish(done.id)
        assert client.videos.retrieve(done.id).status == "completed"
        assert client.videos.download_content(done.id).read() == sim.clip_bytes(done.id)
        assert client.videos.remix(done.id, prompt="again").remixed_from_video_id == done.id
        assert client.videos.delete(done.id).deleted
