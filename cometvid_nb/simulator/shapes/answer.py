"""What a shape is made from and what it makes: the documented job, and an answer over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

JobJson = dict[str, Any]
"""The job as documented, or as a dialect words it."""
Dialect = Callable[[JobJson], JobJson]
"""From the documented job to the JSON object that is sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP: `json` as the body, unless `text` is given, which goes out as it is.

    "{self}" in a header's value becomes the URL of the request.
    """

    json: Any = None
    text: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


HttpDialect = Callable[[JobJson], Answer]
"""From the documented job to an answer in which more than the JSON differs."""


def without(job: JobJson, *names: str) -> JobJson:
    """Return the job without these fields."""
    return {name: value for name, value in job.items() if name not in names}


def nested(path: tuple[str | int, ...], value: object) -> Any:
    """Return `value` at the end of a path: ("videos", 0, "url") gives {"videos": [{"url": …}]}."""
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return value
