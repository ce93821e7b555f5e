"""A picture is read from wherever a person has it, and becomes what the model takes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pil

from cometvid_nb.api import images
from cometvid_nb.api.client import Client
from cometvid_nb.api.image_header import frame_of, media_type_of, orientation_of
from cometvid_nb.api.images import Image
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import SettingsError
from cometvid_nb.settings import Secret, Settings
from tests.forms import FormServer, open_form_server
from tests.simulated import KEY

SORA, VEO, UNKNOWN = "sora-2", "veo3.1", "somebody's-model"
ORIENTATION = 0x0112


@pytest.fixture
def server() -> Iterator[FormServer]:
    with open_form_server() as server:
        yield server


def drawn(width: int = 64, height: int = 36, mode: str = "RGB") -> Pil.Image:
    """Red on the left, green on the right, blue at the top."""
    picture = Pil.new("RGB", (width, height), "red")
    picture.paste("lime", (width // 2, 0, width, height))
    picture.paste("blue", (0, 0, width, height // 4))
    return picture.convert(mode)


def encoded(picture: Pil.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int, kind: str = "JPEG") -> bytes:
    exif = Pil.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "A camera"
    return encoded(drawn(), kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))


def sent(source: Any, model: str = UNKNOWN, **options: Any) -> Image:
    [image] = NewJob.check("x", model=model, image=source, **options).images
    return image


def seen(image: Image) -> Pil.Image:
    picture = Pil.open(io.BytesIO(image.content))
    picture.load()
    return picture.convert("RGB")


def looks(image: Image, x: float, y: float) -> str:
    """The colour at a place, from 0 to 1 of width and height."""
    picture = seen(image)
    pixel = picture.getpixel((int(x * (picture.width - 1)), int(y * (picture.height - 1))))
    assert isinstance(pixel, tuple)
    names = {"100": "red", "010": "green", "001": "blue", "000": "black", "111": "white"}
    bits = "".join(str(int(value > 127)) for value in pixel)
    return names.get(bits, bits)


# Where it comes from.


def test_a_picture_may_be_a_path_bytes_a_file_a_data_url_a_pil_image_or_an_array(
    tmp_path: Path,
) -> None:
    content = encoded(drawn())
    path = tmp_path / "comet.png"
    path.write_bytes(content)
    data_url = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    for source in (path, str(path), content, bytearray(content), io.BytesIO(content), data_url):
        assert sent(source).content == content
    assert [sent(path).name, sent(content).name] == ["comet.png", "image.png"]
    for made in (drawn(), np.asarray(drawn()), np.asarray(drawn()) / 255.0):
        image = sent(made)
        assert (image.name, image.media_type, image.frame) == ("image.png", "image/png", (64, 36))
        assert [looks(image, 0, 1), looks(image, 1, 1), looks(image, 1, 0)] == [
            "red",
            "green",
            "blue",
        ]


@pytest.mark.parametrize(
    ("array", "grey"),
    [
        (np.full((8, 8), 200, np.uint8), 200),
        (np.full((8, 8, 1), 200, np.int64), 200),
        (np.full((8, 8), 999, np.int32), 255),
        (np.full((8, 8), 200 << 8, np.uint16), 200),
        (np.full((8, 8, 3), 0.5, np.float32), 128),
        (np.full((8, 8), 3.0), 255),
        (np.ones((8, 8), bool), 255),
        (np.full((8, 8, 4), (9, 9, 9, 255), np.uint8), 9),
    ],
)
def test_an_array_has_the_brightness_that_its_type_means(array: Any, grey: int) -> None:
    assert seen(sent(array)).getpixel((4, 4)) == (grey, grey, grey)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (np.zeros((3, 8, 8)), "the array is 3 x 8 x 8: a picture is height x width x 3"),
        (np.zeros(()), "the array is a single number"),
        (np.zeros((0, 8)), "the array is 0 x 8"),
        (np.zeros((8, 8), object), "an array of object is no picture"),
        (5, "int is not a picture: give a path"),
        ({}, "dict is not a picture"),
        ("data:image/png;base64,$", "the data URL of the picture is incomplete"),
        ("data:image/png", "the data URL of the picture is incomplete"),
        ("data:image/svg+xml,<svg/>", "is not a PNG, JPEG, WebP or GIF picture"),
        ("<PIL.Image.Image image mode=RGB>", "this is the text of a variable"),
        (b"", "is not a PNG"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(source: Any, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        sent(source)


def test_an_array_too_large_as_a_png_goes_as_a_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_IMAGE_BYTES", 60_000)
    noise = np.random.default_rng(1).integers(0, 256, (150, 150, 3), np.uint8)
    image = sent(noise)
    assert (image.name, image.media_type, image.frame) == ("image.jpg", "image/jpeg", (150, 150))


def test_all_pictures_of_a_request_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(drawn())
    monkeypatch.setattr(images, "MOST_IMAGE_BYTES", 3 * len(content))
    NewJob.check("x", image=[content] * 3)
    with pytest.raises(SettingsError, match="MB together: a request may have"):
        NewJob.check("x", image=[content] * 4)


# From the web.


def test_a_picture_at_an_address_is_fetched_without_the_key(server: FormServer) -> None:
    content = encoded(drawn())
    host = server.base_url.removesuffix("/v1")
    server.pages["/a%20b/c.png?signature=s3cret"] = (200, {}, content)
    server.pages["/moved"] = (302, {"Location": "/a%20b/c.png?signature=s3cret"}, b"")
    server.pages["/packed"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(content))
    image = sent(f"{host}/a%20b/c.png?signature=s3cret")
    assert (image.name, image.content) == ("c.png", content)
    assert sent(f"{host}/moved").content == content
    assert sent(f"{host}/packed").name == "packed.png"
    assert all("Authorization" not in arrived.headers for arrived in server.arrived)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ((404, {}, b""), "the answer is 404"),
        ((200, {}, b"<html>"), "is not a PNG, JPEG, WebP or GIF picture"),
        ((302, {"Location": "?"}, b""), "redirects endlessly"),
        ((200, {"Content-Encoding": "gzip"}, b"no gzip"), "cannot be fetched"),
        ((200, {}, bytes(2000)), "is larger than 0 MB, the limit"),
    ],
)
def test_an_address_without_a_picture_is_told_without_its_signature(
    server: FormServer,
    monkeypatch: pytest.MonkeyPatch,
    page: tuple[int, dict[str, str], bytes],
    told: str,
) -> None:
    monkeypatch.setattr(images, "MOST_IMAGE_BYTES", 1000)
    server.pages["/c.png?signature=s3cret"] = server.pages["/c.png?"] = page
    with pytest.raises(SettingsError, match=told) as caught:
        sent(server.base_url.removesuffix("/v1") + "/c.png?signature=s3cret")
    assert "c.png" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_an_address_of_the_public_network_may_not_lead_into_the_private_one(
    server: FormServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is the proxy here, so that no name has to exist."""
    monkeypatch.setenv("HTTP_PROXY", server.base_url.removesuffix("/v1"))
    content = encoded(drawn())
    server.pages["http://pictures.example/c.png"] = (200, {}, content)
    assert sent("http://pictures.example/c.png").content == content
    for inside in ("http://169.254.169.254/latest", "http://localhost/c", "http://[fe80::1]/c"):
        server.pages["http://pictures.example/c.png"] = (302, {"Location": inside}, b"")
        with pytest.raises(SettingsError, match="points into your private network, and was not"):
            sent("http://pictures.example/c.png")
    assert [arrived.path for arrived in server.arrived] == ["http://pictures.example/c.png"] * 4


@pytest.mark.parametrize("url", ["http://", "https://[::1", "http://127.0.0.1:1/x", "http://\0/x"])
def test_an_address_that_leads_nowhere_is_told(url: str) -> None:
    with pytest.raises(SettingsError, match=r"not the web address of a picture|cannot be fetched"):
        sent(url)


# What becomes of it.


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("model", [SORA, UNKNOWN])
def test_a_photograph_is_turned_upright(orientation: int, model: str) -> None:
    content = turned(orientation)
    upright = Pil.open(io.BytesIO(content))
    image = sent(content, model)
    assert ("turned upright" in image.change) == (orientation != 1)
    if orientation == 1 and model == UNKNOWN:
        assert image.content == content, "nothing had to be done"
        return
    assert b"A camera" not in image.content, "it may tell where it was taken"
    assert orientation_of(image.content) == 1
    size = (64, 36) if orientation < 5 else (36, 64)
    expected = {UNKNOWN: size, SORA: (1280, 720) if orientation < 5 else (720, 1280)}[model]
    assert image.frame == expected
    stands = {1: "top", 2: "top", 3: "bottom", 4: "bottom"}
    stands |= {5: "left", 6: "right", 7: "right", 8: "left"}  # where the top row is to go
    places = {"top": (0.2, 0.02), "bottom": (0.2, 0.98), "left": (0.02, 0.2), "right": (0.98, 0.2)}
    assert looks(image, *places[stands[orientation]]) == "blue"
    upright.close()


def test_a_file_is_left_alone_where_a_person_says_so() -> None:
    content = turned(6)
    assert sent(content, fit="none").content == content
    assert sent(content, VEO, fit="none").content == content


@pytest.mark.parametrize(
    ("frame", "options", "size", "words"),
    [
        ((1280, 720), {}, "1280x720", ""),
        ((64, 36), {}, "1280x720", "was 64x36, resized to 1280x720"),
        ((36, 64), {}, "720x1280", "was 36x64, resized to 720x1280"),
        ((50, 50), {}, "1280x720", "was 50x50, cropped to 1280x720"),
        ((50, 50), {"size": "720x1280"}, "720x1280", "was 50x50, cropped to 720x1280"),
        ((50, 50), {"fit": "pad"}, "1280x720", "was 50x50, padded to 1280x720"),
    ],
)
def test_sora_gets_a_picture_of_the_size_of_the_clip(
    frame: tuple[int, int], options: dict[str, str], size: str, words: str
) -> None:
    content = encoded(drawn(*frame))
    new = NewJob.check("x", model=SORA, image=content, **options)  # type: ignore[arg-type]
    [image] = new.images
    assert new.size == size
    assert image.frame is not None
    assert "{}x{}".format(*image.frame) == size
    assert image.change == words
    assert (image.content == content) == (words == "")
    if "fit" in options:
        assert [looks(image, 0, 0.5), looks(image, 0.5, 0)] == ["black", "blue"]


def test_where_the_size_is_fixed_another_one_is_refused_unless_forced() -> None:
    options: dict[str, Any] = {"model": SORA, "size": "1280x720", "fit": "none"}
    with pytest.raises(
        SettingsError, match=r"exactly the clip's size, 1280x720, and image\.png has"
    ):
        sent(encoded(drawn()), **options)
    assert sent(encoded(drawn()), **options, force=True).frame == (64, 36)


@pytest.mark.parametrize(
    ("options", "frame"),
    [
        ({}, (50, 50)),
        ({"size": "100x60", "fit": "crop"}, (100, 60)),
        ({"size": "16:9", "fit": "crop"}, (50, 28)),
        ({"ratio": "9:16", "fit": "crop"}, (28, 50)),
        ({"ratio": "9:16", "fit": "pad"}, (50, 89)),
        ({"size": "16x9", "fit": "pad"}, (89, 50)),
    ],
)
def test_with_other_models_a_picture_is_fitted_where_a_person_says_so(
    options: dict[str, str], frame: tuple[int, int]
) -> None:
    assert sent(encoded(drawn(50, 50)), **options).frame == frame


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"fit": "crop"}, "no size or ratio to fit to"),
        ({"fit": "zoom"}, "fit is 'zoom': give crop, pad or none"),
    ],
)
def test_a_fit_that_cannot_be_is_told(options: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        sent(encoded(drawn()), **options)


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (encoded(drawn(mode="CMYK"), "JPEG", quality=95), "image/jpeg", "from CMYK"),
        (encoded(drawn(mode="P"), "GIF"), "image/png", "as PNG"),
        (encoded(drawn(), "BMP"), "image/png", "as PNG"),
        (encoded(drawn(), "TIFF"), "image/png", "as PNG"),
        (encoded(drawn(), "WEBP", lossless=True), "image/webp", ""),
        (encoded(drawn(mode="P"), "PNG"), "image/png", ""),
        (encoded(drawn(mode="RGBA"), "PNG"), "image/png", ""),
    ],
)
def test_a_picture_is_converted_where_it_must_be(content: bytes, kind: str, words: str) -> None:
    image = sent(content, VEO)
    assert image.media_type == media_type_of(image.content) == kind
    assert image.name.endswith({"image/jpeg": ".jpg"}.get(kind, f".{kind[6:]}"))
    assert words in image.change
    assert (image.content == content) == (words == "")
    assert [looks(image, 0.1, 0.9), looks(image, 0.9, 0.9), looks(image, 0.5, 0)] == [
        "red",
        "green",
        "blue",
    ]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("brightness", [0, 100, 40_000, 65_535])
def test_sixteen_bits_become_eight_and_stay_as_bright(kind: str, brightness: int) -> None:
    deep = Pil.fromarray(np.full((9, 16), brightness, np.uint16))
    image = sent(encoded(deep, kind), VEO)
    grey = seen(image).getpixel((4, 4))
    assert isinstance(grey, tuple)
    assert abs(grey[0] - brightness / 257) <= 1


def test_what_one_sees_through_is_white_once_it_has_to_be_changed() -> None:
    clear = Pil.new("RGBA", (64, 36), (255, 0, 0, 0))
    palette = Pil.new("P", (64, 36))
    for content in (encoded(clear), encoded(palette, transparency=0), encoded(clear, "WEBP")):
        assert looks(sent(content, SORA), 0.5, 0.5) == "white"
    assert looks(sent(clear), 0.5, 0.5) == "white"


@pytest.mark.parametrize("content", [encoded(drawn(), "JPEG")[:300], encoded(drawn())[:60]])
def test_a_damaged_picture_is_told_where_it_must_be_changed_and_else_left_to_the_api(
    content: bytes,
) -> None:
    assert sent(content).content == content
    with pytest.raises(SettingsError, match=r"is damaged or cut off, and must be cropped to 1280"):
        sent(content, SORA)


def test_a_bomb_of_pixels_is_not_unpacked() -> None:
    bomb = encoded(Pil.new("1", (40_000, 20_000)))
    with pytest.raises(SettingsError, match="has far too many pixels"):
        sent(bomb, SORA)


# Without Pillow.


@pytest.fixture
def _no_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIL", "PIL.Image", "PIL.ImageOps"):
        monkeypatch.setitem(sys.modules, name, None)


def test_without_pillow_what_fits_goes_and_the_rest_names_the_extra(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    path = tmp_path / "comet.jpg"
    fitting, sideways, bitmap = encoded(drawn(1280, 720)), turned(6), encoded(drawn(), "BMP")
    path.write_bytes(sideways)
    other, array = encoded(drawn()), np.zeros((8, 8, 3), np.uint8)
    request.getfixturevalue("_no_pillow")
    assert sent(fitting, SORA).content == fitting
    assert sent(other, VEO).content == other
    assert sent(sideways, fit="none").content == sideways
    cases: list[tuple[Any, str, str]] = [
        (other, SORA, "image.png must be cropped to 1280x720, which needs Pillow"),
        (path, UNKNOWN, "comet.jpg must be turned upright, which needs Pillow"),
        (bitmap, VEO, "image must be converted, which needs Pillow"),
        (array, UNKNOWN, "A picture that is not a file needs Pillow"),
    ]
    for source, model, told in cases:
        with pytest.raises(SettingsError, match=told) as caught:
            sent(source, model)
        assert "cometvid-nb[images]" in str(caught.value.advice)


# What the first bytes tell.


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("frame", [(1, 1), (300, 7), (17, 4000)])
def test_the_first_bytes_tell_the_frame(kind: str, frame: tuple[int, int]) -> None:
    options: list[dict[str, Any]] = [{}]
    options += [{"lossless": True}, {"exif": Pil.Exif()}] if kind == "WEBP" else []
    options += [{"progressive": True}] if kind == "JPEG" else []
    for one in options:
        assert frame_of(encoded(drawn(*frame), kind, **one)) == frame


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.binary(max_size=60), st.integers(0, 60))
def test_no_bytes_make_reading_them_fail(kind: str, noise: bytes, at: int) -> None:
    content = turned(6) if kind == "JPEG" else encoded(drawn(), kind)
    for damaged in (content[:at] + noise + content[at:], content[:at] + noise, noise):
        frame_of(damaged)
        assert 1 <= orientation_of(damaged) <= 8


# As it arrives.


async def test_pictures_arrive_as_files_in_their_order_after_the_fields(server: FormServer) -> None:
    first, last = encoded(drawn()), encoded(drawn(mode="L"), "JPEG")
    new = NewJob.check("Ünï", model=VEO, seconds=8, first_frame=first, last_frame=last)
    async with Client(Settings(api_key=Secret(KEY), base_url=server.base_url)) as client:
        job = await client.create(new)
        await client.create(NewJob.check("At night", remix_of=job.id, extra={"strength": 0.5}))
    created, remixed = server.arrived
    assert created.fields == [("prompt", "Ünï"), ("model", VEO), ("seconds", "8")]
    assert created.files == [
        ("input_reference", "image-1.png", "image/png", first),
        ("input_reference", "image-2.jpg", "image/jpeg", last),
    ]
    assert remixed.fields == [("prompt", "At night"), ("strength", "0.5")]
    told = new.to_json_text()
    assert told.startswith('{"fields": {"prompt": "Ünï", "model": "veo3.1", "seconds": "8"}, ')
    assert json.loads(told)["images"] == ["image-1.png", "image-2.jpg"]
    assert json.loads(told)["digests"] == [
        hashlib.sha256(content).hexdigest() for content in (first, last)
    ]
