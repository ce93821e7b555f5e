"""Commands: carries out each command of `%cometvid` on the session."""

from __future__ import annotations

import getpass
import os
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

from IPython.core.display_functions import display
from IPython.core.error import StdinNotImplementedError

from ..api.new_job import MOST_JOBS, NewJob
from ..cards.card import Card
from ..cards.html import card_to_bundle
from ..cards.text import one_line
from ..clips.places import Destination, Saving
from ..display.frontend import detect
from ..errors import ApiError, ClipError, CometVidError, SettingsError, WatchEnded, retold
from ..job.job import Job
from ..job.plain import plain
from ..ledger.ledger import Ledger
from ..notebook import cell_number, notebook_folder, shell
from ..session import session as sessions
from ..settings import check_key
from ..watching.watch import Watch, WatchList
from . import tables
from .grammar import GrammarError, explain


class Commands:
    """`%cometvid NAME …` calls the method of that name; a new command is a method here.

    `arguments` is what the parser of the command in `grammar.COMMANDS` returns. `cell` is the body
    of a `%%cometvid` cell, None for a line. A method raises `GrammarError`, `ValueError` or
    `CometVidError` if it cannot do what the line asks for.
    """

    def __init__(self) -> None:
        self._simulator: Any = None
        """The simulator of `%cometvid demo`, while it is on."""

    def watch(self, arguments: Namespace, cell: str | None = None) -> Watch | WatchList:
        session = sessions.current()
        options = {"timeout_s": arguments.timeout, "interval_s": arguments.interval}
        # Checked before the first watch starts: a wrong option must not leave half of them running.
        session.settings.changed(**{k: v for k, v in options.items() if v is not None})
        return self._show(arguments.ids, arguments, **options)

    def create(self, arguments: Namespace, cell: str | None = None) -> Any:
        count = _whole("-n", arguments.count or "1", MOST_JOBS)
        # All are checked before the first is sent: a wrong third prompt must not cost two clips.
        named = ("model", "seconds", "size", "image")
        options = {name: getattr(arguments, name) for name in named}
        new = [NewJob.check(prompt, **options) for prompt in arguments.prompts]
        return self._create([job for job in new for _ in range(count)], arguments)

    def remix(self, arguments: Namespace, cell: str | None = None) -> Any:
        new = [NewJob.check(prompt, remix_of=arguments.id) for prompt in arguments.prompts]
        return self._create(new, arguments)

    def jobs(self, arguments: Namespace, cell: str | None = None) -> None:
        base_url, ledger = sessions.current().settings.base_url, _ledger()
        limit = None if arguments.all else _whole("--limit", arguments.limit or "20", 10**6)
        matching = ledger.entries(base_url, state=arguments.state, search=arguments.search)
        # Not 0 if the filters match nothing but the ledger has jobs: the table then says so.
        total = len(matching) or len(ledger.entries(base_url, limit=1))
        beside = notebook_folder()
        display(tables.jobs_bundle(matching[:limit], total, beside), raw=True)

    def resume(self, arguments: Namespace, cell: str | None = None) -> Watch | WatchList | None:
        session = sessions.current()
        lost = [e for e in _ledger().entries(session.settings.base_url) if e.is_uncertain]
        for entry in lost[:5]:
            print(
                f"Not known whether this was made: {one_line(entry.prompt or '', 60)!r}. "
                f"Look at your account. If you have: %cometvid forget {entry.name}"
            )
        watches = WatchList(session.resume())
        if not watches:
            print("Every remembered job has ended, and every wanted clip is saved.")
            return None
        return self._present(watches, arguments)

    def save(self, arguments: Namespace, cell: str | None = None) -> None:
        told = 1

        def on_progress(saving: Saving) -> None:
            # Bytes come many times a second; only a new try is worth a line.
            nonlocal told
            if saving.attempt > told:
                told = saving.attempt
                print(f"Try {told}: {one_line(saving.problem or '')}")

        saved = sessions.current().save(arguments.id, arguments.dest, on_progress)
        print(f"Saved to {saved.saved_to} ({saved.size_bytes / 1e6:.1f} MB)")

    def forget(self, arguments: Namespace, cell: str | None = None) -> None:
        entry = _ledger().named(sessions.current().settings.base_url, arguments.id)
        if entry is None:
            raise GrammarError(f"no job {arguments.id[:60]!r} is remembered: see %cometvid jobs")
        _ledger().forget(entry)
        print(f"Forgot {entry.name}." + (f" Its clip stays: {entry.clip}" if entry.clip else ""))

    def status(self, arguments: Namespace, cell: str | None = None) -> None:
        session = sessions.current()
        job = session.poll(arguments.id)
        card = Card.of_job(job, is_simulated=session.settings.is_simulated)
        # Without the player: nothing is saved here, and the API's link soon stops working.
        display(card_to_bundle(card, is_player=False), raw=True)

    def stop(self, arguments: Namespace, cell: str | None = None) -> None:
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

    def wait(self, arguments: Namespace, cell: str | None = None) -> None:
        session = sessions.current()
        watches = self._find(arguments.ids) if arguments.ids else session.active
        if not watches:
            print("No job is being watched.")
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
        settings = sessions.current().configure(**changes)
        display(tables.settings_bundle(settings), raw=True)

    def login(self, _: Namespace, cell: str | None = None) -> None:
        try:
            text = getpass.getpass("CometAPI key: ")
        except (StdinNotImplementedError, EOFError):  # nbclient has no stdin; a pipe may end
            raise SettingsError(
                "nobody can be asked for the key here: set COMETAPI_KEY before the kernel starts"
            ) from None
        key = check_key(text)
        # First: `leave_demo` brings back the settings of before, without this key.
        self.leave_demo()
        sessions.current().configure(api_key=key)
        print(f"The key {key} is kept in this kernel's memory, for this session only.")

    def demo(self, arguments: Namespace, cell: str | None = None) -> None:
        if arguments.stop:
            was_on = self._simulator is not None
            self.leave_demo()
            print("Left the simulation." if was_on else "No simulation was on.")
            return
        speed = _speed(arguments.speed)
        self.leave_demo()
        from ..simulator import Simulator

        self._simulator = Simulator(speed=speed)
        self._simulator.start()
        sessions.current().enter_simulation(self._simulator.base_url, self._simulator.api_key)
        print(
            "A simulated API runs inside this kernel: nothing is rendered, nothing is paid for.\n"
            "A job is ready:       %cometvid watch video_demo\n"
            "One that fails:       %cometvid watch video_fails\n"
            "Back to the real API: %cometvid demo --stop"
        )

    def help(self, arguments: Namespace, cell: str | None = None) -> None:
        print(explain(arguments.command))

    # What the commands share.

    def _create(self, new: list[NewJob], arguments: Namespace) -> Any:
        session = sessions.current()
        # An impossible place to save to must be found before anything is paid for.
        Destination.parse(arguments.save, session.settings.save_folder, Path())
        jobs, error = session.create(new)
        result: Any = None
        if jobs and arguments.no_watch:
            for job in jobs:
                print(f"Created {job.id}. Watch it: %cometvid watch {job.id}")
            result = jobs[0] if len(new) == 1 else CreatedJobs(jobs)
        elif jobs:
            if error is not None:
                arguments.wait = False  # the error must be shown now, not after the last clip
            result = self._show([job.id for job in jobs], arguments, is_list=len(new) > 1)
        if error is not None:
            told = str(error)
            if len(new) > 1:
                ids = f": {' '.join(job.id for job in jobs)}" if jobs else ""
                told = f"{told.rstrip('.')}. {len(jobs)} of {len(new)} jobs were made{ids}."
            if jobs:
                told += " To wait for what was made: %cometvid resume --wait."
            raise retold(error, told) from None
        return result

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
            ids = " ".join(watch.job_id for watch in watches if not watch.state.is_settled)
            told = f"Stopped waiting. The watch goes on: %cometvid wait {ids}"
            if not detect(shell(), os.environ).is_text:
                # An interrupt must also end a "Run all": the cells below need the clip.
                raise GrammarError(told) from None
            print(told)
            return
        ended = [(watch, error) for watch in watches if (error := _error_of(watch)) is not None]
        if ended:
            raise _why(ended) from None

    def _find(self, job_ids: list[str]) -> list[Watch]:
        known = {watch.job_id: watch for watch in sessions.current().watches}
        for job_id in job_ids:
            if job_id not in known:
                raise GrammarError(
                    f"{job_id[:60]!r} is not watched here. Watched: {', '.join(known) or 'nothing'}"
                )
        return [known[job_id] for job_id in job_ids]

    def known_ids(self) -> list[str]:
        """Return job ids for completion: those watched here, newest first, then the simulated."""
        watched = [watch.job_id for watch in sessions.current().watches]
        simulated = list(self._simulator.jobs) if self._simulator is not None else []
        return list(dict.fromkeys([*reversed(watched), *simulated]))

    def known_values(self, option: str) -> list[str]:
        """Return the values that jobs of the ledger have for an option, newest first.

        No list of models is built in: the API's catalogue changes monthly.
        """
        name = option.removeprefix("--")
        session = sessions.current()
        if name not in ("model", "size", "seconds", "state") or session.ledger.path is None:
            return []
        entries = session.ledger.entries(session.settings.base_url, limit=200)
        values = (getattr(entry, name) for entry in entries)
        return list(
            dict.fromkeys(
                value for value in values if value and " " not in value and value.isprintable()
            )
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


class CreatedJobs(list[Job]):
    """Jobs that were created together.

    As the value of the cell that created them they show nothing, as it has printed their ids.
    """

    def __init__(self, jobs: list[Job]) -> None:
        super().__init__(jobs)
        self._told_in_cell = cell_number()

    def _ipython_display_(self) -> None:
        if self._told_in_cell is None or self._told_in_cell != cell_number():
            print("\n".join(plain(f"{job.id}  {job.status_word}") for job in self))


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


def _whole(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise GrammarError(f"{name} is {text!r}: give a whole number from 1 to {most}")
    return int(text)


def _error_of(watch: Watch) -> CometVidError | None:
    """Return why a watch has no clip; None: it has one, or none was wanted, or it goes on."""
    state = watch.state
    if state.error is None and state.saved is None and state.is_over and state.problem:
        return ClipError(state.problem)
    return state.error


def _why(ended: list[tuple[Watch, CometVidError]]) -> CometVidError:
    """Return the error to raise for watches without a clip.

    It has their own class if all have the same one, so that `except JobFailed` works for many.
    """
    errors = [error for _, error in ended]
    if len(ended) == 1:
        return retold(errors[0], _last_words(*ended[0]))
    words = [
        " ".join(filter(None, [_last_words(watch, error), error.advice])) for watch, error in ended
    ]
    told = retold(errors[0], "\n".join(words)) if len({*map(type, errors)}) == 1 else None
    if told is None:
        told = WatchEnded("\n".join(words), job=None)
    told.advice = None  # the text has the advice of each error
    return told


def _last_words(watch: Watch, error: CometVidError) -> str:
    """Return the error's message with the job's id in front, if the message lacks it."""
    words = str(error)
    is_named = watch.job_id in words or not isinstance(error, ApiError)
    return words if is_named else f"{watch.job_id}: {words}"
