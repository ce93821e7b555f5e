"""Scenario and Fault: what a simulated job does, and what goes wrong, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from cometvid_nb.simulator.clips import CLIPS
from cometvid_nb.simulator.dialects import NAMES

HONEST_STEPS = (0, 3, 8, 14, 21, 29, 36, 44, 51, 59, 66, 74, 81, 88, 93, 97)
"""The progress of a job that reports truly, though not evenly."""
# A real gateway's page: HTML where a client expects JSON.
BAD_GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n"
    "</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The script of one job; times are seconds at speed 1, counted from its first retrieval.

    `steps` are the progress values while it runs, in equal parts of `run_s`. With the `ending`
    "never" the last step stays for ever. `status_word` replaces "in_progress". The first
    `unknown_polls` requests get `task_not_exist`. `link_life_s` is in real seconds, as a browser
    counts; None takes the simulator's. A retrieval after the expiry returns a new link.
    """

    job_id: str
    prompt: str | None = "A glowing comet over layered mountains on a deep blue starry night"
    model: str = "sora-2"
    seconds: str = "4"
    size: str = "1280x720"
    """As the family words it: "1280x720", "9:16", "16x9"."""
    queue_s: float = 2.0
    run_s: float = 10.0
    steps: tuple[int, ...] = HONEST_STEPS
    ending: Literal["completed", "failed", "never"] = "completed"
    error_code: str = "generation_failed"
    error_message: str = "The video could not be generated."
    status_word: str | None = None
    unknown_polls: int = 0
    link: Literal["signed", "none", "dead"] = "signed"
    link_life_s: float | None = None
    dialect: str = "plain"
    remixed_from: str | None = None
    clip: str = ""
    """What is odd about the clip, a name of `clips.CLIPS`; "" = a plain clip."""
    clip_size: str = ""
    """The size in which the clip comes out, if it is not `size`."""
    late: str = ""
    """What link and `/content` answer for the first `late_s` after the end: a name of `LATE`."""
    late_s: float = 0.0
    ignores_variant: bool = False
    """Whether `/content` sends the whole clip where a thumbnail was asked for."""

    def __post_init__(self) -> None:
        if self.dialect not in NAMES:
            raise ValueError(f"no dialect {self.dialect!r}; there are {', '.join(NAMES)}")
        if self.clip not in CLIPS:
            raise ValueError(f"no clip {self.clip!r}; there are {', '.join(CLIPS)}")
        if not self.steps:
            raise ValueError("steps must name at least one progress value")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens instead of the true answer, or to it, for the requests that `match`.

    `match` is "METHOD /path": the path without "/v1", `{id}` for any one segment and `*` for
    anything; "*" alone matches every request. The first `after` matching requests pass, the next
    `times` are hit (None: all of them). Faults are tried in the order in which they were given;
    one at most hits a request.

    With a `status` the answer is `body` (a text goes out as HTML, a mapping as JSON, None is the
    API's own error for the status). Without one the true answer goes out.
    """

    match: str = "*"
    times: int | None = 1
    after: int = 0
    status: int | None = None
    body: str | bytes | Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers; "{self}" in a value becomes the URL of the request."""
    delay_s: float = 0.0
    """Real seconds to wait before anything else."""
    drop_connection: bool = False
    """Close the socket without an answer (FIN)."""
    reset_connection: bool = False
    """The same with a reset (RST)."""
    cut_after_bytes: int | None = None
    """Close the connection after so many bytes of the body, although more were announced."""
    changes: Mapping[str, object] = field(default_factory=dict)
    """Fields of the true JSON answer to replace; None drops the field."""
    trickle_s: float = 0.0
    """Send the body byte by byte with this pause, so that no read of the client times out."""
    length_off: int = 0
    """By how much Content-Length exceeds the true length."""
    range: Literal["honoured", "ignored", "shifted", "false"] = "honoured"
    """How a Range request is treated: "shifted" sends, and says so, from half the offset on;
    "false" claims the right range but sends the file's beginning."""
    revoke_link: bool = False
    """Let the link expire while its clip is being sent."""
    is_gzipped: bool = False
    """Compress the body; `headers` must say so."""


def is_match(pattern: str, method: str, path: str) -> bool:
    """Whether a request matches a pattern such as "GET /videos/{id}"; see `Fault.match`."""
    return _compiled(pattern).fullmatch(f"{method} {path.removeprefix('/v1')}") is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\{\w+\}|\*)", pattern)
    meaning = {"*": ".*"}
    return re.compile(
        "".join(
            meaning.get(piece, r"[^/]+" if piece.startswith("{") else re.escape(piece))
            for piece in pieces
        ),
        re.DOTALL,
    )
