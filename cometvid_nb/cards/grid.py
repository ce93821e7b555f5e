"""Grid: how the tiles of a gallery stand, as CSS that a page and a record share.

JupyterLab's sanitizer lets `grid-template-columns` with `min`, `max` and `calc` through (measured),
so one text lays out both, and a gallery that becomes its record keeps its columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

GAP_PX = 12
WIDE_TILE_PX = 216
TALL_TILE_PX = 176
"""The least width of a tile: of a landscape clip, and of a tall or square one."""
MOST_SCREEN_PX = 480
"""The greatest height of a clip, as on a card."""
USUAL_SHAPES = (16 / 9, 4 / 3, 1.0, 3 / 4, 9 / 16)
MOST_PLACED = 6
"""Up to so many tiles have rows of equal length; more fill the width, whatever it is."""

_WIDE_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}
"""How many columns so many landscape clips take where there is room: four stand 2 × 2."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The shape of a gallery's screens and the columns of its tiles."""

    ratio: float
    """Width / height of every screen, so that no row jumps; a clip of another shape has bars."""
    columns: str
    """The value of `grid-template-columns`."""
    max_width: str
    """The value of `max-width`: few tall clips would fill more than a screen."""


def grid_of(total: int, ratios: Iterable[float]) -> Grid:
    """The grid of a gallery of `total` jobs, of which these shapes are known (width / height)."""
    [(ratio, _)] = Counter(map(_shape, ratios)).most_common(1) or [(16 / 9, 0)]
    least_px = WIDE_TILE_PX if ratio > 1 else TALL_TILE_PX
    if total > MOST_PLACED:
        return Grid(ratio, _repeat(f"{least_px}px"), "100%")
    count = _WIDE_COLUMNS[max(1, total)] if ratio > 1 else max(1, total)
    shares = [f"{least_px}px", _share(count)]
    if count in (4, 6):
        # Where all of them have no room in a row: two equal rows, and never three and one. The
        # product is huge as soon as there is less room than that, and negative where there is more.
        row_px = count * least_px + (count - 1) * GAP_PX
        shares.append(f"min({_share(count // 2)},calc(({row_px}px - 100%) * 999))")
    most_px = count * round(MOST_SCREEN_PX * ratio) + (count - 1) * GAP_PX
    return Grid(ratio, _repeat(f"max({','.join(shares)})"), f"{most_px}px")


def _shape(ratio: float) -> float:
    """A shape that tiles may have: servers round a size to blocks, which makes no other shape."""
    ratio = min(16 / 9, max(9 / 16, ratio))
    return next((usual for usual in USUAL_SHAPES if abs(ratio / usual - 1) < 0.03), ratio)


def _repeat(least: str) -> str:
    return f"repeat(auto-fill,minmax(min(100%,{least}),1fr))"


def _share(count: int) -> str:
    """A little less than the width of one of `count` columns, so that rounding drops none."""
    return f"calc({100 / count:.6g}% - {GAP_PX}px)"
