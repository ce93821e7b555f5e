"""store: a saved file into any storage that fsspec knows (extra: cometvid-nb[storage])."""

from __future__ import annotations

import asyncio
from pathlib import Path

from .errors import ClipError


async def store(file: Path, url: str, job_id: str) -> None:
    """Upload `file` to `url` and check that all of it is there.

    Raises:
        ClipError: the storage is unknown, its driver is missing, or it refused.
    """
    try:
        import fsspec  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        raise ClipError(
            f"The clip of {job_id} was not saved to {url}: fsspec is missing.",
            advice="pip install 'cometvid-nb[storage]'",
        ) from None

    def upload() -> int:
        # Uploads are all or nothing: object stores show a file when its last part has come.
        system, path = fsspec.core.url_to_fs(url)
        if system.exists(path) and system.size(path) != file.stat().st_size:
            raise FileExistsError("another file of that name is there")
        system.put_file(str(file), path)
        return int(system.size(path) or 0)

    try:
        stored_bytes = await asyncio.to_thread(upload)
    except ImportError as error:
        raise ClipError(
            f"The clip of {job_id} was not saved to {url}: {error}",
            advice="Install the driver of that storage, such as s3fs for s3://.",
        ) from None
    except Exception as error:
        # Each driver has exceptions of its own; what they say is all that can be told.
        raise ClipError(f"The clip of {job_id} was not saved to {url}: {error}") from error
    if stored_bytes != file.stat().st_size:
        raise ClipError(f"Only {stored_bytes} bytes of the clip of {job_id} are at {url}.")
