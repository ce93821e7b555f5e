"""`make test-all`: the suite without the browser, on each version of Python that is there.

Each version has an environment of its own, such as `.venv-3.12`. Only the standard library is used
here, as this runs before any environment is made.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from shutil import which

TARGET = "test-without-browser"
HOMES = (".pyenv/versions/{}*/bin/python3", ".local/share/uv/python/cpython-{}*/bin/python3")
"""Where pyenv and uv keep, in the home directory, what is not on the PATH."""
_PROBE = "import ensurepip, venv, platform; print(platform.python_version())"


@dataclass(frozen=True)
class Python:
    """An interpreter that can make environments; its version is in full, such as `3.13.0`."""

    path: str
    version: str

    @property
    def environment(self) -> str:
        """The folder of its environment."""
        return ".venv-" + ".".join(self.version.split(".")[:2])


def find(wanted: str, home: Path) -> Python | None:
    """Return the interpreter for a version such as `3.13`, a command or a path; None: not here."""
    is_version = wanted.replace(".", "").isdecimal()
    for path in _candidates(wanted, home) if is_version else [which(wanted)]:
        # Asked, as pyenv has a command for each version, also for those that are switched off.
        version = _version_of(path) if path else ""
        if version and (not is_version or f"{version}.".startswith(f"{wanted}.")):
            return Python(str(path), version)
    return None


def _candidates(version: str, home: Path) -> Iterator[str | None]:
    yield which(f"python{version}")
    yield from map(str, chain(*(sorted(home.glob(pattern.format(version))) for pattern in HOMES)))


def _version_of(path: str) -> str:
    done = subprocess.run(
        [path, "-c", _PROBE],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def main(make: str, wanted: Sequence[str], home: Path) -> int:
    """Run the tests on those of `wanted` that are here, and tell of each; 0: there is no red one.

    `make` is the command; what it was told by its own arguments reaches it by the environment.
    """
    told = []
    for name in wanted:
        python = find(name, home)
        if python is None:
            told.append(("not found", name, ""))
            continue
        print(f"== Python {python.version}, in {python.environment}", flush=True)
        command = [make, TARGET, f"PYTHON={python.path}", f"VENV={python.environment}"]
        is_red = subprocess.run(command, check=False).returncode != 0
        told.append(("RED" if is_red else "passed", python.version, python.path))
    for verdict, version, path in told:
        print(f"Python {version:8} {verdict:10} {path}".rstrip())
    verdicts = [verdict for verdict, _, _ in told]
    return 0 if "passed" in verdicts and "RED" not in verdicts else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:], Path.home()))
