"""Tells about this machine: its own addresses, its user's folders, its disk, its terminal."""

from __future__ import annotations

import codecs
import errno
import ipaddress
import os
import re
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal, TextIO

from .job.plain import plain

_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EROFS}
"""What `fsync` says of a file that its file system cannot sync (fsync(2): EINVAL, EROFS)."""
_PLAINER = {
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("–—−·", "-"),
    "…": "...",
    "•": "*",
    "█": "#",
    "×": "x",
    "→": "->",
    "\xa0": " ",
    "✓": "+",
    "✕": "x",
    "◷": "~",
    "★": "*",
    "☆": ".",
}
"""What stands for the signs of our own texts where a terminal has none of them."""


def is_this_machine(host: str) -> bool:
    """Whether `host` is this machine itself, so that nothing sent there crosses a network.

    It is asked for TLS and for proxies alike: a proxy would get in the clear, key and all, what
    needs no TLS for not leaving the machine. Every spelling that the resolver takes counts:
    `127.1`, `::ffff:127.0.0.1`, a dot at the end.
    """
    host = host.lower().strip("[]").removesuffix(".")
    # RFC 6761 §6.3 keeps these names for the machine itself.
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if re.fullmatch(r"[0-9a-fx.]+", host):
        # The old spellings too, with fewer numbers or in hexadecimal; `ipaddress` has none of them.
        with suppress(OSError):
            return socket.inet_aton(host)[0] == 127
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def user_folder(kind: Literal["data", "cache"]) -> Path | None:
    """Return this user's folder for our files; None: the user has no home directory."""
    import platformdirs

    found = {"data": platformdirs.user_data_path, "cache": platformdirs.user_cache_path}
    try:
        folder = found[kind]("cometvid_nb", appauthor=False)
    except RuntimeError:  # a user id that the system does not know
        return None
    # Older platformdirs leave `~` as it is, and no folder of that name is meant.
    return folder if folder.is_absolute() else None


def free_memory_bytes() -> int:
    """Return how much memory this machine can still give."""
    import psutil

    return int(psutil.virtual_memory().available)


def sync(file_descriptor: int) -> None:
    """Have the system write a file to the disk, where the disk can do that at all.

    Raises:
        OSError: the disk refused what was written.
    """
    try:
        os.fsync(file_descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def writable(text: str, stream: TextIO | None = None) -> str:
    """Return `text` as `stream` (None: stdout) can write it, and as no terminal obeys it.

    Control characters go: even a folder's name may hold some. A plainer sign stands for each that
    the stream has not: a terminal or pipe may know a hundred signs only (cp437, ASCII). What is no
    sign of ours becomes a question mark.
    """
    out = stream if stream is not None else sys.stdout
    encoding = getattr(out, "encoding", None) or "utf-8"
    try:
        known = text.encode(encoding, _HANDLER).decode(encoding)
    except (LookupError, UnicodeError):
        known = text.encode("ascii", _HANDLER).decode("ascii")
    return plain(known)


def say(text: str, stream: TextIO | None = None) -> None:
    """Print `text` to `stream` (None: stdout), whatever signs that can write."""
    print(writable(text, stream), file=stream)


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    left = error.object[error.start : error.end]
    return "".join(_PLAINER.get(sign, "?") for sign in left), error.end


_HANDLER = "cometvid_nb.plainer"
codecs.register_error(_HANDLER, _plainer)
