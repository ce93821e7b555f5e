"""Defines the commands of `%cometvid`, their options and help, as data."""

from __future__ import annotations

import argparse
import keyword
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .editing_grammar import EDITING
from .options import (
    continue_,
    lineage,
    name_option,
    new_job_options,
    rate,
    recipe,
    request_options,
    watch_options,
)
from .parser import GrammarError, HelpText, Parser, options_of


class Ids(StrEnum):
    """Which ids the words of a command are, for completion and for what a mistake is told."""

    NONE = "none"
    WATCHED = "watched"
    """Of the watches of this kernel."""
    KNOWN = "known"
    """Those, and the jobs that this machine remembers."""
    REMEMBERED = "remembered"
    """What `%cometvid jobs` names, also a request without an id."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. A new one also needs a method in `Commands` and a row in docs/commands.md.

    `summary` is one line of help, `details` a longer text, `add_arguments` fills its parser, and
    `ids` says whether and which ids it takes.
    """

    name: str
    summary: str
    details: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    ids: Ids = Ids.NONE
    takes_files: bool = False
    """Whether a file on this machine may stand for an id."""

    def parser(self) -> Parser:
        """Return a new parser for the words after the command's name."""
        parser = Parser(
            prog=f"%cometvid {self.name}",
            description=f"{self.summary[0].upper()}{self.summary[1:]}. {self.details}".strip(),
            add_help=False,  # `parse` handles --help, as argparse's own way ends the process
            allow_abbrev=False,
            formatter_class=HelpText,
        )
        parser._positionals.title = "arguments"
        self.add_arguments(parser)
        return parser

    @property
    def method(self) -> str:
        """The name of the method of `Commands` that carries it out."""
        return f"{self.name}_" if keyword.iskeyword(self.name) else self.name

    @property
    def options(self) -> list[str]:
        """The long options, for completion."""
        return [name for name in options_of(self.parser()) if name[:2] == "--"]


def _watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="the id of a job")
    watch_options(parser)


def _create(parser: argparse.ArgumentParser) -> None:
    words = "what the clip shows, in quotes; each prompt makes a job"
    parser.add_argument("prompts", metavar="PROMPT", nargs="*", help=words)
    request_options(parser, "the name of the model; without it the one used last")
    words = "a picture: a file or a web address; repeat it for several, in order"
    parser.add_argument("--image", metavar="FILE", action="append", help=words)
    words = "the picture that the clip begins with"
    parser.add_argument("--first-frame", metavar="FILE", help=words)
    parser.add_argument("--last-frame", metavar="FILE", help="the picture that the clip ends with")
    new_job_options(parser)


def _remix(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a completed job")
    parser.add_argument("prompts", metavar="PROMPT", nargs="*", help="what to change, in quotes")
    new_job_options(parser)


def _jobs(parser: argparse.ArgumentParser) -> None:
    words = "all in the table, not only the latest 20"
    parser.add_argument("--all", action="store_true", help=words)
    parser.add_argument("--limit", metavar="N", help="at most this many in the table")
    words = "only jobs in this state: queued, in_progress, completed, failed, or done, running …"
    parser.add_argument("--state", metavar="S", help=words)
    words = "only jobs with this text in their prompt, id, model, tags or note"
    parser.add_argument("--search", metavar="TEXT", help=words)
    flags = parser.add_mutually_exclusive_group()
    flags.add_argument("--picked", action="store_true", help="only picked takes")
    flags.add_argument("--rejected", action="store_true", help="only rejected takes")
    parser.add_argument("--min-stars", metavar="N", help="only takes of so many stars or more")
    parser.add_argument("--tag", metavar="T", help="only takes with this tag")


def _save(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a completed job")
    parser.add_argument(
        "dest", metavar="DEST", nargs="?", help="a folder, a file, or s3://bucket/…"
    )
    name_option(parser)


def _forget(parser: argparse.ArgumentParser) -> None:
    words = "the id of a job, as %%cometvid jobs shows it"
    parser.add_argument("id", metavar="ID", help=words)


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a job")


def _stop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="the id of a watched job")
    parser.add_argument("--all", action="store_true", help="stop every watch")


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="the id of a watched job")
    words = "stop waiting after this long; the watches go on"
    parser.add_argument("--timeout", metavar="SECONDS", help=words)


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("changes", metavar="KEY=VALUE", nargs="*", help="a setting to change")


def _models(parser: argparse.ArgumentParser) -> None:
    words = "only models with this word in their id, provider or features"
    parser.add_argument("words", metavar="WORD", nargs="*", help=words)


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--speed", metavar="X", help="run the simulation X times as fast")
    parser.add_argument("--stop", action="store_true", help="end the simulation")
    parser.add_argument(
        "--trouble", metavar="NAME", help="let the next requests fail: busy, down, lost or broke"
    )


def _help(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", metavar="COMMAND", nargs="?", help="the command to explain")


def _nothing(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


COMMANDS = {
    command.name: command
    for command in (
        Command(
            "watch",
            "follow jobs to their end on a live card that becomes the player",
            "The cell returns at once, and the card keeps updating while other cells run. The clip "
            "is saved next to the notebook. `job = %cometvid watch ID` gives a Watch with .job, "
            ".widget, .wait() and .stop(); it can be awaited.",
            _watch,
            Ids.KNOWN,
        ),
        Command(
            "create",
            "create a video job and watch it; the real API charges for this",
            "%%cometvid create takes the body of its cell as the prompt, braces and dollar signs "
            "included. A request that a known model would refuse is not sent, and the fields get "
            "the names that the model expects: see --dry-run. No request is ever sent twice: if "
            "its answer is lost, you are told so.",
            _create,
        ),
        Command(
            "remix",
            "create a variation of a completed job and watch it; the real API charges for this",
            "",
            _remix,
            Ids.KNOWN,
        ),
        Command(
            "continue",
            "create a clip that begins where another one ends; the real API charges for this",
            "Its first picture is the last frame of that clip, whose model, size and seconds it "
            "gets unless you name others. This needs %pip install 'cometvid-nb[edit]'.",
            continue_,
            Ids.KNOWN,
        ),
        Command(
            "jobs",
            "list the jobs that this machine remembers",
            "In a notebook, its page searches, sorts and plays the list; the file keeps a table. "
            "%cometvid rate says which takes are picked. "
            "In Python, cometvid_nb.jobs() gives the same for pandas.",
            _jobs,
        ),
        Command(
            "rate",
            "say what you think of a clip: stars, picked or rejected, tags, a note",
            "This is kept on this machine; the API never hears of it. What is not named stays.",
            rate,
            Ids.KNOWN,
        ),
        Command(
            "lineage",
            "show what came of what: remixes, continuations and reels, as a tree",
            "",
            lineage,
            Ids.KNOWN,
        ),
        Command(
            "recipe",
            "print the line that makes a clip again, as the .json beside it tells",
            "The setting recipe=off writes no such files.",
            recipe,
            Ids.KNOWN,
            takes_files=True,
        ),
        Command(
            "resume",
            "watch every job that has not ended or whose clip is missing, as after a restart",
            "",
            watch_options,
        ),
        Command(
            "save",
            "save the clip of a completed job",
            "DEST is a folder, a file ending in .mp4, or a URL that fsspec knows (s3://bucket/). "
            "Without DEST, the clip goes to the folder of the setting save_dir. TEMPLATE names it "
            "by {date}, {time}, {model}, {prompt}, {id}, {take}, {seed}, {size}, {seconds}; "
            "{prompt:40} has 40 characters at most. No file is ever replaced.",
            _save,
            Ids.KNOWN,
        ),
        *(Command(*words, Ids.KNOWN, takes_files=True) for words in EDITING),
        Command(
            "forget",
            "remove a job from the list of jobs; the job and its clip are kept",
            "This also removes a request whose outcome is unknown.",
            _forget,
            Ids.REMEMBERED,
        ),
        Command("status", "check a job once and show the answer", "", _status, Ids.KNOWN),
        Command(
            "stop",
            "stop watching; the job itself goes on at the server",
            "Without an id, it stops the only watch there is.",
            _stop,
            Ids.WATCHED,
        ),
        Command(
            "wait",
            "keep the cell busy until watched jobs have ended",
            "Without an id, it waits for all of them. An interrupt ends the waiting, not the "
            "watches.",
            _wait,
            Ids.WATCHED,
        ),
        Command(
            "config",
            "show the settings, or change them for this kernel",
            "The same as %config Cometvid.KEY = VALUE, and c.Cometvid.KEY in ipython_config.py.",
            _config,
        ),
        Command(
            "login",
            "ask for the API key without showing it, and keep it in this kernel's memory only",
            "Or set COMETAPI_KEY before the kernel starts.",
            _nothing,
        ),
        Command(
            "models",
            "list the video models that the API offers, with their published prices",
            "The list is fetched once a day; CometAPI needs no key for it. "
            "%cometvid config model=ID chooses the model of new jobs.",
            _models,
        ),
        Command(
            "demo",
            "try everything on a simulated API inside this kernel: no key, no cost",
            "Then: %cometvid watch video_demo",
            _demo,
        ),
        Command("help", "explain a command, or list them all", "", _help),
    )
}


def whole(name: str, text: str, most: int, least: int = 1, unit: str = "") -> int:
    """Return the whole number that an option is given.

    Raises:
        GrammarError: it is none, or not from `least` to `most`.
    """
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        of = f" {unit}" if unit else ""
        raise GrammarError(f"{name} is {text!r}: give a whole number from {least} to {most}{of}")
    return int(text)


def number_of(
    name: str, text: str | None, least: float, most: float, unit: str = ""
) -> float | None:
    """The number that an option is given; None: it is not given.

    Raises:
        GrammarError: it is none, or out of bounds.
    """
    if text is None:
        return None
    number = as_number(text)
    if number is None or not least <= number <= most:
        raise GrammarError(f"{name} is {text!r}: give {least:g} to {most:g} {unit}".rstrip())
    return number


def as_number(text: str) -> float | None:
    """Return a text as a number; None: it is none."""
    try:
        return float(text)
    except ValueError:
        return None
