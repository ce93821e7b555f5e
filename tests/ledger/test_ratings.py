"""What a person thinks of a clip is kept by server and job, and found among all others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cometvid_nb.job.job import Job
from cometvid_nb.job.rating import Flag, Rating, RatingFilter
from cometvid_nb.ledger.ledger import Ledger
from tests.ledger.conftest import API, job

PICKED = RatingFilter(Flag.PICKED)


def rating_of(ledger: Ledger, job_id: str) -> Rating | None:
    entry = ledger.find(API, job_id)
    assert entry is not None
    return entry.rating


def names(ledger: Ledger, rated: RatingFilter, **more: Any) -> list[str]:
    return [entry.name for entry in ledger.entries(API, rated=rated, **more)]


def test_a_rating_is_kept_and_only_what_is_named_changes(ledger: Ledger) -> None:
    ledger.see(API, job("a", "completed"))
    assert rating_of(ledger, "a") is None
    ledger.rate(API, job("a"), {"stars": 3, "tags": ("comet", "wide shot")})
    ledger.rate(API, job("a"), {"flag": Flag.PICKED, "note": "yes"})
    assert rating_of(ledger, "a") == Rating(3, Flag.PICKED, ("comet", "wide shot"), "yes")
    ledger.rate(API, job("a"), {"stars": None, "tags": (), "note": None})
    assert rating_of(ledger, "a") == Rating(flag=Flag.PICKED)
    entry = ledger.find(API, "a")
    assert entry is not None
    assert entry.state == "completed", "a rating says nothing of the job"
    ledger.see(API, job("a", "completed"))
    assert rating_of(ledger, "a") == Rating(flag=Flag.PICKED)


def test_a_job_that_the_ledger_does_not_know_gets_an_entry(ledger: Ledger) -> None:
    ledger.rate(API, job("new", "completed", model="m", prompt="A comet"), {"stars": 5})
    [entry] = ledger.entries(API)
    assert (entry.job_id, entry.state, entry.model) == ("new", "completed", "m")
    assert entry.rating == Rating(5)


def test_what_has_a_rating_and_nothing_else_neither_waits_nor_is_resumed(ledger: Ledger) -> None:
    ledger.see(API, job("watched"), is_clip_wanted=True)
    ledger.rate(API, job("watched"), {"stars": 1})
    ledger.rate(API, Job.pending("mistyped"), {"stars": 5})
    ledger.rate(API, Job.pending("mistyped"), {"stars": None})
    assert [(one.name, one.is_unfinished) for one in ledger.entries(API, state="queued")] == [
        ("watched", True)
    ]
    [rated] = ledger.entries(API, state="only rated")
    assert (rated.name, rated.state, rated.is_unfinished) == ("mistyped", "only rated", False)
    assert [one.name for one in ledger.unfinished(API)] == ["watched"]
    counts = {"queued": 1, "only rated": 1}
    assert {state: n for state, n in ledger.tally(API, 9).items() if n} == counts
    assert ledger.tally(API, 9, search="t") == counts
    assert [ledger.count(API, 9, state=state) for state in counts] == [1, 1]
    ledger.see(API, job("mistyped"), is_clip_wanted=True)
    assert len(ledger.unfinished(API)) == 2, "it was asked after since, and exists"


def test_two_servers_may_have_jobs_of_one_name(ledger: Ledger) -> None:
    ledger.rate(API, job("a"), {"stars": 5})
    ledger.rate("https://other/v1", job("a"), {"stars": 1})
    assert rating_of(ledger, "a") == Rating(5)


def test_two_kernels_change_different_parts_of_one_rating(ledger: Ledger) -> None:
    other = Ledger(ledger.path)
    ledger.rate(API, job("a"), {"stars": 5})
    other.rate(API, job("a"), {"flag": Flag.REJECTED})
    assert rating_of(ledger, "a") == rating_of(other, "a") == Rating(5, Flag.REJECTED)
    other.close()


def test_lists_show_what_was_picked_starred_or_tagged(ledger: Ledger) -> None:
    for number in range(6):
        told = {"created_at": 1_780_000_000 + number, "prompt": f"Take {number}"}
        ledger.see(API, job(f"v{number}", "completed", **told))
    ledger.rate(API, job("v0"), {"flag": Flag.PICKED, "stars": 5})
    ledger.rate(API, job("v1"), {"flag": Flag.REJECTED, "stars": 1, "tags": ("Ünter",)})
    ledger.rate(API, job("v2"), {"flag": Flag.PICKED, "tags": ("a_b", "ünter")})
    ledger.rate(API, job("v3"), {"note": "only words"})
    assert names(ledger, PICKED) == ["v2", "v0"]
    assert names(ledger, RatingFilter(Flag.REJECTED)) == ["v1"]
    assert names(ledger, RatingFilter(min_stars=3)) == ["v0"]
    assert names(ledger, RatingFilter(min_stars=1)) == ["v1", "v0"]
    assert names(ledger, RatingFilter(tag="ÜNTER")) == ["v2", "v1"]
    assert names(ledger, RatingFilter(tag="ünt")) == [], "a tag is a whole one"
    assert names(ledger, RatingFilter(tag="a%b")) == []
    assert names(ledger, RatingFilter(Flag.PICKED, tag="a_b")) == ["v2"]
    assert names(ledger, PICKED, search="take 0") == ["v0"]
    assert names(ledger, RatingFilter(), search="ÜNT") == ["v2", "v1"]
    assert names(ledger, RatingFilter(), search="#a_b") == ["v2"], "as it is shown"
    assert names(ledger, RatingFilter(), search="ONLY words") == ["v3"]
    assert names(ledger, PICKED, state="failed") == []
    assert names(ledger, RatingFilter(), state="done") == [f"v{n}" for n in range(5, -1, -1)]
    assert ledger.count(API, 100, rated=PICKED) == 2
    assert ledger.tally(API, 100, rated=PICKED) == {"completed": 2}
    assert ledger.tally(API, 100, rated=PICKED, search="take 2") == {"completed": 1}


def test_what_other_hands_have_written_takes_nothing_else_away(ledger: Ledger) -> None:
    ledger.rate(API, job("a"), {"stars": 5, "note": "good"})
    ledger.rate(API, job("b"), {"stars": 2})
    assert ledger.path is not None
    with closing(sqlite3.connect(ledger.path)) as db, db:
        db.execute("UPDATE jobs SET stars = 99, flag = 'loved', tags = char(10) WHERE job_id = 'a'")
    assert rating_of(ledger, "a") == Rating(note="good")
    assert rating_of(ledger, "b") == Rating(2)
    rows = {row["job_id"]: row for row in (entry.to_row() for entry in ledger.entries(API))}
    assert (rows["a"]["stars"], rows["a"]["tags"], rows["a"]["note"]) == (None, None, "good")


def test_a_forgotten_job_is_forgotten_with_its_rating(ledger: Ledger) -> None:
    ledger.rate(API, job("a"), {"stars": 5})
    entry = ledger.find(API, "a")
    assert entry is not None
    ledger.forget(entry)
    ledger.see(API, job("a"))
    assert rating_of(ledger, "a") is None


def test_a_rating_while_the_file_is_broken_is_written_later(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.mkdir()
    ledger = Ledger(path)
    ledger.rate(API, job("a"), {"stars": 5})
    ledger.rate(API, job("a"), {"stars": 4})
    ledger.rate(API, job("a"), {"flag": Flag.PICKED})
    path.rmdir()
    assert rating_of(ledger, "a") == Rating(4, Flag.PICKED)
    ledger.close()


TAG = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(tags=st.lists(TAG, max_size=4), note=st.none() | st.text(max_size=50))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_said_comes_back(ledger: Ledger, tags: list[str], note: str | None) -> None:
    try:
        said = Rating().changed(tags=tags, note=note)
    except ValueError:
        return
    everything = {"stars": None, "flag": None, "tags": said.tags, "note": said.note}
    ledger.rate(API, job("a"), everything)
    assert (rating_of(ledger, "a") or Rating()) == said
    for tag in said.tags:  # a filter takes one
        assert names(ledger, RatingFilter(tag=tag)) == ["a"]


@pytest.mark.parametrize("rated", [PICKED, RatingFilter(min_stars=3), RatingFilter(tag="x")])
def test_a_list_of_ratings_reads_only_what_is_rated(ledger: Ledger, rated: RatingFilter) -> None:
    ledger.see(API, job("a"))
    assert ledger._file is not None
    asked: list[str] = []
    with ledger._file.open(1.0) as db:
        db.set_trace_callback(asked.append)
    ledger.entries(API, limit=20, rated=rated)
    with ledger._file.open(1.0) as db:
        db.set_trace_callback(None)
        plans = [row[3] for sql in asked for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    # What began at the same second, as takes do, is put in order; the rest is already.
    ties = "USE TEMP B-TREE FOR RIGHT PART OF ORDER BY"
    assert plans == ["SEARCH jobs USING INDEX jobs_rated (base_url=?)", ties]
