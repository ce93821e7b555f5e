"""Joining: several clips one after the other in one file, packet by packet, nothing encoded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from .opened import opened
from .survey import Survey, differences, obstacles, packets_of

FINEST_TICK = Fraction(1, 1 << 30)
"""An MP4 counts its ticks a second in 32 bits."""
_OF_WEBM = ("vp8", "vp9", "av1", "opus", "vorbis")


def hindrances(clips: Sequence[Survey]) -> list[tuple[Path, str]]:
    """Why clips cannot be joined without being encoded, each with its file; empty: they can."""
    first = clips[0]
    found: list[tuple[Path, str]] = []
    for clip in clips:
        words = [*obstacles(clip), *(differences(first, clip) if clip is not first else [])]
        found += [(clip.path, word) for word in words]
    return found


def beginnings_s(clips: Sequence[Survey]) -> list[Fraction]:
    """When each of the clips begins: after all pictures of the one before have been shown.

    And late enough for the packets of its sound, which begin with a run-up of the encoder: those of
    two clips must not overlap. That is some hundredths of a second, while which the last picture
    stays. Sound and pictures of a clip keep their distance.
    """
    found = [Fraction(0)]
    for before, after in pairwise(clips):
        waits_s = [before.pictures.end_pts * before.pictures.tick - before.origin_s]
        for one, other in zip(before.tracks, after.tracks, strict=True):
            ticks = 1 if one is before.pictures else one.last_ticks
            end_s = (one.last_dts + ticks) * one.tick - before.origin_s
            waits_s.append(end_s - (other.first_dts * other.tick - after.origin_s))
        found.append(found[-1] + max(waits_s))
    return found


def container_of(clip: Survey) -> str:
    """The container that a clip's packets go into again: mp4, webm or matroska."""
    if clip.container.startswith("mov,"):
        return "mp4" if clip.pictures.codec != "prores" else "mov"
    return "webm" if all(one.codec in _OF_WEBM for one in clip.tracks) else "matroska"


def join(
    clips: Sequence[Survey], part: Path, on_progress: Callable[[float], None] = lambda share: None
) -> None:
    """Write the clips, which have no `hindrances`, into the file `part`, one after the other.

    All packets of pictures and sound are kept, and those of a clip are as far apart as they were.
    `on_progress` is told the share that is done.

    Raises:
        EditError: a clip cannot be read any more.
    """
    import av

    kind = container_of(clips[0])
    options = {"movflags": "+faststart"} if kind in ("mp4", "mov") else {}
    done, total = 0, sum(track.packets for clip in clips for track in clip.tracks)
    with av.open(str(part), "w", format=kind, options=options) as file:
        made: list[Any] = []
        for clip, begin_s in zip(clips, beginnings_s(clips), strict=True):
            with opened(clip.path) as source:
                streams = [source.stream, source.sound][: len(clip.tracks)]
                if not made:
                    made = [file.add_stream_from_template(one) for one in streams]
                    for number, stream in enumerate(made):
                        stream.time_base = _common_tick(one.tracks[number].tick for one in clips)
                    file.start_encoding()  # the container may choose other ticks
                moves = {
                    stream.index: _Move(stream, mine, begin_s - clip.origin_s)
                    for stream, mine in zip(streams, made, strict=True)
                }
                for packet in packets_of(source):
                    moves[packet.stream.index].move(packet)
                    file.mux_one(packet)
                    done += 1
                    if done % 64 == 0:
                        on_progress(done / total)


class _Move:
    """Moves packets of one stream into another one, later by `by_s`."""

    def __init__(self, source: Any, made: Any, by_s: Fraction) -> None:
        self._made = made
        self._tick = made.time_base
        ratio = Fraction(source.time_base) / Fraction(self._tick)
        self._many, self._of = ratio.numerator, ratio.denominator
        # One shift for all, so that what was evenly spaced stays so; up, so that none overlaps.
        self._shift = math.ceil(by_s / Fraction(self._tick))

    def move(self, packet: Any) -> None:
        pts, dts, ticks = packet.pts, packet.dts, packet.duration
        packet.stream = self._made
        packet.time_base = self._tick
        packet.pts = None if pts is None else self._scaled(pts) + self._shift
        packet.dts = None if dts is None else self._scaled(dts) + self._shift
        packet.duration = self._scaled(ticks or 0)

    def _scaled(self, ticks: int) -> int:
        return (2 * ticks * self._many + self._of) // (2 * self._of)


def _common_tick(ticks: Iterable[Fraction]) -> Fraction:
    """The longest tick that all of some are whole multiples of, if a container can count in it."""
    common = Fraction(1, math.lcm(*(tick.denominator for tick in ticks)))
    return max(common, FINEST_TICK)
