"""The built wheel in a real page: with this environment's libraries, and with the oldest allowed.

No kernel here sees the source tree. What is newest is what all other tests run on.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.notebook_page import NotebookPage
from tests.browser.scenes import card, expect_player, record
from tests.wheel import ROOT, build_wheel, install

OLDEST_KERNEL = "ipykernel==6.17.1"  # late 2022, the first of which Python 3.11 was a target
VERSIONS = """
import importlib.metadata as m
print(*(name + "==" + m.version(name) for name in "ipywidgets ipykernel anywidget httpx".split()))
"""
CELLS = [
    "%load_ext cometvid_nb\n%cometvid demo --speed 20\nimport cometvid_nb; cometvid_nb.__file__",
    "%cometvid watch video_demo",
    VERSIONS,
]

JOB_WITHIN_MS = 30_000

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def oldest() -> Path:
    """The Python of an environment with the lowest version of everything that we depend on.

    It stays in this environment for the next run, under the hash of its versions.
    """
    pins = [line.replace(">=", "==") for line in project()["dependencies"]]
    widgets = [pin for pin in pins if "widget" in pin]
    others = [pin for pin in pins if pin not in widgets]
    # ipywidgets 7 asks for a whole Jupyter Notebook, which its kernel does not need.
    needs = ["ipython_genutils", "psygnal", "typing_extensions"]
    installs = [[*others, *needs, OLDEST_KERNEL], ["--no-deps", *widgets]]
    key = hashlib.sha256(repr((sys.version, installs)).encode()).hexdigest()[:12]
    folder = Path(sys.prefix) / f"oldest-{key}"
    python, is_whole = folder / "bin" / "python", folder / ".made"
    if not is_whole.exists():
        venv.create(folder, clear=True)
        # This environment's pip; and no bytecode, of which a kernel needs a tenth.
        pip = [sys.executable, "-m", "pip", "--python", str(python)]
        for names in installs:
            command = [*pip, "install", "--quiet", "--no-compile", *names]
            subprocess.run(command, check=True, timeout=200)
        is_whole.touch()
    return python


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel; its libraries are those of the Python that reads it."""
    target = tmp_path_factory.mktemp("installed")
    install(wheel, target)
    return target


def project() -> dict[str, list[str]]:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    table: dict[str, list[str]] = whole["project"]
    return table


def write_notebook(lab: LabServer, name: str, python: Path, **environ: str) -> None:
    """A notebook for a kernel of its own: another Python, or other folders before its libraries."""
    lab.add_kernel(
        name, [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"], environ
    )
    path = lab.write_notebook(f"{name}.ipynb", CELLS)
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["kernelspec"] = {"name": name, "display_name": name, "language": "python"}
    nbformat.write(notebook, path)


def expect_end(page: NotebookPage) -> None:
    video = record(page.output(1)).locator("video")
    expect(video).to_be_visible(timeout=JOB_WITHIN_MS)
    expect_player(video)


def test_the_card_and_the_player_come_from_the_wheel(
    installed: Path, lab: LabServer, open_notebook: OpenNotebook
) -> None:
    write_notebook(lab, "wheel", Path(sys.executable), PYTHONPATH=str(installed))
    page = open_notebook("wheel.ipynb")
    page.run_all()
    page.wait_cell_done(2)
    expect(page.output(0)).to_contain_text(str(installed))
    expect(card(page.output(1)).get_by_role("progressbar")).to_be_visible()
    expect_end(page)
    assert page.errors == []


def test_the_oldest_versions_that_are_allowed_bring_a_clip_to_the_page(
    oldest: Path, installed: Path, lab: LabServer, open_notebook: OpenNotebook
) -> None:
    write_notebook(lab, "oldest", oldest, PYTHONPATH=str(installed))
    page = open_notebook("oldest.ipynb")
    page.run_all()
    page.wait_cell_done(2)
    page.screenshot("installed-oldest")
    expect(page.output(0)).to_contain_text(str(installed))
    versions = [
        pin.replace(">=", "==")
        for pin in project()["dependencies"]
        if pin.split(">")[0] in ("ipywidgets", "anywidget", "httpx")
    ]
    for pin in [*versions, OLDEST_KERNEL]:
        expect(page.output(2)).to_contain_text(pin)
    expect_end(page)
    assert (lab.root / "videos" / "video_demo.mp4").is_file()


def test_all_other_tests_run_on_the_newer_ones() -> None:
    for name, least in {"ipywidgets": 8, "ipykernel": 7, "IPython": 9}.items():
        assert int(metadata.version(name).split(".")[0]) >= least, name
