"""Format: what a clip's file is, as far as a player must know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_SIDE = 99_999
"""Pixels, as of what the API says of a size; see `job.values.side_of`."""


@dataclass(frozen=True, slots=True)
class Format:
    """The format of a whole clip. `width` and `height` are pixels as shown; 0 = not known."""

    suffix: str
    """Of its file: `.mp4`, `.mov`, `.webm`, `.mkv`, `.gif`, `.webp` or `.avi`."""
    width: int = 0
    height: int = 0
    codec: str | None = None
    """The name of a codec that most browsers do not play; None: they play this clip."""

    def __post_init__(self) -> None:
        """Take a side that no picture has, of 2⁶⁴ pixels, for one that is not known."""
        if max(self.width, self.height) > LONGEST_SIDE:
            object.__setattr__(self, "width", 0)
            object.__setattr__(self, "height", 0)


SUFFIXES = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".gif", ".webp", ".avi")
"""What the name of a clip's file may end in."""
OTHER_FILES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".svg", ".avif", ".heic", ".pdf"),
    *(".mp3", ".wav", ".aac", ".m4a", ".flac", ".ogg", ".mpg", ".mpeg", ".wmv", ".flv", ".ts"),
    *(".json", ".txt", ".csv", ".html", ".zip"),
)
"""What else ends the name of a file and not, as a rule, that of a folder."""
IMAGES = (".gif", ".webp")
"""Those that a page shows as a picture that moves, not in a player."""


def suffix_of(name: str, known: Sequence[str] = SUFFIXES) -> str:
    """The suffix by which a path or a link tells its format, in lower case; "" = none we know."""
    _, dot, end = name.rpartition("/")[2].rpartition(".")
    suffix = f"{dot}{end.lower()}"
    return suffix if suffix in known else ""


def media_type(suffix: str) -> str:
    """The media type that makes browsers play a clip; they find out by themselves what it is."""
    if suffix in IMAGES:
        return f"image/{suffix[1:]}"
    return "video/webm" if suffix in (".webm", ".mkv") else "video/mp4"
