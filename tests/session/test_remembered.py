"""What a session remembers of its watches, and what it need not ask again."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import cometvid_nb
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.cards.card import Card
from cometvid_nb.cards.card_html import card_to_html
from cometvid_nb.cards.text import card_to_text
from cometvid_nb.clips.places import Destination, Saving
from cometvid_nb.errors import ClipError, LedgerError, OutcomeUnknown, QuotaExceeded, SettingsError
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.ledger.entry import Entry
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.session import session as sessions
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Fault, Scenario, Simulator
from cometvid_nb.watching import memory
from cometvid_nb.watching.durations import DEFAULT_PRIOR
from cometvid_nb.watching.loop import WatchLoop
from cometvid_nb.watching.memory import Memory
from cometvid_nb.watching.schedule import PollPolicy
from cometvid_nb.watching.server import Server
from cometvid_nb.watching.state import WatchState
from cometvid_nb.watching.watch import Watch
from tests.clips import made

POLL = "GET /videos/{id}"
CLIP = "GET /clips/*"
API = "https://api.example/v1"
WITHIN_S = 15.0


def add(sim: Simulator, job_id: str, ending: str = "completed", **script: Any) -> str:
    options = {"queue_s": 0, "run_s": 0, "steps": (0,), "ending": ending, **script}
    return sim.add(Scenario(job_id, **options))


def reached(watch: Watch, is_it: Callable[[WatchState], object]) -> WatchState:
    """The first state of a watch that fits."""
    found: list[WatchState] = []
    event = threading.Event()

    def observe(state: WatchState) -> None:
        if is_it(state) and not found:
            found.append(state)
            event.set()

    unsubscribe = watch.subscribe(observe)
    assert event.wait(WITHIN_S), watch.state
    unsubscribe()
    return found[0]


def entry_of(session: Session, job_id: str) -> Entry:
    entry = session.ledger.find(session.settings.base_url, job_id)
    assert entry is not None
    return entry


# What is written.


def test_a_watch_writes_each_status_the_end_and_the_clip(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    watch = session.watch(add(sim, "video_1", "never", prompt="A comet"))
    reached(watch, lambda state: state.job)
    assert (entry_of(session, "video_1").state, entry_of(session, "video_1").clip) == (
        "in_progress",
        None,
    )
    sim.finish("video_1")
    watch.wait(WITHIN_S)
    entry = entry_of(session, "video_1")
    assert (entry.state, entry.prompt, entry.is_clip_wanted) == ("completed", "A comet", 1)
    assert entry.clip == str(tmp_path / "videos" / "video_1.mp4")
    assert entry.clip_bytes == len(sim.clip_bytes("video_1"))


def test_a_failure_is_remembered_with_its_reason(session: Session, sim: Simulator) -> None:
    watch = session.watch(add(sim, "video_1", "failed", error_message="Blocked."))
    reached(watch, lambda state: state.is_settled)
    entry = entry_of(session, "video_1")
    assert (entry.state, entry.problem, entry.took_s) == ("failed", "Blocked.", None)


def test_an_unchanged_status_is_not_written_again(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    see = Ledger.see

    def note(self: Ledger, base_url: str, job: Job, **more: Any) -> None:
        told.append(job.status.value)
        see(self, base_url, job, **more)

    monkeypatch.setattr(Ledger, "see", note)
    watch = session.watch(add(sim, "video_1", "never"), save=False)
    for percent in (10, 20, 30):
        sim.set_progress("video_1", percent)
        reached(watch, lambda state, p=percent: state.job and state.job.progress_percent == p)  # type: ignore[misc]
    sim.finish("video_1")
    watch.wait(WITHIN_S)
    assert told == ["in_progress", "completed"]


def test_a_duration_that_the_api_tells_is_remembered(session: Session, sim: Simulator) -> None:
    watch = session.watch(add(sim, "video_1", run_s=2))
    reached(watch, lambda state: state.is_settled)
    job = watch.result()
    assert job.completed_at_s is not None
    assert job.created_at_s is not None
    assert entry_of(session, "video_1").took_s == job.completed_at_s - job.created_at_s > 0


def test_a_job_is_known_by_the_id_it_was_asked_for(session: Session, sim: Simulator) -> None:
    add(sim, "video_1", "never")
    body = {"id": "provider-77", "status": "in_progress"}
    sim.add_fault(Fault(POLL, times=None, status=200, body=body))
    reached(session.watch("video_1"), lambda state: state.job)
    assert entry_of(session, "video_1").state == "in_progress"
    assert session.ledger.find(sim.base_url, "provider-77") is None


@pytest.mark.filterwarnings("error")
def test_a_broken_record_stops_neither_a_watch_nor_a_creation(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "bad.sqlite3").write_bytes(b"no database" * 500)
    session = open_session(ledger=str(tmp_path / "bad.sqlite3"))
    [job], error = session.create([NewJob.check("A comet")])
    assert error is None
    assert "cannot be used" in (session.ledger.trouble or "")
    sim.finish(job.id)
    session.watch(job.id).wait(WITHIN_S)
    assert (tmp_path / "videos" / f"{job.id}.mp4").is_file()
    with pytest.raises(LedgerError):
        session.resume()
    # As soon as it can be used, all of that is in it.
    (tmp_path / "bad.sqlite3").unlink()
    entry = entry_of(session, job.id)
    assert (entry.prompt, entry.state) == ("A comet", "completed")
    assert entry.clip is not None
    assert session.ledger.trouble is None


def test_with_the_ledger_off_nothing_is_written_anywhere(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path
) -> None:
    session = open_session(ledger="off", save=False)
    [job], _ = session.create([NewJob.check("A comet")])
    sim.finish(job.id)
    session.watch(job.id).wait(WITHIN_S)
    assert session.ledger.entries(sim.base_url) == []
    assert session.resume() == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# What need not be asked.


def test_a_watch_of_a_job_whose_clip_lies_here_asks_nobody(
    open_session: Callable[..., Session], sim: Simulator
) -> None:
    open_session().watch(add(sim, "video_1", prompt="A comet", size="720x1280")).wait(WITHIN_S)
    asked = len(sim.requests)
    watch = open_session().watch("video_1")

    assert watch.state.is_settled
    assert watch.state.saved is not None
    assert watch.state.saved.path == "videos/video_1.mp4"
    job = watch.wait(WITHIN_S)
    assert (job.id, job.prompt, job.size) == ("video_1", "A comet", "720x1280")
    assert len(sim.requests) == asked


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_bytes(b"half")])
def test_a_clip_that_is_gone_or_another_is_asked_for_again(
    open_session: Callable[..., Session],
    sim: Simulator,
    tmp_path: Path,
    spoil: Callable[[Path], None],
) -> None:
    open_session().watch(add(sim, "video_1")).wait(WITHIN_S)
    spoil(tmp_path / "videos" / "video_1.mp4")
    polls, fetched = sim.count(POLL), sim.count(CLIP)
    watch = open_session().watch("video_1")

    watch.wait(WITHIN_S)
    assert (sim.count(POLL), sim.count(CLIP)) == (polls + 1, fetched + 1)
    assert watch.state.saved is not None
    assert Path(watch.state.saved.file_path).read_bytes() == sim.clip_bytes("video_1")


def test_a_place_named_for_this_clip_is_always_filled(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path
) -> None:
    open_session().watch(add(sim, "video_1")).wait(WITHIN_S)
    open_session(save=False).watch("video_1", save_to="mine/comet.mp4").wait(WITHIN_S)
    assert (tmp_path / "mine/comet.mp4").read_bytes() == sim.clip_bytes("video_1")


def test_a_clip_that_lies_here_keeps_its_picture(
    open_session: Callable[..., Session], sim: Simulator
) -> None:
    first = open_session().watch(add(sim, "video_1"))
    first.wait(WITHIN_S)
    assert first.state.saved is not None
    again = open_session().watch("video_1").state.saved
    assert again is not None
    assert again.poster == first.state.saved.poster
    assert str(again.poster).startswith("data:image/")


def test_a_clip_in_another_storage_is_shown_with_its_place_and_not_fetched_again(
    session: Session, sim: Simulator
) -> None:
    session.watch(add(sim, "video_1"), save=False).wait(WITHIN_S)
    session.ledger.keep_clip(sim.base_url, "video_1", "s3://clips/video_1.mp4", 5, poster="data:,")
    asked = len(sim.requests)
    watch = session.watch("video_1")
    assert watch.state.is_settled
    card = Card.of_watch(watch.state)
    assert card.clip is not None
    assert (card.clip.saved_to, card.clip.poster) == ("s3://clips/video_1.mp4", "data:,")
    assert "s3://clips/video_1.mp4" in card_to_text(card)
    assert len(sim.requests) == asked


def of_three(session: Session, sim: Simulator) -> Watch:
    """A watch that has seen a job end that made three clips; it saves them, and then is over."""
    session.watch(add(sim, "video_1"), save=False).wait(WITHIN_S)
    settings = session.settings
    done = session.poll("video_1")
    link = str(done.video_url)
    done = replace(done, other_video_urls=(link, f"{link}x"))
    begun = WatchState.begin("video_1", 0.0, 60.0).answered(done, 1.0)
    place = Destination(Path.cwd() / "videos", Path.cwd())
    return Watch(
        replace(begun, saving=Saving()),
        Server(settings),
        PollPolicy(),
        destinations=(place,),
        memory=Memory(session.ledger, settings.base_url),
    )


def test_all_clips_of_a_job_are_remembered_and_a_missing_one_is_asked_for_again(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path
) -> None:
    session = open_session()
    watch, loop = of_three(session, sim), WatchLoop()
    loop.follow(watch)
    watch.wait(WITHIN_S)
    loop.close([watch.server])
    assert watch.state.saved is not None
    assert [one.path for one in watch.state.saved.every] == [
        "videos/video_1.mp4",
        "videos/video_1-2.mp4",
    ]
    assert str(watch.state.problem).startswith("2 of 3 clips are saved.")
    assert entry_of(session, "video_1").clip == str(tmp_path / "videos/video_1.mp4")
    assert session.ledger.unfinished(sim.base_url) != []

    again = open_session().watch("video_1")
    assert not again.state.is_settled, "the third may be there by now"
    again.wait(WITHIN_S)
    second = tmp_path / "videos/video_1-2.mp4"
    session.ledger.keep_clip(
        sim.base_url,
        "video_1",
        str(tmp_path / "videos/video_1.mp4"),
        second.stat().st_size,
        outputs=[(str(second), second.stat().st_size)],
    )
    asked = len(sim.requests)
    remembered = open_session().watch("video_1").state
    assert remembered.is_settled
    assert remembered.saved is not None
    assert [one.path for one in remembered.saved.every] == [
        "videos/video_1.mp4",
        "videos/video_1-2.mp4",
    ]
    assert len(sim.requests) == asked


def test_a_clip_is_remembered_before_anybody_asks_for_a_picture_of_it(
    session: Session, sim: Simulator
) -> None:
    sim.add_fault(Fault("GET /videos/{id}/content", delay_s=30))
    watch = session.watch(add(sim, "video_1"))
    state = reached(watch, lambda state: state.saved)
    assert entry_of(session, "video_1").clip == str(state.saved and state.saved.file_path)
    assert not watch.state.is_settled, "the picture is still to come"
    watch.stop()


def test_a_remembered_clip_has_the_shape_of_its_file(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    session.watch(add(sim, "video_1", size="1280x720"), save=False).wait(WITHIN_S)
    path = tmp_path / "video_1.mp4"
    path.write_bytes(made.clip("hevc", 72, 128))
    session.ledger.keep_clip(sim.base_url, "video_1", str(path), path.stat().st_size)
    card = Card.of_watch(session.watch("video_1").state)
    assert card.aspect_ratio == 72 / 128
    assert "HEVC" in str(card.problem)


def test_a_place_named_while_the_job_is_watched_is_filled_as_well(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    watch = session.watch(add(sim, "video_1", "never"))
    reached(watch, lambda state: state.job)
    assert session.watch("video_1", save_to="mine/comet.mp4") is watch
    sim.finish("video_1")
    watch.wait(WITHIN_S)
    for name in ("videos/video_1.mp4", "mine/comet.mp4"):
        assert (tmp_path / name).read_bytes() == sim.clip_bytes("video_1")
    assert sim.count(CLIP) == 1, "the second is a copy of the first"
    card = Card.of_watch(watch.state)
    assert card.clip is not None
    assert card.clip.path == "videos/video_1.mp4"
    assert card.clip.saved_to == "videos/video_1.mp4 and mine/comet.mp4"


def test_a_place_named_for_a_clip_that_lies_here_gets_a_copy_and_nobody_is_asked(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path
) -> None:
    open_session().watch(add(sim, "video_1")).wait(WITHIN_S)
    asked = len(sim.requests)
    session = open_session()
    watch = session.watch("video_1", save_to="mine/")
    watch.wait(WITHIN_S)
    assert (tmp_path / "mine/video_1.mp4").read_bytes() == sim.clip_bytes("video_1")
    session.save("video_1", "again/")
    assert (tmp_path / "again/video_1.mp4").read_bytes() == sim.clip_bytes("video_1")
    assert len(sim.requests) == asked
    assert entry_of(session, "video_1").clip == str(tmp_path / "videos" / "video_1.mp4")


def test_a_second_place_that_cannot_be_filled_is_told_and_the_first_is_kept(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path
) -> None:
    open_session().watch(add(sim, "video_1")).wait(WITHIN_S)
    (tmp_path / "a file").write_bytes(b"")
    watch = open_session().watch("video_1", save_to="a file/below")
    watch.wait(WITHIN_S)
    assert watch.state.saved is not None
    assert "was not saved to" in str(watch.state.problem)


def test_a_clip_that_is_not_to_be_saved_has_a_picture_and_the_command_that_would(
    session: Session, sim: Simulator
) -> None:
    watch = session.watch(add(sim, "video_1"), save=False)
    watch.wait(WITHIN_S)
    card = Card.of_watch(watch.state)
    assert card.clip is not None
    assert str(card.clip.poster).startswith("data:image/")
    assert card.command == "%cometvid save video_1"
    html = card_to_html(card)
    assert str(card.clip.poster) in html
    assert "not saved · plays until" in html
    session.save("video_1")
    assert Card.of_watch(session.watch("video_1").state).clip.path == "videos/video_1.mp4"  # type: ignore[union-attr]


# What is learned.


def test_a_watch_plans_by_what_the_ledger_has_learned(
    open_session: Callable[..., Session], sim: Simulator
) -> None:
    first, session = open_session(), open_session(interval_s=0.0)
    for number in range(5):
        done = {"id": f"video_{number}", "status": "completed", "model": "sora-2", "seconds": 4}
        first.ledger.see(sim.base_url, Job.parse(done), took_s=1000.0)
    watch = session.watch(add(sim, "video_new", "never"))
    job = reached(watch, lambda state: state.job).job
    assert job is not None
    learned = memory.learn(first.ledger, sim.base_url, job, DEFAULT_PRIOR)
    assert learned.median_s > 300
    now_s, *_, third_at_s = watch.state.checks_at_s
    rng = random.Random(0)
    *_, by_learned_s = PollPolicy(prior=learned).plan(watch.state.poll, now_s, rng, most=3)
    *_, by_default_s = PollPolicy().plan(watch.state.poll, now_s, rng, most=3)
    assert third_at_s - now_s == pytest.approx(by_learned_s - now_s, rel=0.1)
    assert third_at_s - now_s > 1.5 * (by_default_s - now_s)


# After a restart.


def test_resume_watches_what_runs_and_fetches_what_is_missing(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path
) -> None:
    before = open_session()
    for job_id in ("runs", "fails"):
        reached(before.watch(add(sim, job_id, "never")), lambda state: state.job)
    sim.fail("fails")
    reached(before.watch("fails"), lambda state: state.is_settled)
    before.watch(add(sim, "has")).wait(WITHIN_S)
    before.watch(add(sim, "unwanted"), save=False).wait(WITHIN_S)
    sim.add_fault(Fault(CLIP, times=None, status=403))
    sim.add_fault(Fault("GET /videos/{id}/content", times=None, status=403))
    unsaved = before.watch(add(sim, "lacks"))
    unsaved.wait(WITHIN_S)
    assert unsaved.state.saved is None
    [made], _ = before.create([NewJob.check("never watched")])
    before.close()
    sim.clear_faults()

    after = open_session()
    watches = after.resume()
    assert [watch.job_id for watch in watches] == ["runs", "lacks", made.id]
    sim.finish("runs")
    sim.finish(made.id)
    for watch in watches:
        watch.wait(WITHIN_S)
        clip = tmp_path / "videos" / f"{watch.job_id}.mp4"
        assert clip.read_bytes() == sim.clip_bytes(watch.job_id)
    assert open_session().resume() == []


def test_two_sessions_on_one_ledger_see_each_others_jobs(
    open_session: Callable[..., Session], sim: Simulator
) -> None:
    one, other = open_session(), open_session()
    [job], _ = one.create([NewJob.check("A comet")])
    [watch] = other.resume()
    assert watch.job_id == job.id
    here = one.watch(job.id)
    sim.finish(job.id)
    assert here.wait(WITHIN_S).id == watch.wait(WITHIN_S).id == job.id
    entries = one.ledger.entries(sim.base_url)
    assert [(entry.job_id, entry.state) for entry in entries] == [(job.id, "completed")]
    assert entries == other.ledger.entries(sim.base_url)


# Creating and saving in a session.


def test_what_was_made_is_given_back_with_what_ended_the_rest(
    session: Session, sim: Simulator
) -> None:
    sim.add_fault(Fault("POST /videos", after=2, status=403))
    jobs, error = session.create([NewJob.check(f"comet {number}") for number in range(4)])
    assert len(jobs) == 2
    assert isinstance(error, QuotaExceeded)
    assert sim.count("POST /videos") == 3, "nobody asks on after a refusal"
    states = [entry.state for entry in session.ledger.entries(sim.base_url)]
    assert states == ["refused", "queued", "queued"]


def test_a_clip_saved_by_hand_is_remembered(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    saved = session.save(add(sim, "video_1"), "mine/")
    assert Path(saved.file_path) == tmp_path / "mine" / "video_1.mp4"
    entry = entry_of(session, "video_1")
    assert (entry.state, entry.clip) == ("completed", saved.file_path)
    asked = len(sim.requests)
    assert session.watch("video_1").state.saved is not None
    assert len(sim.requests) == asked


def test_a_clip_there_is_not_yet_is_not_saved(session: Session, sim: Simulator) -> None:
    with pytest.raises(ClipError, match="has no clip yet: it is 'in_progress'"):
        session.save(add(sim, "video_1", "never"))


def test_a_place_that_cannot_be_is_refused_before_anything_is_asked(
    session: Session, sim: Simulator
) -> None:
    for begin in (session.save, lambda *place: session.watch(place[0], save_to=place[1])):
        with pytest.raises(SettingsError, match="no-such-user"):
            begin("video_demo", "~no-such-user/clips")
    assert list(sim.requests) == []


# In plain Python.


def test_the_functions_of_the_package_create_remix_and_remember(process_sim: Simulator) -> None:
    sessions.current().configure(interval_s=0.2)
    watch = cometvid_nb.create("A comet", model="sora-2", seconds=8, size="720x1280", wait=False)
    process_sim.finish(watch.job_id)
    watch.wait(WITHIN_S)
    other = cometvid_nb.remix(watch.job_id, "At night", wait=False)
    reached(other, lambda state: state.job)
    remixed, made = cometvid_nb.jobs()
    assert (made["prompt"], made["seconds"], made["size"]) == ("A comet", "8", "720x1280")
    assert (remixed["prompt"], remixed["remixed_from"]) == ("At night", watch.job_id)
    process_sim.add_fault(Fault("POST /videos", drop_connection=True))
    with pytest.raises(OutcomeUnknown):
        cometvid_nb.create("Another")
    assert cometvid_nb.jobs()[0]["state"] == "unknown outcome"


# What was asked for.

SPARSE = {"prompt": None, "model": None, "seconds": "", "size": None}


def test_what_the_person_typed_fills_in_what_the_answers_leave_out_also_after_a_restart(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path
) -> None:
    picture = tmp_path / "sea.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    sim.add_fault(Fault(POLL, times=None, changes=SPARSE))
    sim.add_fault(Fault("POST /videos", times=None, changes=SPARSE))
    new = NewJob.check("A comet", model="next-1", seconds=8, size="720x1280", image=picture)
    session = open_session(save=False)
    [made], error = session.create([new])
    assert error is None
    wanted = ("A comet", "next-1", 8.0, "720x1280", ("sea.png",))

    def told(job: Job | None) -> tuple[object, ...]:
        assert job is not None
        return (job.prompt, job.model, job.duration_s, job.size, job.images)

    assert told(made) == wanted
    assert told(session.poll(made.id)) == wanted
    assert told(reached(session.watch(made.id), lambda state: state.job).job) == wanted
    session.close()
    again = open_session()
    [watch] = again.resume()
    assert told(watch.state.asked) == wanted
    sim.finish(made.id)
    assert told(watch.wait(WITHIN_S)) == wanted
    assert told(open_session().watch(made.id).job) == wanted  # without a request
    assert "sea.png" in card_to_text(Card.of_watch(watch.state))


def test_without_a_ledger_the_kernel_still_knows_what_it_asked_for(
    open_session: Callable[..., Session], sim: Simulator
) -> None:
    sim.add_fault(Fault(POLL, times=None, changes=SPARSE))
    session = open_session(ledger="off", save=False)
    [made], _ = session.create([NewJob.check("A comet", seconds=4)])
    job = reached(session.watch(made.id), lambda state: state.job).job
    assert job is not None
    assert (job.prompt, job.duration_s) == ("A comet", 4.0)


def test_the_answers_own_values_win(open_session: Callable[..., Session], sim: Simulator) -> None:
    sim.add_fault(Fault(POLL, times=None, changes={"model": "veo_3_1-4K", "prompt": "Rewritten"}))
    session = open_session(save=False)
    [made], _ = session.create([NewJob.check("A comet", model="veo3")])
    job = session.poll(made.id)
    assert (job.model, job.prompt) == ("veo_3_1-4K", "Rewritten")


# Ids of any server.

ODD = ["models/veo-3.1/operations/abc", "-a==", "a'b\"c", "#?%2F&{x}$y", "видео", "L" * 406]


@pytest.mark.parametrize("job_id", ODD)
def test_an_odd_id_goes_all_the_way_from_its_creation_to_its_saved_clip(
    open_session: Callable[..., Session], sim: Simulator, tmp_path: Path, job_id: str
) -> None:
    add(sim, job_id, run_s=3600)
    sim.add_fault(Fault("POST /videos", status=200, body={"id": job_id, "status": "queued"}))
    session = open_session()
    [made], error = session.create([NewJob.check("A comet")])
    assert (made.id, error) == (job_id, None)
    watch = session.watch(made.id)
    reached(watch, lambda state: state.job)
    assert session.poll(job_id).status is JobStatus.IN_PROGRESS
    session.close()
    again = open_session()
    [watch] = again.resume()
    sim.finish(job_id)
    watch.wait(WITHIN_S)
    [file] = (tmp_path / "videos").glob("*.mp4")
    assert file.read_bytes() == sim.clip_bytes(job_id)
    assert len(file.name) < 80
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.mp4", file.name)
    [remix], error = again.create([NewJob.check("At night", remix_of=job_id)])
    assert error is None
    assert sim.count("POST /videos/{id}/remix") == 1
    assert entry_of(again, remix.id).remixed_from == job_id
    assert again.ledger.names(sim.base_url, job_id[:3], 9) == [job_id]
    entry = again.ledger.named(sim.base_url, job_id)
    assert entry is not None
    assert again.save(job_id, str(tmp_path / "other")).saved_to
    again.ledger.forget(entry)
    assert again.ledger.named(sim.base_url, job_id) is None


def test_two_long_ids_that_begin_alike_get_two_files(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    for end in "AB":
        session.watch(add(sim, "L" * 300 + end)).wait(WITHIN_S)
    assert len(list((tmp_path / "videos").glob("*.mp4"))) == 2
