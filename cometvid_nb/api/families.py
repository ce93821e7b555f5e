"""Families: what each family of models takes, as the endpoint documents it; one table.

The table is advice: it tells how a family spells the shape of a clip, and what it is known to
refuse. A model that is not in it takes everything, and so does a field that is not in it. The
endpoint's catalogue changes monthly; a new model belongs here once its page says what it takes.
Source: the "create" page of each family at apidoc.cometapi.com, read in November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_SORA_SIZES = ("1280x720", "720x1280")
_WAN_SIZES = ("1280x720", "720x1280", "1920x1080", "1080x1920", "1440x1440")
_UP_TO_720P = ("480p", "720p")
_UP_TO_1080P = (*_UP_TO_720P, "1080p")
_WEB_PICTURES = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class Family:
    """What a family takes. None: nothing is known, so that everything goes through; (): none."""

    name: str
    models: tuple[str, ...]
    """Ids; their variants belong to the family as well, see `family_of`."""
    seconds: tuple[int, ...] | None = None
    sizes: tuple[str, ...] | None = None
    """Frames in pixels that the field `size` takes."""
    ratios: tuple[str, ...] | None = None
    ratio_field: str = "aspect_ratio"
    """The field that a ratio goes into."""
    ratio_sign: str = ":"
    """What stands between the two numbers of a ratio."""
    resolutions: tuple[str, ...] | None = None
    """What the field `resolution` takes."""
    most_images: int | None = None
    has_last_frame: bool = True
    """Whether a second picture is the clip's last frame; else it is one more to refer to."""
    is_image_of_size: bool = False
    """Whether a picture must have exactly the clip's size."""
    image_kinds: tuple[str, ...] = (*_WEB_PICTURES, "image/gif")
    """Media types that are sent as they are; others are converted."""


FAMILIES = (
    Family(
        "Sora",
        ("sora-2",),
        seconds=(4, 8, 12, 16, 20),
        sizes=_SORA_SIZES,
        ratios=(),
        resolutions=(),
        most_images=1,
        is_image_of_size=True,
        image_kinds=_WEB_PICTURES,
    ),
    Family(
        "Sora Pro",
        ("sora-2-pro",),
        seconds=(4, 8, 12, 16, 20),
        sizes=(*_SORA_SIZES, "1792x1024", "1024x1792"),
        ratios=(),
        resolutions=(),
        most_images=1,
        is_image_of_size=True,
        image_kinds=_WEB_PICTURES,
    ),
    Family(
        "Seedance 2.0",
        ("doubao-seedance-2-0",),
        seconds=tuple(range(4, 16)),
        ratios=_RATIOS,
        ratio_field="size",
        resolutions=_UP_TO_720P,
        has_last_frame=False,
        image_kinds=_WEB_PICTURES,
    ),
    Family(
        "Seedance 1.5",
        ("doubao-seedance-1-5-pro",),
        seconds=tuple(range(4, 13)),
        ratios=_RATIOS,
        ratio_field="size",
        resolutions=_UP_TO_1080P,
        most_images=0,
    ),
    Family(
        "Seedance 1.0",
        ("doubao-seedance-1-0-pro",),
        seconds=tuple(range(2, 11)),
        ratios=_RATIOS,
        ratio_field="size",
        resolutions=_UP_TO_1080P,
        most_images=0,
    ),
    Family(
        "Veo",
        ("veo3", "veo3-pro", "veo3.1", "veo3.1-pro"),
        seconds=(8,),
        sizes=(),
        ratios=("16:9", "9:16"),
        ratio_field="size",
        ratio_sign="x",
        most_images=2,
        image_kinds=_WEB_PICTURES,
    ),
    Family(
        "Wan 2.6",
        ("wan2.6",),
        seconds=(5, 10, 15),
        sizes=(*_WAN_SIZES, "1088x832", "832x1088", "1632x1248", "1248x1632"),
        ratios=(),
        resolutions=(),
        most_images=0,
    ),
    Family(
        "Wan 2.7",
        ("wan2.7",),
        seconds=tuple(range(2, 16)),
        sizes=_WAN_SIZES,
        ratios=(),
        resolutions=(),
        most_images=0,
    ),
    Family(
        "HappyHorse",
        ("happyhorse-1.0",),
        seconds=tuple(range(3, 16)),
        sizes=_WAN_SIZES,
        ratios=(),
        resolutions=(),
        most_images=0,
    ),
    Family(
        "Vidu",
        ("viduq3", "viduq3-turbo"),
        seconds=tuple(range(1, 17)),
        sizes=("640x352", "960x528", "1280x720", "1920x1080"),
        ratios=(),
        resolutions=(),
        most_images=0,
    ),
    Family(
        "Omni",
        ("omni-fast",),
        # Its page says "start with 4" and names no limit.
        sizes=(),
        ratios=("16:9", "9:16", "1:1"),
        resolutions=("720p", "1080p"),
        most_images=0,
    ),
)

UNKNOWN = Family("", ())
"""What is known of any other model: nothing."""

_FAMILY_OF = {model: family for family in FAMILIES for model in family.models}
_VARIANT = re.compile(r"(?:-(?:fast|preview|latest|4k|\d+))*")
"""What may follow an id without making it another model: a speed, a date, a version.

Not any word: `wan2.6-i2v` takes pictures, and of `sora-3` or `veo3.1-frames` nothing is known."""


def family_of(model: str | None) -> Family:
    """Return the family of a model, or `UNKNOWN`.

    `doubao-seedance-2-0-fast-260128` is a variant, and `openai/sora-2` names a provider first.
    """
    name = (model or "").strip().casefold().rpartition("/")[2]
    known = [
        listed
        for listed in _FAMILY_OF
        if name.startswith(listed) and _VARIANT.fullmatch(name, len(listed))
    ]
    return _FAMILY_OF[max(known, key=len)] if known else UNKNOWN


def summary(model: str | None) -> str:
    """Return in a line what is known of the fields that a model takes; "" if nothing is."""
    family = family_of(model)
    told: list[str] = []
    if family.seconds:
        told.append(f"{spanned(family.seconds)} s")
    told += [f"size {listed(family.sizes)}"] if family.sizes else []
    told += [f"ratio {listed(family.ratios)}"] if family.ratios else []
    told += [f"resolution {listed(family.resolutions)}"] if family.resolutions else []
    if family.most_images is not None:
        most = family.most_images
        told.append(f"{most or 'no'} picture{'s' * (most > 1)}")
    elif family.models:
        told.append("pictures")
    return "; ".join(told)


def listed(words: Iterable[object]) -> str:
    """Return words as a list in a sentence: `4, 8 or 12`."""
    *most, last = map(str, words)
    return f"{', '.join(most)} or {last}" if most else last


def spanned(numbers: Sequence[int]) -> str:
    """Return numbers as a list in a sentence, or as a span if there is no gap: `4 to 15`."""
    is_span = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    return f"{numbers[0]} to {numbers[-1]}" if is_span else listed(numbers)
