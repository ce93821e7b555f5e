"""Request: a request that came to the simulator, as a test reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cometvid_nb.simulator.forms import Part


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; header names are in lower case, `at_s` is unix seconds."""

    host: Literal["api", "clips"]
    """The API's host, or the host of the clips, which must never get the key."""
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    at_s: float
    parts: tuple[Part, ...] = ()
    """The parts of a multipart form in the order in which they were sent."""

    @property
    def has_authorization(self) -> bool:
        """Whether the request carried a key."""
        return "authorization" in self.headers

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Names and texts of the form's fields, in order; a name may come twice."""
        return tuple((part.name, part.text) for part in self.parts if not part.is_file)

    @property
    def files(self) -> tuple[Part, ...]:
        """The files of the form, in order."""
        return tuple(part for part in self.parts if part.is_file)
