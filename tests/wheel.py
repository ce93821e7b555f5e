"""The wheel as an index would serve it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def build_wheel(folder: Path) -> Path:
    """Build a wheel into `folder`, from the sdist and not from the checkout."""
    sdist = _build("sdist", ROOT, folder)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return _build("wheel", folder / sdist.name.removesuffix(".tar.gz"), folder)


def _build(kind: str, source: Path, target: Path) -> Path:
    """Use the declared backend as it is installed, without a download."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=30)
    return next(target.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def install(wheel: Path, target: Path) -> None:
    """Put an installed wheel into a folder for `PYTHONPATH`, its libraries left out."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(target), str(wheel)], check=True, timeout=60)
