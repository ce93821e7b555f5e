"""`python -m cometvid_nb`: the simulator for any program, and the demo in JupyterLab."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cometvid_nb.__main__ import FIRST_NOTEBOOK, MARIMO_NOTEBOOK, main
from tests.environment import isolated_environ

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
PYTHON_M = [sys.executable, "-m", "cometvid_nb"]


@contextmanager
def simulating(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the line it prints."""
    with subprocess.Popen(
        [*PYTHON_M, "simulate", *arguments],
        env=isolated_environ(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_simulate_prints_one_json_line_serves_until_told_to_stop_and_exits_0(
    home: Path, number: signal.Signals
) -> None:
    with simulating(home, "--port", "0", "--speed", "100") as (process, line):
        told = json.loads(line)
        headers = {"Authorization": f"Bearer {told['api_key']}"}
        answer = httpx.get(f"{told['base_url']}/videos/video_demo", headers=headers)
        assert answer.json()["id"] == "video_demo"
        assert "video_demo" in told["jobs"]
        process.send_signal(number)
        rest, complaints = process.communicate(timeout=20)
        assert (process.returncode, rest, complaints) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_simulate_tells_people_in_a_terminal_what_to_type(home: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    command = [*PYTHON_M, "simulate", "--speed", "100"]
    with subprocess.Popen(
        command, env=isolated_environ(home), stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        told = b""
        while b"watch video_demo" not in told:
            told += os.read(ours, 4096)
        text = told.decode()
        url = re.search(r"Base URL +(\S+)", text)
        key = re.search(r"API key +(\S+)", text)
        assert url is not None
        assert key is not None
        headers = {"Authorization": f"Bearer {key[1]}"}
        assert httpx.get(f"{url[1]}/videos/video_demo", headers=headers).is_success
        assert f"%cometvid config base_url={url[1]}" in text
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    os.close(ours)


def test_simulate_may_be_strict_speak_a_dialect_and_want_no_key(home: Path) -> None:
    options = ["--strict", "--no-key", "--dialect", "created_location", "--ids", "slashes"]
    with simulating(home, *options) as (_, line):
        told = json.loads(line)
        assert told["api_key"] is None
        url = f"{told['base_url']}/videos"
        made = httpx.post(url, files={"prompt": (None, "a comet")})
        assert "models%2Fveo-3.1%2F" in made.headers["Location"]
        refused = httpx.post(url, files={"prompt": (None, "a comet"), "seed": (None, "7")})
        assert refused.status_code == 400


def test_a_taken_port_is_said_in_a_line(home: Path) -> None:
    with simulating(home) as (_, line):
        port = json.loads(line)["base_url"].split(":")[2].split("/")[0]
        with simulating(home, "--port", port) as (second, nothing):
            _, complaints = second.communicate(timeout=20)
    assert nothing == ""
    assert second.returncode not in (0, None)
    assert f"port {port}" in complaints
    assert "Traceback" not in complaints


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["simulat"],
        ["simulate", "--port", "x"],
        ["simulate", "--port", "70000"],
        ["simulate", "--sped", "2"],
        ["simulate", "--speed", "0"],
        ["simulate", "--dialect", "klingon"],
        ["simulate", "--ids", "roman"],
    ],
)
def test_a_mistake_on_the_line_is_status_2_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: python -m cometvid_nb" in capsys.readouterr().err


def demo_command(home: Path, *arguments: str) -> tuple[list[str], str]:
    """What `demo` hands its process over to, and what it prints before."""
    script = (
        "import os, sys, json; from cometvid_nb.__main__ import main\n"
        "os.execv = lambda path, command: print(json.dumps(command))\n"
        "main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "demo", *arguments],
        env=isolated_environ(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said, command = done.stdout.strip().splitlines()
    parts: list[str] = json.loads(command)
    return parts, said


def test_demo_opens_jupyterlab_on_the_first_notebook_and_passes_the_rest_on(home: Path) -> None:
    command, said = demo_command(home, "--no-browser", "--port", "8890")
    assert command[1:3] == ["-m", "jupyterlab"]
    assert command[-3:] == ["--no-browser", "--port", "8890"]
    assert f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}" in command
    assert ("--allow-root" in command) == (os.geteuid() == 0)
    [root] = [part.partition("=")[2] for part in command if "root_dir" in part]
    assert (Path(root) / FIRST_NOTEBOOK).is_file()
    assert Path(root) != NOTEBOOKS  # saving one there would be a change of the repository
    assert root in said


def test_demo_copies_the_notebooks_where_it_is_told_and_overwrites_nothing(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "demo"
    command, _ = demo_command(home, "--dir", str(folder))
    assert f"--ServerApp.root_dir={folder}" in command
    assert (folder / FIRST_NOTEBOOK).is_file()
    (folder / FIRST_NOTEBOOK).write_text("mine")
    demo_command(home, "--dir", str(folder))
    assert (folder / FIRST_NOTEBOOK).read_text() == "mine"


def test_demo_opens_marimo_on_its_notebook_where_that_is_wanted(home: Path, tmp_path: Path) -> None:
    command, said = demo_command(home, "--marimo", "--dir", str(tmp_path), "--headless")
    assert command[1:5] == ["-m", "marimo", "edit", "--no-sandbox"]
    assert command[5:] == ["--headless", str(tmp_path / MARIMO_NOTEBOOK)]
    assert (tmp_path / MARIMO_NOTEBOOK).is_file()
    assert str(tmp_path) in said
