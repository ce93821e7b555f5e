"""Worker: the kernel's side of a process that polls many jobs, so that cells stay fast.

The interpreter runs one thread at a time, and a hundred polls a second take a tenth of it. The
process (`worker_process`) polls and sends the kernel the changes a few times a second. If no
process can be started, or it dies, the kernel polls by itself.

Messages are pickles, both ways: to the process one after the other, from it in bundles with their
length and checksum in front. Both sides are the same code; `shapes` proves it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..api.turns import Turns
from ..job.job import Job
from ..settings import KEY_VARIABLES, Secret, Settings
from .durations import DurationPrior
from .memory import Memory
from .schedule import PollPolicy, PollState
from .state import WatchState

log = logging.getLogger("cometvid_nb.watching.worker")

_BOOT = """
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
spec = PathFinder.find_spec("cometvid_nb", [sys.argv[1]])
sys.modules["cometvid_nb"] = package = module_from_spec(spec)
spec.loader.exec_module(package)
from cometvid_nb.watching.worker_process import main
main()
"""
"""The program of the process. It imports this package from the folder where the kernel found it,
which may be a checkout that nobody has installed, and from nowhere else."""
HEAD_BYTES = 8
"""What stands in front of a bundle; see `head_of`."""
MOST_BUNDLE_BYTES = 1 << 30
"""Ten thousand jobs with long prompts make 0.1 GB; more is no bundle."""
SIGN_OF_LIFE_EVERY_S = 2.0
"""The process sends a bundle at least this often, if need be an empty one."""
_SILENT_S, _LEAVE_WITHIN_S = 30.0, 2.0
"""A process that sends nothing for `_SILENT_S` hangs, and the kernel takes its jobs back: many
signs of life, as a loaded machine may be late. One told to end gets `_LEAVE_WITHIN_S`, then it is
killed."""


@dataclass(slots=True)
class _Followed:
    """A watch whose job the process polls; `last` gets its final state, or None."""

    job_id: str
    memory: Memory | None
    tell: Callable[[WatchState], None]
    last: asyncio.Future[WatchState | None]
    is_drawn: bool
    """Whether a card draws the plan; that may change while the process starts."""


class Worker:
    """The polling process for one server: started for the first watch, ended after the last.

    Used on the loop of the watches only.
    """

    def __init__(self, settings: Settings, turns: Turns) -> None:
        self._settings = settings
        self._turns = turns
        # A number per watch and not the job's id: a job may leave the worker and come back.
        self._numbers = itertools.count(1)
        self._followed: dict[int, _Followed] = {}
        self._process: asyncio.subprocess.Process | None = None
        """The process that takes messages; one that was told to end is no longer here."""
        self._starting: asyncio.Task[None] | None = None
        """Shared by all watches that come while the process starts."""
        self._tasks: set[asyncio.Task[Any]] = set()
        """Kept, as asyncio itself holds tasks only weakly."""
        self.is_lost = False
        """Whether the process could not be started, or died. It is not started again."""

    @property
    def is_needed(self) -> bool:
        """Whether the process polls for any watch."""
        return bool(self._followed)

    async def follow(
        self,
        state: WatchState,
        policy: PollPolicy,
        memory: Memory | None,
        tell: Callable[[WatchState], None],
        *,
        is_drawn: bool,
        is_pictured: bool,
    ) -> WatchState | None:
        """Poll from `state` to the end; return the last state, or None if the process was lost.

        `tell` is called with the states in between; it is the only callback here. `is_drawn`: a
        card draws the plan. `is_pictured`: fetch the API's small picture at the end.
        """
        last: asyncio.Future[WatchState | None] = asyncio.get_running_loop().create_future()
        number = next(self._numbers)
        self._followed[number] = followed = _Followed(state.job_id, memory, tell, last, is_drawn)
        try:
            if self._process is None and not self.is_lost:
                self._starting = self._starting or self._begin(self._start())
                # Shielded: a watch that is stopped must not end the start for all the others.
                await asyncio.shield(self._starting)
            try:
                self._send("follow", number, state, policy, followed.is_drawn, is_pictured)
            except pickle.PicklingError as error:
                # A module was reloaded: the class of the state has no name any more.
                log.info("the kernel polls: %s", error)
                self.is_lost = True
            return None if self.is_lost else await last
        finally:
            del self._followed[number]
            self._send("drop", number)
            if not self._followed:
                self._leave()

    def draw(self, job_id: str) -> None:
        """Tell the process that a card now draws the plan of this job."""
        for number, followed in self._followed.items():
            if followed.job_id == job_id:
                followed.is_drawn = True
                self._send("draw", number)

    async def aclose(self) -> None:
        """End the process, and wait a moment until it has ended."""
        self._leave()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LEAVE_WITHIN_S)

    def _begin(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _start(self) -> None:
        try:
            process = await _launch()
        except (OSError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
            log.info("no process can be started, the kernel polls: %s", type(error).__name__)
            self.is_lost = True
            return
        finally:
            self._starting = None
        self._process = process
        assert process.stdin is not None
        process.stdin.write(_opening(self._settings))
        if self._turns.hold_s:
            self._send("refused", self._turns.hold_s)
        self._begin(self._listen(process))
        if not self._followed:
            self._leave()  # every watch was stopped while the process started

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Take the bundles of `process` until it ends, then give its watches back."""
        assert process.stdout is not None
        telling = self._begin(self._tell_of_refusals())
        try:
            while True:
                head = await _within(_SILENT_S, process.stdout, HEAD_BYTES)
                length = int.from_bytes(head[:4], "big")
                if length > MOST_BUNDLE_BYTES:
                    raise ValueError(f"a bundle of {length} bytes")
                bundle = await _within(_SILENT_S, process.stdout, length)
                if head_of(bundle) != head:
                    raise ValueError("a bundle that is not the process's own")
                states, questions, refusals = pickle.loads(bundle)  # noqa: S301 - of our own process
                self._hear(states)
                for retry_after_s in refusals:
                    self._turns.hear(retry_after_s)
                for number, job in questions.items():
                    self._teach(number, job)
        except asyncio.CancelledError:  # the session closes, and must not take long over it
            self._leave()
            _kill(process)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the kernel can poll
            log.debug("the polling process: %s", type(error).__name__)
        finally:
            telling.cancel()
            # Still ours: the process died or hangs. Otherwise it was told to end.
            if process is self._process:
                log.warning("the polling process has ended, the kernel polls")
                self.is_lost = True
                self._leave()
                for followed in self._followed.values():
                    if not followed.last.done():
                        followed.last.set_result(None)
            await _ended(process)

    async def _tell_of_refusals(self) -> None:
        """Tell the process of each 429 met here: both ask the same server."""
        while True:
            self._send("refused", await self._turns.refusal())

    def _hear(self, states: dict[int, WatchState]) -> None:
        for number, state in states.items():
            followed = self._followed.get(number)
            if followed is None or followed.last.done():
                continue
            if state.is_over:
                followed.last.set_result(state)
            else:
                followed.tell(state)

    def _teach(self, number: int, job: Job) -> None:
        """Send the process the prior of a job, as only the kernel reads the ledger."""
        followed = self._followed.get(number)
        if followed is not None:
            prior = followed.memory.prior_of(job) if followed.memory is not None else None
            self._send("learned", number, prior)

    def _send(self, *message: object) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with suppress(OSError, RuntimeError):  # the process has ended: `_listen` takes care of it
            self._process.stdin.write(pickle.dumps(message))

    def _leave(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()  # the process ends when its input does


async def _launch() -> asyncio.subprocess.Process:
    """Start the process.

    Raises:
        OSError, NotImplementedError, RuntimeError, TypeError, ValueError: this platform or loop
            cannot start one.
    """
    if getattr(sys, "frozen", False):
        raise RuntimeError("the executable of a frozen program is no Python")
    # A process group of its own, so that the kernel's interrupts do not reach the process. Not a
    # session of its own: Linux shares the cores out among sessions (autogroups), so that the
    # niceness of the process would count for nothing.
    options: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        group = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        options = {"creationflags": group}
    # -P keeps the notebook's folder out of sys.path: a random.py there must not hide Python's own.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _BOOT, str(Path(__file__).parents[2])),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environ(os.environ),
        **options,
    )


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the process: without the key, which comes by the pipe.

    PYTHONPATH loses the working folder, whatever it is called there: a sitecustomize.py beside the
    notebook is not meant for this process.
    """
    own = {name: text for name, text in environ.items() if name not in KEY_VARIABLES}
    for name in ("PYTHONPATH", "PYTHONUSERBASE"):
        folders = [one for one in own.pop(name, "").split(os.pathsep) if _is_elsewhere(one)]
        if folders:
            own[name] = os.pathsep.join(folders)
    return own


def _is_elsewhere(folder: str) -> bool:
    """Whether `folder` is not the working folder, nor a name that depends on it."""
    try:
        return Path(folder).is_absolute() and not Path(folder).samefile(Path())
    except OSError:
        return True  # one of the two is not there


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait until the process has ended; kill it after a while, or at once when cancelled."""
    assert process.stdout is not None
    is_cancelled = False
    # However often it is cancelled: a loop that closes before the process has ended would leave
    # a process that nobody waits for.
    while True:
        try:
            async with asyncio.timeout(_LEAVE_WITHIN_S):
                await process.wait()
                await process.stdout.read()  # asyncio closes the pipe only at its end
                break
        except TimeoutError:
            _kill(process)
        except asyncio.CancelledError:
            _kill(process)
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


async def _within(seconds: float, stream: asyncio.StreamReader, length: int) -> bytes:
    """Read `length` bytes within `seconds`.

    Raises:
        TimeoutError: the process hangs.
    """
    try:
        async with asyncio.timeout(seconds):
            return await stream.readexactly(length)
    except TimeoutError:
        # If it was the kernel that stood still (a laptop's sleep), the bytes are there already.
        async with asyncio.timeout(seconds / 10):
            return await stream.readexactly(length)


def head_of(bundle: bytes) -> bytes:
    """Return what stands in front of a bundle: its length and its CRC-32, both big-endian.

    One byte of a pickle turned may be an order for gigabytes (LONG_BINPUT), so that what others
    have written into the pipe must not be unpickled.
    """
    return len(bundle).to_bytes(4, "big") + zlib.crc32(bundle).to_bytes(4, "big")


def shapes() -> list[str]:
    """Return the field names of everything that is pickled between kernel and process.

    If they differ, another release was installed since the kernel started, and the process ends.
    """
    kinds = (Settings, WatchState, PollState, PollPolicy, DurationPrior, Job)
    return [f"{kind.__name__}.{f.name}" for kind in kinds for f in fields(kind)]


def _opening(settings: Settings) -> bytes:
    """Return the first message: the shapes, the key and the settings.

    The key goes through the pipe, because other users can list arguments and environments.
    """
    values = {f.name: getattr(settings, f.name) for f in fields(settings)}
    key: Secret | None = values.pop("api_key")
    return pickle.dumps((shapes(), key.reveal() if key is not None else None, values))
