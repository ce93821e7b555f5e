"""The files of the simulated clips; `media/make_clips.py` draws them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

MEDIA = Path(__file__).parent / "media"
VARIANTS: dict[str, tuple[str, str]] = {
    "video": ("mp4", "video/mp4"),
    "thumbnail": ("webp", "image/webp"),
    "spritesheet": ("jpg", "image/jpeg"),
}
"""By the `variant` of a content request: file suffix and media type."""


@cache
def read_clip(size: str, suffix: str) -> bytes:
    """Return the file for a clip of `size` ("1280x720"): landscape, portrait or square."""
    width, height = (int(side) for side in size.split("x"))
    shape = "landscape" if width > height else "portrait" if width < height else "square"
    return (MEDIA / f"{shape}.{suffix}").read_bytes()
