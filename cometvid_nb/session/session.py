"""Session: starts, creates, resumes and saves jobs for one kernel; `current()` is the kernel's."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..api.shelf import Shelf
from ..clips.places import SavedClip, Saving, local_file
from ..display.stage import Stage
from ..errors import CometVidError
from ..job.job import Job
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..machine import say
from ..notebook import running_cell
from ..settings import Settings, check_key
from ..watching.loop import WatchLoop
from ..watching.memory import Memory
from ..watching.state import WatchState
from ..watching.watch import Watch
from .again import settings_again
from .backdrop import Backdrops
from .files import job_id_of
from .kept import kept
from .ledgers import Ledgers
from .orders import destination_of, policy_of
from .platform_key import PlatformKey
from .remembered import remembered_entry, saved_watch_state
from .reruns import MAKE, Made, Reruns, Wanted

if TYPE_CHECKING:
    from ..api.catalogue import Catalogue
    from ..api.client import Client
    from ..api.new_job import NewJob
    from ..watching.server import (
        Server,  # httpx loads with the first watch, not with %cometvid help
    )

T = TypeVar("T")

MOST_RESUMED = 10_000
"""One kernel follows so many at once; the rest are resumed when those have ended."""


class Session:
    """Joins settings, servers, ledgers, the loop of watches and the stage of one kernel.

    Nothing is read, opened or started before its first use. Safe to use from any thread, as its
    parts are.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._given = settings
        """What a program has given; None: the environment's settings, as it has them now."""
        self._own: dict[str, Any] = {}
        """The settings that a person has changed here: they win over those."""
        self._own_before: dict[str, Any] = {}
        """To return to when the simulation ends."""
        self._simulated: dict[str, Any] = {}
        """The settings that lead to the simulator; they win over all others, until it ends."""
        self._settings: Settings | None = None
        """All these together; None: to be put together anew."""
        self._below: Settings | None = None
        """What was given, or what the environment said, then."""
        self.platform_key = PlatformKey()
        self._lock = threading.Lock()
        """Guards the making of what the next ones hold: two threads may come first."""
        self._servers: dict[object, Server] = {}
        """By base URL and key: earlier watches keep their server when the settings change."""
        self._ledgers = Ledgers()
        self._memories: dict[tuple[Ledger, str], Memory] = {}
        """By ledger and base URL, so that the watches of one API share the priors they learn."""
        self._asked: dict[tuple[str, str], Job] = {}
        """By base URL and id: the jobs created here, for where the ledger cannot tell."""
        self._backdrops = Backdrops()
        self._loop = WatchLoop()
        self._shelf = Shelf()
        self.reruns = Reruns()
        self.stage: Stage = _SessionStage(self, self._loop)

    @property
    def settings(self) -> Settings:
        """The settings: what a person has changed here, and else what the environment says now.

        The environment is looked at each time, as a cell may change it: `%env COMETAPI_KEY=…`.
        """
        below = self._given or Settings.from_environ(os.environ, self.platform_key.known)
        settings = self._settings
        if settings is None or below != self._below:
            settings = replace(below, **self._own | self._simulated)
            self._settings, self._below = settings, below
        return settings

    @property
    def watches(self) -> list[Watch]:
        """All watches of this session, oldest first; only the latest one of each job."""
        return self._loop.watches

    @property
    def active(self) -> list[Watch]:
        """The watches that still poll or save."""
        return [watch for watch in self.watches if not watch.state.is_settled]

    def configure(self, **changes: object) -> Settings:
        """Change settings for watches and jobs that start from now on; return all settings.

        `changes` are named as in `Settings`.

        Raises:
            SettingsError: there is no such setting, or the value is out of range. Nothing changes.
        """
        before = self.settings
        changed = before.changed(**changes)
        if changed.base_url != before.base_url:
            # Another API: the mark "simulated" and the simulator's key must not get there.
            self._simulated = {}
        for name in changes:
            layer = self._simulated if name in self._simulated else self._own
            layer[name] = getattr(changed, name)
        self._settings = None
        return self.settings

    def enter_simulation(self, base_url: str, api_key: str, folder: Path | None = None) -> None:
        """Use the simulator at `base_url` from now on, until `leave_simulation`.

        Its jobs are remembered in `folder`; None: until the session is closed.
        """
        if not self._simulated:
            self._own_before = dict(self._own)
        key = check_key(api_key)
        self._simulated = {"base_url": base_url, "api_key": key, "is_simulated": True}
        self._ledgers.enter_simulation(folder)
        self._settings = None

    def leave_simulation(self) -> None:
        """Return to the settings from before the simulation, if one is on."""
        if self._simulated:
            self._own, self._simulated = self._own_before, {}
            self._settings = None
        if (simulated := self._ledgers.leave_simulation()) is not None:
            self.reruns.forget_ledger(simulated)
        self._memories.clear()

    def watch(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        interval_s: float | None = None,
        save: bool | None = None,
        save_to: str | None = None,
        name: str | None = None,
    ) -> Watch:
        """Follow a job in the background and return its watch; nothing is shown.

        If the job is watched already, that watch is returned. If its clip is saved already, the
        watch is over at once and the API is not asked.

        Args:
            job_id: the id of the job.
            timeout_s: the deadline in seconds; None takes the setting.
            interval_s: fixed seconds between polls; None takes the setting.
            save: whether to save the clip; None takes the setting.
            save_to: a place for this clip alone: a folder, a file, or a URL that fsspec knows.
                The clip goes there even if the job is watched already or the clip lies elsewhere.
            name: a template of file names, for a clip that is still to be saved; see `job.naming`.

        Raises:
            MissingKey, SettingsError: no key is set, or an option is out of range; nothing was
                sent.
            ValueError: `job_id` cannot be an id.
        """
        job_id = job_id_of(self, job_id)
        options = {"timeout_s": timeout_s, "interval_s": interval_s, "save": save}
        settings = self.settings.changed(**{k: v for k, v in options.items() if v is not None})
        server, ledger = self._server(settings), self.ledger
        wanted = settings.save or save_to is not None
        destinations = (destination_of(settings, save_to, name),) if wanted else ()
        policy = policy_of(settings)
        entry = remembered_entry(ledger, settings, job_id)
        remembered = saved_watch_state(ledger, settings, job_id, entry)
        if save_to is not None and remembered is not None and not local_file(remembered.saved):
            # A clip in another storage would have to be fetched from there: the API is simpler.
            remembered = None
        watch = Watch(
            remembered
            or WatchState.begin(
                job_id,
                time.time(),
                policy.give_up_after_s,
                asked=self._asked_for(job_id, entry),
                is_simulated=settings.is_simulated,
                rating=entry.rating if entry is not None else None,
            ),
            server,
            policy,
            destinations=destinations if remembered is None else (),
            memory=self._memory(ledger, settings.base_url),
            make_widget=self.stage.make_widget,
            picture=self._backdrops.of(settings.base_url, job_id),
        )
        # Another watch, if the job is watched already.
        is_over = remembered is not None
        followed = self._loop.remember(watch) if is_over else self._loop.follow(watch)
        if save_to is not None and (is_over or followed is not watch):
            self._loop.save_also(followed, *destinations)
        if entry is not None and entry.rating != followed.state.rating and not ledger.is_behind:
            followed.show_rating(entry.rating)  # another kernel has written it
        self.reruns.withdraw(followed)
        return followed

    def check_watch_options(
        self,
        *,
        timeout_s: float | str | None = None,
        interval_s: float | str | None = None,
        save: bool | None = None,
        save_to: str | None = None,
        name: str | None = None,
    ) -> None:
        """Check options of `watch` before a job is paid for, or the first of several starts.

        Raises:
            SettingsError: an option is out of range, or the place cannot be one.
        """
        options = {"timeout_s": timeout_s, "interval_s": interval_s, "save": save}
        settings = self.settings.changed(**{k: v for k, v in options.items() if v is not None})
        destination_of(settings, save_to, name)

    def watch_again(self, watch: Watch) -> Watch:
        """Follow the job of a watch that is over once more, as that one did; return the new watch.

        Its server, deadline, interval and places to save to are kept, whatever the settings are
        today. Only the key for that server is today's: the old one may be why the watch is over.
        A job of a simulation needs one that is on.
        """
        try:
            settings = settings_again(watch.server.settings, self.settings)
        except CometVidError as error:
            return watch.again().refused(error)
        memory = self._memory(self.ledger, settings.base_url) if settings.is_simulated else None
        return self._loop.again(watch.again(self._server(settings), memory))

    def create(self, new: Sequence[NewJob]) -> tuple[list[Job], CometVidError | None]:
        """Create jobs; return those that were created, and the error that ended it early or None.

        Each job is written into the ledger before it is sent, and is sent exactly once, even if
        the reader interrupts: the request runs on the loop and not in the cell.

        Raises:
            MissingKey, SettingsError: nothing was sent.
        """
        made, error = self.create_wanted([Wanted(one) for one in new])
        return [one.job for one in made], error

    def look_up(self, asked: Sequence[tuple[NewJob, str]], *, is_again: bool) -> list[Wanted]:
        """Return which of the requests, each with its digest, the running cell has made already.

        `is_again`: all are to be made, whatever there is. See `session.reruns`.
        """
        is_again = is_again or self.settings.rerun == MAKE
        known, base_url = self.reruns, self.settings.base_url
        return known.look_up(self.ledger, base_url, asked, running_cell(), is_again=is_again)

    def create_wanted(
        self, wanted: Sequence[Wanted], how: str = ""
    ) -> tuple[list[Made], CometVidError | None]:
        """As `create`, but what is made already is given back; see `creation.create_each`.

        Raises:
            MissingKey, SettingsError: nothing was sent.
        """
        from .creation import create_each

        client, base_url = self._server(self.settings).client, self.settings.base_url
        made: list[Made] = []
        try:
            for one in create_each(self._loop, client, self.ledger, wanted, how):
                made.append(one)
                if one.note is None:
                    self._asked[base_url, one.job.id] = one.job
                    self._backdrops.add(base_url, one.job.id, one.wanted.new, self.ledger)
        except CometVidError as error:
            return made, error
        return made, None

    def resume(self, **options: Any) -> list[Watch]:
        """Watch every job of the ledger that has not ended, or whose wanted clip is not saved.

        The latest `MOST_RESUMED`, where there are more. `options` are those of `watch`.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        entries = self.ledger.unfinished(self.settings.base_url, MOST_RESUMED)
        return [
            self.watch(entry.job_id, **options) for entry in entries if entry.job_id is not None
        ]

    @property
    def ledger(self) -> Ledger:
        """The ledger that the settings name; a simulation has its own."""
        return self._ledgers.of(self.settings)

    @property
    def memory(self) -> Memory:
        """What the watches of the settings' API share of the ledger."""
        return self._memory(self.ledger, self.settings.base_url)

    def models(self) -> tuple[Catalogue, CometVidError | None]:
        """Return the models of the endpoint, and why they are not of today, if they are not.

        CometAPI tells them without a key. Raises the errors of `offered_models`.
        """
        from ..api.offer import offered_models

        return self._loop.run(offered_models(self.settings, self._shelf)).result()

    def kept_models(self) -> Catalogue | None:
        """Return the models that the endpoint had when it was last asked; it is not asked now."""
        return self._shelf.get(self.settings.base_url)

    def poll(self, job_id: str) -> Job:
        """Poll a job once and return it. Raises the errors of `Client.poll`."""
        job_id = job_id_of(self, job_id)
        client = self.client(self.settings)
        entry = remembered_entry(self.ledger, self.settings, job_id)
        job = self._loop.run(client.poll(job_id)).result().job
        return job.filled(self._asked_for(job_id, entry))

    def save(
        self,
        job_id: str,
        dest: str | None = None,
        on_progress: Callable[[Saving], None] = lambda saving: None,
        *,
        name: str | None = None,
    ) -> SavedClip:
        """Save the clip of a completed job and return where it is.

        A clip that is on this machine already is copied, not downloaded. `dest` is a folder, a
        file, or a URL that fsspec knows, `name` a template of file names; None takes the setting.
        `on_progress` is called as by `clips.save.save`.

        Raises:
            ClipError: the job is not completed, or the clip cannot be fetched or saved.
            ApiError, TransientError, MissingKey: as for `Client.retrieve`.
        """
        from .saving import save

        job_id = job_id_of(self, job_id)
        settings, ledger = self.settings, self.ledger
        client, destination = self._server(settings).client, destination_of(settings, dest, name)
        entry = remembered_entry(ledger, settings, job_id)
        memory = self.memory
        asked = self._asked_for(job_id, entry)
        saving = save(client, ledger, memory, job_id, entry, asked, destination, on_progress)
        saved, told = self._loop.run(saving).result()
        if told is not None:
            say(told)
        return saved

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` on the loop of the watches, to which every connection belongs.

        Returns what it gives; an interrupt ends it.
        """
        running = self._loop.run(coroutine)
        try:
            return running.result()
        finally:
            running.cancel()

    def client(self, settings: Settings) -> Client:
        """Return the client that settings lead to: these, or earlier ones.

        Raises:
            MissingKey, SettingsError: the API cannot be asked.
        """
        return self._server(settings).client

    def close(self) -> None:
        """Stop every watch and close every connection and thread. The session can be used again."""
        self.stage.leave()
        self._loop.close(self._servers.values())
        self.stage.come_back()
        self._ledgers.close()
        self._servers.clear()
        self._asked.clear()
        self._backdrops.clear()

    def _asked_for(self, job_id: str, entry: Entry | None) -> Job | None:
        """Return what is known here of the request for a job, or None."""
        job = self._asked.get((self.settings.base_url, job_id))
        return job or (entry.to_job() if entry is not None else None)

    def _server(self, settings: Settings) -> Server:
        settings = self.platform_key.fill(settings)
        from ..watching.server import Server

        key = (settings.base_url, settings.api_key)
        with self._lock:
            if key not in self._servers:
                self._servers[key] = Server(settings)
            return self._servers[key]

    def _memory(self, ledger: Ledger, base_url: str) -> Memory:
        key = (ledger, base_url)
        with self._lock:
            if key not in self._memories:
                self._memories[key] = Memory(ledger, base_url, self._shelf)
            return self._memories[key]


class _SessionStage(Stage):
    """The stage of a session: only a session can start the watch that a page's button asks for."""

    def __init__(self, session: Session, loop: WatchLoop) -> None:
        super().__init__(loop)
        self._session = session

    def watch_again(self, watch: Watch) -> Watch:
        return self._session.watch_again(watch)

    def another_take(self, watch: Watch) -> Future[Watch]:
        from .another_take import another_take

        session = self._session
        offer, base_url = session.reruns.offers[watch], session.settings.base_url
        return self._loop.run(another_take(watch, offer, session.ledger, base_url, session.watch))


def current() -> Session:
    """Return the session of this process, made at the first call."""
    with kept.lock:
        if kept.session is None:
            kept.session = Session()
            atexit.register(kept.session.close)
        session: Session = kept.session
        return session


def _leave_to_parent() -> None:
    """Start without a session in a forked child: threads and connections are the parent's.

    A new lock, as another thread of the parent may have held the old one during the fork.
    """
    if kept.session is not None:
        atexit.unregister(kept.session.close)
        kept.sessions_of_the_parent.append(kept.session)
    kept.session, kept.lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_leave_to_parent)


def end() -> None:
    """Close the session of this process; the next `current()` makes a new one."""
    with kept.lock:
        session, kept.session = kept.session, None
    if session is not None:
        atexit.unregister(session.close)
        session.close()
