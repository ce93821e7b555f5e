"""JobsWidget: the list of remembered jobs in a page; it holds one page of rows at a time."""

from __future__ import annotations

from typing import Any

import traitlets

from ..cards.job_list import JobList
from .widget import PLAYER_PARTS, STYLES, CometvidWidget, join

JOBS_PARTS = (
    *PLAYER_PARTS,
    *("jobs_model.js", "jobs_dom.js", "jobs_row.js", "jobs.js"),
)
"""The scripts of a list of jobs, in this order; see `CARD_PARTS`."""


class JobsWidget(CometvidWidget):
    """The list of remembered jobs: searched, sorted and turned by the kernel, drawn by the page.

    `table` is the MIME bundle that stays of it where no widget lives.
    """

    _esm = join(*JOBS_PARTS, render="renderJobs")
    _css = join(*STYLES)
    jobs = traitlets.Dict(help="One page as JSON; see `JobList.to_json`.").tag(sync=True)

    def __init__(self, table: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._table = table

    def show(self, jobs: JobList, now_s: float) -> None:
        """Draw `jobs`, always: whoever asked waits for an answer."""
        self.jobs = jobs.to_json(now_s)

    @property
    def news(self) -> object:
        """Nothing but that there is a table: it stays what it was when its cell ran."""
        return True

    def record_bundle(self, now_s: float) -> dict[str, str]:
        """Return the plain table."""
        return self._table
