"""A session joins the parts: what is set, what is watched, and what plain Python sees of it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import cometvid_nb
from cometvid_nb.errors import GaveUp, JobFailed, JobNotFound, MissingKey, SettingsError
from cometvid_nb.session import session as sessions
from cometvid_nb.session.session import Session
from cometvid_nb.settings import DEFAULT_BASE_URL, Secret
from cometvid_nb.simulator import Scenario, Simulator
from cometvid_nb.watching.state import Ending
from cometvid_nb.watching.watch import Watch
from tests.simulated import KEY

POLL = "GET /videos/{id}"
WITHIN_S = 15.0

pytestmark = pytest.mark.settings(ledger="off", interval_s=0.0)  # polls as a person has them


def add(sim: Simulator, job_id: str, ending: str = "never") -> str:
    return sim.add(
        Scenario(job_id, queue_s=0, run_s=0, steps=(0,), ending=ending)  # type: ignore[arg-type]
    )


def test_a_watched_job_is_followed_and_saved_beside_the_notebook(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    watch = session.watch(add(sim, "video_1", "completed"))
    assert watch.wait(WITHIN_S).is_final
    assert (tmp_path / "videos" / "video_1.mp4").read_bytes() == sim.clip_bytes("video_1")
    assert watch.state.saved is not None
    assert watch.state.saved.path == "videos/video_1.mp4"


def test_what_is_being_watched_is_known(session: Session, sim: Simulator) -> None:
    one, other = session.watch(add(sim, "video_1")), session.watch(add(sim, "video_2"))
    assert session.watch("video_1") is one
    assert session.watches == session.active == [one, other]
    one.stop()
    assert (session.watches, session.active) == ([one, other], [other])


def test_first_calls_from_many_threads_share_one_watch(
    open_session: Callable[..., Session], sim: Simulator
) -> None:
    add(sim, "video_1")
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(6):
            session, all_at_once = open_session(), threading.Barrier(8)

            def watch(
                session: Session = session, barrier: threading.Barrier = all_at_once
            ) -> Watch:
                barrier.wait()
                return session.watch("video_1")

            with ThreadPoolExecutor(8) as threads:
                found = {threads.submit(watch) for _ in range(8)}
            assert len({id(one.result()) for one in found}) == 1
            session.close()  # or six would poll, each change of threads a microsecond apart
    finally:
        sys.setswitchinterval(0.005)


def test_options_of_a_watch_win_over_the_settings(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    session.configure(save="on", timeout_s=600)
    watch = session.watch(add(sim, "video_1"), timeout_s=1, interval_s=0.5, save=False)
    with pytest.raises(GaveUp, match="1 s of watching"):
        watch.wait(WITHIN_S)

    done = session.watch(add(sim, "video_2", "completed"), save=False)
    assert done.wait(WITHIN_S).is_final
    assert not (tmp_path / "videos").exists()
    assert session.settings.timeout_s == 600


@pytest.mark.parametrize("options", [{"timeout_s": 0}, {"interval_s": -1}, {"timeout_s": "soon"}])
def test_a_senseless_option_is_refused_before_anything_is_sent(
    session: Session, sim: Simulator, options: dict[str, float]
) -> None:
    with pytest.raises(SettingsError):
        session.watch("video_demo", **options)  # type: ignore[arg-type]
    assert sim.count() == 0


@pytest.mark.parametrize("job_id", ["", "a b", "../x", "https://x.example/y"])
def test_what_is_no_id_is_refused_before_anything_is_sent(
    session: Session, sim: Simulator, job_id: str
) -> None:
    for ask in (session.watch, session.poll):
        with pytest.raises(ValueError, match="job id"):
            ask(job_id)
    assert sim.count() == 0


def test_without_a_key_nothing_is_sent(session: Session, sim: Simulator) -> None:
    session.configure(api_key=None, base_url=DEFAULT_BASE_URL)
    for ask in (session.watch, session.poll):
        with pytest.raises(MissingKey):
            ask("video_demo")
    assert sim.count() == 0


def test_one_poll_gives_the_job_or_the_apis_error(session: Session, sim: Simulator) -> None:
    assert session.poll("video_demo").id == "video_demo"
    with pytest.raises(JobNotFound):
        session.poll("video_nowhere")
    assert sim.count(POLL) == 2


def test_a_change_that_fails_changes_nothing(session: Session) -> None:
    before = session.settings
    with pytest.raises(SettingsError):
        session.configure(timeout_s=60, interval_s="often")
    assert session.settings == before


def test_a_simulation_takes_the_key_away_and_gives_it_back(
    session: Session, sim: Simulator
) -> None:
    before = session.settings
    for _ in range(2):
        session.enter_simulation(sim.base_url, "simulated-key")
        assert session.settings.is_simulated
        assert session.settings.api_key == Secret("simulated-key")
    session.leave_simulation()
    assert session.settings == before
    session.leave_simulation()
    assert session.settings == before


def test_another_address_in_the_simulation_gets_the_real_key_and_not_the_simulators(
    session: Session, sim: Simulator
) -> None:
    session.enter_simulation(sim.base_url, "simulated-key")
    session.configure(base_url="https://gateway.example/v1")
    assert session.settings.api_key == Secret(KEY)
    assert session.settings.base_url == "https://gateway.example/v1"
    session.leave_simulation()
    assert session.settings.base_url == "https://gateway.example/v1"


def test_a_setting_of_the_simulation_ends_with_it(session: Session, sim: Simulator) -> None:
    before = session.configure(save_dir="mine")
    session.enter_simulation(sim.base_url, "simulated-key")
    assert session.configure(timeout_s=5).is_simulated
    session.leave_simulation()
    assert session.settings == before


def test_the_environment_counts_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    assert session.settings.api_key is None
    monkeypatch.setenv("COMETAPI_API_KEY", "sk-of-the-alias")
    assert session.settings.api_key == Secret("sk-of-the-alias")
    monkeypatch.setenv("COMETAPI_KEY", KEY)
    monkeypatch.setenv("COMETAPI_BASE_URL", "https://gateway.example/v1")
    session.configure(save=False)
    assert session.settings.api_key == Secret(KEY)
    assert session.settings.base_url == "https://gateway.example/v1"
    monkeypatch.delenv("COMETAPI_KEY")
    monkeypatch.setenv("COMETAPI_API_KEY", " ")
    assert session.settings.api_key is None
    assert session.settings.save is False


def test_what_a_person_has_set_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    session.configure(api_key=KEY, base_url="https://mine.example/v1")
    monkeypatch.setenv("COMETAPI_KEY", "sk-another-one")
    monkeypatch.setenv("COMETAPI_BASE_URL", "https://theirs.example/v1")
    monkeypatch.setenv("COMETAPI_ALLOW_HTTP", "on")
    assert session.settings.api_key == Secret(KEY)
    assert session.settings.base_url == "https://mine.example/v1"
    assert session.settings.allow_http


def test_the_environment_of_a_simulation_counts_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    session.enter_simulation("http://127.0.0.1:1/v1", "simulated-key")
    monkeypatch.setenv("COMETAPI_KEY", KEY)
    assert session.settings.api_key == Secret("simulated-key")
    session.leave_simulation()
    assert session.settings.api_key == Secret(KEY)


def test_settings_that_a_program_gives_hear_no_environment(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = session.settings
    monkeypatch.setenv("COMETAPI_KEY", "sk-another-one")
    assert session.settings == before


def test_another_address_ends_the_simulation(session: Session, sim: Simulator) -> None:
    session.enter_simulation(sim.base_url, "simulated-key")
    session.configure(base_url=DEFAULT_BASE_URL)
    assert not session.settings.is_simulated


def test_a_closed_session_leaves_no_thread_and_works_again(
    session: Session, sim: Simulator
) -> None:
    before = set(threading.enumerate())
    watch = session.watch(add(sim, "video_1"))
    assert sim.wait_for_requests(POLL)
    session.close()
    assert watch.state.ending is Ending.STOPPED
    assert set(threading.enumerate()) <= before
    assert session.poll("video_1").id == "video_1"


# The session of the process, as `cometvid_nb.watch` uses it.


def test_a_script_waits_and_prints_where_the_clip_lies(
    process_sim: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = cometvid_nb.watch(add(process_sim, "video_1", "completed"))

    assert watch.result().is_final
    *_, last = capsys.readouterr().out.splitlines()
    assert (tmp_path / last).read_bytes() == process_sim.clip_bytes("video_1")


def test_a_script_that_does_not_wait_is_not_written_over_later(
    process_sim: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = cometvid_nb.watch(add(process_sim, "video_1", "failed"), wait=False)
    with pytest.raises(JobFailed):
        watch.wait(WITHIN_S)
    assert capsys.readouterr().out == ""


def test_a_job_widget_stands_in_for_a_watch(process_sim: Simulator) -> None:
    widget = cometvid_nb.JobWidget(add(process_sim, "video_1"))
    assert widget.watch is sessions.current().watches[0]
    assert process_sim.wait_for_requests(POLL)
    widget.watch.stop()
    assert widget.card["phase"] == "stopped"
    assert cometvid_nb.JobWidget().watch is None


@pytest.mark.usefixtures("process_sim")
def test_there_is_one_session_until_it_is_ended() -> None:
    one = sessions.current()
    assert sessions.current() is one
    sessions.end()
    assert sessions.current() is not one
