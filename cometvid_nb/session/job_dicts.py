"""JobDicts: the remembered jobs as plain dicts, which a notebook shows as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..cards.job_list import PAGE_ROWS
from ..cards.job_table import jobs_to_bundle
from ..ledger.entry import Entry
from .remembered import rows_of


class JobDicts(list[dict[str, Any]]):
    """A list of flat dicts, newest first: the value of `cometvid_nb.jobs()`.

    `beside` is the folder of the notebook, whose page can load the clips that lie there.
    """

    def __init__(self, entries: Sequence[Entry], beside: Path) -> None:
        super().__init__(entry.to_row() for entry in entries)
        self._rows = rows_of(entries[:PAGE_ROWS], beside)
        """What is shown, as it was when the list was made."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return the table of the latest jobs."""
        return jobs_to_bundle(self._rows, len(self), way="pandas.DataFrame(cometvid_nb.jobs())")
