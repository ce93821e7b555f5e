"""Listing: `%cometvid jobs`, as a list that a page searches and sorts, and as a plain table."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from dataclasses import replace

from ..cards.job_list import PAGE_ROWS, JobQuery
from ..cards.job_table import MOST_ROWS, TEXT_COLUMNS, WAY_TO_ALL, jobs_to_bundle
from ..display.frontend import Frontend, detect
from ..ledger.ledger import Ledger
from ..ledger.statements import MOST_SEARCHED
from ..machine import say
from ..notebook import notebook_folder, shell
from ..session.remembered import rows_of
from ..session.session import current
from .demo import keeps_jobs
from .grammar import whole
from .tables import show
from .takes import rating_filter

MOST_BESIDE = 500
"""Rows of the table that stands beside a list in a notebook: the list turns its pages by itself,
and the table is what a reader without a kernel has."""


def show_jobs(ledger: Ledger, arguments: Namespace) -> None:
    """Show the jobs of the session's server, in the way of the front end.

    Raises:
        GrammarError: `--limit` is no number.
        LedgerError: the ledger cannot be read.
    """
    session, frontend = current(), detect(shell(), os.environ)
    base_url, search = session.settings.base_url, arguments.search
    most = MOST_BESIDE if frontend.has_widgets else MOST_ROWS
    limit = whole("--limit", arguments.limit or str(PAGE_ROWS), MOST_ROWS)
    limit = most if arguments.all else min(most, limit)
    rated = rating_filter(arguments)
    alike = {"state": arguments.state, "search": search, "rated": rated}
    entries = ledger.entries(base_url, limit=limit, **alike)
    total = len(entries)
    if total == limit:
        total = ledger.count(base_url, MOST_ROWS + 1, **alike)
    remembered = ledger.count(base_url, MOST_SEARCHED + 1)
    rows = rows_of(entries, notebook_folder())
    way = "the same line with --all" if any(alike.values()) else WAY_TO_ALL
    if limit == most:
        way = "pandas.DataFrame(cometvid_nb.jobs())"
    # Not 0 if the filters match nothing but the ledger has jobs: the table then says so.
    all_of_them = total or remembered
    table = jobs_to_bundle(rows, all_of_them, search or "", _columns(frontend), way)
    # A widget would stay in the file, and nobody asks the kernel for its news.
    if frontend.has_widgets and not frontend.is_asking and remembered:
        from ..session.job_browser import JobBrowser

        query = replace(JobQuery.of_page(alike), rated=rated)
        JobBrowser(session, query, table).show()
        return
    show(table)
    if not remembered and not session.settings.is_simulated and keeps_jobs():
        say("Those of the simulation come back with %cometvid demo.")
    if search and remembered > MOST_SEARCHED:
        say(f"Only the latest {MOST_SEARCHED:,} jobs were looked through.")


def _columns(frontend: Frontend) -> int:
    if frontend is Frontend.TERMINAL:
        return shutil.get_terminal_size((TEXT_COLUMNS, 24)).columns
    return TEXT_COLUMNS
