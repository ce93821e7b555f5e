"""`%cometvid demo`: what it makes fail on request, and what outlives its kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.bench import Bench
from tests.environment import isolated_environ

SCRIPT = """
    import os, signal, sys
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "cometvid_nb")
    for line in sys.argv[1:]:
        result = shell.run_line_magic("cometvid", line)
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(home: Path, *lines: str, notebook: str = "a.ipynb") -> str:
    """What a kernel of the notebook printed until it was killed, right after these lines."""
    command = [sys.executable, "-c", dedent(SCRIPT), *lines]
    environ = isolated_environ(home) | {"JPY_SESSION_NAME": notebook}
    done = subprocess.run(
        command, env=environ, cwd=home, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == -9, done.stderr
    return done.stdout


def said(bench: Bench, code: str) -> str:
    result = bench.run(code)
    return result.text + (result.error or "")


def test_the_simulated_jobs_of_a_killed_kernel_are_resumed_and_saved(home: Path) -> None:
    create = "create 'A comet' --model sora-2 --size 720x1280 --no-watch"
    told = killed(home, "demo --speed 60", create, "jobs")
    assert "%cometvid resume" not in told.partition("Created")[0]
    job_id = told.split("Created ")[1].split(".")[0]
    # Another notebook has a simulation of its own.
    assert job_id not in killed(home, "demo --speed 60", "jobs", notebook="b.ipynb")
    told = killed(home, "demo --speed 60", "resume --wait")
    assert "Jobs from before:     %cometvid resume" in told
    assert (home / "videos" / f"{job_id}.mp4").stat().st_size > 10_000
    assert len([*(home / "xdg-data").rglob("simulations/*/port")]) == 2, "one for each notebook"
    assert not list((home / "xdg-data" / "cometvid_nb").glob("ledger*")), "the real one"
    assert "of the simulation come back with %cometvid demo" in killed(home, "jobs")
    assert "of the simulation" not in killed(home, "jobs", notebook="c.ipynb")


@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [
        ("down", "%cometvid status video_demo", "503"),
        ("lost", "%cometvid create 'A comet' --model sora-2 --no-watch", "%cometvid jobs"),
        ("broke", "%cometvid create 'A comet' --model sora-2 --no-watch", "balance"),
    ],
)
def test_a_trouble_hits_the_next_request_and_no_other(
    bench: Bench, trouble: str, code: str, words: str
) -> None:
    bench.run("%cometvid demo --speed 60")
    assert said(bench, f"%cometvid demo --trouble {trouble}")
    assert words in said(bench, code)
    assert bench.run(code).error is None


def test_polls_go_on_through_the_trouble_busy(bench: Bench) -> None:
    bench.run("%cometvid demo --speed 60\n%cometvid demo --trouble busy")
    assert bench.run("%cometvid watch video_square --wait").error is None
    problems = {card["problem"] for card in bench.cards("video_square")}
    assert any(problem and "429" in problem for problem in problems), json.dumps(list(problems))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("%cometvid demo --trouble rain", "busy, down, lost, broke"),
        ("%cometvid demo --trouble busy", "run %cometvid demo first"),
    ],
)
def test_a_trouble_that_cannot_be_is_told(bench: Bench, lines: str, words: str) -> None:
    assert words in said(bench, lines)
