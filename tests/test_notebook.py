"""The notebook around us: its shell, and its cells by number."""

from __future__ import annotations

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
