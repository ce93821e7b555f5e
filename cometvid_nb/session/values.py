"""Values: what a watch, several watches and a job are where the value of a cell is all: in marimo.

Each is a new widget, as marimo ends a widget with the run of the cell that has made it, and as the
visitors of an app have a page each. `marimo export` keeps the last state of a widget and no kernel:
there a widget holds its clip.
"""

from __future__ import annotations

import os
import time
from typing import Any

from ..cards.card import Card
from ..cards.gallery import Gallery
from ..display.embedding import embedded, last_cards
from ..display.frontend import Frontend, detect
from ..display.widget import CardWidget, GridWidget
from ..errors import CometVidError
from ..job.job import Job
from ..notebook import shell
from ..watching.watch import Watch
from ..watching.watch_list import WatchList
from .remembered import remembered_entry, saved_watch_state
from .session import Session, current


def card_of(watch: Watch) -> CardWidget:
    """Return the live card of `watch`, which becomes the player."""
    if not _is_file():
        widget: CardWidget = watch.new_widget()
        return widget
    widget = CardWidget()
    current().stage.bind(widget, watch, is_embedding=True)
    return widget


def gallery_of(watches: WatchList) -> GridWidget:
    """Return the live gallery of `watches`."""
    if _is_file():
        return GridWidget(gallery=_with_clips(Gallery(watch.state for watch in watches)))
    widget = GridWidget()
    current().stage.bind_gallery(widget, watches)
    return widget


def player_of(job: Job) -> CardWidget:
    """Return the card of `job` as it is, with its clip where it has one; nobody is asked now."""
    session = current()
    settings = session.settings
    entry = remembered_entry(session.ledger, settings, job.id)
    state = saved_watch_state(session.ledger, settings, job.id, entry)
    card = Card.of_job(job, is_simulated=settings.is_simulated)
    if state is not None and card.clip is not None:
        card = Card.of_watch(state)
        card = embedded(card, state) if _is_file() else card
    widget = CardWidget()
    widget.show(card)

    def answer(message: dict[str, Any]) -> None:
        if message["kind"] == "fetch_clip" and message.get("job_id") in (None, job.id):
            _send_clip(session, widget, job, message)

    widget.on_request(answer)
    return widget


def _with_clips(gallery: Gallery) -> dict[str, Any]:
    """Return the first page of `gallery` as JSON, with the clips in it as far as they fit."""
    now_s = time.time()
    shown = gallery.to_json(now_s)
    for card in last_cards(gallery, is_embedding=True):
        told = shown["cards"].get(card.job_id)
        if told is not None and card.clip is not None:
            # The picture stands beside the clip, see `Gallery.change`.
            told["clip"] = {**card.to_json(now_s)["clip"], "poster": None}
            told["problem"] = card.problem
    return shown


def _send_clip(session: Session, widget: CardWidget, job: Job, message: dict[str, Any]) -> None:
    request = message.get("request")
    try:
        client = session.client(session.settings)
    except CometVidError as error:
        widget.send({"kind": "clip_failed", "request": request, "problem": str(error)})
        return
    entry = remembered_entry(session.ledger, session.settings, job.id)
    state = saved_watch_state(session.ledger, session.settings, job.id, entry)
    saved = state.saved if state is not None else None
    stage, is_late = session.stage, saved is None
    stage.send_clip(widget, client, job, saved, request, message.get("number"), is_late=is_late)


def _is_file() -> bool:
    return detect(shell(), os.environ) is Frontend.MARIMO_EXPORT
