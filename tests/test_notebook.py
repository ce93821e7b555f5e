"""The notebook around us: its shell, and its cells by number."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cometvid_nb.notebook import (
    cell_number,
    lasting_id,
    notebook_in,
    parameters_in,
    running_cell,
    shell,
)
from tests.environment import isolated_environ
from tests.kernel import Kernel


def test_outside_ipython_there_is_neither_a_shell_nor_a_cell() -> None:
    assert shell() is None
    assert cell_number() is None
    assert running_cell() is None


def test_cells_are_told_apart_by_their_number(kernel: Kernel) -> None:
    number = "from cometvid_nb.notebook import cell_number\ncell_number() - "
    first = kernel.run(number + "cell_number()")
    assert first.text == "0\n"
    kernel.run("here = cell_number()")
    assert kernel.run(number + "here").text == "1\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python /bin/jupyter-execute --inplace n.ipynb", "n.ipynb"),
        ("jupyter nbconvert --to html --execute n.ipynb --output out.ipynb", "n.ipynb"),
        ("jupyter nbconvert --execute --output=out.ipynb a/N.IPYNB", "a/N.IPYNB"),
        ("python /bin/papermill --log-output in.ipynb out.ipynb -p x 1", "in.ipynb"),
        ("papermill s3://bucket/in.ipynb out.ipynb", "s3://bucket/in.ipynb"),
        ("jupyter execute a.ipynb b.ipynb", None),
        ("python -m pytest tests", None),
        ("", None),
    ],
)
def test_the_notebook_of_a_headless_run_stands_on_its_command_line(
    line: str, expected: str | None
) -> None:
    assert notebook_in(line.split()) == expected


def test_the_command_of_a_headless_run_is_found_behind_a_launcher(home: Path) -> None:
    # As on Windows, where a kernel in a virtual environment is the child of another Python.
    ask = "from cometvid_nb.notebook import _notebook_of_parent; print(_notebook_of_parent())"
    launcher = f"""
import os, subprocess, sys
if os.environ.pop("LAUNCHES", ""):
    sys.exit(subprocess.call([sys.executable, *sys.orig_argv[1:]]))
{ask}
"""
    kernel = home / "kernel.py"
    kernel.write_text(launcher, encoding="utf-8")
    run = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, sys.argv[1]]))"
    for launches in ("", "yes"):
        done = subprocess.run(
            [sys.executable, "-c", run, str(kernel), "work/n.ipynb"],
            cwd=home,
            env=isolated_environ(home) | {"LAUNCHES": launches},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        assert done.stdout.strip() == str((home / "work/n.ipynb").resolve())


RUN = "from cometvid_nb.notebook import running_cell\nprint(running_cell())"


def test_a_kernel_that_nobody_has_named_a_notebook_to_runs_none(kernel: Kernel) -> None:
    assert kernel.run(RUN).text == "None\n"
    kernel.run("import os; os.environ['JPY_SESSION_NAME'] = 'Console 1'")
    assert kernel.run(RUN).text == "None\n"
    kernel.run("os.environ['JPY_SESSION_NAME'] = 'n.ipynb'")
    assert f"notebook='{kernel.cwd.resolve() / 'n.ipynb'}'" in kernel.run(RUN).text
    # The environment of a headless run may be that of the notebook which has started it.
    assert kernel.run(RUN, allow_stdin=False).text == "None\n"


@pytest.mark.parametrize(
    ("told", "minor", "lasting"),
    [
        ("1b2c-3d_4", 5, "1b2c-3d_4"),
        ("1b2c-3d_4", 4, None),
        ("vscode-notebook-cell:/n.ipynb#W0sZmlsZQ==", 5, None),
    ],
)
def test_an_id_lasts_if_the_file_of_the_notebook_keeps_it(
    tmp_path: Path, told: str, minor: int, lasting: str | None
) -> None:
    notebook = tmp_path / "n.ipynb"
    notebook.write_text(f'{{"cells": [], "nbformat": 4, "nbformat_minor": {minor}}}')
    assert lasting_id(told, str(notebook)) == lasting


def test_other_parameters_of_papermill_make_another_notebook() -> None:
    runs = ["a.ipynb o.ipynb", "a.ipynb o.ipynb -p x 1", "a.ipynb o.ipynb -p x 2"]
    marks = {parameters_in(f"papermill {run}".split()) for run in runs}
    assert len(marks) == 3
    same = [f"papermill a.ipynb {out} --parameters x 1" for out in ("b.ipynb", "c.ipynb")]
    assert len({parameters_in(line.split()) for line in same}) == 1


FOLDER = "from cometvid_nb.notebook import notebook_folder\nprint(notebook_folder())"


def test_the_folder_of_clips_is_that_of_the_notebook_vs_code_tells(
    kernel: Kernel, tmp_path: Path
) -> None:
    notebook = tmp_path / "project" / "cut.ipynb"
    notebook.parent.mkdir()
    kernel.run(f"__vsc_ipynb_file__ = {str(notebook)!r}")
    assert kernel.run(FOLDER).text == f"{notebook.parent}\n"
    for elsewhere in ("Untitled-1.ipynb", "/Untitled-1.ipynb", "/no/such/folder/a.ipynb", "a\0b"):
        kernel.run(f"__vsc_ipynb_file__ = {elsewhere!r}")
        assert kernel.run(FOLDER).text == f"{kernel.cwd}\n", elsewhere


ROOT = "from cometvid_nb.notebook import served_root\nprint(served_root())"


def test_a_jupyter_server_tells_its_root_beside_the_connection_file(kernel: Kernel) -> None:
    assert kernel.run(ROOT).text == "None\n"
    kernel.run(
        "import os, pathlib\nos.environ['JPY_PARENT_PID'] = '77'\n"
        "note = pathlib.Path(get_ipython().kernel.parent.abs_connection_file)\n"
        "note = note.with_name('jpserver-77.json')\n"
        """_ = note.write_text('{"root_dir": "/srv/work"}')"""
    )
    assert kernel.run(ROOT).text == "/srv/work\n"
    kernel.run("_ = note.write_text('[]')")
    assert kernel.run(ROOT).text == "None\n"
    kernel.run("note.unlink()\n__vsc_ipynb_file__ = '/elsewhere/a.ipynb'")
    assert kernel.run(ROOT).text == f"{kernel.cwd}\n"  # the workspace


def test_inside_a_browser_every_way_in_says_in_one_sentence_that_nothing_can_run(
    kernel: Kernel,
) -> None:
    kernel.run("import sys, cometvid_nb; sys.platform = 'emscripten'")  # JupyterLite's Python
    assert kernel.run("%load_ext cometvid_nb").error is None
    for code in (
        "%cometvid watch video_1",
        "cometvid_nb.watch('video_1')",
        "cometvid_nb.JobWidget",
    ):
        result = kernel.run(code)
        assert "cannot run inside a browser" in result.text + str(result.error), code
        assert "Traceback" not in result.text
