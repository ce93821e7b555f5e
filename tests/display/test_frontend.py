"""detect(): who stands at the other end."""

from __future__ import annotations

import io
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from cometvid_nb.display.frontend import (
    Frontend,
    console_in,
    detect,
    has_output_areas,
    loads_files,
)
from tests.kernel import Kernel

DETECT = """
import os
from cometvid_nb.display.frontend import detect
from cometvid_nb.notebook import shell
detect(shell(), os.environ).name"""


class Terminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Shell:
    """The surface of an IPython kernel's shell that front ends differ in."""

    kernel = object()

    def __init__(self, parent: dict[str, Any] | None = None) -> None:
        self._parent = parent

    def get_parent(self) -> dict[str, Any]:
        if self._parent is None:
            raise LookupError("no cell is running")
        return self._parent


def test_plain_python_is_a_terminal_or_not_by_its_output() -> None:
    assert detect(None, {}, Terminal()) is Frontend.TERMINAL
    assert detect(None, {}, io.StringIO()) is Frontend.PLAIN
    assert detect(object(), {}, Terminal()) is Frontend.TERMINAL


class Marimo(ModuleType):
    """The surface of marimo that is asked: a notebook that runs in this thread."""

    def __init__(self, context: object) -> None:
        super().__init__("marimo")
        self.safe_get_context = lambda: context
        self.running_in_notebook = lambda: context is not None


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (SimpleNamespace(virtual_files_supported=True), Frontend.MARIMO),
        (SimpleNamespace(virtual_files_supported=False), Frontend.MARIMO_EXPORT),
        (SimpleNamespace(), Frontend.MARIMO),
        (None, Frontend.PLAIN),  # `python notebook.py`, or a program that has imported marimo
    ],
)
def test_marimo_is_told_by_what_it_has_loaded_itself(
    monkeypatch: pytest.MonkeyPatch, context: object, expected: Frontend
) -> None:
    for name in ("marimo", "marimo._runtime.context.types"):
        monkeypatch.setitem(sys.modules, name, Marimo(context))
    found = detect(None, {}, io.StringIO())
    assert found is expected
    assert found.is_blocking == (expected is not Frontend.MARIMO)


def test_an_output_that_cannot_say_what_it_is_counts_as_a_file() -> None:
    assert detect(None, {}, object()) is Frontend.PLAIN


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ({"content": {"allow_stdin": True}}, Frontend.NOTEBOOK),
        ({"content": {"allow_stdin": False}}, Frontend.HEADLESS),
        ({"content": {}}, Frontend.NOTEBOOK),
        ({}, Frontend.NOTEBOOK),
        (None, Frontend.NOTEBOOK),
    ],
)
def test_a_kernel_is_headless_only_where_its_client_says_nobody_can_answer(
    parent: dict[str, Any] | None, expected: Frontend
) -> None:
    assert detect(Shell(parent), {}) is expected


def test_voila_never_blocks_although_it_takes_no_input() -> None:
    parent = {"content": {"allow_stdin": False}}
    found = detect(Shell(parent), {"SERVER_SOFTWARE": "voila/0.5.13"})
    assert found is Frontend.VOILA
    assert not found.is_blocking
    assert found.has_widgets
    assert detect(Shell(parent), {"SERVER_SOFTWARE": "jupyter/1"}) is Frontend.HEADLESS


def test_colab_blocks_and_still_draws_widgets() -> None:
    shell_of_colab = type("Shell", (Shell,), {"__module__": "google.colab._shell"})
    found = detect(shell_of_colab({"content": {"allow_stdin": True}}), {})
    assert found is Frontend.COLAB
    assert found.is_blocking
    assert found.has_widgets
    assert found.is_asking
    headless = detect(shell_of_colab({"content": {"allow_stdin": False}}), {})
    assert headless is Frontend.HEADLESS
    assert not loads_files(shell_of_colab(None), {})


def test_kaggle_is_a_notebook_that_loads_no_files_although_its_image_is_that_of_colab() -> None:
    shell_of_colab = type("Shell", (Shell,), {"__module__": "google.colab._shell"})
    environ = {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}
    for shell in (Shell({}), shell_of_colab({})):
        assert detect(shell, environ) is Frontend.NOTEBOOK
        assert not loads_files(shell, environ)
    assert loads_files(Shell({}), {})


def test_only_a_page_with_a_file_behind_it_settles_its_output() -> None:
    settling = [found for found in Frontend if found.is_settling]
    assert settling == [Frontend.NOTEBOOK, Frontend.COLAB]


def test_what_has_no_page_blocks() -> None:
    assert all(found.is_blocking for found in Frontend if not found.has_widgets)


def test_a_real_kernel_is_a_notebook_or_headless_by_what_its_client_allows(
    kernel: Kernel,
) -> None:
    assert kernel.run(DETECT).text == "'NOTEBOOK'\n"
    assert kernel.run(DETECT, allow_stdin=False).text == "'HEADLESS'\n"
    voila = "import os; os.environ['SERVER_SOFTWARE'] = 'voila/0.5.13'\n"
    assert kernel.run(voila + DETECT, allow_stdin=False).text == "'VOILA'\n"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"trusted": True, "deletedCells": [], "recordTiming": False, "cellId": "4e7a"}, True),
        ({"cellId": "vscode-notebook-cell:/home/a.ipynb#W1"}, False),  # VS Code
        ({}, False),
    ],
)
def test_only_jupyterlab_and_notebook_7_have_output_areas(
    metadata: dict[str, Any], expected: bool
) -> None:
    assert has_output_areas(Shell({"metadata": metadata})) is expected
    assert not has_output_areas(Shell(None))
    assert not has_output_areas(None)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/env/bin/python3.11 /env/bin/jupyter-console --existing", Frontend.TERMINAL),
        (r"C:\env\python.exe -m jupyter_console", Frontend.TERMINAL),
        ("/env/bin/python -m qtconsole", Frontend.TERMINAL),
        ("/env/bin/python /env/bin/jupyter-run script.py", Frontend.PLAIN),
        ("/env/bin/python /env/bin/jupyter-lab --notebook-dir jupyter-console", None),
        ("/env/bin/python -m jupyter_server", None),
        ("/usr/bin/code --type=extensionHost", None),
        ("", None),
    ],
)
def test_a_console_of_jupyter_is_known_by_the_command_that_has_started_the_kernel(
    command: str, expected: Frontend | None
) -> None:
    assert console_in(command.split()) is expected
