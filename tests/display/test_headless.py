"""A notebook that runs with nobody looking waits by itself, and its file holds the player."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.bench import WIDGET
from tests.conftest import NotebookRun
from tests.environment import isolated_environ

CELLS = ["%load_ext cometvid_nb", "%cometvid demo --speed 100", "job = %cometvid watch video_demo"]
AFTER = "print(job.job.status.value)"


def execute(home: Path, tool: list[str], cells: list[str]) -> subprocess.CompletedProcess[str]:
    """Run `notebook.ipynb` in `home/work` by a command line tool."""
    folder = home / "work"
    folder.mkdir()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, folder / "notebook.ipynb")
    return subprocess.run(
        [sys.executable, "-m", *tool],
        cwd=folder,
        env=isolated_environ(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def assert_plays(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """The last but one cell shows the player, alone, and the clip lies beside the notebook."""
    [output] = notebook.cells[2].outputs
    assert "<video controls" in output.data["text/html"]
    assert 'src="videos/video_demo.mp4"' in output.data["text/html"]
    assert "Simulation" in output.data["text/html"]
    assert notebook.cells[3].outputs[0].text == "completed\n"
    whole = nbformat.writes(notebook)
    assert WIDGET not in whole
    assert "widget" not in str(notebook.metadata)
    assert "model not found" not in whole
    assert "simulated-key" not in whole
    assert (folder / "videos" / "video_demo.mp4").read_bytes()[4:8] == b"ftyp"


def test_jupyter_execute_waits_and_keeps_the_player(notebook_run: NotebookRun, home: Path) -> None:
    assert_plays(notebook_run([*CELLS, AFTER]), home / "work")


def test_nbconvert_makes_a_page_with_the_player(home: Path) -> None:
    tool = ["jupyter", "nbconvert", "--execute", "--to", "html", "notebook.ipynb"]
    done = execute(home, tool, [*CELLS, AFTER])
    assert done.returncode == 0, done.stderr
    page = (home / "work" / "notebook.html").read_text()
    assert 'src="videos/video_demo.mp4"' in page
    assert f'<script type="{WIDGET}"' not in page
    assert "model not found" not in page


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="papermill may lag behind a new Python")
def test_papermill_waits_and_keeps_the_player(home: Path) -> None:
    done = execute(home, ["papermill", "notebook.ipynb", "out.ipynb"], [*CELLS, AFTER])
    assert done.returncode == 0, done.stderr
    assert_plays(nbformat.read(home / "work" / "out.ipynb", as_version=4), home / "work")


def test_a_failed_job_fails_the_run_and_says_why_in_one_line(home: Path) -> None:
    cells = [*CELLS[:2], "%cometvid watch video_fails", "print('not reached')"]
    tool = ["jupyter", "execute", "--inplace", "notebook.ipynb"]
    done = execute(home, tool, cells)
    assert done.returncode != 0
    reason = "JobFailed: video_fails failed: Your request was blocked by our moderation system."
    assert reason in done.stderr.splitlines()


def test_nbclient_keeps_what_each_cell_said_also_after_an_error(home: Path) -> None:
    cells = [
        *CELLS[:2],
        "import cometvid_nb as c; c.JobWidget('video_stuck')",
        "job = c.watch('video_portrait')\nprint(job.job.status.value)",
        "%cometvid watch video_fails",
        "print('reached, as errors are allowed')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    folder = home / "work"
    folder.mkdir()
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, allow_errors=True, resources=resources)
    client.execute(env=isolated_environ(home))
    alone, watched, failed = (cell.outputs for cell in notebook.cells[2:5])
    assert "video_stuck" in alone[0].data["text/html"]  # a widget shows; it does not wait
    assert 'src="videos/video_portrait.mp4"' in watched[0].data["text/html"]
    assert watched[1].text == "completed\n"
    assert "blocked by our moderation system" in failed[0].data["text/html"]
    assert (failed[1].output_type, failed[1].ename) == ("error", "JobFailed")
    assert failed[1].evalue.startswith("video_fails failed: ")
    assert failed[1].traceback == [f"JobFailed: {failed[1].evalue}"]
