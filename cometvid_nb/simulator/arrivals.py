"""Request: a request that came to the simulator, as a test reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


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

    @property
    def has_authorization(self) -> bool:
        """Whether the request carried a key."""
        return "authorization" in self.headers
