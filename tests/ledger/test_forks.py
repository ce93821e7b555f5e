"""A process forks while another of its threads is in the middle of a write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.conftest import is_sound

FORKING = """
import faulthandler, os, sys, threading, warnings
from pathlib import Path
from cometvid_nb.ledger.ledger import Ledger
warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads
path, is_over = Path(sys.argv[1]), threading.Event()
ledger = Ledger(path)
began = threading.Barrier(2)

def write():
    began.wait()
    while not is_over.wait(0.005):  # a pause, so that a child has its turn
        ledger.intend("parent", prompt="A comet")

writers = [threading.Thread(target=write) for _ in range(1)]
for writer in writers:
    writer.start()
began.wait()
codes = []
for _ in range(5):
    if (child := os.fork()) == 0:
        faulthandler.dump_traceback_later(30, exit=True)
        mine = Ledger(path)
        mine.intend("child", prompt="Another")
        if mine.trouble:
            os.write(2, mine.trouble.encode())
        os._exit(5 if mine.trouble else 0)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
is_over.set()
for writer in writers:
    writer.join()
assert codes == [0] * 5, codes
assert ledger.trouble is None, ledger.trouble
assert len(ledger.entries("child")) == 5
ledger.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_of_a_process_that_writes_finds_the_ledger_free(tmp_path: Path) -> None:
    """SQLite keeps in memory what is locked: a child inherits locks that nobody gives back."""
    path = tmp_path / "ledger.sqlite3"
    code = [sys.executable, "-c", FORKING, str(path)]
    done = subprocess.run(code, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert is_sound(path)
