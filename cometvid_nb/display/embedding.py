"""embedded: puts the whole clip into a card, so that the notebook can be shared as one file."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..cards.card import Card
from ..cards.clip import Clip
from ..cards.gallery import Gallery
from ..cards.gallery_html import MOST_RECORD_CARDS
from ..clips.format import media_type, suffix_of
from ..clips.places import SavedClip
from ..notebook import shell
from ..watching.state import WatchState
from .frontend import fetched_by_hand, loads_files

MOST_EMBEDDED_BYTES = 20_000_000
"""Notebook servers and mail refuse files of some 100 MB; base64 makes four bytes of three, and a
notebook holds more than one clip."""


SMALL_BYTES = 5_000_000
"""What is smaller and lies where no page can load it goes into the record unasked; it makes the
notebook larger by a third more."""


def with_unreachable(cards: Iterable[Card]) -> list[Card]:
    """Return `cards` with each small clip inside that is saved where their page cannot load it.

    All of them together have at most `MOST_EMBEDDED_BYTES`.
    """
    done, left_bytes = [], MOST_EMBEDDED_BYTES
    for card in cards:
        size_bytes = _unreachable_bytes(card)
        if card.clip is None or not 0 < size_bytes <= min(SMALL_BYTES, left_bytes):
            done.append(card)
            continue
        try:
            first, *others = [
                replace(clip, data_url=data_url_of(str(clip.saved_to))) if _is_far(clip) else clip
                for clip in card.clip.every
            ]
        except OSError:  # it may be read by another program only: the words tell where it lies
            done.append(card)
            continue
        left_bytes -= size_bytes
        done.append(replace(card, clip=replace(first, others=tuple(others))))
    return done


def _is_far(clip: Clip) -> bool:
    """Whether a clip lies on this machine, in a place that its page cannot load."""
    is_here = clip.saved_to is not None and "://" not in clip.saved_to
    return is_here and clip.path is None and clip.data_url is None


def _unreachable_bytes(card: Card) -> int:
    """How large the clips of a card are that lie where no page can load them; 0: not known."""
    far = [str(clip.saved_to) for clip in card.clip.every if _is_far(clip)] if card.clip else []
    try:
        return sum(Path(place).stat().st_size for place in far)
    except (OSError, ValueError):
        return 0


def embedded(card: Card, state: WatchState) -> Card:
    """Return `card` with the saved clip inside, or with the reason why that is not possible.

    `card` itself if there is no saved clip, or if it is elsewhere and nobody asked for this.
    """
    if card.clip is None or state.saved is None or _is_elsewhere(state.saved):
        return card
    size_bytes = _size_bytes(state)
    if size_bytes > MOST_EMBEDDED_BYTES:
        return _refused(
            card,
            f"it has {size_bytes / 1e6:.0f} MB, and a notebook file should hold "
            f"{MOST_EMBEDDED_BYTES / 1e6:.0f} MB at most",
        )
    known = {saved.number: saved for saved in state.saved.every}
    try:
        first, *others = [
            replace(clip, data_url=data_url_of(known[clip.number].file_path))
            if clip.number in known
            else clip
            for clip in card.clip.every
        ]
    except OSError as error:
        return _refused(card, f"it cannot be read ({error.strerror or error})")
    return replace(card, clip=replace(first, others=tuple(others)))


def _is_elsewhere(saved: SavedClip) -> bool:
    """Whether a clip lies in another storage, whose record has the API's link as everywhere."""
    return "://" in saved.file_path and not loads_files(shell(), os.environ)


def data_url_of(file_path: str) -> str:
    """Return the clip or the picture in a file as a data URL. Raises OSError: it cannot be read."""
    content = Path(file_path).read_bytes()
    kind = media_type(suffix_of(file_path))
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _size_bytes(state: WatchState) -> int:
    """How large all saved clips of a job are together."""
    return sum(saved.size_bytes for saved in state.saved.every) if state.saved else 0


def embedded_within(cards: Iterable[Card], states: Iterable[WatchState]) -> list[Card]:
    """Embed the clips of several jobs, in order, as long as all of them together are small enough.

    `cards` may be fewer than `states`: a record shows the first of them only.
    """
    done, left_bytes = [], MOST_EMBEDDED_BYTES
    for card, state in zip(cards, states, strict=False):
        size_bytes = _size_bytes(state)
        if size_bytes <= left_bytes:
            left_bytes -= size_bytes
            done.append(embedded(card, state))
        else:
            limit = f"a notebook should hold {MOST_EMBEDDED_BYTES / 1e6:.0f} MB of clips at most"
            done.append(_refused(card, limit))
    return done


def _refused(card: Card, reason: str) -> Card:
    """Return `card` with the reason; where no page could load the file, with what else to do."""
    here = shell()
    problem = f"The clip is saved but not embedded: {reason}."
    if card.clip is None or loads_files(here, os.environ):
        return replace(card, problem=problem)
    first, *others = [replace(clip, url=None, path=None) for clip in card.clip.every]
    return replace(
        card,
        clip=replace(first, others=tuple(others)),
        problem=problem,
        advice=f"{fetched_by_hand(os.environ)} Or play it through the kernel:",
        command=f"import cometvid_nb; cometvid_nb.JobWidget({card.job_id!r})",
    )


def last_cards(gallery: Gallery, *, is_embedding: bool) -> list[Card]:
    """Return the cards of a gallery's record, with clips if `is_embedding` and all is over."""
    cards = gallery.cards(MOST_RECORD_CARDS)
    if is_embedding and gallery.is_settled:
        return embedded_within(cards, gallery.states)
    return with_unreachable(cards) if gallery.is_settled else cards
