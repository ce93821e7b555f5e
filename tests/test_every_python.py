"""`make test-all` finds the interpreters of a machine and tells of each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import every_python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")

MAKE = '#!/bin/sh\necho "$@" >> "$0.log"\ncase "$*" in *3.12.1*) exit 2;; esac\n'


def interpreter(path: Path, answer: str) -> str:
    return script(path, f"#!/bin/sh\n{answer}\n")


def script(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    path.chmod(0o700)
    return str(path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with pyenv: 3.11 is switched on, the command for 3.12 is there and fails."""
    interpreter(tmp_path / "bin/python3.11", "echo 3.11.7")
    interpreter(tmp_path / "bin/python3.12", "exit 127")
    for version in ("3.11.9", "3.12.1", "3.13.0", "3.1.4"):
        interpreter(tmp_path / f".pyenv/versions/{version}/bin/python3", f"echo {version}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_each_version_is_found_on_the_path_or_where_pyenv_and_uv_keep_it(home: Path) -> None:
    uv = interpreter(home / ".local/share/uv/python/cpython-3.14.2-x/bin/python3", "echo 3.14.2")
    found = {name: every_python.find(name, home) for name in ("3.11", "3.12", "3.13", "3.14")}
    assert [python.version for python in found.values() if python] == [
        "3.11.7",
        "3.12.1",
        "3.13.0",
        "3.14.2",
    ]
    assert found["3.14"] == every_python.Python(uv, "3.14.2")
    assert found["3.14"].environment == ".venv-3.14"
    assert every_python.find("3.1", home) == every_python.Python(
        str(home / ".pyenv/versions/3.1.4/bin/python3"), "3.1.4"
    )


def test_a_command_or_a_path_is_found_as_well(home: Path) -> None:
    path = interpreter(home / "elsewhere/python", "echo 3.13.5")
    for wanted in (path, "python3.11"):
        found = every_python.find(wanted, home)
        assert found is not None
    assert every_python.find("python3.15", home) is None


def test_all_that_are_here_run_and_one_that_is_red_makes_all_red(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make = script(home / "make", MAKE)
    assert every_python.main(make, ["3.11", "3.12", "3.13", "3.14"], home) == 1
    ran = Path(f"{make}.log").read_text("utf-8").splitlines()
    assert [line.rpartition("VENV=")[2] for line in ran] == [
        ".venv-3.11",
        ".venv-3.12",
        ".venv-3.13",
    ]
    told = capsys.readouterr().out.splitlines()[-4:]
    assert [line.split()[1:3] for line in told] == [
        ["3.11.7", "passed"],
        ["3.12.1", "RED"],
        ["3.13.0", "passed"],
        ["3.14", "not"],
    ]
    assert every_python.main(make, ["3.11", "3.14"], home) == 0
    assert every_python.main(make, ["3.14"], home) == 1  # nothing ran
