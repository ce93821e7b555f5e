"""Unwritten: what could not be written into the ledger yet, kept until it can be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Write = TypeVar("Write")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Between two tries of the thread. A use of the ledger tries again at once."""


class Unwritten(Generic[Write]):
    """Writes by what they are about, in their order; a thread tries again while there are any.

    `attempt(write)` returns whether the write is done with. It is called by one thread at a
    time. A later write about the same thing takes the place of an earlier one, so that there are
    no more of them than jobs, however long the trouble lasts.
    """

    def __init__(self, attempt: Callable[[Write], bool]) -> None:
        self._attempt = attempt
        self._writes: dict[tuple[str, ...], Write] = {}
        self._lock = threading.Lock()
        """Guards `_writes` and `_thread`; never held during an attempt."""
        self._turn = threading.Lock()
        """Held during the attempts, so that their order stays."""
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._writes)

    def add(self, key: tuple[str, ...], write: Write) -> None:
        """Keep a write, behind all others."""
        with self._lock:
            self._writes.pop(key, None)
            self._writes[key] = write
            if self._thread is None or not self._thread.is_alive():
                self._is_closing.clear()
                self._thread = threading.Thread(
                    target=self._go_on_trying, name="cometvid-ledger", daemon=True
                )
                self._thread.start()

    def settle(self) -> bool:
        """Try all of them, in their order, until one fails; return whether none is left."""
        with self._turn:
            while True:
                with self._lock:
                    first = next(iter(self._writes.items()), None)
                if first is None:
                    return True
                key, write = first
                if not self._attempt(write):
                    return False
                with self._lock:
                    if self._writes.get(key) is write:  # and not a later one
                        del self._writes[key]

    def close(self) -> None:
        """Try a last time, and end the thread."""
        self._is_closing.set()
        if self._writes:
            self.settle()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(LONGEST_PAUSE_S)

    def _go_on_trying(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._is_closing.wait(pause_s):
            if self.settle():
                # Under the lock: whoever adds a write now either finds it here or starts anew.
                with self._lock:
                    if not self._writes:
                        self._thread = None
                        return
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
