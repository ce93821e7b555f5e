"""Tells about the marimo notebook that this thread runs: who looks at it, its file, its cell.

marimo is asked by what it has loaded itself: who does without it must not pay for an import. Cell
and file are not part of its public interface; without them a cell is taken for none.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class MarimoCell:
    """One run of a cell of a marimo notebook."""

    notebook: Path
    cell: str
    """The same for each run of the cell, and for each visitor of an app; a file that is opened anew
    numbers its cells anew."""
    run: str
    """Another one for each run."""
    code: str


def is_marimo() -> bool:
    """Return whether this thread runs a marimo notebook that has a page, or gets one by export.

    `python notebook.py` is a script like any other.
    """
    marimo = sys.modules.get("marimo")
    is_running = getattr(marimo, "running_in_notebook", None)
    return is_running is not None and bool(is_running())


def is_exporting() -> bool:
    """Return whether `marimo export` runs the notebook: then the file is all, and nobody waits."""
    # A page is sent files by a server. Where there is none, all has to be in the file itself.
    return is_marimo() and not getattr(_context(), "virtual_files_supported", True)


def notebook_file() -> Path | None:
    """Return the file of the notebook; None outside marimo, and for one that was never saved."""
    context = _context() if is_marimo() else None
    file = getattr(context, "globals", {}).get("__file__") or getattr(context, "filename", None)
    return Path(file).absolute() if isinstance(file, str) else None


def running_cell() -> MarimoCell | None:
    """Return the run of the cell that this code belongs to.

    None outside marimo, in the answer to a click, for a notebook that was never saved, and in a
    thread of somebody's own.
    """
    notebook = notebook_file()
    running = getattr(_context(), "execution_context", None)
    if notebook is None or running is None or getattr(running, "setting_element_value", True):
        return None
    cell = str(running.cell_id)
    # Kept alive by the context while the cell runs: no other run has the same address then.
    run = getattr(_attempt(), "id", None) or f"{id(running)}"
    return MarimoCell(notebook, cell, f"{cell}-{run}", _code_of(cell))


def _context() -> Any:
    """Return marimo's context of this thread, or None."""
    types = sys.modules.get("marimo._runtime.context.types")
    ask = getattr(types, "safe_get_context", None)
    return ask() if ask is not None else None


def _attempt() -> Any:
    """Return what marimo calls this run of the cell, or None."""
    messaging = sys.modules.get("marimo._messaging.context")
    variable = getattr(messaging, "EXECUTION_CTX", None)
    return variable.get(None) if variable is not None else None


def _code_of(cell: str) -> str:
    cells = getattr(getattr(_context(), "graph", None), "cells", {})
    return str(getattr(cells.get(cell), "code", ""))
