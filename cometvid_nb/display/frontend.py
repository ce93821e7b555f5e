"""Frontend: finds out where the output of this process is shown, and what works there."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from .. import marimo


class Frontend(Enum):
    """Where the output is shown. The README's table "Where it runs" tells which were tested."""

    NOTEBOOK = "a notebook with a page: widgets, updated from a thread"
    VOILA = "Voila: widgets, and a cell must not wait, as the page comes after the last one"
    COLAB = "Colab: widgets, but only what is sent while a request runs is sure to reach the page"
    MARIMO = "marimo, notebook or app: a widget is the value of a cell, updated from a thread"
    MARIMO_EXPORT = "marimo export: the file is all, and holds what a cell's value is at its end"
    HEADLESS = "nbclient (nbconvert, papermill, jupyter execute): nobody looks, the file is all"
    TERMINAL = "IPython in a terminal, a console of Jupyter, or a script whose output is a terminal"
    PLAIN = "a script whose output goes to a file or a pipe, and `jupyter run`"

    @property
    def is_blocking(self) -> bool:
        """Whether a watch must wait inside its cell, because later updates would be lost.

        nbclient keeps only messages whose parent is the running cell. In Colab a page that is
        closed asks for nothing, and the file would keep a widget instead of the record. Voila must
        not wait: its page appears after the last cell.
        """
        return self not in (Frontend.NOTEBOOK, Frontend.VOILA, Frontend.MARIMO)

    @property
    def has_widgets(self) -> bool:
        """Whether there is a page that draws widgets."""
        pages = (Frontend.NOTEBOOK, Frontend.VOILA, Frontend.COLAB)
        return self in pages or self.is_by_value

    @property
    def is_by_value(self) -> bool:
        """Whether a watch is shown as the value of a cell, and by nothing else."""
        return self in (Frontend.MARIMO, Frontend.MARIMO_EXPORT)

    @property
    def is_text(self) -> bool:
        """Whether the output is nothing but lines of text."""
        return self in (Frontend.TERMINAL, Frontend.PLAIN)

    @property
    def is_settling(self) -> bool:
        """Whether the widget is replaced by a static record at the end.

        Not in Voila, which keeps no file.
        """
        return self in (Frontend.NOTEBOOK, Frontend.COLAB)

    @property
    def is_asking(self) -> bool:
        """Whether the page has to ask for news, as what a thread sends after a cell may get lost.

        There everything is sent inside a request: of a cell, or of the page that asks.
        """
        return self == Frontend.COLAB


_CONSOLES = {
    "jupyter-console": Frontend.TERMINAL,
    "jupyter-qtconsole": Frontend.TERMINAL,
    "qtconsole": Frontend.TERMINAL,
    "jupyter-run": Frontend.PLAIN,
}
"""Programs that show text only, and no second version of an output, by command or module."""


def detect(shell: Any, environ: Mapping[str, str], stdout: Any = None) -> Frontend:
    """Return the front end of an IPython shell; `shell` None means plain Python, or marimo.

    `stdout` is for plain Python and IPython in a terminal; None takes `sys.stdout`.
    """
    if shell is None and marimo.is_marimo():
        return Frontend.MARIMO_EXPORT if marimo.is_exporting() else Frontend.MARIMO
    if shell is None or not hasattr(shell, "kernel"):
        out = stdout if stdout is not None else sys.stdout
        is_terminal = bool(getattr(out, "isatty", lambda: False)())
        return Frontend.TERMINAL if is_terminal else Frontend.PLAIN
    # Only a page tells which cell it asks for.
    if not _request(shell).get("metadata") and (console := console_in(_starter())) is not None:
        return console
    if environ.get("SERVER_SOFTWARE", "").startswith("voila/"):
        return Frontend.VOILA
    content = _request(shell).get("content", {})
    # nbclient sends allow_stdin=False, as nobody is there to type; pages send True. If the field
    # is missing, nothing is known, and a notebook is the usual case.
    if content.get("allow_stdin") is False:
        return Frontend.HEADLESS
    return Frontend.COLAB if is_colab(shell) and not is_kaggle(environ) else Frontend.NOTEBOOK


def is_colab(shell: Any) -> bool:
    """Return whether this is a runtime of Colab: its shell is one of Colab's own."""
    return "google.colab" in sys.modules or type(shell).__module__.startswith("google.colab")


def is_kaggle(environ: Mapping[str, str]) -> bool:
    """Return whether this is a session of Kaggle, whose image is made of Colab's."""
    return "KAGGLE_KERNEL_RUN_TYPE" in environ


def loads_files(shell: Any, environ: Mapping[str, str]) -> bool:
    """Return whether a page that shows the saved notebook can load a clip that lies beside it.

    A record in a notebook of Colab or Kaggle has to hold its clip instead.
    """
    return not (is_colab(shell) or is_kaggle(environ))


def fetched_by_hand(environ: Mapping[str, str]) -> str:
    """Return how a person gets a saved clip out of Colab or Kaggle, as a sentence."""
    if is_kaggle(environ):
        return "It is listed under Output in the right side bar, from where it can be downloaded."
    return "Download it from the files in the left side bar (the folder icon)."


def has_output_areas(shell: Any) -> bool:
    """Return whether the running cell belongs to JupyterLab or Notebook 7.

    Only these name the deleted cells in a request, and their pages have the output areas that the
    rules of `cards.beside` speak of. Anything else (VS Code, Colab, Voila) counts as another page.
    """
    metadata = _request(shell).get("metadata", {})
    return isinstance(metadata.get("deletedCells"), list) and not is_colab(shell)


def console_in(words: Sequence[str]) -> Frontend | None:
    """Return what a kernel writes to that this command line has started, if that is text only.

    None: another front end, or it is not known which.
    """
    names = (Path(word).stem.replace("_", "-") for word in words[:3])
    return next((_CONSOLES[name] for name in names if name in _CONSOLES), None)


def _starter() -> list[str]:
    """Return the command line of the process that has started this one; empty if nobody tells."""
    import psutil  # costs an import, and no page comes here

    try:
        return psutil.Process(os.getppid()).cmdline()
    except (psutil.Error, OSError):
        return []


def _request(shell: Any) -> dict[str, Any]:
    """Return the message that asked for the running cell; empty where there is none."""
    try:
        return dict(shell.get_parent())
    except (AttributeError, LookupError, TypeError):
        return {}
