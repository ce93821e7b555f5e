"""Lineage: what came of what, as a tree of values, and as text. Pure, as `card.py` is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ..job.ids import shown_id
from ..job.plain import plain
from ..ledger.entry import Entry
from ..ledger.relations import Reel
from .text import one_line

MOST_PROMPT_CHARACTERS = 120
MOST_NAMED = 5
"""Parts of a reel that are named."""


class Kin(StrEnum):
    """How a clip came to be."""

    CREATED = "created"
    REMIX = "remix"
    CONTINUED = "continued"
    REEL = "reel"
    UNKNOWN = "unknown"
    """This machine remembers no such job of this server."""


@dataclass(frozen=True, slots=True)
class LineageNode:
    """One clip in the tree. Every string is text, never markup."""

    kin: Kin
    name: str
    """The id of its job; of a reel, its file."""
    words: str = ""
    """What is known of it: its state where it has no clip, its model, its rating."""
    prompt: str = ""
    is_asked: bool = False
    """Whether the tree was asked for by its id."""
    children: tuple[LineageNode, ...] = ()
    poster: str | None = None
    """A small picture of the clip, as a data URL."""

    def __post_init__(self) -> None:
        """Take out what a terminal would obey."""
        for name in ("name", "words", "prompt"):
            object.__setattr__(self, name, plain(getattr(self, name)))


def lineage(
    job_id: str,
    entries: Mapping[str, Entry],
    reels: Iterable[Reel] = (),
    posters: Mapping[str, str] = MappingProxyType({}),
) -> tuple[LineageNode, ...]:
    """Return the trees of the jobs in `entries`, the oldest first, each with its reels.

    A parent that is not among them stands as an unknown one. Jobs that name one another in a
    circle, as two servers' ids may come to, stand once.
    """
    return _Tree(job_id, entries, tuple(reels), posters).roots()


class _Tree:
    def __init__(
        self,
        job_id: str,
        entries: Mapping[str, Entry],
        reels: tuple[Reel, ...],
        posters: Mapping[str, str],
    ) -> None:
        self._asked, self._entries, self._reels, self._posters = job_id, entries, reels, posters
        self._children: dict[str, list[str]] = {}
        for one, entry in sorted(entries.items(), key=lambda item: item[1].began_at_s):
            if (parent := _parent_of(entry)) is not None:
                self._children.setdefault(parent, []).append(one)
        self._drawn: set[str] = set()

    def roots(self) -> tuple[LineageNode, ...]:
        oldest = sorted(self._entries, key=lambda one: self._entries[one].began_at_s)
        unknown = [parent for parent in self._children if parent not in self._entries]
        known = [one for one in oldest if _parent_of(self._entries[one]) is None]
        # Then whatever no root leads to: it stands in a circle.
        nodes = [self._node(one) for one in [*unknown, *known] if one not in self._drawn]
        nodes += [self._node(one) for one in oldest if one not in self._drawn]
        return tuple(nodes)

    def _node(self, job_id: str) -> LineageNode:
        # By a list of its own and not by calling itself: a chain may be longer than Python's stack.
        order, stack = list[str](), [job_id]
        while stack:
            one = stack.pop()
            if one in self._drawn:
                continue
            self._drawn.add(one)
            order.append(one)
            stack += self._children.get(one, ())
        made: dict[str, LineageNode] = {}
        for one in reversed(order):
            children = [made.pop(child) for child in self._children.get(one, ()) if child in made]
            made[one] = self._of(one, (*children, *self._reels_of(one, order)))
        return made[job_id]

    def _of(self, job_id: str, children: tuple[LineageNode, ...]) -> LineageNode:
        entry, is_asked = self._entries.get(job_id), job_id == self._asked
        if entry is None:
            words = "not remembered here"
            return LineageNode(Kin.UNKNOWN, job_id, words, is_asked=is_asked, children=children)
        rating = entry.rating.words if entry.rating is not None else ""
        state = "" if entry.state == "completed" else entry.state.replace("_", " ")
        words = " · ".join(filter(None, (state, entry.model, rating)))
        prompt = one_line(entry.prompt or "", MOST_PROMPT_CHARACTERS)
        poster = self._posters.get(job_id)
        return LineageNode(_kin_of(entry), job_id, words, prompt, is_asked, children, poster)

    def _reels_of(self, job_id: str, drawn: Collection[str]) -> list[LineageNode]:
        """Return the reels that stand below a job: those whose first part in the tree it is."""
        nodes = []
        for reel in self._reels:
            first = next((one for one in reel.job_ids if one in self._entries), None)
            if first == job_id and job_id in drawn:
                others = [shown_id(one) for one in reel.job_ids if one != job_id]
                more = " …" if len(others) > MOST_NAMED else ""
                joined = f", with {', '.join(others[:MOST_NAMED])}{more}" if others else ""
                words = f"{len(reel.job_ids)} clips{joined}"
                nodes.append(LineageNode(Kin.REEL, reel.place, words))
        return nodes


def lineage_rows(roots: Iterable[LineageNode]) -> list[tuple[int, LineageNode]]:
    """Return the clips of trees from top to bottom, each with how far it is indented.

    A chain, in which each clip is all that came of the one above, goes straight down.
    """
    rows: list[tuple[int, LineageNode]] = []
    stack = [(0, False, root) for root in reversed([*roots])]
    while stack:
        depth, is_only, node = stack.pop()
        rows.append((depth, node))
        is_chain = len(node.children) == 1
        deeper = depth if is_only and is_chain else depth + 1
        stack += [(deeper, is_chain, child) for child in reversed(node.children)]
    return rows


def lineage_text(roots: Iterable[LineageNode]) -> str:
    """Return trees as text, a line for each clip and one for its prompt."""
    lines: list[str] = []
    for depth, node in lineage_rows(roots):
        indent = "   " * max(0, depth - 1)
        name = one_line(node.name, 200) if node.kin == Kin.REEL else shown_id(node.name)
        words = f"({one_line(node.words)})" if node.words else ""
        mark = "<- asked for" if node.is_asked else ""
        parts = ["+-" if depth else "", KIN_WORDS[node.kin], name, words, mark]
        lines.append(indent + " ".join(filter(None, parts)))
        if node.prompt:
            lines.append(f"{indent}   {node.prompt}")
    return "\n".join(lines)


KIN_WORDS = {
    Kin.CREATED: "",
    Kin.REMIX: "remix",
    Kin.CONTINUED: "continued",
    Kin.REEL: "reel",
    Kin.UNKNOWN: "",
}


def _parent_of(entry: Entry) -> str | None:
    return entry.continued_from or entry.remixed_from


def _kin_of(entry: Entry) -> Kin:
    if entry.continued_from:
        return Kin.CONTINUED
    return Kin.REMIX if entry.remixed_from else Kin.CREATED
