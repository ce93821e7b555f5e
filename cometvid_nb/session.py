"""Session: the one place that joins the rest, and `current()`, the one of this kernel."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .card import Card
from .delivery import Delivery
from .errors import MissingKey
from .frontend import Frontend, detect, shell
from .job import Job, Polled, check_job_id
from .pacing import PollPolicy
from .settings import Settings
from .views import HtmlView, TextView, View, WidgetView
from .waiting import block_on
from .watch_state import SavedClip, WatchState
from .watcher import Watcher
from .watching import SaveClip, Watch

if TYPE_CHECKING:
    from .client import Client
    from .widget import JobWidget

SIMULATED_MIN_DELAY_S, SIMULATED_MAX_DELAY_S = 0.5, 1.5
"""The simulator is next door, and a demo that moves every 15 s shows nothing."""


class Session:
    """Settings, a client, a watcher and what is shown; all that one kernel does goes through it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings
        self._real_settings: Settings | None = None
        self._clients: dict[object, Client] = {}
        self._delivery = Delivery()
        self._watcher = Watcher(make_widget=self._make_widget)

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

    def watch(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        interval_s: float | None = None,
        save: bool | None = None,
    ) -> Watch:
        """Follow a job in the background, showing nothing. None = as the settings say.

        Raises:
            MissingKey, SettingsError: nothing was sent. ValueError: `job_id` cannot be an id.
        """
        job_id = check_job_id(job_id)
        options = {"timeout_s": timeout_s, "interval_s": interval_s, "save": save}
        settings = self.settings.changed(**{k: v for k, v in options.items() if v is not None})
        client = self._client(settings)
        saver = self._saver(client, settings) if settings.save else None
        simulated = settings.is_simulated
        return self._watcher.follow(
            job_id, client, _policy(settings), saver, is_simulated=simulated
        )

    def present(self, watches: Sequence[Watch], *, wait: bool | None = None) -> None:
        """Show watches where this is called, and block until they end where that is the way.

        `wait` None: block only where later updates would be lost (see `Frontend`). A
        KeyboardInterrupt ends the waiting, not the watches.
        """
        frontend = detect(shell(), os.environ)
        views = self._views(frontend, watches)
        subscriptions = [
            watch.subscribe(self._deliver(view)) for watch, view in zip(watches, views, strict=True)
        ]
        if not (frontend.is_blocking if wait is None else wait):
            return
        try:
            self.wait(watches, views)
        finally:
            if not frontend.has_widgets:
                # A line printed later would land in the middle of somebody's typing.
                for unsubscribe in subscriptions:
                    unsubscribe()

    def wait(self, watches: Sequence[Watch], views: Sequence[View] = ()) -> None:
        """Block until every one of `watches` has ended and saved, showing what changes."""
        done: set[Watch] = set()

        def mark(watch: Watch) -> Callable[[WatchState], None]:
            # Posted behind the views' own updates, so that nothing is left undrawn.
            return lambda state: (
                self._delivery.post(lambda: done.add(watch)) if state.is_settled else None
            )

        marks = [watch.subscribe(mark(watch)) for watch in watches]

        def is_done() -> bool:
            return len(done) == len(set(watches))

        def tick() -> None:
            for view in set(views):
                view.tick(time.time())

        try:
            block_on(self._delivery.pump(is_done, tick))
        finally:
            for unsubscribe in marks:
                unsubscribe()

    def attach(self, widget: JobWidget, job_id: str) -> None:
        """Make `widget` show the watch of a job."""
        self._bind(widget, self.watch(job_id))

    def poll(self, job_id: str) -> Job:
        """One question about a job, from synchronous code. Raises what `Client.poll` raises."""
        job_id = check_job_id(job_id)
        client = self._client(self.settings)

        async def poll() -> Polled:
            return await client.poll(job_id)

        return self._watcher.run(poll()).result().job

    def close(self) -> None:
        """End every watch, connection and thread. The session can be used again afterwards."""
        self._watcher.close()
        self._clients.clear()

    def _client(self, settings: Settings) -> Client:
        if settings.api_key is None:
            raise MissingKey
        from .client import Client

        key = (settings.base_url, settings.api_key)
        if key not in self._clients:
            self._clients[key] = Client(settings)
        return self._clients[key]

    def _saver(self, client: Client, settings: Settings) -> SaveClip:
        from . import clips

        beside = clips.notebook_folder(getattr(shell(), "starting_dir", None))
        folder = beside / settings.save_folder

        async def save(job: Job, on_progress: Callable[[int, int | None], None]) -> SavedClip:
            return await clips.save(client, job, folder, beside, on_progress)

        return save

    def _views(self, frontend: Frontend, watches: Sequence[Watch]) -> list[View]:
        if frontend.has_widgets:
            settling = frontend.is_settling
            return [WidgetView(watch.widget, is_settling=settling) for watch in watches]
        if frontend is Frontend.HEADLESS:
            return [HtmlView() for _ in watches]
        text = TextView()
        return [text for _ in watches]

    def _deliver(self, view: View) -> Callable[[WatchState], None]:
        def observe(state: WatchState) -> None:
            card, is_settled = Card.of_watch(state), state.is_settled
            self._delivery.post(lambda: view.show(card, is_settled=is_settled))

        return observe

    def _make_widget(self, watch: Watch) -> JobWidget:
        from .widget import JobWidget

        widget = JobWidget()
        self._bind(widget, watch)
        return widget

    def _bind(self, widget: JobWidget, watch: Watch) -> None:
        unsubscribe: Callable[[], None] = lambda: None  # noqa: E731 - replaced below

        def follow(watch: Watch) -> None:
            nonlocal unsubscribe
            unsubscribe()
            widget.watch = watch

            def observe(state: WatchState) -> None:
                card = Card.of_watch(state)
                self._delivery.post(lambda: widget.show(card))

            unsubscribe = watch.subscribe(observe)

        def answer(message: dict[str, Any]) -> None:
            if message["kind"] == "fetch_clip":
                self._send_clip(widget, message.get("request"))
            elif message["kind"] == "action" and message.get("name") == "stop":
                widget.watch.stop()
            elif message["kind"] == "action" and message.get("name") == "watch":
                follow(self.watch(widget.watch.job_id))

        follow(watch)
        widget.on_request(answer)

    def _send_clip(self, widget: JobWidget, request: object) -> None:
        state = widget.watch.state
        if not isinstance(request, int) or state.job is None or not state.is_over:
            return
        from . import clips

        client, job = widget.watch.source, state.job
        self._watcher.run(clips.send_to_page(client, job, state.saved, request, widget.send))


def _policy(settings: Settings) -> PollPolicy:
    if settings.interval_s:
        return PollPolicy.fixed(settings.interval_s, settings.timeout_s)
    policy = PollPolicy(give_up_after_s=settings.timeout_s)
    if settings.is_simulated:
        return replace(policy, min_delay_s=SIMULATED_MIN_DELAY_S, max_delay_s=SIMULATED_MAX_DELAY_S)
    return policy


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


def end() -> None:
    """Close the session of this process; the next `current()` makes another."""
    global _current
    with _lock:
        session, _current = _current, None
    if session is not None:
        atexit.unregister(session.close)
        session.close()
