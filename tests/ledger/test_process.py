"""A process has a name by which it can be told whether it lives."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from cometvid_nb.ledger.entry import SENDING
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.ledger.process import START_TOLERANCE_S, is_running, this_process
from tests.ledger.conftest import API

SENDER = """
import sys, pathlib
from cometvid_nb.ledger.ledger import Ledger
Ledger(pathlib.Path(sys.argv[1])).intend("%s", prompt="A comet")
print("sent", flush=True)
sys.stdin.read()
"""

SLEEPER = """
from cometvid_nb.ledger.process import this_process
print(this_process(), flush=True)
input()
"""


def split(name: str) -> tuple[str, str, float]:
    machine, number, start = name.rsplit("/", 2)
    return machine, number, float(start)


def test_this_process_is_running_under_one_name() -> None:
    assert this_process() == this_process()
    assert is_running(this_process()) is True


def test_a_process_is_running_until_it_ends_and_as_a_zombie_no_more() -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdin is not None
    assert other.stdout is not None
    name = other.stdout.readline().strip()
    assert is_running(name) is True
    other.kill()
    if sys.platform != "win32":
        while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
            pass  # it dies in a moment, and stays a zombie until it is waited for
        assert is_running(name) is False
    other.communicate()
    assert is_running(name) is False


@pytest.mark.parametrize("later_s", [-1000.0, -2 * START_TOLERANCE_S, 2 * START_TOLERANCE_S, 1e6])
def test_another_process_of_the_same_number_is_not_taken_for_it(later_s: float) -> None:
    machine, number, start_s = split(this_process())
    assert is_running(f"{machine}/{number}/{start_s + later_s:.2f}") is False


def test_a_clock_that_was_set_a_little_makes_no_process_dead() -> None:
    machine, number, start_s = split(this_process())
    assert is_running(f"{machine}/{number}/{start_s + START_TOLERANCE_S / 2:.2f}") is True


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_a_clock_that_was_set_by_an_hour_makes_no_process_dead(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    name, booted_s = this_process(), psutil.boot_time()
    began_s = psutil.Process().create_time()
    # What psutil tells when the clock was set: on Windows a process keeps the time of its start.
    moved_s = 0.0 if platform == "win32" else 3600.0
    monkeypatch.setattr(psutil, "boot_time", lambda: booted_s + 3600.0)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: began_s + moved_s)
    assert is_running(name) is True


def test_a_process_of_another_machine_cannot_be_told() -> None:
    assert is_running(f"elsewhere/{this_process()}") is None


@pytest.mark.parametrize("start", ["123456", "", "soon", "1e5", "nan", "inf", "1.2.3"])
def test_a_start_of_another_form_cannot_be_told(start: str) -> None:
    machine, number, _ = split(this_process())
    assert is_running(f"{machine}/{number}/{start}") is None


@pytest.mark.parametrize("name", ["", "/", "//", "a/b", "\u0663/\u0663/1.0", "x" * 999])
def test_what_is_no_name_of_a_process_cannot_be_told(name: str) -> None:
    assert is_running(name) is None


def test_a_number_that_no_process_can_have_is_not_running_or_unknown() -> None:
    machine, _, start_s = split(this_process())
    assert not is_running(f"{machine}/{10**40}/{start_s}")


def test_a_process_that_may_not_be_looked_at_cannot_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deny(process: psutil.Process) -> float:
        raise psutil.AccessDenied(process.pid)

    name = this_process()
    monkeypatch.setattr(psutil.Process, "create_time", deny)
    assert is_running(name) is None
    assert this_process().endswith("/")


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
