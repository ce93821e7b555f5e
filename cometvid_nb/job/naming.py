"""Naming: the file name of a clip, made of what is known of its job by a person's template.

What an API or a prompt says is never more than letters in it: no path, no name that a system keeps
for itself, nothing that turns the direction of what follows.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from string import Formatter

from .job import Job

FIELDS = ("date", "time", "model", "prompt", "id", "take", "seed", "size", "seconds")
TAKE = "\ufdd0"
"""Stands in a name for the number of its take, which is known when the file is written: the first
that no other file has. A noncharacter (The Unicode Standard, §23.7), so that no text holds it."""
MOST_TEMPLATE_CHARACTERS = 200
MOST_FIELD_CHARACTERS = 60
"""Of one field, where the template names no other number."""
MOST_NAME_BYTES = 180
"""In UTF-8 and without what may follow: file systems allow 255, some that encrypt only 143
characters, and Windows 260 for a whole path."""
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_CLIP_SUFFIX = re.compile(r"\.(mp4|m4v|mov|webm|gif|webp)$", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variation selectors, which count as marks of a letter and are none."""


def check_template(text: str) -> str:
    """Return a template of file names, stripped and without a clip's suffix; "" is none.

    Raises:
        ValueError: it names an unknown field, or could be no file name; the message says what is
            wrong, and names the fields that there are.
    """
    template = _CLIP_SUFFIX.sub("", text.strip())
    known = ", ".join(f"{{{name}}}" for name in FIELDS)
    if len(template) > MOST_TEMPLATE_CHARACTERS:
        raise ValueError(f"the template of names has more than {MOST_TEMPLATE_CHARACTERS} signs")
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise ValueError(
            f"the template of names {template!r} has a brace without its partner. Fields: {known}"
        ) from None
    for literal, field, spec, conversion in parts:
        if _FORBIDDEN.search(literal):
            raise ValueError(
                f"the template of names {template!r} holds a sign that no file name may have: "
                "a folder is named by save_dir or --save"
            )
        if field is None:
            continue
        if field not in FIELDS or conversion:
            raise ValueError(f"names have no field {{{field}}}. Fields: {known}")
        is_length = re.fullmatch(r"[1-9]\d?|1\d\d", spec or "", re.ASCII) is not None
        if spec and (field == "take" or not is_length):
            raise ValueError(
                f"{{{field}:{spec}}} is no field: behind the colon stands the most characters "
                "that it may have, as in {prompt:40}"
            )
    return template


def clip_stem(template: str, job: Job, id_stem: str, at_s: float) -> str:
    """Return the name of a clip without its suffix; "" if nothing is left of it.

    `id_stem` is the id as a file name, `at_s` (unix seconds) stands for an unknown creation.
    """
    values = _values(job, id_stem, at_s)
    pieces: list[str] = []
    for literal, field, spec, _ in Formatter().parse(template):
        pieces.append(literal)
        if field is not None:
            most = int(spec) if spec else MOST_FIELD_CHARACTERS
            pieces.append(TAKE if field == "take" else _cut(_letters(values[field]), most))
    stem = _tidy(_letters("".join(pieces), more=TAKE))
    while len(stem.encode()) > MOST_NAME_BYTES:
        stem = _cut(stem, len(stem) - 1)
    stem = _tidy(stem)
    return f"clip-{stem}" if _RESERVED.fullmatch(stem.replace(TAKE, "1")) else stem


def _values(job: Job, id_stem: str, at_s: float) -> dict[str, str]:
    moment = _moment(job.created_at_s, at_s)
    return {
        "date": f"{moment:%Y-%m-%d}",
        "time": f"{moment:%H-%M-%S}",
        "model": job.model or "",
        "prompt": job.prompt or "",
        "id": id_stem,
        "seed": job.seed or "",
        "size": job.size or "",
        "seconds": f"{job.duration_s:g}s" if job.duration_s else "",
    }


def _moment(created_at_s: float | None, at_s: float) -> datetime:
    try:
        # In local time: it is a person's memory that this is compared with.
        return datetime.fromtimestamp(created_at_s or at_s).astimezone()
    except (ValueError, OverflowError, OSError):  # a year that no calendar knows
        return datetime.fromtimestamp(at_s).astimezone()


def _letters(text: str, more: str = "") -> str:
    """Return letters with their marks, digits, dots and underscores; all else becomes a dash."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return "".join(
        sign if sign in f"._{more}" or unicodedata.category(sign)[0] in "LMN" else "-"
        for sign in text
    )


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text, its last letter with all its marks or not at all."""
    if len(text) > most:
        while most > 0 and unicodedata.category(text[most])[0] == "M":
            most -= 1
        text = text[:most]
    return text.strip("-._")


def _tidy(stem: str) -> str:
    # A name does not begin with a dot (hidden) or a dash (an option), nor end in a dot (Windows).
    return re.sub(r"-*\.[-.]*(?=\.)|-(?=-)", "", stem).strip("-._")
