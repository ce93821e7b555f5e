"""Images: the pictures that go along with a request, read from wherever a person has them.

A picture is sent as a file, also one that is given by its web address: the endpoint documents no
field that takes addresses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, unquote_to_bytes

from ..errors import SettingsError
from .fitting import encoded
from .image_header import frame_of, media_type_of, orientation_of

MOST_IMAGE_BYTES = 20 * 1024 * 1024
"""For one picture, and for all of a request together."""
_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
}

ImageSource: TypeAlias = Any
"""A path, a web address, a data URL, bytes, an open file, a PIL image, an array of height × width
× 3, or an `Image`. It has no narrower type, as neither PIL nor numpy may be needed for it."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes along: its file name, its bytes and their media type.

    `change` tells what was done to it, such as "was 4032x3024, cropped to 1280x720"; "" = nothing.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str
    """ "" = no kind of picture that is known without Pillow."""
    change: str = ""
    given_digest: str = ""
    """The digest of the bytes before the change; "" without one."""

    @property
    def digest(self) -> str:
        """The same for the same bytes that a person gave, whatever the name of the file."""
        return self.given_digest or hashlib.sha256(self.content).hexdigest()

    @property
    def frame(self) -> tuple[int, int] | None:
        """Width and height in pixels as they are stored, or None if they cannot be told."""
        return frame_of(self.content)

    @property
    def upright_frame(self) -> tuple[int, int] | None:
        """The same of the picture as a person sees it."""
        frame = self.frame
        return frame[::-1] if frame and orientation_of(self.content) >= 5 else frame

    def changed(self, content: bytes, change: str) -> Image:
        """Return the picture after a change, under a name that ends as its kind does."""
        media_type = media_type_of(content)
        name = self.name
        if media_type != self.media_type:
            name = f"{Path(name).stem}{_SUFFIXES.get(media_type, '')}"
        return Image(name, content, media_type, change, self.digest)


def read_image(source: ImageSource, name: str = "image") -> Image:
    """Return a picture as it is; `name` is for one that has no name of its own.

    Raises:
        SettingsError: it cannot be read, is no picture, or is too large.
    """
    if isinstance(source, Image):
        return source
    if isinstance(source, str) and source.strip()[:8].lower().startswith(("http://", "https://")):
        from .image_fetch import fetch  # httpx loads with it, and most requests have no picture

        fetched_name, content = fetch(source.strip(), MOST_IMAGE_BYTES)
        return _of_bytes(content, fetched_name or name, f"the picture at {fetched_name or 'there'}")
    if isinstance(source, str) and source.lstrip()[:5].lower() == "data:":
        return _of_bytes(_of_data_url(source.strip()), name, "the data URL")
    if isinstance(source, str | os.PathLike):
        return _of_file(Path(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return _of_bytes(bytes(source), name, "the picture")
    if hasattr(source, "__array_interface__") or hasattr(source, "__array__"):  # PIL's as well
        return _of_bytes(encoded(source, MOST_IMAGE_BYTES), name, "the picture")
    if hasattr(source, "read"):
        content = source.read(MOST_IMAGE_BYTES + 1)
        if isinstance(content, bytes):
            return _of_bytes(content, name, "the open file")
    raise SettingsError(
        f"{type(source).__name__} is not a picture: give a path, a web address, a data URL, bytes, "
        "a PIL image, or an array of height x width x 3"
    )


def image_sources(
    given: ImageSource | Sequence[ImageSource] | None,
    first_frame: ImageSource | None = None,
    last_frame: ImageSource | None = None,
) -> list[ImageSource]:
    """Return all pictures of a request in their order; `given` is one, or a list of them.

    Raises:
        SettingsError: their order is not clear.
    """
    sources = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    if sources and not (first_frame is None and last_frame is None):
        raise SettingsError(
            "some pictures are given as image and some as first or last frame, so their order is "
            "unclear: give all of them as image, or none"
        )
    if last_frame is not None and first_frame is None:
        raise SettingsError("a last frame needs a first frame: only their order tells them apart")
    return sources + [frame for frame in (first_frame, last_frame) if frame is not None]


def read_images(sources: Sequence[ImageSource]) -> tuple[Image, ...]:
    """Return the pictures, read. Raises the errors of `read_image`."""
    if len(sources) == 1:
        return (read_image(sources[0]),)
    return tuple(read_image(source, f"image-{at}") for at, source in enumerate(sources, 1))


def check_sum(images: Sequence[Image]) -> None:
    """Check that all pictures of one request together are not too large.

    Raises:
        SettingsError: they are.
    """
    size_bytes = sum(len(image.content) for image in images)
    if size_bytes > MOST_IMAGE_BYTES:
        raise SettingsError(
            f"the pictures have {size_bytes / 1e6:.1f} MB together: a request may have "
            f"{MOST_IMAGE_BYTES / 1e6:.0f} MB at most"
        )


def _of_file(path: Path) -> Image:
    if str(path)[:1] in ("<", "["):
        # `--image {frame}`, where the variable holds a picture and not the name of one.
        raise SettingsError(
            "this is the text of a variable, not the name of a file: to send the picture itself, "
            "call cometvid_nb.create(prompt, image=...) in Python"
        )
    try:
        path = path.expanduser()
        size_bytes = path.stat().st_size
        if not path.is_file():
            raise SettingsError(f"{path} is not a file: --image takes one picture")
        if size_bytes > MOST_IMAGE_BYTES:
            raise _too_large(str(path), size_bytes)
        content = path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # a null byte; the home of nobody
        reason = getattr(error, "strerror", None) or error
        # In a magic's line IPython leaves `{name}` and `$name` as they are if there is none.
        hint = ". Undefined variable?" if re.search(r"[{}]|^\$", str(path)) else ""
        raise SettingsError(f"{path} cannot be read: {reason}{hint}") from None
    return _of_bytes(content, path.name, str(path))


def _of_bytes(content: bytes, name: str, told: str) -> Image:
    if len(content) > MOST_IMAGE_BYTES:
        raise _too_large(told, len(content))
    media_type = media_type_of(content)
    suffix = "" if Path(name).suffix else _SUFFIXES.get(media_type, "")
    return Image(name + suffix, content, media_type)


def _too_large(told: str, size_bytes: int) -> SettingsError:
    return SettingsError(
        f"{told} has {size_bytes / 1e6:.1f} MB: a reference image may have "
        f"{MOST_IMAGE_BYTES / 1e6:.0f} MB at most"
    )


def _of_data_url(url: str) -> bytes:
    head, comma, data = url.partition(",")
    try:
        if not comma:
            raise ValueError
        if not head.lower().endswith(";base64"):
            return unquote_to_bytes(data)
        return base64.b64decode("".join(unquote(data).split()), validate=True)
    except (ValueError, binascii.Error):
        raise SettingsError("the data URL of the picture is incomplete or not base64") from None
