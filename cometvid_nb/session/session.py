"""Session: the one place that joins the rest, and `current()`, the one of this kernel."""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
import warnings
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..clips.places import Destination, SavedClip, Saving, local_file
from ..display.stage import Stage
from ..errors import ClipError, CometVidError, MissingKey, SettingsError
from ..job import Job, JobStatus, Polled, check_job_id
from ..ledger.file import default_path
from ..ledger.ledger import Ledger
from ..notebook import notebook_folder
from ..settings import Settings
from ..watching.durations import DEFAULT_PRIOR
from ..watching.loop import Watcher
from ..watching.polling import JobSource
from ..watching.saving import SaveClip, kept
from ..watching.schedule import PollPolicy
from ..watching.state import WatchState
from ..watching.watch import Watch
from ..watching.worker import Worker
from . import memory

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.new_job import NewJob
    from ..display.widget import GalleryWidget, JobWidget

SIMULATED_MIN_DELAY_S, SIMULATED_MAX_DELAY_S = 0.5, 1.5
"""The simulator is next door, and a demo that moves every 15 s shows nothing."""


class Session:
    """Settings, a client, a watcher and what is shown; all that one kernel does goes through it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._real_settings: Settings | None = None
        self._clients: dict[object, Client] = {}
        self._recorded: WeakSet[Watch] = WeakSet()
        self._lessons = memory.Lessons()
        self._ledgers: dict[str, Ledger] = {}
        self._simulation_folder: tempfile.TemporaryDirectory[str] | None = None
        self._watcher = Watcher(
            make_widget=lambda watch: self.stage.make_widget(watch), make_worker=_worker_for
        )
        self.stage = Stage(follow=self.watch, run=self._watcher.run)

    @property
    def settings(self) -> Settings:
        """What the session has been told. Read from the environment at the first use.

        Raises:
            SettingsError: the environment holds a base URL that cannot be used.
        """
        if self._settings is None:
            self._settings = Settings.from_environ(os.environ)
        return self._settings

    @property
    def watches(self) -> list[Watch]:
        """Every watch of this session, the oldest first; of each job only the latest."""
        return self._watcher.watches

    @property
    def active(self) -> list[Watch]:
        """The watches that are not over."""
        return [watch for watch in self.watches if not watch.state.is_settled]

    def configure(self, **changes: object) -> Settings:
        """Change settings, for what begins from now on. See `Settings` for their names.

        Raises:
            SettingsError: no such setting, or no such value. Nothing is changed.
        """
        if "base_url" in changes and "is_simulated" not in changes:
            changes["is_simulated"] = False
        self._settings = self.settings.changed(**changes)
        return self._settings

    def enter_simulation(self, base_url: str, api_key: str) -> None:
        """Talk to a simulator from now on; `leave_simulation` brings the settings back."""
        if not self.settings.is_simulated:
            self._real_settings = self.settings
        self.configure(base_url=base_url, api_key=api_key, is_simulated=True)

    def leave_simulation(self) -> None:
        """Go back to the settings of before the simulation, if one is on."""
        if self.settings.is_simulated:
            self._settings = self._real_settings
        self._real_settings = None
        simulated = self._ledgers.pop("simulation", None)
        if simulated is not None:
            simulated.close()

    def watch(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        interval_s: float | None = None,
        save: bool | None = None,
        save_to: str | None = None,
    ) -> Watch:
        """Follow a job in the background, showing nothing. None = as the settings say.

        `save_to` is a place for this clip alone: a folder, a file, or a URL that fsspec knows.
        It is filled, too, if the job is being watched already or its clip lies elsewhere.

        Raises:
            MissingKey, SettingsError: nothing was sent. ValueError: `job_id` cannot be an id.
        """
        job_id = check_job_id(job_id)
        options = {"timeout_s": timeout_s, "interval_s": interval_s, "save": save}
        settings = self.settings.changed(**{k: v for k, v in options.items() if v is not None})
        client, ledger = self._client(settings), self.ledger
        is_clip_wanted = settings.save or save_to is not None
        saver = self._saver(client, settings, save_to) if is_clip_wanted else None
        known = memory.saved_watch_state(ledger, settings, job_id)
        if known is not None and (save_to is None or local_file(known.saved)):
            watch = self._watcher.remember(known, client)
        else:
            watch = self._watcher.follow(
                job_id,
                client,
                _policy(settings),
                saver,
                learn=lambda job: self._lessons.learn(
                    ledger, settings.base_url, job, DEFAULT_PRIOR
                ),
                is_simulated=settings.is_simulated,
            )
            known = None
        is_new = watch not in self._recorded  # a job that is watched already gives the same watch
        if is_new and known is None:
            watch.picture = self._picture(client)
        if is_new and (known is None or save_to is not None):
            self._recorded.add(watch)
            memory.record(watch, ledger, settings.base_url, is_clip_wanted=is_clip_wanted)
        if saver is not None and save_to is not None and (known is not None or not is_new):
            self._watcher.save_too(watch, saver)
        return watch

    def create(self, new: Sequence[NewJob]) -> tuple[list[Job], CometVidError | None]:
        """Ask for new jobs; those that were made, and what ended the asking early, or None.

        Each is written into the ledger before it is sent, and is asked for exactly once, also
        when the reader interrupts.

        Raises:
            MissingKey, SettingsError: nothing was sent.
        """
        from .creation import create

        client, ledger = self._client(self.settings), self.ledger
        jobs: list[Job] = []
        for one in new:
            try:
                jobs.append(self._watcher.run(create(client, ledger, one)).result())
            except CometVidError as error:
                return jobs, error
        return jobs, None

    def resume(self) -> list[Watch]:
        """Watch every job of the ledger that has not ended, or whose clip never came home."""
        entries = self.ledger.unfinished(self.settings.base_url)
        return [self.watch(entry.job_id) for entry in entries if entry.job_id is not None]

    @property
    def ledger(self) -> Ledger:
        """The record of jobs that the settings name. A simulation keeps its own, for its life."""
        name = "simulation" if self.settings.is_simulated else self.settings.ledger
        if name not in self._ledgers:
            self._ledgers[name] = Ledger(self._ledger_path(name), _warn)
        return self._ledgers[name]

    def _ledger_path(self, name: str) -> Path | None:
        if name == "simulation":
            self._simulation_folder = tempfile.TemporaryDirectory(prefix="cometvid-")
            return Path(self._simulation_folder.name) / "ledger.sqlite3"
        if name.lower() in ("off", "no", "false", "0"):
            return None
        is_default = name.lower() in ("on", "yes", "true", "1")
        try:
            return default_path() if is_default else Path(name).expanduser()
        except RuntimeError as error:  # the home of a user there is not
            raise SettingsError(f"ledger is {name!r}: {error}") from None

    def attach(self, widget: JobWidget, job_id: str) -> None:
        """Make `widget` show the watch of a job."""
        self.stage.bind(widget, self.watch(job_id))

    def attach_gallery(self, widget: GalleryWidget, watches: Sequence[Watch | str]) -> None:
        """Make `widget` show these watches, and those of the jobs that are named by their id."""
        followed = [self.watch(one) if isinstance(one, str) else one for one in watches]
        self.stage.bind_gallery(widget, followed)

    def poll(self, job_id: str) -> Job:
        """One question about a job, from synchronous code. Raises what `Client.poll` raises."""
        job_id = check_job_id(job_id)
        client = self._client(self.settings)

        async def poll() -> Polled:
            return await client.poll(job_id)

        return self._watcher.run(poll()).result().job

    def save(
        self,
        job_id: str,
        dest: str | None = None,
        on_progress: Callable[[Saving], None] = lambda saving: None,
    ) -> SavedClip:
        """Save the clip of a completed job, from synchronous code; `dest` as for `watch`.

        A clip that lies on this machine already is copied from there.

        Raises:
            ClipError: the job is not completed, or the clip cannot be fetched or saved.
            ApiError, TransientError, MissingKey: as `Client.retrieve`.
        """
        job_id = check_job_id(job_id)
        client, ledger, base_url = self._client(self.settings), self.ledger, self.settings.base_url
        saver = self._saver(client, self.settings, dest)
        known = memory.saved_watch_state(ledger, self.settings, job_id)

        async def save() -> SavedClip:
            if known is not None and known.job is not None and local_file(known.saved):
                job, state = known.job, known
            else:
                job = (await client.poll(job_id)).job
                if job.status is not JobStatus.COMPLETED:
                    raise ClipError(f"{job_id} has no clip yet: its status is {job.status_word!r}.")
                state = WatchState.begin(job_id, 0.0, 0.0)
            saved = await saver(job, on_progress, state.saved)
            first = kept(state, saved).saved or saved
            ledger.see(base_url, job if job.id == job_id else replace(job, id=job_id))
            ledger.save(base_url, job_id, first.file_path, first.size_bytes, poster=first.poster)
            return saved

        return self._watcher.run(save()).result()

    def close(self) -> None:
        """End every watch, connection and thread. The session can be used again afterwards."""
        self._watcher.close(self._clients.values())
        for ledger in self._ledgers.values():
            ledger.close()
        self._clients.clear()
        if self._simulation_folder is not None:
            self._simulation_folder.cleanup()
            self._simulation_folder = None

    def _client(self, settings: Settings) -> Client:
        if settings.api_key is None:
            raise MissingKey
        from ..api.client import Client

        key = (settings.base_url, settings.api_key)
        if key not in self._clients:
            self._clients[key] = Client(settings)
        return self._clients[key]

    def _saver(self, client: Client, settings: Settings, dest: str | None = None) -> SaveClip:
        from ..clips.save import save as save_clip

        beside = notebook_folder()
        place = Destination.parse(dest, beside / settings.save_folder, beside)

        async def save(
            job: Job, on_progress: Callable[[Saving], None], saved: SavedClip | None
        ) -> SavedClip:
            return await save_clip(client, job, place, on_progress, saved)

        return save

    def _picture(self, client: Client) -> Callable[[Job], Coroutine[Any, Any, str | None]]:
        from ..clips.posters import picture

        return lambda job: picture(client, job)


def _policy(settings: Settings) -> PollPolicy:
    if settings.interval_s:
        return PollPolicy.fixed(settings.interval_s, settings.timeout_s)
    policy = PollPolicy(give_up_after_s=settings.timeout_s)
    if settings.is_simulated:
        return replace(policy, min_delay_s=SIMULATED_MIN_DELAY_S, max_delay_s=SIMULATED_MAX_DELAY_S)
    return policy


def _worker_for(source: JobSource) -> Worker | None:
    from ..api.client import Client

    return Worker(source.settings, source.turns) if isinstance(source, Client) else None


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


_current: Session | None = None
_lock = threading.Lock()


def current() -> Session:
    """The session of this process, made at the first call."""
    global _current
    with _lock:
        if _current is None:
            _current = Session()
            atexit.register(_current.close)
        return _current


_of_the_parent: list[Session] = []


def _leave_to_parent() -> None:
    """In a forked child: its threads and connections are the parent's; begin without them."""
    global _current, _lock
    if _current is not None:
        atexit.unregister(_current.close)
        _of_the_parent.append(_current)  # dropped, its connection to the record would be closed
    _current, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def end() -> None:
    """Close the session of this process; the next `current()` makes another."""
    global _current
    with _lock:
        session, _current = _current, None
    if session is not None:
        atexit.unregister(session.close)
        session.close()
