"""Creation: carries out `%cometvid create` and `remix`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..api.form_text import set_values
from ..api.new_job import MOST_JOBS
from ..clips.places import Destination
from ..errors import JobNotFound, retold
from ..job.ids import quoted_id, quoted_ids, shown_id
from ..job.job import Job
from ..job.plain import plain
from ..machine import say
from ..notebook import cell_number
from ..session import session as sessions
from ..session.dry_run import dry_run
from ..session.dry_run import told as told_dry_run
from ..session.files import is_known
from ..session.request import Request, make_request, send
from .grammar import whole
from .parser import GrammarError

_OPTIONS = (
    "model",
    "seconds",
    "size",
    "ratio",
    "resolution",
    "seed",
    "negative",
    "image",
    "first_frame",
    "last_frame",
    "fit",
    "force",
)
"""Options of `create` that `NewJob.check` takes under the same name."""

Show = Callable[..., Any]
"""Shows watches of jobs: `show(ids, arguments, is_list=True, made=…)`."""


def create(arguments: Namespace, show: Show) -> Any:
    """Create a job for each prompt and take, and return its watch or the list of watches."""
    count = whole("-n", arguments.count or "1", MOST_JOBS)
    options = {name: getattr(arguments, name) for name in _OPTIONS}
    # All are checked before the first is sent: a wrong third prompt must not cost two clips.
    return _make(arguments, show, count=count, **options)


def remix(arguments: Namespace, show: Show) -> Any:
    """Create a variation of a job for each prompt; return as `create`."""
    _check_order("remix", arguments)
    with _in_order():
        return _make(arguments, show, remix_of=arguments.id)


def continue_(arguments: Namespace, show: Show) -> Any:
    """Create a job for each prompt and take that begins where a clip ends; return as `create`."""
    _check_order("continue", arguments)
    count = whole("-n", arguments.count or "1", MOST_JOBS)
    options = {name: getattr(arguments, name, None) for name in _OPTIONS}
    with _in_order():
        return _make(arguments, show, count=count, continue_from=arguments.id, **options)


def _check_order(command: str, arguments: Namespace) -> None:
    """Check that the id stands before the prompt: an API would know no job of a prompt's name.

    Raises:
        GrammarError: it stands behind.
    """
    session, job_id = sessions.current(), arguments.id.strip()
    if is_known(session, job_id):
        return
    behind = next((one for one in arguments.prompts if is_known(session, one.strip())), None)
    if behind is not None or any(map(str.isspace, job_id)):
        typed = quoted_id(behind.strip()) if behind is not None else "ID"
        raise GrammarError(
            f"{shown_id(job_id)!r} is not a job id. The id comes first, then the prompt: "
            f"%cometvid {command} {typed} {quoted_id(job_id)}"
        )


@contextmanager
def _in_order() -> Iterator[None]:
    """Tell in which order they stand where the API knows no such job."""
    try:
        yield
    except JobNotFound as error:
        error.advise("The id comes first, then the prompt.")
        raise


def _make(arguments: Namespace, show: Show, **options: Any) -> Any:
    session = sessions.current()
    # An impossible place to save to must be found before anything is paid for.
    Destination.parse(arguments.save, session.settings.save_folder, Path())
    extra = set_values(arguments.set)
    request = make_request(session, arguments.prompts, extra=extra, **options)
    if arguments.dry_run:
        return told_dry_run(dry_run(session, request))
    return _send(request, arguments, show)


def _send(request: Request, arguments: Namespace, show: Show) -> Any:
    new = request.new
    session = sessions.current()
    made, error = send(session, request, is_again=arguments.again)
    jobs = [one.job for one in made]
    if (trouble := session.ledger.trouble) is not None:
        # Each time, and before anything else: these ids may stand nowhere but here.
        ids = f" Write down what was created: {quoted_ids(job.id for job in jobs)}" if jobs else ""
        say(f"{trouble}{ids}")
    result: Any = None
    if jobs and arguments.no_watch:
        for one in made:
            name = shown_id(one.job.id)
            told = f"{name}: {one.note}." if one.note else f"Created {name}."
            say(f"{told} Watch it: %cometvid watch {quoted_id(one.job.id)}")
        result = jobs[0] if len(new) == 1 else CreatedJobs(jobs)
    elif jobs:
        if error is not None:
            arguments.wait = False  # the error must be shown now, not after the last clip
        result = show([job.id for job in jobs], arguments, is_list=len(new) > 1, made=made)
    if error is not None:
        told = str(error)
        if len(new) > 1:
            ids = f": {quoted_ids(job.id for job in jobs)}" if jobs else ""
            told = f"{told.rstrip('.')}. {len(jobs)} of {len(new)} jobs were created{ids}."
        failure = retold(error, told)
        if jobs:
            ids = quoted_ids(job.id for job in jobs)
            failure.advise(f"To wait for what was created: %cometvid watch {ids} --wait")
        raise failure from None
    return result


class CreatedJobs(list[Job]):
    """Jobs that were created together.

    As the value of the cell that created them they show nothing, as it has printed their ids.
    """

    def __init__(self, jobs: list[Job]) -> None:
        super().__init__(jobs)
        self._told_in_cell = cell_number()

    def _ipython_display_(self) -> None:
        if self._told_in_cell is None or self._told_in_cell != cell_number():
            say("\n".join(plain(f"{job.id}  {job.status_word}") for job in self))
