"""Families: what each family of models takes, refuses and answers, as the endpoint documents it.

FAMILIES is the one table. A `Simulator(strict=True)` refuses what its rows do not name; a plain one
takes everything that can be read, as an unknown model's server would, and only answers as the
family does. The prices are the simulator's own: in the form of the endpoint's catalogue, with
plausible numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cometvid_nb.simulator.forms import Part
from cometvid_nb.simulator.problems import ApiProblem

_RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_SIZES = ("1280x720", "720x1280", "1920x1080", "1080x1920", "1440x1440")
_WEB_PICTURES = ("png", "jpeg", "webp")


@dataclass(frozen=True, slots=True)
class Family:
    """One family: which models, what they take, how their answers differ from the documented."""

    name: str
    models: tuple[str, ...]
    """Ids, each of which also means the ids that begin with it."""
    provider: str = ""
    seconds: tuple[int, ...] = ()
    """The lengths it takes; () = any."""
    default_seconds: str = "4"
    sizes: tuple[str, ...] = ()
    """What `size` may be; () = the family has no such field."""
    takes_pixels: bool = False
    """Whether `size` may also be any WIDTHxHEIGHT."""
    default_size: str = "1280x720"
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further fields and their values."""
    most_pictures: int = 0
    kinds: tuple[str, ...] = _WEB_PICTURES
    """The pictures it reads, as `forms.Part.kind` names them."""
    is_picture_of_same_size: bool = False
    code: str = "invalid_request"
    """The error's code for a value that it does not take; the status is 400."""
    dialect: str = "plain"
    has_sound: bool = False
    clip_size: str = ""
    """The size in which its clips come out, whatever was asked for; "" = as asked."""
    pricing: Mapping[str, object] | None = None


def _per_second(price: float) -> dict[str, object]:
    return {"currency": "USD / Second", "per_second": price}


_SEEDANCE: dict[str, object] = {"currency": "USD / M Tokens", "input": 0, "output": 5.6}
_UP_TO_720P = ("480p", "720p")
_UP_TO_1080P = (*_UP_TO_720P, "1080p")

FAMILIES: tuple[Family, ...] = (
    Family(
        "Sora",
        ("sora-2",),
        "openai",
        seconds=(4, 8, 12, 16, 20),
        sizes=("1280x720", "720x1280"),
        most_pictures=1,
        is_picture_of_same_size=True,
        pricing=_per_second(0.08),
    ),
    Family(
        "Sora Pro",
        ("sora-2-pro",),
        "openai",
        seconds=(4, 8, 12, 16, 20),
        sizes=("1280x720", "720x1280", "1792x1024", "1024x1792"),
        most_pictures=1,
        is_picture_of_same_size=True,
        pricing=_per_second(0.24),
    ),
    Family(
        "Seedance 2.0",
        ("doubao-seedance-2-0", "doubao-seedance-2-0-fast"),
        "bytedance",
        seconds=tuple(range(4, 16)),
        default_seconds="5",
        sizes=_RATIOS,
        takes_pixels=True,
        default_size="16:9",
        others={"resolution": _UP_TO_720P},
        most_pictures=9,
        code="InvalidParameter",
        dialect="seedance",
        has_sound=True,
        pricing=_SEEDANCE,
    ),
    Family(
        "Seedance 1.5",
        ("doubao-seedance-1-5-pro",),
        "bytedance",
        seconds=tuple(range(4, 13)),
        default_seconds="5",
        sizes=_RATIOS,
        takes_pixels=True,
        default_size="16:9",
        others={"resolution": _UP_TO_1080P},
        code="InvalidParameter",
        dialect="seedance",
        pricing=_SEEDANCE,
    ),
    Family(
        "Seedance 1.0",
        ("doubao-seedance-1-0-pro",),
        "bytedance",
        seconds=tuple(range(2, 11)),
        default_seconds="5",
        sizes=_RATIOS,
        takes_pixels=True,
        default_size="16:9",
        others={"resolution": _UP_TO_1080P},
        code="InvalidParameter",
        dialect="seedance",
        pricing=_SEEDANCE,
    ),
    Family(
        "Veo",
        ("veo3.1", "veo3-fast", "veo3"),
        "google",
        seconds=(8,),
        default_seconds="8",
        sizes=("16x9", "9x16"),
        default_size="16x9",
        most_pictures=2,
        dialect="veo",
        has_sound=True,
        pricing={"currency": "USD / Request", "per_request": 0.4},
    ),
    Family(
        "Wan 2.6",
        ("wan2.6",),
        "alibaba",
        seconds=(5, 10, 15),
        default_seconds="5",
        sizes=(*_SIZES, "1088x832", "832x1088", "1632x1248", "1248x1632"),
        pricing=_per_second(0.12),
    ),
    Family(
        "Wan 2.7",
        ("wan2.7",),
        "alibaba",
        seconds=tuple(range(2, 16)),
        default_seconds="5",
        sizes=_SIZES,
        pricing=_per_second(0.1),
    ),
    Family(
        "HappyHorse",
        ("happyhorse-1.0",),
        "alibaba",
        seconds=tuple(range(3, 16)),
        default_seconds="5",
        sizes=_SIZES,
        pricing=None,
    ),
    Family(
        "Vidu",
        ("viduq3", "viduq3-turbo"),
        "vidu",
        seconds=tuple(range(1, 17)),
        default_seconds="5",
        sizes=("640x352", "960x528", "1280x720", "1920x1080"),
        pricing={"currency": "USD / Second", "per_second": None},
    ),
    Family(
        "Omni",
        ("omni-fast",),
        "cometapi",
        seconds=(4,),
        others={"aspect_ratio": ("16:9", "9:16", "1:1"), "resolution": ("720p", "1080p")},
        clip_size="1280x720",
        pricing={"currency": "USD / Request", "per_request": 0.05},
    ),
)
"""All families of which the endpoint's documentation says what they take."""

UNKNOWN = Family("unknown", ())
"""What is known of any other model: nothing."""


def family_of(model: str) -> Family:
    """Return the family of a model's id, or UNKNOWN."""
    known = [(name, family) for family in FAMILIES for name in family.models]
    fitting = [(name, family) for name, family in known if model.startswith(name)]
    return max(fitting, key=lambda pair: len(pair[0]))[1] if fitting else UNKNOWN


def check(family: Family, model: str, parts: Sequence[Part]) -> None:
    """Check every part of a form against what the family takes.

    Raises:
        ApiProblem: 400, for the first part that it does not take.
    """
    if family is UNKNOWN:
        raise ApiProblem(400, "model_not_found", f"there is no model {model!r}")
    for part in parts:
        if not part.is_file:
            _check_field(family, part)
    pictures = [part for part in parts if part.is_file]
    for part in pictures:
        if part.name != "input_reference":
            raise _refusal(family, part.name, "this model takes no such file")
        if part.kind not in family.kinds and family.most_pictures:
            raise _refusal(family, part.name, f"a picture must be {', '.join(family.kinds)}")
    if len(pictures) > family.most_pictures:
        most = family.most_pictures or "no"
        raise _refusal(family, "input_reference", f"this model takes at most {most} picture(s)")
    if family.is_picture_of_same_size and pictures:
        asked = next((part.text for part in parts if part.name == "size"), family.default_size)
        width, height = pictures[0].frame or (0, 0)
        if f"{width}x{height}" != asked:
            told = f"the picture is {width}x{height} and must be {asked} as the clip"
            raise _refusal(family, "input_reference", told)


def _check_field(family: Family, part: Part) -> None:
    name, text = part.name, part.text
    if name in ("model", "prompt"):
        return
    if name == "seconds":
        values = tuple(str(number) for number in family.seconds)
    elif name == "size" and family.sizes:
        pixels = text.split("x")
        if family.takes_pixels and len(pixels) == 2 and all(side.isdigit() for side in pixels):
            return
        values = family.sizes
    elif name in family.others:
        values = family.others[name]
    else:
        raise _refusal(family, name, "this model has no such parameter")
    if text not in values:
        raise _refusal(family, name, f"{text!r} is not one of {', '.join(values)}")


def _refusal(family: Family, name: str, why: str) -> ApiProblem:
    return ApiProblem(400, family.code, f"the parameter {name} is not valid: {why}", name)
