"""Beside: keeps a record next to a widget, which shows wherever the widget does not live.

A widget whose kernel has died is "model not found" in the saved notebook. The record tells what was
known last, and when. `cards.beside` says how a page decides which of the two it shows.
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
    """The record beside one output of `widget`. Make it in the cell; then safe from any thread.

    Only for a page with JupyterLab's output areas (`frontend.has_output_areas`): any other would
    show both.
    """

    def __init__(self, widget: Recorded, *, is_shown: bool = True) -> None:
        from IPython.display import display

        self._widget = widget
        self._is_shown = is_shown
        """False while another output tells the same."""
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        """Draws what came too soon after the last version."""
        self._news, self._drawn_s = widget.news, time.monotonic()
        self._handle: Any = display(self._bundle(), raw=True, display_id=True)

    def redraw(self) -> None:
        """Draw the record anew if there is news, soon if the last version is younger than 5 s."""
        with self._lock:
            if self._timer is not None or not self._is_shown or self._widget.news == self._news:
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
            self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        return beside_bundle(self._widget.record_bundle(time.time())) if self._is_shown else {}
