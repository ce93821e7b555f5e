"""backdrop: the picture that stands behind the card of a new job until its clip is there."""

from __future__ import annotations

from ..api.fitting import reduced
from ..api.images import read_image
from ..api.new_job import NewJob
from ..clips.posters import to_data_url
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
    if new.images:
        made = reduced(new.images[0].content, MOST_PX)
    else:
        try:
            poster = ledger.last_poster(base_url, new.prompt, new.remix_of)
            made = reduced(read_image(poster).content, MOST_PX, BLUR_PX) if poster else None
        except (LedgerError, SettingsError):
            return None
    return to_data_url(made) if made is not None else None
