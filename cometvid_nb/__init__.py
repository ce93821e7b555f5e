"""Run video-generation jobs from a notebook: `%load_ext cometvid_nb`, then `%cometvid help`."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypedDict, TypeVar, Unpack, overload

from .job.footage import SLOT
from .notebook import check_place
from .notebook import shell as current_shell
from .session.drawing import let_values_be_drawn
from .session.footage import SessionFootage
from .session.kept import kept

if TYPE_CHECKING:
    from .api.new_job import NewJob
    from .errors import CometVidError, GaveUp, JobFailed
    from .job.job import Job
    from .job.status import JobStatus
    from .session.client import Client
    from .session.dry_run import DryRun
    from .session.widgets import GalleryWidget, JobWidget
    from .watching.watch import Watch
    from .watching.watch_list import WatchList

    class _WatchOptions(TypedDict, total=False):
        """The options of `watch`, for the type checker."""

        wait: bool | None
        timeout_s: float | None
        interval_s: float | None
        save: bool | None
        save_to: str | None
        name: str | None
        embed: bool
        gallery: bool

    class _CreateOptions(_WatchOptions, total=False):
        """The same of `create`."""

        model: str | None
        seconds: str | float | None
        size: str | None
        ratio: str | None
        resolution: str | None
        seed: str | int | None
        negative: str | None
        image: Any
        first_frame: Any
        last_frame: Any
        continue_from: str | Watch | Job | None
        fit: str | None
        extra: Mapping[str, Any] | None
        force: bool
        again: bool


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
    "demo",
    "jobs",
    "load_ipython_extension",
    "remix",
    "unload_ipython_extension",
    "watch",
]

# The module of each public name, imported when the name is first used: importing httpx and the
# widgets would make %load_ext slow, and most notebooks need neither at that point.
_HOMES = {
    "Client": "session.client",
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

_CHECKED = ("timeout_s", "interval_s", "save", "save_to", "name")
"""Options of a watch that are checked before a job is paid for."""

SLOT.filled = SessionFootage()  # a job, in the lowest room, knows nobody who finds its clip

P = ParamSpec("P")
T = TypeVar("T")


def _strict(call: Callable[P, T]) -> Callable[P, T]:
    """Return `call` with a helpful error for an unknown option, and where nothing can run.

    The `TypeError` names the option that was probably meant (`timeout` → `timeout_s`), or else all
    options; Python's own names none.
    """

    @functools.wraps(call)
    def checked(*args: P.args, **options: P.kwargs) -> T:
        check_place()
        known = list(inspect.signature(call).parameters)
        for name in options:
            if name not in known:
                near = [one for one in known if one.startswith(f"{name}_")]
                meant = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
                raise TypeError(f"{call.__name__}() takes no {name}: {meant}")
        return call(*args, **options)

    return checked


@overload  # a text is a collection of texts, too, but here it is one id
def watch(  # type: ignore[overload-overlap]
    job_id: str | Watch | Job, **options: Unpack[_WatchOptions]
) -> Watch: ...


@overload
def watch(job_id: Iterable[str | Watch | Job], **options: Unpack[_WatchOptions]) -> WatchList: ...


@_strict
def watch(
    job_id: str | Watch | Job | Iterable[str | Watch | Job],
    *,
    wait: bool | None = None,
    timeout_s: float | None = None,
    interval_s: float | None = None,
    save: bool | None = None,
    save_to: str | None = None,
    name: str | None = None,
    embed: bool = False,
    gallery: bool = False,
) -> Watch | WatchList:
    """Follow a job to its end and show it: a live card in a notebook, a line in a terminal.

    A list or another collection returns a `WatchList`; more than three jobs share a gallery.

    In a notebook the call returns at once; in a script it returns when the job has ended.

    Args:
        job_id: the id of a job, a `Watch`, a `Job`, or a collection of these.
        wait: True blocks until the end, False returns at once; None decides by the front end.
        timeout_s: seconds after which the watch gives up; None takes the setting.
        interval_s: fixed seconds between polls; None takes the setting.
        save: whether to save the clip; None takes the setting.
        save_to: a folder, a file or a URL for this clip alone; None takes the setting.
        name: a template of file names, such as "{date}-{prompt:40}-{take}"; None takes the setting.
        embed: whether the record in the notebook file contains the clip.
        gallery: whether two or three jobs share a gallery, too.

    Raises:
        SettingsError: no key is set, or an option is out of range; nothing was sent.
        ValueError: `job_id` cannot be an id, or names no job.
    """
    from .job.ids import ids_in, names_one
    from .session.files import job_id_of
    from .session.session import current
    from .watching.watch_list import WatchList

    let_values_be_drawn(current_shell())
    here = current()
    options: dict[str, Any] = {"timeout_s": timeout_s, "interval_s": interval_s}
    options |= {"save": save, "save_to": save_to, "name": name}
    ids = [job_id_of(here, one) for one in ids_in(job_id)]  # all, before the first is followed
    followed = WatchList(here.watch(one, **options) for one in ids)
    here.stage.present(followed, wait=wait, is_embedding=embed, is_gallery=gallery)
    return followed[0] if names_one(job_id) else followed


@overload
def create(prompt: str, *, dry_run: Literal[True], **options: Unpack[_CreateOptions]) -> DryRun: ...


@overload
def create(
    prompt: str, *, dry_run: Literal[False] = ..., **options: Unpack[_CreateOptions]
) -> Watch: ...


@_strict
def create(
    prompt: str,
    *,
    model: str | None = None,
    seconds: str | float | None = None,
    size: str | None = None,
    ratio: str | None = None,
    resolution: str | None = None,
    seed: str | int | None = None,
    negative: str | None = None,
    image: Any = None,
    first_frame: Any = None,
    last_frame: Any = None,
    continue_from: str | Watch | Job | None = None,
    fit: str | None = None,
    extra: Mapping[str, Any] | None = None,
    force: bool = False,
    dry_run: bool = False,
    again: bool = False,
    wait: bool | None = None,
    timeout_s: float | None = None,
    interval_s: float | None = None,
    save: bool | None = None,
    save_to: str | None = None,
    name: str | None = None,
    embed: bool = False,
    gallery: bool = False,
) -> Watch | DryRun:
    """Create a job exactly once and watch it; this costs money at the real API.

    A cell of a notebook that runs again with the same request shows the job that it has made.

    Fields that are left out are the API's choice.

    Args:
        prompt: the description of the clip.
        model: the model's name; None takes that of the settings, else the one used last here.
        seconds: the length of the clip.
        size: what the model takes, such as `"1280x720"` or `"16:9"`.
        ratio: width to height, such as `"9:16"`, for whichever field the model has for it.
        resolution: such as `"720p"`.
        seed: a whole number.
        negative: what the clip is not to show.
        image: a picture, or a list of pictures in their order: each a path, a web address, a data
            URL, bytes, a PIL image, or an array of height × width × 3.
        first_frame: the picture that the clip begins with.
        last_frame: the picture that the clip ends with.
        continue_from: a finished job, whose last frame the clip begins with; model, size and
            seconds are as that job has them, unless they are given. Needs `cometvid-nb[edit]`.
        fit: how pictures get the clip's shape: "crop", "pad", or "none" (as they are); None does
            what the model needs.
        extra: further fields, whatever the model knows.
        force: send also what the model is known to refuse.
        dry_run: send nothing, and return a `DryRun`, whose text is the request.
        again: create a job also where this cell has made it already.
        wait: as for `watch`.
        timeout_s: as for `watch`.
        interval_s: as for `watch`.
        save: as for `watch`.
        save_to: as for `watch`.
        name: as for `watch`.
        embed: as for `watch`.
        gallery: as for `watch`.

    Raises:
        SettingsError: the request is invalid, or no key is set; nothing was sent.
        ApiError, TransientError: the API refused or was never reached; no job was created.
        OutcomeUnknown: the answer was lost, now or in an earlier run, so a job may exist. Nothing
            was sent again.
    """
    from .job.ids import one_id

    options: dict[str, Any] = {
        "model": model,
        "seconds": seconds,
        "size": size,
        "ratio": ratio,
        "resolution": resolution,
        "seed": seed,
        "negative": negative,
        "image": image,
        "first_frame": first_frame,
        "last_frame": last_frame,
        "continue_from": one_id(continue_from) if continue_from is not None else None,
        "fit": fit,
        "extra": extra,
        "force": force,
    }
    watching: dict[str, Any] = {"wait": wait, "timeout_s": timeout_s, "interval_s": interval_s}
    watching |= {"save": save, "save_to": save_to, "name": name, "embed": embed, "gallery": gallery}
    return _make(prompt, options, dry_run, again, watching)


@overload
def remix(
    job_id: str | Watch | Job,
    prompt: str,
    *,
    dry_run: Literal[True],
    extra: Mapping[str, Any] | None = ...,
) -> DryRun: ...


@overload
def remix(
    job_id: str | Watch | Job,
    prompt: str,
    *,
    extra: Mapping[str, Any] | None = ...,
    dry_run: Literal[False] = ...,
    again: bool = ...,
    **options: Unpack[_WatchOptions],
) -> Watch: ...


@_strict
def remix(
    job_id: str | Watch | Job,
    prompt: str,
    *,
    extra: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    again: bool = False,
    wait: bool | None = None,
    timeout_s: float | None = None,
    interval_s: float | None = None,
    save: bool | None = None,
    save_to: str | None = None,
    name: str | None = None,
    embed: bool = False,
    gallery: bool = False,
) -> Watch | DryRun:
    """Create a variation of a finished job and watch it.

    `job_id` may be a `Watch` or a `Job`; the options are those of `create` and `watch`. Raises the
    errors of `create`.
    """
    from .job.ids import one_id

    watching: dict[str, Any] = {"wait": wait, "timeout_s": timeout_s, "interval_s": interval_s}
    watching |= {"save": save, "save_to": save_to, "name": name, "embed": embed, "gallery": gallery}
    return _make(prompt, {"remix_of": one_id(job_id), "extra": extra}, dry_run, again, watching)


def jobs() -> list[dict[str, Any]]:
    """Return the jobs in this machine's ledger for the current API, newest first.

    Each job is a flat dict, so that `pandas.DataFrame(cometvid_nb.jobs())` takes them as they are.
    As the value of a cell they are a table.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    check_place()
    from .notebook import notebook_folder
    from .session.job_dicts import JobDicts
    from .session.session import current

    let_values_be_drawn(current_shell())
    here = current()
    return JobDicts(here.ledger.entries(here.settings.base_url), notebook_folder())


@_strict
def demo(*, speed: float = 1.0, trouble: str | None = None, stop: bool = False) -> None:
    """Let this process ask a simulated API: no key is needed, nothing is rendered or paid for.

    A call that comes again changes nothing, so that a cell may run again; another speed begins a
    new simulation. The jobs outlive the process for a day.

    Args:
        speed: how many times as fast as a real API, 0.01 to 1000.
        trouble: what the next requests meet: "busy" (a 429, a broken gateway, a dropped
            connection), "down" (a 503), "lost" (the answer to a new job), "broke" (no money left).
        stop: end the simulation and its watches, and return to the settings of before.

    Raises:
        SettingsError: there is no such speed or trouble.
    """
    from .machine import say
    from .magic.demo import the_demo

    let_values_be_drawn(current_shell())
    if stop:
        is_over = the_demo().stop()
        say("The simulation has ended." if is_over else "No simulation is running.")
        return
    told = the_demo().keep_on(speed)
    say(told if trouble is None else the_demo().let_fail(trouble))


def _make(
    prompt: str, options: dict[str, Any], is_dry: bool, is_again: bool, watching: dict[str, Any]
) -> Watch | DryRun:
    from .session.dry_run import dry_run
    from .session.request import make_request, send
    from .session.session import current

    here = current()
    request = make_request(here, [prompt], **options)
    if is_dry:
        return dry_run(here, request)
    following = {name: watching[name] for name in _CHECKED}
    here.check_watch_options(**following)
    made, error = send(here, request, is_again=is_again, how="again=True")
    if (trouble := here.ledger.trouble) is not None:
        # No warning: a filter could hide it, or raise it and lose the job's id.
        ids = f" Write down what was created: {made[0].job.id}" if made else ""
        sys.stderr.write(f"{trouble}{ids}\n")
    if error is not None:
        raise error
    let_values_be_drawn(current_shell())
    watched = here.watch(made[0].job.id, **following)
    here.reruns.offer(watched, made[0], following)
    here.stage.present(
        [watched],
        wait=watching["wait"],
        is_embedding=watching["embed"],
        is_gallery=watching["gallery"],
    )
    return watched


def load_ipython_extension(shell: Any) -> None:
    """Register `%cometvid`, for `%load_ext cometvid_nb`. A second call changes nothing.

    Inside a browser's Python its only answer is that nothing can run there.
    """
    from .errors import SettingsError

    try:
        check_place()
    except SettingsError as error:
        shell.register_magic_function(functools.partial(_refuse, str(error)), magic_name="cometvid")
        return
    let_values_be_drawn(shell)
    if kept.magic is None:
        from .magic.magics import Cometvid

        kept.magic = Cometvid(shell)
        shell.register_magics(kept.magic)


def _refuse(reason: str, line: str) -> None:  # noqa: ARG001 - IPython passes it
    from IPython.core.error import UsageError

    raise UsageError(reason)


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
        if _HOMES[name].startswith("session"):
            check_place()
        let_values_be_drawn(current_shell())
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
        # Python calls `__getattr__` only for a missing name: the next use finds it at once.
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
