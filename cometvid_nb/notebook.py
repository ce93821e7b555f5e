"""Frontend: what stands at the other end of this process, and so how a watch can be shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from .errors import SettingsError

LOOK_EVERY_S = 0.25
LATE_S = 0.5
"""A loop that comes back this much later than asked was not free."""


class Frontend(Enum):
    """Who is looking. FACTS §2 tells how each was measured, or why it could not be."""

    NOTEBOOK = "a notebook with a page: widgets, updated from a thread"
    VOILA = "Voila: widgets, and a cell must not wait, as the page comes after the last one"
    COLAB = "Colab: widgets, but updates from threads do not reach the page"
    HEADLESS = "nbclient (nbconvert, papermill, jupyter execute): nobody looks, the file is all"
    TERMINAL = "IPython in a terminal, or a script whose output is one"
    PLAIN = "a script whose output goes to a file or a pipe"

    @property
    def is_blocking(self) -> bool:
        """Whether a watch must wait inside its cell, as later updates would be lost."""
        return self not in (Frontend.NOTEBOOK, Frontend.VOILA)

    @property
    def has_widgets(self) -> bool:
        """Whether a page draws widgets."""
        return self in (Frontend.NOTEBOOK, Frontend.VOILA, Frontend.COLAB)

    @property
    def is_text(self) -> bool:
        """Whether there is nothing but lines of text."""
        return self in (Frontend.TERMINAL, Frontend.PLAIN)

    @property
    def is_settling(self) -> bool:
        """Whether an output should end as a static record.

        Voila keeps no file, and in Colab a
        record could not load a clip that lies beside the notebook.
        """
        return self is Frontend.NOTEBOOK


def detect(shell: Any, environ: Mapping[str, str], stdout: Any = None) -> Frontend:
    """The front end of an IPython shell (None: plain Python)."""
    if shell is None or not hasattr(shell, "kernel"):
        out = stdout if stdout is not None else sys.stdout
        is_terminal = bool(getattr(out, "isatty", lambda: False)())
        return Frontend.TERMINAL if is_terminal else Frontend.PLAIN
    if environ.get("SERVER_SOFTWARE", "").startswith("voila/"):
        return Frontend.VOILA
    if "google.colab" in sys.modules or type(shell).__module__.startswith("google.colab"):
        return Frontend.COLAB
    try:
        content = shell.get_parent().get("content", {})
    except (AttributeError, LookupError):
        content = {}
    # Only a client with somebody at it lets a cell ask for input. Absent means: not told.
    return Frontend.HEADLESS if content.get("allow_stdin") is False else Frontend.NOTEBOOK


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
