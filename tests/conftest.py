"""What every test can ask for: a real kernel, a headless run, an environment without keys."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import nbformat
import pytest

from tests.kernel import Kernel, run_notebook
from tests.stage import Stage, open_stage

# An example may be slow because the machine is busy; `timeout` in pyproject.toml ends what hangs.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# A shell starts its background jobs with interrupts ignored, and every child inherits that: then
# no kernel or terminal of a test could be interrupted. A handler here makes it the default there.
signal.signal(signal.SIGINT, signal.default_int_handler)

NotebookRun = Callable[..., nbformat.NotebookNode]
"""`notebook_run(cells, **options)`; the options are those of `tests.kernel.run_notebook`."""


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own key and address: no test may reach the real endpoint."""
    for name in [n for n in os.environ if n.startswith(("COMETAPI", "COMETVID_API"))]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_record(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the developer's own record of jobs out of reach."""
    folder = tmp_path_factory.getbasetemp() / "records" / secrets.token_hex(4)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))  # made only if a record is written


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home for child processes; a kernel and a headless run work in `home / "work"`."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def kernel(home: Path) -> Iterator[Kernel]:
    """A fresh kernel in its own process and home."""
    kernel = Kernel(home)
    try:
        kernel.start()
        yield kernel
    finally:
        kernel.stop()


@pytest.fixture
def notebook_run(home: Path) -> NotebookRun:
    """Run cells headless, as `jupyter execute` does."""

    def run(cells: list[str], **options: object) -> nbformat.NotebookNode:
        return run_notebook(cells, home, **options)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def _module_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("home")) as stage:
        yield stage


@pytest.fixture
def stage(_module_stage: Stage) -> Iterator[Stage]:
    """A kernel with the magic loaded, and its simulator; the tests of a file share one process.

    Whatever a test does, the key stays at home.
    """
    _module_stage.reset()
    yield _module_stage
    _module_stage.assert_no_key()
