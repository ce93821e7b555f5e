"""Takes wheels apart into this Python's environment: `python unpack.py WHEELS.TXT`.

Without what they depend on and without their compiled parts, which pip cannot leave out: that saves
most of the disk, and needs no CUDA.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from zipfile import ZipFile

COMPILED = (".so", ".a", ".cubin", ".cu", ".cuh")


def main(listed: str) -> None:
    """Download what the file `listed` names, and put it beside the installed packages."""
    target = sysconfig.get_path("purelib")
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
        subprocess.run([*pip, "--dest", folder, "--requirement", listed], check=True)
        for wheel in Path(folder).glob("*.whl"):
            with ZipFile(wheel) as archive:
                names = [name for name in archive.namelist() if not name.endswith(COMPILED)]
                archive.extractall(target, names)


if __name__ == "__main__":
    main(*sys.argv[1:])
