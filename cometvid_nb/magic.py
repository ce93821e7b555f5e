"""The `%cometvid` magic: each command of the grammar, carried out on the session."""

from __future__ import annotations

import getpass
from argparse import Namespace
from dataclasses import fields
from html import escape
from typing import Any

from IPython.core.display_functions import display
from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from traitlets import Bool, Float, TraitError, Unicode, default, observe

from . import session as sessions
from .card import Card
from .completion import make_matcher
from .errors import ApiError, CometVidError, SettingsError
from .frontend import cell_number
from .grammar import GrammarError, explain, parse
from .record import to_bundle
from .settings import Settings, check_key
from .watching import Watch, WatchList

_HELP = {field.name: field.metadata["help"] for field in fields(Settings)}
_CONFIGURABLE = ("base_url", "timeout_s", "interval_s", "save", "save_dir", "allow_http")


@magics_class
class Cometvid(Magics):
    """Settings of `%cometvid`; set them here, or by `%cometvid config KEY=VALUE`."""

    base_url = Unicode(help=_HELP["base_url"]).tag(config=True)
    timeout_s = Float(help=_HELP["timeout_s"]).tag(config=True)
    interval_s = Float(help=_HELP["interval_s"]).tag(config=True)
    save = Bool(help=_HELP["save"]).tag(config=True)
    save_dir = Unicode(help=_HELP["save_dir"]).tag(config=True)
    allow_http = Bool(help=_HELP["allow_http"]).tag(config=True)

    shell: Any  # never None here, and richer than its annotation

    def __init__(self, shell: Any) -> None:
        self._simulator: Any = None
        self._is_mirroring = False
        super().__init__(shell=shell)
        self._matcher = make_matcher(self._known_ids)
        shell.Completer.custom_matchers.append(self._matcher)

    @line_magic
    def cometvid(self, line: str) -> Watch | WatchList | None:
        """Run video-generation jobs. `%cometvid help` lists the commands."""
        try:
            command, arguments = parse(line)
            result: Watch | WatchList | None = getattr(self, f"_{command.name}")(arguments)
        except GrammarError as error:
            raise UsageError(str(error)) from None
        except (CometVidError, ValueError) as error:
            advice = getattr(error, "advice", None)
            raise UsageError(" ".join(filter(None, [str(error), advice]))) from None
        finally:
            self._mirror()
        return result

    def unload(self) -> None:
        """Take back everything that loading did."""
        self._leave_demo()
        sessions.end()
        self.shell.magics_manager.magics["line"].pop("cometvid", None)
        self.shell.magics_manager.registry.pop(type(self).__name__, None)
        if self in self.shell.configurables:
            self.shell.configurables.remove(self)
        if self._matcher in self.shell.Completer.custom_matchers:
            self.shell.Completer.custom_matchers.remove(self._matcher)

    # The commands, by their names in the grammar.

    def _watch(self, arguments: Namespace) -> Watch | WatchList:
        session = sessions.current()
        options = {"timeout_s": arguments.timeout, "interval_s": arguments.interval}
        if arguments.no_save:
            options["save"] = "off"
        session.settings.changed(**{k: v for k, v in options.items() if v is not None})
        watches = WatchList(session.watch(job_id, **options) for job_id in arguments.ids)
        for watch in watches:
            watch.shown_in_cell = cell_number()
        self._block(watches, lambda: session.present(watches, wait=arguments.wait or None))
        return watches[0] if len(watches) == 1 else watches

    def _status(self, arguments: Namespace) -> None:
        session = sessions.current()
        job = session.poll(arguments.id)
        card = Card.of_job(job, is_simulated=session.settings.is_simulated)
        display(to_bundle(card, is_player=False), raw=True)

    def _stop(self, arguments: Namespace) -> None:
        watches = sessions.current().active
        if arguments.ids:
            watches = self._find(arguments.ids)
        elif len(watches) > 1 and not arguments.all:
            ids = ", ".join(watch.job_id for watch in watches)
            raise GrammarError(f"several jobs are watched: {ids}. Name one, or say --all")
        if not watches:
            print("No job is being watched.")
        for watch in watches:
            if watch.state.is_settled:
                print(f"The watch of {watch.job_id} is over already.")
                continue
            watch.stop()
            print(f"Stopped watching {watch.job_id}. The job itself goes on at the server.")

    def _wait(self, arguments: Namespace) -> None:
        session = sessions.current()
        watches = self._find(arguments.ids) if arguments.ids else session.active
        if not watches:
            print("No job is being watched.")
        self._block(watches, lambda: session.wait(watches))

    def _config(self, arguments: Namespace) -> None:
        changes: dict[str, str] = {}
        for change in arguments.changes:
            name, equals, value = change.partition("=")
            if not equals:
                raise GrammarError(f"{change!r} changes nothing: a setting goes KEY=VALUE")
            if name == "api_key":
                raise GrammarError(
                    "a key in a cell is saved with the notebook: use %cometvid login instead"
                )
            if name == "is_simulated":
                raise GrammarError("is_simulated is set by %cometvid demo")
            changes[name] = value
        settings = sessions.current().configure(**changes)
        display(_settings_bundle(settings), raw=True)

    def _login(self, _: Namespace) -> None:
        try:
            text = getpass.getpass("CometAPI key: ")
        except (StdinNotImplementedError, EOFError):
            raise SettingsError(
                "nobody can be asked for the key here: set COMETAPI_KEY before the kernel starts"
            ) from None
        key = check_key(text)
        self._leave_demo()
        sessions.current().configure(api_key=key)
        print(f"The key {key} is kept in this kernel's memory, for this session only.")

    def _demo(self, arguments: Namespace) -> None:
        if arguments.stop:
            was_on = self._simulator is not None
            self._leave_demo()
            print("Left the simulation." if was_on else "No simulation was on.")
            return
        speed = _speed(arguments.speed)
        self._leave_demo()
        from .simulator import Simulator

        self._simulator = Simulator(speed=speed)
        self._simulator.start()
        sessions.current().enter_simulation(self._simulator.base_url, self._simulator.api_key)
        print(
            "A simulated API runs inside this kernel: nothing is rendered, nothing is paid for.\n"
            "A job is ready:       %cometvid watch video_demo\n"
            "One that fails:       %cometvid watch video_fails\n"
            "Back to the real API: %cometvid demo --stop"
        )

    def _help(self, arguments: Namespace) -> None:
        print(explain(arguments.command))

    # What the commands share.

    def _block(self, watches: list[Watch], wait: Any) -> None:
        """Wait; then fail the cell, in one line, if a watch that was waited for has no clip."""
        try:
            wait()
        except KeyboardInterrupt:
            ids = " ".join(watch.job_id for watch in watches if not watch.state.is_settled)
            print(f"Stopped waiting. The watch goes on: %cometvid wait {ids}")
            return
        ended = [watch for watch in watches if watch.state.error is not None]
        if ended:
            raise SettingsError("\n".join(_last_words(watch) for watch in ended))

    def _find(self, job_ids: list[str]) -> list[Watch]:
        known = {watch.job_id: watch for watch in sessions.current().watches}
        for job_id in job_ids:
            if job_id not in known:
                raise GrammarError(
                    f"{job_id[:60]!r} is not watched here. Watched: {', '.join(known) or 'nothing'}"
                )
        return [known[job_id] for job_id in job_ids]

    def _known_ids(self) -> list[str]:
        watched = [watch.job_id for watch in sessions.current().watches]
        simulated = list(self._simulator.jobs) if self._simulator is not None else []
        return list(dict.fromkeys([*reversed(watched), *simulated]))

    def _leave_demo(self) -> None:
        simulator, self._simulator = self._simulator, None
        if simulator is not None:
            session = sessions.current()
            for watch in session.active:
                if watch.state.is_simulated:
                    watch.stop()
            session.leave_simulation()
            simulator.stop()

    # The settings as traits, for %config and ipython_config.py.

    @default("base_url")
    def _default_base_url(self) -> str:
        return sessions.current().settings.base_url

    @default("timeout_s")
    def _default_timeout_s(self) -> float:
        return sessions.current().settings.timeout_s

    @default("interval_s")
    def _default_interval_s(self) -> float:
        return sessions.current().settings.interval_s

    @default("save")
    def _default_save(self) -> bool:
        return sessions.current().settings.save

    @default("save_dir")
    def _default_save_dir(self) -> str:
        return sessions.current().settings.save_dir

    @default("allow_http")
    def _default_allow_http(self) -> bool:
        return sessions.current().settings.allow_http

    @observe(*_CONFIGURABLE)
    def _configure(self, change: Any) -> None:
        if self._is_mirroring:
            return
        try:
            sessions.current().configure(**{change["name"]: change["new"]})
        except SettingsError as error:
            self._mirror()
            raise TraitError(str(error)) from None

    def _mirror(self) -> None:
        """Make the traits say what the session says."""
        try:
            settings = sessions.current().settings
        except SettingsError:
            return  # the environment's base URL is unusable; the command itself has said so
        self._is_mirroring = True
        try:
            for name in _CONFIGURABLE:
                setattr(self, name, getattr(settings, name))
        finally:
            self._is_mirroring = False


def _speed(text: str | None) -> float:
    try:
        speed = float(text) if text is not None else 1.0
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1000:
        raise GrammarError(f"--speed is {text!r}: give 0.01 to 1000")
    return speed


def _last_words(watch: Watch) -> str:
    error = watch.state.error
    refused = isinstance(error, ApiError)
    told = f"{watch.job_id}: {error}" if refused else str(error)
    return " ".join(filter(None, [told, error.advice if error else None]))


def _settings_bundle(settings: Settings) -> dict[str, str]:
    rows = []
    for name, meaning in _HELP.items():
        value: Any = getattr(settings, name)
        if isinstance(value, bool):
            value = "on" if value else "off"
        elif isinstance(value, float):
            value = f"{value:g}"
        rows.append((name, "not set" if value is None else str(value), meaning))
    width, wide = (max(len(row[i]) for row in rows) for i in (0, 1))
    cell = '<td style="text-align:left">'
    html = "".join(
        f"<tr>{cell}<code>{name}</code></td>{cell}{escape(value)}</td>{cell}{escape(meaning)}</td></tr>"
        for name, value, meaning in rows
    )
    text = "\n".join(
        f"{name:<{width}}  {value:<{wide}}  {meaning}" for name, value, meaning in rows
    )
    return {"text/html": f"<table>{html}</table>", "text/plain": text}
