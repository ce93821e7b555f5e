"""Measures what is made of finished clips, beside the ffmpeg binary, and the memory of a long clip.

    python -m benchmarks.edit [RUNS]

A clip of 20 s (1280x720, 24 frames a second, H.264 with B-frames and a key frame each 10 s, AAC) is
drawn first, and one with a key frame each 2 s: what follows the last one has to be decoded. Their
last frames, a reel of three such clips without encoding, and a contact sheet of 12 frames are made
in turn here and by ffmpeg, and the shortest time of each counts: the machine may be busy. ffmpeg's
times hold its start; ours are those of a kernel that has loaded its libraries. Then every frame of
a clip of ten minutes is read, in a process of its own. Without ffmpeg there are no ratios.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from cometvid_nb.editing.frames import iter_frames, last_frame
from cometvid_nb.editing.joining import hindrances, join
from cometvid_nb.editing.sheet import Subject, make_sheet
from cometvid_nb.editing.survey import survey

MIB = 1 << 20
MOST_RATIO, MOST_EXTRA_MIB = 1.2, 100.0
RATE, SOUND_HZ = 24, 48_000


def draw_clip(path: Path, length_s: int, size: tuple[int, int], key_every_s: int = 10) -> None:
    """Draw a clip of moving waves with a little grain, and a tone."""
    width, height = size
    rng = np.random.default_rng(1)
    grain = rng.integers(0, 24, (8, height, width, 3), np.uint8)
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    waves = (np.sin(across / 60) + np.sin(down / 45) + 2) * 50
    base = np.stack([waves, np.roll(waves, 100, 0), np.roll(waves, 200, 1)], -1).astype(np.uint8)
    with av.open(str(path), "w") as file:
        options = {"preset": "veryfast", "sc_threshold": "0"}  # no key frame but those asked for
        video: Any = file.add_stream("libx264", rate=RATE, options=options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.gop_size = key_every_s * RATE
        track: Any = file.add_stream("aac", rate=SOUND_HZ, layout="mono")
        drawn = [np.roll(base, number * 3, 1) + grain[number % 8] for number in range(RATE)]
        for number in range(length_s * RATE):
            frame = av.VideoFrame.from_ndarray(drawn[number % RATE], format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(video.encode(frame))
            start = number * SOUND_HZ // RATE
            wave = np.sin(np.arange(start, start + SOUND_HZ // RATE) / 20).astype(np.float32)
            heard = av.AudioFrame.from_ndarray(wave[np.newaxis], "fltp", "mono")
            heard.sample_rate, heard.pts = SOUND_HZ, start
            heard.time_base = Fraction(1, SOUND_HZ)
            file.mux(track.encode(heard))
        file.mux(video.encode(None))
        file.mux(track.encode(None))


def reel(clip: Path, folder: Path) -> None:
    """Join three clips, as `%cometvid reel` does."""
    surveys = [survey(clip), survey(clip), survey(clip)]
    assert hindrances(surveys) == []
    join(surveys, folder / "ours.mp4")


def sheet(clip: Path, folder: Path) -> None:
    """Make a contact sheet, as `%cometvid sheet` does."""
    subject = Subject(clip, "video_1", "sora-2", "Waves that move to the right")
    make_sheet([subject]).image.save(folder / "ours.png", compress_level=3)


def last_frames(clip: Path, folder: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return what makes the last frame of a clip here and by ffmpeg."""
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", folder / "last.rgb")
    return (
        lambda: last_frame(clip),
        lambda: ffmpeg("-sseof", "-0.5", "-i", clip, "-update", "1", *raw),
    )


def ffmpeg(*words: str | Path) -> None:
    """Run ffmpeg."""
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)], check=True)


def shortest_s(works: list[Callable[[], object]], runs: int) -> list[float]:
    """Return the shortest time of each work, all in turn."""
    found = [float("inf")] * len(works)
    for _ in range(runs + 1):  # the first round warms up
        for place, work in enumerate(works):
            began_s = time.perf_counter()
            work()
            found[place] = min(found[place], time.perf_counter() - began_s)
    return found


def read_all(clip: Path) -> None:
    """Read every frame of a clip; print how many, and the memory beyond that of the first ten."""
    before_kib = count = 0
    for count, _ in enumerate(iter_frames(clip), 1):
        if count == 10:
            before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--read"]:
        read_all(Path(sys.argv[2]))
        return
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    has_peer = shutil.which("ffmpeg") is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        often = folder / "often.mp4"
        draw_clip(clip, 20, (1280, 720))
        draw_clip(often, 20, (1280, 720), key_every_s=2)
        (folder / "list.txt").write_text(f"file '{clip}'\n" * 3)
        joined = ("-f", "concat", "-safe", "0", "-i", folder / "list.txt", "-c", "copy")
        tiled = "select=not(mod(n\\,43)),scale=350:-1:flags=area,tile=4x3"
        pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "last frame": last_frames(clip, folder),
            "… key frame each 2 s": last_frames(often, folder),
            "reel without encoding": (
                lambda: reel(clip, folder),
                lambda: ffmpeg(*joined, "-movflags", "+faststart", folder / "theirs.mp4"),
            ),
            "sheet of 12 frames": (
                lambda: sheet(clip, folder),
                lambda: ffmpeg("-i", clip, "-vf", tiled, "-frames:v", "1", folder / "theirs.png"),
            ),
        }
        print(f"a clip of 20 s, 1280x720; the shortest of {runs}")
        for what, works in pairs.items():
            ours_s, *theirs_s = shortest_s(list(works if has_peer else works[:1]), runs)
            ratio = f"{theirs_s[0]:6.3f} s  ratio {ours_s / theirs_s[0]:.2f}" if theirs_s else "-"
            print(f"{what:<22} ours {ours_s:6.3f} s  ffmpeg {ratio} (target: {MOST_RATIO} at most)")
        long = folder / "long.mp4"
        draw_clip(long, 600, (640, 360))
        command = [sys.executable, "-m", "benchmarks.edit", "--read", str(long)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        print(
            f"ten minutes: {int(told[0]):,} frames read, {int(told[1]) / 1024:.1f} MiB more than "
            f"after the tenth (target: {MOST_EXTRA_MIB:.0f} MiB at most)"
        )


if __name__ == "__main__":
    main()
