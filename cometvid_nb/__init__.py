"""Run video-generation jobs from a notebook: `%load_ext cometvid_nb`, then `%cometvid help`."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from .notebook import shell as current_shell

if TYPE_CHECKING:
    from pathlib import Path

    from .api.client import Client
    from .api.new_job import NewJob
    from .errors import CometVidError, GaveUp, JobFailed
    from .job import Job, JobStatus
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

# A name is loaded when it is first used: %load_ext must not pay for httpx and the widgets.
_HOMES = {
    "Client": "api.client",
    "CometVidError": "errors",
    "GalleryWidget": "session.widgets",
    "GaveUp": "errors",
    "Job": "job",
    "JobFailed": "errors",
    "JobStatus": "job",
    "JobWidget": "session.widgets",
    "NewJob": "api.new_job",
    "Watch": "watching.watch",
}

_magic: Any = None
P = ParamSpec("P")
T = TypeVar("T")


def _strict(call: Callable[P, T]) -> Callable[P, T]:
    """`call`, but an option it does not have is answered with those that it has."""

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

    A list of ids gives a list of watches; more than three of them share a gallery.

    In a notebook this returns at once; in a script it returns when the job has ended. `wait`
    decides otherwise. `timeout_s` is the deadline, `interval_s` a fixed pause between polls,
    `save` whether the clip is saved; None = as the settings say.

    Raises:
        SettingsError: no key is set, or an option makes no sense; nothing was sent.
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
    """Ask for a new clip, exactly once, and watch it come; this costs money at the real API.

    `size` is `"1280x720"`, `seconds` the length, `image` a picture file to begin with; None
    leaves a choice to the API. The other options are those of `watch`.

    Raises:
        SettingsError: it makes no sense, or no key is set; nothing was sent.
        ApiError, TransientError: the API refused or was never reached; nothing was made.
        OutcomeUnknown: the answer was lost; there may be a job. Nothing was sent again.
    """
    from .api.new_job import NewJob

    new = NewJob.check(prompt, model=model, seconds=seconds, size=size, image=image)
    return _make(new, wait, save)


@_strict
def remix(job_id: str, prompt: str, *, wait: bool | None = None, save: bool | None = None) -> Watch:
    """Ask for a variation of a finished job and watch it come. Raises what `create` raises."""
    from .api.new_job import NewJob

    return _make(NewJob.check(prompt, remix_of=job_id), wait, save)


def jobs() -> list[dict[str, Any]]:
    """What this machine remembers of the jobs at the API, the latest first.

    A flat dict each, so `pandas.DataFrame(cometvid_nb.jobs())` works as it is.
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
    if formatter is not None and formatter.for_type_by_name("cometvid_nb.job", "Job") is None:
        formatter.for_type_by_name("cometvid_nb.job", "Job", _draw_job)


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext cometvid_nb`: registers `%cometvid`. Loading it twice changes nothing."""
    global _magic
    _let_jobs_be_drawn(shell)
    if _magic is None:
        from .magic.magics import Cometvid

        _magic = Cometvid(shell)
        shell.register_magics(_magic)


def unload_ipython_extension(shell: Any) -> None:  # noqa: ARG001 - IPython passes it
    """`%unload_ext cometvid_nb`: ends every watch and takes the magic away; jobs stay drawn."""
    global _magic
    magic, _magic = _magic, None
    if magic is not None:
        magic.unload()


if not TYPE_CHECKING:  # else a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        _let_jobs_be_drawn(current_shell())
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
