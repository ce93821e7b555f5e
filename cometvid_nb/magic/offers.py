"""Offers: the ids and values that Tab may offer, as the session knows them now."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import CometVidError
from ..session import session as sessions
from .grammar import Ids

_ODD = ("video_dialect_", "video_clip_", "video_late_")
"""Beginnings of the simulator's jobs that answer as other servers do; offered to who asks so."""
MOST_OFFERED = 200
"""So many of the latest remembered jobs are looked at for a completion."""


def known_ids(kind: Ids, beginning: str, simulated: Iterable[str]) -> list[str]:
    """Return ids for completion, the latest first: watched, then remembered, then `simulated`."""
    session = sessions.current()
    watched = [watch.job_id for watch in reversed(session.watches)]
    if kind == Ids.WATCHED:
        return watched
    try:
        remembered = session.ledger.names(session.settings.base_url, beginning, MOST_OFFERED)
    except CometVidError:
        remembered = []  # Tab is no place for words
    if kind == Ids.REMEMBERED:
        return remembered
    if not beginning.startswith(_ODD):
        # Two hundred shapes of answers would bury the jobs that a demo is about.
        simulated = [job_id for job_id in simulated if not job_id.startswith(_ODD)]
    return list(dict.fromkeys([*watched, *remembered, *simulated]))


def known_values(option: str) -> list[str]:
    """Return the values that jobs of the ledger have for an option, newest first.

    Then the models of the catalogue, if it was ever asked for: Tab must not wait for a network.
    No list of models is built in, as the catalogue changes monthly.
    """
    name = option.removeprefix("--")
    session = sessions.current()
    if name not in ("model", "size", "seconds", "state"):
        return []
    try:
        entries = session.ledger.entries(session.settings.base_url, limit=MOST_OFFERED)
    except CometVidError:
        entries = []
    values = [getattr(entry, name) for entry in entries]
    if name == "model" and (catalogue := session.kept_models()) is not None:
        values += [model.id for model in catalogue.videos]
    return list(
        dict.fromkeys(one for one in values if one and " " not in one and one.isprintable())
    )
