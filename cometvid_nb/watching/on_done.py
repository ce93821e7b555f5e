"""on_done: calls a function of the reader's when a watch is over, where its output is seen."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from contextvars import copy_context

from .state import WatchState
from .waiting import Subscribe


def call_when_settled(call: Callable[[], object], state: WatchState, subscribe: Subscribe) -> None:
    """Call `call()` once, when the watch in `state` is settled: now, or on a thread of its own.

    The thread is started now and with the context of now, as ipykernel sends what a thread prints
    to the cell that has started it (6) or whose context it has (7). On the loop's own thread it
    would land in whichever cell has watched first, and a slow callback would hold up all watches.
    """
    if state.is_settled:
        _call(call)
        return
    settled = threading.Event()

    def observe(state: WatchState) -> None:
        if state.is_settled:
            settled.set()

    unsubscribe = subscribe(observe)

    def wait() -> None:
        settled.wait()
        unsubscribe()
        _call(call)

    # A daemon, so that Python can exit while the job still runs.
    thread = threading.Thread(
        target=copy_context().run,
        args=(wait,),
        name=f"cometvid-on-done-{state.job_id[:40]}",
        daemon=True,
    )
    thread.start()


def _call(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:  # noqa: BLE001 - the reader's own code may raise anything
        # Not by `say`: it belongs where Python tells of what nobody catches.
        sys.stderr.write(traceback.format_exc())
