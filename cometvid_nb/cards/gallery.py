"""Gallery: the view model of many jobs: their totals, one page of their cards, what has changed.

Pure, as `card.py` is. A change of a job costs the same whatever their number: it moves counters
and keeps a reference. Cards are made of the jobs of the page only, and only when it is drawn.
`static/gallery_model.js` reads the dicts; the two name the same fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Any

from ..job.ids import check_job_id, quoted_ids
from ..watching.state import WatchState
from .card import Card, Phase, elapsed_from_s, phase_of
from .grid import Grid, grid_of
from .takes import Takes

PAGE_CARDS = 48
"""A page fits two to six columns without a gap."""
MOST_NAMED = 12
"""So many jobs are named in a line to paste; more would make none that anybody reads."""
MOST_NAMES_CHARS = 480
MOST_CHECKS = 3
"""The last poll and the next two: a small card needs no plan for the hour."""

Json = dict[str, Any]


class Group(StrEnum):
    """What the totals count, and what a reader can ask to see alone."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    OTHER = "other"
    """Stopped, given up on, or broken: the job may still go on at the server."""


class Sort(StrEnum):
    """In which order the cards stand; what is equal stays as it was added."""

    ADDED = "added"
    STATE = "state"
    PROGRESS = "progress"
    LONGEST = "longest"


EVERYTHING = "all"
"""The filter that leaves nothing out."""

_GROUPS = {
    Phase.STARTING: Group.QUEUED,
    Phase.QUEUED: Group.QUEUED,
    Phase.RUNNING: Group.RUNNING,
    Phase.UNKNOWN: Group.RUNNING,
    Phase.COMPLETED: Group.COMPLETED,
    Phase.FAILED: Group.FAILED,
    Phase.STOPPED: Group.OTHER,
    Phase.GAVE_UP: Group.OTHER,
    Phase.BROKEN: Group.OTHER,
}
# What moves comes first, then what a person may have to see to.
_RANKS = {
    group: rank
    for rank, group in enumerate(
        (Group.RUNNING, Group.QUEUED, Group.FAILED, Group.OTHER, Group.COMPLETED)
    )
}


def group_of(state: WatchState) -> Group:
    """The group that a job counts to."""
    return _GROUPS[phase_of(state)]


class Gallery:
    """Many jobs, in the order they were added; of each only the latest state is kept.

    `page`, `filter` and `sort` are those of the last `browse`, the page within those there are.
    """

    def __init__(self, states: Iterable[WatchState]) -> None:
        self.filter = EVERYTHING
        self.sort = Sort.ADDED
        self.page = 1
        self.is_simulated = False
        self._states: dict[str, WatchState] = {}
        self._takes = Takes()
        self._counts: Counter[Group] = Counter()
        self._unsettled = 0
        self._ended: list[str] = []
        self._head: Json | None = None
        self._shown: dict[str, _Shown] = {}
        for state in states:
            self.see(state)

    @property
    def total(self) -> int:
        """How many jobs there are."""
        return len(self._states)

    @property
    def totals(self) -> dict[Group, int]:
        """How many jobs each group has."""
        return {group: self._counts[group] for group in Group}

    @property
    def is_settled(self) -> bool:
        """Whether nothing will change any more: every job is over, every clip saved or given up."""
        return self._unsettled == 0

    @property
    def states(self) -> Iterator[WatchState]:
        """The latest state of each job, in the order they were added."""
        return iter(self._states.values())

    @property
    def running_percent(self) -> float | None:
        """The mean progress of the running jobs that report one; None where none does."""
        percents = [
            state.job.progress_percent
            for state in self.states
            if state.job is not None
            and state.job.progress_percent is not None
            and group_of(state) == Group.RUNNING
        ]
        return sum(percents) / len(percents) if percents else None

    def elapsed_s(self, since_s: float, now_s: float) -> float:
        """For how long the earliest of the jobs that had not ended at `since_s` has run."""
        going = (s for s in self.states if s.ended_at_s is None or s.ended_at_s >= since_s)
        return max(0.0, now_s - min(map(elapsed_from_s, going), default=now_s))

    def see(self, state: WatchState) -> None:
        """Take in the latest state of a job, which may be new here."""
        before = self._states.get(state.job_id)
        if before is not None:
            self._counts[group_of(before)] -= 1
            self._unsettled -= not before.is_settled
        self._states[state.job_id] = state
        known = state.job or state.asked
        self._takes.see(state.job_id, known.prompt if known else None)
        self._counts[group_of(state)] += 1
        self._unsettled += not state.is_settled
        self.is_simulated = self.is_simulated or state.is_simulated
        if state.is_settled and (before is None or not before.is_settled):
            self._ended.append(state.job_id)

    def take_ended(self) -> list[WatchState]:
        """The jobs that have settled since the last call, in the order they did."""
        ended, self._ended = self._ended, []
        return [self._states[job_id] for job_id in ended]

    @property
    def command(self) -> str:
        """The line to paste that shows these jobs again."""
        ids = list(islice(self._states, MOST_NAMED + 1))
        if len(ids) > MOST_NAMED or sum(map(len, ids)) > MOST_NAMES_CHARS:
            return "%cometvid jobs" if self.is_settled else "%cometvid resume"
        try:
            return f"%cometvid watch --gallery {quoted_ids([check_job_id(one) for one in ids])}"
        except ValueError:  # an id from the API may hold anything, a line break too
            return "%cometvid jobs"

    def take_of(self, job_id: str) -> int | None:
        """Which take of its prompt a job is, from 1; None if its prompt is no other job's."""
        return self._takes.number(job_id)

    def grid_of(self, cards: Iterable[Card]) -> Grid:
        """How tiles of these cards stand; a shape that nobody knows yet has no say."""
        known = (card for card in cards if card.facts or not card.phase.is_active)
        return grid_of(self.total, [card.aspect_ratio for card in known])

    def cards(self, most: int) -> list[Card]:
        """The cards of the first jobs, `most` at most, in the order they were added."""
        return [Card.of_watch(state) for state in islice(self._states.values(), most)]

    def browse(self, wish: Mapping[str, object]) -> None:
        """Show what the page asks for; what makes no sense becomes the nearest that does."""
        shown, sort, page = wish.get("filter"), wish.get("sort"), wish.get("page")
        self.filter = str(shown) if shown in tuple(Group) else EVERYTHING
        self.sort = Sort(str(sort)) if sort in tuple(Sort) else Sort.ADDED
        self.page = page if isinstance(page, int) and page > 0 else 1
        self.forget_shown()

    def forget_shown(self) -> None:
        """Let the next `change` hold all that the page shows."""
        self._head, self._shown = None, {}

    def change(self, now_s: float) -> Json | None:
        """What has changed on the page since the last call; None = nothing that can be seen.

        The shape: `{"gallery": …all but the cards…, "cards": {job id: new or changed card}}`.
        """
        head = self._head_json(now_s)
        changed: dict[str, Json] = {}
        shown: dict[str, _Shown] = {}
        for job_id in head["order"]:
            state, take = self._states[job_id], self.take_of(job_id)
            known = self._shown.get(job_id)
            if known is None or known.state is not state or known.take != take:
                card = _small(state)
                if known is not None and (card, take) == (known.card, known.take):
                    known = replace(known, state=state)
                else:
                    known = _Shown(state, card, take, _card_json(card, take, now_s))
                    changed[job_id] = known.json
            shown[job_id] = known
        self._shown = shown
        head["grid"] = asdict(self.grid_of(one.card for one in shown.values()))
        if not changed and head == self._head:
            return None
        self._head = head
        return {"gallery": {**head, "sent_at_s": now_s}, "cards": changed}

    def to_json(self, now_s: float) -> Json:
        """All that the page shows, as the last `change` has left it."""
        if self._head is None:
            self.change(now_s)
        cards = {job_id: one.json for job_id, one in self._shown.items()}
        return {**(self._head or {}), "cards": cards, "sent_at_s": now_s}

    def _head_json(self, now_s: float) -> Json:
        matching = self.total if self.filter == EVERYTHING else self._counts[Group(self.filter)]
        pages = max(1, -(-matching // PAGE_CARDS))
        self.page = min(self.page, pages)
        return {
            "total": self.total,
            "totals": {group.value: count for group, count in self.totals.items()},
            "filter": self.filter,
            "sort": self.sort.value,
            "matching": matching,
            "page": self.page,
            "pages": pages,
            "is_simulated": self.is_simulated,
            "is_settled": self.is_settled,
            "command": self.command,
            "order": self._order(now_s),
        }

    def _order(self, now_s: float) -> list[str]:
        states: Iterable[WatchState] = self._states.values()
        if self.filter != EVERYTHING:
            states = (state for state in states if group_of(state) == self.filter)
        if self.sort != Sort.ADDED:
            states = sorted(states, key=_sort_key(self.sort, now_s))
        first = (self.page - 1) * PAGE_CARDS
        return [state.job_id for state in islice(states, first, first + PAGE_CARDS)]


def _sort_key(sort: Sort, now_s: float) -> Callable[[WatchState], tuple[float, float]]:
    def by_state(state: WatchState) -> tuple[float, float]:
        return _RANKS[group_of(state)], 0.0

    def by_progress(state: WatchState) -> tuple[float, float]:
        # Those that are nearest to their end first, then those that wait, then what is over.
        percent = state.job.progress_percent if state.job else None
        group = group_of(state)
        return _RANKS[group], -(percent or 0.0) if group == Group.RUNNING else 0.0

    def by_length(state: WatchState) -> tuple[float, float]:
        return elapsed_from_s(state) - (state.ended_at_s or now_s), 0.0

    keys = {Sort.STATE: by_state, Sort.PROGRESS: by_progress, Sort.LONGEST: by_length}
    return keys[sort]


def _small(state: WatchState) -> Card:
    card = Card.of_watch(state)
    return replace(card, checks_at_s=card.checks_at_s[:MOST_CHECKS])


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a page was told of a job, and of which state that was made."""

    state: WatchState
    card: Card
    take: int | None
    json: Json


def _card_json(card: Card, take: int | None, now_s: float) -> Json:
    # The poster stands once in a message, where the small card looks for it.
    poster = card.clip.poster if card.clip else None
    if card.clip is not None and poster is not None:
        card = replace(card, clip=replace(card.clip, poster=None))
    return {**card.to_json(now_s), "poster": poster, "take": take}
