"""The manners of servers that are faults to a client: errors, clips that are late or wrapped."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

import av
import httpx
import numpy as np
import pytest

from cometvid_nb.simulator import (
    ENCODINGS,
    ERROR_BODIES,
    ERRORS_UNDER_200,
    LATE,
    NOT_KNOWN_YET,
    Fault,
    Simulator,
)
from cometvid_nb.simulator.clips import CLIPS, OTHERS, REWRITTEN, clip_file
from cometvid_nb.simulator.gateway import Gateway
from tests.simulator.asking import Clock, client_of, finished_link, get_job


@pytest.mark.parametrize(
    ("table", "statuses"),
    [(ERRORS_UNDER_200, {200}), (ERROR_BODIES, {400, 401, 404, 422})],
    ids=["under 200", "under an error"],
)
def test_errors_come_on_polls_and_on_creates(
    sim: Simulator, http: httpx.Client, table: Mapping[str, Fault], statuses: set[int]
) -> None:
    known = sim.jobs
    for fault in table.values():
        sim.add_fault(replace(fault, match="GET /videos/{id}"))
        sim.add_fault(replace(fault, match="POST /videos"))
        polled = http.get("/videos/video_demo")
        created = http.post("/videos", files={"prompt": (None, "a comet")})
        assert polled.status_code == created.status_code
        assert polled.status_code in statuses
        assert polled.text == created.text
    assert sim.jobs == known, "nothing was created"
    assert get_job(http, "video_demo")["status"] == "queued"


@pytest.mark.parametrize("name", NOT_KNOWN_YET)
def test_a_job_is_not_known_twice_and_then_it_is(
    name: str, sim: Simulator, http: httpx.Client
) -> None:
    sim.add_fault(NOT_KNOWN_YET[name])
    answers = [http.get("/videos/video_demo") for _ in range(3)]
    assert [answer.is_success for answer in answers] == [False, False, True]


@pytest.mark.parametrize("name", LATE)
def test_a_late_clip_comes_by_both_roads_in_the_end(
    name: str, sim: Simulator, http: httpx.Client, clock: Clock
) -> None:
    job_id = f"video_late_{name}"
    url = finished_link(sim, http, job_id)
    for road in (url, f"/videos/{job_id}/content"):
        answer = http.get(road)
        assert answer.status_code == LATE[name].status
        assert answer.content[4:8] != b"ftyp"
    clock.now_s += 20
    for road in (url, f"/videos/{job_id}/content"):
        assert http.get(road).content == sim.clip_bytes(job_id)


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_encoding_is_said_and_only_gzip_is_done(
    name: str, sim: Simulator, http: httpx.Client
) -> None:
    url, clip = finished_link(sim, http), sim.clip_bytes("video_demo")
    sim.add_fault(ENCODINGS[name])
    for road in (url, f"{sim.base_url}/videos/video_demo/content"):
        with http.stream("GET", road, headers={"Range": "bytes=0-"}) as answer:
            body = b"".join(answer.iter_raw())
        assert answer.headers["Content-Encoding"] == ENCODINGS[name].headers["Content-Encoding"]
        assert (gzip.decompress(body) if name == "gzip" else body) == clip


def test_gzip_is_decoded_by_a_client_that_is_not_ours(sim: Simulator, http: httpx.Client) -> None:
    sim.add_fault(ENCODINGS["gzip"])
    assert get_job(http, "video_demo")["id"] == "video_demo"


SIGNS = {
    "webm": b"\x1a\x45\xdf\xa3",
    "gif": b"GIF89a",
    "quicktime": b"\x00\x00\x00\x14ftypqt  ",
    "hevc": b"hvc1",
    "mp4v": b"mp4v",
    "prores": b"apco",
    "sound": b"mp4a",
    "free_in_front": b"\x00\x00\x00\x48free",
    "no_ftyp": b"moov",
    "junk_behind": b"served in 12 ms",
    "zeros_behind": bytes(4096),
    "big": b"free",
}


@pytest.mark.parametrize("clip", [clip for clip in CLIPS if clip])
def test_an_odd_clip_is_what_it_is_called(clip: str, sim: Simulator, http: httpx.Client) -> None:
    job_id = f"video_clip_{clip}"
    url = finished_link(sim, http, job_id)
    answer = http.get(url)
    assert answer.content == http.get(f"/videos/{job_id}/content").content
    assert answer.content == sim.clip_bytes(job_id)
    assert SIGNS[clip] in answer.content
    kind = OTHERS[clip][1] if clip in OTHERS else "video/mp4"
    assert answer.headers["Content-Type"] == kind


@pytest.mark.parametrize("clip", [clip for clip in CLIPS if clip])
def test_an_odd_clip_plays(clip: str) -> None:
    content = Gateway().clip_bytes(f"video_clip_{clip}")
    with av.open(io.BytesIO(content), "r") as opened:
        pictures = len(list(opened.decode(video=0)))
        assert pictures >= 12
        if clip in REWRITTEN:
            assert pictures == 96
        assert len(opened.streams.audio) == (clip == "sound")


@pytest.mark.parametrize("size", ["1280x720", "720x1280", "960x960"])
def test_the_clips_with_sound_are_heard_and_small(size: str) -> None:
    content, _ = clip_file(size, "video", "sound")
    assert len(content) < 100_000
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(io.BytesIO(content), "r") as opened:
        assert opened.streams.audio[0].codec_context.name == "aac"
        heard = np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])
    assert 3.9 < len(heard) / 48_000 < 4.2
    assert 0.05 < np.abs(heard).max() < 1


def test_a_server_that_ignores_the_variant_sends_the_clip_again(
    sim: Simulator, http: httpx.Client
) -> None:
    sim.finish("video_variant_ignored")
    answer = http.get("/videos/video_variant_ignored/content", params={"variant": "thumbnail"})
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.content == sim.clip_bytes("video_variant_ignored")


def test_a_clip_may_come_out_in_another_size(sim: Simulator, http: httpx.Client) -> None:
    url = finished_link(sim, http, "video_other_size")
    assert get_job(http, "video_other_size")["size"] == "1280x720"
    assert http.get(url).content == sim.clip_bytes("video_square")


def test_late_is_counted_at_the_speed_of_the_simulator(clock: Clock) -> None:
    with Simulator(clock=clock, speed=20) as sim, closing(client_of(sim)) as http:
        url = finished_link(sim, http, "video_late_404")
        clock.now_s += 0.9
        assert http.get(url).status_code == 404
        clock.now_s += 0.2
        assert http.get(url).status_code == 200
