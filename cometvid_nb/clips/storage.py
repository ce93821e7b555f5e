"""Storage: a clip's file to any storage that fsspec knows (extra: cometvid-nb[storage])."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ClipError
from .file import numbered

COMPARED_BYTES = 1 << 20
"""Read at a time of two files that are compared: few requests to a storage, little memory."""


def without_credentials(url: str) -> str:
    """`url` without the user name and password in it: whatever names the place must not open it."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


async def upload(file: Path, folder_url: str, name: str, what: str) -> str:
    """Upload `file` as `folder_url/name`, check that all of it is there, and give its URL.

    A different file of that name is left alone, as on a disk: the clip gets a number. No message
    holds a user name or password of `folder_url`, and neither does the URL that is given. `what`
    is what a message calls the file.

    Raises:
        ClipError: the storage is unknown, its driver is missing, or it refused.
    """
    shown_url = without_credentials(folder_url)
    try:
        import fsspec  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        raise ClipError(
            f"{what} was not saved to {shown_url}: fsspec is missing.",
            advice="Run %pip install 'cometvid-nb[storage]'.",
        ) from None

    def put() -> str:
        for candidate in numbered(name):
            url = f"{folder_url}/{candidate}"
            system, path = fsspec.core.url_to_fs(url)
            system.invalidate_cache()  # what another program has put there meanwhile
            if not system.exists(path):
                # All or nothing: object stores show a file when its last part has come.
                if "file" in system.protocol:
                    # Nowhere else: what looks like a folder may be a bucket with a typo in it.
                    Path(path).parent.mkdir(parents=True, exist_ok=True)
                system.put_file(str(file), path)
                if system.size(path) != file.stat().st_size:
                    raise OSError("only part of it arrived")
                return url
            if _is_same(system, path, file):
                return url
        raise FileExistsError(f"there are already a thousand files with names like {name}")

    try:
        return without_credentials(await asyncio.to_thread(put))
    except ImportError as error:
        raise ClipError(
            f"{what} was not saved to {shown_url}: {error}",
            advice="Install the driver of that storage, such as s3fs for s3://.",
        ) from None
    except Exception as error:
        # Each driver has exceptions of its own; their message is all that can be told. It may name
        # the place as it was given.
        told = str(error).replace(folder_url, shown_url)
        raise ClipError(f"{what} was not saved to {shown_url}: {told}") from error


def put_beside(url: str, content: bytes, may_replace: Callable[[bytes], bool]) -> bool:
    """Put a small file at `url`; return False, and put nothing, where another one is.

    `may_replace(old)` tells of the bytes that are there whether they are ours. Raises whatever a
    driver raises.
    """
    import fsspec

    system, path = fsspec.core.url_to_fs(url)
    system.invalidate_cache()
    if system.exists(path) and not may_replace(system.cat_file(path)):
        return False
    system.pipe_file(path, content)
    return True


async def download(url: str, file: Path, job_id: str) -> None:
    """Download the clip at `url` to `file`.

    Raises:
        ClipError: the storage is unknown, its driver is missing, or it does not give the clip.
    """
    told = f"The clip of {job_id} was not fetched from {url}"
    try:
        import fsspec
    except ImportError:
        advice = "Run %pip install 'cometvid-nb[storage]'."
        raise ClipError(f"{told}: fsspec is missing.", advice=advice) from None

    def get() -> None:
        system, path = fsspec.core.url_to_fs(url)
        system.get_file(path, str(file))

    try:
        await asyncio.to_thread(get)
    except ImportError as error:
        advice = "Install the driver of that storage, such as s3fs for s3://."
        raise ClipError(f"{told}: {error}", advice=advice) from None
    except Exception as error:
        raise ClipError(f"{told}: {error}") from error


def _is_same(system: Any, path: str, file: Path) -> bool:
    if not system.isfile(path) or system.size(path) != file.stat().st_size:
        return False
    with system.open(path, "rb") as theirs, file.open("rb") as ours:
        while piece := ours.read(COMPARED_BYTES):
            if theirs.read(len(piece)) != piece:
                return False
    return True
