"""Lettering: words of any script on a picture, in a font that has their signs, or not at all."""

from __future__ import annotations

import importlib.util
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import ImageDraw

FONTS = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "arial.ttf"),
    *("Arial Unicode.ttf", "segoeui.ttf", "Helvetica.ttc", "NotoSansCJK-Regular.ttc"),
    *("msyh.ttc", "YuGothM.ttc", "malgun.ttf", "PingFang.ttc", "AppleSDGothicNeo.ttc"),
    *("Hiragino Sans GB.ttc", "wqy-zenhei.ttc", "wqy-microhei.ttc", "NotoSansArabic-Regular.ttf"),
    *("NotoSansHebrew-Regular.ttf", "NotoSansDevanagari-Regular.ttf", "NotoSansThai-Regular.ttf"),
    *("Nirmala.ttf", "Nirmala.ttc", "LeelawUI.ttf", "DroidSansFallbackFull.ttf"),
)
"""Fonts of Linux, Windows and macOS for what Pillow's own lacks: it has English only."""
MOST_LOST = 0.2
"""The share of signs, such as emoji, that may be left out before a text is no longer that text."""
_SHAPED = (
    "ARABIC",
    "HEBREW",
    "DEVANAGARI",
    "BENGALI",
    "TAMIL",
    "TELUGU",
    "THAI",
    "KHMER",
    "SYRIAC",
)
"""Scripts whose letters change with their neighbours, or run from right to left."""


class Lettering:
    """A text in one size, as far as a font of this machine has its signs.

    `text` is what is left of it; "" where no font has enough of it. `is_whole` tells whether
    nothing is missing.
    """

    def __init__(self, text: str, size: int) -> None:
        line = " ".join(text.split())
        self.size = size
        self._font, missing = _best_font(line, size)
        kept = "".join(sign for sign in line if sign not in missing)
        lost = sum(sign in missing for sign in line) / max(1, len(line))
        self.text = " ".join(kept.split()) if lost <= MOST_LOST else ""
        self.is_whole = not missing
        self.is_from_right = _is_from_right(self.text)
        self.line_height = round(size * 1.4)

    def lines(self, width: int, most: int) -> list[str]:
        """The text in lines of at most `width` pixels; the last of too many ends in “…”."""
        lines: list[str] = []
        line = ""
        for piece in self._pieces(width):
            if not line or self._length((line + piece).rstrip()) <= width:
                line += piece
                continue
            lines.append(line.rstrip())
            line = piece.lstrip()
        lines += [line.rstrip()] if line.strip() else []
        if len(lines) <= most:
            return lines
        last = lines[most - 1]
        while last and self._length(f"{last}…") > width:
            last = last[:-1].rstrip()
        return [*lines[: most - 1], f"{last}…"]

    def draw(self, canvas: ImageDraw.ImageDraw, at: tuple[int, int], line: str, **how: Any) -> None:
        """Draw one line; `at` is its upper left corner, or what `anchor` says."""
        canvas.text(at, line, font=self._font, **how)

    def _length(self, line: str) -> float:
        return float(self._font.getlength(line))

    def _pieces(self, width: int) -> Iterator[str]:
        """Words, each with the space after it; what is too long or has no spaces, sign by sign."""
        for word in self.text.split(" "):
            is_dense = any(unicodedata.east_asian_width(sign) in "WF" for sign in word)
            if is_dense or self._length(word) > width:
                yield from word
                yield " "
            else:
                yield f"{word} "


def _best_font(text: str, size: int) -> tuple[Any, set[str]]:
    """The font that lacks the fewest signs of a text, and those that it lacks."""
    from PIL import ImageFont

    signs = {sign for sign in text if not sign.isspace()}
    best: Any = ImageFont.load_default(size)
    missing = _missing(best, signs)
    for name in (*FONTS, _of_matplotlib()) if missing else ():
        if name is None:
            continue
        try:
            font: Any = ImageFont.truetype(name, size)
        except OSError:
            continue
        if len(lacking := _missing(font, signs)) < len(missing):
            best, missing = font, lacking
        if not missing:
            break
    return best, missing


def _missing(font: Any, signs: set[str]) -> set[str]:
    """Those signs that a font draws as the box that stands for what it lacks."""
    from PIL import features

    box = _drawn(font, "\uffff")
    can_shape = bool(features.check("raqm"))
    return {
        sign
        for sign in signs
        if _drawn(font, sign) == box
        or (not can_shape and unicodedata.name(sign, "").startswith(_SHAPED))
    }


def _drawn(font: Any, sign: str) -> tuple[Any, bytes]:
    mask = font.getmask(sign)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1)
def _of_matplotlib() -> str | None:
    """DejaVu Sans as matplotlib brings it, for machines that have no fonts at all."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        return None
    return str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


def _is_from_right(text: str) -> bool:
    for sign in text:
        direction = unicodedata.bidirectional(sign)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False
