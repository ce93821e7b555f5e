"""LedgerFile: the ledger's SQLite file and schema, safe against kills and other kernels."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

BUSY_TIMEOUT_S = 5.0
"""How long a statement waits for another kernel's lock; a write of ours takes milliseconds."""
_VERSION = 3
"""The schema's number, kept in the file (PRAGMA user_version), so that an older file is upgraded
and a newer one is left alone."""
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
CREATE TABLE IF NOT EXISTS outputs (   -- the further clips of a job that made several
    base_url TEXT NOT NULL,
    job_id TEXT NOT NULL,
    number INTEGER NOT NULL,           -- from 2
    clip TEXT,                         -- as jobs.clip; NULL: it could not be saved
    clip_bytes INTEGER NOT NULL,
    PRIMARY KEY (base_url, job_id, number)
);
"""


_OF_THE_PARENT: list[sqlite3.Connection] = []
"""Connections that a forked child has inherited, kept alive so that they are never closed.

A child must not even close them (SQLite, "How To Corrupt An SQLite Database File": "Carrying an
open database connection across a fork()")."""


class LedgerFile:
    """The file at `path`, created or upgraded at the first use. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        """Guards the kept connection, which all threads share (`check_same_thread=False`)."""
        self._kept: sqlite3.Connection | None = None
        """One open connection, as opening one per statement costs 12 ms at each close."""
        self._kept_of: tuple[int, int | None] = (0, None)
        """The process that opened `_kept`, and the inode of its file.

        The connection is useless after a fork, or when the file was deleted or replaced."""
        self._timeout_s = 0.0
        """The busy timeout that `_kept` has now; setting one is a statement of its own."""

    def close(self) -> None:
        """Close the connection. The file can be opened again."""
        with self._lock:
            self._let_go()

    @contextmanager
    def open(self, timeout_s: float) -> Iterator[sqlite3.Connection]:
        """Give the kept connection, locked; each statement is a transaction of its own.

        A write may be lost in a power cut, but not when the process is killed. The loop that all
        watches share must not wait for the disk, and a poll brings the state of a job again.

        Make few calls: each one releases the interpreter, and while a cell is busy it takes a
        thread switch to get it back (measured by `benchmarks/scale.py`).

        Raises:
            sqlite3.Error, OSError: the file cannot be used.
        """
        with self._lock:
            yield self._keep(timeout_s)

    @contextmanager
    def open_durably(self, timeout_s: float) -> Iterator[sqlite3.Connection]:
        """Give a new connection with a transaction that is on the disk when the block ends.

        For the intent to create a job: a power cut must not lose it once the POST is sent.

        Raises:
            sqlite3.Error, OSError: the file cannot be used.
        """
        # Creates the file where it is missing; see `_keep` for the close at the end of this block.
        with self._lock:
            self._keep(timeout_s)
        with closing(sqlite3.connect(self.path, timeout=timeout_s)) as db, db:
            # In WAL mode NORMAL does not wait for the disk at a commit; FULL does.
            db.execute("PRAGMA synchronous = FULL")
            yield db

    def _keep(self, timeout_s: float) -> sqlite3.Connection:
        """Return the kept connection to the file now at `path`, opened anew where necessary.

        As long as it is open, closing another connection is cheap: only the last one to close
        writes the whole log to the disk, which takes 12 ms.
        """
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:  # not created yet, or deleted by the reader
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
    """Return the default path of the ledger, in the user's data directory."""
    import platformdirs

    return Path(platformdirs.user_data_dir("cometvid_nb", appauthor=False)) / "ledger.sqlite3"


def _connect(path: Path, timeout_s: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=timeout_s, check_same_thread=False, isolation_level=None)
    try:
        _prepare(db)
        db.execute("PRAGMA synchronous = NORMAL")
        # SQLite's own lower() knows ASCII letters only.
        db.create_function("folded", 1, str.casefold, deterministic=True)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    """Create or upgrade the schema.

    Raises:
        sqlite3.DatabaseError: a newer version of this package wrote the file.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.DatabaseError("it was written by a newer cometvid-nb")
    if version < _VERSION:
        _switch_to_wal(db)
        db.execute("BEGIN IMMEDIATE")  # two kernels may upgrade at once
        columns = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
        if columns and "sender" not in columns:  # a file of version 1
            db.execute("ALTER TABLE jobs ADD COLUMN sender TEXT")
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_VERSION}")
        db.commit()


def _switch_to_wal(db: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, in which readers and a writer do not block each other."""
    until_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # If two kernels switch at once, SQLite refuses one of them without the busy timeout.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
            time.sleep(0.01)
