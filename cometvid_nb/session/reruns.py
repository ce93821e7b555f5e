"""Reruns: a cell that runs again shows the jobs that it has made, and creates none.

Guarded is what a cell of a notebook asks for: there a second run is a habit, "Run All". A line
typed in a terminal, a script that is started twice and a click on somebody's own button mean what
they say. A job that failed is made anew, as nothing came of it and its cell was run for a clip; a
request that the API refused has made nothing and is sent again. Where nobody knows what became of
a request, nothing is ever sent but by `--again`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ..api.new_job import NewJob
from ..cards.text import one_line, to_age
from ..errors import LedgerError, OutcomeUnknown
from ..job.ids import quoted_id, shown_id
from ..job.job import Job
from ..job.status import JobStatus
from ..ledger.entry import Entry
from ..ledger.ledger import Ledger
from ..ledger.slots import Repeat, Slot
from ..marimo import is_marimo
from ..notebook import CellRun
from ..watching.watch import Watch

MOST_RUNS = 100
"""The latest runs of cells, of which several may go on at once: asynchronous ones."""
MAKE = "make"
"""The value of the setting `rerun` by which each run of a cell creates."""


class Place(NamedTuple):
    """The slot of a notebook that a request is for."""

    repeat: Repeat
    slot: Slot
    is_again: bool
    """Whether the job that stands there is to be followed by another one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request, and what is known of it before it is sent."""

    new: NewJob
    place: Place | None = None
    """None: no cell of a notebook asks, or the ledger cannot be read."""
    entry: Entry | None = None
    """The request that stands in its place already, unless another one is wanted."""
    where: str = ""
    """Where that was made, in words."""

    @property
    def is_made(self) -> bool:
        """Whether its job is there, and did not fail."""
        return is_shown(self.entry)

    @property
    def is_blocked(self) -> bool:
        """Whether nobody knows, or not yet, whether its job is there."""
        return self.entry is not None and self.entry.job_id is None


@dataclass(frozen=True, slots=True)
class Made:
    """A job for a request, and the request itself."""

    job: Job
    wanted: Wanted
    note: str | None = None
    """When and where it was made; None: just now."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What another take of a shown job needs: its request, and how its cell watches."""

    wanted: Wanted
    options: Mapping[str, Any] = field(default_factory=dict)


class Reruns:
    """What the cells of this kernel have asked for. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, threading.RLock] = {}
        """By digest: held while a request is looked up and sent."""
        self._counts: dict[str, Counter[tuple[str, str]]] = {}
        """By run of a cell: how often it has asked for each server and request."""
        self._held: dict[tuple[Ledger, str, str, str], dict[tuple[str, int], Slot]] = {}
        """By ledger, server, notebook and digest: the slot of each cell's first, second, … one."""
        self._deleted: set[str] = set()
        """The cells that pages have told to be gone."""
        self._codes: dict[str, str] = {}
        """The text of each cell when it ran last."""
        self.offers: WeakKeyDictionary[Watch, Offer] = WeakKeyDictionary()

    @contextmanager
    def one_at_a_time(self, digests: Iterable[str]) -> Iterator[None]:
        """Let no other thread ask for the same meanwhile: it finds the job then that is made here.

        The visitors of a marimo app have a thread each, and may come at once.
        """
        with self._lock:
            turns = [self._turns.setdefault(one, threading.RLock()) for one in sorted({*digests})]
        with ExitStack() as stack:
            for turn in turns:
                stack.enter_context(turn)
            yield

    def look_up(
        self,
        ledger: Ledger,
        base_url: str,
        wanted: Sequence[tuple[NewJob, str]],
        cell: CellRun | None,
        *,
        is_again: bool,
    ) -> list[Wanted]:
        """Return what the ledger has of requests, each given with its digest.

        `cell` None: nothing is looked up, as no cell of a notebook asks.
        """
        if cell is None or ledger.path is None:
            return [Wanted(new) for new, _ in wanted]
        with self._lock:
            self._deleted |= cell.deleted
            self._deleted.discard(cell.lasting_id or "")  # a deletion can be undone
            left = self._left_to(cell)
            return [
                self._look_up(ledger, base_url, new, digest, cell, left, is_again=is_again)
                for new, digest in wanted
            ]

    def _left_to(self, cell: CellRun) -> frozenset[str]:
        """Return the cells whose jobs may be those of `cell` by now: deleted ones, and split ones.

        JupyterLab gives the id of a cell that is split to its last part. A cell that holds a piece
        of what another one held when it ran last is taken for such a part. Where it was a copy
        instead, the other one creates its job anew, so that each of the two has one all the same.
        """
        if not cell.is_told:
            return frozenset()
        self._codes[cell.cell] = cell.code
        piece = cell.code.strip()
        split = {
            other
            for other, code in self._codes.items()
            if other != cell.cell and piece in code and piece != code.strip()
        }
        return frozenset(self._deleted | split)

    def offer(self, watch: Watch, made: Made, options: Mapping[str, Any]) -> None:
        """Tell on the card of a job that was made before, and let its page ask for another one.

        `options` are those by which the cell watches. Nothing happens with a job made just now.
        """
        if made.note is None:
            return
        self.offers[watch] = Offer(made.wanted, options)
        # A page's click cannot wait for the frame that a continuation begins with: `--again` does.
        can_repeat = made.wanted.place is not None and not made.wanted.new.needs_frame
        watch.annotate(made.note, can_repeat=can_repeat)

    def withdraw(self, watch: Watch) -> None:
        """Take off what `offer` has told: it was for the cell that showed the job then.

        Not in marimo, which itself runs the cells that show the same watch in another way.
        """
        if watch.state.note is not None and not is_marimo():
            watch.annotate(None)

    def _look_up(
        self,
        ledger: Ledger,
        base_url: str,
        new: NewJob,
        digest: str,
        cell: CellRun,
        left: frozenset[str],
        *,
        is_again: bool,
    ) -> Wanted:
        take = self._count(cell, base_url, digest)
        held = self._held.setdefault((ledger, base_url, cell.notebook, digest), {})
        key = (cell.cell, take)
        others = frozenset(
            slot
            for (asker, its_take), slot in held.items()
            if (asker, its_take) != key and asker not in left
        )
        own = held.get(key)
        repeat = Repeat(cell.notebook, digest, cell.lasting_id, take, own, others, left)
        try:
            found = ledger.find_repeat(base_url, repeat)
        except LedgerError:
            return Wanted(new)  # `Ledger.trouble` tells
        held[key] = found.slot
        is_here = bool(cell.cell) and found.slot in (repeat.held, repeat.own) and not found.is_moved
        # What is told of a watch stands on each card of it, and in marimo other cells have one too.
        is_here = is_here and not is_marimo()
        return Wanted(
            new,
            Place(repeat, found.slot, is_again),
            None if is_again else found.entry,
            "this cell" if is_here else "this notebook",
        )

    def _count(self, cell: CellRun, base_url: str, digest: str) -> int:
        """Return the how many-th such request of this run of the cell it is."""
        counts = self._counts.setdefault(cell.run, Counter())
        counts[base_url, digest] += 1
        if len(self._counts) > MOST_RUNS:
            del self._counts[next(iter(self._counts))]
        return counts[base_url, digest]

    def forget_ledger(self, ledger: Ledger) -> None:
        """Forget all that stands in a ledger which is not used any more."""
        with self._lock:
            self._held = {key: held for key, held in self._held.items() if key[0] is not ledger}


def is_shown(entry: Entry | None) -> bool:
    """Whether the job of an earlier request is shown in the place of a new one."""
    return entry is not None and entry.job_id is not None and entry.state != JobStatus.FAILED


def made_before(wanted: Wanted, entry: Entry, how: str) -> Made:
    """Return the job of an earlier request; `how` is what a person adds for a new one."""
    ago = to_age(time.time() - entry.began_at_s)
    return Made(entry.to_job(), wanted, f"made {ago} in {wanted.where}; {how} makes a new one")


def failed_before(wanted: Wanted) -> str | None:
    """Return why a new job is made where one is there already, in a line; None: none is there."""
    entry = wanted.entry
    if entry is None or entry.job_id is None or is_shown(entry):
        return None
    ago = to_age(time.time() - entry.began_at_s)
    reason = f": {one_line(entry.problem).rstrip('.')}" if entry.problem else ""
    return (
        f"{shown_id(entry.job_id)}, made {ago} in {wanted.where}, failed{reason}. Making a new one."
    )


def blocked_by(entry: Entry, how: str) -> OutcomeUnknown:
    """Return the error for a request that an earlier one, of unknown outcome, stands in for."""
    ago = to_age(time.time() - entry.began_at_s)
    prompt = repr(one_line(entry.prompt or "", 60))
    if not entry.is_uncertain:
        return OutcomeUnknown(
            f"The request {prompt} is just being sent, since {ago}. Nothing was sent now.",
            advice=f"Run the cell again in a moment to see its job. {how} makes another one.",
        )
    answer = f" The API answered: {one_line(entry.answer)}" if entry.answer else ""
    return OutcomeUnknown(
        f"Nothing was sent: this was asked for {ago}, and whether it made a job is not known: "
        f"{prompt}.{answer}",
        advice=f"Look at your account. If there is no job, {how} sends it anew; so does the cell "
        f"after %cometvid forget {quoted_id(entry.name)}",
    )
