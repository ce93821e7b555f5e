"""LedgerFile: the SQLite file of the ledger, opened so that no kill and no neighbour harms it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

BUSY_TIMEOUT_S = 5.0
_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    ref TEXT PRIMARY KEY,          -- ours; also the idempotency key of the request
    job_id TEXT,
    base_url TEXT NOT NULL,
    state TEXT NOT NULL,
    model TEXT, seconds TEXT, size TEXT, prompt TEXT, image TEXT, remixed_from TEXT,
    began_at_s REAL NOT NULL,      -- the intent, or the first time it was watched
    took_s REAL,
    problem TEXT,
    clip TEXT,
    clip_bytes INTEGER,
    is_clip_wanted INTEGER,        -- the watch was to save the clip; if it is missing, resume
    sender TEXT,                   -- the process that asks for it, for as long as it does
    UNIQUE (base_url, job_id)
);
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (began_at_s);
CREATE TABLE IF NOT EXISTS posters (   -- apart, so that no list of jobs reads pictures
    base_url TEXT NOT NULL,
    job_id TEXT NOT NULL,
    poster TEXT NOT NULL,              -- a data URL
    PRIMARY KEY (base_url, job_id)
);
"""


_OF_THE_PARENT: list[sqlite3.Connection] = []
"""What a forked child has inherited: it must not even close it (SQLite, "How To Corrupt")."""


class LedgerFile:
    """The file at `path`, made and brought up to date at the first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._kept: sqlite3.Connection | None = None
        self._kept_of: tuple[int, int | None] = (0, None)
        """The process it was opened in, and the inode of its file."""
        self._timeout_s = 0.0

    def close(self) -> None:
        """Let go of it. It can be opened again."""
        with self._lock:
            self._let_go()

    @contextmanager
    def open(self, timeout_s: float) -> Iterator[sqlite3.Connection]:
        """The connection that is kept; each statement is a transaction of its own.

        What it writes may be lost in a power cut, though not in a kill: the loop that all watches
        share must not wait for the disk, and how a job stands can be asked again. While a cell is
        busy each call into SQLite waits for the cell and then the cell for it, so few calls are
        what counts (benchmarks/scale.py).

        Raises:
            sqlite3.Error, OSError: the file cannot be used.
        """
        with self._lock:
            yield self._keep(timeout_s)

    @contextmanager
    def open_durably(self, timeout_s: float) -> Iterator[sqlite3.Connection]:
        """A transaction that is on the disk when this is over, on a connection of its own.

        A power cut must not lose an intent: the write is there before the POST is sent.

        Raises:
            sqlite3.Error, OSError: the file cannot be used.
        """
        with self._lock:
            self._keep(timeout_s)
        with closing(sqlite3.connect(self.path, timeout=timeout_s)) as db, db:
            db.execute("PRAGMA synchronous = FULL")
            yield db

    def _keep(self, timeout_s: float) -> sqlite3.Connection:
        """The kept connection to the file that lies there now, made ready for use.

        It makes the others cheap, too: the last connection that closes writes all to the disk,
        which takes 12 ms.
        """
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:  # not made yet, or taken away
            inode = None
            self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._kept is None or self._kept_of != (os.getpid(), inode):
            self._let_go()
            self._kept = _connect(self.path, timeout_s)
            self._kept_of = (os.getpid(), self.path.stat().st_ino)
            self._timeout_s = timeout_s
        elif timeout_s != self._timeout_s:
            self._kept.execute(f"PRAGMA busy_timeout = {round(1000 * timeout_s)}")
            self._timeout_s = timeout_s
        return self._kept

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is None:
            return
        if self._kept_of[0] == os.getpid():
            kept.close()
        else:
            _OF_THE_PARENT.append(kept)


def default_path() -> Path:
    """Where the ledger lies if nothing else is set: the user's data directory."""
    import platformdirs

    return Path(platformdirs.user_data_dir("cometvid_nb", appauthor=False)) / "ledger.sqlite3"


def _connect(path: Path, timeout_s: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=timeout_s, check_same_thread=False, isolation_level=None)
    try:
        _prepare(db)
        db.execute("PRAGMA synchronous = NORMAL")
        db.create_function("folded", 1, str.casefold, deterministic=True)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.DatabaseError("it was written by a newer cometvid-nb")
    if version < _VERSION:
        _switch_to_wal(db)
        db.execute("BEGIN IMMEDIATE")  # two may do this at once
        columns = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
        if columns and "sender" not in columns:  # of version 1
            db.execute("ALTER TABLE jobs ADD COLUMN sender TEXT")
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")
        db.commit()


def _switch_to_wal(db: sqlite3.Connection) -> None:
    until_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Of two that switch at once, SQLite turns one away without any waiting.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
            time.sleep(0.01)
