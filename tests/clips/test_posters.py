"""A saved notebook shows a picture: the API's, else the clip's first frame, else none."""

from __future__ import annotations

import base64
import io
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from cometvid_nb.api.client import Client
from cometvid_nb.clips import posters
from cometvid_nb.clips import save as clips
from cometvid_nb.clips.places import Destination
from cometvid_nb.clips.posters import (
    MOST_POSTER_BYTES,
    POSTER_WIDTH_PX,
    first_frame,
    illustrated,
    to_data_url,
)
from cometvid_nb.simulator import BAD_GATEWAY_PAGE, Fault, Scenario, Simulator
from cometvid_nb.simulator.clips import MEDIA
from tests.clips import made

THUMBNAIL = "GET /videos/{id}/content"


async def poster_of(sim: Simulator, client: Client, folder: Path) -> str | None:
    sim.add(Scenario("video_1"))
    sim.finish("video_1")
    job = (await client.poll("video_1")).job
    saved = await clips.save(client, job, Destination(folder, folder), lambda saving: None)
    assert Path(saved.file_path).is_file(), "a clip is saved, with a poster or without"
    assert saved.poster is None, "whether it is saved does not wait for a picture"
    return (await illustrated(client, job, saved)).poster


def picture(data_url: str | None) -> Image.Image:
    assert data_url is not None
    return Image.open(io.BytesIO(base64.b64decode(data_url.partition(",")[2])))


async def test_the_thumbnail_of_the_api_is_the_poster_as_it_is(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    poster = await poster_of(sim, client, tmp_path)
    assert poster is not None
    assert poster.startswith("data:image/webp;base64,")
    given = base64.b64decode(poster.partition(",")[2])
    assert given == sim.clip_bytes("video_1", "thumbnail")
    assert sim.count(THUMBNAIL) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(THUMBNAIL, status=400),
        Fault(THUMBNAIL, status=404),
        Fault(THUMBNAIL, status=502, body=BAD_GATEWAY_PAGE),
        Fault(THUMBNAIL, status=200, body=BAD_GATEWAY_PAGE),
        Fault(THUMBNAIL, status=200, body=b""),
        Fault(THUMBNAIL, status=200, body=b"\xff\xd8\xff" + bytes(MOST_POSTER_BYTES)),
        Fault(THUMBNAIL, drop_connection=True),
    ],
    ids=["refused", "unknown", "502", "page", "nothing", "large", "dropped"],
)
async def test_without_a_thumbnail_the_first_frame_is_the_poster(
    sim: Simulator, client: Client, tmp_path: Path, fault: Fault
) -> None:
    sim.add_fault(fault)
    made = picture(await poster_of(sim, client, tmp_path))
    assert (made.format, made.size) == ("JPEG", (640, 360))


def slowly(kind: str, body: bytes) -> Fault:
    """An answer that takes minutes to come."""
    headers = {"Content-Type": kind}
    return Fault(THUMBNAIL, status=200, body=body, headers=headers, trickle_s=0.01)


JPEG = b"\xff\xd8\xff" + bytes(MOST_POSTER_BYTES - 3)


@pytest.mark.parametrize(
    "fault",
    [
        slowly("video/mp4", JPEG),
        slowly("image/jpeg", JPEG + b"x"),
        slowly("application/octet-stream", JPEG[3:]),
    ],
    ids=["a video by its type", "too long by its length", "no picture by its first bytes"],
)
async def test_a_clip_in_place_of_a_thumbnail_is_not_read(
    sim: Simulator, client: Client, fault: Fault
) -> None:
    sim.add_fault(fault)
    began_s = time.monotonic()
    assert await client.thumbnail("video_demo", MOST_POSTER_BYTES) is None
    assert time.monotonic() - began_s < 2, "it would take minutes to read all of it"
    assert (await client.poll("video_demo")).job.id == "video_demo", "other questions go on"


async def test_without_thumbnail_and_library_a_clip_has_no_poster(
    sim: Simulator, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    sim.add_fault(Fault(THUMBNAIL, status=400))
    assert await poster_of(sim, client, tmp_path) is None


@pytest.mark.parametrize("shape", ["landscape", "portrait", "square"])
def test_a_first_frame_is_small_in_its_shape_and_shows_the_clip(shape: str) -> None:
    content = first_frame(MEDIA / f"{shape}.mp4")
    assert content is not None
    assert len(content) < MOST_POSTER_BYTES
    frame = picture(to_data_url(content))
    assert max(frame.size) <= POSTER_WIDTH_PX
    with Image.open(MEDIA / f"{shape}.webp") as thumbnail:
        ratio = thumbnail.width / thumbnail.height
    assert frame.width / frame.height == pytest.approx(ratio, rel=0.02)
    assert len(set(frame.convert("L").resize((16, 16)).tobytes())) > 8, "not one grey"


@pytest.mark.parametrize("content", [b"", b"no clip", b"\0\0\0\x08ftyp" * 9], ids=range(3))
def test_what_no_library_can_read_has_no_first_frame(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    assert first_frame(path) is None
    assert first_frame(tmp_path / "not there.mp4") is None


def test_a_clip_of_sound_alone_has_no_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    path.write_bytes(made.sound())
    assert first_frame(path) is None


@pytest.mark.parametrize("kind", ["webm", "gif", "hevc", "prores"])
def test_any_format_has_a_first_frame(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "clip"
    path.write_bytes(made.clip(kind))
    assert picture(to_data_url(first_frame(path) or b"")).size == (128, 72)


@pytest.mark.parametrize("limit", [128 * 72 - 1, 128 * 71])
def test_pictures_that_are_too_large_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(made.clip("h264"))
    monkeypatch.setattr(posters, "MOST_FRAME_PIXELS", limit)
    assert first_frame(path) is None


def test_pictures_larger_than_their_header_says_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(made.clip("h264", 256, 256))
    shown_at = content.index(b"tkhd") + 4 + 76
    content[shown_at : shown_at + 8] = (16 << 16).to_bytes(4, "big") * 2
    stored_at = content.index(b"avc1", content.index(b"stsd")) + 4 + 24
    content[stored_at : stored_at + 4] = (16).to_bytes(2, "big") * 2
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert first_frame(path) is not None
    monkeypatch.setattr(posters, "MOST_FRAME_PIXELS", 100 * 100)
    assert first_frame(path) is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"<svg onload='x()'>", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"", None),
        (b"\xff\xd8\xff" + bytes(MOST_POSTER_BYTES), None),
    ],
)
def test_only_a_small_picture_becomes_a_data_url(content: bytes, kind: str | None) -> None:
    data_url = to_data_url(content)
    if kind is None:
        assert data_url is None
    else:
        assert data_url == f"data:{kind};base64,{base64.b64encode(content).decode()}"
