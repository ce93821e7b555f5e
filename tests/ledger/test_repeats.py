"""Which request was made before, the ledger decides in one step, whoever asks at the same time."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from cometvid_nb.ledger.entry import LOST, SENDING, Entry
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.ledger.slots import Repeat, Slot
from tests.ledger.conftest import API, job

NOTEBOOK = "/n.ipynb"
SLOT = Slot("a", 1)


def asked(cell: str | None = "a", take: int = 1, **more: object) -> Repeat:
    values: dict[str, object] = {"notebook": NOTEBOOK, "digest": "d", **more}
    return Repeat(cell=cell, take=take, **values)  # type: ignore[arg-type]


def intend(ledger: Ledger, slot: Slot = SLOT, *, is_again: bool = False) -> str:
    ref = ledger.intend_once(API, asked(), slot, is_again=is_again, prompt="A comet")
    assert isinstance(ref, str)
    return ref


def made(ledger: Ledger, job_id: str, slot: Slot = SLOT, *, is_again: bool = False) -> str:
    ref = intend(ledger, slot, is_again=is_again)
    ledger.accept(ref, job(job_id))
    return ref


def found(ledger: Ledger, repeat: Repeat) -> str | None:
    entry = ledger.find_repeat(API, repeat).entry
    return entry.job_id if entry is not None else None


def test_what_was_made_is_found_by_its_cell_and_by_nothing_else(ledger: Ledger) -> None:
    made(ledger, "video_1")
    assert found(ledger, asked()) == "video_1"
    assert found(ledger, asked(take=2)) is None
    assert found(ledger, asked("b")) is None
    assert found(ledger, asked(digest="another")) is None
    assert found(ledger, asked(notebook="/copy.ipynb")) is None
    assert ledger.find_repeat("https://other.example/v1", asked()).entry is None


def test_a_second_intent_for_a_slot_is_the_first_ones_entry(ledger: Ledger) -> None:
    ref = intend(ledger)
    standing = ledger.intend_once(API, asked(), SLOT, is_again=False, prompt="A comet")
    assert isinstance(standing, Entry)
    assert (standing.ref, standing.state, standing.job_id) == (ref, SENDING, None)
    assert len(ledger.entries(API)) == 1


def test_of_many_who_ask_at_once_one_comes_first(ledger: Ledger) -> None:
    assert ledger.path is not None
    others = [Ledger(ledger.path) for _ in range(8)]

    def ask(one: Ledger) -> str | Entry:
        return one.intend_once(API, asked(), SLOT, is_again=False, prompt="A comet")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, others))
    [ref] = [answer for answer in answers if isinstance(answer, str)]
    assert {answer.ref for answer in answers if isinstance(answer, Entry)} == {ref}
    assert len(ledger.entries(API)) == 1
    for one in others:
        one.close()


def test_what_was_asked_for_again_is_what_is_found_from_then_on(ledger: Ledger) -> None:
    made(ledger, "video_1")
    made(ledger, "video_2", is_again=True)
    assert found(ledger, asked()) == "video_2"
    ledger.refuse(intend(ledger, is_again=True), "no quota")
    assert found(ledger, asked()) == "video_2", "what was refused was never made"


def test_a_failed_job_makes_room_and_a_lost_answer_does_not(ledger: Ledger) -> None:
    made(ledger, "video_1")
    ledger.see(API, job("video_1", "failed"))
    ledger.lose(intend(ledger), "the answer was lost")
    standing = ledger.intend_once(API, asked(), SLOT, is_again=False)
    assert isinstance(standing, Entry)
    assert standing.state == LOST
    ledger.forget(standing)
    intend(ledger)


def test_a_job_that_is_forgotten_is_made_anew(ledger: Ledger) -> None:
    made(ledger, "video_1")
    entry = ledger.find(API, "video_1")
    assert entry is not None
    ledger.forget(entry)
    assert found(ledger, asked()) is None
    intend(ledger)


def test_what_a_cell_takes_over_is_its_own_from_then_on(ledger: Ledger) -> None:
    made(ledger, "video_1", Slot(None, 1))
    made(ledger, "video_2", Slot("gone", 1))
    assert found(ledger, asked("a")) == "video_1"
    assert found(ledger, asked("b")) is None
    assert found(ledger, asked("b", left=frozenset({"gone"}))) == "video_2"
    assert found(ledger, asked("a")) == "video_1"
    assert found(ledger, asked("b")) == "video_2"


def test_without_ids_jobs_come_in_the_order_in_which_they_were_made(ledger: Ledger) -> None:
    for number in (1, 2):
        made(ledger, f"video_{number}", Slot(None, number))
    made(ledger, "video_3", Slot(None, 1), is_again=True)
    first = ledger.find_repeat(API, asked(None))
    second = ledger.find_repeat(API, asked(None, taken=frozenset({first.slot})))
    assert [one.entry and one.entry.job_id for one in (first, second)] == ["video_3", "video_2"]


def test_a_job_somebody_watched_before_its_answer_came_keeps_its_slot(ledger: Ledger) -> None:
    ref = intend(ledger)
    ledger.see(API, job("video_1"))
    ledger.accept(ref, job("video_1"))
    assert found(ledger, asked()) == "video_1"
    assert len(ledger.entries(API)) == 1


def test_a_row_that_other_hands_have_written_hides_no_other(ledger: Ledger) -> None:
    made(ledger, "video_1", Slot("a", 2))
    made(ledger, "video_2")
    assert ledger.path is not None
    with closing(sqlite3.connect(ledger.path)) as db, db:
        db.execute("UPDATE jobs SET take = 'first', cell = x'ff' WHERE job_id = 'video_1'")
    assert found(ledger, asked()) == "video_2"


@pytest.mark.parametrize("is_again", [False, True])
def test_with_the_ledger_off_nothing_is_found_and_nothing_held_up(is_again: bool) -> None:
    ledger = Ledger(None)
    for _ in range(2):
        assert ledger.find_repeat(API, asked()).entry is None
        assert isinstance(ledger.intend_once(API, asked(), SLOT, is_again=is_again), str)
