"""A clip on disk is whole or not there, and never in somebody else's place."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cometvid_nb.api.client import Client
from cometvid_nb.api.streams import ClipStream
from cometvid_nb.clips.download import OVERLAP_BYTES, Tries, download
from cometvid_nb.clips.file import clip_file_name
from cometvid_nb.clips.roads import Road
from cometvid_nb.errors import ClipError, ClipNotReady, ServerTrouble, TransientError
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.simulator.clips import read_clip
from tests.clips import made
from tests.strategies import texts

CLIP = read_clip("960x960", "mp4")


@dataclass
class Server(Client):
    """Sends `clip`, once more for each of `cuts` that breaks off after so many bytes.

    The real server is in test_save and test_client; this one says what none would say.
    """

    clip: bytes = CLIP
    cuts: tuple[int, ...] = ()
    validator: str | None = '"v1"'
    is_ranged: bool = True
    is_announced: bool = True
    shift: int = 0
    promised_bytes: tuple[int, ...] = ()
    """So many more than there are, in one answer after the other."""

    def __post_init__(self) -> None:
        self.asked: list[tuple[int, str | None]] = []

    @asynccontextmanager
    async def open_clip(
        self, job: Job, *, by_link: bool = True, offset: int = 0, validator: str | None = None
    ) -> AsyncIterator[ClipStream]:
        cut = self.cuts[len(self.asked)] if len(self.asked) < len(self.cuts) else None
        self.asked.append((offset, validator))
        start = offset + self.shift if self.is_ranged and validator == self.validator else 0

        def chunks() -> Iterator[bytes]:
            end = len(self.clip) if cut is None else start + cut
            for at in range(start, end, 10_000):
                yield self.clip[at : min(at + 10_000, end)]
            if cut is not None:
                raise ServerTrouble("the connection broke")

        promised = self.promised_bytes[len(self.asked) - 1 :][:1]
        total = len(self.clip) + sum(promised) if self.is_announced else None
        yield ClipStream(chunks(), start, total, self.validator)


def road(job_id: str = "video_1") -> Road:
    return Road(Job(job_id, JobStatus.COMPLETED))


async def save(server: Server, folder: Path, job_id: str = "video_1") -> Path:
    saved = await download(server, road(job_id), folder)
    assert saved.size_bytes == len(CLIP)
    return saved.path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "videos"


async def test_a_clip_is_saved_byte_for_byte_in_a_folder_made_for_it(folder: Path) -> None:
    progress: list[tuple[int, int | None]] = []
    saved = await download(
        Server(),
        road(),
        folder,
        tries=Tries(lambda saving: progress.append((saving.received_bytes, saving.total_bytes))),
    )

    assert saved.path == folder / "video_1.mp4"
    assert saved.path.read_bytes() == CLIP
    assert names(folder) == {"video_1.mp4"}
    assert progress[-1] == (len(CLIP), len(CLIP))
    assert progress == sorted(progress)


async def test_a_broken_transfer_goes_on_where_it_broke_off(folder: Path) -> None:
    server = Server(cuts=(30_000,))
    assert (await save(server, folder)).read_bytes() == CLIP
    assert server.asked == [(0, None), (30_000 - OVERLAP_BYTES, '"v1"')]


@pytest.mark.parametrize(
    "server",
    [Server(cuts=(30_000,), validator=None), Server(cuts=(30_000,), is_ranged=False)],
    ids=["no validator", "no ranges"],
)
async def test_a_transfer_that_cannot_go_on_begins_anew(folder: Path, server: Server) -> None:
    server.asked.clear()
    assert (await save(server, folder)).read_bytes() == CLIP


async def test_three_broken_tries_are_enough_and_leave_nothing(folder: Path) -> None:
    server = Server(cuts=(1000, 1000, 1000, 1000))
    with pytest.raises(TransientError, match="broke"):
        await save(server, folder)
    assert len(server.asked) == 3
    assert names(folder) == set()


async def test_a_server_that_begins_elsewhere_is_not_believed(folder: Path) -> None:
    with pytest.raises(ClipError, match="sent byte"):
        await save(Server(cuts=(30_000,), shift=5), folder)
    assert names(folder) == set()


async def test_fewer_bytes_than_announced_are_asked_for_again(folder: Path) -> None:
    server = Server(promised_bytes=(1,), validator=None)
    saved = await download(server, road(), folder)
    assert len(server.asked) == 2
    assert saved.path.read_bytes() == CLIP


async def test_what_the_disk_says_at_last_is_not_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ClipError, match="Input/output error"):
        await save(Server(), folder)
    assert names(folder) == set()


def box(kind: bytes, size: int | None = None, payload: bytes = b"") -> bytes:
    return (8 + len(payload) if size is None else size).to_bytes(4, "big") + kind + payload


WIDE = (1).to_bytes(4, "big") + b"mdat" + (16 + 4).to_bytes(8, "big") + b"1234"
ENDLESS = box(b"mdat", 0, b"to the end of the file")
NO_CLIPS = {
    "nothing": b"",
    "an HTML page": b"<html><body>502 Bad Gateway</body></html>",
    "JSON": b'{"error": {"message": "not ready"}}',
    "cut in a box": CLIP[:-1],
    "no moov": box(b"ftyp") + box(b"mdat"),
    "ftyp last": box(b"moov") + box(b"ftyp"),
    "a box of no size": box(b"ftyp") + box(b"moov", 7),
    "a box larger than the file": box(b"ftyp") + box(b"moov", 2**31),
}


@pytest.mark.parametrize("content", NO_CLIPS.values(), ids=NO_CLIPS)
@pytest.mark.parametrize("is_announced", [True, False])
async def test_what_is_no_whole_mp4_is_not_saved(
    folder: Path, content: bytes, is_announced: bool
) -> None:
    with pytest.raises(ClipError, match=r"not a complete MP4|instead of the clip"):
        await save(Server(content, is_announced=is_announced), folder)
    assert names(folder) == set()


@pytest.mark.parametrize("last", [WIDE, ENDLESS, box(b"free")], ids=["wide", "endless", "empty"])
async def test_every_legal_kind_of_box_is_an_mp4(folder: Path, last: bytes) -> None:
    content = box(b"ftyp") + box(b"moov") + last
    saved = await download(Server(content), road(), folder)
    assert saved.path.read_bytes() == content


async def test_junk_behind_a_whole_clip_is_kept_with_it(folder: Path) -> None:
    saved = await download(Server(CLIP + b"\0\0\0"), road(), folder)
    assert saved.path.read_bytes() == CLIP + b"\0\0\0"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("webm", "video_1.webm"), ("gif", "video_1.gif"), ("mov", "video_1.mov")],
)
async def test_another_format_is_kept_under_its_own_suffix(
    folder: Path, kind: str, name: str
) -> None:
    content = made.clip(kind)
    saved = await download(Server(content), road(), folder, file_name="video_1.mp4")
    assert (saved.path.name, saved.format.suffix) == (name, saved.path.suffix)
    assert saved.path.read_bytes() == content


async def test_words_in_place_of_a_clip_may_mean_that_it_is_late(folder: Path) -> None:
    for words in (b'{"status": "processing"}', b"\xef\xbb\xbf <?xml version='1.0'?>", b""):
        with pytest.raises(ClipNotReady):
            await save(Server(words), folder)


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=30).map(lambda tail: CLIP[:99] + tail)))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_bytes_at_all_can_confuse_the_check(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ClipError, match=r"not a complete MP4|instead of the clip"):
        await save(Server(content), tmp_path)
    assert names(tmp_path) == set()


async def test_the_same_clip_again_is_the_same_file(folder: Path) -> None:
    first = await save(Server(), folder)
    before = first.stat()
    assert await save(Server(), folder) == first
    assert first.stat().st_mtime_ns == before.st_mtime_ns
    assert names(folder) == {"video_1.mp4"}


@pytest.mark.parametrize("theirs", [b"my own cut of it", CLIP[:-1] + b"!"], ids=["other", "near"])
async def test_another_file_of_that_name_is_left_alone(folder: Path, theirs: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "video_1.mp4").write_bytes(theirs)

    assert await save(Server(), folder) == folder / "video_1-2.mp4"
    assert await save(Server(), folder) == folder / "video_1-2.mp4"
    assert (folder / "video_1.mp4").read_bytes() == theirs
    assert names(folder) == {"video_1.mp4", "video_1-2.mp4"}


async def test_a_folder_of_that_name_is_left_alone(folder: Path) -> None:
    (folder / "video_1.mp4").mkdir(parents=True)
    assert await save(Server(), folder) == folder / "video_1-2.mp4"


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a right there")
async def test_a_link_of_that_name_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "video_1.mp4").symlink_to(tmp_path / "elsewhere")
    assert await save(Server(), folder) == folder / "video_1-2.mp4"
    assert not (tmp_path / "elsewhere").exists()


async def test_a_place_that_is_a_file_is_a_clip_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "videos").write_text("a file")
    for folder in (tmp_path / "videos", tmp_path / "videos" / "below"):
        with pytest.raises(ClipError, match="was not saved to") as caught:
            await save(Server(), folder)
        assert "save_dir" in str(caught.value.advice)
        assert isinstance(caught.value.__cause__, OSError)


@contextmanager
def limited_files(most_bytes: int) -> Iterator[None]:
    """No file may grow beyond this: what a full disk looks like to a program."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
async def test_a_full_disk_leaves_nothing_and_says_so(folder: Path) -> None:
    server = Server()
    with limited_files(20_000), pytest.raises(ClipError, match=r"File too large") as caught:
        await save(server, folder)
    assert names(folder) == set()
    assert len(server.asked) == 1, "asking again would not make room"
    assert "video_1" in str(caught.value)


# Names.


@given(st.one_of(texts, st.text(max_size=300)))
def test_a_file_name_is_never_a_path_nor_hidden_nor_reserved(job_id: str) -> None:
    name = clip_file_name(job_id)

    assert name.isascii()
    assert name.isprintable()
    assert name.endswith(".mp4")
    assert not name.startswith((".", "-"))
    assert len(name) <= 110
    assert not set(name) & set('/\\:*?"<>| \0')
    assert PurePosixPath(name).name == name == PureWindowsPath(name).name
    assert name.split(".", 1)[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}
    assert os.fsencode(name)


@pytest.mark.parametrize(
    ("job_id", "name"),
    [("video_1", "video_1.mp4"), ("7f-3.c", "7f-3.c.mp4"), ("a" * 100, "a" * 100 + ".mp4")],
)
def test_a_plain_id_is_its_own_name(job_id: str, name: str) -> None:
    assert clip_file_name(job_id) == name


@given(
    st.sets(st.one_of(st.text(max_size=20), st.sampled_from(["CON", "con", "..", "a/b", "a-b"])))
)
def test_two_jobs_never_share_a_name(job_ids: set[str]) -> None:
    assert len({clip_file_name(job_id) for job_id in job_ids}) == len(job_ids)
