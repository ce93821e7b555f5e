"""Small real clips of every kind, made by the encoders that PyAV brings."""

from __future__ import annotations

import io
from fractions import Fraction
from functools import cache
from typing import Any

import av
from PIL import Image

FRAMES, FPS = 12, 12
KINDS: dict[str, tuple[str, str, str]] = {
    "h264": ("mp4", "libx264", "yuv420p"),
    "h264 4:4:4": ("mp4", "libx264", "yuv444p"),
    "hevc": ("mp4", "libx265", "yuv420p"),
    "mp4v": ("mp4", "mpeg4", "yuv420p"),
    "av1": ("mp4", "libsvtav1", "yuv420p"),
    "vp9 in mp4": ("mp4", "libvpx-vp9", "yuv420p"),
    "prores": ("mov", "prores_ks", "yuv422p10le"),
    "mov": ("mov", "libx264", "yuv420p"),
    "webm": ("webm", "libvpx-vp9", "yuv420p"),
    "vp8": ("webm", "libvpx", "yuv420p"),
    "mkv": ("matroska", "libx264", "yuv420p"),
    "gif": ("gif", "gif", "rgb8"),
    "avi": ("avi", "mpeg4", "yuv420p"),
    "heard": ("mp4", "libx264", "yuv420p"),
}
"""By a name: the container, the encoder and the pixels."""


@cache
def clip(
    kind: str, width: int = 128, height: int = 72, options: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """A clip of one second, whose picture moves; `options` are the container's."""
    container_format, codec, pixels = KINDS[kind]
    content = io.BytesIO()
    with av.open(content, "w", format=container_format, options=dict(options)) as container:
        stream: Any = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        is_heard = kind == "heard"
        voice: Any = container.add_stream("aac", rate=48_000, layout="mono") if is_heard else None
        # Those of libvpx spin while they wait for each other: on busy cores, without end.
        stream.codec_context.thread_count = 1
        if codec == "libx265":
            stream.codec_context.options = {"x265-params": "log-level=none:pools=1"}
        for number in range(FRAMES):
            frame = _frame(width, height, number).reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            for number in range(47):
                container.mux(voice.encode(_silence(number)))
            container.mux(voice.encode(None))
    return content.getvalue()


@cache
def sound() -> bytes:
    """A clip of sound alone."""
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream: Any = container.add_stream("aac", rate=48_000, layout="mono")
        for number in range(8):
            container.mux(stream.encode(_silence(number)))
        container.mux(stream.encode(None))
    return content.getvalue()


NUMBER_BITS = 8
NUMBERED_FPS = 24


@cache
def numbered(colour: str, frames: int = 144, width: int = 320, height: int = 180) -> bytes:
    """An MP4 of 24 frames a second whose frames show their numbers.

    Below, the number as `NUMBER_BITS` fields from the highest bit on, white for 1 and black for 0;
    above, nothing but `colour` ("#rrggbb").
    """
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=NUMBERED_FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"g": "12", "preset": "ultrafast"}
        for number in range(frames):
            picture = Image.new("RGB", (width, height), colour)
            for bit in range(NUMBER_BITS):
                is_set = number >> (NUMBER_BITS - 1 - bit) & 1
                left, right = (width * place // NUMBER_BITS for place in (bit, bit + 1))
                picture.paste("white" if is_set else "black", (left, height // 2, right, height))
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, NUMBERED_FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return content.getvalue()


def number_in(picture: Image.Image) -> int:
    """The number that a frame of `numbered` shows, read from a picture of it."""
    bits = [
        picture.getpixel((int(picture.width * (bit + 0.5) / NUMBER_BITS), picture.height * 3 // 4))
        for bit in range(NUMBER_BITS)
    ]
    return int("".join("1" if sum(bit[:3]) > 384 else "0" for bit in bits), 2)  # type: ignore[index]


def _silence(number: int) -> Any:
    frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
    frame.planes[0].update(bytes(4096))
    frame.sample_rate, frame.pts = 48_000, number * 1024
    return frame


def _frame(width: int, height: int, number: int) -> Any:
    """A slope of colours with a bright bar that moves from left to right."""
    row = bytearray()
    for x in range(width):
        is_bar = abs(x - width * number // FRAMES) < max(2, width // 16)
        row += bytes((255, 220, 90)) if is_bar else bytes((30 + 90 * x // width, 40, 120))
    frame = av.VideoFrame(width, height, "rgb24")
    plane = frame.planes[0]
    padding = bytes(plane.line_size - len(row))
    plane.update((bytes(row) + padding) * height)
    return frame
