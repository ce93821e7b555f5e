"""NewJob: what a person asks the API to make, checked before it can cost anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SettingsError
from ..job.ids import check_job_id

DEFAULT_MODEL = "sora-2"
"""The endpoint's documented default; any other name is passed on, the list is the API's."""
MOST_IMAGE_BYTES = 20 * 1024 * 1024
MOST_SECONDS = 600
MOST_JOBS = 50

_IMAGE_KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


@dataclass(frozen=True, slots=True)
class Image:
    """A reference image: its file name, its bytes and their media type."""

    name: str
    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """One request: a new clip, or with `remix_of` a variation of a finished one.

    `seconds` and `size` stay texts, as the API takes them; None leaves the choice to the API.
    """

    prompt: str
    model: str | None = None
    seconds: str | None = None
    size: str | None = None
    image: Image | None = None
    remix_of: str | None = None

    @classmethod
    def check(
        cls,
        prompt: str,
        *,
        model: str | None = None,
        seconds: str | float | None = None,
        size: str | None = None,
        image: str | Path | None = None,
        remix_of: str | None = None,
    ) -> NewJob:
        """The request, if it can make sense; what only the API can judge is left to it.

        Raises:
            SettingsError: what makes no sense, and what would. Nothing was sent.
        """
        if not prompt.strip():
            raise SettingsError("the prompt is empty: say what the clip should show")
        if any("\ud800" <= character <= "\udfff" for character in prompt):
            raise SettingsError("the prompt holds half a character, which no request can carry")
        if model is not None and not (model.strip() and model.isprintable()):
            raise SettingsError(f"{model!r} is no name of a model")
        try:
            remixed = check_job_id(remix_of) if remix_of is not None else None
        except ValueError as error:
            raise SettingsError(str(error)) from None
        return cls(
            prompt=prompt.strip(),
            model=None if remixed else (model or DEFAULT_MODEL).strip(),
            seconds=_seconds(seconds),
            size=_size(size),
            image=_image(Path(image)) if image is not None else None,
            remix_of=remixed,
        )

    def to_form(self) -> dict[str, str]:
        """The fields of the request, but for the image."""
        named = {
            "prompt": self.prompt,
            "model": self.model,
            "seconds": self.seconds,
            "size": self.size,
        }
        return {name: value for name, value in named.items() if value is not None}


def _seconds(value: str | float | None) -> str | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number <= MOST_SECONDS:
        raise SettingsError(f"seconds is {value!r}: give a length such as 4, 8 or 12")
    return f"{number:g}"


def _size(value: str | None) -> str | None:
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d{2,5})\s*[xX×*]\s*(\d{2,5})\s*", value)
    if match is None or not all(16 <= int(side) <= 16384 for side in match.groups()):
        raise SettingsError(f"size is {value!r}: give WIDTHxHEIGHT in pixels, such as 1280x720")
    return f"{int(match[1])}x{int(match[2])}"


def _image(path: Path) -> Image:
    try:
        path = path.expanduser()
        size_bytes = path.stat().st_size
        if not path.is_file():
            raise SettingsError(f"{path} is no file: --image takes one picture")
        if size_bytes > MOST_IMAGE_BYTES:
            raise SettingsError(
                f"{path} has {size_bytes / 1e6:.1f} MB: a reference image may have "
                f"{MOST_IMAGE_BYTES / 1e6:.0f} MB at most"
            )
        content = path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # a null byte; the home of nobody
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{path} cannot be read: {reason}") from None
    media_type = next((kind for head, kind in _IMAGE_KINDS.items() if content.startswith(head)), "")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        media_type = "image/webp"
    if not media_type:
        raise SettingsError(f"{path} is no PNG, JPEG, WebP or GIF picture")
    return Image(path.name, content, media_type)
