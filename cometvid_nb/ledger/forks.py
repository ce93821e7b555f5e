"""Forks: no statement of SQLite is under way in this process at the instant of a fork.

SQLite keeps which locks a process holds in memory, and guards that by mutexes. A child that was
forked in the middle of another thread's write inherits both as they were: it finds the ledger
locked by its own process for ever, or waits for a thread that it does not have.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WAIT_S = 6.0
"""How long a fork waits for statements under way: they take milliseconds, or, where another kernel
holds its lock, `BUSY_TIMEOUT_S`."""


class _UnderWay:
    """How many threads are in the middle of a use of SQLite."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._count = 0

    def enter(self) -> None:
        with self._changed:  # held while a fork is under way
            self._count += 1

    def leave(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Wait until there is none, and let nobody begin one."""
        self._changed.acquire()
        self._changed.wait_for(lambda: self._count <= 0, WAIT_S)

    def go_on(self) -> None:
        self._changed.release()


_uses = _UnderWay()


@contextmanager
def unforked() -> Iterator[None]:
    """Let a fork wait for the end of this block, which must not fork itself."""
    uses = _uses
    uses.enter()
    try:
        yield
    finally:
        uses.leave()


def _begin_anew() -> None:
    global _uses
    _uses = _UnderWay()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _uses.stop(),
        after_in_parent=lambda: _uses.go_on(),
        after_in_child=_begin_anew,
    )
