"""Parts: where a clip is written until it is whole, and what writers that were killed have left.

A part is named after its writer and not after its clip: whoever comes later can tell whether the
writer still lives, and a long name of a clip leaves room for no suffix.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from ..ledger.process import is_running, this_process

_NAME = re.compile(r"\.cometvid-([0-9a-f]{12})-(\d+)-([\d.]*)-[0-9a-f]{8}\.part")


def new_part(folder: Path) -> Path:
    """A path in `folder` for a part of this process, which nobody else has."""
    machine, number, start = this_process().rsplit("/", 2)
    return folder / f".cometvid-{_digest(machine)}-{number}-{start}-{secrets.token_hex(4)}.part"


@lru_cache(maxsize=256)
def sweep(folder: Path) -> None:
    """Delete the parts in `folder` whose writers are dead; once for each folder.

    What this process has left it has deleted itself, and another one of today is swept tomorrow.
    """
    with suppress(OSError):
        for path in folder.glob(".cometvid-*.part"):
            if _is_left(path.name):
                remove(path)


def remove(part: Path) -> None:
    """Delete a part, a file or a folder, if that can be."""
    with suppress(OSError, ValueError):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for a clip on its way to a storage, gone at the end and after a kill, too.

    Raises:
        OSError: there is no room for it.
    """
    base = Path(tempfile.gettempdir())
    sweep(base)
    folder = new_part(base)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        remove(folder)


def _is_left(name: str) -> bool:
    match = _NAME.fullmatch(name)
    machine = this_process().rsplit("/", 2)[0]
    if match is None or match[1] != _digest(machine):
        return False  # not ours, or of another machine that shares the folder
    return is_running(f"{machine}/{match[2]}/{match[3]}") is False


def _digest(machine: str) -> str:
    return hashlib.sha256(machine.encode("utf-8", "replace")).hexdigest()[:12]
