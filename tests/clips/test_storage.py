"""A clip goes to a storage that speaks S3 over HTTP, and to others that fsspec knows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cometvid_nb.api.client import Client
from cometvid_nb.clips import save as clips
from cometvid_nb.clips.places import Destination
from cometvid_nb.clips.storage import upload, without_credentials
from cometvid_nb.errors import ClipError
from cometvid_nb.simulator import Scenario, Simulator
from cometvid_nb.simulator.clips import read_clip

CLIP = read_clip("1280x720", "mp4")

# botocore and moto say things of their own dependencies that are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The address of a server that speaks S3."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An s3fs that reads it, and a bucket named `clips`; our own code finds both by itself."""
    import s3fs  # type: ignore[import-untyped]  # it ships no types

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("clips")
    yield system
    system.rm("clips", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CLIP)
    return path


async def test_a_clip_saved_to_s3_lies_there_byte_for_byte_and_nowhere_else(
    sim: Simulator, client: Client, bucket: Any, tmp_path: Path
) -> None:
    sim.add(Scenario("video_1"))
    sim.finish("video_1")
    job = (await client.poll("video_1")).job
    place = Destination.parse("s3://clips/mine/", tmp_path / "videos", tmp_path)
    saved = await clips.save(client, job, place, lambda saving: None)

    assert saved.saved_to == "s3://clips/mine/video_1.mp4"
    assert saved.path is None, "no page can load it from there"
    assert saved.size_bytes == len(CLIP)
    assert saved.poster is not None
    assert bucket.cat("clips/mine/video_1.mp4") == CLIP
    assert list(tmp_path.rglob("*")) == []


async def test_a_file_may_be_named(bucket: Any, file: Path, tmp_path: Path) -> None:
    place = Destination.parse("s3://clips/a/b.mp4", tmp_path, tmp_path)
    assert (place.url, place.file_name) == ("s3://clips/a", "b.mp4")
    assert await upload(file, "s3://clips/a", "b.mp4", "video_1") == "s3://clips/a/b.mp4"
    assert bucket.cat("clips/a/b.mp4") == CLIP


@pytest.mark.parametrize("theirs", [b"mine", CLIP[:-1] + b"!"], ids=["other", "as long"])
async def test_a_different_file_in_a_bucket_is_left_alone(
    bucket: Any, file: Path, theirs: bytes
) -> None:
    bucket.pipe("clips/a.mp4", theirs)

    for _ in range(2):
        assert await upload(file, "s3://clips", "a.mp4", "video_1") == "s3://clips/a-2.mp4"
    assert bucket.cat("clips/a.mp4") == theirs
    assert bucket.cat("clips/a-2.mp4") == CLIP
    assert len(bucket.ls("clips", refresh=True)) == 2


async def test_the_same_clip_again_is_not_sent_again(bucket: Any, file: Path) -> None:
    await upload(file, "s3://clips", "a.mp4", "video_1")
    before = bucket.info("clips/a.mp4", refresh=True)["LastModified"]
    assert await upload(file, "s3://clips", "a.mp4", "video_1") == "s3://clips/a.mp4"
    assert bucket.info("clips/a.mp4", refresh=True)["LastModified"] == before


async def test_a_clip_in_several_parts_arrives_whole(bucket: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.mp4"
    content = CLIP + bytes(60 * 2**20)  # s3fs sends parts from 50 MiB on
    large.write_bytes(content)
    await upload(large, "s3://clips", "large.mp4", "video_1")
    assert bucket.cat("clips/large.mp4") == content


async def test_a_bucket_that_is_not_there_is_named_and_not_made(bucket: Any, file: Path) -> None:
    with pytest.raises(ClipError, match=r"s3://nobodys-bucket") as caught:
        await upload(file, "s3://nobodys-bucket/x", "a.mp4", "video_1")
    assert "video_1" in str(caught.value)
    assert bucket.ls("", refresh=True) == ["clips"], "no bucket is made of a typing error"


async def test_a_storage_nobody_knows_is_named(file: Path) -> None:
    with pytest.raises(ClipError, match="nosuch"):
        await upload(file, "nosuch://place", "a.mp4", "video_1")


async def test_a_missing_library_is_named_with_what_installs_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ClipError) as caught:
        await upload(file, "s3://clips", "a.mp4", "video_1")
    assert "cometvid-nb[storage]" in str(caught.value.advice)


async def test_a_missing_driver_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adlfs", None)
    with pytest.raises(ClipError) as caught:
        await upload(file, "abfs://clips", "a.mp4", "video_1")
    assert "driver" in str(caught.value.advice)


@pytest.mark.parametrize("url", ["memory://kept/deep", "file://{folder}/kept/deep"])
async def test_other_storages_take_a_clip_in_a_folder_made_for_it(
    file: Path, tmp_path: Path, url: str
) -> None:
    import fsspec  # type: ignore[import-untyped]  # it ships no types

    url = url.format(folder=tmp_path)
    stored = await upload(file, url, "a.mp4", "video_1")
    assert stored == f"{url}/a.mp4"
    with fsspec.open(stored, "rb") as there:
        assert there.read() == CLIP


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://clips/a", "s3://clips/a"),
        ("ftp://me:secret@host.example/a", "ftp://host.example/a"),
        ("ftp://me:p@ss@host.example/a@b", "ftp://host.example/a@b"),
        ("sftp://me@host.example", "sftp://host.example"),
        ("memory:///clips", "memory:///clips"),
    ],
)
def test_a_url_is_told_without_the_way_in(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


async def test_a_storage_that_refuses_is_named_without_its_password(file: Path) -> None:
    with pytest.raises(ClipError) as caught:
        await upload(file, "ftp://me:s3cret@127.0.0.1:1/clips", "a.mp4", "video_1")
    assert "ftp://127.0.0.1:1/clips" in str(caught.value)
    assert "s3cret" not in str(caught.value)
