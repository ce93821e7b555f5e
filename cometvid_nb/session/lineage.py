"""Lineage: what came of what, as this machine remembers it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..cards.lineage import LineageNode, lineage
from ..clips.places import page_path
from ..errors import SettingsError
from ..job.ids import shown_id
from ..notebook import notebook_folder
from .files import job_id_of

if TYPE_CHECKING:
    from .session import Session


def lineage_of(session: Session, job_id: str) -> tuple[LineageNode, ...]:
    """Return the trees that a job stands in, of jobs of the settings' API.

    Raises:
        SettingsError: nothing is known of the job here.
        LedgerError: the ledger cannot be read.
    """
    job_id, ledger, base_url = job_id_of(session, job_id), session.ledger, session.settings.base_url
    entries = ledger.kin(base_url, job_id)
    if not entries:
        raise SettingsError(
            f"Nothing is remembered of {shown_id(job_id)}, and nothing that came of it.",
            advice="%cometvid jobs lists what is.",
        )
    posters = {one: poster for one in entries if (poster := ledger.poster(base_url, one))}
    beside = notebook_folder()
    reels = [
        replace(reel, place=page_path(Path(reel.place), beside) or reel.place)
        if "://" not in reel.place
        else reel
        for reel in ledger.reels_of(base_url, entries)
    ]
    return lineage(job_id, entries, reels, posters)
