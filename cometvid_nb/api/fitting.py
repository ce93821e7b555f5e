"""Fitting: makes a picture what a model takes: upright, of the clip's shape, in a common format.

A picture that is all this already stays as it is, byte for byte, and needs no Pillow.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

from ..errors import SettingsError
from .image_header import frame_of, media_type_of, orientation_of

_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000")
"""Not all that Pillow reads: some of it other programs read for it (EPS by Ghostscript)."""
_PLAIN_MODES = ("RGB", "L", "RGBA", "LA", "P", "1")
"""What every reader of these formats understands; 16 bits and the inks of a printer are not."""
_PNG: dict[str, Any] = {"format": "PNG"}
_JPEG: dict[str, Any] = {"format": "JPEG", "quality": 95, "subsampling": 0}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a picture is to become."""

    kinds: tuple[str, ...]
    """Media types that may stay."""
    most_bytes: int
    shape: tuple[int, int] | None = None
    """Width and height; None: its own."""
    is_exact: bool = False
    """Whether `shape` means pixels; else only their ratio."""
    is_padded: bool = False
    """Whether black bars are added; else the edges are cut off."""

    @property
    def fit(self) -> str:
        """What happens to a picture of another shape, as a word for people."""
        return "padded" if self.is_padded else "cropped"

    def frame_for(self, frame: tuple[int, int]) -> tuple[int, int]:
        """Return the frame that a picture of this `frame` is to have."""
        if self.shape is None or self.is_exact:
            return self.shape or frame
        (width, height), (wide, high) = frame, self.shape
        is_too_wide = width * high > height * wide
        if is_too_wide != self.is_padded:
            return max(1, round(height * wide / high)), height
        return width, max(1, round(width * high / wide))


def fitted(content: bytes, name: str, wish: Wish) -> tuple[bytes, str]:
    """Return a picture as it was wished for, and what was done: "turned upright, as PNG" or "".

    Raises:
        SettingsError: it is no picture, or changing it needs Pillow, which is missing.
    """
    kind, need = media_type_of(content), _need(content, wish)
    try:
        pil = _pillow(f"{name} must be {need}, which needs Pillow.")
    except SettingsError:
        if need:
            raise
        return content, ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that is cut short
            warnings.simplefilter("error", pil.Image.DecompressionBombWarning)
            image = pil.Image.open(io.BytesIO(content), formats=_formats(pil))
            if not need and image.mode in _PLAIN_MODES:
                return content, ""
            return _changed(pil, image, kind, wish)
    except (OSError, ValueError, SyntaxError, Warning, pil.Image.DecompressionBombError) as error:
        if not need:
            return content, ""  # nothing has to be done to it, so that the API may judge it
        if not kind:
            raise SettingsError(f"{name} is not a PNG, JPEG, WebP or GIF picture") from None
        is_bomb = isinstance(error, Warning | pil.Image.DecompressionBombError)
        told = "has far too many pixels" if is_bomb else "is damaged or cut off"
        raise SettingsError(f"{name} {told}, and must be {need}") from None


def reduced(content: bytes, most_px: int, blur_px: float = 0.0) -> bytes | None:
    """Return a picture as a JPEG of at most `most_px` on each side, its metadata left behind.

    `blur_px` softens it. None: it is no picture, it is far too large, or Pillow is missing.
    """
    try:
        pil = _pillow("")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", pil.Image.DecompressionBombWarning)
            image = pil.Image.open(io.BytesIO(content), formats=_formats(pil))
            image.draft("RGB", (most_px, most_px))  # a JPEG is then decoded no finer than needed
            picture = _plain(pil, pil.ImageOps.exif_transpose(image))
            picture.thumbnail((most_px, most_px))
            if blur_px:
                picture = picture.filter(pil.ImageFilter.GaussianBlur(blur_px))
            return _saved_within(0, picture, {**_JPEG, "quality": 70, "subsampling": 2})
    except Exception:  # noqa: BLE001 - whatever a decoder raises: it is only for the looks
        return None


def encoded(source: Any, most_bytes: int) -> bytes:
    """Return a PIL image, or an array of height × width (× channels), as a PNG.

    As a JPEG if it would have more than `most_bytes`. The numbers of an array are 0 to 255,
    fractions from 0 to 1, or of 16 bits.

    Raises:
        SettingsError: it has another shape, or Pillow is missing.
    """
    pil = _pillow("A picture that is not a file needs Pillow.")
    if isinstance(source, pil.Image.Image):
        image = pil.ImageOps.exif_transpose(source)
    else:
        image = pil.Image.fromarray(_eight_bits(source))
    return _saved_within(most_bytes, _plain(pil, image), _PNG)


def _pillow(told: str) -> Any:
    """Return the package PIL. Raises `SettingsError`, which begins with `told`, without Pillow."""
    try:
        import PIL.Image
        import PIL.ImageFilter
        import PIL.ImageOps
    except ImportError:
        raise SettingsError(
            told,
            advice="Run %pip install 'cometvid-nb[images]', or send files as they are: --fit none "
            '(in Python fit="none").',
        ) from None
    return PIL


def _formats(pil: Any) -> list[str]:
    pil.Image.init()
    return [name for name in _FORMATS if name in pil.Image.OPEN]  # AVIF is not everywhere


def _need(content: bytes, wish: Wish) -> str:
    """Return in a word what has to be done for sure, as the first bytes tell; "" = nothing."""
    if media_type_of(content) not in wish.kinds:
        return "converted"
    if orientation_of(content) != 1:
        return "turned upright"
    if wish.shape is None:
        return ""
    frame = frame_of(content)
    if frame is not None and wish.frame_for(frame) == frame:
        return ""
    return "{} to {}x{}".format(wish.fit, *(wish.frame_for(frame) if frame else wish.shape))


def _changed(pil: Any, image: Any, kind: str, wish: Wish) -> tuple[bytes, str]:
    done: list[str] = []
    width, height = image.size
    if image.getexif().get(0x0112, 1) != 1:  # the EXIF orientation
        done.append("turned upright")
    if image.mode not in _PLAIN_MODES:
        done.append(f"from {image.mode}")
    picture = _plain(pil, pil.ImageOps.exif_transpose(image))
    # The colours keep their meaning. No other metadata goes along: it may tell where a photograph
    # was taken.
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
    frame = wish.frame_for(picture.size)
    if frame != picture.size:
        rest = abs(picture.width * frame[1] - picture.height * frame[0])
        done.append(f"{'resized' if rest <= max(frame) else wish.fit} to {frame[0]}x{frame[1]}")
        fit = pil.ImageOps.pad if wish.is_padded else pil.ImageOps.fit
        picture = fit(picture, frame, method=pil.Image.Resampling.LANCZOS)
    options = _JPEG if kind == "image/jpeg" else _PNG
    content = _saved_within(wish.most_bytes, picture, options, profile)
    if media_type_of(content) != kind:
        done.append(f"as {media_type_of(content).rpartition('/')[2].upper()}")
    return content, f"was {width}x{height}, {', '.join(done)}"


def _saved_within(
    most_bytes: int, picture: Any, options: dict[str, Any], profile: bytes | None = None
) -> bytes:
    """Return a picture as a file; a JPEG is the last resort where it would be too large."""
    file = io.BytesIO()
    picture.save(file, **options, icc_profile=profile)
    if len(file.getvalue()) <= most_bytes or options is _JPEG:
        return file.getvalue()
    return _saved_within(most_bytes, picture, _JPEG, profile)


def _plain(pil: Any, image: Any) -> Any:
    """Return an image in RGB with 8 bits; where one could see through it is white."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _grey(image)
    if "A" in image.mode.upper() or "transparency" in image.info:
        see_through = image.convert("RGBA")
        ground = pil.Image.new("RGBA", see_through.size, "white")
        image = pil.Image.alpha_composite(ground, see_through)
    return image.convert("RGB")


def _grey(image: Any) -> Any:
    """Return an image of 16 bits, or of fractions, in 8: Pillow itself would cut off the bright."""
    fine = image.convert("F")
    _, brightest = fine.getextrema()
    most = 1.0 if brightest <= 1 else (255.0 if brightest <= 255 else 65535.0)
    if image.mode.startswith("I;16"):
        most = 65535.0  # however dark the picture is
    return fine.point(lambda value: value * (255.0 / most)).convert("L")


def _eight_bits(source: Any) -> Any:
    """Return an array as height × width (× 3 or 4) of whole numbers up to 255."""
    if not hasattr(source, "dtype") or not hasattr(source, "astype"):
        source = source.__array__()  # of a tensor
    shape = tuple(source.shape)
    if len(shape) == 3 and shape[2] == 1:
        source, shape = source[:, :, 0], shape[:2]
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))) or 0 in shape:
        told = " x ".join(map(str, shape)) or "a single number"
        raise SettingsError(f"the array is {told}: a picture is height x width x 3")
    kind = source.dtype.kind
    if kind == "f":
        return (source.clip(0, 1) * 255 + 0.5).astype("uint8")
    if kind == "b":
        return source.astype("uint8") * 255
    if kind == "u" and source.dtype.itemsize == 2:
        return (source >> 8).astype("uint8")
    if kind not in "iu":
        raise SettingsError(f"an array of {source.dtype} is no picture")
    return source.clip(0, 255).astype("uint8")
