"""Store: carries out the ledger's SQL on its file, and keeps for later what cannot be written now.

No write raises because of the file: a watch must not end for lack of a ledger. What could not be
written is kept and written later; each use tries again. What could not be read is told by
`LedgerError`: it is not the same as that there is nothing.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from ..errors import LedgerError
from .entry import Entry
from .file import BUSY_TIMEOUT_S, LedgerFile
from .unwritten import Unwritten

log = logging.getLogger("cometvid_nb.ledger.store")
T = TypeVar("T")
Write = Callable[[sqlite3.Connection], None]

LOOP_TIMEOUT_S = 1.0
"""How long a write waits for a lock that all watches wait for: what is not written then is
written later, by a thread that has more patience."""
OF_THE_STATEMENT = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    UnicodeError,
    OverflowError,
)
"""Errors that a second try would meet as well, whatever the file is like."""
COLUMNS = ", ".join(field.name for field in fields(Entry))
"""Those of an entry, in the order in which `Entry.of_row` takes them."""


class Store:
    """What a ledger does with the file at `path`; None keeps nothing. Safe from any thread."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file = LedgerFile(path) if path is not None else None
        self._unwritten: Unwritten[Write] = Unwritten(self._attempt)
        # Why the last write, and the last reading, failed; None after one that did not.
        self._why_unwritten: str | None = None
        self._why_unread: str | None = None
        self._why_missing: str | None = None
        """Why the latest job that was created here is not written down and never will be."""
        self._intents: dict[str, dict[str, object]] = {}
        """By ref, what was asked for and has no answer yet. Its entry may be gone when that comes:
        whoever is told that the file is broken moves it away."""

    @property
    def trouble(self) -> str | None:
        """What a person must know of it now: that it cannot be used, or lacks something.

        None: nothing is wrong, or there is no ledger by choice.
        """
        why = (self._why_unwritten if self._unwritten else None) or self._why_unread
        if why is None:
            if self._why_missing is None:
                return None
            return (
                f"The ledger of jobs at {self.path} does not take this job ({self._why_missing}), "
                "so nothing will remember it."
            )
        return (
            f"The ledger of jobs at {self.path} cannot be used now ({why}). Watching goes on. "
            "What is missing is written as soon as possible, while this kernel runs."
        )

    @property
    def is_behind(self) -> bool:
        """Whether something is not written down yet."""
        return len(self._unwritten) > 0

    def close(self) -> None:
        """Write what is not written yet, if that works now, and close the file.

        The ledger can be used again.
        """
        self._unwritten.close()
        if self._file is not None:
            self._file.close()

    def settle(self) -> None:
        """Try again to write what could not be written yet."""
        if self._unwritten:
            self._unwritten.settle()

    # For the ledger.

    def _select(self, clause: str, values: Sequence[object], source: str = "jobs") -> list[Entry]:
        self.settle()
        rows = self._read(f"SELECT {COLUMNS} FROM {source} {clause}", values)  # noqa: S608 - our own clauses
        return [Entry.of_row(row) for row in rows]

    def _read(self, sql: str, values: Sequence[object], *, is_patient: bool = True) -> list[Any]:
        try:
            rows = self._do(lambda db: db.execute(sql, values).fetchall(), is_patient=is_patient)
        except UnicodeError:
            return []  # no entry holds half a character
        except (sqlite3.Error, OSError) as error:
            self._why_unread = str(error)
            raise self._unusable(error) from error
        self._why_unread = None
        return rows or []

    def _write(
        self,
        key: tuple[str, ...],
        write: Write,
        *,
        is_patient: bool = False,
        is_durable: bool = False,
    ) -> None:
        """Carry out a write, or keep it for later; `is_patient`: no watch waits meanwhile."""
        if self._file is None:
            return
        if self._unwritten:
            # Behind the others, so that the order stays. Durable ones come from threads that may
            # wait; the loop of all watches may not.
            self._unwritten.add(key, write)
            if is_patient:
                self.settle()
            return
        if not self._attempt(write, is_patient=is_patient, is_durable=is_durable):
            self._unwritten.add(key, write)

    def _attempt(self, write: Write, *, is_patient: bool = True, is_durable: bool = True) -> bool:
        """Try a write; return whether it is done with."""
        try:
            self._do(write, is_patient=is_patient, is_durable=is_durable)
        except OF_THE_STATEMENT:
            log.exception("the ledger did not take what it was given")
        except (sqlite3.Error, OSError) as error:
            self._why_unwritten = str(error)
            return False
        return True

    def _do(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        is_patient: bool = True,
        is_durable: bool = False,
    ) -> T | None:
        """Do `work` on the file; None if there is none.

        Raises:
            sqlite3.Error, OSError: the file cannot be used.
        """
        if self._file is None:
            return None
        timeout_s = BUSY_TIMEOUT_S if is_patient else LOOP_TIMEOUT_S
        with (self._file.open_durably if is_durable else self._file.open)(timeout_s) as db:
            return work(db)

    def _unusable(self, error: Exception) -> LedgerError:
        return LedgerError(f"The ledger of jobs at {self.path} cannot be used ({error}).")
