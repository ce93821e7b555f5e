"""A watch that is over is begun again as it was, whatever the settings are today."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cometvid_nb.errors import CometVidError, GaveUp, WatchStopped
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Scenario, Simulator
from cometvid_nb.watching.state import Ending
from tests.simulated import KEY

POLL = "GET /videos/{id}"
WITHIN_S = 15.0
ELSEWHERE = "http://127.0.0.1:9/v1"

pytestmark = pytest.mark.settings(ledger="off", interval_s=0.0)


def endless(sim: Simulator, job_id: str = "video_1") -> str:
    return sim.add(Scenario(job_id, queue_s=0, run_s=0, steps=(0,), ending="never"))


def test_server_deadline_and_places_stay_those_of_the_first_watch(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    watch = session.watch(endless(sim), timeout_s=1, interval_s=0.2, save=False)
    widget = watch.widget
    with pytest.raises(GaveUp):
        watch.wait(WITHIN_S)
    session.configure(base_url=ELSEWHERE, timeout_s=600, interval_s=60, save=True)
    again = session.watch_again(watch)
    assert again is not watch
    assert again.widget is widget
    with pytest.raises(GaveUp, match="1 s of watching"):
        again.wait(WITHIN_S)
    third = session.watch_again(again)
    sim.finish("video_1")
    assert third.wait(WITHIN_S).is_final
    assert not (tmp_path / "videos").exists()


def test_a_place_that_was_named_for_the_clip_is_kept(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    watch = session.watch(endless(sim), save_to=str(tmp_path / "mine"))
    watch.stop()
    again = session.watch_again(watch)
    sim.finish("video_1")
    again.wait(WITHIN_S)
    assert (tmp_path / "mine" / "video_1.mp4").is_file()
    assert not (tmp_path / "videos").exists()


def test_what_is_known_of_the_job_is_shown_at_once(session: Session, sim: Simulator) -> None:
    watch, is_seen = session.watch(endless(sim)), threading.Event()
    watch.subscribe(lambda state: is_seen.set() if state.job else None)
    assert is_seen.wait(WITHIN_S)
    watch.stop()
    assert watch.job is not None
    asked = session.watch_again(watch).state.asked
    assert asked is not None
    assert (asked.prompt, asked.model) == (watch.job.prompt, watch.job.model)


def test_a_wrong_key_is_replaced_by_the_right_one(session: Session, sim: Simulator) -> None:
    session.configure(api_key="a-wrong-one")
    watch = session.watch(endless(sim))
    with pytest.raises(CometVidError):
        watch.wait(WITHIN_S)
    session.configure(api_key=KEY)
    again = session.watch_again(watch)
    sim.finish("video_1")
    assert again.wait(WITHIN_S).is_final


def test_todays_key_does_not_go_to_the_server_of_before(session: Session, sim: Simulator) -> None:
    watch = session.watch(endless(sim))
    watch.stop()
    session.configure(base_url=ELSEWHERE, api_key="for-elsewhere")
    again = session.watch_again(watch)
    sim.finish("video_1")
    assert again.wait(WITHIN_S).is_final, "with the key of before"


def test_a_job_that_was_watched_to_its_end_elsewhere_is_not_watched_again(
    session: Session, sim: Simulator
) -> None:
    first = session.watch(endless(sim))
    first.stop()
    second = session.watch("video_1")
    assert session.watch_again(first) is second, "it goes on"
    sim.finish("video_1")
    second.wait(WITHIN_S)
    polls = sim.count(POLL)
    assert session.watch_again(first) is second
    assert sim.count(POLL) == polls


def test_a_simulated_job_is_never_asked_of_the_real_api(session: Session, sim: Simulator) -> None:
    with Simulator(api_key="simulated-key") as demo:
        session.enter_simulation(demo.base_url, "simulated-key")
        watch = session.watch(endless(demo, "video_demo_1"))
        watch.stop()
        session.leave_simulation()
    ended = session.watch_again(watch)
    assert ended.state.ending == Ending.BROKEN
    assert ended.state.is_simulated
    assert "%cometvid demo" in str(ended.state.error and ended.state.error.advice)
    with Simulator(api_key="another-key") as demo:  # on another port, with the same job
        endless(demo, "video_demo_1")
        session.enter_simulation(demo.base_url, "another-key")
        again = session.watch_again(ended)
        demo.finish("video_demo_1")
        assert again.wait(WITHIN_S).is_final
        assert session.watches[-1] is again
        session.leave_simulation()
    assert sim.count() == 0


def test_a_real_job_is_not_asked_of_a_simulation(session: Session, sim: Simulator) -> None:
    watch = session.watch(endless(sim))
    watch.stop()
    with pytest.raises(WatchStopped):
        watch.wait(WITHIN_S)
    with Simulator(api_key="simulated-key") as demo:
        session.enter_simulation(demo.base_url, "simulated-key")
        again = session.watch_again(watch)
        sim.finish("video_1")
        assert again.wait(WITHIN_S).is_final
        assert not again.state.is_simulated
        assert demo.count() == 0
        session.leave_simulation()
