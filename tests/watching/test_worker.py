"""Many jobs are polled by a process of their own; without it, by the kernel as before."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import itertools
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cometvid_nb.api.new_job import NewJob
from cometvid_nb.api.turns import MANY
from cometvid_nb.errors import JobFailed
from cometvid_nb.job.job import Job
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Fault, Scenario, Simulator
from cometvid_nb.watching import worker
from cometvid_nb.watching.schedule import PollPolicy
from cometvid_nb.watching.watch import Watch
from tests.environment import isolated_environ
from tests.simulated import KEY

CREATE, POLL = "POST /videos", "GET /videos/{id}"
WITHIN_S = 40.0
FEW = 6
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
pytestmark = pytest.mark.settings(save=False)


@pytest.fixture(autouse=True)
def _no_worker_is_left() -> Iterator[None]:
    yield  # first in, last out: the session is closed by then
    assert workers() == []
    gc.collect()  # a process that was let go of is told of here, and not in another test


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cometvid_nb.api.turns.MANY", FEW)


def workers() -> list[psutil.Process]:
    """The processes that poll for this one."""
    found = []
    for child in psutil.Process().children():
        try:
            if "worker_process" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            pass  # it has just ended
    return found


def wait_until(is_so: Callable[[], object]) -> None:
    until_s = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def begin(session: Session, sim: Simulator, count: int = FEW) -> list[Watch]:
    """So many watches of jobs that run until the test ends them, all polled by the worker."""
    for n in range(count):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=1, steps=(0,), ending="never"))
    watches = [session.watch(f"video_{n}") for n in range(count)]
    wait_until(lambda: all(watch.job for watch in watches) and is_all_there(session))
    return watches


def worker_of(session: Session) -> worker.Worker | None:
    [server] = session._servers.values()
    return server._worker


def is_all_there(session: Session) -> bool:
    """Whether the worker polls for every watch that is not over."""
    worker = worker_of(session)
    return worker is not None and len(worker._followed) == len(session.active)


def lose_patience(monkeypatch: pytest.MonkeyPatch, sim: Simulator, watch: Watch) -> None:
    """A silence of 3 s is a hang, from the next news on, which this waits for."""
    monkeypatch.setattr(worker, "_SILENT_S", 3.0)
    sim.set_progress(watch.job_id, 10)
    wait_until(lambda: watch.job is not None and watch.job.progress_percent == 10)


def finish(sim: Simulator, watches: list[Watch]) -> None:
    for watch in watches:
        sim.finish(watch.job_id)
    assert [watch.wait(WITHIN_S).id for watch in watches] == [watch.job_id for watch in watches]


def test_few_jobs_are_polled_by_the_kernel(session: Session, sim: Simulator) -> None:
    for n in range(FEW):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=0.5))
    watches = [session.watch(f"video_{n}") for n in range(FEW)]
    wait_until(lambda: all(watch.job for watch in watches))
    assert workers() == []
    assert [watch.wait(WITHIN_S).id for watch in watches] == [watch.job_id for watch in watches]


def test_many_are_polled_by_one_process_which_leaves_with_the_last(
    session: Session, sim: Simulator
) -> None:
    watches = begin(session, sim, MANY)
    assert len(workers()) == 1
    told: list[object] = []
    watches[0].subscribe(lambda state: told.append(state.job and state.job.progress_percent))
    sim.set_progress("video_0", 40)
    wait_until(lambda: 40 in told)
    sim.fail("video_1", "the moderators said no")
    with pytest.raises(JobFailed, match="the moderators said no"):
        watches[1].wait(WITHIN_S)
    finish(sim, [watches[0], *watches[2:]])
    assert watches[0].state.poster is not None  # the clip is not saved here
    wait_until(lambda: not workers())


@pytest.mark.usefixtures("few_are_many")
def test_what_is_saved_is_saved_by_the_kernel(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    session.configure(save=True, save_dir=str(tmp_path / "videos"))
    finish(sim, begin(session, sim))
    assert len(list((tmp_path / "videos").glob("*.mp4"))) == FEW


@pytest.mark.usefixtures("few_are_many")
def test_the_key_goes_by_the_pipe_alone(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMETAPI_KEY", KEY)
    watches = begin(session, sim)
    [process] = workers()
    assert KEY not in " ".join(process.cmdline())
    assert KEY not in " ".join(process.environ().values())
    finish(sim, watches)


@pytest.mark.usefixtures("few_are_many")
def test_a_server_that_needs_no_key_is_asked_without_one_there_too(
    session: Session, sim: Simulator
) -> None:
    job = {"status": "in_progress", "progress": 1}
    sim.add_fault(Fault(POLL, times=None, status=200, body=job))
    session.configure(api_key=None)
    watches = begin(session, sim)
    sim.requests.clear()
    assert sim.wait_for_requests(POLL, FEW)
    assert all("authorization" not in request.headers for request in sim.requests)
    for watch in watches:
        watch.stop()


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("search_path", [".", "", ":", ".:no/such/folder"])
def test_nothing_of_the_working_folder_is_imported_there(
    session: Session,
    sim: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    search_path: str,
) -> None:
    ours = "import pathlib; pathlib.Path(__file__).with_suffix('.imported').touch()"
    for name in ("sitecustomize", "random", "cometvid_nb", "httpx"):
        (tmp_path / f"{name}.py").write_text(ours)
    monkeypatch.setenv("PYTHONPATH", search_path.replace(":", os.pathsep))
    finish(sim, begin(session, sim))
    assert list(tmp_path.glob("*.imported")) == []


@pytest.mark.usefixtures("few_are_many")
def test_a_new_job_waits_as_long_as_the_process_was_told_to(
    session: Session, sim: Simulator
) -> None:
    watches = begin(session, sim)
    sim.add_fault(Fault(POLL, status=429, headers={"Retry-After": "4"}))
    wait_until(lambda: any(watch.state.problem for watch in watches))
    refused_s = time.time()  # at most this late, as the news takes a moment
    [made], error = session.create([NewJob.check("A comet")])
    assert error is None
    assert sim.count(CREATE) == 1
    [created_s] = [asked.at_s for asked in sim.requests if asked.method == "POST"]
    assert created_s - refused_s > 2
    assert made.id not in [watch.job_id for watch in watches]


@pytest.mark.usefixtures("few_are_many")
def test_the_process_waits_as_long_as_a_new_job_was_told_to(
    session: Session, sim: Simulator
) -> None:
    watches = begin(session, sim)
    sim.add_fault(Fault(CREATE, status=429, headers={"Retry-After": "4"}))
    session.create([NewJob.check("A comet")])
    asked = len(sim.requests)
    wait_until(lambda: len(sim.requests) > asked + FEW)
    polled_s = sorted(asked.at_s for asked in sim.requests if asked.method == "GET")
    longest_s = max(later - sooner for sooner, later in itertools.pairwise(polled_s))
    assert 2 < longest_s < 6
    finish(sim, watches)


@posix_only
@pytest.mark.usefixtures("few_are_many")
def test_a_process_that_is_killed_is_done_without(session: Session, sim: Simulator) -> None:
    watches = begin(session, sim)
    [process] = workers()
    process.kill()
    asked = len(sim.requests)
    wait_until(lambda: len(sim.requests) > asked + 2 * FEW)  # by the kernel
    assert workers() == []
    finish(sim, watches)


@posix_only
@pytest.mark.usefixtures("few_are_many")
def test_a_process_that_hangs_is_done_without(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    watches = begin(session, sim)
    lose_patience(monkeypatch, sim, watches[0])
    [process] = workers()
    process.suspend()
    finish(sim, watches)
    wait_until(lambda: not workers())


@posix_only
@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("cut_bytes", [worker.HEAD_BYTES, 100])
def test_a_process_that_stops_in_the_middle_of_a_bundle_is_done_without(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch, cut_bytes: int
) -> None:
    program = f"""
import os, signal, sys
sys.stdout.buffer.write(({worker.head_of(bytes(1000))!r} + bytes(1000))[:{cut_bytes}])
sys.stdout.buffer.flush()
os.kill(os.getpid(), signal.SIGSTOP)
"""
    monkeypatch.setattr(worker, "_BOOT", program)
    monkeypatch.setattr(worker, "_SILENT_S", 0.5)
    for n in range(FEW):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=0.5))
    watches = [session.watch(f"video_{n}") for n in range(FEW)]
    assert [watch.wait(WITHIN_S).id for watch in watches] == [watch.job_id for watch in watches]
    wait_until(lambda: not workers())


class Opened:
    """Leaves a folder behind where it is unpickled."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._place),)


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_bundle_that_others_have_written_into_is_not_even_unpickled(
    session: Session, sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_ours: bool
) -> None:
    place = tmp_path / "was_unpickled"
    bundle = pickle.dumps(Opened(place))
    head = worker.head_of(bundle if is_ours else bundle[:-1] + b"x")
    program = f"import sys; sys.stdout.buffer.write({head + bundle!r})"
    monkeypatch.setattr(worker, "_BOOT", program)
    for n in range(FEW):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=0.5))
    watches = [session.watch(f"video_{n}") for n in range(FEW)]
    assert [watch.wait(WITHIN_S).id for watch in watches] == [watch.job_id for watch in watches]
    assert place.exists() == is_ours


@posix_only
@pytest.mark.usefixtures("few_are_many")
def test_nothing_is_imported_from_the_working_folder(
    session: Session, sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    for name in ("sitecustomize", "random", "cometvid_nb/__init__"):
        path = here / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(here / 'was_imported')!r}, 'a').write({name!r})")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "sitecustomize.py").write_text(f"open({str(elsewhere / 'ran')!r}, 'w').close()")
    monkeypatch.chdir(here)
    names = (".", "", str(here), f"{here}/../here", str(elsewhere))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(names))
    finish(sim, begin(session, sim))
    assert not (here / "was_imported").exists()
    assert (elsewhere / "ran").exists()  # what the reader has named stays


@posix_only
@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("is_given_up", [False, True])
def test_closing_does_not_wait_for_a_process_that_hangs(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch, is_given_up: bool
) -> None:
    watches = begin(session, sim)
    if is_given_up:
        lose_patience(monkeypatch, sim, watches[0])
    [process] = workers()
    found = worker_of(session)
    assert found is not None
    process.suspend()
    if is_given_up:
        wait_until(lambda: found.is_lost)
    began_s = time.monotonic()
    session.close()
    assert workers() == []
    assert time.monotonic() - began_s < 2


@posix_only
async def test_a_process_that_is_leaving_is_not_let_go_of_however_often_that_is_cancelled() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "input()"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    ending = asyncio.create_task(worker._ended(process))
    for _ in range(3):
        await asyncio.sleep(0)
        ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert process.returncode is not None  # 255 where killing it twice has reaped it


@pytest.mark.usefixtures("few_are_many")
def test_where_no_process_can_be_started_the_kernel_polls(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    for n in range(FEW):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=0.5))
    watches = [session.watch(f"video_{n}") for n in range(FEW)]
    assert [watch.wait(WITHIN_S).id for watch in watches] == [watch.job_id for watch in watches]


@pytest.mark.usefixtures("few_are_many")
def test_a_process_of_another_release_is_done_without(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "shapes", lambda: ["Job.colour"])
    for n in range(FEW):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=0.5))
    watches = [session.watch(f"video_{n}") for n in range(FEW)]
    assert [watch.wait(WITHIN_S).id for watch in watches] == [watch.job_id for watch in watches]


@pytest.mark.usefixtures("few_are_many")
def test_states_from_before_a_reload_are_polled_by_the_kernel(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a reload leaves: the class of the states is no longer the one of that name.
    reloaded = dataclasses.make_dataclass("WatchState", ())
    monkeypatch.setattr("cometvid_nb.watching.state.WatchState", reloaded)
    for n in range(FEW):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=0.5))
    watches = [session.watch(f"video_{n}") for n in range(FEW)]
    assert [watch.wait(WITHIN_S).id for watch in watches] == [watch.job_id for watch in watches]


@posix_only
@pytest.mark.usefixtures("few_are_many")
def test_an_interrupt_does_not_reach_it(session: Session, sim: Simulator) -> None:
    watches = begin(session, sim)
    [process] = workers()
    assert os.getpgid(process.pid) != os.getpgid(0)  # what a terminal's Ctrl-C goes to
    process.send_signal(signal.SIGINT)
    finish(sim, watches)
    found = worker_of(session)
    assert found is not None
    assert not found.is_lost


@posix_only
@pytest.mark.usefixtures("few_are_many")
def test_a_readers_cell_gets_the_core_first(session: Session, sim: Simulator) -> None:
    watches = begin(session, sim)
    [process] = workers()
    assert process.nice() > psutil.Process().nice()
    assert os.getsid(process.pid) == os.getsid(0)  # beyond which niceness counts for nothing
    finish(sim, watches)


@pytest.mark.usefixtures("few_are_many")
def test_a_watch_that_is_stopped_is_asked_after_no_more(session: Session, sim: Simulator) -> None:
    watches = begin(session, sim)
    watches[0].stop()
    path = "/v1/videos/video_0"
    after = len(sim.requests) + 4 * FEW  # one question more may be under way
    wait_until(lambda: len(sim.requests) > after)
    late = [request.path for request in list(sim.requests)[after - 2 * FEW :]]
    assert path not in late
    assert "/v1/videos/video_1" in late
    finish(sim, watches[1:])


@pytest.mark.usefixtures("few_are_many")
def test_what_earlier_jobs_took_is_known_there(session: Session, sim: Simulator) -> None:
    session.configure(interval_s=0)
    for n in range(5):
        done = {"id": f"done_{n}", "status": "completed", "model": "sora-2", "seconds": 4}
        session.ledger.see(sim.base_url, Job.parse(done), took_s=1000.0)
    for n in range(FEW + 1):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=1, steps=(0,), ending="never"))
    watches = [session.watch(f"video_{n}") for n in range(FEW + 1)]
    last = watches[-1]  # the worker's from the first question on
    wait_until(lambda: len(last.state.checks_at_s) > 3)
    now_s, *_, third_at_s = last.state.checks_at_s
    *_, usual_at_s = PollPolicy().plan(last.state.poll, now_s, random.Random(0), most=3)
    assert third_at_s - now_s > 1.5 * (usual_at_s - now_s)
    pause_s = last.state.checks_at_s[1] - last.state.checks_at_s[0]
    assert pause_s > 0.9 * last._policy.max_delay_s  # with nothing learned it is shorter


@pytest.mark.usefixtures("few_are_many")
def test_a_card_gets_the_whole_plan_of_a_job_that_is_polled_there(
    session: Session, sim: Simulator
) -> None:
    session.configure(interval_s=0.5)
    watches = begin(session, sim)
    assert len(watches[0].state.checks_at_s) < 10
    assert watches[0].widget is not None
    sim.set_progress("video_0", 30)
    wait_until(lambda: len(watches[0].state.checks_at_s) > 50)
    assert len(watches[1].state.checks_at_s) < 10
    finish(sim, watches)


@posix_only
def test_it_ends_with_a_kernel_that_is_killed(sim: Simulator, tmp_path: Path) -> None:
    script = f"""
    import time
    import cometvid_nb.api.turns
    from cometvid_nb.session.session import Session
    from cometvid_nb.settings import Secret, Settings
    cometvid_nb.api.turns.MANY = 2
    session = Session(Settings(Secret({KEY!r}), {sim.base_url!r}, save=False, ledger="off"))
    watches = [session.watch(f"video_{{n}}") for n in range(3)]
    [server] = session._servers.values()
    while not all(watch.job for watch in watches) or not server._worker:
        time.sleep(0.05)
    while server._worker._process is None:
        time.sleep(0.05)
    print(server._worker._process.pid, flush=True)
    time.sleep(60)
    """
    for n in range(3):
        sim.add(Scenario(f"video_{n}", queue_s=0, run_s=1, steps=(0,), ending="never"))
    kernel = subprocess.Popen(
        [sys.executable, "-c", "\n".join(line[4:] for line in script.splitlines())],
        env=isolated_environ(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert kernel.stdout is not None
    polls = psutil.Process(int(kernel.stdout.readline()))
    assert polls.is_running()
    kernel.kill()
    kernel.communicate()
    wait_until(lambda: not polls.is_running() or polls.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.settings(save=False, is_simulated=True)
def test_what_was_asked_for_fills_in_answers_to_the_process_too(
    session: Session, sim: Simulator
) -> None:
    sim.add_fault(Fault(POLL, times=None, changes={"prompt": None, "size": None}))
    prompts = [f"Comet {n}" for n in range(FEW)]
    made, error = session.create([NewJob.check(prompt, size="720x1280") for prompt in prompts])
    assert error is None
    watches = [session.watch(job.id) for job in made]
    wait_until(lambda: is_all_there(session) and all(watch.job for watch in watches))
    finish(sim, watches)
    told = [(watch.job.prompt, watch.job.size) for watch in watches if watch.job]
    assert told == [(prompt, "720x1280") for prompt in prompts]
