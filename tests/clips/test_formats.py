"""What is a clip, whole or not, and what a player must know of it: real files and broken ones."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.clips import gif
from cometvid_nb.clips.file import fitting, read_format
from cometvid_nb.clips.format import Format, media_type, suffix_of
from cometvid_nb.simulator.clips import read_clip
from tests.clips import made

PLAYED = {
    "h264": ".mp4",
    "av1": ".mp4",
    "vp9 in mp4": ".mp4",
    "mov": ".mov",
    "webm": ".webm",
    "vp8": ".webm",
    "mkv": ".mkv",
    "gif": ".gif",
}
NOT_PLAYED = {
    "hevc": (".mp4", "HEVC (H.265)"),
    "mp4v": (".mp4", "MPEG-4 Part 2"),
    "h264 4:4:4": (".mp4", "H.264 High 4:4:4"),
    "prores": (".mov", "Apple ProRes"),
}


def found(content: bytes) -> Format | None:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(content)
        return read_format(file, len(content))


@pytest.mark.parametrize(("kind", "suffix"), PLAYED.items(), ids=PLAYED)
def test_what_browsers_play_has_its_own_suffix_and_size(kind: str, suffix: str) -> None:
    assert found(made.clip(kind, 96, 160)) == Format(suffix, 96, 160)


@pytest.mark.parametrize("kind", NOT_PLAYED)
def test_a_codec_that_browsers_do_not_play_is_named(kind: str) -> None:
    suffix, codec = NOT_PLAYED[kind]
    assert found(made.clip(kind)) == Format(suffix, 128, 72, codec)


def test_an_avi_is_kept_and_named() -> None:
    assert found(made.clip("avi")) == Format(".avi", codec="AVI")


def test_a_moving_webp_is_a_clip_and_one_that_stands_still_is_none() -> None:
    from PIL import Image

    def webp(**options: Any) -> bytes:
        content = io.BytesIO()
        Image.new("RGB", (64, 48), "red").save(content, "WEBP", **options)
        return content.getvalue()

    moving = webp(save_all=True, append_images=[Image.new("RGB", (64, 48), "blue")])
    assert found(moving) == Format(".webp", 64, 48)
    assert found(moving[:-2]) is None
    assert found(webp()) is None


@pytest.mark.parametrize("shape", ["1280x720", "720x1280", "960x960"])
def test_the_size_is_that_of_the_file(shape: str) -> None:
    format_ = found(read_clip(shape, "mp4"))
    assert format_ is not None
    width, height = (int(side) for side in shape.split("x"))
    assert format_.width / format_.height == pytest.approx(width / height)


@pytest.mark.parametrize(
    ("turned", "size"),
    [
        ((0, 1, -1, 0), (72, 128)),
        ((0, -1, 1, 0), (72, 128)),
        ((-1, 0, 0, -1), (128, 72)),
        ((1, 0, 0, 1), (128, 72)),
    ],
    ids=["90", "270", "180", "0"],
)
def test_a_clip_that_was_turned_is_as_wide_as_it_is_shown(
    turned: tuple[int, ...], size: tuple[int, int]
) -> None:
    content = bytearray(made.clip("h264"))
    matrix_at = content.index(b"tkhd") + 4 + 40
    for place, number in zip((0, 4, 12, 16), turned, strict=True):
        at = matrix_at + place
        content[at : at + 4] = (number * 0x10000).to_bytes(4, "big", signed=True)
    format_ = found(bytes(content))
    assert format_ is not None
    assert (format_.width, format_.height) == size


def test_a_clip_of_sound_alone_is_whole_and_has_no_size() -> None:
    assert found(made.sound()) == Format(".mp4")


def box(kind: bytes, payload: bytes = b"") -> bytes:
    return (8 + len(payload)).to_bytes(4, "big") + kind + payload


CLIP = made.clip("h264")
FRAGMENTS = made.clip("h264", options=(("movflags", "frag_keyframe+empty_moov"),))


@pytest.mark.parametrize(
    "content",
    [
        CLIP + b"\n",
        CLIP + bytes(1000),
        CLIP + b"<!-- served by cdn-7 -->",
        CLIP + b"\r\n--boundary--\r\n",
        box(b"free", bytes(20)) + CLIP,
        box(b"wide") + box(b"skip", b"x") + CLIP,
        FRAGMENTS,
        FRAGMENTS + b"trailing words",
    ],
    ids=["line", "zeros", "words", "multipart", "free", "wide", "fragments", "words behind them"],
)
def test_junk_behind_whole_boxes_and_padding_before_them_change_nothing(content: bytes) -> None:
    assert found(content) == Format(".mp4", 128, 72)


def test_quicktime_of_old_has_no_ftyp() -> None:
    start = int.from_bytes(CLIP[:4], "big")
    # Its chunks would begin elsewhere, which nobody looks at here.
    assert found(CLIP[start:]) == Format(".mov", 128, 72)


@pytest.mark.parametrize("kind", [*PLAYED, *NOT_PLAYED, "avi"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_part_of_a_clip_is_no_clip(kind: str, share: float) -> None:
    content = made.clip(kind)
    assert found(content[: int(len(content) * share)]) is None


@pytest.mark.parametrize("kind", [*PLAYED, *NOT_PLAYED, "avi"])
def test_not_even_the_last_byte_may_be_missing(kind: str) -> None:
    assert found(made.clip(kind)[:-1]) is None


@pytest.mark.parametrize("cut", [1, 7, 8, 40, 1000])
def test_fragments_that_break_off_are_no_clip(cut: int) -> None:
    last = FRAGMENTS.rindex(b"moof") - 4
    assert found(FRAGMENTS[: last + cut]) is None


def test_no_bytes_at_all_can_confuse_the_readers() -> None:
    heads = [made.clip(kind)[:400] for kind in (*PLAYED, *NOT_PLAYED, "avi")]

    @given(st.sampled_from([b"", *heads]), st.integers(0, 400), st.binary(max_size=300))
    def read(head: bytes, cut: int, tail: bytes) -> None:
        found(head[:cut] + tail)

    read()


def test_a_byte_that_was_turned_anywhere_is_no_exception() -> None:
    contents = [made.clip(kind) for kind in ("h264", "webm", "gif", "avi")]

    @given(st.sampled_from(contents), st.integers(0, 5000), st.integers(1, 255))
    def read(content: bytes, at: int, change: int) -> None:
        broken = bytearray(content)
        broken[at % len(broken)] ^= change
        found(bytes(broken))

    read()


@pytest.mark.parametrize(
    ("name", "suffix", "fitted"),
    [
        ("video_1.mp4", ".mp4", "video_1.mp4"),
        ("video_1.mp4", ".webm", "video_1.webm"),
        ("b.MP4", ".mp4", "b.MP4"),
        ("b.MP4", ".gif", "b.gif"),
        ("b.m4v", ".mp4", "b.m4v"),
        ("a.gif", ".mp4", "a.mp4"),
        ("v1.0", ".mov", "v1.0.mov"),
    ],
)
def test_a_file_is_named_for_what_it_holds(name: str, suffix: str, fitted: str) -> None:
    assert fitting(name, suffix) == fitted


@pytest.mark.parametrize(
    ("name", "suffix", "kind"),
    [
        ("/a/b.GIF", ".gif", "image/gif"),
        ("https://cdn.example/v.webm", ".webm", "video/webm"),
        ("clip.mov", ".mov", "video/mp4"),
        ("content", "", "video/mp4"),
        ("a.mp4/content", "", "video/mp4"),
        ("", "", "video/mp4"),
    ],
)
def test_a_suffix_tells_what_a_page_should_take_it_for(name: str, suffix: str, kind: str) -> None:
    assert suffix_of(name) == suffix
    assert media_type(suffix) == kind


def element(name: bytes, content: bytes) -> bytes:
    return name + (1 << 56 | len(content)).to_bytes(8, "big") + content


def webm(tracks: bytes) -> bytes:
    head = element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm")
    parts = element(b"\x16\x54\xae\x6b", tracks) + element(b"\x1f\x43\xb6\x75", b"x")
    return head + element(b"\x18\x53\x80\x67", parts)


def track(width: bytes, height: bytes) -> bytes:
    shape = element(b"\xb0", width) + element(b"\xba", height)
    return element(b"\xae", b"\x83\x81\x01" + element(b"\xe0", shape) + element(b"\x86", b"V_VP9"))


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (webm(track(b"\x80", b"\x48")), Format(".webm", 128, 72)),
        (webm(track(b"\xff" * 8, b"\x48")), Format(".webm")),
        (webm(track(b"\x80", b"\x01\x86\xa0")), Format(".webm")),
        (
            b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0" + b"\xff" * 6,
            Format(".webp"),
        ),
    ],
    ids=["a picture", "2⁶⁴ wide", "100,000 high", "a WebP of 2²⁴ squared"],
)
def test_a_size_that_no_picture_has_is_not_known(content: bytes, format_: Format) -> None:
    assert found(content) == format_


class CountedFile(io.FileIO):
    """Counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(-1 if size is None else size)


JUNK = box(b"junk") * 3000


@pytest.mark.parametrize(
    "content",
    [
        box(b"ftyp", b"isom")
        + box(b"moov", box(b"trak", JUNK + box(b"mdia", JUNK)) * 200)
        + box(b"mdat", b"x"),
        webm((element(b"\xae", b"\x80\x80" * 3000)) * 200),
    ],
    ids=["mp4", "webm"],
)
def test_a_file_of_nothing_but_tiny_parts_is_not_read_to_its_end(
    content: bytes, tmp_path: Path
) -> None:
    """A gigabyte of them would take a core for twenty minutes."""
    path = tmp_path / "clip"
    path.write_bytes(content)
    with CountedFile(path, "rb") as file:
        assert read_format(file, len(content)) is not None, "a player may well play it"
        assert file.reads < 100_000


def test_a_gif_of_nothing_but_tiny_blocks_is_no_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    image = b"\x2c" + bytes(9) + b"\x02" + b"\x01x" * 30 + b"\0"
    content = b"GIF89a" + bytes(7) + image + b"\x21\xfe\0" * 30 + b";"
    assert found(content) == Format(".gif")
    for most in (20, 40):
        monkeypatch.setattr(gif, "MOST_BLOCKS", most)
        assert found(content) is None
