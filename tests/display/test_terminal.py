"""A terminal and a plain script: one line that moves, and ends in the place of the clip."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from cometvid_nb.simulator import Scenario, Simulator
from tests.environment import isolated_environ
from tests.simulated import KEY, environ_of

pytestmark = pytest.mark.simulator(speed=20)

PROMPT = r"In \[\d+\]: "
SCRIPT = (
    "import cometvid_nb\njob = cometvid_nb.watch('video_1', interval_s=0.2).job\nprint(job.status)"
)


@pytest.fixture
def environ(sim: Simulator, home: Path) -> dict[str, str]:
    return isolated_environ(home) | environ_of(sim) | {"TERM": "xterm"}


def add_job(sim: Simulator, job_id: str = "video_1") -> str:
    return sim.add(Scenario(job_id, queue_s=0, run_s=1, steps=(0,), ending="never"))


@contextmanager
def terminal(home: Path, environ: dict[str, str], *arguments: str) -> Iterator[pexpect.spawn[str]]:
    """A Python in a terminal of 24 lines and 79 columns."""
    child = pexpect.spawn(
        sys.executable,
        list(arguments),
        cwd=str(home),
        env=environ,
        encoding="utf-8",
        timeout=30,
        dimensions=(24, 79),
    )
    try:
        yield child
    finally:
        child.close(force=True)


def said(child: pexpect.spawn[str]) -> str:
    """What came before the last thing expected."""
    assert child.before is not None
    return child.before


def run_piped(
    home: Path, environ: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=home,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


CONSOLE = ["-m", "jupyter_console", "--simple-prompt"]
IPYTHON = ["-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit"]


@pytest.mark.parametrize("shell", [[*IPYTHON, "--colors=nocolor"], CONSOLE])
def test_ipython_and_jupyter_console_show_one_line_in_place_and_end_in_the_path(
    home: Path, environ: dict[str, str], sim: Simulator, shell: list[str]
) -> None:
    add_job(sim)
    environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or a kernel warns, whenever it likes
    with terminal(home, environ, *shell) as child:
        child.expect(PROMPT)
        child.sendline("%load_ext cometvid_nb")
        child.expect(PROMPT)
        child.sendline("%cometvid watch video_1 --interval 0.2")
        child.expect("video_1  .*Asking the API|video_1  .*In progress")
        sim.set_progress("video_1", 50)
        child.expect("In progress, 50%")
        sim.finish("video_1")
        child.expect("video_1 · Completed")
        assert "\n" not in said(child)  # drawn over itself until the end
        child.expect(PROMPT)
        assert said(child).splitlines()[1] == "videos/video_1.mp4"
        assert KEY not in said(child)
        assert (home / "videos" / "video_1.mp4").is_file()


def test_ctrl_c_stops_the_waiting_but_neither_the_prompt_nor_the_watch(
    home: Path, environ: dict[str, str], sim: Simulator
) -> None:
    add_job(sim)
    with terminal(home, environ, *IPYTHON) as child:
        child.expect(PROMPT)
        child.sendline("%load_ext cometvid_nb")
        child.expect(PROMPT)
        child.sendline("%cometvid watch video_1 --interval 0.2")
        child.expect("In progress")
        child.sendintr()
        child.expect_exact("\rStopped waiting. The watch goes on: %cometvid wait video_1")
        child.expect(PROMPT)
        assert "Traceback" not in said(child)
        sim.finish("video_1")
        child.sendline("6 * 7")
        child.expect("42")
        child.sendline("%cometvid wait video_1")
        child.expect(r"videos/video_1\.mp4\r\n")  # said anew, as the first line was left
        child.expect(PROMPT)
        child.sendline("exit")
        child.expect(pexpect.EOF)


def test_ipython_leaves_at_once_while_a_watch_runs(
    home: Path, environ: dict[str, str], sim: Simulator
) -> None:
    add_job(sim)
    with terminal(home, environ, *IPYTHON) as child:
        child.expect(PROMPT)
        child.sendline(
            "import cometvid_nb as c; w = c.watch('video_1', wait=False, interval_s=0.2)"
        )
        child.expect(PROMPT)
        assert sim.wait_for_requests("GET /videos/video_1", 3)
        child.sendline("6 * 7")
        child.expect(PROMPT)
        assert "video_1" not in said(child)  # nothing is printed into what somebody types
        child.sendline("exit")
        child.expect(pexpect.EOF, timeout=5)


def test_a_script_into_a_pipe_writes_plain_lines(
    home: Path, environ: dict[str, str], sim: Simulator
) -> None:
    sim.add(Scenario("video_1", queue_s=10, run_s=20, steps=(0, 20, 40, 60, 80)))
    (home / "script.py").write_text(SCRIPT)
    done = run_piped(home, environ, "-W", "error", "script.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\r" not in done.stdout
    assert "\x1b" not in done.stdout
    first, *_, last, path, end = done.stdout.splitlines()
    assert first.startswith("video_1  Asking the API")
    assert last.startswith("video_1 · Completed · sora-2 · 640×360 · 4 s"), "as its file is"
    assert (path, end) == ("videos/video_1.mp4", "completed")
    assert len(done.stdout.splitlines()) <= 6  # a line for a phase, not for a poll


def test_a_script_in_a_terminal_redraws_its_line(
    home: Path, environ: dict[str, str], sim: Simulator
) -> None:
    add_job(sim)
    (home / "script.py").write_text(SCRIPT)
    with terminal(home, environ, "script.py") as child:
        child.expect("\rvideo_1 .*In progress  ")
        sim.set_progress("video_1", 75)
        child.expect("\rvideo_1 .*In progress, 75%")
        sim.finish("video_1")
        child.expect("videos/video_1.mp4\r\ncompleted\r\n")
        child.expect(pexpect.EOF)


def test_ctrl_c_in_a_script_ends_it_as_python_users_expect(
    home: Path, environ: dict[str, str], sim: Simulator
) -> None:
    add_job(sim)
    (home / "script.py").write_text(SCRIPT)
    with terminal(home, environ, "script.py") as child:
        child.expect("In progress")
        child.sendintr()
        child.expect("KeyboardInterrupt")
        child.expect(pexpect.EOF, timeout=10)


def test_a_failed_job_in_a_script_is_written_and_raised_by_result(
    home: Path, environ: dict[str, str], sim: Simulator
) -> None:
    add_job(sim)
    sim.fail("video_1", "Blocked.")
    code = (
        "import cometvid_nb as c\n"
        "try: c.watch('video_1').wait()\n"
        "except c.JobFailed as error: print(error)"
    )
    done = run_piped(home, environ, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert "video_1 · Failed" in done.stdout
    assert done.stdout.endswith("video_1 failed: Blocked.\n")


def test_several_jobs_in_a_terminal_share_one_line(
    home: Path, environ: dict[str, str], sim: Simulator
) -> None:
    ids = [add_job(sim, "video_1"), add_job(sim, "video_2")]
    with terminal(home, environ, *IPYTHON) as child:
        child.expect(PROMPT)
        child.sendline("%load_ext cometvid_nb")
        child.expect(PROMPT)
        child.sendline(f"%cometvid watch {' '.join(ids)} --interval 0.2")
        child.expect("2 jobs to go")
        sim.finish("video_1")
        child.expect(r"videos/video_1\.mp4\r\n")
        child.expect("\rvideo_2 .*In progress")
        sim.finish("video_2")
        child.expect(r"videos/video_2\.mp4\r\n")
        child.expect(PROMPT)
