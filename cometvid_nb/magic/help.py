"""Help: the commands of `%cometvid` in words, one or all."""

from __future__ import annotations

from .grammar import COMMANDS, Command

NO_KEY = "No key yet? %cometvid demo, then %cometvid watch video_demo"


def explain(command: Command) -> str:
    """Return the help of one command."""
    usage, rest = command.parser().format_help().strip().split("\n\n", 1)
    # argparse indents the further lines of a usage by its prefix, which is cut off here.
    indented = "\n" + " " * len("usage: ")
    return f"{usage.removeprefix('usage: ').replace(indented, chr(10))}\n\n{rest}"


def list_of_commands() -> str:
    """Return a line for each command, and how to learn more."""
    width = max(map(len, COMMANDS))
    rows = [f"  %cometvid {c.name:<{width}}  {c.summary}" for c in COMMANDS.values()]
    return "\n".join([*rows, "", "More about a command: %cometvid help watch"])
