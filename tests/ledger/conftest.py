"""What the tests of the ledger share: a ledger, and what is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cometvid_nb.job.job import Job
from cometvid_nb.ledger.ledger import Ledger

API = "https://api.example/v1"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger that is not to find any fault with its file."""
    ledger = Ledger(tmp_path / "data" / "ledger.sqlite3")
    yield ledger
    assert ledger.trouble is None
    ledger.close()


def job(job_id: str, status: str = "queued", **more: Any) -> Job:
    return Job.parse({"id": job_id, "status": status, **more})


def is_sound(path: Path) -> bool:
    """What SQLite says of the file itself."""
    with closing(sqlite3.connect(path)) as db:
        verdict: str = db.execute("PRAGMA integrity_check").fetchone()[0]
    return verdict == "ok"
