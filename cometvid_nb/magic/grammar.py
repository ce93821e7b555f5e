"""Defines the commands of `%cometvid`, their options and help, as data, and parses lines."""

from __future__ import annotations

import argparse
import difflib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn


class GrammarError(Exception):
    """A line that is no valid command; the message shows what would be."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. A new one also needs a method in `Commands` and a row in the README.

    `summary` is one line of help, `details` a longer text, and `add_arguments` fills its parser.
    """

    name: str
    summary: str
    details: str
    add_arguments: Callable[[argparse.ArgumentParser], None]

    def parser(self) -> argparse.ArgumentParser:
        """Return a new parser for the words after the command's name."""
        parser = _Parser(
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
        actions = self.parser()._actions
        return [name for action in actions for name in action.option_strings if name[:2] == "--"]


class _Parser(argparse.ArgumentParser):
    """A parser that raises `GrammarError`; argparse's own ends the process, here the kernel."""

    def error(self, message: str) -> NoReturn:
        options = [name for action in self._actions for name in action.option_strings]
        wrong = message.rpartition("unrecognized arguments: ")[2].split()[:1]
        near = difflib.get_close_matches(wrong[0].partition("=")[0], options, 1) if wrong else []
        hint = f" Did you mean {near[0]}?" if near else ""
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise GrammarError(f"{message}.{hint}\nIt goes: {usage}")


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
    parser.add_argument("--all", action="store_true", help="every job, not only the latest 20")
    parser.add_argument("--limit", metavar="N", help="so many at most")
    parser.add_argument("--state", metavar="S", help="only those in this state, such as completed")
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
        ),
        Command(
            "jobs",
            "list the jobs that this machine remembers",
            "`cometvid_nb.jobs()` gives the same for pandas.",
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
        ),
        Command(
            "forget",
            "take a job out of the list of jobs; it, and its clip, stay as they are",
            "Also for a request of which nobody knows what became of it.",
            _forget,
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


def names_a_prompt(line: str) -> bool:
    """Whether a line holds a prompt, in which {x} and $x stay as they are without `--expand`."""
    return line.split()[:1] in (["create"], ["remix"])


def parse(line: str, cell: str | None = None) -> tuple[Command, argparse.Namespace]:
    """Return the command of a line and its arguments; an empty line means help.

    `cell` is the body under a `%%cometvid` line, allowed only as the prompt of a new job.

    Raises:
        GrammarError: the line is no valid command; the message shows what was probably meant.
    """
    try:
        words = _split(line)
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
    arguments = command.parser().parse_args(rest)
    if cell is not None and command.name not in ("create", "remix"):
        raise GrammarError(f"{command.name} takes no cell: write %cometvid {line} on a line")
    if hasattr(arguments, "prompts"):
        arguments.prompts = _prompts(arguments.prompts, cell)
    return command, arguments


def _split(line: str) -> list[str]:
    r"""Split a line into words; quotes group words.

    A backslash is an ordinary character, as in the Windows path `C:\videos`, and so is `#`, which
    would otherwise start a comment.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    return list(lexer)


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
