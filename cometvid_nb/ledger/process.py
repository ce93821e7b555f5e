"""Processes: whether the one that wrote something down is still alive, after a kill, too."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path


def this_process() -> str:
    """The name of this process, which no later one will have: machine, number, start."""
    return f"{_machine()}/{os.getpid()}/{_start(os.getpid()) or ''}"


def is_running(name: str) -> bool | None:
    """Whether the process that `this_process` named so lives; None: that cannot be told here."""
    machine, number, start = ["", "", *name.rsplit("/", 2)][-3:]
    if machine != _machine() or not start or not number.isdigit():
        return None
    return _start(int(number)) == start


@cache
def _machine() -> str:
    try:
        # After a reboot the numbers begin anew, and a container has numbers of its own.
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        return f"{platform.node()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return platform.node()


def _start(number: int) -> str | None:
    """When a process began, in a form that is only compared; None: there is none."""
    try:
        text = Path(f"/proc/{number}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    # The name of the program, in parentheses, may hold anything: proc(5).
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
