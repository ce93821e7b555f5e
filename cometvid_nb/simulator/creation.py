"""Creation: what a form asks for, checked, and the script of the job that comes of it."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping, Sequence

from cometvid_nb.simulator.clips import frame_of
from cometvid_nb.simulator.dialects import FAILING_DIALECTS, NAMES
from cometvid_nb.simulator.families import check, family_of
from cometvid_nb.simulator.forms import Part, last_texts
from cometvid_nb.simulator.ids import ID_SHAPES
from cometvid_nb.simulator.problems import ApiProblem
from cometvid_nb.simulator.script import Scenario

DEFAULT_MODEL = "sora-2"
DIALECT_MODEL, IDS_MODEL = "dialect-", "ids-"
"""What a model's name begins with that chooses the dialect or the ids of its jobs."""
_CHOICES = ((DIALECT_MODEL, NAMES), (IDS_MODEL, tuple(ID_SHAPES)))


def check_parts(parts: Sequence[Part]) -> None:
    """Check that all parts of a form are what the model's family takes.

    Raises:
        ApiProblem: one is not; a model that chooses dialect or ids takes everything.
    """
    model = last_texts(parts).get("model") or DEFAULT_MODEL
    if not model.startswith((DIALECT_MODEL, IDS_MODEL)):
        check(family_of(model), model, parts)


def asked_fields(form: Mapping[str, str]) -> dict[str, str]:
    """Return prompt, model, seconds and size of the job that a form asks for.

    Every size is taken that says a shape, and every number of seconds.

    Raises:
        ApiProblem: the form lacks a prompt, or a field is not what it should be.
    """
    if not form.get("prompt", "").strip():
        raise ApiProblem(400, "invalid_request", "prompt is required")
    model = form.get("model") or DEFAULT_MODEL
    family = family_of(model)
    for prefix, table in _CHOICES:
        if model.startswith(prefix) and model.removeprefix(prefix) not in table:
            raise ApiProblem(400, "invalid_request", f"{model!r}: there is only {', '.join(table)}")
    size = form.get("size") or _size_by_ratio(form) or family.default_size
    seconds = form.get("seconds") or family.default_seconds
    if not re.fullmatch(r"[1-9]\d{0,4}[xX:*][1-9]\d{0,4}|\d{1,4}[pPkK]", size, re.ASCII):
        raise ApiProblem(400, "invalid_request", f"size must be WIDTHxHEIGHT, not {size!r}")
    if not re.fullmatch(r"[1-9]\d{0,2}", seconds, re.ASCII):
        raise ApiProblem(400, "invalid_request", f"seconds must be a number, not {seconds!r}")
    return {"prompt": form["prompt"], "model": model, "seconds": seconds, "size": size}


def _size_by_ratio(form: Mapping[str, str]) -> str:
    """Return the pixels for a ratio and a resolution ("9:16", "1080p"), or "" without a ratio."""
    ratio = form.get("aspect_ratio") or form.get("ratio")
    if not ratio:
        return ""
    wide, high = frame_of(ratio)
    told = re.match(r"\d{3,4}", form.get("resolution", ""), re.ASCII)
    short = int(told[0]) if told else 720
    scale = short / min(wide, high)
    return f"{round(wide * scale)}x{round(high * scale)}"


def draw_scenario(
    seed: str, median_s: float, fields: Mapping[str, str], dialect: str = "", ids: str = "plain"
) -> Scenario:
    """Return the script of a created job; the same `seed` gives the same script.

    `dialect` and `ids` are names of tables; the model's own choice wins, then its family's dialect
    stands in for "".
    """
    rng = random.Random(seed)
    model = fields["model"]
    family = family_of(model)
    if model.startswith(DIALECT_MODEL):
        dialect = model.removeprefix(DIALECT_MODEL)
    if model.startswith(IDS_MODEL):
        ids = model.removeprefix(IDS_MODEL)
    dialect = dialect or family.dialect
    job_id = ID_SHAPES[ids](rng)
    queue_s = rng.uniform(2, 8)
    # Log-normal, as real durations are. The growth with the clip's length follows the durations
    # seen for clips of 4 to 12 s.
    median_s *= (int(fields["seconds"]) / 4) ** 0.8
    run_s = rng.lognormvariate(math.log(median_s), 0.4)
    return Scenario(
        job_id,
        prompt=fields["prompt"],
        model=model,
        seconds=fields["seconds"],
        size=fields["size"],
        remixed_from=fields.get("remixed_from"),
        queue_s=queue_s,
        run_s=run_s,
        dialect=dialect,
        ending="failed" if dialect in FAILING_DIALECTS else "completed",
        clip="sound" if family.has_sound else "",
        clip_size=family.clip_size,
    )
