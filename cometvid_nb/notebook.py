"""The notebook around us: its shell, its folder, its cells, and whether its kernel is idle."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import SettingsError

LOOK_EVERY_S = 0.25
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


def when_idle(idle_s: float, call: Callable[[], object]) -> None:
    """Call `call` on the kernel's own thread once no cell has run for `idle_s` without a break.

    What a page had sent by then has been handled first: a kernel hears nothing while a cell
    runs, not even during an `await` in it. Without a kernel: at once. First called inside a cell.
    """
    global _cells
    here = shell()
    loop = getattr(getattr(here, "kernel", None), "io_loop", None)
    if loop is None:
        call()
        return
    if _cells is None or _cells.shell is not here:
        _cells = _Cells(here)
    cells = _cells

    def look(due_s: float, idle_for_s: float) -> None:
        now_s = loop.time()
        if idle_for_s >= idle_s:
            call()
            return
        # Behind a long cell, this and the messages come due together, and these must win.
        is_free = not cells.is_running and now_s - due_s < LATE_S
        idle_for_s = idle_for_s + LOOK_EVERY_S if is_free else 0.0
        next_s = now_s + LOOK_EVERY_S
        loop.call_at(next_s, lambda: look(next_s, idle_for_s))

    loop.add_callback(lambda: look(loop.time(), 0.0))


def later(delay_s: float, call: Callable[[], object]) -> None:
    """Call `call` on the kernel's own thread after `delay_s`; without a kernel: never."""
    loop = getattr(getattr(shell(), "kernel", None), "io_loop", None)
    if loop is not None:
        loop.add_callback(lambda: loop.call_later(delay_s, call))
