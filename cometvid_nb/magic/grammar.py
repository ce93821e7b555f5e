"""Defines the commands of `%cometvid`, their options and help, as data, and parses lines."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .expansion import expand, fill_in, split, unmarked
from .parser import GrammarError, Parser, check_ids, fill_options, options_of, with_options


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
    """One command. A new one also needs a method in `Commands` and a row in the README.

    `summary` is one line of help, `details` a longer text, `add_arguments` fills its parser, and
    `ids` says whether and which ids it takes.
    """

    name: str
    summary: str
    details: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    ids: Ids = Ids.NONE

    def parser(self) -> Parser:
        """Return a new parser for the words after the command's name."""
        parser = Parser(
            prog=f"%cometvid {self.name}",
            description=f"{self.summary[0].upper()}{self.summary[1:]}. {self.details}".strip(),
            add_help=False,  # `parse` handles --help, as argparse's own way ends the process
            allow_abbrev=False,
        )
        self.add_arguments(parser)
        return parser

    @property
    def options(self) -> list[str]:
        """The long options, for completion."""
        return [name for name in options_of(self.parser()) if name[:2] == "--"]


def _wait_option(parser: argparse.ArgumentParser) -> None:
    # The default is None and not False: without the option the front end decides.
    words = "keep the cell busy until the end"
    parser.add_argument("--wait", action="store_true", default=None, help=words)


def _gallery_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--gallery", action="store_true", help="share one gallery, also when they are few"
    )


def _watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="the id of a job")
    _wait_option(parser)
    parser.add_argument("--timeout", metavar="SECONDS", help="give up after this long")
    parser.add_argument("--interval", metavar="SECONDS", help="poll at this fixed interval")
    parser.add_argument("--no-save", action="store_true", help="do not save the clip")
    parser.add_argument("--save", metavar="DEST", help="save the clip there; see save")
    parser.add_argument("--embed", action="store_true", help="put the clip into the notebook")
    _gallery_option(parser)


def _new(parser: argparse.ArgumentParser) -> None:
    _wait_option(parser)
    parser.add_argument("--no-watch", action="store_true", help="only create, and tell the id")
    parser.add_argument("--no-save", action="store_true", help="do not save the clip")
    parser.add_argument("--save", metavar="DEST", help="save the clip there; see save")
    parser.add_argument("--embed", action="store_true", help="put the clip into the notebook")
    _gallery_option(parser)
    parser.add_argument("--expand", action="store_true", help="fill {x} and $x into the prompt")
    words = "a further field, whatever the model knows; may be repeated"
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", help=words)
    parser.add_argument("--dry-run", action="store_true", help="show the request; send nothing")


def _create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "prompts", metavar="PROMPT", nargs="*", help="in quotes; several make several"
    )
    words = "the model's name; without it the one used last"
    parser.add_argument("--model", metavar="M", help=words)
    parser.add_argument("--seconds", metavar="S", help="the clip's length")
    words = "what the model takes: 1280x720, 16:9, 16x9, 720p"
    parser.add_argument("--size", metavar="SIZE", help=words)
    parser.add_argument("--ratio", metavar="W:H", help="width to height, such as 9:16")
    parser.add_argument("--resolution", metavar="R", help="such as 720p")
    parser.add_argument("--seed", metavar="N", help="a whole number")
    parser.add_argument("--negative", metavar="TEXT", help="what the clip is not to show")
    words = "a picture, by path or web address; repeated for several, in their order"
    parser.add_argument("--image", metavar="FILE", action="append", help=words)
    parser.add_argument("--first-frame", metavar="FILE", help="the picture it begins with")
    parser.add_argument("--last-frame", metavar="FILE", help="the picture it ends with")
    words = "how a picture gets the clip's shape: crop, pad, or none (send the file as it is)"
    parser.add_argument("--fit", metavar="HOW", help=words)
    words = "send also what the model is known to refuse"
    parser.add_argument("--force", action="store_true", help=words)
    parser.add_argument("-n", metavar="COUNT", dest="count", help="this many takes of each prompt")
    _new(parser)


def _remix(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a finished job")
    parser.add_argument("prompts", metavar="PROMPT", nargs="*", help="what to change, in quotes")
    _new(parser)


def _jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all", action="store_true", help="all in the table, not only the latest 20"
    )
    parser.add_argument("--limit", metavar="N", help="so many in the table at most")
    words = "only those in this state: queued, in_progress, completed, failed, or done, running …"
    parser.add_argument("--state", metavar="S", help=words)
    parser.add_argument(
        "--search", metavar="TEXT", help="only those with this in prompt, id or model"
    )


def _save(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a completed job")
    parser.add_argument(
        "dest", metavar="DEST", nargs="?", help="a folder, a file, or s3://bucket/…"
    )


def _resume(parser: argparse.ArgumentParser) -> None:
    _wait_option(parser)


def _forget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a job, or what %%cometvid jobs shows")


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a job")


def _stop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="the id of a watched job")
    parser.add_argument("--all", action="store_true", help="stop every watch")


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="the id of a watched job")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("changes", metavar="KEY=VALUE", nargs="*", help="a setting to change")


def _models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", metavar="WORD", nargs="*", help="only those with this in id, provider or features"
    )


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
            Ids.KNOWN,
        ),
        Command(
            "create",
            "ask for a new clip and watch it come; this costs money at the real API",
            "%%cometvid create takes the cell's body as the prompt, braces and dollars and all. "
            "What a known model does not take is said before anything is sent, and the fields go "
            "out as that model spells them: see --dry-run. "
            "Nothing is ever sent twice: if the answer is lost, you are told so.",
            _create,
        ),
        Command(
            "remix",
            "ask for a variation of a finished job and watch it come; this costs money",
            "",
            _remix,
            Ids.KNOWN,
        ),
        Command(
            "jobs",
            "list the jobs that this machine remembers",
            "In a notebook the list is searched, sorted and played in its page; the table stays in "
            "the file. `cometvid_nb.jobs()` gives the same for pandas.",
            _jobs,
        ),
        Command(
            "resume",
            "watch every job that has not ended or whose clip is missing: for after a restart",
            "",
            _resume,
        ),
        Command(
            "save",
            "save the clip of a completed job",
            "DEST is a folder, a file ending in .mp4, or a URL that fsspec knows (s3://bucket/). "
            "Without it: the folder save_dir.",
            _save,
            Ids.KNOWN,
        ),
        Command(
            "forget",
            "take a job out of the list of jobs; it, and its clip, stay as they are",
            "Also for a request of which nobody knows what became of it.",
            _forget,
            Ids.REMEMBERED,
        ),
        Command("status", "ask once after a job and show the answer", "", _status, Ids.KNOWN),
        Command(
            "stop",
            "stop watching; the job itself goes on at the server",
            "Without an id: the only watch there is.",
            _stop,
            Ids.WATCHED,
        ),
        Command(
            "wait",
            "keep the cell busy until watched jobs have ended",
            "Without an id: all of them. An interrupt ends the waiting, not the watches.",
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
            "ask for the API key, unseen, and keep it in this kernel's memory only",
            "Or set COMETAPI_KEY before the kernel starts.",
            _nothing,
        ),
        Command(
            "models",
            "list the video models that the API offers, with their published prices",
            "The list is asked for once a day; it needs no key at CometAPI. "
            "%cometvid config model=ID chooses the model of new jobs.",
            _models,
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


def names_a_prompt(line: str) -> bool:
    """Whether a line holds a prompt, in which {x} and $x stay as they are without `--expand`."""
    return line.split()[:1] in (["create"], ["remix"])


def parse(
    line: str, cell: str | None = None, names: Mapping[str, Any] | None = None
) -> tuple[Command, argparse.Namespace]:
    """Return the command of a line and its arguments; an empty line means help.

    `cell` is the body under a `%%cometvid` line, allowed only as the prompt of a new job. `names`
    are the reader's variables, which fill in `{x}` and `$x`: in the whole line, or where it holds
    a prompt, in its options and, with `--expand`, in the prompt.

    Raises:
        GrammarError: the line is no valid command; the message shows what was probably meant.
    """
    names = names or {}
    has_prompt = names_a_prompt(line)
    try:
        words = split(line if has_prompt else expand(line, names))
    except ValueError:
        raise GrammarError(f"a quotation mark is missing its partner: {line!r}") from None
    name, *rest = words or ["help"]
    name = unmarked(name)
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
    parser, takes_ids = command.parser(), command.ids != Ids.NONE
    arguments = parser.parse_args(with_options(rest, parser, takes_ids=takes_ids))
    if cell is not None and not has_prompt:
        raise GrammarError(f"{command.name} takes no cell: write %cometvid {line} on a line")
    if has_prompt:
        fill_options(arguments, names)
    check_ids(arguments)
    for key, value in vars(arguments).items():
        if isinstance(value, str):
            setattr(arguments, key, unmarked(value))
        elif isinstance(value, list):
            setattr(arguments, key, [unmarked(word) for word in value])
    if hasattr(arguments, "prompts"):
        arguments.prompts = _prompts(arguments.prompts, cell)
        if arguments.expand:
            arguments.prompts = [unmarked(fill_in(text, names)) for text in arguments.prompts]
    return command, arguments


def _prompts(words: list[str], cell: str | None) -> list[str]:
    if cell is not None:
        if words:
            raise GrammarError("the prompt stands in the cell, so none may stand on the line")
        return [cell]
    if not words:
        raise GrammarError('there is no prompt: it goes "in quotes", or in the body of a %% cell')
    if len(words) > 1 and any(" " not in word.strip() for word in words):
        # Each prompt is a job that costs money: forgotten quotes must not make six jobs of a
        # sentence. Several prompts therefore need more than one word each.
        raise GrammarError(f'put the prompt in quotes: "{" ".join(words)}"')
    return words


def explain(name: str | None) -> str:
    """Return the help of one command; `name` None returns the list of all.

    Raises:
        GrammarError: there is no such command.
    """
    if name is not None:
        if name not in COMMANDS:
            parse(name)  # raises the error that shows what was probably meant
        usage, rest = COMMANDS[name].parser().format_help().strip().split("\n\n", 1)
        # argparse indents the further lines of a usage by its prefix, which is cut off here.
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


def whole(name: str, text: str, most: int) -> int:
    """Return the whole number that an option is given.

    Raises:
        GrammarError: it is none, or not from 1 to `most`.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise GrammarError(f"{name} is {text!r}: give a whole number from 1 to {most}")
    return int(text)
