"""Clips whose frames carry their own number, as bars that survive a codec."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

BITS = 12
SMALL = (192, 64)
AUDIO_HZ = 48_000
UPRIGHT = (1, 0, 0, 1)
"""The four numbers a, b, c, d of a display matrix; the next turn a picture by 90° clockwise."""
TURNED = (0, 1, -1, 0)


def drawn(number: int, size: tuple[int, int] = SMALL) -> np.ndarray[Any, Any]:
    """A grey frame with `number` as a row of bars, black for 0 and white for 1; highest bit left.

    Its upper half is lighter, so that it has an up and a down.
    """
    width, height = size
    pixels = np.full((height, width, 3), 110, np.uint8)
    pixels[: height // 3] = (200, 60, 60)
    for place in range(BITS):
        left, right = (width * at // BITS for at in (place, place + 1))
        is_set = number >> (BITS - 1 - place) & 1
        pixels[height // 3 :, left:right] = 235 if is_set else 20
    return pixels


def number_in(pixels: Any) -> int:
    """The number that is drawn into a frame of any size."""
    array = np.asarray(pixels)
    height, width, _ = array.shape
    row = array[height * 2 // 3, :, :].mean(axis=1)
    middles = [int((place + 0.5) * width / BITS) for place in range(BITS)]
    return sum(int(row[at] > 128) << (BITS - 1 - place) for place, at in enumerate(middles))


def make(
    path: Path,
    count: int = 24,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: int = 24,
    size: tuple[int, int] = SMALL,
    stamps: Iterable[int] | None = None,
    options: dict[str, str] | None = None,
    sound_hz: int | None = None,
    layout: str = "stereo",
    sound_s: float | None = None,
    aspect: Fraction | None = None,
    container: dict[str, str] | None = None,
    first: int = 0,
) -> Path:
    """Make a clip of `count` frames, numbered from `first`; return its path.

    `stamps`: when each is shown, in frames of `rate`; None: one after the other. `sound_hz`: with a
    tone, as long as the pictures, or `sound_s`.
    """
    with av.open(str(path), "w", options=container or {}) as file:
        video: Any = file.add_stream(codec, rate=rate)
        video.width, video.height, video.pix_fmt = *size, pixels
        video.options = {"threads": "1", **(options or {})}
        video.time_base = video.codec_context.time_base = Fraction(1, rate)
        if aspect is not None:
            video.codec_context.sample_aspect_ratio = aspect
        track: Any = None
        if sound_hz is not None:
            name = "libopus" if path.suffix == ".webm" else "aac"
            track = file.add_stream(name, rate=sound_hz, layout=layout)
        for number, stamp in zip(range(count), stamps or range(count), strict=False):
            told = av.VideoFrame.from_ndarray(drawn(first + number, size)).reformat(format=pixels)
            told.pts, told.time_base = stamp, Fraction(1, rate)
            file.mux(video.encode(told))
        file.mux(video.encode(None))
        if track is not None:
            file.mux(_tone(track, sound_hz or AUDIO_HZ, layout, sound_s or count / rate))
            file.mux(track.encode(None))
    return path


def _tone(track: Any, rate_hz: int, layout: str, length_s: float) -> list[Any]:
    channels = {"mono": 1, "stereo": 2}[layout]
    wave = np.sin(2 * np.pi * 440 * np.arange(round(rate_hz * length_s)) / rate_hz)
    packets = []
    for start in range(0, len(wave), 960):
        piece = np.tile(wave[start : start + 960].astype(np.float32), (channels, 1))
        heard = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), "fltp", layout)
        heard.sample_rate, heard.pts, heard.time_base = rate_hz, start, Fraction(1, rate_hz)
        packets += track.encode(heard)
    return packets


def turn(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into the first track of an MP4; return its path."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 44
    one = 1 << 16
    content[at : at + 36] = struct.pack(
        ">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30
    )
    path.write_bytes(content)
    return path


def every_frame(path: Path) -> list[Any]:
    """Every frame of a clip in the order of showing, by decoding all of it."""
    with av.open(str(path)) as file:
        return sorted(file.decode(video=0), key=lambda frame: frame.pts)
