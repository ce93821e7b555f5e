"""Run video-generation jobs from a notebook: `%load_ext cometvid_nb`, then `%cometvid help`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Client
    from .errors import CometVidError, GaveUp, JobFailed
    from .job import Job, JobStatus
    from .watching import Watch
    from .widget import JobWidget

__all__ = [
    "Client",
    "CometVidError",
    "GaveUp",
    "Job",
    "JobFailed",
    "JobStatus",
    "JobWidget",
    "Watch",
    "load_ipython_extension",
    "unload_ipython_extension",
    "watch",
]

# A name is loaded when it is first used: %load_ext must not pay for httpx and the widgets.
_HOMES = {
    "Client": "client",
    "CometVidError": "errors",
    "GaveUp": "errors",
    "Job": "job",
    "JobFailed": "errors",
    "JobStatus": "job",
    "JobWidget": "widget",
    "Watch": "watching",
}

_magic: Any = None


def watch(
    job_id: str,
    *,
    wait: bool | None = None,
    timeout_s: float | None = None,
    interval_s: float | None = None,
    save: bool | None = None,
) -> Watch:
    """Follow a job to its end and show it: a live card in a notebook, a line in a terminal.

    In a notebook this returns at once; in a script it returns when the job has ended. `wait`
    decides otherwise. `timeout_s` is the deadline, `interval_s` a fixed pause between polls,
    `save` whether the clip is saved; None = as the settings say.

    Raises:
        SettingsError: no key is set, or an option makes no sense; nothing was sent.
        ValueError: `job_id` cannot be an id.
    """
    from . import session
    from .frontend import cell_number

    here = session.current()
    followed = here.watch(job_id, timeout_s=timeout_s, interval_s=interval_s, save=save)
    followed.shown_in_cell = cell_number()
    here.present([followed], wait=wait)
    return followed


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext cometvid_nb`: registers `%cometvid`. Loading it twice changes nothing."""
    global _magic
    if _magic is None:
        from .magic import Cometvid

        _magic = Cometvid(shell)
        shell.register_magics(_magic)


def unload_ipython_extension(shell: Any) -> None:  # noqa: ARG001 - IPython passes it
    """`%unload_ext cometvid_nb`: ends every watch and takes the magic away."""
    global _magic
    magic, _magic = _magic, None
    if magic is not None:
        magic.unload()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
