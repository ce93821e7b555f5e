"""Scenario and Fault: what a simulated job does, and what goes wrong, as data."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from cometvid_nb.simulator.dialects import DIALECTS, FAILING_DIALECTS

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

    def __post_init__(self) -> None:
        if self.dialect not in DIALECTS:
            raise ValueError(f"no dialect {self.dialect!r}; there are {', '.join(DIALECTS)}")
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


def draw_scenario(seed: str, median_s: float, fields: Mapping[str, str]) -> Scenario:
    """Return the script of a created job; the same `seed` gives the same script."""
    rng = random.Random(seed)
    job_id = f"video_{rng.getrandbits(96):024x}"
    queue_s = rng.uniform(2, 8)
    # Log-normal, as real durations are. The growth with the clip's length follows the durations
    # seen for clips of 4 to 12 s.
    median_s *= (int(fields["seconds"]) / 4) ** 0.8
    run_s = rng.lognormvariate(math.log(median_s), 0.4)
    return Scenario(
        job_id,
        prompt=fields["prompt"],
        model=fields["model"],
        seconds=fields["seconds"],
        size=fields["size"],
        remixed_from=fields.get("remixed_from"),
        queue_s=queue_s,
        run_s=run_s,
    )


# Text that may break a page, a template, a terminal or a log: markup, template syntax, escape
# sequences, control characters, direction overrides.
_MARKUP = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    "\"><svg/onload=window.hacked=1> '{{7*7}}' ${alert(1)} %s \\n `rm` &lt;b&gt; </script><!-- "
    "\u202egnp.exe\u202c \u2066\u200b\x00\x07\x1b[31mred\x1b[0m\x85\u2028\ufffe "
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("video_demo", queue_s=4, run_s=36),
    Scenario(
        "video_portrait",
        prompt="Aurora curtains over a calm northern sea, a lighthouse blinking on its rock",
        size="720x1280",
        queue_s=3,
        run_s=24,
    ),
    Scenario(
        "video_square",
        prompt="A great moon rising behind violet dunes while a small comet passes",
        model="wan2.6",
        size="960x960",
        queue_s=3,
        run_s=20,
    ),
    Scenario(
        "video_fails",
        prompt="A famous actor wearing a well-known superhero costume",
        steps=(0, 10, 20, 30),
        ending="failed",
        error_code="moderation_blocked",
        error_message="Your request was blocked by our moderation system.",
    ),
    Scenario("video_stuck", queue_s=1, run_s=6, steps=(0, 10, 20, 30), ending="never"),
    Scenario("video_paused", queue_s=1, ending="never", status_word="paused_by_moderation"),
    Scenario("video_early", unknown_polls=2),
    Scenario("video_no_link", link="none"),
    Scenario("video_expiring", link_life_s=2),
    Scenario("video_dead_link", link="dead"),
    Scenario("video_plateau", steps=(10, 10, 20, 20, 20, 30, 30, 30, 30, 30)),
    Scenario("video_jump", steps=(0, 0, 0, 90)),
    Scenario("video_zero", steps=(0,)),
    Scenario("video_markup", prompt=_MARKUP * 12, model=_MARKUP),
    Scenario(
        "video_markup_fails",
        prompt=_MARKUP * 12,
        model=_MARKUP,
        ending="failed",
        error_message=_MARKUP * 12,
    ),
    *(
        Scenario(
            f"video_dialect_{name}",
            queue_s=1,
            run_s=6,
            dialect=name,
            ending="failed" if name in FAILING_DIALECTS else "completed",
        )
        for name in DIALECTS
        if name != "plain"
    ),
)
"""The jobs that exist from the start."""
