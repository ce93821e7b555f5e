"""Recipe: a small file beside a clip that says how it was made, and can be read again.

It never holds a key or a link: a field that looks like one is left out, and only named. The bytes
of the clip itself are never changed, as content credentials would break.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ..api.threads import in_thread
from ..job.job import Job
from ..settings import Settings
from .parts import new_part, remove
from .places import Destination, SavedClip

FORMAT = 1
"""The number of this kind of file; another one may mean other things."""
MADE_BY = "cometvid-nb"
MOST_BYTES = 1_000_000
"""A recipe has a kilobyte; a prompt may have a hundred."""
_SECRET = re.compile(r"key|token|secret|passw|auth|credential|signature", re.IGNORECASE)
"""Names of fields whose values open something."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the clip of a job was asked for."""

    job_id: str
    fields: Mapping[str, str] = field(hash=False)
    """As they were sent, the prompt among them; those that are `left_out` are not."""
    pictures: tuple[tuple[str, str], ...] = ()
    """File name and SHA-256 of each that went along; "" = not known."""
    remix_of: str | None = None
    continued_from: str | None = None
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: Job, asked: Mapping[str, Any]) -> Recipe:
        """Return the recipe of a job; `asked` is its request as the ledger keeps it, or empty."""
        fields = _texts(asked.get("fields")) or _fields_of(job)
        names = [str(name) for name in _list(asked.get("images"))] or list(job.images)
        digests = [str(one) for one in _list(asked.get("digests"))]
        digests += [""] * (len(names) - len(digests))
        secret = [name for name, text in fields.items() if _is_secret(name, text)]
        return cls(
            job.id,
            {name: text for name, text in fields.items() if name not in secret},
            tuple(zip(names, digests, strict=False)),
            job.remixed_from,
            job.continued_from,
            tuple(secret),
        )

    @classmethod
    def read(cls, content: bytes | str) -> Recipe:
        """Return the recipe in a file of ours.

        Raises:
            ValueError: it is none, or one of a later version.
        """
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            raise ValueError("it is no JSON") from None
        if not isinstance(told, dict) or told.get("made_by") != MADE_BY:
            raise ValueError("cometvid-nb did not write it")
        if told.get("recipe") != FORMAT:
            raise ValueError("a later version of cometvid-nb wrote it")
        fields = _texts(told.get("fields"))
        if not fields.get("prompt", "").strip():
            raise ValueError("it names no prompt")
        pictures = [one for one in _list(told.get("pictures")) if isinstance(one, dict)]
        return cls(
            str(told.get("job_id") or ""),
            fields,
            tuple((str(one.get("name")), str(one.get("sha256") or "")) for one in pictures),
            _text(told.get("remix_of")),
            _text(told.get("continued_from")),
            tuple(map(str, _list(told.get("left_out")))),
        )

    def to_json(self) -> dict[str, Any]:
        """Return what its file holds of it."""
        told = {"recipe": FORMAT, "made_by": MADE_BY, "job_id": self.job_id}
        told |= {"prompt": self.fields.get("prompt"), "model": self.fields.get("model")}
        pictures = [{"name": name, "sha256": digest or None} for name, digest in self.pictures]
        told |= {"fields": dict(self.fields), "pictures": pictures, "left_out": list(self.left_out)}
        return told | {"remix_of": self.remix_of, "continued_from": self.continued_from}


async def write_recipes(
    saved: SavedClip, destination: Destination, told: Mapping[str, Any], settings: Settings
) -> str | None:
    """Write what is `told` beside each of the clips in `saved`; return why not, in a sentence.

    The clip is there whatever happens. A file of that name that is no recipe of this job stays.
    """
    problems = [
        await in_thread(lambda one=one: _write(one, destination, told, settings))  # type: ignore[misc]
        for one in saved.every
    ]
    reasons = dict.fromkeys(filter(None, problems))
    return f"The clip is saved; its recipe is not: {'; '.join(reasons)}." if reasons else None


def told_of(
    recipe: Recipe, job: Job, settings: Settings, took_s: float | None, cost: str
) -> dict[str, Any]:
    """Return what a recipe's file tells: the recipe, and what came of it."""
    times = {"created_at": _moment(job.created_at_s), "completed_at": _moment(job.completed_at_s)}
    versions = {MADE_BY: _own_version(), "python": platform.python_version()}
    told = {**recipe.to_json(), "endpoint": settings.origin[1], **times, "took_s": took_s}
    return {**told, "cost": cost or None, "is_simulated": settings.is_simulated} | {
        "versions": versions
    }


def read_recipe_file(path: Path) -> Recipe:
    """Return the recipe in a file, or beside the clip in a file.

    Raises:
        ValueError: there is none; the message says why.
    """
    place = path if path.suffix.lower() == ".json" else path.with_suffix(".json")
    try:
        with place.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{place} cannot be read: {error.strerror or error}") from None
    if len(content) > MOST_BYTES:
        raise ValueError(f"{place} is no recipe: it is too large")
    try:
        return Recipe.read(content)
    except ValueError as error:
        raise ValueError(f"{place} is no recipe: {error}") from None


def _write(
    clip: SavedClip, destination: Destination, told: Mapping[str, Any], settings: Settings
) -> str | None:
    place = clip.file_path
    name = re.split(r"[/\\]", place)[-1] if "://" in place else Path(place).name
    told = {**told, "clip": {"name": name, "bytes": clip.size_bytes, "number": clip.number + 1}}
    text = json.dumps(told, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
    if settings.api_key is not None:
        text = settings.api_key.hidden_in(text)
    job_id, beside = str(told["job_id"]), f"{name.rpartition('.')[0]}.json"
    try:
        if destination.url is None:
            return _put(Path(place).with_suffix(".json"), text, job_id)
        from .storage import put_beside

        is_put = put_beside(f"{destination.url}/{beside}", text, lambda old: _is_of(old, job_id))
        return None if is_put else f"{beside} is another file"
    except Exception as error:  # noqa: BLE001 - of any storage's driver; the clip is safe
        return getattr(error, "strerror", None) or type(error).__name__


def _put(place: Path, text: bytes, job_id: str) -> str | None:
    """Put a recipe in its place, whole or not at all; return why it is not there."""
    part = new_part(place.parent)
    try:
        part.write_bytes(text)
        with suppress(FileExistsError):
            _link(part, place)
            return None
        if not place.is_file() or not _is_of(_head(place), job_id):
            return f"{place.name} is another file"
        part.replace(place)
        return None
    finally:
        remove(part)


def _link(part: Path, place: Path) -> None:
    try:
        os.link(part, place)  # unlike a rename, it never replaces what is there
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if place.exists():
            raise FileExistsError from None
        part.replace(place)


def _head(place: Path) -> bytes:
    with place.open("rb") as file:
        return file.read(MOST_BYTES)


def _is_of(content: bytes, job_id: str) -> bool:
    """Whether a file is a recipe of this job, which a new one may replace."""
    try:
        return Recipe.read(content).job_id == job_id
    except ValueError:
        return False


def _fields_of(job: Job) -> dict[str, str]:
    """Return what an answer tells of the request of a job that was made elsewhere."""
    seconds = f"{job.duration_s:g}" if job.duration_s else None
    told = {"prompt": job.prompt, "model": job.model, "seconds": seconds, "size": job.size}
    told |= {"seed": job.seed if job.seed not in ("", "-1") else None}
    return {name: text for name, text in told.items() if text}


def _is_secret(name: str, text: str) -> bool:
    # A prompt may speak of keys and of links; it is what the clip shows.
    return name != "prompt" and (_SECRET.search(name) is not None or "://" in text)


def _moment(at_s: float | None) -> str | None:
    try:
        return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}" if at_s else None
    except (ValueError, OverflowError, OSError):  # a year that no calendar knows
        return None


def _own_version() -> str:
    try:
        return metadata.version(MADE_BY)
    except metadata.PackageNotFoundError:  # run from its folder
        return "not installed"


def _texts(told: object) -> dict[str, str]:
    given = told if isinstance(told, Mapping) else {}
    return {str(name): text for name, text in given.items() if isinstance(text, str)}


def _text(told: object) -> str | None:
    return told if isinstance(told, str) and told else None


def _list(told: object) -> Sequence[Any]:
    return told if isinstance(told, list) else []
