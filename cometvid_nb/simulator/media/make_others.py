"""Makes the simulator's other clips: three with sound, and six that are small and odd.

    python make_others.py [FOLDER]      needs numpy and PyAV (with libx264, libx265 and libvpx)

`make_clips.py` must have drawn the plain ones, whose pictures these show again.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np  # type: ignore[import-not-found, unused-ignore]

RATE_HZ = 48_000
DURATION_S = 4
# A calm chord over two octaves: pitch in Hz, loudness, beat in Hz.
CHORD = ((110.0, 0.30, 0.25), (164.81, 0.22, 0.5), (220.0, 0.16, 0.25), (329.63, 0.1, 0.75))


def sound() -> Any:
    """Return four seconds of a swelling chord as samples of -1..1; it begins and ends silent."""
    time_s = np.arange(RATE_HZ * DURATION_S) / RATE_HZ
    waves = sum(
        level * np.sin(2 * np.pi * pitch * time_s) * (0.7 + 0.3 * np.sin(2 * np.pi * beat * time_s))
        for pitch, level, beat in CHORD
    )
    swell = np.clip(np.minimum(time_s, DURATION_S - time_s) / 0.6, 0, 1)
    return (waves * swell).astype(np.float32)


def pictures(path: Path) -> list[Any]:
    """Return all pictures of a clip."""
    with av.open(str(path)) as clip:
        return list(clip.decode(video=0))


def with_sound(folder: Path, shape: str) -> None:
    """Write `shape`_sound.mp4: the plain clip with a track of AAC."""
    frames = pictures(folder / f"{shape}.mp4")
    exact = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(folder / f"{shape}_sound.mp4"), "w", options=exact) as clip:
        video: Any = clip.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        video.options = {"preset": "veryslow", "crf": "31", "threads": "1"}
        track: Any = clip.add_stream("aac", rate=RATE_HZ, layout="mono")
        track.bit_rate = 48_000
        for number, frame in enumerate(frames):
            told = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), format="yuv420p")
            told.pts, told.time_base = number, Fraction(1, 24)
            clip.mux(video.encode(told))
        clip.mux(video.encode(None))
        samples, step = sound(), 1024
        for start in range(0, len(samples), step):
            piece = samples[np.newaxis, start : start + step]
            heard = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), "fltp", "mono")
            heard.sample_rate, heard.pts = RATE_HZ, start
            heard.time_base = Fraction(1, RATE_HZ)
            clip.mux(track.encode(heard))
        clip.mux(track.encode(None))


def odd(folder: Path, name: str, codec: str, pixels: str, options: dict[str, str]) -> None:
    """Write one second of the landscape, small, in another codec or container."""
    frames = pictures(folder / "landscape.mp4")[::4][:12]
    with av.open(str(folder / name), "w", options={"fflags": "+bitexact"}) as clip:
        video: Any = clip.add_stream(codec, rate=12)
        video.width, video.height, video.pix_fmt = 160, 90, pixels
        video.options = {"threads": "1", **options}
        if codec == "libx265":
            # The name under which Apple's players look for HEVC.
            video.codec_context.codec_tag = "hvc1"
        for number, frame in enumerate(frames):
            told = frame.reformat(160, 90, format=pixels)
            told.pts, told.time_base = number, Fraction(1, 12)
            clip.mux(video.encode(told))
        clip.mux(video.encode(None))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for shape in ("landscape", "portrait", "square"):
        with_sound(folder, shape)
    odd(folder, "other.webm", "libvpx-vp9", "yuv420p", {"crf": "40", "b": "0"})
    odd(folder, "other.gif", "gif", "rgb8", {})
    odd(folder, "other.mov", "libx264", "yuv420p", {"crf": "28"})
    odd(folder, "hevc.mp4", "libx265", "yuv420p", {"crf": "30", "x265-params": "log-level=none"})
    odd(folder, "mp4v.mp4", "mpeg4", "yuv420p", {"qscale": "8"})
    odd(folder, "prores.mov", "prores_ks", "yuv422p10le", {"profile": "0", "qscale": "28"})


if __name__ == "__main__":
    main()
