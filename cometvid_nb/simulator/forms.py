"""Forms: the parts of a multipart body in their order, and what a picture among them is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a form: a field with its text, or a file, of which only the measures are kept.

    A simulator may run for days: it must not keep every picture that it was sent.
    """

    name: str
    text: str = ""
    file_name: str | None = None
    """None: the part is a field."""
    media_type: str = ""
    """As the sender said; "" if it did not."""
    size_bytes: int = 0
    sha256: str = ""
    """Of the content, in hex: to tell which of two files came first."""
    kind: str = ""
    """What the bytes are: "png", "jpeg", "webp"; "" = no picture that is known here."""
    frame: tuple[int, int] | None = None
    """Width and height of a picture in pixels; None: it cannot be told."""

    @property
    def is_file(self) -> bool:
        """Whether the part is a file."""
        return self.file_name is not None


def parse_form(content_type: str, body: bytes) -> tuple[Part, ...]:
    """Return the parts of a multipart form (RFC 7578) in order; () if the body is none."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        return ()
    return tuple(_parts(body, boundary.encode("utf-8", "replace")))


def _parts(body: bytes, boundary: bytes) -> Iterator[Part]:
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if piece.startswith(b"--"):  # the closing boundary
            return
        # The rest of the boundary's line, which may hold spaces, then headers and content.
        head, gap, content = piece.partition(b"\r\n\r\n")
        if not gap:
            continue
        headers = Message()
        for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            headers[key.strip()] = value.strip()
        name = _parameter(headers, "name") or ""
        file_name = _parameter(headers, "filename")
        media_type = headers.get("Content-Type", "")
        if file_name is None:
            yield Part(name, content.decode("utf-8", "replace"), media_type=media_type)
            continue
        kind, frame = picture(content)
        digest = hashlib.sha256(content).hexdigest()
        yield Part(name, "", file_name, media_type, len(content), digest, kind, frame)


def _parameter(headers: Message, name: str) -> str | None:
    disposition = headers.get("Content-Disposition", "")
    told = re.search(rf';\s*{name}="((?:[^"\\]|\\.)*)"', disposition)
    bare = re.search(rf';\s*{name}=([^\s";]+)', disposition)
    found = told or bare
    # Browsers and httpx escape a quote as %22 (the WHATWG's form), others with a backslash.
    return None if found is None else re.sub(r"\\(.)", r"\1", found[1]).replace("%22", '"')


def picture(content: bytes) -> tuple[str, tuple[int, int] | None]:
    """Return what kind of picture this is, "" for none, and its width and height if told."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = content[16:20], content[20:24]
        return "png", (int.from_bytes(width, "big"), int.from_bytes(height, "big"))
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg", next(_jpeg_frames(content), None)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp", _webp_frame(content)
    return "", None


def _jpeg_frames(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the frame of each start-of-frame segment (ITU-T T.81 §B.2.2)."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = content[at + 5 : at + 7], content[at + 7 : at + 9]
            yield int.from_bytes(width, "big"), int.from_bytes(height, "big")
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")


def _webp_frame(content: bytes) -> tuple[int, int] | None:
    """Return the frame of a WebP (RFC 9649 §2.5-2.7)."""
    if content[12:16] == b"VP8 ":
        width, height = content[26:28], content[28:30]
        return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF
    if content[12:16] == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if content[12:16] == b"VP8X":
        width, height = content[24:27], content[27:30]
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    return None


def last_texts(parts: Iterable[Part]) -> dict[str, str]:
    """Return the fields by name; of a name that comes twice the last counts, as in most servers."""
    return {part.name: part.text for part in parts if not part.is_file}
