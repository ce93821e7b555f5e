"""The last frame of a clip is the one that a player stops at."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cometvid_nb.editing.frames import last_frame
from cometvid_nb.errors import EditError
from cometvid_nb.simulator.clips import MEDIA
from tests.editing.made import TURNED, drawn, every_frame, make, number_in, turn

B_FRAMES = {"bf": "3", "g": "12", "x264-params": "b-adapt=0:b-pyramid=normal:scenecut=0"}


@pytest.mark.parametrize("count", [1, 2, 24, 25, 60])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("b.mp4", B_FRAMES),
        ("open.mp4", {**B_FRAMES, "x264-params": "b-adapt=0:open-gop=1:scenecut=0:keyint=12"}),
        ("b.mkv", B_FRAMES),
        ("one_gop.mov", {"bf": "2", "g": "999"}),
        ("b.avi", {"g": "12", "bf": "0"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_last_frame_in_the_order_of_showing(
    tmp_path: Path, name: str, options: dict[str, str], count: int
) -> None:
    clip = make(tmp_path / name, count, options=options)
    assert number_in(last_frame(clip)) == count - 1


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("clip.ts", "libx264", "yuv420p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.webm", "libvpx", "yuv420p"),
        ("clip.mp4", "libx265", "yuv420p"),
        ("clip.mp4", "mpeg4", "yuv420p"),
        ("clip.mov", "prores_ks", "yuv422p10le"),
        ("clip.gif", "gif", "rgb8"),
    ],
)
def test_every_codec_shows_its_last_frame(
    tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    clip = make(tmp_path / name, 50, codec=codec, pixels=pixels, options={"g": "20", **quiet})
    assert number_in(last_frame(clip)) == 49


def test_a_clip_whose_frames_are_shown_unevenly(tmp_path: Path) -> None:
    stamps = [0, 1, 2, 10, 11, 40, 41, 90, 300]
    clip = make(tmp_path / "vfr.mp4", 9, stamps=stamps, options=B_FRAMES)
    assert number_in(last_frame(clip)) == 8


def test_a_live_webm_without_length_or_index(tmp_path: Path) -> None:
    live = {"live": "1"}
    clip = make(tmp_path / "live.webm", 50, codec="libvpx", container=live, options={"g": "20"})
    assert number_in(last_frame(clip)) == 49


def test_an_edit_list_that_cuts_the_end_away(tmp_path: Path) -> None:
    """Players stop where it says, and so does decoding everything."""
    clip = make(tmp_path / "cut.mp4", 48, options={"g": "12", "bf": "0"})
    content = bytearray(clip.read_bytes())
    at = content.index(b"elst") + 12
    half = int.from_bytes(content[at : at + 4], "big") // 2
    content[at : at + 4] = half.to_bytes(4, "big")
    clip.write_bytes(content)
    shown = [number_in(frame.to_ndarray(format="rgb24")) for frame in every_frame(clip)]
    assert number_in(last_frame(clip)) == shown[-1] < 30


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (TURNED, lambda p: np.rot90(p, -1)),
        ((0, -1, 1, 0), lambda p: np.rot90(p)),
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
        ((1, 0, 0, -1), lambda p: p[::-1]),
        ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
    ],
    ids=["90", "270", "180", "mirrored", "upside_down", "transposed"],
)
def test_a_turned_clip_is_upright(tmp_path: Path, matrix: Any, expected: Any) -> None:
    clip = turn(make(tmp_path / "turned.mp4", 5), *matrix)
    wanted = expected(drawn(4)).astype(int)
    made = np.asarray(last_frame(clip)).astype(int)
    assert made.shape == wanted.shape
    assert np.abs(made - wanted).mean() < 12


def test_pixels_that_are_not_square_become_square(tmp_path: Path) -> None:
    wide = make(tmp_path / "wide.mp4", 5, aspect=Fraction(2))
    assert last_frame(wide).size == (384, 64)
    tall = make(tmp_path / "tall.mp4", 5, aspect=Fraction(1, 2))
    assert last_frame(tall).size == (192, 128)
    assert last_frame(turn(wide, *TURNED)).size == (64, 384)


def test_odd_sizes(tmp_path: Path) -> None:
    clip = make(tmp_path / "odd.mp4", 5, size=(191, 63), pixels="yuv444p")
    assert last_frame(clip).size == (191, 63)
    assert number_in(last_frame(clip)) == 4


@pytest.mark.parametrize("name", sorted(path.name for path in MEDIA.glob("*.m[op][v4]")))
def test_it_is_what_decoding_everything_ends_with(name: str) -> None:
    whole = every_frame(MEDIA / name)[-1].to_ndarray(format="rgb24").astype(int)
    assert np.abs(np.asarray(last_frame(MEDIA / name)).astype(int) - whole).max() <= 3


def test_a_file_that_breaks_off_gives_the_last_frame_there_is(tmp_path: Path) -> None:
    clip = make(tmp_path / "whole.mkv", 48, options={"g": "6", "bf": "0"})
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    assert 10 < number_in(last_frame(broken)) < 47


def test_what_has_no_pictures_is_refused_in_words(tmp_path: Path) -> None:
    sound = tmp_path / "sound.m4a"
    with av.open(str(sound), "w") as file:
        file.add_stream("aac", rate=48000, layout="mono")
        file.start_encoding()
    with pytest.raises(EditError, match=r"sound\.m4a has no pictures"):
        last_frame(sound)
    nothing = tmp_path / "nothing.mp4"
    nothing.write_bytes(b"")
    with pytest.raises(EditError, match="cannot be read as a clip"):
        last_frame(nothing)
    with pytest.raises(EditError, match="No such file"):
        last_frame(tmp_path / "missing.mp4")


def test_a_name_is_never_taken_for_a_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "plain.mp4", 5).rename("concat:a.mp4")
    assert number_in(last_frame(Path("concat:a.mp4"))) == 4


def test_the_end_of_a_long_clip_is_found_without_its_beginning(tmp_path: Path) -> None:
    """A hundred seconds decode much longer than the last two of them."""
    clip = make(tmp_path / "long.mp4", 2400, options={"preset": "ultrafast", "g": "48"})
    began = time.perf_counter()
    assert number_in(last_frame(clip)) == 2399
    near_s = time.perf_counter() - began
    began = time.perf_counter()
    every_frame(clip)
    assert near_s < (time.perf_counter() - began)
