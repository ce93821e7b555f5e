"""LedgerFile: the SQLite file of the ledger, opened so that no kill and no neighbour harms it."""

from __future__ import annotations

import os
import sqlite3
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


class LedgerFile:
    """The file at `path`, made and brought up to date at the first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_ready = False
        self._anchor: sqlite3.Connection | None = None
        self._anchor_file: object = None

    def close(self) -> None:
        """Let go of it. It can be opened again."""
        self._is_ready = False
        anchor, self._anchor, self._anchor_file = self._anchor, None, None
        if anchor is not None:
            anchor.close()

    @contextmanager
    def open(self, timeout_s: float, *, is_durable: bool) -> Iterator[sqlite3.Connection]:
        """A transaction; `is_durable`: it is on the disk when this is over.

        A connection a piece of work: safe for threads and forks, and 0.2 ms.

        Raises:
            sqlite3.Error, OSError: the file cannot be used.
        """
        if not (self._is_ready and self.path.exists()):  # it may be taken away meanwhile
            self._is_ready = False
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=timeout_s)) as db, db:
            if not self._is_ready:
                _prepare(db)
                self._drop_anchor()
                self._is_ready = True
            db.create_function("folded", 1, str.casefold, deterministic=True)
            # A power cut must not lose an intent: the write is on the disk before the POST is sent.
            # How a job stands can be asked again: a kill loses none of it, and a power cut may,
            # as these writes are made on the watcher's loop, which is not to wait for the disk.
            db.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
            yield db

    def _drop_anchor(self) -> None:
        """Keep one connection open, unused: the last one that closes writes all to the disk.

        That took 12 ms a note (benchmarks/scale.py). A forked child leaves its parent's alone.
        """
        file = (os.getpid(), self.path.stat().st_ino)
        if file == self._anchor_file:
            return
        self._anchor = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._anchor.execute("SELECT count(*) FROM jobs").fetchone()
        self._anchor_file = file


def default_path() -> Path:
    """Where the record lies if nothing else is said: the user's data directory."""
    import platformdirs

    return Path(platformdirs.user_data_dir("cometvid_nb", appauthor=False)) / "ledger.sqlite3"


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
