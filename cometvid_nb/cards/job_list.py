"""JobList: the view model of the jobs that this machine remembers, a page of them at a time.

Pure, as `card.py` is. The browser (static/jobs.js), the HTML and the text all draw its rows;
`to_json` gives the dict that jobs.js reads, and the two name the same fields.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..clips.format import IMAGES, suffix_of
from ..job.ids import check_job_id, quoted_id
from ..job.plain import plain
from ..job.rating import Rating, RatingFilter
from ..job.status import JobStatus
from ..job.values import ratio_of
from ..ledger.entry import Entry
from ..ledger.statements import Order, state_of
from .clip import Clip

PAGE_ROWS = 20
MOST_COUNTED = 100_000
"""Of jobs that a list may turn its pages through; what lies deeper is found by a search."""
MOST_TOLD = 10_000
"""A larger number is told as "more than 10,000"."""
MOST_SEARCH_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class JobRow:
    """What a list shows of one job. Every string is text, never markup; times are unix seconds.

    None: not known, or not given.
    """

    name: str
    """The name that a person types: the job's id, or the start of our own for it."""
    has_id: bool
    """False: the API has given no id, so there is nothing to watch."""
    state: str
    """As the ledger has it: "completed", "unknown outcome"."""
    began_at_s: float | None
    prompt: str | None = None
    model: str | None = None
    size: str | None = None
    length: str | None = None
    took_s: float | None = None
    problem: str | None = None
    answer: str | None = None
    """A piece of what the API answered, where no id could be read from it."""
    images: tuple[str, ...] = ()
    clip: Clip | None = None
    """Where the clip can be had; without a path, only a kernel can fetch it."""
    aspect_ratio: float = 16 / 9
    watch_command: str | None = None
    rating: Rating | None = None
    """What a person thinks of the clip; None: nothing yet."""
    continued_from: str | None = None
    """The job whose last frame the clip begins with."""

    def __post_init__(self) -> None:
        """Take out what a terminal would obey: whatever is shown is drawn from a row."""
        for name in ("name", "state", "prompt", "model", "size", "length", "problem", "answer"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, plain(text))

    @classmethod
    def of_entry(cls, entry: Entry, path: str | None = None) -> JobRow:
        """The row of an entry; `path`: how a page beside the notebook names its clip, if it can."""
        size = entry.clip_size or entry.size  # the file is right, whatever was asked for
        has_clip = entry.state == JobStatus.COMPLETED and entry.job_id is not None
        return cls(
            name=entry.name,
            has_id=entry.job_id is not None,
            state=entry.state,
            began_at_s=entry.began_at_s if _is_a_date(entry.began_at_s) else None,
            prompt=entry.prompt or None,
            model=entry.model or None,
            size=size.replace("x", "×") if size else None,
            length=f"{entry.seconds} s" if entry.seconds else None,
            took_s=entry.took_s,
            problem=entry.problem or None,
            answer=entry.answer or None,
            images=entry.images,
            clip=_clip(entry.clip, path) if has_clip or entry.clip else None,
            aspect_ratio=min(4.0, max(0.25, ratio_of(size) or 16 / 9)),  # as a card does
            watch_command=_watch_command(entry.job_id),
            rating=entry.rating,
            continued_from=entry.continued_from,
        )


@dataclass(frozen=True, slots=True)
class JobQuery:
    """What a list shows: which jobs, in which order, and which page of them, counted from 1."""

    state: str | None = None
    """As the ledger has it; None: all."""
    search: str = ""
    order: Order = Order.WHEN
    is_ascending: bool = False
    page: int = 1
    rated: RatingFilter = field(default_factory=RatingFilter)
    """Which ratings it shows; a page cannot change that."""

    @classmethod
    def of_page(cls, wish: Mapping[str, object]) -> JobQuery:
        """What a page asks for; what makes no sense becomes the nearest that does."""
        state, search, page = wish.get("state"), wish.get("search"), wish.get("page")
        order = str(wish.get("order"))
        return cls(
            state=state_of(state) if isinstance(state, str) and state.strip() else None,
            search=search[:MOST_SEARCH_CHARACTERS].strip() if isinstance(search, str) else "",
            order=Order(order) if order in tuple(Order) else Order.WHEN,
            is_ascending=wish.get("is_ascending") is True,
            page=min(page, MOST_COUNTED) if isinstance(page, int) and page > 0 else 1,
        )

    def within(self, matching: int) -> JobQuery:
        """The same with a page that there is."""
        return replace(self, page=min(self.page, pages_of(matching)))

    @property
    def offset(self) -> int:
        """How many rows stand before those of the page."""
        return (self.page - 1) * PAGE_ROWS


@dataclass(frozen=True, slots=True)
class JobList:
    """One page of remembered jobs.

    `counts` has the number of jobs in each state that the search finds, `matching` how many of
    them the state lets through, `total` how many are remembered at all,
    with a rating that the list is of; each stops at a bound.
    """

    rows: tuple[JobRow, ...]
    query: JobQuery = field(default_factory=JobQuery)
    matching: int = 0
    total: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None
    """What a person must know of the list: where it was read from, or why it was not."""
    is_simulated: bool = False

    def to_json(self, now_s: float) -> dict[str, Any]:
        """What the browser draws; `now_s` lets it correct a clock that differs from ours."""
        query = asdict(self.query) | {"order": self.query.order.value}
        del query["rated"]  # `note` tells it
        rest = {"rows": [asdict(row) for row in self.rows], "counts": dict(self.counts)}
        told = {"matching": self.matching, "total": self.total, "note": self.note}
        told |= {"pages": pages_of(self.matching), "is_simulated": self.is_simulated}
        return {**query, **rest, **told, "sent_at_s": now_s}


def pages_of(matching: int) -> int:
    """How many pages so many jobs fill, at least one."""
    return max(1, math.ceil(min(matching, MOST_COUNTED) / PAGE_ROWS))


def number_text(count: int) -> str:
    """A number of jobs, such as `1,000` or `more than 10,000`."""
    return f"{count:,}" if count <= MOST_TOLD else f"more than {MOST_TOLD:,}"


def _is_a_date(at_s: float) -> bool:
    # JavaScript's Date and Python's datetime both know the years until 9999.
    return 0 <= at_s < 253_000_000_000


def _clip(clip: str | None, path: str | None) -> Clip:
    place = path or clip
    return Clip(None, path, place, None, is_image=suffix_of(place or "") in IMAGES)


def _watch_command(job_id: str | None) -> str | None:
    """The line to paste, or None: an id from the API may hold anything, a line break too."""
    try:
        return f"%cometvid watch {quoted_id(check_job_id(job_id or ''))}"
    except ValueError:
        return None
