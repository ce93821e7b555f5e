"""A clip comes home over real sockets, whatever the servers and the disk do on the way."""

from __future__ import annotations

import base64
import gzip
import os
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cometvid_nb.api import data_urls
from cometvid_nb.api.client import Client
from cometvid_nb.api.packing import MOST_AT_A_TIME_BYTES, MOST_RATIO, unpacked
from cometvid_nb.cards.card import Card
from cometvid_nb.cards.text import card_to_text
from cometvid_nb.clips import fetch
from cometvid_nb.clips import save as clips
from cometvid_nb.clips.download import OVERLAP_BYTES, TRIES_PER_ROAD
from cometvid_nb.clips.places import Destination, SavedClip, Saving
from cometvid_nb.errors import ClipError, CometVidError, SettingsError, TransientError
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.simulator import BAD_GATEWAY_PAGE, Fault, Scenario, Simulator
from cometvid_nb.watching.loop import WatchLoop
from cometvid_nb.watching.schedule import PollPolicy
from cometvid_nb.watching.server import Server
from cometvid_nb.watching.state import WatchState
from cometvid_nb.watching.watch import Watch
from tests.simulated import KEY, settings_of

JOB = "video_1"
CLIP, CONTENT = "GET /clips/*", "GET /videos/{id}/content"
POLL = "GET /videos/{id}"
CUT = 70_000

pytestmark = pytest.mark.simulator(separate_clip_host=True)


@pytest.fixture(autouse=True)
def _a_clip_is_there(sim: Simulator) -> None:
    sim.add(Scenario(JOB))
    sim.finish(JOB)


async def save(client: Client, folder: Path, place: Destination | None = None) -> SavedClip:
    job = (await client.poll(JOB)).job
    return await clips.save(
        client, job, place or Destination(folder / "videos", folder), lambda saving: None
    )


def asked(sim: Simulator, host: str) -> list[dict[str, str]]:
    """The headers of each request for the clip itself, in order."""
    return [
        dict(request.headers)
        for request in sim.requests
        if request.host == host
        and request.path.endswith((".mp4", "/content"))
        and "variant" not in request.query
    ]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


# The servers.


async def test_a_cut_transfer_goes_on_behind_the_last_byte_if_the_clip_is_still_the_same(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add_fault(Fault(CLIP, cut_after_bytes=CUT))
    saved = await save(client, tmp_path)

    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    first, second = asked(sim, "clips")
    assert "range" not in first
    assert "authorization" not in first.keys() | second.keys(), "the key stays with the API"
    assert second["range"] == f"bytes={CUT - OVERLAP_BYTES}-"
    assert second["if-range"].startswith('"'), "a strong validator guards the range"
    assert files(tmp_path) == {f"{JOB}.mp4"}


async def test_a_clip_that_was_replaced_in_between_is_fetched_from_its_start(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add_fault(Fault(CLIP, cut_after_bytes=CUT, headers={"ETag": '"the clip before"'}))
    saved = await save(client, tmp_path)

    assert asked(sim, "clips")[1]["if-range"] == '"the clip before"'
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"another"'},
        {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"},
        {"Content-Range": "bytes 65904-168467/999999"},
    ],
    ids=["ETag", "date", "length"],
)
async def test_a_part_of_another_clip_is_never_put_behind_the_first_part(
    sim: Simulator, client: Client, tmp_path: Path, headers: dict[str, str]
) -> None:
    dated = {"Last-Modified": "Tue, 20 Oct 2015 07:28:00 GMT"}
    sim.add_fault(Fault(CLIP, cut_after_bytes=CUT, headers=dated))
    sim.add_fault(Fault(CLIP, headers=headers))
    saved = await save(client, tmp_path)

    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    ranges = [headers.get("range") for headers in asked(sim, "clips")]
    assert ranges == [None, f"bytes={CUT - OVERLAP_BYTES}-", None]


@pytest.mark.parametrize(
    "headers",
    [{"ETag": 'W/"weak"'}, {"ETag": ""}, {"ETag": "", "Accept-Ranges": "none"}],
    ids=["weak", "none", "no ranges"],
)
async def test_without_a_strong_validator_a_cut_transfer_begins_anew(
    sim: Simulator, client: Client, tmp_path: Path, headers: dict[str, str]
) -> None:
    sim.add_fault(Fault(CLIP, cut_after_bytes=CUT, headers=headers))
    saved = await save(client, tmp_path)

    assert all("range" not in headers for headers in asked(sim, "clips"))
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)


async def test_the_content_endpoint_which_knows_no_ranges_begins_anew(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add(Scenario(JOB, link="none"))
    sim.finish(JOB)
    sim.add_fault(Fault(CONTENT, cut_after_bytes=CUT, headers={"ETag": '"one"'}))
    saved = await save(client, tmp_path)

    assert [h.get("range") for h in asked(sim, "api")] == [None, f"bytes={CUT - OVERLAP_BYTES}-"]
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)


async def test_three_cuts_in_a_row_go_on_each_time(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add_fault(Fault(CLIP, times=TRIES_PER_ROAD - 1, cut_after_bytes=CUT))
    saved = await save(client, tmp_path)

    ranges = [headers.get("range") for headers in asked(sim, "clips")]
    assert ranges == [None, f"bytes={CUT - OVERLAP_BYTES}-", f"bytes={2 * (CUT - OVERLAP_BYTES)}-"]
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)


@pytest.mark.parametrize(
    "body",
    [BAD_GATEWAY_PAGE, b'{"error": {"message": "busy"}}', b"", "truncated", "garbled"],
    ids=["page", "JSON", "nothing", "truncated", "garbled"],
)
async def test_what_is_no_whole_mp4_leads_to_the_content_endpoint(
    sim: Simulator, client: Client, tmp_path: Path, body: str | bytes
) -> None:
    clip = sim.clip_bytes(JOB)
    sent = {"truncated": clip[:-5000], "garbled": clip[5:]}.get(str(body), body)
    sim.add_fault(Fault(CLIP, status=200, body=sent))
    saved = await save(client, tmp_path)

    assert Path(saved.file_path).read_bytes() == clip
    assert len(asked(sim, "api")) == 1
    assert files(tmp_path) == {f"{JOB}.mp4"}


async def test_an_expired_link_that_is_given_again_leads_to_the_content_endpoint(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add_fault(Fault(CLIP, times=None, status=403))
    saved = await save(client, tmp_path)

    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert len(asked(sim, "clips")) == 1, "a refusal is no accident: it is not asked again"


async def test_the_content_endpoint_may_redirect_to_another_host_which_never_sees_the_key(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    link = (await client.poll(JOB)).job.video_url
    assert link is not None
    sim.add(Scenario(JOB, link="none"))
    sim.finish(JOB)
    sim.add_fault(Fault(CONTENT, status=302, headers={"Location": link}))
    saved = await save(client, tmp_path)

    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert [("authorization" in h) for h in asked(sim, "api")] == [True]
    assert [("authorization" in h) for h in asked(sim, "clips")] == [False]


async def test_no_road_is_tried_more_than_a_few_times_and_nothing_is_left(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add_fault(Fault(CLIP, times=None, cut_after_bytes=0))
    sim.add_fault(Fault(CONTENT, times=None, cut_after_bytes=0))
    with pytest.raises(TransientError):
        await save(client, tmp_path)

    assert len(asked(sim, "clips")) == TRIES_PER_ROAD
    assert len(asked(sim, "api")) == TRIES_PER_ROAD
    assert files(tmp_path) == set()
    assert sim.count("POST *") == 0, "a job is never made anew"


async def test_each_try_is_told_with_what_ended_the_last_one(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add_fault(Fault(CLIP, cut_after_bytes=CUT))
    sim.add_fault(Fault(CLIP, times=None, status=403))
    job = (await client.poll(JOB)).job
    told: list[Saving] = []
    await clips.save(client, job, Destination(tmp_path, tmp_path), told.append)

    problems = list(dict.fromkeys((saving.attempt, saving.problem) for saving in told))
    assert [attempt for attempt, _ in problems] == [1, 2, 3]
    assert problems[0][1] is None
    assert "closed the connection" in str(problems[1][1])
    assert "refused with 403" in str(problems[2][1])


async def test_the_content_endpoint_refuses_in_the_words_of_the_api(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add(Scenario(JOB, link="none"))
    sim.finish(JOB)
    body = {"error": {"message": "This clip was taken down.", "code": "gone"}}
    sim.add_fault(Fault(CONTENT, times=None, status=410, body=body))
    with pytest.raises(ClipError, match="This clip was taken down") as caught:
        await save(client, tmp_path)
    assert "link" not in str(caught.value)


# What comes a little late.

LATE = {
    "404": Fault(CONTENT, status=404),
    "400": Fault(CONTENT, status=400, body={"error": {"message": "not generated yet"}}),
    "409": Fault(CONTENT, status=409),
    "202": Fault(CONTENT, status=202, body={"status": "processing"}),
    "204": Fault(CONTENT, status=204, body=b""),
    "NoSuchKey": Fault(CONTENT, status=403, body="<Error><Code>NoSuchKey</Code></Error>"),
    "AccessDenied": Fault(CONTENT, status=403, body="<Error><Code>AccessDenied</Code></Error>"),
    "JSON": Fault(CONTENT, status=200, body={"message": "The video is being moved."}),
    "JSON as a video": Fault(
        CONTENT, status=200, body=b'{"a": 1}', headers={"Content-Type": "video/mp4"}
    ),
    "a page": Fault(CONTENT, status=200, body=BAD_GATEWAY_PAGE),
    "502": Fault(CONTENT, status=502, body=BAD_GATEWAY_PAGE),
    "429": Fault(CONTENT, status=429),
}


@pytest.fixture
def quick_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause of a second between two walks along the roads, and hardly one between two tries."""
    monkeypatch.setattr(fetch, "LATE_PAUSES_S", (0.01,))
    monkeypatch.setattr(fetch, "TRIES_PER_ROAD", 1)


@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
@pytest.mark.usefixtures("quick_walks")
async def test_a_clip_that_comes_a_little_late_is_waited_for(
    sim: Simulator, client: Client, tmp_path: Path, late: Fault
) -> None:
    sim.add(Scenario(JOB, link="none"))
    sim.finish(JOB)
    sim.add_fault(replace(late, times=3))
    job, told = (await client.poll(JOB)).job, list[Saving]()
    saved = await clips.save(client, job, Destination(tmp_path, tmp_path), told.append)

    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert len(asked(sim, "api")) == 4
    assert any("may take a little longer; trying again" in str(saving.problem) for saving in told)


@pytest.mark.usefixtures("quick_walks")
async def test_a_link_that_comes_late_or_works_late_is_taken(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sim.add_fault(Fault(POLL, changes={"video_url": None}))
    sim.add_fault(Fault(CLIP, status=404))
    sim.add_fault(Fault(CONTENT, times=None, status=404))
    saved = await save(client, tmp_path)
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert len(asked(sim, "clips")) == 2


@pytest.mark.usefixtures("quick_walks")
async def test_a_minute_after_the_end_a_clip_is_not_late_but_lost(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    ended_long_ago(sim)
    sim.add_fault(Fault(CLIP, times=None, status=404))
    sim.add_fault(Fault(CONTENT, times=None, status=404))
    with pytest.raises(ClipError, match="404"):
        await save(client, tmp_path)
    assert len(asked(sim, "api")) == 1


@pytest.mark.usefixtures("quick_walks")
async def test_whoever_saw_the_job_end_waits_whatever_the_answer_says_of_the_time(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    ended_long_ago(sim)
    sim.add_fault(Fault(CLIP, status=404))
    sim.add_fault(Fault(CONTENT, status=404))
    job = (await client.poll(JOB)).job
    place = Destination(tmp_path, tmp_path)
    saved = await clips.save(client, job, place, lambda saving: None, is_fresh=True)
    assert Path(saved.file_path).is_file()


async def test_the_end_tells_what_each_road_brought(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    ended_long_ago(sim)
    sim.add_fault(Fault(CLIP, times=None, status=200, body=sim.clip_bytes(JOB)[:-5000]))
    sim.add_fault(Fault(CONTENT, times=None, status=404))
    with pytest.raises(ClipError) as caught:
        await save(client, tmp_path)
    assert "By its link: What the server sent for video_1 is not a complete" in str(caught.value)
    assert "By the API's content endpoint: The clip of video_1 is not available yet" in str(
        caught.value
    )


def ended_long_ago(sim: Simulator) -> None:
    """Let the answers say that the job ended two minutes ago."""
    ended_at_s = time.time() - 120
    sim.add_fault(Fault(POLL, times=None, changes={"completed_at": ended_at_s}))


# What stands in the answer itself, and what is packed.


@pytest.mark.parametrize("size_bytes", [0, 7_000_000], ids=["small", "large"])
async def test_a_clip_in_the_answer_is_saved_by_a_road_of_its_own(
    sim: Simulator, client: Client, tmp_path: Path, size_bytes: int
) -> None:
    content = sim.clip_bytes(JOB) + (size_bytes.to_bytes(4, "big") + b"free").ljust(
        size_bytes, b"\7"
    )
    job = replace((await client.poll(JOB)).job, video_url=data_url(content))
    before = len(asked(sim, "api"))
    saved = await clips.save(client, job, Destination(tmp_path, tmp_path), lambda saving: None)

    assert Path(saved.file_path).read_bytes() == content
    assert len(asked(sim, "api")) == before, "all of it was there already"


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda text: text.rstrip("="),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
        lambda text: text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    ],
    ids=["without padding", "for URLs", "in lines", "percent"],
)
async def test_base64_is_read_as_people_write_it(
    client: Client, monkeypatch: pytest.MonkeyPatch, rewritten: Callable[[str], str]
) -> None:
    monkeypatch.setattr(data_urls, "SLICE_CHARS", 1001)
    content = random.Random(3).randbytes(20_002)
    head, _, text = data_url(content).partition(",")
    job = Job(JOB, JobStatus.COMPLETED, video_url=f"{head},{rewritten(text)}")
    async with client.open_clip(job) as stream:
        assert b"".join([block async for block in stream]) == content


async def test_what_is_no_base64_leads_to_the_next_road(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    job = replace((await client.poll(JOB)).job, video_url="data:video/mp4;base64,AAAA!")
    saved = await clips.save(client, job, Destination(tmp_path, tmp_path), lambda saving: None)
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)


PACKINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "GZIP, aws-chunked": lambda clip: gzip.compress(clip[:999]) + gzip.compress(clip[999:]),
}
WORDS = ("aws-chunked", "", "utf-8", "binary", "identity", "video/mp4", "gzip", "deflate")


@pytest.mark.parametrize("packing", PACKINGS)
async def test_a_packed_clip_is_unpacked(
    sim: Simulator, client: Client, tmp_path: Path, packing: str
) -> None:
    sent = PACKINGS[packing](sim.clip_bytes(JOB))
    sim.add_fault(Fault(CLIP, status=200, body=sent, headers={"Content-Encoding": packing}))
    saved = await save(client, tmp_path)
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert asked(sim, "api") == []


@pytest.mark.parametrize("word", WORDS)
async def test_a_word_that_packs_nothing_stops_no_clip(
    sim: Simulator, client: Client, tmp_path: Path, word: str
) -> None:
    sim.add_fault(Fault(CLIP, times=None, headers={"Content-Encoding": word}))
    saved = await save(client, tmp_path)
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert asked(sim, "api") == []


@pytest.mark.parametrize(
    ("packing", "sent"),
    [
        ("gzip", gzip.compress(bytes(9_000_000))),
        ("gzip", gzip.compress(b"x" * 999)[:-12] + bytes(12)),
        ("br", b"\x0b\x02\x80"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"x"))),
    ],
    ids=["a bomb", "broken", "brotli", "twice"],
)
async def test_what_cannot_be_unpacked_within_bounds_leads_to_the_next_road(
    sim: Simulator, client: Client, tmp_path: Path, packing: str, sent: bytes
) -> None:
    sim.add_fault(Fault(CLIP, status=200, body=sent, headers={"Content-Encoding": packing}))
    saved = await save(client, tmp_path)
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert len(asked(sim, "api")) == 1


def test_a_bomb_is_not_unpacked_to_its_end() -> None:
    bomb = gzip.compress(bytes(40_000_000))
    sizes: list[int] = []
    with pytest.raises(ClipError, match="far too large when decompressed"):
        sizes.extend(map(len, unpacked(iter([bomb]), len(bomb), JOB)))
    assert sizes
    assert max(sizes) <= MOST_AT_A_TIME_BYTES
    assert sum(sizes) <= len(bomb) * MOST_RATIO


async def test_a_packed_clip_that_breaks_off_is_asked_for_again(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    sent = gzip.compress(sim.clip_bytes(JOB))
    packed = Fault(CLIP, status=200, body=sent, headers={"Content-Encoding": "gzip"})
    sim.add_fault(replace(packed, body=sent[:-9]))
    sim.add_fault(packed)
    saved = await save(client, tmp_path)
    assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert [headers.get("range") for headers in asked(sim, "clips")] == [None, None]


def data_url(content: bytes) -> str:
    return f"data:video/mp4;base64,{base64.b64encode(content).decode()}"


# A job that made several clips.


def of_three(job: Job, sim: Simulator) -> Job:
    """`job` with two clips more, of other bytes than the first."""
    others = [data_url(sim.clip_bytes(JOB) + box) for box in (b"\0\0\0\x08free", b"\0\0\0\x08skip")]
    return replace(job, other_video_urls=tuple(others))


async def test_every_clip_of_a_job_is_saved_and_counted(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    job, told = of_three((await client.poll(JOB)).job, sim), list[Saving]()
    saved = await clips.save(client, job, Destination(tmp_path, tmp_path), told.append)

    assert [one.path for one in saved.every] == ["video_1.mp4", "video_1-2.mp4", "video_1-3.mp4"]
    assert [one.number for one in saved.every] == [0, 1, 2]
    assert saved.incomplete is None
    assert len({Path(one.file_path).read_bytes() for one in saved.every}) == 3
    assert list(dict.fromkeys((saving.number, saving.count) for saving in told)) == [
        (1, 3),
        (2, 3),
        (3, 3),
    ]

    asked_before = sim.count()
    again = await clips.save(
        client, job, Destination(tmp_path / "b", tmp_path, None, "kept.mp4"), told.append, saved
    )
    assert [one.path for one in again.every] == ["b/kept.mp4", "b/kept-2.mp4", "b/kept-3.mp4"]
    assert sim.count() == asked_before, "files that lie here are asked of nobody"


@pytest.mark.parametrize("lost", [0, 1])
async def test_one_clip_that_cannot_be_had_does_not_keep_the_others_from_being_saved(
    sim: Simulator, client: Client, tmp_path: Path, lost: int
) -> None:
    sim.add_fault(Fault("GET /clips/*", times=None, status=410))
    sim.add_fault(Fault(CONTENT, times=None, status=410))
    polled = (await client.poll(JOB)).job
    link, job = str(polled.video_url), of_three(polled, sim)
    links = [*job.other_video_urls]
    links.insert(lost, link)
    job = replace(job, video_url=links[0], other_video_urls=tuple(links[1:]))
    saved = await clips.save(client, job, Destination(tmp_path, tmp_path), lambda saving: None)

    assert [one.number for one in saved.every] == [number for number in range(3) if number != lost]
    assert str(saved.incomplete).startswith("2 of 3 clips are saved.")
    assert "410" in str(saved.incomplete)

    state = WatchState.begin(JOB, 0.0, 1.0).answered(job, 1.0).with_clip(saved)
    card = Card.of_watch(state)
    assert card.problem == saved.incomplete
    assert card.command == f"%cometvid save {JOB}"
    assert card.clip is not None
    assert [clip.number for clip in card.clip.every if clip.saved_to] == [
        one.number for one in saved.every
    ]
    assert [clip.url for clip in card.clip.every if not clip.saved_to] == [link]


# The disk.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for a tenth of a clip."""
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here; test_storage has a limit in its place")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk")
async def test_a_full_disk_is_named_and_is_not_filled_twice(
    sim: Simulator, client: Client, small_disk: Path
) -> None:
    with pytest.raises(ClipError, match="No space left on device") as caught:
        await save(client, small_disk, Destination(small_disk, small_disk))
    assert files(small_disk) == set()
    assert "Free" in str(caught.value.advice)
    assert len(asked(sim, "clips")) + len(asked(sim, "api")) == 1


@contextmanager
def without_rights() -> Iterator[None]:
    """As a person who is not root, since nothing is forbidden to root."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are another matter there")
async def test_a_folder_nobody_may_write_to_is_named(client: Client) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        place = folder / "read-only"
        place.mkdir(mode=0o555)
        for target in (place, place / "below"):
            with without_rights(), pytest.raises(ClipError, match="Permission denied") as caught:
                await save(client, folder, Destination(target, folder))
            assert str(target) in str(caught.value)
        assert files(folder) == set()


async def test_a_different_file_is_never_overwritten_and_the_same_clip_never_doubled(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    theirs = tmp_path / "videos" / f"{JOB}.mp4"
    theirs.parent.mkdir()
    theirs.write_bytes(b"mine")

    for _ in range(2):
        saved = await save(client, tmp_path)
        assert saved.path == f"videos/{JOB}-2.mp4"
        assert Path(saved.file_path).read_bytes() == sim.clip_bytes(JOB)
    assert theirs.read_bytes() == b"mine"
    assert files(tmp_path) == {theirs.name, f"{JOB}-2.mp4"}


@pytest.mark.parametrize(
    ("text", "name"),
    [("kept", f"kept/{JOB}.mp4"), ("kept/a.mp4", "kept/a.mp4"), ("b.MP4", "b.MP4")],
)
async def test_a_person_may_name_a_folder_or_a_file(
    sim: Simulator, client: Client, tmp_path: Path, text: str, name: str
) -> None:
    place = Destination.parse(text, tmp_path / "videos", tmp_path)
    saved = await save(client, tmp_path, place)

    assert saved.path == name
    assert (tmp_path / name).read_bytes() == sim.clip_bytes(JOB)


@pytest.mark.parametrize("text", ["copy.png", "a/b.JPG", "s3://bucket/copy.txt"])
def test_a_file_of_another_kind_is_no_folder(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"its name: it must end in \.mp4, .* or \.avi"):
        Destination.parse(text, tmp_path, tmp_path)
    (tmp_path / "copy.png").mkdir()
    for folder in ("copy.png", "take.2/", "v1.0", "other.png/"):
        assert Destination.parse(folder, tmp_path, tmp_path).folder == tmp_path / folder


async def test_a_clip_elsewhere_on_the_disk_has_no_path_that_a_page_could_load(
    client: Client, tmp_path: Path
) -> None:
    beside = tmp_path / "notebooks"
    beside.mkdir()
    saved = await save(client, beside, Destination(tmp_path / "archive", beside))

    assert saved.path is None
    assert saved.saved_to == str(tmp_path / "archive" / f"{JOB}.mp4")


# What the card says.


def test_completed_but_not_saved_comes_with_the_command_that_tries_again(
    sim: Simulator, tmp_path: Path
) -> None:
    server, loop = Server(settings_of(sim)), WatchLoop()
    for pattern in (CLIP, CONTENT):
        sim.add_fault(Fault(pattern, times=None, status=404))
    ended_long_ago(sim)

    try:
        policy, place = PollPolicy.fixed(0.05, 60.0), Destination(tmp_path, tmp_path)
        state = WatchState.begin(JOB, 0.0, 1e12)
        watch = loop.follow(Watch(state, server, policy, destinations=[place]))
        assert watch.wait(15).video_url, "the job is completed all the same"
    finally:
        loop.close([server])
    card = Card.of_watch(watch.state)
    assert card.headline == "Completed, clip not saved"
    assert "The clip is not saved" in str(card.problem)
    assert card.command == f"%cometvid save {JOB}"
    assert card.command in card_to_text(card)
    assert card.saving is None
    assert files(tmp_path) == set()


async def test_what_is_told_of_a_failed_save_holds_no_key_and_no_signature(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    for pattern in (CLIP, CONTENT):
        sim.add_fault(Fault(pattern, times=None, status=403))
    with pytest.raises(CometVidError) as caught:
        await save(client, tmp_path)

    told = f"{caught.value} {caught.value.advice}"
    assert KEY not in told
    assert "signature" not in told
