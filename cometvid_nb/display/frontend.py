"""Frontend: who looks at what this process shows, and so how a watch can be shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import Enum
from typing import Any


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
