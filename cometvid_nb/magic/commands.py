"""Commands: carries out each command of `%cometvid` on the session."""

from __future__ import annotations

import getpass
import os
import time
from argparse import Namespace
from functools import partial
from typing import Any

from IPython.core.error import StdinNotImplementedError

from ..cards.card import Card
from ..cards.card_html import card_to_bundle
from ..cards.text import one_line
from ..clips.places import Saving
from ..display.frontend import detect
from ..errors import CometVidError, SettingsError
from ..job.ids import quoted_id, quoted_ids, shown_id
from ..ledger.ledger import Ledger
from ..machine import is_this_machine, say
from ..notebook import shell
from ..session import session as sessions
from ..settings import check_key
from ..watching.watch import Watch, WatchList
from . import creation, listing, tables
from .grammar import Ids, explain
from .model_table import age_text, models_bundle
from .outcomes import error_of, listed, why
from .parser import GrammarError

_ODD = ("video_dialect_", "video_clip_", "video_late_")
"""Beginnings of the simulator's jobs that answer as other servers do; offered to who asks so."""
MOST_OFFERED = 200
"""So many of the latest remembered jobs are looked at for a completion."""


class Commands:
    """`%cometvid NAME …` calls the method of that name; a new command is a method here.

    `arguments` is what the parser of the command in `grammar.COMMANDS` returns. `cell` is the body
    of a `%%cometvid` cell, None for a line. A method raises `GrammarError`, `ValueError` or
    `CometVidError` if it cannot do what the line asks for.
    """

    def __init__(self) -> None:
        self._simulator: Any = None
        """The simulator of `%cometvid demo`, while it is on."""
        self._told_trouble: str | None = None
        """What was said last of the ledger."""

    def watch(self, arguments: Namespace, cell: str | None = None) -> Watch | WatchList:
        session = sessions.current()
        options = {"timeout_s": arguments.timeout, "interval_s": arguments.interval}
        # Checked before the first watch starts: a wrong option must not leave half of them running.
        session.settings.changed(**{k: v for k, v in options.items() if v is not None})
        shown = self._show(arguments.ids, arguments, **options)
        self._tell_of_ledger()
        return shown

    def create(self, arguments: Namespace, cell: str | None = None) -> Any:
        return creation.create(arguments, self._show)

    def remix(self, arguments: Namespace, cell: str | None = None) -> Any:
        return creation.remix(arguments, self._show)

    def jobs(self, arguments: Namespace, cell: str | None = None) -> None:
        listing.show_jobs(_ledger(), arguments)
        self._tell_of_ledger()

    def resume(self, arguments: Namespace, cell: str | None = None) -> Watch | WatchList | None:
        session = sessions.current()
        for entry in _ledger().uncertain(session.settings.base_url, 5):
            answer = f" The API answered: {one_line(entry.answer)}" if entry.answer else ""
            say(
                f"Not known whether this was made: {one_line(entry.prompt or '', 60)!r}.{answer} "
                f"Look at your account. If you have: %cometvid forget {quoted_id(entry.name)}"
            )
        watches = WatchList(session.resume())
        if len(watches) == sessions.MOST_RESUMED:
            say(f"These are the latest {len(watches):,}. Once they have ended, resume the rest.")
        if not watches:
            say("Every remembered job has ended, and every wanted clip is saved.")
            return None
        return self._present(watches, arguments)

    def save(self, arguments: Namespace, cell: str | None = None) -> None:
        told = 1

        def on_progress(saving: Saving) -> None:
            # Bytes come many times a second; only a new try is worth a line.
            nonlocal told
            if saving.attempt > told:
                told = saving.attempt
                say(f"Try {told}: {one_line(saving.problem or '')}")

        saved = sessions.current().save(arguments.id, arguments.dest, on_progress)
        for one in saved.every:
            say(f"Saved to {one.saved_to} ({one.size_bytes / 1e6:.1f} MB)")
        if saved.incomplete is not None:
            say(saved.incomplete)

    def forget(self, arguments: Namespace, cell: str | None = None) -> None:
        entry = _ledger().named(sessions.current().settings.base_url, arguments.id)
        if entry is None:
            shown = shown_id(arguments.id)
            raise GrammarError(f"no job {shown!r} is remembered: see %cometvid jobs")
        _ledger().forget(entry)
        say(
            f"Forgot {shown_id(entry.name)}."
            + (f" Its clip stays: {entry.clip}" if entry.clip else "")
        )

    def status(self, arguments: Namespace, cell: str | None = None) -> None:
        session = sessions.current()
        job = session.poll(arguments.id)
        card = Card.of_job(job, is_simulated=session.settings.is_simulated)
        # Without the player: nothing is saved here, and the API's link soon stops working.
        tables.show(card_to_bundle(card, is_player=False))

    def stop(self, arguments: Namespace, cell: str | None = None) -> None:
        watches = sessions.current().active
        if arguments.ids:
            watches = self._find(arguments.ids)
        elif len(watches) > 1 and not arguments.all:
            raise GrammarError(
                f"several jobs are watched: {listed(watches)}. Name one, or say --all"
            )
        if not watches:
            say("No job is being watched.")
        for watch in watches:
            if watch.state.is_settled:
                say(f"The watch of {shown_id(watch.job_id)} is over already.")
                continue
            watch.stop()
            say(f"Stopped watching {shown_id(watch.job_id)}. The job itself goes on at the server.")

    def wait(self, arguments: Namespace, cell: str | None = None) -> None:
        session = sessions.current()
        watches = self._find(arguments.ids) if arguments.ids else session.active
        if not watches:
            say("No job is being watched.")
        self._block(watches, lambda: session.stage.wait_again(watches))

    def config(self, arguments: Namespace, cell: str | None = None) -> None:
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
        # All at once: a wrong value changes none of them.
        session = sessions.current()
        before = session.settings.base_url
        settings = session.configure(**changes)
        tables.show(tables.settings_bundle(settings))
        host = settings.origin[1] if settings.base_url != before else ""
        if host and settings.api_key is not None and not is_this_machine(host):
            say(f"The key {settings.api_key} goes to {host} from now on.")

    def login(self, _: Namespace, cell: str | None = None) -> None:
        try:
            text = getpass.getpass(_key_prompt())
        except (StdinNotImplementedError, EOFError):  # nbclient has no stdin; a pipe may end
            raise SettingsError(
                "nobody can be asked for the key here: set COMETAPI_KEY before the kernel starts"
            ) from None
        key = check_key(text)
        # First: `leave_demo` brings back the settings of before, without this key.
        self.leave_demo()
        sessions.current().configure(api_key=key)
        say(f"The key {key} is kept in this kernel's memory, for this session only.")

    def models(self, arguments: Namespace, cell: str | None = None) -> None:
        session = sessions.current()
        catalogue, problem = session.models()
        if problem is not None:
            say(f"{problem} These are the models as they were {age_text(catalogue, time.time())}.")
        settings = session.settings
        host = "the simulated API" if settings.is_simulated else settings.origin[1]
        tables.show(models_bundle(catalogue, arguments.words, host))

    def demo(self, arguments: Namespace, cell: str | None = None) -> None:
        if arguments.stop:
            was_on = self._simulator is not None
            self.leave_demo()
            say("Left the simulation." if was_on else "No simulation was on.")
            return
        speed = _speed(arguments.speed)
        self.leave_demo()
        from ..simulator import Simulator

        self._simulator = Simulator(speed=speed)
        self._simulator.start()
        sessions.current().enter_simulation(self._simulator.base_url, self._simulator.api_key)
        say(
            "A simulated API runs inside this kernel: nothing is rendered, nothing is paid for.\n"
            "A job is ready:       %cometvid watch video_demo\n"
            "One that fails:       %cometvid watch video_fails\n"
            "Back to the real API: %cometvid demo --stop"
        )

    def help(self, arguments: Namespace, cell: str | None = None) -> None:
        say(explain(arguments.command))

    # What the commands share.

    def _show(
        self, ids: list[str], arguments: Namespace, *, is_list: bool = False, **options: Any
    ) -> Watch | WatchList:
        """Watch jobs and show them; return a list for several jobs, or if `is_list`."""
        session = sessions.current()
        if arguments.no_save:
            options["save"] = "off"
        elif arguments.save is not None:
            options["save_to"] = arguments.save
        watches = WatchList(session.watch(job_id, **options) for job_id in ids)
        shown = self._present(watches, arguments)
        return watches if is_list else shown

    def _present(self, watches: WatchList, arguments: Namespace) -> Watch | WatchList:
        stage = sessions.current().stage
        # None: the front end decides; False: never wait, whatever the front end is.
        wait, is_embedding = arguments.wait, getattr(arguments, "embed", False)
        is_gallery = getattr(arguments, "gallery", False)
        show = partial(stage.present, is_embedding=is_embedding, is_gallery=is_gallery)
        if wait is False:
            show(watches, wait=False)  # a watch that ends badly later is no error of this cell
        else:
            self._block(watches, lambda: show(watches, wait=wait))
        return watches[0] if len(watches) == 1 else watches

    def _block(self, watches: list[Watch], wait: Any) -> None:
        """Call `wait()`, then fail the cell if a watch that has ended has no clip.

        Without the failure, a notebook run by papermill would go on without its clip.
        """
        try:
            wait()
        except KeyboardInterrupt:
            going_on = (watch for watch in watches if not watch.state.is_settled)
            ids = quoted_ids(watch.job_id for watch in going_on)
            told = f"Stopped waiting. The watch goes on: %cometvid wait {ids}"
            if not detect(shell(), os.environ).is_text:
                # An interrupt must also end a "Run all": the cells below need the clip.
                raise GrammarError(told) from None
            say(told)
            return
        ended = [(watch, error) for watch in watches if (error := error_of(watch)) is not None]
        if ended:
            raise why(ended) from None

    def _tell_of_ledger(self) -> None:
        """Print what is wrong with the ledger, once for each trouble."""
        trouble = sessions.current().ledger.trouble
        if trouble is not None and trouble != self._told_trouble:
            say(trouble)
        self._told_trouble = trouble

    def _find(self, job_ids: list[str]) -> list[Watch]:
        known = {watch.job_id: watch for watch in sessions.current().watches}
        for job_id in job_ids:
            if job_id not in known:
                here = listed(list(known.values())) or "nothing"
                raise GrammarError(f"{shown_id(job_id)!r} is not watched here. Watched: {here}")
        return [known[job_id] for job_id in job_ids]

    def known_ids(self, kind: Ids, beginning: str) -> list[str]:
        """Return ids for completion, the latest first: watched, then remembered, then simulated."""
        session = sessions.current()
        watched = [watch.job_id for watch in reversed(session.watches)]
        if kind == Ids.WATCHED:
            return watched
        try:
            remembered = session.ledger.names(session.settings.base_url, beginning, MOST_OFFERED)
        except CometVidError:
            remembered = []  # Tab is no place for words
        if kind == Ids.REMEMBERED:
            return remembered
        simulated = list(self._simulator.jobs) if self._simulator is not None else []
        if not beginning.startswith(_ODD):
            # Two hundred shapes of answers would bury the jobs that a demo is about.
            simulated = [job_id for job_id in simulated if not job_id.startswith(_ODD)]
        return list(dict.fromkeys([*watched, *remembered, *simulated]))

    def known_values(self, option: str) -> list[str]:
        """Return the values that jobs of the ledger have for an option, newest first.

        Then the models of the catalogue, if it was ever asked for: Tab must not wait for a network.
        No list of models is built in, as the catalogue changes monthly.
        """
        name = option.removeprefix("--")
        session = sessions.current()
        if name not in ("model", "size", "seconds", "state"):
            return []
        try:
            entries = session.ledger.entries(session.settings.base_url, limit=MOST_OFFERED)
        except CometVidError:
            entries = []
        values = [getattr(entry, name) for entry in entries]
        if name == "model" and (catalogue := session.kept_models()) is not None:
            values += [model.id for model in catalogue.videos]
        return list(
            dict.fromkeys(one for one in values if one and " " not in one and one.isprintable())
        )

    def leave_demo(self) -> None:
        """Stop the simulator and its watches, and return to the real API's settings."""
        simulator, self._simulator = self._simulator, None
        if simulator is not None:
            session = sessions.current()
            for watch in session.active:
                if watch.state.is_simulated:
                    watch.stop()
            session.leave_simulation()
            simulator.stop()


def _key_prompt() -> str:
    """Return what asks for a key: the words that say for which server it is."""
    settings = sessions.current().settings
    if settings.is_simulated:  # the key will be for what comes after the simulation
        return "API key: "
    return "CometAPI key: " if settings.needs_key else f"API key for {settings.base_url}: "


def _ledger() -> Ledger:
    """Return the session's ledger. Raises `SettingsError` if the ledger is off."""
    ledger = sessions.current().ledger
    if ledger.path is None:
        raise SettingsError("the ledger of jobs is off: %cometvid config ledger=on")
    return ledger


def _speed(text: str | None) -> float:
    try:
        speed = float(text) if text is not None else 1.0
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1000:
        raise GrammarError(f"--speed is {text!r}: give 0.01 to 1000")
    return speed
