"""JobsWidget: the list of remembered jobs in a page; it holds one page of rows at a time."""

from __future__ import annotations

import uuid
from typing import Any

import traitlets

from ..cards.job_list import JobList
from .widget import CometvidWidget, join

JOBS_PARTS = (
    *("words.js", "dom.js", "kernel.js", "player.js"),
    *("jobs_model.js", "jobs_dom.js", "jobs_row.js", "jobs.js"),
)
"""The scripts of a list of jobs, in this order; see `CARD_PARTS`."""


class JobsWidget(CometvidWidget):
    """The list of remembered jobs: searched, sorted and turned by the kernel, drawn by the page."""

    _esm = join(*JOBS_PARTS, render="renderJobs")
    _css = join("card.css", "jobs.css")
    jobs = traitlets.Dict(help="One page as JSON; see `JobList.to_json`.").tag(sync=True)
    record = traitlets.Unicode(help="The class of the record that stands beside.").tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(record=f"cometvid-beside-{uuid.uuid4().hex[:12]}", **kwargs)
        self._shown: JobList | None = None

    def show(self, jobs: JobList, now_s: float) -> None:
        """Draw `jobs`, always: whoever asked waits for an answer."""
        self._shown = jobs
        self.jobs = jobs.to_json(now_s)

    def static_bundle(self, *, is_player: bool = True) -> dict[str, str]:
        """Return a heading for the table beside, which is the record."""
        return {"text/plain": "Jobs that this machine remembers:"}
