"""The ledger tells which clip came of which, of one server, as far as it remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cometvid_nb.job.job import Job
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.ledger.relations import Reel
from tests.ledger.conftest import API, job

OTHER = "https://other.example/v1"


def continued(job_id: str, parent: str) -> Job:
    return replace(job(job_id, "completed"), continued_from=parent)


@pytest.fixture
def family(ledger: Ledger) -> Ledger:
    ledger.see(API, job("a", "completed"))
    ledger.see(API, job("b", "completed", remixed_from_video_id="a"))
    ledger.see(API, continued("c", "b"))
    ledger.see(API, continued("d", "gone"))
    ledger.see(API, job("alone", "completed"))
    ledger.see(OTHER, continued("elsewhere", "a"))
    return ledger


@pytest.mark.parametrize("asked", ["a", "b", "c"])
def test_the_whole_tree_is_found_from_any_of_it(family: Ledger, asked: str) -> None:
    assert sorted(family.kin(API, asked)) == ["a", "b", "c"]


def test_a_parent_that_is_not_remembered_has_its_children(family: Ledger) -> None:
    assert list(family.kin(API, "gone")) == ["d"]
    assert list(family.kin(API, "d")) == ["d"]
    assert family.kin(API, "nobody") == {}
    assert list(family.kin(OTHER, "a")) == ["elsewhere"]


def test_a_reel_is_known_by_its_parts(family: Ledger) -> None:
    family.keep_reel(API, "/v/cut.mp4", ["c", "a", "c"])
    family.keep_reel(API, "/v/other.mp4", ["b"])
    assert family.reels_of(API, ["a"]) == [Reel("/v/cut.mp4", ("c", "a", "c"))]
    assert len(family.reels_of(API, ["a", "b", "c"])) == 2
    assert family.reels_of(OTHER, ["a"]) == []
    family.keep_reel(API, "/v/cut.mp4", ["b", "a"])
    assert family.reels_of(API, ["c"]) == []
    family.keep_reel(API, "/v/odd-\udce9.mp4", ["d"])
    assert family.reels_of(API, ["d"])[0].place == "/v/odd-\udce9.mp4"


def test_a_family_without_end_is_looked_at_up_to_a_bound(ledger: Ledger) -> None:
    for number in range(1, 700):
        ledger.see(API, continued(f"v{number}", f"v{number - 1}"))
    assert 500 <= len(ledger.kin(API, "v1")) < 510


def test_what_it_asks_has_an_index(family: Ledger) -> None:
    family.keep_reel(API, "/v/cut.mp4", ["a"])
    asked: list[str] = []
    assert family._file is not None
    with family._file.open(1.0) as db:
        db.set_trace_callback(asked.append)
    family.kin(API, "a")
    family.reels_of(API, ["a"])
    with family._file.open(1.0) as db:
        db.set_trace_callback(None)
        plans = [row[3] for sql in asked for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN")]
