"""LedgerFile: the ledger's SQLite file and schema, safe against kills and other kernels."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from ..machine import user_folder
from .forks import unforked

BUSY_TIMEOUT_S = 5.0
"""How long a statement waits for another kernel's lock; a write of ours takes milliseconds."""
_FOLDER = "cometvid_nb"
"""The name of our own folder, below that of the user's data."""
_VERSION = 2
"""The schema's number, kept in the file (PRAGMA user_version): a newer one is left alone.

A column, a table or an index more does not change it, so that an earlier version goes on with the
file."""
_LATER_COLUMNS = {
    **dict.fromkeys(("sender", "answer", "request", "notebook", "cell", "digest"), "TEXT"),
    "take": "INTEGER",
    "continued_from": "TEXT",
    "stars": "INTEGER",
    **dict.fromkeys(("flag", "tags", "note", "clip_size"), "TEXT"),
}
"""What files of earlier versions lack, in the order in which it came."""
UNFINISHED = (
    "job_id IS NOT NULL AND state <> 'failed' "
    "AND (state <> 'completed' OR (clip IS NULL AND is_clip_wanted IS NOT 0))"
)
"""The condition of an index, which serves a query only in the same words."""
IS_ONLY_RATED = (
    "(state = 'queued' AND is_clip_wanted IS NULL AND sender IS NULL AND prompt IS NULL "
    "AND model IS NULL AND clip IS NULL)"
)
"""The condition of the jobs of which nothing but a rating was ever written down."""
LEARNED_FROM = "state = 'completed' AND took_s > 0"
"""As `UNFINISHED`, of the jobs that tell how long others take."""
RATED = "(stars IS NOT NULL OR flag IS NOT NULL OR tags IS NOT NULL)"
"""The same of the jobs that a list of ratings looks through."""
_SCHEMA = f"""
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
    answer TEXT,                   -- of an API, where no id could be read from it
    request TEXT,                  -- JSON: the exact fields, and the names of the pictures
    notebook TEXT,                 -- that asked, and with these three its slot: see `slots`
    cell TEXT,
    digest TEXT,
    take INTEGER,
    continued_from TEXT,           -- the job whose last frame it begins with
    stars INTEGER,                 -- what a person thinks of the clip, with the next three
    flag TEXT,
    tags TEXT,                     -- each between line breaks
    note TEXT,
    clip_size TEXT,                -- WIDTHxHEIGHT of the clip's own file, whatever was asked for
    UNIQUE (base_url, job_id)
);
DROP INDEX IF EXISTS jobs_by_time;
CREATE INDEX IF NOT EXISTS jobs_newest ON jobs (base_url, began_at_s);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (base_url, state, began_at_s);
CREATE INDEX IF NOT EXISTS jobs_unfinished ON jobs (base_url, began_at_s) WHERE {UNFINISHED};
CREATE INDEX IF NOT EXISTS jobs_durations ON jobs (base_url, model, began_at_s)
    WHERE {LEARNED_FROM};
CREATE INDEX IF NOT EXISTS jobs_repeats ON jobs (base_url, digest, notebook, began_at_s)
    WHERE digest IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_rated ON jobs (base_url, began_at_s, flag, stars, tags)
    WHERE {RATED};
CREATE INDEX IF NOT EXISTS jobs_remixed ON jobs (base_url, remixed_from)
    WHERE remixed_from IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_continued ON jobs (base_url, continued_from)
    WHERE continued_from IS NOT NULL;
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
CREATE TABLE IF NOT EXISTS reels (     -- clips that were joined: a row for each part, in order
    place TEXT NOT NULL,               -- as jobs.clip
    number INTEGER NOT NULL,           -- from 1
    base_url TEXT NOT NULL,
    job_id TEXT NOT NULL,
    made_at_s REAL NOT NULL,
    PRIMARY KEY (place, number)
);
CREATE INDEX IF NOT EXISTS reels_of ON reels (base_url, job_id);
CREATE INDEX IF NOT EXISTS outputs_missing ON outputs (base_url, job_id) WHERE clip IS NULL;
"""
_NAMES = re.findall(r"CREATE (?:TABLE|INDEX) IF NOT EXISTS (\w+)", _SCHEMA)

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
        self._can_sync: bool | None = None
        """Whether the disk can be waited for; None: not tried yet."""

    def close(self) -> None:
        """Close the connection. The file can be opened again."""
        with self._lock, unforked():
            self._let_go()

    def __del__(self) -> None:
        # Not left to the connection itself: Python 3.13 warns of one that nobody has closed.
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
        with self._lock, unforked():
            try:
                yield self._keep(timeout_s)
            except (sqlite3.Error, OSError) as error:
                if not is_busy(error):  # after an I/O error the connection may be of no use
                    self._let_go()
                raise

    @contextmanager
    def open_durably(self, timeout_s: float) -> Iterator[sqlite3.Connection]:
        """Give a new connection with a transaction that is on the disk when the block ends.

        For the intent to create a job: a power cut must not lose it once the POST is sent.

        Raises:
            sqlite3.Error, OSError: the file cannot be used.
        """
        # Creates the file where it is missing; see `_keep` for the close at the end of this block.
        with self._lock, unforked():
            self._keep(timeout_s)
        try:
            with unforked(), closing(sqlite3.connect(self.path, timeout=timeout_s)) as db, db:
                # In WAL mode NORMAL does not wait for the disk at a commit; FULL does.
                if self._can_sync is None:
                    self._can_sync = _can_sync(db)
                db.execute(f"PRAGMA synchronous = {'FULL' if self._can_sync else 'OFF'}")
                yield db
        except sqlite3.Error as error:
            # All connections of a process share one view of the log; as long as the kept one is
            # open, a log that could only be read then stays so (SQLITE_READONLY_CANTINIT).
            if not is_busy(error):
                self.close()
            raise

    def _keep(self, timeout_s: float) -> sqlite3.Connection:
        """Return the kept connection to the file now at `path`, opened anew where necessary.

        As long as it is open, closing another connection is cheap: only the last one to close
        writes the whole log to the disk, which takes 12 ms.
        """
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:  # not created yet, or deleted by the reader
            inode = None
            if self.path.parts[0] == "~":
                raise FileNotFoundError("this user has no home directory") from None
            _make_private(self.path)
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
            with suppress(sqlite3.Error):  # the last one to close may fail to write its log
                kept.close()
        else:
            _OF_THE_PARENT.append(kept)


def default_path() -> Path:
    """Return the default path of the ledger, in the user's data directory.

    For a user without a home it begins with `~`, and opening it fails with these words.
    """
    return (user_folder("data") or Path("~")) / "ledger.sqlite3"


def is_busy(error: Exception) -> bool:
    """Whether another kernel's lock was in the way, and nothing else."""
    # The low byte is the primary code of SQLite's extended error codes.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _make_private(path: Path) -> None:
    """Create the file, and the folders that are missing, for this user's eyes alone.

    Raises:
        OSError: they cannot be created.
    """
    for folder in reversed([*path.parents]):
        # One by one: `mkdir(parents=True)` gives its mode to the last folder only.
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _hide(path: Path) -> None:
    """Take the rights of others away from a ledger of an earlier version, and from its folder.

    Of the folder only where it is ours: a file that a setting names may lie beside anything.
    """
    if os.name != "posix":
        return
    beside = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
    for one in [*beside, *([path.parent] if path.parent.name == _FOLDER else [])]:
        with suppress(OSError):  # it is not there, or belongs to somebody else
            mode = one.stat().st_mode
            if mode & 0o077:
                one.chmod(mode & 0o700)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _folded(content: bytes | None) -> str | None:
    # Given as a blob: for a text that is no UTF-8 SQLite would fail before it comes here.
    return None if content is None else _text(content).casefold()


def _connect(path: Path, timeout_s: float) -> sqlite3.Connection:
    _hide(path)
    db = sqlite3.connect(path, timeout=timeout_s, check_same_thread=False, isolation_level=None)
    try:
        try:
            _prepare(db)
            db.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.OperationalError as error:
            if not _is_of_sync(error):
                raise
            if db.in_transaction:
                db.rollback()
            db.execute("PRAGMA synchronous = OFF")
            _prepare(db)
        # A text that is no UTF-8 would make all rows beside it unreadable.
        db.text_factory = _text
        # SQLite's own lower() knows ASCII letters only.
        db.create_function("folded", 1, _folded, deterministic=True)
    except BaseException:
        db.close()
        raise
    return db


def _can_sync(db: sqlite3.Connection) -> bool:
    """Try whether the disk does what FULL asks of it: some network disks and some FUSE do not.

    Such a disk keeps what is written to it, though not for sure through a power cut, and a ledger
    like that is better than none.
    """
    db.execute("PRAGMA synchronous = FULL")
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute(f"PRAGMA user_version = {_VERSION}")  # writes a page, though nothing changes
        db.commit()
    except sqlite3.OperationalError as error:
        if db.in_transaction:
            db.rollback()
        if not _is_of_sync(error):
            raise
        return False
    return True


def _is_of_sync(error: sqlite3.OperationalError) -> bool:
    codes = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC)
    return getattr(error, "sqlite_errorcode", None) in codes


def _prepare(db: sqlite3.Connection) -> None:
    """Create or upgrade the schema.

    Raises:
        sqlite3.DatabaseError: a newer version of this package wrote the file, or another program.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.DatabaseError("it was written by a newer cometvid-nb")
    if version == _VERSION and not _is_anything_missing(db):
        return
    _switch_to_wal(db)
    db.execute("BEGIN IMMEDIATE")  # two kernels may upgrade at once
    columns = _columns(db)
    if columns and "ref" not in columns:
        raise sqlite3.DatabaseError("it is the database of another program")
    for name, kind in _LATER_COLUMNS.items():
        if columns and name not in columns:
            db.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")
    for statement in _SCHEMA.split(";\n"):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {_VERSION}")
    db.commit()


def _columns(db: sqlite3.Connection) -> list[str]:
    return [row[1] for row in db.execute("PRAGMA table_info(jobs)")]


def _is_anything_missing(db: sqlite3.Connection) -> bool:
    """Whether an earlier version made the file, which had fewer columns, tables or indexes."""
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    return not {*_NAMES} <= names or not {*_LATER_COLUMNS} <= {*_columns(db)}


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
