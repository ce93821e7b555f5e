"""NewJob: what a person asks the API to make, checked before it can cost anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import SettingsError
from ..job.ids import check_job_id
from .families import Family, family_of, listed, spanned
from .fitting import Wish, fitted
from .form_text import (
    extra_texts,
    model_text,
    negative_text,
    prompt_text,
    seconds_text,
    seed_text,
)
from .image_header import frame_of
from .images import MOST_IMAGE_BYTES, Image, ImageSource, check_sum, image_sources, read_images
from .shape import pixels_of, ratio_of, shape_fields, size_like

MOST_JOBS = 50
FITS = ("crop", "pad", "none")
"""Cut off what does not fit; add black bars; leave the file as it is."""
_FORCE = "To send it anyway: --force (in Python: force=True)."


@dataclass(frozen=True, slots=True)
class NewJob:
    """One request: a new clip, or with `remix_of` a variation of a finished one.

    `fields` is the form as it is sent, but for the images, which follow in their order. What is
    not in it is the API's choice. So is the model where none is named: a server of one model needs
    none, and which one was used last is known to a session and not to a request.
    """

    fields: Mapping[str, str] = field(hash=False)
    images: tuple[Image, ...] = ()
    remix_of: str | None = None
    continued_from: str | None = None
    """The job whose last frame is the only picture, which comes last: see `with_frame`."""
    fit: str | None = None
    """How that frame gets the clip's shape."""

    @classmethod
    def check(
        cls,
        prompt: str,
        *,
        model: str | None = None,
        seconds: str | float | None = None,
        size: str | None = None,
        ratio: str | None = None,
        resolution: str | None = None,
        seed: str | int | None = None,
        negative: str | None = None,
        image: ImageSource | Sequence[ImageSource] | None = None,
        first_frame: ImageSource | None = None,
        last_frame: ImageSource | None = None,
        fit: str | None = None,
        extra: Mapping[str, Any] | None = None,
        force: bool = False,
        remix_of: str | None = None,
        continued_from: str | None = None,
    ) -> NewJob:
        """The request, if it can make sense; what only the API can judge is left to it.

        A picture that is given by its web address is fetched now.

        Args:
            prompt: what the clip shows.
            model: its name as the API knows it; None sends none.
            seconds: the length of the clip.
            size: what the model takes: `1280x720`, `16:9`, `16x9`, `720p`.
            ratio: width to height, such as `9:16`, for whichever field the model has for it.
            resolution: such as `720p`.
            seed: a whole number.
            negative: what the clip is not to show.
            image: a picture, or a list of pictures in their order; see `images.ImageSource`.
            first_frame: the picture that the clip begins with.
            last_frame: the picture that the clip ends with; it needs a first one.
            fit: how pictures get the shape of the clip: "crop", "pad", or "none" to send the files
                as they are. None: as the model needs it.
            extra: further fields, whatever they are.
            force: send also what the model is known to refuse.
            remix_of: the id of a finished job; besides the prompt only `extra` can go along.
            continued_from: the id of a finished job, whose last frame takes the place of pictures.

        Raises:
            SettingsError: what makes no sense, and what would. Nothing was sent.
        """
        fields = {"prompt": prompt_text(prompt)}
        if remix_of is not None:
            others = (model, seconds, size, ratio, resolution, seed, negative)
            if any(other is not None for other in (*others, image, first_frame, last_frame)):
                raise SettingsError(
                    "a remix takes only a prompt and extra; the rest stays the same"
                )
            return cls(fields | extra_texts(extra, fields), remix_of=_job_id(remix_of))
        fields |= {"model": model_text(model)} if model is not None else {}
        fields |= {"seconds": seconds_text(seconds)} if seconds is not None else {}
        family, name = family_of(model), fields.get("model", "this model")
        shape, refused = shape_fields(family, name, size=size, ratio=ratio, resolution=resolution)
        fields |= shape
        fields |= {"seed": seed_text(seed)} if seed is not None else {}
        fields |= {"negative_prompt": negative_text(negative)} if negative is not None else {}
        fields |= extra_texts(extra, fields)
        sources = image_sources(image, first_frame, last_frame)
        if fit is not None and fit not in FITS:
            raise SettingsError(f"fit is {fit!r}: give {listed(FITS)}")
        if continued_from is not None:
            if sources:
                raise SettingsError(
                    "a clip that continues another one begins with its last frame: leave out the "
                    "other pictures"
                )
            refused += _refused_images(family, name, 1, has_last=False)
        elif fit is not None and not sources:
            raise SettingsError("there is no picture to fit: use fit together with image")
        refused += _refused_seconds(family, name, fields)
        refused += _refused_images(family, name, len(sources), has_last=last_frame is not None)
        if refused and not force:
            raise SettingsError(" ".join(refused), advice=_FORCE)
        images = read_images(sources)
        if images and family.is_image_of_size and fit != "none" and "size" not in fields:
            like = size_like(_upright_frame(images[0]), family)
            fields |= {"size": like} if like else {}
        images = _fitted(images, fields, family, fit)
        refused = _refused_files(family, name, images, fields)
        if refused and not force:
            raise SettingsError(" ".join(refused), advice=_FORCE)
        check_sum(images)
        if continued_from is not None:
            return cls(fields, continued_from=_job_id(continued_from), fit=fit)
        return cls(fields, images)

    @property
    def needs_frame(self) -> bool:
        """Whether the frame that it is to begin with is still missing."""
        return self.continued_from is not None and not self.images

    def with_frame(self, frame: Image) -> NewJob:
        """The request with its first picture, made what the model takes.

        Raises:
            SettingsError: it cannot be made that.
        """
        family, fields = family_of(self.model), dict(self.fields)
        if family.is_image_of_size and self.fit != "none" and "size" not in fields:
            like = size_like(_upright_frame(frame), family)
            fields |= {"size": like} if like else {}
        images = _fitted([frame], fields, family, self.fit)
        check_sum(images)
        return replace(self, fields=fields, images=images)

    @property
    def prompt(self) -> str:
        """What the clip shows."""
        return self.fields["prompt"]

    @property
    def model(self) -> str | None:
        """The model's name; None: none is sent."""
        return self.fields.get("model")

    @property
    def seconds(self) -> str | None:
        """The length of the clip, as it is sent."""
        return self.fields.get("seconds")

    @property
    def size(self) -> str | None:
        """The field `size`, as it is sent: pixels, or with some models a ratio."""
        return self.fields.get("size")

    def with_prompt(self, prompt: str) -> NewJob:
        """The same request with another prompt. Raises `SettingsError` if it is empty."""
        return replace(self, fields={**self.fields, "prompt": prompt_text(prompt)})

    def to_json_text(self) -> str:
        """The request as JSON text: its fields, and the names and digests of its images."""
        request: dict[str, Any] = {"fields": dict(self.fields)}
        request["images"] = [image.name for image in self.images]
        if self.images:
            request["digests"] = [image.digest for image in self.images]
        return json.dumps(request, ensure_ascii=False)


def _job_id(text: str) -> str:
    try:
        return check_job_id(text)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _refused_seconds(family: Family, name: str, fields: Mapping[str, str]) -> list[str]:
    seconds = fields.get("seconds")
    if seconds is None or family.seconds is None or seconds in map(str, family.seconds):
        return []
    return [f"{name} makes no clip of {seconds} s: seconds may be {spanned(family.seconds)}."]


def _refused_images(family: Family, name: str, count: int, *, has_last: bool) -> list[str]:
    most = family.most_images
    if most == 0 and count:
        return [f"{name} takes no picture."]
    if most is not None and count > most:
        frames = ", the first frame and the last one" if most == 2 else ""
        return [f"{name} takes {most} picture{'s' * (most > 1)}{frames}, not {count}."]
    if has_last and not family.has_last_frame:
        return [f"{name} takes no last frame: its pictures are references for the prompt."]
    return []


def _refused_files(
    family: Family, name: str, images: Sequence[Image], fields: Mapping[str, str]
) -> list[str]:
    refused: list[str] = []
    size = pixels_of(fields)
    for image in images:
        kinds = [kind.rpartition("/")[2].upper() for kind in family.image_kinds]
        if image.media_type not in family.image_kinds:
            refused.append(f"{name} takes {listed(kinds)} pictures; {image.name} is none.")
        elif family.is_image_of_size and size is not None and image.frame != size:
            has = "{}x{}".format(*image.frame) if image.frame else "another size"
            refused.append(
                f"{name} takes a picture of exactly the clip's size, {fields['size']}, and "
                f"{image.name} has {has}: leave out --fit none."
            )
    return refused


def _fitted(
    images: Sequence[Image], fields: Mapping[str, str], family: Family, fit: str | None
) -> tuple[Image, ...]:
    if fit == "none":
        return tuple(images)
    pixels, ratio = pixels_of(fields), ratio_of(fields)
    if fit is not None and pixels is None and ratio is None:
        raise SettingsError(f"fit is {fit!r}, but there is no size or ratio to fit to")
    is_shaped = fit is not None or (family.is_image_of_size and pixels is not None)
    wish = Wish(
        family.image_kinds,
        MOST_IMAGE_BYTES,
        shape=(pixels or ratio) if is_shaped else None,
        is_exact=pixels is not None,
        is_padded=fit == "pad",
    )
    changes = [fitted(image.content, image.name, wish) for image in images]
    return tuple(
        image.changed(content, change) if change else image
        for image, (content, change) in zip(images, changes, strict=True)
    )


def _upright_frame(image: Image) -> tuple[int, int]:
    if image.upright_frame is not None:
        return image.upright_frame
    # Of a kind whose first bytes tell us nothing: Pillow knows it, or tells that it is no picture.
    as_png = Wish(("image/png",), MOST_IMAGE_BYTES)
    return frame_of(fitted(image.content, image.name, as_png)[0]) or (16, 9)
