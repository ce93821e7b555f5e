"""Kept: what outlives a reload of this package: the session of this process, and its magic.

`%autoreload` and `importlib.reload` run a module again, and an upgrade in place imports all of them
anew. Each time their globals begin anew, while the threads that follow the jobs go on.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


class _Kept(ModuleType):
    """A module that has no source: nothing can reload it. A subinterpreter has one of its own."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.lock = threading.Lock()
        """Guards `session` and `demo`."""
        self.session: Any = None
        self.magic: Any = None
        """One per process, as a kernel has one shell."""
        self.demo: Any = None
        """The simulator of the demo, whoever has started it."""
        self.sessions_of_the_parent: list[Any] = []
        """Inherited by a forked child, and kept alive so that nothing of theirs is closed: garbage
        collection would close a connection to the ledger; see `ledger.file`."""


# Without the name of the package in front, as a reader drops all of its modules by that.
_NAME = "_kept_for_cometvid_nb"
kept: _Kept = sys.modules.setdefault(_NAME, _Kept(_NAME))  # type: ignore[assignment]
