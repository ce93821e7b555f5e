"""Backdrops: the pictures that stand behind the cards of new jobs until their clips are there."""

from __future__ import annotations

from ..api.fitting import reduced
from ..api.images import read_image
from ..api.new_job import NewJob
from ..errors import LedgerError, SettingsError
from ..ledger.ledger import Ledger

MOST_PX = 320
"""On each side: a card is twice as wide, and the picture stands dimmed behind its words."""
BLUR_PX = 6.0
"""An earlier take tells the mood of the next one, and must not be taken for it."""


def backdrop_of(new: NewJob, ledger: Ledger, base_url: str) -> str | None:
    """The picture given along, else the last clip of this prompt blurred, as a small data URL.

    None: there is no such picture, or Pillow is missing. It is made here, of a few kilobytes: the
    file that was given never gets to the page.
    """
    from ..clips.posters import to_data_url  # httpx comes with it, and not with %load_ext

    if new.images:
        made = reduced(new.images[0].content, MOST_PX)
    else:
        try:
            poster = ledger.last_poster(base_url, new.prompt, new.remix_of)
            made = reduced(read_image(poster).content, MOST_PX, BLUR_PX) if poster else None
        except (LedgerError, SettingsError):
            return None
    return to_data_url(made) if made is not None else None


class Backdrops:
    """The pictures of the jobs created in one session."""

    def __init__(self) -> None:
        self._pictures: dict[tuple[str, str], str] = {}
        """By base URL and id."""
        self._latest: tuple[NewJob, str | None] | None = None
        """Takes of one request are created one after another, and share a picture."""

    def add(self, base_url: str, job_id: str, new: NewJob, ledger: Ledger) -> None:
        """Make the picture of a job that was just created, if there is one to make."""
        if self._latest is None or self._latest[0] != new:
            self._latest = new, backdrop_of(new, ledger, base_url)
        picture = self._latest[1]
        if picture is not None:
            self._pictures[base_url, job_id] = picture

    def of(self, base_url: str, job_id: str) -> str | None:
        """Return the picture of a job as a small data URL, or None."""
        return self._pictures.get((base_url, job_id))

    def clear(self) -> None:
        """Forget them all."""
        self._pictures.clear()
        self._latest = None
