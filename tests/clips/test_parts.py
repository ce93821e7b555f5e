"""Parts of clips: gone with their writers, few at a time, and never a traceback."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cometvid_nb.api.client import MOST_CLIPS_AT_ONCE, Client
from cometvid_nb.clips import save as clips
from cometvid_nb.clips.parts import new_part, scratch_folder, sweep
from cometvid_nb.clips.places import Destination, SavedClip, local_file, page_path
from cometvid_nb.errors import ClipError
from cometvid_nb.job.job import Job
from cometvid_nb.simulator import Fault, Scenario, Simulator
from tests.clips.test_save import without_rights

JOB = "video_1"
CLIP = "GET /clips/*"
DIES = """
import sys
from pathlib import Path
from cometvid_nb.clips.parts import new_part
for number in range(2):
    new_part(Path(sys.argv[1])).write_bytes(b"half a clip")
folder = new_part(Path(sys.argv[1]))
folder.mkdir()
(folder / "clip.mp4").write_bytes(b"a whole one")
"""


@pytest.fixture
async def job(sim: Simulator, client: Client) -> Job:
    sim.add(Scenario(JOB))
    sim.finish(JOB)
    return (await client.poll(JOB)).job


async def save(client: Client, job: Job, place: Path) -> SavedClip:
    destination = Destination.parse(str(place), place, place.parent)
    return await clips.save(client, job, destination, lambda saving: None)


def leave_parts(folder: Path) -> None:
    """What a process leaves in `folder` that is killed while it saves."""
    subprocess.run([sys.executable, "-c", DIES, str(folder)], check=True, timeout=30)


async def test_what_a_killed_writer_left_goes_at_the_next_save(
    client: Client, job: Job, tmp_path: Path
) -> None:
    leave_parts(tmp_path)
    mine = new_part(tmp_path)
    machine = mine.name.split("-")[1]
    others = [
        mine,
        tmp_path / mine.name.replace(machine, "0" * 12),
        tmp_path / "theirs.mp4.part",
        tmp_path / ".cometvid-notes.part",
    ]
    for other in others:
        other.write_bytes(b"of somebody who lives, or of nobody here")
    assert len(list(tmp_path.iterdir())) == 3 + len(others)

    await save(client, job, tmp_path)
    assert set(tmp_path.iterdir()) == {*others, tmp_path / f"{JOB}.mp4"}


def test_a_scratch_folder_is_gone_at_the_end_and_sweeps_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    leave_parts(tmp_path)
    with scratch_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]
        (folder / "clip.mp4").write_bytes(b"on its way")
    assert list(tmp_path.iterdir()) == []


async def test_a_clip_has_a_file_only_once_it_has_a_place(
    sim: Simulator, client: Client, job: Job, tmp_path: Path
) -> None:
    sim.add_fault(Fault(CLIP, times=None, trickle_s=5))
    saves = [asyncio.ensure_future(save(client, job, tmp_path)) for _ in range(40)]
    try:
        async with asyncio.timeout(20):
            while len(list(tmp_path.iterdir())) < MOST_CLIPS_AT_ONCE:
                await client.poll(JOB)
        assert (await client.poll(JOB)).job.is_final
        assert len(list(tmp_path.iterdir())) == MOST_CLIPS_AT_ONCE
    finally:
        for one in saves:
            one.cancel()
        await asyncio.wait(saves)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [244, 250, 255])
async def test_a_name_may_be_as_long_as_the_disk_allows(
    client: Client, job: Job, tmp_path: Path, length: int
) -> None:
    place = tmp_path / ("a" * (length - 4) + ".mp4")
    assert (await save(client, job, place)).file_path == str(place)


@pytest.mark.parametrize("name", ["a" * 252 + ".mp4", "a" * 300 + "/b.mp4", "a\0b.mp4", "a\0b"])
async def test_a_name_that_no_disk_takes_is_a_clip_error(
    client: Client, job: Job, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ClipError, match="was not saved to") as caught:
        await save(client, job, tmp_path / name)
    assert "save_dir" in str(caught.value.advice)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a right there")
async def test_links_in_a_circle_are_a_clip_error(client: Client, job: Job, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for place in (tmp_path / "a", tmp_path / "a" / "c.mp4"):
        with pytest.raises(ClipError, match="was not saved to"):
            await save(client, job, place)
    assert page_path(tmp_path / "a" / "c.mp4", tmp_path) is None
    assert local_file(SavedClip(str(tmp_path / "a"), None, "a", 5)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="rights are another matter there")
async def test_a_folder_that_may_not_be_looked_into_is_no_traceback(
    client: Client, job: Job
) -> None:
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name) / "closed"
        (closed / "below").mkdir(parents=True)
        Path(name).chmod(0o755)
        (closed / "clip.mp4").write_bytes(b"12345")
        closed.chmod(0)
        with without_rights():
            sweep(closed)
            assert local_file(SavedClip(str(closed / "clip.mp4"), None, "", 5)) is None
            for place in (closed, closed / "below", closed / "other.mp4"):
                with pytest.raises(ClipError, match="Permission denied"):
                    await save(client, job, place)
        closed.chmod(0o755)
        assert list((closed / "below").iterdir()) == []


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a/videos/c.mp4", "videos/c.mp4"),
        ("shared/c.mp4", "../shared/c.mp4"),
        ("a/../shared/b/../c.mp4", "../shared/c.mp4"),
        (".cache/c.mp4", None),  # what is hidden no server gives out
        ("shared/.c.mp4", None),
        ("../c.mp4", None),
    ],
)
def test_a_page_loads_what_lies_below_the_root_of_its_server(
    tmp_path: Path, file: str, expected: str | None
) -> None:
    root = tmp_path / "root"
    assert page_path(root / file, root / "a", root) == expected
    beneath = expected if expected and not expected.startswith("..") else None
    assert page_path(root / file, root / "a") == beneath  # nobody has told the root
    assert page_path(root / file, tmp_path / "b", root) is None


def test_a_place_is_told_without_the_way_there(tmp_path: Path) -> None:
    for text, folder in (("../shared", "shared"), ("b/../../shared/c.mp4", "shared"), ("b", "a/b")):
        place = Destination.parse(text, tmp_path, tmp_path / "a")
        assert place.folder == tmp_path / folder
