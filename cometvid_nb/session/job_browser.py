"""JobBrowser: answers the page of a list of jobs: searches, sorts, turns pages, fetches clips."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..cards.job_list import MOST_COUNTED, MOST_TOLD, PAGE_ROWS, JobList, JobQuery
from ..display.jobs_widget import JobsWidget
from ..errors import CometVidError, LedgerError
from ..ledger.ledger import Ledger
from ..ledger.statements import MOST_SEARCHED, Order
from ..notebook import notebook_folder
from ..settings import Settings
from .remembered import remembered_entry, rows_of, saved_watch_state
from .session import Session

MOST_POSTERS_CHARS = 1_500_000
"""All the pictures of one page. A row without one shows the first frame of its clip, if its page
can load that, else nothing."""


def read_jobs(ledger: Ledger, settings: Settings, query: JobQuery, beside: Path) -> JobList:
    """Return one page of the jobs in a ledger.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    base_url, search = settings.base_url, query.search or None
    rated = query.rated
    counts = ledger.tally(base_url, MOST_TOLD + 1, search=search, rated=rated)
    if search is None:
        matching = ledger.count(base_url, MOST_COUNTED + 1, state=query.state, rated=rated)
    else:
        matching = counts.get(query.state, 0) if query.state else sum(counts.values())
    query = query.within(matching)
    entries = ledger.entries(
        base_url,
        limit=PAGE_ROWS,
        offset=query.offset,
        state=query.state,
        search=search,
        order=query.order,
        is_ascending=query.is_ascending,
        rated=rated,
    )
    remembered = ledger.count(base_url, MOST_SEARCHED + 1)
    total = ledger.count(base_url, MOST_SEARCHED + 1, rated=rated) if rated else remembered
    is_partial = remembered > MOST_SEARCHED and (search is not None or query.order != Order.WHEN)
    notes = [f"Only {rated.words}."] if rated else []
    notes += [f"Only the latest {MOST_SEARCHED:,} jobs were looked through."] if is_partial else []
    return JobList(
        tuple(rows_of(entries, beside)),
        query,
        matching,
        total,
        counts,
        " ".join(notes) or None,
        settings.is_simulated,
    )


class JobBrowser:
    """The list of one server's jobs in one output; its settings and ledger stay what they were.

    `table` is the MIME bundle that stays of it in the file.
    """

    def __init__(self, session: Session, query: JobQuery, table: dict[str, str]) -> None:
        self._session = session
        self._settings, self._ledger = session.settings, session.ledger
        self._beside = notebook_folder()
        self._query = query
        self._widget = JobsWidget(table)
        self._read()
        self._widget.on_request(self._answer)

    def show(self) -> None:
        """Show the list in the running cell."""
        self._session.stage.show_jobs(self._widget)

    def _answer(self, message: dict[str, Any]) -> None:
        """Carry out what a page asks for: a dict that may hold anything."""
        kind, job_id = message["kind"], message.get("job_id")
        if kind == "view":
            self._query = replace(JobQuery.of_page(message), rated=self._query.rated)
        if kind in ("view", "hello"):
            self._read()
        elif kind == "posters" and isinstance(message.get("names"), list):
            self._send_posters(message["names"][:PAGE_ROWS])
        elif kind == "fetch_clip" and isinstance(job_id, str):
            self._send_clip(job_id, message.get("request"), message.get("number"))

    def _read(self) -> None:
        try:
            jobs = read_jobs(self._ledger, self._settings, self._query, self._beside)
        except LedgerError as error:
            jobs = JobList((), self._query, note=str(error))
        self._query = jobs.query
        self._widget.show(jobs, time.time())

    def _send_posters(self, names: list[object]) -> None:
        """Send the small pictures of the rows of a page: apart, so that the words come first."""
        left_chars, posters = MOST_POSTERS_CHARS, {}
        for name in names:
            try:
                poster = self._ledger.poster(self._settings.base_url, str(name))
            except LedgerError:
                break
            if poster is not None and len(poster) <= left_chars:
                left_chars -= len(poster)
                posters[str(name)] = poster
        self._widget.send({"kind": "posters", "posters": posters})

    def _send_clip(self, job_id: str, request: object, number: object) -> None:
        entry = remembered_entry(self._ledger, self._settings, job_id)
        if entry is None or entry.job_id is None:
            return
        try:
            client = self._session.client(self._settings)
        except CometVidError as error:
            told = {"kind": "clip_failed", "request": request, "problem": str(error)}
            self._widget.send(told)
            return
        state = saved_watch_state(self._ledger, self._settings, job_id, entry)
        job = (state.job if state is not None else None) or entry.to_job()
        saved = state.saved if state is not None else None
        is_late, stage = saved is None, self._session.stage
        stage.send_clip(self._widget, client, job, saved, request, number, is_late=is_late)
