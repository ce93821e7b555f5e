"""The ledger: many may write, any may die at any instant, and it stops nobody."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cometvid_nb.cards.job_table import jobs_to_bundle
from cometvid_nb.job.job import Job
from cometvid_nb.ledger.entry import LOST, REFUSED, SENDING, Entry
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.ledger.statements import STATES, Order, state_of
from cometvid_nb.session.remembered import rows_of
from tests.ledger.conftest import API, job
from tests.strategies import plausible_jobs

# The life of an entry.


def test_an_intent_is_on_the_disk_before_anything_else_happens(ledger: Ledger) -> None:
    ref = ledger.intend(API, model="sora-2", prompt="A comet", seconds="4", size="1280x720")
    assert ledger.path is not None
    [entry] = Ledger(ledger.path).entries(API)
    assert (entry.ref, entry.state, entry.job_id) == (ref, SENDING, None)
    assert (entry.model, entry.prompt) == ("sora-2", "A comet")
    assert (entry.seconds, entry.size) == ("4", "1280x720")
    assert abs(entry.began_at_s - time.time()) < 5


def test_an_entry_follows_its_job_to_the_saved_clip(ledger: Ledger) -> None:
    ref = ledger.intend(API, model="sora-2", prompt="A comet")
    ledger.accept(ref, job("video_1", model="sora-2-2026", seconds="4"))
    ledger.see(API, job("video_1", "in_progress"), is_clip_wanted=True)
    running = ledger.find(API, "video_1")
    ledger.see(API, job("video_1", "completed"), took_s=67.0)
    ledger.keep_clip(API, "video_1", "/videos/video_1.mp4", 123)

    assert running is not None
    assert (running.ref, running.state, running.is_unfinished) == (ref, "in_progress", True)
    [entry] = ledger.entries(API)
    assert (entry.state, entry.took_s, entry.prompt) == ("completed", 67.0, "A comet")
    assert (entry.model, entry.seconds) == ("sora-2-2026", "4"), "the API's own words win"
    assert (entry.clip, entry.clip_bytes) == ("/videos/video_1.mp4", 123)
    assert not entry.is_unfinished


@pytest.mark.parametrize(
    "change",
    [
        "began_at_s = 'yesterday'",
        "began_at_s = 1e300, took_s = 'long', clip_bytes = x'00'",
        "prompt = x'fffe', model = 5, state = 7",
        "prompt = CAST(x'fffe' AS TEXT), clip = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_row_that_other_hands_have_written_takes_no_other_with_it(
    ledger: Ledger, change: str
) -> None:
    for number in (1, 2):
        ledger.see(API, job(f"video_{number}", prompt="A comet"), is_clip_wanted=True)
    assert ledger.path is not None
    with closing(sqlite3.connect(ledger.path)) as db, db:
        db.execute(f"UPDATE jobs SET {change} WHERE job_id = 'video_1'")
    entries = ledger.entries(API)
    assert sorted(entry.name for entry in entries) == ["video_1", "video_2"]
    text = jobs_to_bundle(rows_of(entries, Path("/nowhere")), len(entries))["text/plain"]
    assert "video_2" in text
    assert "A comet" in text
    assert len(ledger.unfinished(API)) == 2
    assert [entry.name for entry in ledger.entries(API, search="COMET")][:1] != []
    for order in Order:
        assert len(ledger.entries(API, order=order)) == 2
    assert [entry.to_job().id for entry in entries] == [entry.job_id for entry in entries]


def test_the_further_clips_of_a_job_are_kept_with_it(ledger: Ledger) -> None:
    ledger.see(API, job("video_1", "completed"), is_clip_wanted=True)
    first = (API, "video_1", "/videos/video_1.mp4", 123)
    ledger.keep_clip(*first, outputs=[("/videos/video_1-2.gif", 5), (None, 0)])
    assert ledger.outputs(API, "video_1") == [("/videos/video_1-2.gif", 5), (None, 0)]
    assert [entry.job_id for entry in ledger.unfinished(API)] == ["video_1"], "one is missing"
    assert ledger.outputs("https://elsewhere.example/v1", "video_1") == []

    ledger.keep_clip(*first, outputs=[("/videos/video_1-2.gif", 5)])
    assert ledger.outputs(API, "video_1") == [("/videos/video_1-2.gif", 5)]
    assert ledger.unfinished(API) == []
    [entry] = ledger.entries(API)
    ledger.forget(entry)
    assert ledger.outputs(API, "video_1") == []


def test_a_refusal_and_a_lost_answer_keep_their_words(ledger: Ledger) -> None:
    refused, lost = ledger.intend(API, prompt="a"), ledger.intend(API, prompt="b")
    ledger.refuse(refused, "The API answered 403: no quota")
    ledger.lose(lost, "The answer to the new job was lost.")
    later, earlier = ledger.entries(API)
    assert (earlier.state, earlier.problem) == (REFUSED, "The API answered 403: no quota")
    assert (later.state, later.problem) == (LOST, "The answer to the new job was lost.")
    assert (earlier.is_uncertain, later.is_uncertain) == (False, True)
    assert not earlier.is_unfinished
    assert not later.is_unfinished


def test_a_job_somebody_watched_before_its_answer_came_is_one_job(ledger: Ledger) -> None:
    ref = ledger.intend(API, prompt="A comet")
    ledger.see(API, job("video_1", "in_progress", prompt="A comet"))
    ledger.accept(ref, job("video_1"))
    [entry] = ledger.entries(API)
    assert entry.job_id == "video_1"


def test_a_job_not_made_here_is_taken_in_when_it_is_watched(ledger: Ledger) -> None:
    ledger.see(API, job("video_1", "in_progress", created_at=1_781_079_478, prompt="A comet"))
    ledger.see(API, job("video_1", "paused_by_moderation"))
    [entry] = ledger.entries(API)
    assert entry.began_at_s == 1_781_079_478
    assert (entry.state, entry.prompt) == ("in_progress", "A comet")


def test_jobs_of_another_api_are_another_matter(ledger: Ledger) -> None:
    ledger.see(API, job("video_1"), is_clip_wanted=True)
    ledger.see("http://127.0.0.1:1/v1", job("video_1", "completed"))
    assert [entry.state for entry in ledger.entries(API)] == ["queued"]
    assert ledger.find("http://127.0.0.1:2/v1", "video_1") is None


def test_unfinished_is_what_runs_and_what_lacks_a_clip_that_was_wanted(ledger: Ledger) -> None:
    ledger.intend(API, prompt="was it ever sent?")
    ledger.see(API, job("runs", "in_progress"), is_clip_wanted=False)
    ledger.see(API, job("fails", "failed"), is_clip_wanted=True)
    ledger.see(API, job("lacks", "completed"), is_clip_wanted=True)
    ledger.see(API, job("unasked", "completed"))
    ledger.see(API, job("unwanted", "completed"), is_clip_wanted=False)
    ledger.see(API, job("has", "completed"), is_clip_wanted=True)
    ledger.keep_clip(API, "has", "/videos/has.mp4", 1)
    assert [entry.job_id for entry in ledger.unfinished(API)] == ["runs", "lacks", "unasked"]


# Looking things up.


def test_the_latest_come_first_and_a_limit_cuts_the_rest(ledger: Ledger) -> None:
    for number in range(5):
        ledger.intend(API, prompt=f"{number}")
    assert [entry.prompt for entry in ledger.entries(API)] == ["4", "3", "2", "1", "0"]
    assert [entry.prompt for entry in ledger.entries(API, limit=2)] == ["4", "3"]
    assert ledger.entries(API, limit=0) == []


@pytest.mark.parametrize(
    "text", ["GLOW", "glowing C", "комета", "KLEINE STRASSE", "100%", "_", "'"]
)
def test_a_search_finds_a_piece_of_the_prompt_in_any_case(ledger: Ledger, text: str) -> None:
    ledger.intend(API, prompt="A glowing comet, Комета, kleine Straße, 100% it's_so")
    ledger.intend(API, prompt="Another")
    assert len(ledger.entries(API, search=text)) == 1


def test_a_search_finds_the_id_and_the_model_and_treats_nothing_as_a_pattern(
    ledger: Ledger,
) -> None:
    ledger.see(API, job("video_ABC", model="wan2.6", prompt="x"))
    ledger.intend(API, model=None, prompt="y")
    assert len(ledger.entries(API, search="abc")) == len(ledger.entries(API, search="WAN")) == 1
    assert ledger.entries(API, search="%") == ledger.entries(API, search="*") == []


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *((word, "completed") for word in ("done", "Completed", "SUCCESS", "finished")),
        *((word, "failed") for word in ("error", "cancelled")),
        *((word, "in_progress") for word in ("running", "active", "In progress")),
        *((word, "queued") for word in ("waiting", "pending")),
        *((word, LOST) for word in ("unknown", "lost", "Unknown-Outcome")),
        *((word, word) for word in (SENDING, REFUSED, "no such state")),
    ],
)
def test_a_state_goes_by_the_words_that_people_type(word: str, state: str) -> None:
    assert state_of(word) == state


def test_entries_stand_in_the_order_that_is_asked_for(ledger: Ledger) -> None:
    jobs: list[tuple[str, str, dict[str, Any]]] = [
        ("a", "completed", {"prompt": "banana", "model": "Wan", "size": "1280x720"}),
        ("b", "failed", {"prompt": "Äpfel", "model": "sora", "size": "720x720"}),
        ("c", "in_progress", {"prompt": "Apple", "model": None, "size": "16:9"}),
        ("d", "queued", {}),
    ]
    for at_s, (job_id, status, more) in enumerate(jobs):
        took_s = {"a": 9.0, "b": 100.0}.get(job_id)
        told = job(job_id, status, created_at=1e9 + at_s, **more)
        ledger.see(API, told, took_s=took_s, is_clip_wanted=True)

    def ids(order: Order, *, is_ascending: bool, **more: Any) -> str:
        found = ledger.entries(API, order=order, is_ascending=is_ascending, **more)
        return "".join(str(entry.job_id) for entry in found)

    both = {order: [ids(order, is_ascending=up) for up in (True, False)] for order in Order}
    assert both[Order.WHEN] == ["abcd", "dcba"]
    assert both[Order.PROMPT] == ["cabd", "bacd"], "without one: last, whichever way"
    assert both[Order.STATE] == ["cdba", "abdc"]
    assert both[Order.MODEL] == ["badc", "abdc"]
    assert both[Order.SIZE] == ["badc", "abdc"], "by its pixels"
    ledger.keep_clip(API, "a", "/a.mp4", 1, clip_size="640x360")
    assert ids(Order.SIZE, is_ascending=True) == "abdc", "by those of the clip, once it is there"
    assert both[Order.TOOK] == ["abdc", "badc"]
    assert ids(Order.PROMPT, is_ascending=True, search="a", limit=2, offset=1) == "ab"
    assert ids(Order.WHEN, is_ascending=True, search="A", limit=2) == "ab"
    assert ids(Order.MODEL, is_ascending=True, state="done") == "a"


def test_each_state_is_counted_among_all_and_among_what_is_found(ledger: Ledger) -> None:
    for number in range(3):
        ledger.see(API, job(f"video_{number}", "completed", prompt="A comet"))
    ledger.see(API, job("video_f", "failed", prompt="A lake"))
    ledger.see("https://other.example/v1", job("video_x", "failed"))
    counts = ledger.tally(API, 100)
    assert {state: count for state, count in counts.items() if count} == {
        "completed": 3,
        "failed": 1,
    }
    assert {*counts} == {*STATES}
    assert ledger.tally(API, 2)["completed"] == 2, "counted up to a bound"
    assert ledger.tally(API, 2, search="COMET") == {"completed": 3}


@pytest.mark.parametrize("state", ["in_progress", "in progress", "In-Progress"])
def test_a_state_is_found_as_the_api_and_as_the_table_spell_it(ledger: Ledger, state: str) -> None:
    ledger.see(API, job("video_1", "in_progress"))
    ledger.see(API, job("video_2", "queued"))
    assert [entry.job_id for entry in ledger.entries(API, state=state)] == ["video_1"]


def test_the_unknown_outcome_can_be_asked_for_by_name(ledger: Ledger) -> None:
    ledger.lose(ledger.intend(API, prompt="a"), "lost")
    assert [len(ledger.entries(API, state=s)) for s in ("unknown outcome", "unknown-outcome")] == [
        1,
        1,
    ]


def test_durations_are_of_the_nearest_kind_there_is(ledger: Ledger) -> None:
    def took(took_s: float, job_id: str, **kind: str) -> None:
        ledger.see(API, job(job_id, "completed", **kind), took_s=took_s)

    took(60, "a", model="sora-2", seconds="4", size="1280x720")
    took(70, "b", model="sora-2", seconds="4", size="720x1280")
    took(200, "c", model="sora-2", seconds="12", size="1280x720")
    there = job("elsewhere", "completed", model="sora-2", seconds="4", size="1280x720")
    ledger.see("https://other.example/v1", there, took_s=1)
    took(9, "d", model="wan2.6", seconds="4", size="1280x720")
    ledger.see(API, job("e", "completed", model="sora-2", seconds="4", size="1280x720"))

    assert ledger.durations_s(API, "sora-2", "4", "1280x720") == [60]
    assert sorted(ledger.durations_s(API, "sora-2", "4", "960x960")) == [60, 70]
    assert sorted(ledger.durations_s(API, "sora-2", "4", None)) == [60, 70]
    assert sorted(ledger.durations_s(API, "sora-2", "8", "1280x720")) == [60, 70, 200]
    assert sorted(ledger.durations_s(API, "sora-2", None, None)) == [60, 70, 200]
    assert ledger.durations_s(API, "veo-3.1", "4", "1280x720") == []
    assert ledger.durations_s(API, None, "4", "1280x720") == []
    assert len(ledger.durations_s(API, "sora-2", None, None, most=2)) == 2


def test_records_are_flat_dicts_as_pandas_takes_them(ledger: Ledger) -> None:
    ledger.intend(API, prompt="A comet")
    ledger.see(API, job("video_1", "completed"), took_s=67.5)
    records = [entry.to_row() for entry in ledger.entries(API)]
    flat = (str, int, float, type(None))
    assert all(isinstance(value, flat) for record in records for value in record.values())
    assert [list(record) for record in records] == [list(records[0])] * 2
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(records)
    assert sorted(frame.columns) == sorted(records[0])
    assert sorted(frame["state"]) == ["completed", "sending"]


def test_a_remembered_job_reads_as_the_job_it_was(ledger: Ledger) -> None:
    told = {"model": "wan2.6", "prompt": "A comet", "seconds": "4", "size": "960x960"}
    ledger.see(API, job("video_1", "completed", created_at=1000, **told), took_s=60)
    entry = ledger.find(API, "video_1")
    assert entry is not None
    again = entry.to_job()
    assert (again.id, again.model, again.prompt) == ("video_1", "wan2.6", "A comet")
    assert (again.duration_s, again.size) == (4, "960x960")
    assert (again.created_at_s, again.completed_at_s) == (1000, 1060)
    assert (again.status_word, again.video_url) == ("completed", None)


@settings(max_examples=60, deadline=None)
@given(st.lists(plausible_jobs, max_size=6))
def test_whatever_the_api_says_of_a_job_can_be_written_and_read(payloads: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite3")
        jobs = [Job.parse(payload, job_id="video_asked") for payload in payloads]
        for one in jobs:
            ledger.see(API, one)
        assert {entry.job_id for entry in ledger.entries(API)} == {one.id for one in jobs}
        for entry in ledger.entries(API):
            json.dumps(entry.to_row())
            assert entry.to_job().id == entry.job_id
        assert ledger.trouble is None
        ledger.close()


def test_an_entry_of_before_is_uncertain_only_after_a_while() -> None:
    def sent(began_at_s: float) -> Entry:
        blank: dict[str, Any] = dict.fromkeys(Entry.__dataclass_fields__)
        blank |= {"ref": "r", "base_url": API, "state": SENDING, "began_at_s": began_at_s}
        return Entry(**blank)

    assert not sent(time.time()).is_uncertain
    assert sent(time.time() - 3600).is_uncertain


def test_what_is_forgotten_is_gone_with_its_picture_and_nothing_else_is(ledger: Ledger) -> None:
    ledger.lose(ledger.intend(API, prompt="lost"), "lost")
    for name in ("a", "b"):
        ledger.see(API, job(name, "completed"))
        ledger.keep_clip(API, name, f"/clips/{name}.mp4", 5, poster=f"data:{name}")
    [lost] = ledger.entries(API, state="unknown outcome")
    assert len(lost.name) == 8
    for name in (lost.name, "a"):
        entry = ledger.named(API, name)
        assert entry is not None
        ledger.forget(entry)
        assert ledger.named(API, name) is None
    assert [entry.job_id for entry in ledger.entries(API)] == ["b"]
    assert (ledger.poster(API, "a"), ledger.poster(API, "b")) == (None, "data:b")


def test_a_clip_in_a_folder_whose_name_is_not_utf_8_is_kept(ledger: Ledger) -> None:
    place = "/vid\udce9os/video_1.mp4"  # as Python tells of a name in Latin-1
    ledger.see(API, job("video_1", "completed"), is_clip_wanted=True)
    ledger.keep_clip(API, "video_1", place, 5, outputs=[(f"{place}-2", 6)])
    [entry] = ledger.entries(API)
    assert entry.clip == place
    assert ledger.outputs(API, "video_1") == [(f"{place}-2", 6)]
    assert "\udce9" not in entry.to_row()["clip"]
    assert ledger.unfinished(API) == []
