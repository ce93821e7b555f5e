"""Processes: whether the one that wrote something down is still alive, after a kill, too."""

from __future__ import annotations

import os
import platform
import re
import sys
from functools import cache
from pathlib import Path

import psutil

START_TOLERANCE_S = 3.0
"""By how much two readings of the same start may differ: a clock that was set meanwhile moves what
some systems answer. No number of a process is given out again so soon after it began."""


def this_process() -> str:
    """The name of this process, which no later one will have: machine, number, start.

    Where the system hides when a process began, the start is empty.
    """
    try:
        start = f"{_start_s(psutil.Process()):.2f}"
    except (psutil.Error, OSError, RuntimeError):
        start = ""
    return f"{_machine()}/{os.getpid()}/{start}"


def is_running(name: str) -> bool | None:
    """Whether the process that `this_process` named so lives; None: that cannot be told here.

    It cannot for a process of another machine or container, for one that this user may not look
    at, and for a name of an earlier version, whose start is a count of ticks.
    """
    machine, number, start = ["", "", *name.rsplit("/", 2)][-3:]
    if machine != _machine() or not number.isdecimal() or not re.fullmatch(r"-?\d+\.\d+", start):
        return None
    try:
        process = psutil.Process(int(number))
        is_same = abs(_start_s(process) - float(start)) <= START_TOLERANCE_S
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError, RuntimeError):
        return None


@cache
def _machine() -> str:
    try:
        # After a reboot the numbers begin anew, and a container has numbers of its own.
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        return f"{platform.node()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return platform.node()


def _start_s(process: psutil.Process) -> float:
    """When a process began, by a count that does not move with the clock.

    Linux counts from the boot. Windows keeps the time that its clock told then, while the boot
    itself, reckoned backwards from now, moves with the clock.

    Raises:
        psutil.Error, OSError, RuntimeError: it has ended, or the system does not tell.
    """
    if sys.platform == "win32":
        return process.create_time()
    # In this order: older psutils add the boot time that they have seen last to Linux's count.
    booted_s = psutil.boot_time()
    return process.create_time() - booted_s
