"""Whether the process that wrote an entry still lives."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from cometvid_nb.ledger.ledger import SENDING, Ledger
from tests.ledger.conftest import API

SENDER = """
import sys, pathlib
from cometvid_nb.ledger.ledger import Ledger
Ledger(pathlib.Path(sys.argv[1]), print).intend("%s", prompt="A comet")
print("sent", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only time can tell")
def test_a_request_is_uncertain_as_soon_as_its_process_is_dead(ledger: Ledger) -> None:
    assert ledger.path is not None
    command = [sys.executable, "-c", SENDER % API, str(ledger.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        sender.stdout.readline()
        [entry] = ledger.entries(API)
        assert (entry.state, entry.is_uncertain) == (SENDING, False)
        sender.kill()
    assert entry.is_uncertain
    assert entry.sender is not None
    other = replace(entry, sender=f"elsewhere/{entry.sender}", began_at_s=time.time())
    assert not other.is_uncertain, "a process of another machine may well be alive"
