"""Run video-generation jobs from a notebook: `%load_ext cometvid_nb`, then `%cometvid help`."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from .notebook import shell as current_shell
from .session.kept import kept

if TYPE_CHECKING:
    from pathlib import Path

    from .api.client import Client
    from .api.new_job import NewJob
    from .errors import CometVidError, GaveUp, JobFailed
    from .job.job import Job
    from .job.status import JobStatus
    from .session.widgets import GalleryWidget, JobWidget
    from .watching.watch import Watch, WatchList

__all__ = [
    "Client",
    "CometVidError",
    "GalleryWidget",
    "GaveUp",
    "Job",
    "JobFailed",
    "JobStatus",
    "JobWidget",
    "NewJob",
    "Watch",
    "create",
    "jobs",
    "load_ipython_extension",
    "remix",
    "unload_ipython_extension",
    "watch",
]

# The module of each public name, imported when the name is first used: importing httpx and the
# widgets would make %load_ext slow, and most notebooks need neither at that point.
_HOMES = {
    "Client": "api.client",
    "CometVidError": "errors",
    "GalleryWidget": "session.widgets",
    "GaveUp": "errors",
    "Job": "job.job",
    "JobFailed": "errors",
    "JobStatus": "job.status",
    "JobWidget": "session.widgets",
    "NewJob": "api.new_job",
    "Watch": "watching.watch",
}

P = ParamSpec("P")
T = TypeVar("T")


def _strict(call: Callable[P, T]) -> Callable[P, T]:
    """Return `call` with a helpful `TypeError` for an unknown option.

    The message names the option that was probably meant (`timeout` → `timeout_s`), or else all
    options; Python's own names none.
    """

    @functools.wraps(call)
    def checked(*args: P.args, **options: P.kwargs) -> T:
        known = list(inspect.signature(call).parameters)
        for name in options:
            if name not in known:
                near = [one for one in known if one.startswith(f"{name}_")]
                meant = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
                raise TypeError(f"{call.__name__}() takes no {name}: {meant}")
        return call(*args, **options)

    return checked


@overload
def watch(
    job_id: str,
    *,
    wait: bool | None = ...,
    timeout_s: float | None = ...,
    interval_s: float | None = ...,
    save: bool | None = ...,
) -> Watch: ...


@overload
def watch(
    job_id: list[str] | tuple[str, ...],
    *,
    wait: bool | None = ...,
    timeout_s: float | None = ...,
    interval_s: float | None = ...,
    save: bool | None = ...,
) -> WatchList: ...


@_strict
def watch(
    job_id: str | list[str] | tuple[str, ...],
    *,
    wait: bool | None = None,
    timeout_s: float | None = None,
    interval_s: float | None = None,
    save: bool | None = None,
) -> Watch | WatchList:
    """Follow a job to its end and show it: a live card in a notebook, a line in a terminal.

    A list of ids returns a `WatchList`; more than three jobs share a gallery.

    In a notebook the call returns at once; in a script it returns when the job has ended.

    Args:
        job_id: the id of a job, or a list of ids.
        wait: True blocks until the end, False returns at once; None decides by the front end.
        timeout_s: seconds after which the watch gives up; None takes the setting.
        interval_s: fixed seconds between polls; None takes the setting.
        save: whether to save the clip; None takes the setting.

    Raises:
        SettingsError: no key is set, or an option is out of range; nothing was sent.
        ValueError: `job_id` cannot be an id.
    """
    from .session.session import current
    from .watching.watch import WatchList

    _let_jobs_be_drawn(current_shell())
    here = current()
    ids = [job_id] if isinstance(job_id, str) else job_id
    followed = WatchList(
        here.watch(one, timeout_s=timeout_s, interval_s=interval_s, save=save) for one in ids
    )
    here.stage.present(followed, wait=wait)
    return followed[0] if isinstance(job_id, str) else followed


@_strict
def create(
    prompt: str,
    *,
    model: str | None = None,
    seconds: str | float | None = None,
    size: str | None = None,
    image: str | Path | None = None,
    wait: bool | None = None,
    save: bool | None = None,
) -> Watch:
    """Create a job exactly once and watch it; this costs money at the real API.

    Args:
        prompt: the description of the clip.
        model: the model's name; None leaves the choice to the API.
        seconds: the length of the clip; None leaves it to the API.
        size: width and height in pixels, such as `"1280x720"`; None leaves it to the API.
        image: a picture file that the clip begins with.
        wait: as for `watch`.
        save: as for `watch`.

    Raises:
        SettingsError: the request makes no sense, or no key is set; nothing was sent.
        ApiError, TransientError: the API refused or was never reached; no job was created.
        OutcomeUnknown: the answer was lost, so a job may exist. Nothing was sent again.
    """
    from .api.new_job import NewJob

    new = NewJob.check(prompt, model=model, seconds=seconds, size=size, image=image)
    return _make(new, wait, save)


@_strict
def remix(job_id: str, prompt: str, *, wait: bool | None = None, save: bool | None = None) -> Watch:
    """Create a variation of a finished job and watch it. Raises the errors of `create`."""
    from .api.new_job import NewJob

    return _make(NewJob.check(prompt, remix_of=job_id), wait, save)


def jobs() -> list[dict[str, Any]]:
    """Return the jobs in this machine's ledger for the current API, newest first.

    Each job is a flat dict, so that `pandas.DataFrame(cometvid_nb.jobs())` makes a table.
    """
    from .session.session import current

    _let_jobs_be_drawn(current_shell())
    here = current()
    return [entry.to_row() for entry in here.ledger.entries(here.settings.base_url)]


def _make(new: NewJob, wait: bool | None, save: bool | None) -> Watch:
    from .session.session import current

    made, error = current().create([new])
    if error is not None:
        raise error
    return watch(made[0].id, wait=wait, save=save)


def _draw_job(job: Job) -> dict[str, str]:
    """What a notebook shows of a `Job` that ends a cell."""
    from .cards.card import Card
    from .cards.html import card_to_bundle

    return card_to_bundle(Card.of_job(job))


def _let_jobs_be_drawn(shell: Any) -> None:
    """Have `shell` draw jobs as tables; None is plain Python, where a job has its `repr`.

    By the type's name and from here, as drawing lies above the job, which must not pay for it.
    """
    formatter = getattr(getattr(shell, "display_formatter", None), "mimebundle_formatter", None)
    # A drawing that somebody has registered for themselves stays.
    if formatter is not None and formatter.for_type_by_name("cometvid_nb.job.job", "Job") is None:
        formatter.for_type_by_name("cometvid_nb.job.job", "Job", _draw_job)


def load_ipython_extension(shell: Any) -> None:
    """Register `%cometvid`, for `%load_ext cometvid_nb`. A second call changes nothing."""
    _let_jobs_be_drawn(shell)
    if kept.magic is None:
        from .magic.magics import Cometvid

        kept.magic = Cometvid(shell)
        shell.register_magics(kept.magic)


def unload_ipython_extension(shell: Any) -> None:  # noqa: ARG001 - IPython passes it
    """End every watch and remove the magic, for `%unload_ext cometvid_nb`; jobs stay drawn."""
    magic, kept.magic = kept.magic, None
    if magic is not None:
        magic.unload()


# Hidden from type checkers: they would otherwise accept any attribute of this package.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        _let_jobs_be_drawn(current_shell())
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
        # Python calls `__getattr__` only for a missing name: the next use finds it at once.
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
