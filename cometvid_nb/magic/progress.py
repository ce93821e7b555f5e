"""Progress: tells how far long work has come, and gives its place to what comes of it."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any

from IPython.display import display

from ..clips.places import Saving
from ..display.frontend import Frontend, detect
from ..machine import writable
from ..notebook import shell
from .parser import GrammarError
from .tables import show

QUIET_S = 0.7
"""Work that is done by then tells nothing."""
EVERY_S = 0.25


class Progress:
    """`with Progress("Making the reel") as progress`: a line that moves, and ends in `show`.

    An interrupt ends the work, and its cell with one sentence.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._frontend = detect(shell(), os.environ)
        self._told_s = time.monotonic() + QUIET_S - EVERY_S
        self._handle: Any = None
        self._is_line = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._clear()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            raise GrammarError("Stopped. No half file is left.") from None

    def share(self, share: float) -> None:
        """So much is done, from 0 to 1."""
        self.tell(f"{min(1.0, share):.0%}")

    def saving(self, saving: Saving) -> None:
        """So much of a clip has come from the API."""
        known = f" of {saving.total_bytes / 1e6:.1f}" if saving.total_bytes else ""
        self.tell(f"fetching the clip, {saving.received_bytes / 1e6:.1f}{known} MB")

    def tell(self, words: str) -> None:
        """What is done now, in words."""
        now_s = time.monotonic()
        if now_s - self._told_s < EVERY_S:
            return
        self._told_s = now_s
        line = f"{self._what}: {words} …"
        if self._frontend is Frontend.TERMINAL:
            sys.stderr.write(f"\r\x1b[K{writable(line, sys.stderr)}")
            sys.stderr.flush()
            self._is_line = True
        elif self._frontend.has_widgets and self._handle is None:
            self._handle = display({"text/plain": line}, raw=True, display_id=True)
        elif self._handle is not None:
            self._handle.update({"text/plain": line}, raw=True)

    def show(self, bundle: dict[str, str]) -> None:
        """Show what came of it, in the place of the line."""
        if self._handle is None:
            self._clear()
            show(bundle)
        else:
            self._handle.update(bundle, raw=True)

    def _clear(self) -> None:
        if self._is_line:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        if self._handle is not None:
            self._handle.update({"text/plain": "", "text/html": ""}, raw=True)
