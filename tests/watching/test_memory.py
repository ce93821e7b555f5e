"""What watches write into the ledger, and what they learn from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cometvid_nb.clips.places import SavedClip
from cometvid_nb.job.job import Job
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.watching.durations import DEFAULT_PRIOR, DurationPrior
from cometvid_nb.watching.memory import Memory, learn, took_s_of
from cometvid_nb.watching.state import WatchState

API = "http://api.test/v1"
SAVED = SavedClip("/videos/video_1.mp4", "videos/video_1.mp4", "videos/video_1.mp4", 5)


def answered(
    state: WatchState, at_s: float, status: str = "in_progress", **more: object
) -> WatchState:
    """The state after an answer of the API."""
    return state.answered(Job.parse({"id": state.job_id, "status": status, **more}), at_s)


def test_a_status_is_written_once_and_progress_never(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    memory = Memory(ledger, API)
    begun = WatchState.begin("video_1", 0.0, 60.0)
    running = answered(begun, 1.0, progress=10)
    memory.note(begun, begun, is_clip_wanted=True)
    assert ledger.find(API, "video_1") is None
    memory.note(begun, running, is_clip_wanted=True)
    assert ledger.find(API, "video_1") is not None

    [entry] = ledger.entries(API)
    ledger.forget(entry)
    memory.note(running, answered(running, 2.0, progress=20), is_clip_wanted=True)
    assert ledger.find(API, "video_1") is None, "no status is new, so nothing is written"


def test_the_end_and_the_clip_are_written_with_whether_it_is_wanted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    memory = Memory(ledger, API)
    running = answered(WatchState.begin("video_1", 0.0, 60.0), 1.0, created_at=100)
    done = answered(running, 30.0, "completed", created_at=100, completed_at=140)
    memory.note(running, done, is_clip_wanted=False)
    entry = ledger.find(API, "video_1")
    assert entry is not None
    assert (entry.state, entry.took_s, entry.clip, entry.is_unfinished) == (
        "completed",
        40,
        None,
        False,
    )

    saved = done.with_clip(replace(SAVED, width=640, height=360))
    memory.note(done, saved, is_clip_wanted=True)
    memory.note(done, done.with_clip(SAVED), is_clip_wanted=True)
    entry = ledger.find(API, "video_1")
    assert entry is not None
    assert (entry.clip, entry.clip_bytes) == (SAVED.file_path, SAVED.size_bytes)
    assert entry.clip_size == "640x360", "of the file, which may not be what was asked for"


def test_a_job_that_was_found_completed_teaches_no_duration() -> None:
    found = answered(WatchState.begin("video_1", 500.0, 60.0), 500.0, "completed", created_at=100)
    assert took_s_of(found) is None
    told = answered(found, 500.0, "completed", created_at=100, completed_at=90)
    assert took_s_of(told) is None, "no job ends before it begins"


def test_a_prior_is_kept_for_a_moment_and_then_learned_anew(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    memory = Memory(ledger, API)
    asked = Job.parse({"id": "video_new", "status": "queued", "model": "wan2.6"})
    assert memory.prior_of(asked) is DEFAULT_PRIOR
    for number in range(20):
        done = Job.parse({"id": f"video_{number}", "status": "completed", "model": "wan2.6"})
        ledger.see(API, done, took_s=20.0)
    assert memory.prior_of(asked) is DEFAULT_PRIOR, "as many watches ask at the same time"
    assert memory.prior_of(replace(asked, model="sora-2")) is DEFAULT_PRIOR
    assert Memory(ledger, API).prior_of(asked).median_s < 40


def test_what_is_learned_is_of_the_same_kind_of_job(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    kind = {"model": "wan2.6", "seconds": "4", "size": "960x960"}
    asked = Job.parse({"id": "video_new", "status": "queued", **kind})
    assert learn(ledger, API, asked, DEFAULT_PRIOR) is DEFAULT_PRIOR
    for number, took_s in enumerate([19.0, 20.0, 21.0] * 5):
        done = Job.parse({"id": f"video_{number}", "status": "completed", **kind})
        ledger.see(API, done, took_s=took_s)
    learned = learn(ledger, API, asked, DEFAULT_PRIOR)
    assert learned == DurationPrior.learn([19.0, 20.0, 21.0] * 5, DEFAULT_PRIOR)
    assert learned.median_s < 30 < DEFAULT_PRIOR.median_s
    other = Job.parse({"id": "video_new", "status": "queued", "model": "sora-2"})
    assert learn(ledger, API, other, DEFAULT_PRIOR) is DEFAULT_PRIOR
