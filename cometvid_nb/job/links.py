"""Links: where an answer puts the links to a job's clips.

Every API has its own place for them: `video_url`, `output[0]`, `data.task_result.videos[0].url`,
`metadata.url`. So a link is known by the names that lead to it: each must mean a clip, a link or
something that holds them, and none a thumbnail, a cover, a frame or an input. A new name belongs
into one of the three tables below.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlsplit

from .layers import LONGEST_NAME, parsed, snake_case
from .names import (
    ADDRESS_WORDS,
    CLIP_WORDS,
    CONTENT_NAMES,
    HOLDER_WORDS,
    INPUT_WORDS,
    LINK_WORDS,
    OTHER_WORDS,
)
from .values import is_clip_name, is_other_name, link_of

MOST_CLIPS = 50
_MOST_DEPTH, _MOST_VALUES, _MOST_ENTRIES = 7, 1000, 200
"""Bounds of one search: names in each other, values looked at, entries of one list or object."""


class _Link(NamedTuple):
    """A link, how far it lies inside, and how plainly its name means a clip (0 is plainest)."""

    depth: int
    rank: int
    order: int
    url: str
    entry: tuple[int, int] | None
    """Which list it came from, and the number of the entry; None: it stands alone."""


class _Place(NamedTuple):
    """A value that may be or hold links, and the names that led to it in short."""

    value: object
    depth: int
    rank: int
    is_link: bool
    is_top: bool
    entry: tuple[int, int] | None


def clip_links(payload: object, base_url: str = "") -> tuple[str, ...]:
    """Return the links to the clips of an answer: the main one, then those of further outputs.

    The main one lies least deep and has the plainest name. Further outputs are the other entries
    of a list: `output: [a, b]`. Links under different names are taken for one clip.
    """
    found = sorted(_links_in(payload, base_url))
    if not found:
        return ()
    main = found[0]
    outputs = _outputs(found, main)
    if main.entry is None:
        # A list of one names the same clip once more, and a longer one may name it again under
        # another signature.
        same = [url for url in outputs if _without_query(url) == _without_query(main.url)]
        outputs = [url for url in outputs if len(same) != 1 or url != same[0]]
        outputs = outputs if len(outputs) + len(same) > 1 else []
    return tuple(dict.fromkeys([main.url, *outputs]))[:MOST_CLIPS]


def _outputs(found: list[_Link], main: _Link) -> list[str]:
    """Return the best link of each entry of the list that holds the main link, else the first."""
    lists: dict[int, dict[int, str]] = {}
    for link in found:
        if link.entry is not None:
            lists.setdefault(link.entry[0], {}).setdefault(link.entry[1], link.url)
    if not lists:
        return []
    of_main = [number for number, urls in lists.items() if main.url in urls.values()]
    longest = max(lists, key=lambda number: len(lists[number]))
    chosen = lists[main.entry[0] if main.entry else of_main[0] if of_main else longest]
    return [chosen[number] for number in sorted(chosen)]


def _links_in(payload: object, base_url: str) -> Iterator[_Link]:
    """Yield every link under names that mean a clip, breadth first."""
    places = deque([_Place(payload, 0, 3, is_link=False, is_top=True, entry=None)])
    order, lists, left = 0, 0, _MOST_VALUES
    while places and left > 0:
        left -= 1
        place = places.popleft()
        value = parsed(place.value) if not place.is_link or place.rank > 2 else place.value
        if isinstance(value, str):
            if place.is_link and (url := _link(value, place.rank, base_url)):
                order += 1
                yield _Link(place.depth, place.rank, order, url, place.entry)
        elif isinstance(value, list):
            lists += 1
            for number, entry in enumerate(islice(value, _MOST_ENTRIES)):
                # Lists in lists belong to the outermost, whose entries are the outputs.
                where = place.entry or ((lists, number) if not place.is_top else None)
                if place.is_top and not isinstance(entry, Mapping):
                    continue
                places.append(place._replace(value=entry, entry=where))
        elif isinstance(value, Mapping) and place.depth < _MOST_DEPTH:
            if place.entry is not None and _is_other_kind(value):
                continue
            places.extend(_inside(value, place))


def _inside(mapping: Mapping[object, object], place: _Place) -> Iterator[_Place]:
    for name, value in islice(mapping.items(), _MOST_ENTRIES):
        if not isinstance(name, str) or len(name) > LONGEST_NAME:
            continue
        plain = snake_case(name)
        rank, is_link = _rank(plain), _is_link_name(plain)
        if plain in CONTENT_NAMES and isinstance(value, str) and not value.startswith("data:"):
            value, rank, is_link = "data:video/mp4;base64," + value.strip(), 2, True
        if rank is not None:
            yield _Place(value, place.depth + 1, rank, is_link, is_top=False, entry=place.entry)


@lru_cache(maxsize=2048)
def _rank(name: str) -> int | None:
    """Return how plainly a name means a clip, 0 most of all; None: it does not lead to one."""
    words = set(name.split("_"))
    if words & OTHER_WORDS:
        return None
    is_clip, is_address = bool(words & CLIP_WORDS), bool(words & ADDRESS_WORDS)
    if is_clip:
        return 0 if is_address else 1
    if words <= (LINK_WORDS if is_address else HOLDER_WORDS):
        return 2 if is_address else 3
    return None


@lru_cache(maxsize=2048)
def _is_link_name(name: str) -> bool:
    """Whether a text under this name may be a link, not only hold some."""
    words = set(name.split("_"))
    return bool(words & CLIP_WORDS) or words <= LINK_WORDS


def _link(value: str, rank: int, base_url: str) -> str | None:
    # Under `video_url` and `url` a relative link is meant as one; elsewhere it must look like one.
    url = link_of(value, base_url if rank != 3 or is_clip_name(value) else "")
    return None if url is None or (rank > 1 and is_other_name(url)) else url


def _is_other_kind(entry: Mapping[object, object]) -> bool:
    """Whether an entry of a list says of itself that it is no clip: `{"type": "image", …}`."""
    for name in ("type", "kind", "role", "media_type", "mime_type", "mimeType", "content_type"):
        word = entry.get(name)
        if not isinstance(word, str) or len(word) > LONGEST_NAME:
            continue
        words = set(snake_case(word).split("_"))
        if words & INPUT_WORDS or (words & OTHER_WORDS and not words & CLIP_WORDS):
            return True
    return False


def _without_query(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc, parts.path
