"""What a person gets from `pip install cometvid-nb`: the built wheel, outside the source tree."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

from tests.environment import isolated_environ
from tests.wheel import ROOT, build_wheel, install

LIBRARIES = {
    "anywidget",
    "httpx",
    "ipython",
    "ipywidgets",
    "markupsafe",
    "nest-asyncio2",
    "platformdirs",
    "psutil",
    "tornado",
}

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel; its libraries are those of this environment."""
    target = tmp_path_factory.mktemp("installed")
    install(wheel, target)
    return target


def run_installed(installed: Path, home: Path, *args: str) -> str:
    """Run Python where only the installed wheel can be meant, and return what it printed."""
    # PYTHONPATH goes before the editable install that this environment also has.
    environ = isolated_environ(home) | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *args],
        cwd=home,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def committed(folder: str, *suffixes: str) -> Iterator[str]:
    """Files of a source folder with one of these endings, relative to the folder."""
    for path in sorted((ROOT / folder).rglob("*")):
        is_left_behind = {".ipynb_checkpoints", "videos"} & set(path.parts)
        if path.suffix in suffixes and not is_left_behind:
            yield path.relative_to(ROOT / folder).as_posix()


def test_the_wheel_is_pure_and_holds_the_whole_package(wheel: Path, names: set[str]) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "cometvid_nb/py.typed" in names
    sources = {f"cometvid_nb/{name}" for name in committed("cometvid_nb", ".py")}
    makers = {f"cometvid_nb/simulator/media/make_{what}.py" for what in ("clips", "others")}
    assert sources - makers <= names


@pytest.mark.parametrize(
    ("folder", "suffixes"),
    [
        ("cometvid_nb/cards", (".json",)),
        ("cometvid_nb/display/static", (".js", ".css")),
        ("cometvid_nb/simulator/media", (".mp4", ".webp", ".jpg")),
        ("notebooks", (".ipynb", ".py")),
    ],
)
def test_the_wheel_holds_what_the_package_reads(
    names: set[str], folder: str, suffixes: tuple[str, ...]
) -> None:
    inside = "cometvid_nb/notebooks" if folder == "notebooks" else folder
    for suffix in suffixes:
        assert list(committed(folder, suffix)), f"no {suffix} in {folder}"
    assert {f"{inside}/{name}" for name in committed(folder, *suffixes)} <= names


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cometvid_nb"}
    endings = {".py", ".typed", ".js", ".css", ".webp", ".jpg", ".png", ".ipynb", ".json"}
    endings |= {".mp4", ".mov", ".webm", ".gif"}
    inside = [Path(name) for name in names if name.startswith("cometvid_nb/")]
    assert {path.suffix or path.name for path in inside} - endings == set()
    assert not [p for p in inside if {"__pycache__", ".ipynb_checkpoints", "videos"} & set(p.parts)]
    assert not [path.name for path in inside if path.name.startswith("make_")]


def test_the_metadata_says_what_is_needed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        path = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(path).decode())
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    needs = metadata.get_all("Requires-Dist") or []
    always = {need.split(">")[0].strip() for need in needs if "extra ==" not in need}
    assert always == LIBRARIES


def test_the_installed_wheel_imports_and_finds_its_files(installed: Path, tmp_path: Path) -> None:
    code = (
        "import cometvid_nb as c, importlib.metadata as m\n"
        "for name in c.__all__: getattr(c, name)\n"
        "print(c.__file__, m.version('cometvid-nb'), sep='\\n')"
    )
    file, version = run_installed(installed, tmp_path, "-W", "error", "-c", code).splitlines()
    assert Path(file).is_relative_to(installed)
    assert (installed / f"cometvid_nb-{version}.dist-info").is_dir()


def test_the_installed_command_line_runs(installed: Path, tmp_path: Path) -> None:
    text = run_installed(installed, tmp_path, "-m", "cometvid_nb", "--help")
    assert "demo" in text
    assert "simulate" in text


def test_the_installed_simulator_serves_its_clips(installed: Path, tmp_path: Path) -> None:
    code = (
        "from cometvid_nb.simulator import Simulator\n"
        "with Simulator() as simulator: print(simulator.base_url)"
    )
    assert run_installed(installed, tmp_path, "-c", code).startswith("http://127.0.0.1:")
