"""Demo: the simulated API of `%cometvid demo` and `demo()`; its jobs outlive a kernel for a day."""

from __future__ import annotations

import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from ..machine import user_folder
from ..notebook import notebook_name
from ..session import session as sessions
from ..session.kept import kept

if TYPE_CHECKING:
    from ..simulator import Simulator

HOST = "127.0.0.1"
UNUSED_FOR_S = 24 * 3600.0
"""How long the folder of a simulation is kept after its last use."""
JOBS_FILE = "jobs.jsonl"
MOST_AT_ONCE = 9
"""Kernels of one notebook that may each have a simulation of their own."""


_TROUBLE_WORDS = {
    "busy": "The next polls meet a 429, a broken gateway and a dropped connection.",
    "down": "The next poll gets no answer but 503.",
    "lost": "The answer to the next new job will be lost.",
    "broke": "The next new job is refused: the account has no money left.",
}
TROUBLES = tuple(_TROUBLE_WORDS)
"""What `--trouble` may be; the simulator's table has what each of them does."""


_TOLD = """\
A simulated API runs inside this {place}: nothing is rendered or paid for.
A job is ready:       {ready}
A job that fails:     {fails}
{kept}Back to the real API: {back}"""

LEAST_SPEED, MOST_SPEED = 0.01, 1000.0


class Demo:
    """The simulator of this process, while the demo is on. Safe to use from any thread."""

    def __init__(self) -> None:
        self._simulator: Simulator | None = None
        self._speed = 1.0
        self._lock = threading.RLock()
        """Two visitors of an app may come at once, each in a thread."""

    @property
    def jobs(self) -> list[str]:
        """The ids that the simulator knows; empty without one."""
        return self._simulator.jobs if self._simulator is not None else []

    def start(self, speed: float) -> str:
        """Start a simulation, in place of one that is on; return what to tell of it in a magic.

        Raises:
            SettingsError: there is no such speed; nothing changes.
        """
        with self._lock:
            simulator = self._start(speed)
        resume = "Jobs from before:     %cometvid resume\n"
        return _TOLD.format(
            place="kernel",
            ready="%cometvid watch video_demo",
            fails="%cometvid watch video_fails",
            kept=resume if simulator.created_count else "",
            back="%cometvid demo --stop",
        )

    def keep_on(self, speed: float) -> str:
        """Start a simulation unless one of that speed is on; return what to tell of it in Python.

        Raises:
            SettingsError: there is no such speed; nothing changes.
        """
        with self._lock:
            if not self.is_on or speed != self._speed:
                self._start(speed)
        return _TOLD.format(
            place="process",
            ready='cometvid_nb.watch("video_demo")',
            fails='cometvid_nb.watch("video_fails")',
            kept="",
            back="cometvid_nb.demo(stop=True)",
        )

    @property
    def is_on(self) -> bool:
        """Whether the session asks the simulator; somebody may have led it elsewhere meanwhile."""
        simulator = self._simulator
        return simulator is not None and (
            sessions.current().settings.base_url == simulator.base_url
        )

    def _start(self, speed: float) -> Simulator:
        if not LEAST_SPEED <= speed <= MOST_SPEED:
            raise SettingsError(f"speed is {speed:g}: give {LEAST_SPEED:g} to {MOST_SPEED:g}")
        self.stop()
        simulator, folder = _start_simulator(speed)
        self._simulator, self._speed = simulator, speed
        sessions.current().enter_simulation(simulator.base_url, simulator.api_key, folder)
        return simulator

    def let_fail(self, trouble: str) -> str:
        """Let the next requests meet a trouble, one of `TROUBLES`; return what to tell of it.

        Raises:
            SettingsError: there is no such trouble.
            LookupError: the demo is not on.
        """
        from ..simulator import TROUBLES as FAULTS

        if trouble not in FAULTS:
            raise SettingsError(f"trouble is {trouble!r}: give {', '.join(TROUBLES)}")
        if self._simulator is None:
            raise LookupError("no simulation is on")
        for fault in FAULTS[trouble]:
            self._simulator.add_fault(fault)
        return _TROUBLE_WORDS[trouble]

    def stop(self) -> bool:
        """Stop the simulator and its watches, and return to the real API's settings.

        Returns whether the demo was on.
        """
        with self._lock:
            simulator, self._simulator = self._simulator, None
        if simulator is None:
            return False
        session = sessions.current()
        for watch in session.active:
            if watch.state.is_simulated:
                watch.stop()
        session.leave_simulation()
        simulator.stop()
        return True


def the_demo() -> Demo:
    """Return the demo of this process, which `%cometvid demo` and `cometvid_nb.demo` share."""
    with kept.lock:
        if kept.demo is None:
            kept.demo = Demo()
        demo: Demo = kept.demo
        return demo


def keeps_jobs() -> bool:
    """Whether `%cometvid demo` brings back jobs of an earlier kernel of this notebook."""
    return any((folder / JOBS_FILE).exists() for folder in _folders())


def _start_simulator(speed: float) -> tuple[Simulator, Path | None]:
    """Return a running simulator, and the folder that keeps its jobs and their ledger.

    After a restart of the kernel the same notebook gets the same jobs at the same address, so that
    `%cometvid resume` brings them back. A second kernel of the notebook that runs at the same time
    gets jobs of its own: the address, which one of them holds, tells them apart. None: this user
    has no folder to keep them in.
    """
    from ..simulator import Simulator  # not loaded by %load_ext: it brings a server along

    for folder in _folders():
        # Another kernel has the address, or the folder cannot be used.
        with suppress(OSError, ValueError, OverflowError):
            return _started(folder, speed), folder
    return Simulator(speed=speed).start(), None


def _started(folder: Path, speed: float) -> Simulator:
    """Raises OSError, ValueError, OverflowError: the folder is another kernel's, or unusable."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = folder / "port"
    known = int(port.read_text("ascii")) if port.exists() else 0
    from ..simulator import Simulator

    options: dict[str, Any] = {"host": HOST, "speed": speed, "kept": folder / JOBS_FILE}
    simulator = Simulator(port=known, **options).start()
    if known:
        port.touch()  # it says when the folder was last used
        return simulator
    try:
        # "x": of two kernels that come at the same moment only one gets the folder.
        with port.open("x", encoding="ascii") as file:
            file.write(str(simulator.port))
    except OSError:
        simulator.stop()
        raise
    return simulator


def _folders() -> Iterator[Path]:
    data = user_folder("data")
    if data is None:
        return
    base = data / "simulations"
    _sweep(base)
    name = hashlib.sha256(notebook_name().encode("utf-8", "replace")).hexdigest()[:16]
    for number in range(1, MOST_AT_ONCE + 1):
        yield base / f"{name}-{number}"


def _sweep(base: Path) -> None:
    """Remove what no kernel has used for a day."""
    with suppress(OSError):
        for folder in base.iterdir():
            with suppress(OSError, ValueError):
                port = folder / "port"
                if time.time() - port.stat().st_mtime > UNUSED_FOR_S:
                    # A kernel that has run for longer still holds its address.
                    socket.create_server((HOST, int(port.read_text("ascii")))).close()
                    shutil.rmtree(folder, ignore_errors=True)
