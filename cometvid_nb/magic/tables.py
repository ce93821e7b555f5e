"""Tables: the settings as HTML and as text, and how a command shows what it has."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from IPython.display import display

from ..cards.html import code, no_math
from ..cards.markup import Markup
from ..cards.table import html_table, text_table
from ..cards.text import one_line
from ..errors import MissingKey, SettingsError
from ..machine import writable
from ..settings import Settings


def settings_bundle(settings: Settings) -> dict[str, str]:
    """Every setting, its value and its meaning; the key masked.

    Below them why the API cannot be asked, where it cannot: the settings themselves work then.
    """
    rows = []
    for field in fields(settings):
        value: Any = getattr(settings, field.name)
        if isinstance(value, bool):
            value = "on" if value else "off"
        elif isinstance(value, float):
            value = f"{value:g}"
        shown = "not set" if value is None or value == "" else one_line(str(value))
        if value is None and not settings.needs_key:
            shown = "not set, none needed"
        rows.append((field.name, shown, field.metadata["help"]))
    cells = [[code(name), shown, meaning] for name, shown, meaning in rows]
    head = ("Setting", "Value", "What it is")
    html, text = html_table(head, cells), text_table(head, rows)
    try:
        settings.check_api()
    except MissingKey:
        pass  # the table says so
    except SettingsError as error:
        fault = f"The API cannot be asked: {error}. {error.advice or ''}"
        html, text = html + Markup("<p>{}</p>").format(fault), f"{text}\n{one_line(fault, 600)}"
    return {"text/html": no_math(html), "text/plain": text}


def show(bundle: dict[str, str]) -> None:
    """Show `bundle` as the output of the cell; a terminal gets the signs that it can write."""
    display({**bundle, "text/plain": writable(bundle["text/plain"])}, raw=True)
