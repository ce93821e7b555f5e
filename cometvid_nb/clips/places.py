"""Places of a clip: where it is to be saved, where it lies, and how a page names that."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import SettingsError
from .format import OTHER_FILES, SUFFIXES, suffix_of


@dataclass(frozen=True, slots=True)
class SavedClip:
    """Where the clip of a job lies.

    `file_path` is the file on this machine; `path` what a page beside the notebook can load
    (relative, `/` between the parts), or None where no page can; `saved_to` the place in words.
    """

    file_path: str
    path: str | None
    saved_to: str
    size_bytes: int
    poster: str | None = None
    """A small picture as a data URL."""
    served: str | None = None
    """Its path from the root of the page's server, where that is known."""
    also: tuple[str, ...] = ()
    """Other places it was saved to as well, in words."""
    width: int = 0
    """The clip's own width and height in pixels, whatever was asked for; 0 = not known."""
    height: int = 0
    codec: str | None = None
    """The name of its codec, where most browsers do not play it."""
    number: int = 0
    """Its place among the clips that the job made."""
    others: tuple[SavedClip, ...] = ()
    """The further clips of the job that are saved."""
    incomplete: str | None = None
    """Why not all clips of the job are saved; None: they are."""

    @property
    def size(self) -> str | None:
        """WIDTHxHEIGHT of the clip itself, or None."""
        return f"{self.width}x{self.height}" if self.width and self.height else None

    @property
    def every(self) -> tuple[SavedClip, ...]:
        """All clips of the job that are saved."""
        return (self, *self.others)


@dataclass(frozen=True, slots=True)
class Saving:
    """How far the saving of a clip has come, in bytes; `total_bytes` None = not announced.

    `attempt` counts the tries from 1; `problem` is why the last one ended, None at the first.
    `number` is the clip's place among the `count` that the job made.
    """

    received_bytes: int = 0
    total_bytes: int | None = None
    attempt: int = 1
    problem: str | None = None
    number: int = 1
    count: int = 1


def page_path(file: Path, beside: Path, root: Path | None = None) -> str | None:
    """How a page whose notebook lies in `beside` names `file`; None: no page can load it.

    `root` is the folder whose files the page's server gives out, with all that is below it except
    what is hidden; None: nobody tells, so that only files below `beside` are sure to be.
    """
    try:
        file, beside = file.resolve(), beside.resolve()
        if any(path.is_symlink() for path in (file, *file.parents)):
            return None  # links in a circle, which Python 3.13 leaves as they are
        root = root.resolve() if root is not None else None
    except (OSError, RuntimeError):  # a folder that may not be looked into, or such a circle
        return None
    if file.is_relative_to(beside):
        return file.relative_to(beside).as_posix()
    if root is None or not (file.is_relative_to(root) and beside.is_relative_to(root)):
        return None
    path = Path(os.path.relpath(file, beside))
    return None if any(re.match(r"\.[^.]", part) for part in path.parts) else path.as_posix()


def served_path(path: str | None, beside: Path, root: Path | None) -> str | None:
    """The `path` of a clip (see `page_path`) as seen from the root of the page's server."""
    if path is None or root is None:
        return None
    return page_path(beside / path, root)


def local_file(saved: SavedClip | None) -> Path | None:
    """The file of a saved clip on this machine, as long as it is there, whole, and may be read."""
    if saved is None or "://" in saved.file_path:
        return None
    file = Path(saved.file_path)
    try:
        return file if file.is_file() and file.stat().st_size == saved.size_bytes else None
    except (OSError, ValueError):  # its folder may not be looked into, or no file can be named so
        return None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a clip is to go: a local folder, or a URL of some storage, and a name if one is given.

    `beside` is where the notebook lies, whose page is to play it, and `root` what its server gives
    out (see `page_path`). `url` None: local. `file_name` None: named by the template, or after the
    job.
    """

    folder: Path
    beside: Path
    url: str | None = None
    file_name: str | None = None
    root: Path | None = None
    name_template: str = ""
    """How a clip is named where `file_name` is None; "" = after its job: see `job.naming`."""
    has_recipe: bool = False
    """Whether a recipe is written beside each clip: see `clips.recipe`."""

    @classmethod
    def parse(
        cls,
        text: str | None,
        default: Path,
        beside: Path,
        root: Path | None = None,
        suffixes: Sequence[str] = SUFFIXES,
    ) -> Destination:
        """What a person means by `text`: a URL, a file ending in one of `suffixes`, or a folder.

        None means `default`; a relative path begins at `beside`.

        Raises:
            SettingsError: it lies in the home of a user there is not, or is the name of a file of
                another kind.
        """
        if text is None:
            return cls(default, beside, root=root)
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
            url, _, name = text.rpartition("/")
            is_file = _is_file_name(name, suffixes)
            return cls(
                default, beside, url if is_file else text.rstrip("/"), name if is_file else None
            )
        try:
            path = _plain(beside / Path(text).expanduser())
        except RuntimeError as error:
            raise SettingsError(f"{text!r} cannot be found: {error}") from None
        is_called_folder = text.endswith(("/", os.sep)) or _is_folder(path)
        if not is_called_folder and _is_file_name(path.name, suffixes):
            return cls(path.parent, beside, None, path.name, root)
        return cls(path, beside, root=root)


def _is_file_name(name: str, suffixes: Sequence[str]) -> bool:
    """Whether a name is that of a file, of a kind that can be written; else it is a folder's.

    Raises:
        SettingsError: it is that of a file of another kind: a folder of that name would surprise.
    """
    if suffix_of(name, suffixes):
        return True
    if suffix_of(name, (*SUFFIXES, *OTHER_FILES)):
        *most, last = suffixes or [""]
        ends = f"{', '.join(most)} or {last}" if most else last
        kinds = f"it must end in {ends}, or be" if suffixes else "name"
        raise SettingsError(f"{name!r} cannot be its name: {kinds} a folder")
    return False


def _plain(path: Path) -> Path:
    """`path` without `..`, as a person reads it; through links, so that it means the same."""
    try:
        return path.resolve() if ".." in path.parts else path
    except (OSError, ValueError):
        return path  # whoever writes there will tell


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False  # whoever writes there will tell
