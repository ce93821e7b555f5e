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


LONG = (
    "test_lint",
    "product/test_notebooks",
    "browser/test_gallery_page",
    "browser/test_installed",
    "watching/test_worker",
    "browser/test_watch",
    "product/test_canary",
    "browser/test_saving",
    "watching/test_watch",
    "browser/test_front_ends",
    "display/test_page",
    "browser/test_gallery",
    "magic/test_watch",
    "browser/test_watch_faults",
    "display/test_headless",
    "browser/test_notebooks",
    "product/test_soak",
    "browser/test_card_states",
    "display/test_gallery_view",
    "browser/test_accessibility",
    "product/test_hostile_weather",
    "browser/test_watch_elsewhere",
    "product/test_exports",
)
"""The files that take longest, half of them at work and half of them waiting. They go first and
mixed, so that the cores have something to do at any time, and at the end none is left alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; within a file the order stays."""
    here = Path(__file__).parent
    place = {here / f"{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path, len(LONG)))


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
