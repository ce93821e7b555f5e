"""The machine misbehaves: kernels at once, a folder that is gone, a clock that jumps."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from textwrap import dedent

import pytest

from cometvid_nb.errors import CometVidError
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Scenario, Simulator
from cometvid_nb.watching.state import Ending
from tests.environment import isolated_environ
from tests.nosync import is_possible
from tests.simulated import KEY, environ_of

WITHIN_S = 20.0

pytestmark = pytest.mark.settings(ledger="off")


def run_python(code: str, home: Path, sim: Simulator, count: int = 1) -> list[str]:
    """What `count` processes print that run `code` at the same time, in one folder."""
    environ = isolated_environ(home) | environ_of(sim)
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "error::ResourceWarning", "-c", dedent(code)],
            cwd=home,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(count)
    ]
    said = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * count, said
    return said


def test_two_kernels_on_one_record_and_one_folder_leave_each_clip_once(
    sim: Simulator, home: Path
) -> None:
    ids = [sim.add(Scenario(f"video_{n}", queue_s=0, run_s=0.2)) for n in range(4)]
    code = f"""
        import cometvid_nb
        from cometvid_nb.session import session
        for watch in [session.current().watch(job_id, interval_s=0.3) for job_id in {ids}]:
            print(watch.wait(30).saved_path)
    """
    for said in run_python(code, home, sim, count=3):
        assert said.split() == [f"videos/{job_id}.mp4" for job_id in ids]
    files = sorted((home / "videos").glob("*.mp4"))
    assert [file.name for file in files] == [f"{job_id}.mp4" for job_id in ids]
    assert all(file.read_bytes() == sim.clip_bytes(file.stem) for file in files)


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be deleted there")
def test_without_a_working_folder_a_watch_says_so_before_anything_is_asked(
    session: Session, sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.add(Scenario("video_1", queue_s=0, run_s=0))
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(CometVidError, match="folder"):
        session.watch("video_1")
    assert sim.count() == 0


@pytest.mark.parametrize("jump_s", [-7200.0, -90.0, 90.0], ids=["back 2 h", "back", "ahead"])
def test_a_clock_that_jumps_neither_ends_nor_freezes_a_watch(
    session: Session, sim: Simulator, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    job_id = sim.add(Scenario("video_1", queue_s=0, run_s=1, steps=(0,), ending="never"))
    polls = f"GET /videos/{job_id}"
    watch = session.watch(job_id)
    assert sim.wait_for_requests(polls, 4)
    real, jumped_s = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + jumped_s[0])
    for more in (2, 3, 2, 3):  # at any point of a plan
        asked = sim.count(polls)
        jumped_s[0] += jump_s
        assert sim.wait_for_requests(polls, asked + more, within_s=5)
    sim.finish(job_id)
    ended = threading.Event()
    watch.subscribe(lambda state: ended.set() if state.is_settled else None)
    assert ended.wait(10)
    assert watch.state.ending is Ending.COMPLETED


@pytest.mark.parametrize(("is_done", "ending"), [(True, Ending.COMPLETED), (False, Ending.GAVE_UP)])
def test_who_wakes_up_behind_the_deadline_asks_once_more_before_giving_up(
    session: Session,
    sim: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    is_done: bool,
    ending: Ending,
) -> None:
    job_id = sim.add(Scenario("video_1", queue_s=0, run_s=1, steps=(0,), ending="never"))
    watch = session.watch(job_id)
    assert sim.wait_for_requests(f"GET /videos/{job_id}", 2)
    real = time.time
    if is_done:
        sim.finish(job_id)
    monkeypatch.setattr(time, "time", lambda: real() + 7200)
    ended = threading.Event()
    watch.subscribe(lambda state: ended.set() if state.is_settled else None)
    assert ended.wait(10)
    assert watch.state.ending is ending


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_an_output_with_few_signs_gets_all_that_it_can_write(tmp_path: Path, encoding: str) -> None:
    cells = r"""
        %load_ext cometvid_nb
        %cometvid config model=sora-2 interval_s=0.2
        %cometvid watch video_demo
        %cometvid status video_demo
        _
        %cometvid create "{chr(0x65e5)} {chr(0x201c)}caf{chr(233)}{chr(0x201d)}" --expand
        %cometvid jobs
        %cometvid watch video_demo video_fails video_demo video_fails video_9 --timeout 1
        %cometvid status video_nowhere
    """
    with Simulator(api_key=KEY, speed=50) as sim:
        environ = isolated_environ(tmp_path) | environ_of(sim)
        said = subprocess.run(
            [sys.executable, "-m", "IPython", "--simple-prompt", "--colors=NoColor", "--no-banner"],
            input=dedent(cells),
            env=environ | {"PYTHONIOENCODING": encoding},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding=encoding,
            timeout=60,
        ).stdout
    assert "UnicodeEncodeError" not in said
    assert "Traceback" not in said
    assert ("1280×720" if encoding == "cp1252" else "1280x720") in said
    assert "The API knows no job" in said
    assert "caf?" in said if encoding == "ascii" else "café" in said
    assert len(list((tmp_path / "videos").glob("*.mp4"))) == 2


WITHOUT_HOME = """
import os, pwd, sys, warnings
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
import cometvid_nb
from cometvid_nb.session.session import current
current().configure(interval_s=0.2)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    job = cometvid_nb.watch("video_demo").wait()
    cometvid_nb.create("A comet", model="sora-2", wait=False)
    try:
        cometvid_nb.jobs()
    except cometvid_nb.CometVidError as error:
        print("jobs:", error)
print(job.saved_path, [str(one.message) for one in told])
"""


@pytest.mark.skipif(os.name != "posix", reason="user ids are of POSIX")
def test_a_user_without_a_home_follows_jobs_and_keeps_clips(tmp_path: Path) -> None:
    with Simulator(api_key=KEY, speed=50) as sim:
        environ = isolated_environ(tmp_path / "kept") | environ_of(sim)
        bare = {k: v for k, v in environ.items() if k != "HOME" and not k.startswith("XDG_")}
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_HOME],
            env=bare,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert "videos/video_demo.mp4" in done.stdout
    assert done.stdout.rstrip().endswith("[]"), "no warning, which a filter could hide"
    assert done.stderr.count("no home directory") == 1, "the job that is not remembered is told"
    assert re.search(r"jobs: .*cannot be used \(this user has no home directory\)", done.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "videos"]


WITHOUT_SYNC = """
import warnings
warnings.simplefilter("error")
import cometvid_nb
from cometvid_nb.session.session import current
current().configure(interval_s=0.2)
print(cometvid_nb.watch("video_demo").wait().saved_path)
print([job["clip_bytes"] is not None for job in cometvid_nb.jobs()])
"""


@pytest.mark.skipif(not is_possible(), reason="there is no way to make this system's fsync fail")
@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_on_a_disk_that_cannot_sync_the_clip_is_kept_and_remembered(
    tmp_path: Path, number: int
) -> None:
    tool = Path(__file__).parents[1] / "nosync.py"
    with Simulator(api_key=KEY, speed=50) as sim:
        done = subprocess.run(
            [sys.executable, tool, str(number), sys.executable, "-c", WITHOUT_SYNC],
            env=isolated_environ(tmp_path) | environ_of(sim),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.stdout.splitlines()[-2:] == ["videos/video_demo.mp4", "[True]"], done.stderr


FORKED = """
import os, sys, warnings
warnings.simplefilter("ignore")
from cometvid_nb.session import session
here = session.current()
here.watch("video_forked")
here.poll("video_forked")
child = os.fork()
if child == 0:
    mine = session.current()
    is_well = mine is not here and mine.poll("video_forked").id == "video_forked"
    os._exit(0 if is_well else 3)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
is_well = here.poll("video_forked").id == "video_forked" and session.current() is here
sys.exit(status or (0 if is_well else 4))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_a_session_of_its_own_and_the_parent_keeps_its_own(
    tmp_path: Path,
) -> None:
    job = Scenario("video_forked", queue_s=0, ending="never")
    with Simulator(scenarios=[job]) as simulator:
        environ = isolated_environ(tmp_path) | {
            "COMETAPI_BASE_URL": simulator.base_url,
            "COMETAPI_KEY": simulator.api_key,
        }
        code = [sys.executable, "-c", FORKED]
        ended = subprocess.run(code, env=environ, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr


SUBINTERPRETER = """
import sys
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
code = '''
import cometvid_nb
for ask in (lambda: cometvid_nb.watch("video_demo", wait=True, save=False),
            lambda: cometvid_nb.create("A comet", model="sora-2", wait=True, save=False)):
    try:
        print("went", ask().job_id)
    except (cometvid_nb.CometVidError, ImportError) as error:
        print("refused", error)
'''
made = interpreters.create(*sys.argv[1:])
interpreters.run_string(made, code)
print("alive", flush=True)
if sys.version_info[:2] == (3, 12):
    # At its end 3.12.1 aborts after a mere `import ssl` in a subinterpreter.
    import os
    os._exit(0)
"""


@pytest.mark.simulator(speed=50)
def test_a_subinterpreter_follows_jobs_or_says_that_it_cannot(sim: Simulator, home: Path) -> None:
    sim.finish("video_demo")
    said = run_python(SUBINTERPRETER, home, sim)[0].splitlines()
    assert "alive" in said, said
    refusals = [line for line in said if line.startswith("refused")]
    assert len(refusals) + sum(line.startswith("went") for line in said) == 2
    assert all(re.search("Nothing was sent|subinterpreters", line) for line in refusals)
    assert sim.count("POST /videos") == (0 if refusals else 1)
