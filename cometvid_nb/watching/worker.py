"""Worker: a process that polls many jobs, so that the reader's own cells keep the kernel.

The interpreter runs one thread at a time, and a hundred questions a second take a tenth of it.
The process asks (`worker_process`), the kernel hears what has changed a few times a second.
Where no process can be started, or one has died, the kernel polls by itself as before.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..api.turns import Turns
from ..job import Job
from ..settings import KEY_VARIABLES, Secret, Settings
from .durations import DurationPrior
from .schedule import PollPolicy, PollState
from .state import WatchState

log = logging.getLogger("cometvid_nb.watching.worker")

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from cometvid_nb.watching.worker_process import main; main()"
)
"""Found where this package was found, also when that is a folder that nobody has installed."""
LENGTH_BYTES = 4
SIGN_OF_LIFE_EVERY_S = 2.0
_SILENT_S, _LEAVE_WITHIN_S = 30.0, 2.0


@dataclass(slots=True)
class _Followed:
    """A watch that the process polls for."""

    job_id: str
    tell: Callable[[WatchState, bool], None]
    learn: Callable[[Job], Awaitable[DurationPrior | None]]
    last: asyncio.Future[WatchState | None]


class Worker:
    """The process of one source; started for the first watch, gone after the last.

    Used on the watcher's loop only.
    """

    def __init__(self, settings: Settings, turns: Turns) -> None:
        self._settings = settings
        self._turns = turns
        self._numbers = itertools.count(1)
        self._followed: dict[int, _Followed] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.is_lost = False
        """Whether it could not be started, or died: it is not tried again."""

    @property
    def is_needed(self) -> bool:
        """Whether it polls for any watch."""
        return bool(self._followed)

    async def follow(
        self,
        state: WatchState,
        policy: PollPolicy,
        tell: Callable[[WatchState, bool], None],
        learn: Callable[[Job], Awaitable[DurationPrior | None]],
        *,
        is_drawn: bool,
        is_pictured: bool,
    ) -> WatchState | None:
        """Poll from `state` on; the last state, or None: it polls no longer.

        `is_drawn`: a card draws the plan; `is_pictured`: get a poster at the end, too.
        """
        last: asyncio.Future[WatchState | None] = asyncio.get_running_loop().create_future()
        number = next(self._numbers)
        self._followed[number] = _Followed(state.job_id, tell, learn, last)
        try:
            if self._process is None and not self.is_lost:
                self._starting = self._starting or self._begin(self._start())
                await asyncio.shield(self._starting)
            self._send("follow", number, state, policy, is_drawn, is_pictured)
            return None if self.is_lost else await last
        finally:
            del self._followed[number]
            self._send("drop", number)
            if not self._followed:
                self._leave()

    def draw(self, job_id: str) -> None:
        """A card has begun to draw the plan of this job."""
        for number, followed in self._followed.items():
            if followed.job_id == job_id:
                self._send("draw", number)

    async def aclose(self) -> None:
        """End the process."""
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
            self._leave()  # all were stopped meanwhile

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        telling = self._begin(self._tell_of_refusals())
        try:
            while True:
                head = await _within(_SILENT_S, process.stdout, LENGTH_BYTES)
                bundle = await process.stdout.readexactly(int.from_bytes(head, "big"))
                states, questions, refusals = pickle.loads(bundle)  # noqa: S301 - of our own process
                self._hear(states)
                for retry_after_s in refusals:
                    self._turns.hear(retry_after_s)
                for number, job in questions.items():
                    await self._answer(number, job)
        except asyncio.CancelledError:  # the session is closed, and nobody waits for long
            self._leave()
            _kill(process)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the kernel can poll
            log.debug("the polling process: %s", type(error).__name__)
        finally:
            telling.cancel()
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
                followed.tell(state, True)

    async def _answer(self, number: int, job: Job) -> None:
        followed = self._followed.get(number)
        if followed is not None:
            self._send("learned", number, await followed.learn(job))

    def _send(self, *message: object) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with suppress(OSError, RuntimeError):  # it has ended: `_listen` sees to that
            self._process.stdin.write(pickle.dumps(message))

    def _leave(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()  # it ends by itself


async def _launch() -> asyncio.subprocess.Process:
    if getattr(sys, "frozen", False):
        raise RuntimeError("the executable of a frozen program is no Python")
    # An interrupt is not for it. No session of its own: Linux would share the cores out among
    # sessions, whatever the niceness.
    options: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        group = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        options = {"creationflags": group}
    # -P: a random.py beside the notebook must not stand in for Python's own.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _BOOT, str(Path(__file__).parents[2])),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: text for name, text in os.environ.items() if name not in KEY_VARIABLES},
        **options,
    )


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait until the process has ended: by itself at first, at once where nobody waits for long."""
    assert process.stdout is not None
    is_cancelled = False
    while True:  # left behind by a loop that is closed, it would be nobody's
        try:
            async with asyncio.timeout(_LEAVE_WITHIN_S):
                await process.wait()
                await process.stdout.read()  # only then asyncio lets go of it
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
    """So many bytes. Raises `TimeoutError` for a process that hangs."""
    try:
        async with asyncio.timeout(seconds):
            return await stream.readexactly(length)
    except TimeoutError:
        # If it was this process that stood still, what came meanwhile is there at once.
        async with asyncio.timeout(seconds / 10):
            return await stream.readexactly(length)


def shapes() -> list[str]:
    """What crosses, by the names of its fields: both sides must be of one release."""
    kinds = (Settings, WatchState, PollState, PollPolicy, DurationPrior, Job)
    return [f"{kind.__name__}.{f.name}" for kind in kinds for f in fields(kind)]


def _opening(settings: Settings) -> bytes:
    """What the process is told first. No list of processes shows a key that goes by a pipe."""
    values = {f.name: getattr(settings, f.name) for f in fields(settings)}
    key: Secret | None = values.pop("api_key")
    return pickle.dumps((shapes(), key.reveal() if key is not None else None, values))
