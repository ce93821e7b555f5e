"""Showing: shows the watches of a line, and fails the cell that waits for one in vain."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..display.frontend import detect
from ..errors import GaveUp, SettingsError, retold
from ..job.ids import quoted_ids
from ..machine import say
from ..notebook import shell
from ..session import session as sessions
from ..session.files import job_id_of
from ..session.reruns import Made
from ..watching.watch import Watch
from ..watching.watch_list import WatchList
from .outcomes import failure_of
from .parser import GrammarError


def watch_options(arguments: Namespace) -> dict[str, Any]:
    """Return the options for `Session.watch` that a line gives.

    Raises:
        SettingsError: one is out of range. Told before the first watch starts or the first job is
            paid for: a wrong option must not leave half of them behind.
    """
    options: dict[str, Any] = {"timeout_s": arguments.timeout, "interval_s": arguments.interval}
    options |= {"save": False if arguments.no_save else None, "save_to": arguments.save}
    options |= {"name": arguments.name}
    with told_by_option(arguments):
        sessions.current().check_watch_options(**options)
    return options


@contextmanager
def told_by_option(arguments: Namespace) -> Iterator[None]:
    """Tell a wrong value by the name of the option that has it, where the line gives one."""
    try:
        yield
    except SettingsError as error:
        name, _, rest = str(error).partition(" ")
        option = name.removesuffix("_s")
        if name not in _SECONDS or getattr(arguments, option, None) is None:
            raise
        raise retold(error, f"--{option} {rest}") from None


_SECONDS = ("timeout_s", "interval_s")


def show(
    ids: list[str], arguments: Namespace, *, is_list: bool = False, made: Sequence[Made] = ()
) -> Watch | WatchList:
    """Watch jobs and show them; return a list for several jobs, or if `is_list`.

    `made` tells of each job whether an earlier run of the cell has made it.
    """
    session, options = sessions.current(), watch_options(arguments)
    checked = [job_id_of(session, job_id) for job_id in ids]  # all, before the first is followed
    watches = WatchList(session.watch(job_id, **options) for job_id in checked)
    for watch, one in zip(watches, made, strict=False):
        session.reruns.offer(watch, one, options)
    shown = present(watches, arguments)
    return watches if is_list else shown


def present(watches: WatchList, arguments: Namespace) -> Watch | WatchList:
    """Show watches as the line asks for, and wait for them where it or the front end wants that."""
    options = {"is_embedding": arguments.embed, "is_gallery": arguments.gallery}
    put_on_stage = partial(sessions.current().stage.present, watches, **options)
    # None: the front end decides; False: never wait, whatever the front end is.
    is_waiting = arguments.wait
    if is_waiting is None:
        is_waiting = detect(shell(), os.environ).is_blocking
    if is_waiting:
        block(watches, lambda: put_on_stage(wait=True))
    else:
        # A watch that ends badly is no error of a cell that does not wait, however soon it ends.
        put_on_stage(wait=False)
    return watches[0] if len(watches) == 1 else watches


def block(watches: list[Watch], wait: Callable[[], None], timeout_s: float | None = None) -> None:
    """Call `wait()`, then fail the cell if a watch that has ended has no clip.

    Without the failure, a notebook run by papermill would go on without its clip. `timeout_s` is
    the time after which `wait` raises a `TimeoutError`.
    """
    frontend = detect(shell(), os.environ)
    try:
        wait()
    except (KeyboardInterrupt, TimeoutError) as reason:
        going_on = [watch.job_id for watch in watches if not watch.state.is_settled]
        verb = "watches go" if len(going_on) > 1 else "watch goes"
        how_to = f"The {verb} on: %cometvid wait {quoted_ids(going_on)}"
        if isinstance(reason, TimeoutError):
            raise GaveUp(f"Stopped waiting after {timeout_s:g} s. {how_to}", job=None) from None
        if not frontend.is_text:
            # An interrupt must also end a "Run all": the cells below need the clip.
            raise GrammarError(f"Stopped waiting. {how_to}") from None
        say(f"Stopped waiting. {how_to}")
        return
    is_seen = frontend.is_text or (
        frontend.has_widgets and all(watch.is_shown_here for watch in watches)
    )
    if (failure := failure_of(watches, is_seen=is_seen)) is not None:
        raise failure from None
