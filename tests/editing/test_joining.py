"""Clips become one: nothing is lost, sound and pictures keep step, and what differs is told."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cometvid_nb.editing.encoding import encode, plays_everywhere
from cometvid_nb.editing.frames import iter_frames
from cometvid_nb.editing.joining import beginnings_s, hindrances, join
from cometvid_nb.editing.survey import survey
from cometvid_nb.errors import EditError
from cometvid_nb.simulator.clips import MEDIA
from tests.editing.made import TURNED, make, number_in, turn

B_FRAMES = {"bf": "3", "g": "12"}


def shown(path: Path) -> list[tuple[float, int]]:
    return [(time_s, number_in(pixels)) for time_s, pixels in iter_frames(path)]


def payloads(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as file:
        stream = next(one for one in file.streams if one.type == kind)
        return [bytes(packet) for packet in file.demux(stream) if packet.size]


def loudness(path: Path, *moments_s: float) -> list[float]:
    """The loudest sample within a hundredth of a second, by the stamps that the file has."""
    found = [0.0] * len(moments_s)
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            for place, moment_s in enumerate(moments_s):
                if abs(float(frame.time or 0) - moment_s) < 0.02:
                    found[place] = max(found[place], float(np.abs(frame.to_ndarray()).max()))
    return found


def joined(clips: Sequence[Path], to: Path) -> Path:
    surveys = [survey(one) for one in clips]
    assert hindrances(surveys) == []
    join(surveys, to)
    return to


@pytest.mark.parametrize(
    ("name", "codec", "sound_hz"),
    [
        ("mp4", "libx264", 48000),
        ("mp4", "libx264", 44100),
        ("mov", "libx264", 48000),
        ("mp4", "libx265", None),
        ("webm", "libvpx-vp9", 48000),
        ("mkv", "libx264", 48000),
        ("mov", "prores_ks", 48000),
    ],
)
def test_every_packet_is_kept_and_in_step(
    tmp_path: Path, name: str, codec: str, sound_hz: int | None
) -> None:
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    pixels = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    options: dict[str, Any] = {"codec": codec, "pixels": pixels, "sound_hz": sound_hz}
    options["options"] = {**({} if codec == "prores_ks" else B_FRAMES), **quiet}
    clips = [make(tmp_path / f"{n}.{name}", 26 + n, first=100 * n, **options) for n in range(3)]
    reel = joined(clips, tmp_path / f"reel.{name}")
    for kind in ("video", "audio") if sound_hz else ("video",):
        assert payloads(reel, kind) == [one for clip in clips for one in payloads(clip, kind)]
    found = shown(reel)
    assert [number for _, number in found] == [
        number for clip in clips for _, number in shown(clip)
    ]
    begins_s = beginnings_s([survey(one) for one in clips])
    lengths_s = [(26 + n) / 24 for n in range(3)]
    for n, (begin_s, later_s) in enumerate(pairwise(begins_s)):
        assert 0 <= float(later_s - begin_s) - lengths_s[n] < 0.06, "hardly a pause"
    for n, begin_s in enumerate(begins_s):
        own = [time_s for time_s, number in found if number // 100 == n]
        assert own[0] == pytest.approx(float(begin_s), abs=0.002)
        assert own[-1] - own[0] == pytest.approx((25 + n) / 24, abs=0.003)
    with av.open(str(reel)) as file:
        for stream in file.streams:
            file.seek(0)
            stamps = [one.dts for one in file.demux(stream) if one.dts is not None]
            assert all(one < other for one, other in pairwise(stamps)), "never back in time"


def test_sound_begins_with_its_own_pictures(tmp_path: Path) -> None:
    """The second clip's tone begins when its first picture is shown, the packets' run-up before."""
    short = make(tmp_path / "short.mp4", 48, sound_hz=48000, sound_s=0.5)
    reel = joined([short, short], tmp_path / "reel.mp4")
    second_s = next(time_s for time_s, number in shown(reel)[1:] if number == 0)
    before, after = loudness(reel, second_s - 0.05, second_s + 0.1)
    assert before < 0.05
    assert after > 0.5


def test_a_sound_longer_than_its_pictures_does_not_run_into_the_next(tmp_path: Path) -> None:
    long = make(tmp_path / "long.mp4", 24, sound_hz=48000, sound_s=2)
    reel = joined([long, long], tmp_path / "reel.mp4")
    assert float(survey(reel).length_s) == pytest.approx(4, abs=0.1)
    assert [number for _, number in shown(reel)] == [*range(24), *range(24)]


def test_uneven_and_different_rates_are_joined_exactly(tmp_path: Path) -> None:
    slow = make(tmp_path / "a.mp4", 4, stamps=[0, 1, 10, 11], options=B_FRAMES)
    fast = make(tmp_path / "b.mp4", 30, rate=30, options=B_FRAMES)
    surveys = [survey(slow), survey(fast)]
    if hindrances(surveys):  # the rate stands in the parameter sets of x264
        assert "parameter sets" in hindrances(surveys)[0][1]
        encode(surveys, tmp_path / "reel.mp4")
    else:
        join(surveys, tmp_path / "reel.mp4")
    found = shown(tmp_path / "reel.mp4")
    assert [time_s for time_s, _ in found[:4]] == pytest.approx([0, 1 / 24, 10 / 24, 11 / 24])
    assert [number for _, number in found[4:]] == list(range(30))
    assert found[-1][0] - found[4][0] == pytest.approx(29 / 30, abs=1e-3)


def test_a_turned_clip_stays_turned(tmp_path: Path) -> None:
    clip = turn(make(tmp_path / "a.mp4", 12), *TURNED)
    reel = joined([clip, clip], tmp_path / "reel.mp4")
    assert next(iter_frames(reel))[1].shape == (192, 64, 3)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"size": (96, 64)}, "size: 96x64, not 192x64"),
        ({"codec": "mpeg4"}, "codec: mpeg4, not h264"),
        ({"pixels": "yuv444p"}, "pixels: yuv444p, not yuv420p"),
        ({"options": {"g": "5", "refs": "5", "bf": "0"}}, "the parameter sets of h264 differ"),
        ({"aspect": Fraction(2)}, "shape of pixels: 2, not 1"),
        ({"sound_hz": None}, "one has sound, the other has none"),
        ({"sound_hz": 44100}, "sound: channels: 44100 Hz, stereo, not 48000 Hz, stereo"),
        ({"layout": "mono"}, "sound: channels: 48000 Hz, mono, not 48000 Hz, stereo"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_differs_is_told(tmp_path: Path, other: dict[str, Any], told: str) -> None:
    one = make(tmp_path / "a.mp4", 12, sound_hz=48000)
    two = make(tmp_path / "b.mp4", 12, **{"sound_hz": 48000, **other})
    found = [words for path, words in hindrances([survey(one), survey(two)]) if path == two]
    assert any(told in words for words in found), found


def test_a_clip_that_an_edit_list_cuts_is_not_joined(tmp_path: Path) -> None:
    """Its hidden pictures would show in the middle of a reel."""
    clip = make(tmp_path / "cut.mp4", 48, options={"g": "48", "bf": "0"})
    content = bytearray(clip.read_bytes())
    at = content.index(b"elst") + 12
    content[at + 4 : at + 8] = (12288).to_bytes(4, "big")  # it begins after a second
    clip.write_bytes(content)
    one = survey(clip)
    assert [words for _, words in hindrances([one, one])] != []
    encode([one, one], tmp_path / "reel.mp4")
    assert [number for _, number in shown(tmp_path / "reel.mp4")] == [*range(24, 48)] * 2


def test_a_gif_is_encoded_but_not_joined(tmp_path: Path) -> None:
    gif = survey(make(tmp_path / "a.gif", 12, codec="gif", pixels="rgb8", rate=10))
    assert "cannot be joined" in hindrances([gif, gif])[0][1]
    encode([gif], tmp_path / "copy.mp4")
    assert [number for _, number in shown(tmp_path / "copy.mp4")] == list(range(12))


def test_what_is_encoded_keeps_its_times_its_shape_and_its_silence(tmp_path: Path) -> None:
    first = turn(make(tmp_path / "a.mp4", 24, sound_hz=48000), *TURNED)
    silent = make(tmp_path / "b.webm", 24, codec="libvpx", first=100)
    mono = make(tmp_path / "c.mp4", 30, rate=30, sound_hz=22050, layout="mono", first=200)
    surveys = [survey(one) for one in (first, silent, mono)]
    shares: list[float] = []
    encode(surveys, tmp_path / "reel.mp4", shares.append)
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1
    made = survey(tmp_path / "reel.mp4")
    assert plays_everywhere(made)
    assert made.pictures.form == "64x192"
    assert made.sound is not None
    assert made.sound.form == "48000 Hz, stereo"
    assert float(made.length_s) == pytest.approx(3, abs=0.1)
    times_s = [time_s for time_s, _ in iter_frames(tmp_path / "reel.mp4")]
    assert len(times_s) == 78
    assert times_s[24] == pytest.approx(float(surveys[0].length_s), abs=1e-3)
    loud, quiet, again = loudness(tmp_path / "reel.mp4", 0.5, 1.5, 2.5)
    assert (loud > 0.5, quiet < 0.01, again > 0.5) == (True, True, True)


@pytest.mark.parametrize(
    "name", ["hevc.mp4", "mp4v.mp4", "prores.mov", "other.webm", "other.gif", "other.mov"]
)
def test_every_kind_of_clip_becomes_one_that_browsers_play(tmp_path: Path, name: str) -> None:
    one = survey(MEDIA / name)
    encode([one], tmp_path / "copy.mp4")
    made = survey(tmp_path / "copy.mp4")
    assert plays_everywhere(made)
    assert made.pictures.packets == one.pictures.packets
    assert made.pictures.form == "160x90"
    before = next(iter_frames(MEDIA / name))[1].astype(int)
    after = next(iter_frames(tmp_path / "copy.mp4"))[1].astype(int)
    most = 20 if name == "other.gif" else 6  # its dots become one colour
    assert np.abs(before - after).mean() < most, "the same picture, in the same colours"


def test_odd_sides_become_even_and_pixels_square(tmp_path: Path) -> None:
    odd = make(tmp_path / "odd.mp4", 6, size=(191, 63), pixels="yuv444p", aspect=Fraction(2))
    encode([survey(odd)], tmp_path / "copy.mp4")
    made = survey(tmp_path / "copy.mp4")
    assert (made.pictures.form, made.aspect) == ("382x64", Fraction(1))
    assert [number for _, number in shown(tmp_path / "copy.mp4")] == list(range(6))


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    one = survey(make(tmp_path / "one.mp4", 1))
    join([one, one], tmp_path / "reel.mp4")
    assert len(shown(tmp_path / "reel.mp4")) == 2
    encode([one], tmp_path / "copy.mp4")
    assert len(shown(tmp_path / "copy.mp4")) == 1


def test_a_clip_that_breaks_off_is_encoded_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.mkv", 48, options={"g": "6", "bf": "0"})
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    encode([survey(broken)], tmp_path / "copy.mp4")
    assert 10 < len(shown(tmp_path / "copy.mp4")) < 48


def test_a_sound_alone_is_no_clip(tmp_path: Path) -> None:
    sound = tmp_path / "sound.m4a"
    with av.open(str(sound), "w") as file:
        file.add_stream("aac", rate=48000, layout="mono")
        file.start_encoding()
    with pytest.raises(EditError, match="has no pictures"):
        survey(sound)
