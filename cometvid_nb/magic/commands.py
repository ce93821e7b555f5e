"""Commands: carries out each command of `%cometvid` on the session."""

from __future__ import annotations

import getpass
import time
from argparse import Namespace
from functools import partial
from typing import Any

from IPython.core.error import StdinNotImplementedError

from ..cards.card import Card
from ..cards.card_html import card_to_bundle
from ..cards.text import one_line
from ..clips.places import Saving
from ..errors import SettingsError
from ..job.ids import quoted_id, shown_id
from ..ledger.ledger import Ledger
from ..machine import is_this_machine, say
from ..session import session as sessions
from ..settings import check_key
from ..watching.watch import Watch
from ..watching.watch_list import WatchList
from . import creation, editing, listing, offers, showing, tables, takes
from .demo import LEAST_SPEED, MOST_SPEED, the_demo
from .grammar import Ids, number_of
from .help import explain
from .line import find_command
from .model_table import age_text, models_bundle
from .outcomes import listed
from .parser import GrammarError
from .start_page import start_bundle


class Commands:
    """`%cometvid NAME …` calls the method of that name; a new command is a method here.

    `arguments` is what the parser of the command in `grammar.COMMANDS` returns. `cell` is the body
    of a `%%cometvid` cell, None for a line. A method raises `GrammarError`, `ValueError` or
    `CometVidError` if it cannot do what the line asks for.
    """

    def __init__(self) -> None:
        self._demo = the_demo()
        self._told_trouble: str | None = None
        """What was said last of the ledger."""

    def watch(self, arguments: Namespace, cell: str | None = None) -> Watch | WatchList:
        shown = showing.show(arguments.ids, arguments)
        self._tell_of_ledger()
        return shown

    def create(self, arguments: Namespace, cell: str | None = None) -> Any:
        showing.watch_options(arguments)
        return creation.create(arguments, showing.show)

    def remix(self, arguments: Namespace, cell: str | None = None) -> Any:
        showing.watch_options(arguments)
        return creation.remix(arguments, showing.show)

    def continue_(self, arguments: Namespace, cell: str | None = None) -> Any:
        showing.watch_options(arguments)
        return creation.continue_(arguments, showing.show)

    def rate(self, arguments: Namespace, cell: str | None = None) -> None:
        takes.rate(arguments)
        self._tell_of_ledger()

    def lineage(self, arguments: Namespace, cell: str | None = None) -> None:
        _ledger()
        takes.lineage(arguments)

    def recipe(self, arguments: Namespace, cell: str | None = None) -> None:
        takes.recipe(arguments)

    def jobs(self, arguments: Namespace, cell: str | None = None) -> None:
        listing.show_jobs(_ledger(), arguments)
        self._tell_of_ledger()

    def resume(self, arguments: Namespace, cell: str | None = None) -> Watch | WatchList | None:
        session, options = sessions.current(), showing.watch_options(arguments)
        for entry in _ledger().uncertain(session.settings.base_url, 5):
            answer = f" The API answered: {one_line(entry.answer)}" if entry.answer else ""
            say(
                f"The outcome of this request is unknown: {one_line(entry.prompt or '', 60)!r}."
                f"{answer} Check your account, then: %cometvid forget {quoted_id(entry.name)}"
            )
        watches = WatchList(session.resume(**options))
        if len(watches) == sessions.MOST_RESUMED:
            say(
                f"These are the latest {len(watches):,} jobs. Resume the rest when they have ended."
            )
        if not watches:
            say("Nothing to resume: every remembered job has ended, and no clip waits to be saved.")
            return None
        return showing.present(watches, arguments)

    def save(self, arguments: Namespace, cell: str | None = None) -> None:
        told = 1

        def on_progress(saving: Saving) -> None:
            # Bytes come many times a second; only a new try is worth a line.
            nonlocal told
            if saving.attempt > told:
                told = saving.attempt
                say(f"Try {told}: {one_line(saving.problem or '')}")

        session, name = sessions.current(), arguments.name
        saved = session.save(arguments.id, arguments.dest, on_progress, name=name)
        for one in saved.every:
            say(f"Saved to {one.saved_to} ({one.size_bytes / 1e6:.1f} MB)")
        if saved.incomplete is not None:
            say(saved.incomplete)

    def frames(self, arguments: Namespace, cell: str | None = None) -> None:
        editing.frames(arguments)

    def sheet(self, arguments: Namespace, cell: str | None = None) -> None:
        editing.sheet(arguments)

    def loop(self, arguments: Namespace, cell: str | None = None) -> None:
        editing.loop(arguments)

    def reel(self, arguments: Namespace, cell: str | None = None) -> None:
        editing.reel(arguments)

    def convert(self, arguments: Namespace, cell: str | None = None) -> None:
        editing.convert(arguments)

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
                f"several jobs are being watched: {listed(watches)}. Name one, or add --all"
            )
        if not watches:
            say("No job is being watched.")
        for watch in watches:
            if watch.state.is_settled:
                say(f"{shown_id(watch.job_id)} is no longer watched.")
                continue
            watch.stop()
            say(f"Stopped watching {shown_id(watch.job_id)}. The job itself goes on at the server.")

    def wait(self, arguments: Namespace, cell: str | None = None) -> None:
        session, timeout_s = sessions.current(), None
        if arguments.timeout is not None:
            with showing.told_by_option(arguments):
                timeout_s = session.settings.changed(timeout_s=arguments.timeout).timeout_s
        watches = self._find(arguments.ids) if arguments.ids else session.active
        if not watches:
            say("No job is being watched.")
        wait = partial(session.stage.wait_again, watches, timeout_s)
        showing.block(watches, wait, timeout_s)

    def config(self, arguments: Namespace, cell: str | None = None) -> None:
        changes: dict[str, str] = {}
        for change in arguments.changes:
            name, equals, value = change.partition("=")
            if not equals:
                raise GrammarError(f"{change!r} changes nothing: write KEY=VALUE")
            if name == "api_key":
                raise GrammarError(
                    "a key in a cell would be saved with the notebook: use %cometvid login instead"
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
                "the key cannot be typed in here: set COMETAPI_KEY before the kernel starts"
            ) from None
        key = check_key(text)
        # First: `leave_demo` brings back the settings of before, without this key.
        self.leave_demo()
        sessions.current().configure(api_key=key)
        say(f"The key {key} is kept in this kernel's memory only, until the kernel ends.")

    def models(self, arguments: Namespace, cell: str | None = None) -> None:
        session = sessions.current()
        catalogue, problem = session.models()
        if problem is not None:
            say(f"{problem} The list below was fetched {age_text(catalogue, time.time())}.")
        settings = session.settings
        host = "the simulated API" if settings.is_simulated else settings.origin[1]
        tables.show(models_bundle(catalogue, arguments.words, host))

    def demo(self, arguments: Namespace, cell: str | None = None) -> None:
        if arguments.stop:
            is_over = self._demo.stop()
            say("The simulation has ended." if is_over else "No simulation is running.")
        elif arguments.trouble is not None:
            try:
                say(self._demo.let_fail(arguments.trouble))
            except LookupError:
                raise GrammarError("--trouble is for the demo: run %cometvid demo first") from None
        else:
            say(self._demo.start(_speed(arguments.speed)))

    def help(self, arguments: Namespace, cell: str | None = None) -> None:
        if arguments.command is not None:
            say(explain(find_command(arguments.command)))
            return
        session = sessions.current()
        tables.show(start_bundle(session.settings, session.active))

    # What the commands share.

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
                here = listed(list(known.values())) or "no job"
                raise GrammarError(f"{shown_id(job_id)!r} is not watched here. Watched: {here}")
        return [known[job_id] for job_id in job_ids]

    def known_ids(self, kind: Ids, beginning: str) -> list[str]:
        """Return ids for completion; see `offers`."""
        return offers.known_ids(kind, beginning, self._demo.jobs)

    def known_values(self, option: str) -> list[str]:
        """Return values of an option for completion; see `offers`."""
        return offers.known_values(option)

    def leave_demo(self) -> None:
        """Stop the simulator and its watches, and return to the real API's settings."""
        self._demo.stop()


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
        raise SettingsError("the ledger of jobs is off. To turn it on: %cometvid config ledger=on")
    return ledger


def _speed(text: str | None) -> float:
    speed = number_of("--speed", text, LEAST_SPEED, MOST_SPEED)
    return 1.0 if speed is None else speed
