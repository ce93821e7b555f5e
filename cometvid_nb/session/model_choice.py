"""choose_model: which model a new job takes where nobody names one."""

from __future__ import annotations

import json

from ..errors import MissingKey, SettingsError
from ..ledger.ledger import Entry, Ledger
from ..settings import Settings

SIMULATED_MODEL = "sora-2"
"""In a simulation where none is named: a demo must not begin with a choice."""
_LATEST = 200
"""So many of the latest jobs are looked through for a model."""


def choose_model(settings: Settings, ledger: Ledger) -> tuple[str, str]:
    """Return a model, and a line that says why it was chosen, "" if a person has chosen it.

    It is that of the settings, else the one used last on this machine with this API. None is built
    in: the API's catalogue changes monthly.

    Raises:
        SettingsError: none is known. MissingKey: nor is a key, which has to come first.
    """
    chosen: str = getattr(settings, "model", "")
    if chosen or settings.is_simulated:
        return chosen or SIMULATED_MODEL, ""
    entries = ledger.entries(settings.base_url, limit=_LATEST)
    made = [entry for entry in entries if entry.job_id is not None]
    # A request has the name that was asked for; an answer may name what this stands for today.
    named = [model for entry in made if (model := _asked_model(entry)) is not None]
    named += [entry.model for entry in made if entry.model is not None]
    if named:
        return named[0], f"The model is {named[0]}, as it was last time. Another: --model NAME."
    if settings.api_key is None and getattr(settings, "needs_key", True):
        raise MissingKey
    raise SettingsError(
        "No model is named, and none was used here before. Nothing was sent.",
        advice='Name one by --model NAME (in Python: model="NAME"), or for all new jobs by '
        "%cometvid config model=NAME. %cometvid models lists them.",
    )


def _asked_model(entry: Entry) -> str | None:
    """Return the model that the request of a remembered job named, or None."""
    try:
        request = json.loads(getattr(entry, "request", None) or "{}")
        model = request["fields"]["model"]
    except (ValueError, TypeError, LookupError):
        return None
    return model if isinstance(model, str) and model else None
