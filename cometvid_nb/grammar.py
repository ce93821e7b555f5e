"""The grammar of `%cometvid`: its commands, their options and their help, as data."""

from __future__ import annotations

import argparse
import difflib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn


class GrammarError(Exception):
    """A line that cannot be understood; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name, one line of help, a longer one, and what adds its arguments."""

    name: str
    summary: str
    details: str
    add_arguments: Callable[[argparse.ArgumentParser], None]

    def parser(self) -> argparse.ArgumentParser:
        """The parser of what follows the command's name."""
        parser = _Parser(
            prog=f"%cometvid {self.name}",
            description=f"{self.summary[0].upper()}{self.summary[1:]}. {self.details}".strip(),
            add_help=False,
            allow_abbrev=False,
        )
        self.add_arguments(parser)
        return parser

    @property
    def options(self) -> list[str]:
        """The long options, for completion."""
        actions = self.parser()._actions
        return [name for action in actions for name in action.option_strings if name[:2] == "--"]


class _Parser(argparse.ArgumentParser):
    """Argparse leaves the process on a mistake; a kernel must not."""

    def error(self, message: str) -> NoReturn:
        options = [name for action in self._actions for name in action.option_strings]
        wrong = message.rpartition("unrecognized arguments: ")[2].split()[:1]
        near = difflib.get_close_matches(wrong[0].partition("=")[0], options, 1) if wrong else []
        hint = f" Did you mean {near[0]}?" if near else ""
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise GrammarError(f"{message}.{hint}\nIt goes: {usage}")


def _watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="the id of a job")
    parser.add_argument("--wait", action="store_true", help="keep the cell busy until the end")
    parser.add_argument("--timeout", metavar="SECONDS", help="give up after this long")
    parser.add_argument("--interval", metavar="SECONDS", help="poll at this fixed interval")
    parser.add_argument("--no-save", action="store_true", help="do not save the clip")


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a job")


def _stop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="the id of a watched job")
    parser.add_argument("--all", action="store_true", help="stop every watch")


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="the id of a watched job")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("changes", metavar="KEY=VALUE", nargs="*", help="a setting to change")


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--speed", metavar="X", help="run the simulated time X times as fast")
    parser.add_argument("--stop", action="store_true", help="leave the simulation")


def _help(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", metavar="COMMAND", nargs="?", help="the command to explain")


def _nothing(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


COMMANDS = {
    command.name: command
    for command in (
        Command(
            "watch",
            "follow a job to its end on a live card that becomes the player",
            "The cell returns at once; the card goes on while other cells run. The clip is saved "
            "beside the notebook. `job = %cometvid watch ID` gives a Watch: .job, .widget, "
            ".wait(), .stop(), and it can be awaited.",
            _watch,
        ),
        Command("status", "ask once after a job and show the answer", "", _status),
        Command(
            "stop",
            "stop watching; the job itself goes on at the server",
            "Without an id: the only watch there is.",
            _stop,
        ),
        Command(
            "wait",
            "keep the cell busy until watched jobs have ended",
            "Without an id: all of them. An interrupt ends the waiting, not the watches.",
            _wait,
        ),
        Command(
            "config",
            "show the settings, or change them for this kernel",
            "The same as %config Cometvid.KEY = VALUE, and c.Cometvid.KEY in ipython_config.py.",
            _config,
        ),
        Command(
            "login",
            "ask for the API key, unseen, and keep it in this kernel's memory only",
            "Or set COMETAPI_KEY before the kernel starts.",
            _nothing,
        ),
        Command(
            "demo",
            "play with a simulated API inside this kernel: no key, no cost",
            "Then: %cometvid watch video_demo",
            _demo,
        ),
        Command("help", "explain a command, or list them all", "", _help),
    )
}


def parse(line: str) -> tuple[Command, argparse.Namespace]:
    """The command a line names, and its arguments. An empty line asks for help.

    Raises:
        GrammarError: what is wrong, and what was probably meant.
    """
    try:
        words = shlex.split(line)
    except ValueError:
        raise GrammarError(f"a quotation mark is missing its partner: {line!r}") from None
    name, *rest = words or ["help"]
    if name in ("-h", "--help", "?"):
        name = "help"
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        meant = f"Did you mean {near[0]!r}? " if near else ""
        raise GrammarError(
            f"there is no command {name[:60]!r}. {meant}There are: {', '.join(COMMANDS)}."
        )
    command = COMMANDS[name]
    if "-h" in rest or "--help" in rest:
        return COMMANDS["help"], argparse.Namespace(command=name)
    return command, command.parser().parse_args(rest)


def explain(name: str | None) -> str:
    """The help of one command, or the list of all.

    Raises:
        GrammarError: there is no such command.
    """
    if name is not None:
        if name not in COMMANDS:
            parse(name)  # says what was probably meant
        usage, rest = COMMANDS[name].parser().format_help().strip().split("\n\n", 1)
        indented = "\n" + " " * len("usage: ")
        return f"{usage.removeprefix('usage: ').replace(indented, chr(10))}\n\n{rest}"
    width = max(map(len, COMMANDS))
    rows = [f"  %cometvid {c.name:<{width}}  {c.summary}" for c in COMMANDS.values()]
    return "\n".join(
        [
            "Run video-generation jobs from a notebook.",
            "",
            *rows,
            "",
            "No key yet? %cometvid demo, then %cometvid watch video_demo.",
            "More on one: %cometvid help watch",
        ]
    )
