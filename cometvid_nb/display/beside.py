"""Beside: keeps a record next to a widget, which shows wherever the widget does not live.

A widget whose kernel has died is "model not found" in the saved notebook. The record tells what was
known last, and when. `cards.beside` says how a page decides which of the two it shows.

Where several people have a notebook open (jupyter-collaboration), JupyterLab 4 adds each new
version of an output at the end of the cell in the others' pages, and takes away what stands in the
old one's place there (`CodeCellModel._onSharedModelChanged`). What stands before all outputs that
are ever replaced is safe. Therefore the records stand behind all widgets of a cell, and there no
record replaces a widget.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol
from weakref import WeakSet

from ..cards.beside import beside_bundle

REDRAWN_EVERY_S = 5.0
"""The shortest pause between two versions of a record, as each holds all of it. JupyterLab itself
saves every two minutes."""


_late: WeakSet[Beside] = WeakSet()
"""The records whose next version waits for its time."""


_promised: list[Beside] = []
"""The records that are displayed once all widgets before them are."""


def display_promised() -> None:
    """Display the records of all widgets that the running cell has displayed so far."""
    promised, _promised[:] = _promised[:], []
    for beside in promised:
        beside.display()


def draw_late() -> None:
    """Draw at once what waits for its time: the session ends, and no timer may outlive it."""
    for beside in list(_late):
        beside.draw()


class Recorded(Protocol):
    """What a widget must tell to have a record beside it."""

    @property
    def news(self) -> object:
        """What is worth a new version of the record, as a value that is compared with the last."""

    def record_bundle(self, now_s: float) -> dict[str, str]:
        """Return the record as a MIME bundle; `now_s`: the unix second that it speaks of."""


class Beside:
    """The record beside one output of `widget`, displayed by the next `display_promised`.

    Make it in the cell; then safe from any thread.

    Only for a page with JupyterLab's output areas (`frontend.has_output_areas`): any other would
    show both.
    """

    def __init__(self, widget: Recorded, *, is_shown: bool = True) -> None:
        self._widget = widget
        self._is_shown = is_shown
        """False while another output tells the same."""
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        """Draws what came too soon after the last version."""
        self._news: object = None
        self._drawn_s = 0.0
        self._last: dict[str, str] | None = None
        """The last version, once it is known."""
        self._handle: Any = None
        """None before it is displayed."""
        _promised.append(self)

    def display(self) -> None:
        """Display the record in the running cell."""
        from IPython.display import display

        with self._lock:
            self._news, self._drawn_s = self._widget.news, time.monotonic()
            self._handle = display(self._bundle(), raw=True, display_id=True)

    def redraw(self) -> None:
        """Draw the record anew if there is news, soon if the last version is younger than 5 s."""
        with self._lock:
            is_due = self._handle is not None and self._timer is None and self._is_shown
            if not is_due or self._last is not None or self._widget.news == self._news:
                return
            left_s = self._drawn_s + REDRAWN_EVERY_S - time.monotonic()
            if left_s <= 0:
                self.draw()
                return
            # Not the kernel's loop, which stands still while a cell runs, and may be killed in it.
            self._timer = threading.Timer(left_s, self.draw)
            self._timer.daemon = True
            self._timer.start()
            _late.add(self)

    def show(self, is_shown: bool) -> None:
        """Draw the record, or leave an empty output, which takes no room."""
        with self._lock:
            if is_shown != self._is_shown:
                self._is_shown = is_shown
                self.draw()

    def draw(self) -> None:
        """Draw the record now."""
        with self._lock:
            _late.discard(self)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._news, self._drawn_s = self._widget.news, time.monotonic()
            if self._handle is not None:
                self._handle.update(self._bundle(), raw=True)

    def end(self, bundle: dict[str, str]) -> None:
        """Draw `bundle`, the last version."""
        with self._lock:
            self._last = bundle
            self.draw()

    def _bundle(self) -> dict[str, str]:
        if not self._is_shown:
            return {}
        return beside_bundle(self._last or self._widget.record_bundle(time.time()))
