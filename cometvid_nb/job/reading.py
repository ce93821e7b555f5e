"""Reading: what an answer says of a job, in whatever dialect it says it.

The tables name every field that was seen; a new name belongs there and nowhere else. Which layer
of the answer speaks of the job, and which word counts, follows three rules:

1. A layer is an envelope, and no description of the job, if it says only "success", "error" or a
   number as its status, has no field that only a job has, and does not name the id that was asked
   for. Its word counts only where no other layer has one.
2. A known final word is final in whichever layer it stands, the outermost first. Unknown words
   never are.
3. Values come from the layer whose word counts, then from those inside it, then from those around
   it. The id comes from the outermost layer that is no envelope, as the endpoint does not know the
   ids of a provider behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from . import names
from .ids import check_job_id
from .layers import Fields, fields_of, layers_of
from .links import clip_links
from .reasons import Reason, failure_of, is_own_error, is_success_word, reason_of, stated_error
from .status import LONGEST_WORD, JobStatus
from .values import (
    link_of,
    moment_of,
    pixels_of,
    positive_of,
    ratio_of,
    side_of,
    text_of,
)

T = TypeVar("T")
_BLANKS: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Reading:
    """An answer, taken apart. `job_id` is the id that was asked for, "" if none was."""

    payload: object
    job_id: str = ""
    base_url: str = ""

    @cached_property
    def layers(self) -> list[Fields]:
        """The layers of the answer, the outermost first."""
        return layers_of(self.payload, self.job_id)

    @cached_property
    def _told(self) -> tuple[int, str, bool]:
        """(layer, status word, whether the layer describes a job)."""
        words = [(at, *_word_in(fields, self.job_id)) for at, fields in enumerate(self.layers)]
        said = [(at, word) for at, word, _ in words if word]
        told = [(at, word) for at, word, is_of_job in words if word and is_of_job]
        final = [(at, word) for at, word in told if JobStatus.parse(word).is_final]
        known = [(at, w) for at, w in told if JobStatus.parse(w) != JobStatus.UNKNOWN]
        for choice in (final, known, told):
            if choice:
                return (*choice[0], True)
        named = [at for at, fields in enumerate(self.layers) if _ids_in(fields)]
        at, word = said[-1] if said else (named[0] if named else 0, "")
        return (named[0] if named else at), word, False

    @cached_property
    def status_word(self) -> str:
        """The status as the answer spells it, or ""."""
        _, word, is_told = self._told
        # `{"status": "success", "data": {…}}` alone says that the request went well. A clip inside
        # means more.
        is_of_request = not is_told and len(self.layers) > 1
        return "" if is_of_request and not self.links else word

    @property
    def status(self) -> JobStatus:
        """What the status word means."""
        return JobStatus.parse(self.status_word)

    @property
    def is_told(self) -> bool:
        """Whether the status is said of a job, and not of the request by an envelope."""
        return self._told[2]

    @cached_property
    def ordered(self) -> list[Fields]:
        """The layers, the one that speaks of the job first, then those inside it."""
        at = self._told[0]
        return self.layers[at:] + self.layers[:at]

    @cached_property
    def id(self) -> str | None:
        """The id that the answer gives the job; None: it names none."""
        # The outermost one, but for an envelope's, which counts requests.
        last = len(self.layers) - 1
        ordered = sorted(
            enumerate(self.layers),
            key=lambda pair: pair[0] < last and not _word_in(pair[1], self.job_id)[1],
        )
        candidates = [text for _, fields in ordered for text in _ids_in(fields)]
        candidates += [text for fields in self.layers for text in _weak_ids_in(fields)]
        return next(filter(_is_id, candidates), candidates[0] if candidates else None)

    @property
    def has_own_id(self) -> bool:
        """Whether the id stands under a name that means a job and not, say, a request."""
        return any(_ids_in(fields) for fields in self.layers)

    def looks_like_job(self) -> bool:
        """Whether this describes a job beyond doubt, whatever the HTTP status around it.

        It says a known word of a job, and names the id that was asked for, or has an id and two
        further fields that only a job has. `{"status": "error", "message": "invalid api key"}`
        has neither, with or without an id of the request.
        """
        if self.status == JobStatus.UNKNOWN or not self.has_own_id:
            return False
        if self.job_id and any(self.job_id in _ids_in(fields) for fields in self.layers):
            return True
        fields = self.ordered[0]
        others = names.JOB_FIELDS.difference(names.IDS, names.STATES)
        marks = [name for name in others if fields.get(name) not in _BLANKS]
        return len(marks) + (fields.get("object") == "video") >= 2

    @property
    def names_job(self) -> bool:
        """Whether any id of a job stands in the answer, also inside the error it states."""
        errors = [fields_of(e) for f in self.layers if isinstance(e := f.get("error"), Mapping)]
        return any(_ids_in(fields) or _bare_ids_in(fields) for fields in [*self.layers, *errors])

    @cached_property
    def error(self) -> Reason | None:
        """The error that the answer states, or None."""
        return stated_error(self.layers)

    @property
    def is_own_error(self) -> bool:
        """Whether the answer has the shape of the API's own errors."""
        return bool(self.layers) and is_own_error(self.layers[0])

    @property
    def remark(self) -> Reason | None:
        """The words of an answer that names neither a job nor a state: `{"message": …}`."""
        if self.status_word or self.names_job or not self.layers:
            return None
        reason = reason_of(self.payload)
        return reason if reason.message else None

    @cached_property
    def reason(self) -> Reason:
        """Why the job failed, or the error that a job reports which goes on."""
        if self.status == JobStatus.FAILED:
            return failure_of(self.ordered)
        names = ("error",) if self.status == JobStatus.COMPLETED else ("error", "fail_reason")
        told = (reason_of(f[name]) for f in self.ordered[:1] for name in names if name in f)
        return next((reason for reason in told if reason.message), Reason())

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The links to the clips: the main one, then those of further outputs."""
        links = clip_links(self.payload, self.base_url)
        if not links and JobStatus.parse(self._told[1]) == JobStatus.COMPLETED:
            # The legacy dialect puts the link of a completed clip into `fail_reason`.
            link = self.first(("fail_reason",), lambda value: link_of(value, self.base_url))
            links = (link,) if link else ()
        return links

    def first(self, names: Iterable[str], read: Callable[[object], T | None]) -> T | None:
        """Return the first value under `names` that `read` can use, or None."""
        return _first_in(self.ordered, names, read)

    @cached_property
    def shape(self) -> tuple[tuple[int, int] | None, float | None]:
        """((width, height) in pixels, ratio); the ratio only where there are no pixels."""
        holders = self._shape_holders
        pixels = _first_in(holders, names.SIZES, pixels_of)
        if pixels is None:
            for fields in holders:
                width = _one(fields, names.WIDTHS, side_of)
                height = _one(fields, names.HEIGHTS, side_of)
                if width is not None and height is not None:
                    return (width, height), None
        return pixels, None if pixels else _first_in(holders, names.RATIOS, ratio_of)

    @property
    def duration_s(self) -> float | None:
        """The length of the clip in seconds."""
        return _first_in(self._shape_holders, names.DURATIONS, positive_of)

    @property
    def created_at_s(self) -> float | None:
        """When the job was created, in unix seconds."""
        return self.first(names.CREATED, moment_of)

    @cached_property
    def _shape_holders(self) -> list[Fields]:
        holders, level = list(self.ordered), self.ordered
        for _ in range(2):  # `task_result.videos[0]`
            level = [fields_of(value) for fields in level for value in _shapes_in(fields)]
            holders += level
        return holders


def _shapes_in(fields: Fields) -> list[Mapping[Any, Any]]:
    values = [fields[name] for name in names.SHAPE_HOLDERS if name in fields]
    values = [value[0] if isinstance(value, list) and value else value for value in values]
    return [value for value in values if isinstance(value, Mapping)]


def _word_in(fields: Fields, job_id: str) -> tuple[str, bool]:
    """Return (status word, whether the layer describes a job) of one layer."""
    is_job = _has_job_fields(fields) or bool(job_id and job_id in _ids_in(fields))
    given = [(name, _state_text(fields[name])) for name in names.STATES if name in fields]
    words = [(name, word) for name, word in given if word]
    if not words:
        return "", is_job
    # `{"status": "success", "task_status": "processing"}`: the first is the envelope's.
    of_job = [word for name, word in words if name not in ("status", "state")] or [
        word for name, word in words if is_job or not _is_envelope_word(fields[name], word)
    ]
    chosen = of_job or [word for _, word in words]
    final = (word for word in chosen if JobStatus.parse(word).is_final)
    return next(final, chosen[0])[:LONGEST_WORD], bool(of_job)


def _has_job_fields(fields: Fields) -> bool:
    found = names.JOB_FIELDS & fields.keys()
    return any(fields[name] not in _BLANKS for name in found) or fields.get("object") == "video"


def _state_text(value: object) -> str | None:
    if isinstance(value, Mapping):  # {"status": {"state": "failed", …}}
        inner = fields_of(value)
        return _one(inner, ("state", "status", "code", "name", "value", "phase"), text_of)
    return text_of(value)


def _is_envelope_word(value: object, word: str) -> bool:
    is_number = isinstance(value, int | float) or word.isdigit()
    return is_number or word.lower() in names.ENVELOPE_ERRORS or is_success_word(word)


def _ids_in(fields: Fields) -> list[str]:
    """Return the ids that a layer names, texts before numbers: those count rows of a database."""
    found: list[tuple[bool, str]] = []
    for name in names.IDS:
        value = fields.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if (text := text_of(value)) is not None:
            found.append((not isinstance(value, str), text))
    return [text for _, text in sorted(found, key=lambda pair: pair[0])]


def _weak_ids_in(fields: Fields) -> list[str]:
    """Return what may be an id, if nothing better is there: `data` as text, `request_id`."""
    found = _bare_ids_in(fields)
    for name in names.WEAK_IDS:
        text = text_of(fields.get(name))
        if text is not None and (name != "name" or "operations/" in text):
            found.append(text)
    return found


def _bare_ids_in(fields: Fields) -> list[str]:
    values = [fields.get(name) for name in ("data", "result")]
    values = [value[0] if isinstance(value, list) and value else value for value in values]
    return [value.strip() for value in values if isinstance(value, str) and _is_bare_id(value)]


def _is_bare_id(text: str) -> bool:
    """Whether a text alone reads like an id: one word, no link, not "ok"."""
    is_word = len(text.split()) == 1 and 3 <= len(text.strip()) <= 512
    return is_word and "://" not in text and text[:5] != "data:" and not is_success_word(text)


def _is_id(text: str) -> bool:
    try:
        check_job_id(text)
    except ValueError:
        return False
    return True


def _first_in(
    layers: Sequence[Fields], names: Iterable[str], read: Callable[[Any], T | None]
) -> T | None:
    names = tuple(names)
    return next((value for f in layers if (value := _one(f, names, read)) is not None), None)


def _one(fields: Fields, names: Iterable[str], read: Callable[[Any], T | None]) -> T | None:
    values = (read(fields[name]) for name in names if name in fields)
    return next((value for value in values if value is not None), None)
