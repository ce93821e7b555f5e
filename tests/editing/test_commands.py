"""`%cometvid frames`, `sheet`, `loop`, `reel` and `convert`, from the line to the file."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from cometvid_nb.editing import encoding, joining
from cometvid_nb.errors import ClipError, CometVidError, EditError, JobNotFound, SettingsError
from cometvid_nb.magic import tables
from cometvid_nb.magic.commands import Commands
from cometvid_nb.magic.line import parse
from cometvid_nb.magic.parser import GrammarError
from cometvid_nb.session.kept import kept
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Scenario, Simulator
from tests.editing.made import make, number_in

Run = Callable[[str], dict[str, str]]
"""Runs a line and gives what it showed."""


@pytest.fixture
def here(open_session: Callable[..., Session], monkeypatch: pytest.MonkeyPatch) -> Session:
    session = open_session()
    monkeypatch.setattr(kept, "session", session)
    return session


@pytest.fixture
def run(here: Session, monkeypatch: pytest.MonkeyPatch) -> Run:
    assert kept.session is here
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(tables, "display", lambda bundle, raw: shown.append(bundle))

    def run(line: str) -> dict[str, str]:
        shown.clear()
        command, arguments = parse(line)
        getattr(Commands(), command.name)(arguments)
        return shown[-1]

    return run


def saved(here: Session, job_id: str, clip: Path, prompt: str = "A comet") -> Path:
    """Let the ledger know a clip as that of a job, as a watch does that has saved it."""
    from cometvid_nb.job.job import Job

    job = Job.parse({"id": job_id, "status": "completed", "prompt": prompt, "model": "sora-2"})
    base_url = here.settings.base_url
    here.ledger.see(base_url, job)
    here.ledger.keep_clip(base_url, job_id, str(clip), clip.stat().st_size)
    return clip


def numbers(path: Path) -> list[int]:
    with av.open(str(path)) as file:
        return [number_in(frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_frames_are_shown_and_saved_as_pictures(run: Run, here: Session, tmp_path: Path) -> None:
    clip = saved(here, "video_1", make(tmp_path / "clip.mp4", 48))
    before = digest(clip)
    shown = run("frames video_1 --at 0,1.5,last --save shots")
    assert shown["text/html"].count("<img") == 3
    files = sorted((tmp_path / "shots").iterdir())
    names = ["video_1-000.000s.png", "video_1-001.500s.png", "video_1-001.958s.png"]
    assert [file.name for file in files] == names
    found = [number_in(Image.open(file)) for file in files]
    assert found == [0, 36, 47]
    assert digest(clip) == before
    files[0].write_bytes(b"mine")
    run("frames video_1 --at 0 --save shots")
    assert files[0].read_bytes() == b"mine", "an existing file is never replaced"
    assert number_in(Image.open(tmp_path / "shots" / "video_1-000.000s-2.png")) == 0
    assert run("frames video_1 --count 30")["text/plain"].endswith("… and 6 more")
    assert run("frames video_1")["text/html"].count("<img") == 8


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("frames video_1 --at 9", "after the end"),
        ("frames video_1 --at soon", "--at is 'soon': give seconds from 0 on, parted by commas"),
        ("frames video_1 --at 00:01", "--at is '00:01': give seconds"),
        ("frames video_1 --at 1,1.5s", "such as 0,1.5,last"),
        ("frames video_1 --at -1", "--at is '-1': give seconds from 0 on"),
        ("frames video_1 --at nan", "--at is 'nan'"),
        ("frames video_1 --at ,", "--at is ','"),
        ("frames video_1 --every 0", "--every is '0': give 0.001 to"),
        ("frames video_1 --save shots.png", "'shots.png' cannot be its name: name a folder"),
        ("frames video_1 --count 0", "--count is '0'"),
        ("frames video_1 --count 2 --every 1", "not allowed with"),
        ("frames video_1 video_2", "unrecognized arguments"),
        ("frames ../x", "looks like a path"),
        ("sheet video_1 --save x.jpg/y.gif", "must end in .png"),
        ("sheet video_1 --save y.jpg", "must end in .png, or be a folder"),
        ("sheet", "one clip or more"),
        ("sheet video_1 --picked", "not of both"),
        ("sheet --picked", "and none is picked: pick with"),
        ("loop video_1 --width wide", "--width is 'wide'"),
        ("loop video_1 --width 5", "--width is '5': give a whole number from 16 to 4096 pixels"),
        ("loop video_1 --fps 1000", "--fps is '1000': give 0.1 to 60 frames a second"),
        ("loop video_1 --fps 0", "--fps is '0': give 0.1 to 60"),
        ("loop video_1 --max-mb 0", "--max-mb is '0': give 0.001 to 1000 megabytes"),
        ("loop video_1 --save x.mp4", "must end in .webp or .gif"),
        ("loop video_1 --gif --save x.webp", "--gif makes no .webp"),
        ("loop video_1 --max-mb 0.001", "it still has"),
        ("reel video_1", "two clips or more"),
        ("reel video_1 video_1 --save x.webm", "must end in .mp4"),
        ("convert video_1 --save x.mov", "must end in .mp4"),
    ],
)
def test_a_line_that_cannot_be_says_what_can(
    run: Run, here: Session, tmp_path: Path, line: str, told: str
) -> None:
    saved(here, "video_1", make(tmp_path / "clip.mp4", 48))
    before = set(tmp_path.rglob("*"))
    with pytest.raises((GrammarError, ValueError, CometVidError)) as caught:
        run(line)
    assert told in str(caught.value)
    made = {path for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    assert made == set(), "no file, whole or half, is left"


@pytest.mark.parametrize("line", ["frames a", "sheet a", "loop a", "reel a b", "convert a"])
def test_without_the_extra_each_command_says_how_to_get_it(
    run: Run, sim: Simulator, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(EditError) as caught:
        run(line)
    assert caught.value.advice == "Run %pip install 'cometvid-nb[edit]'."
    assert not sim.requests, "nothing is fetched for nothing"


def test_a_sheet_of_one_clip_and_of_several(run: Run, here: Session, tmp_path: Path) -> None:
    saved(here, "video_1", make(tmp_path / "a.mp4", 48))
    saved(here, "video_2", make(tmp_path / "b.mp4", 48, size=(96, 128)), "Комета \U000f1234" * 9)
    shown = run("sheet video_1")
    assert "Saved to videos/video_1-sheet.png" in shown["text/plain"]
    assert "data:image/jpeg;base64," in shown["text/html"]
    one = Image.open(tmp_path / "videos" / "video_1-sheet.png")
    assert one.size[0] == 1600
    shown = run("sheet video_1 video_2 --light --save both.png")
    assert "No font here has all signs of: Комета" in shown["text/plain"]
    both = Image.open(tmp_path / "both.png")
    assert both.size[1] > one.size[1] / 2
    assert both.getpixel((4, 4)) > one.getpixel((4, 4))  # type: ignore[operator]


def test_a_loop_is_kept_to_its_size(run: Run, here: Session, tmp_path: Path) -> None:
    saved(here, "video_1", make(tmp_path / "clip.mp4", 48))
    shown = run("loop video_1")
    file = tmp_path / "videos" / "video_1-loop.webp"
    assert re.search(r'<img [^>]*width="192"', shown["text/html"])
    with Image.open(file) as image:
        assert (image.format, image.size, image.n_frames) == ("WEBP", (192, 64), 24)  # type: ignore[attr-defined]
        assert image.info["loop"] == 0
    run("loop video_1 --gif --width 120 --fps 6")
    with Image.open(tmp_path / "videos" / "video_1-loop.gif") as image:
        assert (image.format, image.size, image.n_frames) == ("GIF", (120, 40), 12)  # type: ignore[attr-defined]
    most_mb = file.stat().st_size / 1e6 * 0.6
    told = run(f"loop video_1 --max-mb {most_mb:.4f} --save small.webp")["text/plain"]
    assert (tmp_path / "small.webp").stat().st_size <= most_mb * 1e6
    assert "to have" in told


def test_clips_that_match_are_joined_packet_by_packet(
    run: Run, here: Session, tmp_path: Path
) -> None:
    first = saved(here, "video_1", make(tmp_path / "a.mp4", 48, sound_hz=48000))
    saved(here, "video_2", make(tmp_path / "b.mp4", 30, sound_hz=48000, first=48))
    before = digest(first)
    shown = run("reel video_1 video_2 video_1")
    told = shown["text/plain"]
    assert "joined without encoding: all" in told
    assert "Saved to videos/reel.mp4" in told
    assert 'src="videos/reel.mp4"' in shown["text/html"]
    assert numbers(tmp_path / "videos" / "reel.mp4") == [*range(78), *range(48)]
    assert digest(first) == before
    told = run("reel video_2 video_1 --encode")["text/plain"]
    assert "videos/reel-2.mp4" in told
    assert "joined without encoding" in told
    assert "--encode was not needed" in told


def test_clips_of_another_container_are_encoded_only_for_an_mp4(
    run: Run, here: Session, tmp_path: Path
) -> None:
    saved(here, "video_1", make(tmp_path / "a.webm", 12, codec="libvpx"))
    assert "joined without encoding" in run("reel video_1 video_1 --encode")["text/plain"]
    assert "encoded anew" in run("reel video_1 video_1 --encode --save cut.mp4")["text/plain"]


def test_a_file_is_read_where_it_stands_for_a_clip(
    run: Run, here: Session, sim: Simulator, tmp_path: Path
) -> None:
    (folder := tmp_path / "videos").mkdir()
    clip = saved(here, "video_1", make(folder / "a b.mp4", 24))
    saved(here, "video_2", make(folder / "b.mp4", 24, first=24))
    (folder / "a b.json").write_text(
        '{"made_by": "cometvid-nb", "recipe": 1, "job_id": "video_1", "fields": {"prompt": "Far"}}'
    )
    run("reel video_1 video_2 --save cut.mp4")
    assert run("frames cut.mp4 --count 2 --save shots")["text/html"].count("<img") == 2
    assert (tmp_path / "shots" / "cut-000.000s.png").is_file()
    assert "videos/cut-loop.webp" in run("loop cut.mp4")["text/plain"]
    assert "cut-sheet.png" in run(f"sheet '{tmp_path}/cut.mp4'")["text/plain"]
    run("reel 'videos/a b.mp4' ./cut.mp4 --save longer.mp4")
    assert numbers(tmp_path / "longer.mp4") == [*range(24), *range(48)]
    found = here.ledger.reels_of(here.settings.base_url, ["video_1"])
    reels = {Path(one.place).name: one.job_ids for one in found}
    assert reels == {"cut.mp4": ("video_1", "video_2"), "longer.mp4": ("video_1",)}
    run("loop cut.mp4 --gif --save moving.gif")
    assert "From gif" in run("convert moving.gif")["text/plain"]
    # An id that is known is never a path, and a path that is here never gets to the API.
    saved(here, "videos/b.mp4", clip)
    run("frames videos/b.mp4 --at 0 --save first")
    assert number_in(Image.open(next((tmp_path / "first").iterdir()))) == 0
    for line in ("watch {}", "save {}", "status {}", "remix {} 'x'", "rate {} --stars 1"):
        with pytest.raises((SettingsError, ValueError), match="is a file on this machine"):
            run(line.format("cut.mp4"))
    with pytest.raises(SettingsError, match="is a folder on this machine"):
        run("frames videos/")
    with pytest.raises(EditError, match="cannot be read as a clip"):
        run("frames videos/../videos/'a b.json'")
    assert list(sim.requests) == []
    with pytest.raises(JobNotFound) as caught:
        run("frames videos/none.mp4")
    assert "Nor is there such a file" in str(caught.value.advice)


def test_clips_that_differ_are_encoded_only_when_asked(
    run: Run, here: Session, tmp_path: Path
) -> None:
    saved(here, "video_1", make(tmp_path / "a.mp4", 24, sound_hz=48000))
    saved(here, "video_2", make(tmp_path / "b.mp4", 24, size=(96, 64), first=100))
    with pytest.raises(EditError) as caught:
        run("reel video_1 video_2")
    assert "video_2: size: 96x64, not 192x64" in str(caught.value)
    assert "the other has none" in str(caught.value)
    assert caught.value.advice == "To encode them anew: %cometvid reel video_1 video_2 --encode"
    with pytest.raises(EditError) as caught:
        run("reel video_1 video_2 --save 'my cut.mp4'")
    assert str(caught.value.advice).endswith(
        "%cometvid reel video_1 video_2 --save 'my cut.mp4' --encode"
    )
    assert not (tmp_path / "videos" / "reel.mp4").exists()
    assert "encoded anew" in run("reel video_1 video_2 --encode --save cut.mp4")["text/plain"]
    assert numbers(tmp_path / "cut.mp4")[:24] == list(range(24))


def test_a_copy_that_plays_everywhere(run: Run, here: Session, tmp_path: Path) -> None:
    quiet = {"x265-params": "log-level=none"}
    clip = make(tmp_path / "a.mp4", 24, codec="libx265", options=quiet, sound_hz=44100)
    before = digest(saved(here, "video_1", clip))
    assert "From hevc" in run("convert video_1")["text/plain"]
    assert digest(clip) == before
    copy = tmp_path / "videos" / "video_1-h264.mp4"
    with av.open(str(copy)) as file:
        assert [stream.codec.canonical_name for stream in file.streams] == ["h264", "aac"]
        assert file.streams.video[0].pix_fmt == "yuv420p"
    assert copy.read_bytes().index(b"moov") < copy.read_bytes().index(b"mdat")
    assert numbers(copy) == list(range(24))


def test_what_plays_everywhere_is_not_converted(
    run: Run, here: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(here, "video_1", make(tmp_path / "a.mp4", 24))
    with pytest.raises(IndexError):  # nothing is shown
        run("convert video_1 --save copy.mp4")
    told = capsys.readouterr().out
    assert told.startswith("Nothing was written: video_1 plays in every browser as it is")
    assert "%cometvid save video_1 copy.mp4" in told
    assert not list((tmp_path / "videos").glob("*"))


@pytest.mark.parametrize(
    ("line", "module", "name"),
    [
        ("reel video_1 video_1", joining, "packets_of"),
        ("reel video_1 video_2 --encode", encoding, "_decoded"),
    ],
)
def test_an_interrupt_leaves_no_half_file(
    run: Run,
    here: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    module: Any,
    name: str,
) -> None:
    saved(here, "video_1", make(tmp_path / "a.mp4", 48, sound_hz=48000))
    saved(here, "video_2", make(tmp_path / "b.mp4", 4))
    real = getattr(module, name)

    def interrupted(*args: Any, **options: Any) -> Iterator[Any]:
        for number, one in enumerate(real(*args, **options)):
            if number == 40:
                assert list((tmp_path / "videos").iterdir()) != []
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(module, name, interrupted)
    with pytest.raises(GrammarError, match="No half file is left"):
        run(line)
    assert list((tmp_path / "videos").iterdir()) == []


def test_a_clip_that_is_only_at_the_api_makes_a_sheet(
    run: Run, sim: Simulator, tmp_path: Path
) -> None:
    sim.add(Scenario("video_1"))
    sim.finish("video_1")
    run("sheet video_1 --count 2")
    assert re.findall(r"[\w-]+\.\w+$", str(next(tmp_path.rglob("*.png")))) == ["video_1-sheet.png"]


def test_a_job_without_a_clip_says_what_to_do(
    run: Run, here: Session, sim: Simulator, tmp_path: Path
) -> None:
    sim.add(Scenario("video_1", ending="never"))
    sim.add(Scenario("video_2", ending="never"))
    saved(here, "video_3", make(tmp_path / "a.mp4", 4))
    with pytest.raises(ClipError, match="video_1 has no clip yet: it is 'queued'") as caught:
        run("frames video_1")
    assert caught.value.advice == "Watch it until it has one: %cometvid watch video_1 --wait"
    sim.fail("video_2", "It was blocked.")
    with pytest.raises(ClipError, match="video_2 has no clip: it has failed: It was bl") as caught:
        run("sheet video_3 video_2")
    assert "Take another one" in str(caught.value.advice)
    assert "You can leave it out" in str(caught.value.advice)


def test_a_made_file_goes_to_a_storage(run: Run, here: Session, tmp_path: Path) -> None:
    import fsspec  # type: ignore[import-untyped]

    saved(here, "video_1", make(tmp_path / "a.mp4", 24))
    told = run("sheet video_1 --save memory://made/folder")["text/plain"]
    assert "memory://made/folder/video_1-sheet.png" in told
    assert fsspec.filesystem("memory").size("/made/folder/video_1-sheet.png") > 1000


def test_a_place_that_cannot_be_written_is_told(run: Run, here: Session, tmp_path: Path) -> None:
    saved(here, "video_1", make(tmp_path / "a.mp4", 24))
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CometVidError, match=r"video_1-sheet\.png was not written"):
        run("sheet video_1 --save file/below")
    with pytest.raises(SettingsError):
        run("sheet video_1 --save ~nobody-at-all/x.png")
