"""Tells about the notebook this process runs in: shell, folder, running cell, idle kernel."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from .errors import SettingsError

LOOK_EVERY_S = 0.25
"""How often `until_idle` checks whether a cell runs; a check costs next to nothing."""
LATE_S = 0.5
"""A loop that resumes a sleep this much too late was blocked, as a rule by a cell."""


def shell() -> Any:
    """Return the IPython shell of this process, or None in plain Python."""
    # Not imported: a script without IPython must not pay for it, and has no shell anyway.
    interactive = sys.modules.get("IPython.core.getipython")
    return interactive.get_ipython() if interactive is not None else None


def notebook_folder() -> Path:
    """Return the folder of the notebook: where its kernel started, else the working folder.

    The folder of the start, as a cell may call `os.chdir`, and the notebook does not move along.

    Raises:
        SettingsError: the working folder no longer exists.
    """
    starting_folder: str | None = getattr(shell(), "starting_dir", None)
    try:
        return Path(starting_folder) if starting_folder else Path.cwd()
    except FileNotFoundError as error:
        raise SettingsError(
            "The working folder of this process no longer exists: change to another (os.chdir)."
        ) from error


def notebook_name() -> str:
    """Return what tells this notebook from others: its path, else its folder.

    Jupyter's servers tell the path in the environment of the kernel, VS Code in a variable.
    """
    told = getattr(shell(), "user_ns", {}).get("__vsc_ipynb_file__")
    if isinstance(told, str) and told:
        return told
    return os.environ.get("JPY_SESSION_NAME") or str(notebook_folder())


def cell_number() -> int | None:
    """Return the number of the cell that is running, or None outside IPython."""
    number: int | None = getattr(shell(), "execution_count", None)
    return number


class _Cells:
    """Counts the running cells of a shell.

    A count and not a flag: an asynchronous cell is still running while the next one begins.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._running = 1  # this object is made inside a cell, after that cell's pre_execute
        shell.events.register("pre_execute", self._begin)
        shell.events.register("post_execute", self._end)

    @property
    def is_running(self) -> bool:
        return self._running > 0

    def _begin(self) -> None:
        self._running += 1

    def _end(self) -> None:
        self._running = max(0, self._running - 1)


# Made at the first `spawn`, so that a session that never shows a widget registers no events.
_cells: _Cells | None = None


def spawn(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` on the kernel's main thread, which handles messages; return at once.

    Safe to call from any thread, but the first call must come from a cell. Without a kernel
    `work` is closed unrun.
    """
    global _cells
    here = shell()
    loop = getattr(getattr(here, "kernel", None), "io_loop", None)
    if loop is None:
        work.close()
        return
    if _cells is None or _cells.shell is not here:
        _cells = _Cells(here)
    loop.add_callback(lambda: work)


async def until_idle(idle_s: float) -> None:
    """Return once no cell has run for `idle_s` seconds in a row; for coroutines given to `spawn`.

    By then the kernel has handled every message that the page had sent. While a cell runs, the
    kernel handles none, not even during an `await` in the cell.
    """
    import asyncio  # `import cometvid_nb` comes by here, and must not pay for it

    clock = asyncio.get_running_loop().time
    due_s, idle_for_s = clock(), 0.0
    while idle_for_s < idle_s:
        # After a long cell the waiting messages and this coroutine are due together. A late
        # wake-up therefore does not count as idle: the messages must be handled first.
        is_free = not (_cells and _cells.is_running) and clock() - due_s < LATE_S
        idle_for_s = idle_for_s + LOOK_EVERY_S if is_free else 0.0
        due_s = clock() + LOOK_EVERY_S
        await asyncio.sleep(LOOK_EVERY_S)
