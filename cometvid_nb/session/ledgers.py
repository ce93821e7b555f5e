"""Ledgers: the ledgers that the settings of one session have named, each open once."""

from __future__ import annotations

import tempfile
import threading
import uuid
from pathlib import Path

from ..errors import SettingsError
from ..ledger.file import default_path
from ..ledger.ledger import Ledger
from ..settings import Settings

_SIMULATION = "\0simulation"
"""No setting can name this ledger."""


class Ledgers:
    """The ledgers by their name in the settings. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Ledger] = {}
        """By name; each keeps one connection to its file."""
        self._simulation_folder: Path | None = None
        """Holds the ledger of a simulation: invented jobs must not mix with the real ones."""
        self._passing_folder: tempfile.TemporaryDirectory[str] | None = None
        """The same, where the simulation keeps nothing."""

    def of(self, settings: Settings) -> Ledger:
        """Return the ledger that the settings name; a simulation has its own.

        Raises:
            SettingsError: no file can be named so.
        """
        name = _SIMULATION if settings.is_simulated else settings.ledger
        with self._lock:
            if name not in self._open:
                self._open[name] = Ledger(self._path(name))
            return self._open[name]

    def enter_simulation(self, folder: Path | None) -> None:
        """Keep the ledger of the simulation in `folder`; None: until all are closed."""
        self._simulation_folder = folder

    def leave_simulation(self) -> Ledger | None:
        """Close the ledger of the simulation, and return it; None: there was none."""
        ledger = self._open.pop(_SIMULATION, None)
        if ledger is not None:
            ledger.close()
        return ledger

    def close(self) -> None:
        """Close them all. They can be used again."""
        for ledger in self._open.values():
            ledger.close()
        if self._passing_folder is not None:
            self._passing_folder.cleanup()
            self._passing_folder = None

    def _path(self, name: str) -> Path | None:
        if name == _SIMULATION:
            if self._simulation_folder is not None:
                return self._simulation_folder / "ledger.sqlite3"
            if self._passing_folder is None:
                self._passing_folder = tempfile.TemporaryDirectory(prefix="cometvid-")
            # Another file for each: a new simulation knows nothing of the jobs of the one before.
            return Path(self._passing_folder.name) / f"{uuid.uuid4().hex}.sqlite3"
        if name.lower() in ("off", "no", "false", "0"):
            return None
        is_default = name.lower() in ("on", "yes", "true", "1")
        try:
            return default_path() if is_default else Path(name).expanduser()
        except RuntimeError as error:  # `~name`, and there is no such user
            raise SettingsError(f"ledger is {name!r}: {error}") from None
