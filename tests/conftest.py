"""What every test can ask for: a real kernel, a headless run, an environment without keys."""

from __future__ import annotations

import gc
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
import nbformat
import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from cometvid_nb.api.client import Client
from cometvid_nb.session import session as sessions
from cometvid_nb.session.session import Session
from cometvid_nb.settings import Settings
from cometvid_nb.simulator import Simulator
from tests.bench import Bench, open_bench
from tests.kernel import Kernel, run_notebook
from tests.simulated import KEY, environ_of, settings_of

# An example may be slow because the machine is busy; `timeout` in pyproject.toml ends what hangs.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# A shell starts its background jobs with interrupts ignored, and every child inherits that: then
# no kernel or terminal of a test could be interrupted. A handler here makes it the default there.
signal.signal(signal.SIGINT, signal.default_int_handler)

NotebookRun = Callable[..., nbformat.NotebookNode]
"""`notebook_run(cells, **options)`; the options are those of `tests.kernel.run_notebook`."""


LONG = (
    ("browser/test_saving", "browser/test_watch_faults"),
    (
        "browser/test_watch",
        "browser/test_watch_elsewhere",
        "browser/test_harness",
        "browser/test_rerun",
        "browser/test_vscode",
    ),
    (
        "browser/test_gallery",
        "browser/test_keys",
        "browser/test_beside",
        "browser/test_installed",
    ),
    ("browser/test_front_ends", "browser/test_notebooks"),
    ("browser/test_gallery_page", "browser/test_card_states", "browser/test_accessibility"),
    (
        "browser/test_gallery_place",
        "browser/test_jobs_page",
        "browser/test_actions",
        "browser/test_notices",
        "browser/test_styles",
        "browser/test_compare",
        "browser/test_touch",
        "browser/test_leaks",
        "browser/test_clip_kinds",
    ),
    ("test_lint",),
    ("browser/test_marimo",),
    ("product/test_marimo",),
    ("product/test_notebooks",),
    ("colab/test_colab",),
    ("watching/test_worker",),
    ("magic/test_watch",),
    ("product/test_hostile_weather",),
    ("watching/test_watch",),
    ("display/test_gallery_view",),
    ("display/test_page",),
    ("display/test_headless",),
    ("api/test_client",),
    ("ledger/test_ledger",),
    ("product/test_canary",),
    ("product/test_soak",),
    ("magic/test_magics",),
    ("magic/test_create",),
    ("magic/test_rerun",),
    ("product/test_exports",),
    ("clips/test_save",),
)
"""What takes longest goes first, half of it at work and half of it waiting, so that the cores have
something to do at any time and at the end none is left alone. Files in one row go to one worker,
which starts one JupyterLab, if they need it, and one Chromium for them all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; within a file the order stays."""
    order = {f"tests/{name}.py": place for place, name in enumerate(chain(*LONG))}
    items.sort(key=lambda item: order.get(item.nodeid.partition("::")[0], len(order)))


class RowByRow(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Hands a row of `LONG`, or else a file, to a worker that is free."""

    rows: ClassVar = {f"tests/{name}.py": row[0] for row in LONG for name in row}

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return self.rows.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> RowByRow | None:
    """Take part where `make test` lets pytest-xdist share out whole files."""
    return RowByRow(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all that was imported and collected: it stays."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own key and address: no test may reach the real endpoint."""
    for name in [n for n in os.environ if n.startswith(("COMETAPI", "COMETVID_API"))]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_record(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the developer's own ledger of jobs out of reach."""
    folder = tmp_path_factory.getbasetemp() / "records" / secrets.token_hex(4)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))  # made only if a record is written
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))


@pytest.fixture(autouse=True)
def _one_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust one authority and not 140: no test needs any, and each client reads them all."""
    monkeypatch.setenv("SSL_CERT_FILE", str(Path(__file__).parent / "nobody.pem"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home for child processes; a kernel and a headless run work in `home / "work"`."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def clock() -> Callable[[], float]:
    """The clock of `sim`, in unix seconds: this machine's, unless a file has one of its own."""
    return time.time


@pytest.fixture
def sim(request: pytest.FixtureRequest, clock: Callable[[], float]) -> Iterator[Simulator]:
    """A simulator on real sockets that knows `KEY`.

    `@pytest.mark.simulator(speed=20)` on a test, or `pytestmark` in a file, gives it other options
    of `Simulator`; `kind=Forgetful` among them makes it one of that class.
    """
    options: dict[str, Any] = {"kind": Simulator, "api_key": KEY, "clock": clock}
    for mark in reversed(list(request.node.iter_markers("simulator"))):  # the test's own wins
        options |= mark.kwargs
    with options.pop("kind")(**options) as simulator:
        yield simulator


@pytest.fixture
def settings(request: pytest.FixtureRequest, sim: Simulator, tmp_path: Path) -> Settings:
    """Settings that lead to `sim`, with quick polls and a ledger of the test's own.

    `@pytest.mark.settings(ledger="off")` on a test, or `pytestmark` in a file, gives other values.
    """
    values: dict[str, Any] = {"ledger": str(tmp_path / "ledger.sqlite3"), "interval_s": 0.2}
    for mark in reversed(list(request.node.iter_markers("settings"))):
        values |= mark.kwargs
    return settings_of(sim, **values)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    """A client of `sim`, closed after the test."""
    async with Client(settings) as client:
        yield client


@pytest.fixture
def open_session(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Session]]:
    """Open sessions as kernels do, `open_session(save=False)`; all share one ledger and folder."""
    monkeypatch.chdir(tmp_path)
    opened: list[Session] = []

    def open_session(**changes: Any) -> Session:
        opened.append(Session(replace(settings, **changes)))
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()


@pytest.fixture
def session(open_session: Callable[..., Session]) -> Session:
    """A session with `sim`, in a folder of its own."""
    return open_session()


@pytest.fixture
def process_sim(
    sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Simulator]:
    """`sim`, where the session of this process finds it: what `cometvid_nb.watch` will ask."""
    for name, value in environ_of(sim).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    sessions.end()
    yield sim
    sessions.end()


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
def _module_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("home")) as bench:
        yield bench


@pytest.fixture
def bench(_module_bench: Bench) -> Iterator[Bench]:
    """A kernel with the magic loaded, and its simulator; the tests of a file share one process.

    Whatever a test does, the key stays at home.
    """
    _module_bench.reset()
    yield _module_bench
    _module_bench.assert_no_key()


@pytest.fixture
def fresh(bench: Bench, tmp_path: Path) -> Bench:
    """The bench with a ledger and a folder for clips of the test's own, and quick polls."""
    ledger = tmp_path / "ledger.sqlite3"
    bench.run(f"%cometvid config ledger={ledger} interval_s=0.2 save_dir={tmp_path.name}")
    bench.simulator.requests.clear()
    bench.kernel.messages.clear()
    return bench
