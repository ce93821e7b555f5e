"""Start page: what `%cometvid` alone shows: the API and its key, what runs now, every command."""

from __future__ import annotations

from collections.abc import Sequence

from ..cards.card import Card
from ..cards.html import quiet
from ..cards.markup import Markup
from ..cards.text import count_text, to_state
from ..errors import MissingKey, SettingsError
from ..job.ids import quoted_id, shown_id
from ..settings import Settings
from ..watching.watch import Watch
from .grammar import COMMANDS
from .help import explain, list_of_commands

MOST_NAMED = 5
"""So many of the running watches are named; a gallery may have thousands."""

_NAME = "display:inline-block;min-width:136px"
_HELP = "margin:4px 0 12px 18px;line-height:1.4;white-space:pre;overflow-x:auto"

Lines = list[tuple[str, str]]
"""Sentences, each with the command that goes with it; "" = none."""


def start_bundle(settings: Settings, active: Sequence[Watch]) -> dict[str, str]:
    """Return the page as HTML, whose commands open by a click, and as text."""
    lines = [*_about_api(settings), *_about_watches(active)]
    said = Markup("").join(
        Markup("<div>{} {}</div>").format(words, _command(command)) for words, command in lines
    )
    opened = Markup("").join(
        Markup(
            '<details><summary style="cursor:pointer"><code style="{}">{}</code> {}</summary>'
            '<pre style="{}">{}</pre></details>'
        ).format(_NAME, f"%cometvid {one.name}", quiet(one.summary), _HELP, explain(one))
        for one in COMMANDS.values()
    )
    html = Markup(
        '<div style="max-width:860px;line-height:1.7">{}<div style="margin-top:8px">{}</div></div>'
    ).format(said, opened)
    text = "\n".join(" ".join(filter(None, line)) for line in lines)
    return {"text/html": str(html), "text/plain": f"{text}\n\n{list_of_commands()}"}


def _about_api(settings: Settings) -> Lines:
    if settings.is_simulated:
        return [
            ("The simulated API is on: nothing is rendered or paid for. Try:", _WATCH_DEMO),
            ("Back to the real API:", "%cometvid demo --stop"),
        ]
    key = f"the key {settings.api_key}" if settings.api_key is not None else "no key"
    try:
        settings.check_api()
    except MissingKey:
        return [
            (f"No API key is set for {settings.base_url}. Type it in:", "%cometvid login"),
            ("No key yet? A simulated API needs none:", "%cometvid demo"),
        ]
    except SettingsError as error:
        return [(f"The API cannot be used: {str(error).rstrip('.')}.", "%cometvid config")]
    return [(f"The API is {settings.base_url}, with {key}.", "")]


def _about_watches(active: Sequence[Watch]) -> Lines:
    if not active:
        return [("No job is being watched.", "")]
    named = [
        f"{shown_id(watch.job_id)} ({to_state(Card.of_watch(watch.state))})"
        for watch in active[-MOST_NAMED:]
    ]
    more = [f"{len(active) - len(named):,} more"] if len(active) > len(named) else []
    told = f"Watching {count_text(len(active))}: {', '.join(named + more)}."
    only = f" {quoted_id(active[0].job_id)}" if len(active) == 1 else " --all"
    return [(told, ""), ("To stop watching:", f"%cometvid stop{only}")]


_WATCH_DEMO = "%cometvid watch video_demo"


def _command(line: str) -> Markup | str:
    """A command that a click selects as a whole, so that it can be copied."""
    return Markup('<code style="user-select:all">{}</code>').format(line) if line else ""
