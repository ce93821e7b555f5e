"""Making: where a file goes that is made of clips; it is whole there, or not there at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..clips.file import put_in_place
from ..clips.parts import new_part, remove, scratch_folder, sweep
from ..clips.places import page_path
from ..clips.storage import upload
from ..errors import EditError, PlaceUnusable
from .orders import destination_of

if TYPE_CHECKING:
    from .session import Session


@dataclass(slots=True)
class Making:
    """A file in the making: write it to `part`; when the `with` is left, the rest is known."""

    part: Path
    suffix: str
    """That its place asks for, such as `.gif`."""
    file: Path | None = None
    """Where it lies on this machine; None: in another storage, or nowhere yet."""
    path: str | None = None
    """What a page beside the notebook can load, or None."""
    saved_to: str = ""
    size_bytes: int = field(default=0)


@contextmanager
def making(
    session: Session, dest: str | None, name: str, suffixes: Sequence[str]
) -> Iterator[Making]:
    """Make a file called `name`, or what `dest` says: a folder, a file, or a URL of a storage.

    `suffixes` are those that it may have; `name` has none and gets the first. An existing file is
    never replaced: a number is added. However the `with` is left, no half file stays.

    Raises:
        SettingsError: `dest` is a file of another kind.
        PlaceUnusable: nothing can be written there. ClipError: a storage refused.
        EditError: an encoder or a container refused what was to be written.
    """
    from ..editing.extra import check_extra

    check_extra()
    import av

    place = destination_of(session.settings, dest, suffixes=suffixes)
    file_name = place.file_name or f"{name}{suffixes[0]}"
    suffix = Path(file_name).suffix.lower()
    try:
        if place.url is not None:
            with scratch_folder() as scratch:
                made = Making(scratch / file_name, suffix)
                yield made
                made.size_bytes = made.part.stat().st_size
                made.saved_to = session.run(upload(made.part, place.url, file_name, file_name))
            return
        place.folder.mkdir(parents=True, exist_ok=True)
        sweep(place.folder)
        made = Making(new_part(place.folder), suffix)
        try:
            yield made
            made.size_bytes = made.part.stat().st_size
            made.file = put_in_place(made.part, place.folder, file_name)
        finally:
            remove(made.part)
        made.path = page_path(made.file, place.beside)
        made.saved_to = made.path or str(made.file)
    except OSError as error:
        raise PlaceUnusable(
            f"{file_name} was not written to {place.folder}: {error.strerror or error}.",
            advice="Choose another place: --save FOLDER",
        ) from error
    except av.error.FFmpegError as error:
        raise EditError(f"{file_name} could not be made: {error}.") from error
