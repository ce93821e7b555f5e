"""Frames of a clip come as arrays, from wherever the clip lies."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cometvid_nb.editing import frames as module
from cometvid_nb.editing.frames import frames, iter_frames, last_frame
from cometvid_nb.editing.opened import opened
from cometvid_nb.editing.times import Times
from cometvid_nb.errors import ClipError, EditError, SettingsError
from cometvid_nb.job.job import Job
from cometvid_nb.session.kept import kept
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Scenario, Simulator
from tests.editing.made import make, number_in

B_FRAMES = {"bf": "3", "g": "12"}


def numbers(array: Any) -> list[int]:
    return [number_in(one) for one in array]


def test_every_frame_comes_with_its_time(tmp_path: Path) -> None:
    clip = make(tmp_path / "clip.mp4", 50, options=B_FRAMES, sound_hz=48000)
    found = [(time_s, number_in(pixels)) for time_s, pixels in iter_frames(clip)]
    assert [number for _, number in found] == list(range(50))
    assert [time_s for time_s, _ in found] == pytest.approx([n / 24 for n in range(50)])


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.webm", "libvpx-vp9"), ("a.mkv", "libx264"), ("a.ts", "libx264")],
)
def test_which_frames(tmp_path: Path, name: str, codec: str) -> None:
    clip = make(tmp_path / name, 49, codec=codec, options={"g": "12"})
    assert numbers(frames(clip, Times.checked(every_s=0.5))) == [0, 12, 24, 36, 48]
    asked = frames(clip, Times.checked(at_s=[1.5, 0, "last", 1 / 24]))
    assert numbers(asked) == [36, 0, 48, 1], "in the order they are asked for"
    assert asked.shape == (4, 64, 192, 3)
    assert asked.dtype == np.uint8
    assert numbers(frames(clip, Times.checked(count=5))) == [0, 12, 24, 36, 48]
    assert numbers(frames(clip, Times.checked(count=1))) == [24]
    assert numbers(pixels for _, pixels in iter_frames(clip, every_s=1)) == [0, 24, 48]


def test_a_frame_is_shown_until_the_next_one(tmp_path: Path) -> None:
    clip = make(tmp_path / "vfr.mp4", 4, stamps=[0, 2, 40, 41], options=B_FRAMES)
    moments = [0.0, 0.05, 2 / 24, 1.0, 39 / 24, 40 / 24, 41 / 24]
    assert numbers(frames(clip, Times.checked(at_s=moments))) == [0, 0, 1, 1, 1, 2, 3]


def test_what_lies_between_two_moments_is_jumped_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make(tmp_path / "long.mp4", 240, options={"g": "10", "bf": "2"})
    decoded = 0
    with opened(clip) as it:
        real = it._decode

        def counted(only: Any) -> Iterator[Any]:
            nonlocal decoded
            for frame in real(only):
                decoded += 1
                yield frame

        monkeypatch.setattr(it, "_decode", counted)
        stamps = [it.stamp(time_s) for time_s in (0, 4, 8)]
        found = [number_in(frame.to_ndarray(format="rgb24")) for frame in it.at(stamps)]
    assert found == [0, 96, 192]
    assert decoded < 60


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "Choose something"),
        ({"every_s": 1, "count": 2}, "Choose one of them"),
        ({"every_s": 0}, "above 0"),
        ({"every_s": float("nan")}, "above 0"),
        ({"count": 0}, "from 1 on"),
        ({"count": 2.5}, "from 1 on"),
        ({"at_s": []}, "list of seconds"),
        ({"at_s": "last"}, "list of seconds"),
        ({"at_s": [-1]}, "from 0 on, or 'last'"),
        ({"at_s": ["first"]}, "from 0 on, or 'last'"),
        ({"at_s": [2.5]}, r"after the end of clip\.mp4, which is 2\.00 s long"),
    ],
)
def test_a_wrong_question_says_what_to_ask(
    tmp_path: Path, asked: dict[str, Any], told: str
) -> None:
    clip = make(tmp_path / "clip.mp4", 48)
    with pytest.raises(SettingsError, match=told):
        frames(clip, Times.checked(**asked))


def test_the_end_itself_is_the_last_frame(tmp_path: Path) -> None:
    clip = make(tmp_path / "clip.mp4", 48)
    assert numbers(frames(clip, Times.checked(at_s=[2]))) == [47]


def test_more_than_the_memory_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "free_memory_bytes", lambda: 100_000)
    with pytest.raises(SettingsError, match="iter_frames"):
        frames(make(tmp_path / "clip.mp4", 48), Times.checked(count=10))


def test_without_the_extra_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(EditError) as caught:
        last_frame(tmp_path / "clip.mp4")
    assert caught.value.advice == "Run %pip install 'cometvid-nb[edit]'."


@pytest.fixture
def here(open_session: Callable[..., Session], monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session that is the one of this process."""
    session = open_session()
    monkeypatch.setattr(kept, "session", session)
    return session


def completed(sim: Simulator, job_id: str = "video_1") -> str:
    sim.add(Scenario(job_id))
    sim.finish(job_id)
    return job_id


def test_a_clip_that_is_only_at_the_api_is_fetched_and_not_kept(
    sim: Simulator, here: Session, tmp_path: Path
) -> None:
    job = here.poll(completed(sim))
    assert job.last_frame().size == (640, 360)
    assert job.frames(count=3).shape == (3, 360, 640, 3)
    assert len(list(job.iter_frames(every_s=1))) == 4
    assert list(tmp_path.rglob("*.mp4")) == []


def test_a_saved_clip_is_read_where_it_lies(sim: Simulator, here: Session) -> None:
    job_id = completed(sim)
    saved = here.save(job_id)
    asked = len(sim.requests)
    job = Job(job_id)
    assert job.last_frame().size == (640, 360)
    assert replace(job, saved_path=saved.path).last_frame().size == (640, 360)
    assert len(sim.requests) == asked, "nobody is asked for what is here"


def test_a_clip_in_another_storage(sim: Simulator, here: Session) -> None:
    job_id = completed(sim)
    here.save(job_id, "memory://bucket/folder")
    assert Job(job_id, saved_path=f"memory://bucket/folder/{job_id}.mp4").frames(count=1).any()
    with pytest.raises(ClipError, match="was not fetched from memory://nowhere"):
        Job(job_id, saved_path="memory://nowhere/x.mp4").last_frame()


@pytest.mark.usefixtures("here")
def test_a_job_that_runs_has_no_frames_yet(sim: Simulator) -> None:
    sim.add(Scenario("video_1"))
    with pytest.raises(ClipError, match="video_1 has no clip yet"):
        Job("video_1").last_frame()
