"""The notebook around us: its shell, its folder, its cells, and whether its kernel is idle."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from .errors import SettingsError

LOOK_EVERY_S = 0.25
"""How often `until_idle` looks whether a cell runs."""
LATE_S = 0.5
"""A loop that comes back this much later than asked was not free."""


def shell() -> Any:
    """The IPython shell this runs in, or None; imports nothing."""
    interactive = sys.modules.get("IPython.core.getipython")
    return interactive.get_ipython() if interactive is not None else None


def notebook_folder() -> Path:
    """Where the notebook lies: the folder its kernel was started in, else the working one.

    Raises:
        SettingsError: that folder is gone.
    """
    starting_folder: str | None = getattr(shell(), "starting_dir", None)
    try:
        return Path(starting_folder) if starting_folder else Path.cwd()
    except FileNotFoundError as error:
        raise SettingsError(
            "The working folder of this process is gone: change to one that exists (os.chdir)."
        ) from error


def cell_number() -> int | None:
    """The number of the cell that is running, None outside IPython."""
    number: int | None = getattr(shell(), "execution_count", None)
    return number


class _Cells:
    """Counts the cells of a shell that run, asynchronous ones included."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._running = 1  # it is made inside a cell
        shell.events.register("pre_execute", self._begin)
        shell.events.register("post_execute", self._end)

    @property
    def is_running(self) -> bool:
        return self._running > 0

    def _begin(self) -> None:
        self._running += 1

    def _end(self) -> None:
        self._running = max(0, self._running - 1)


_cells: _Cells | None = None


def spawn(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` on the kernel's own thread, where its messages are handled, and return at once.

    Safe to call from any thread; first called inside a cell. Without a kernel nothing happens.
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
    """Return once no cell has run for `idle_s` seconds without a break; for what `spawn` runs.

    What a page had sent by then has been handled first: a kernel hears nothing while a cell
    runs, not even during an `await` in it.
    """
    import asyncio  # `import cometvid_nb` comes by here, and must not pay for it

    clock = asyncio.get_running_loop().time
    due_s, idle_for_s = clock(), 0.0
    while idle_for_s < idle_s:
        # After a long cell the messages and this come due together, and the messages must win.
        is_free = not (_cells and _cells.is_running) and clock() - due_s < LATE_S
        idle_for_s = idle_for_s + LOOK_EVERY_S if is_free else 0.0
        due_s = clock() + LOOK_EVERY_S
        await asyncio.sleep(LOOK_EVERY_S)
