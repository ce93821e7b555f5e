"""choose_model: which model a new job takes where nobody names one."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..errors import LedgerError, MissingKey, SettingsError
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..settings import Settings

_SIMULATED_MODEL = "sora-2"
"""In a simulation where none is named: a demo must not begin with a choice."""
_LATEST = 200
"""So many of the latest jobs are looked through for a model."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model, and in a line why this one; "" where a person has chosen it."""

    model: str
    told: str = ""
    is_stand_in: bool = False
    """Whether nobody ever asked for it, so that what it does not take is no mistake."""


def choose_model(settings: Settings, ledger: Ledger) -> Choice:
    """Return the model of a new job.

    It is that of the settings, else the one used last on this machine with this API. None is built
    in: the API's catalogue changes monthly.

    Raises:
        SettingsError: none is known. MissingKey: nor is a key, which has to come first.
    """
    chosen: str = settings.model
    if chosen:
        return Choice(chosen)
    if settings.is_simulated:
        return Choice(_SIMULATED_MODEL, is_stand_in=True)
    try:
        entries = ledger.entries(settings.base_url, limit=_LATEST)
    except LedgerError as error:
        raise SettingsError(
            f"No model is named, and which one was used last is not known. {error}",
            advice='Name one with --model NAME (in Python: model="NAME").',
        ) from None
    made = [entry for entry in entries if entry.job_id is not None]
    # A request has the name that was asked for; an answer may name what this stands for today.
    named = [model for entry in made if (model := _asked_model(entry)) is not None]
    named += [entry.model for entry in made if entry.model is not None]
    if named:
        told = f"Using the model {named[0]}, as last time. To choose another: --model NAME."
        return Choice(named[0], told)
    if settings.api_key is None and settings.needs_key:
        raise MissingKey
    raise SettingsError(
        "No model is named, and none was used here before, so nothing was sent.",
        advice='Name one with --model NAME (in Python: model="NAME"), or for all new jobs with '
        "%cometvid config model=NAME. %cometvid models lists them.",
    )


def _asked_model(entry: Entry) -> str | None:
    """Return the model that the request of a remembered job named, or None."""
    try:
        request = json.loads(entry.request or "{}")
        model = request["fields"]["model"]
    except (ValueError, TypeError, LookupError):
        return None
    return model if isinstance(model, str) and model else None
