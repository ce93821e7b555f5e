"""The files that the simulated jobs end in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

MEDIA = Path(__file__).parent / "media"
VARIANTS: dict[str, tuple[str, str]] = {
    "video": ("mp4", "video/mp4"),
    "thumbnail": ("webp", "image/webp"),
    "spritesheet": ("jpg", "image/jpeg"),
}
"""Variant of the content: file suffix, media type."""


@cache
def read_clip(size: str, suffix: str) -> bytes:
    """The file for a clip of this size; landscape, portrait or square."""
    width, height = (int(side) for side in size.split("x"))
    shape = "landscape" if width > height else "portrait" if width < height else "square"
    return (MEDIA / f"{shape}.{suffix}").read_bytes()
