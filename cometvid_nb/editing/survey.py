"""Survey: what a clip's file is made of, as far as it matters to whoever joins clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .frames import turn_of
from .opened import OpenClip, decoded, opened

PRIMING_S = 0.15
"""Sound may begin so much earlier than the clip: its encoder's run-up, which players cut away."""


@dataclass(frozen=True, slots=True)
class Track:
    """The pictures or the sound of a clip. Times are in ticks of `tick` seconds."""

    codec: str
    parameters: bytes
    """What its decoder has to know first: parameter sets, AudioSpecificConfig and the like."""
    form: str
    """Its size, or its sample rate and channels, in words."""
    kind: str
    """Of its pixels or samples, such as `yuv420p`."""
    tick: Fraction
    first_dts: int
    """When the first packet is decoded; before the beginning where there is a run-up."""
    first_pts: int
    last_dts: int
    last_ticks: int
    """How long the last packet in decoding order goes on; of a sound the longest one, as the last
    is often said to be shorter than what is decoded of it."""
    end_pts: int
    """When the last one of all ends."""
    packets: int
    is_cut: bool
    """Whether packets are there that players do not show, beyond the run-up of a sound."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a clip is made of. `origin_s` is where its clock stands at its beginning."""

    path: Path
    container: str
    origin_s: Fraction
    pictures: Track
    turn: tuple[int, int, bool]
    """How players turn its pictures; see `frames.turn_of`."""
    aspect: Fraction
    """Of a pixel: width over height."""
    sound: Track | None

    @property
    def tracks(self) -> list[Track]:
        """The pictures, and the sound if there is any."""
        return [self.pictures, *([self.sound] if self.sound is not None else [])]

    @property
    def length_s(self) -> Fraction:
        """How long it plays: until pictures and sound have ended."""
        return max(track.end_pts * track.tick for track in self.tracks) - self.origin_s


def survey(path: Path) -> Survey:
    """What the clip in a file is made of; its packets are read, and one frame is decoded.

    Raises:
        EditError: the file cannot be read as a clip with pictures.
    """
    with opened(path) as clip:
        pictures, sound = clip.stream, clip.sound
        context, first = pictures.codec_context, None
        context.thread_count = 1  # for one frame
        tallies = {one.index: _Tally(one) for one in (pictures, sound) if one is not None}
        for packet in packets_of(clip):
            tallies[packet.stream.index].add(packet)
            if first is None and packet.stream is pictures:
                first = next(iter(decoded(context, packet)), None)
        if first is None:
            first = next(iter(decoded(context, None)), None)
        if first is None:
            raise clip.undecodable()
        return Survey(
            path,
            clip.container.format.name,
            clip.origin * clip.tick,
            tallies[pictures.index].track(pictures, f"{context.width}x{context.height}"),
            turn_of(first),
            Fraction(pictures.sample_aspect_ratio or 1) or Fraction(1),
            tallies[sound.index].track(sound, _form_of_sound(sound)) if sound is not None else None,
        )


def packets_of(clip: OpenClip) -> Iterator[Any]:
    """All packets of pictures and sound of a clip, in the order of the file, each with a `dts`.

    Matroska stores none, and the first ones cannot be told until as many packets have come as its
    decoder puts into another order: these wait for the next one and count back from it.
    """
    streams = [clip.stream] if clip.sound is None else [clip.stream, clip.sound]
    waiting: dict[int, list[Any]] = {one.index: [] for one in streams}
    for packet in clip.container.demux(streams):
        if not packet.size:
            continue
        early = waiting[packet.stream.index]
        if packet.dts is None:
            early.append(packet)
            continue
        yield from _dated(early, packet.dts)
        early.clear()
        yield packet
    for early in waiting.values():  # a clip of fewer frames than that
        yield from _dated(early, min((one.pts or 0 for one in early), default=0))


def _dated(packets: Sequence[Any], next_dts: int) -> Iterator[Any]:
    for back, packet in zip(range(len(packets), 0, -1), packets, strict=True):
        packet.dts = next_dts - back * max(1, packet.duration or 1)
        yield packet


def differences(one: Survey, other: Survey) -> list[str]:
    """What keeps `other` from following `one` without being encoded anew, in words."""
    found = [
        *_differ("container", _container(one), _container(other)),
        *_track_differs("", one.pictures, other.pictures),
        *_differ("rotation", _turn_word(one), _turn_word(other)),
        *_differ("shape of pixels", str(one.aspect), str(other.aspect)),
    ]
    if (one.sound is None) != (other.sound is None):
        found.append("one has sound, the other has none")
    elif one.sound is not None and other.sound is not None:
        found += _track_differs("sound: ", one.sound, other.sound)
    return found


def obstacles(clip: Survey) -> list[str]:
    """What keeps a clip from being joined to others without being encoded anew, in words."""
    found = []
    if not clip.container.startswith(("mov,", "matroska")):
        found.append(f"its container ({clip.container}) cannot be joined")
    if any(track.is_cut for track in clip.tracks):
        found.append("an edit list cuts a part of it away")
    return found


class _Tally:
    """Counts the packets of one stream."""

    def __init__(self, stream: Any) -> None:
        self._tick = Fraction(stream.time_base)
        rate = getattr(stream, "average_rate", None)
        self._usual = round(1 / (Fraction(rate) * self._tick)) if rate else 0
        self._is_sound = stream.type == "audio"
        self._firsts: tuple[int, int] | None = None
        self._last = (0, 0)
        self._end = 0
        self._count = 0
        self._hidden = 0

    def add(self, packet: Any) -> None:
        dts = packet.dts if packet.dts is not None else packet.pts
        pts = packet.pts if packet.pts is not None else dts
        ticks = packet.duration or self._usual
        self._end = max(self._end, pts + ticks)
        first_dts, first_pts = self._firsts or (dts, pts)
        self._firsts = min(first_dts, dts), min(first_pts, pts)
        if self._is_sound:
            ticks = max(ticks, self._last[1])
        self._last, self._count = (dts, ticks), self._count + 1
        if packet.is_discard:
            self._hidden += ticks

    def track(self, stream: Any, form: str) -> Track:
        context = stream.codec_context
        first_dts, first_pts = self._firsts or (0, 0)
        most_s = PRIMING_S if self._is_sound else 0
        return Track(
            context.codec.canonical_name,
            bytes(context.extradata or b""),
            form,
            str(context.format.name) if context.format is not None else "",
            self._tick,
            first_dts,
            first_pts,
            *self._last,
            self._end,
            self._count,
            self._hidden * self._tick > most_s,
        )


def _form_of_sound(stream: Any) -> str:
    context = stream.codec_context
    return f"{context.sample_rate} Hz, {context.layout.name}"


def _track_differs(of: str, one: Track, other: Track) -> list[str]:
    found = [
        *_differ(f"{of}codec", one.codec, other.codec),
        *_differ(f"{of}{'channels' if of else 'size'}", one.form, other.form),
        *_differ(f"{of}{'samples' if of else 'pixels'}", one.kind, other.kind),
    ]
    if not found and one.parameters != other.parameters:
        found.append(f"{of}the parameter sets of {one.codec} differ: other encoder settings")
    return found


def _differ(name: str, one: str, other: str) -> list[str]:
    return [] if one == other else [f"{name}: {other}, not {one}"]


def _container(clip: Survey) -> str:
    return "WebM" if clip.container.startswith("matroska") else "MP4"


def _turn_word(clip: Survey) -> str:
    across, down, is_turned = clip.turn
    if (across, down, is_turned) == (1, 1, False):
        return "none"
    words = {(-1, 1, True): "90°", (1, -1, True): "270°", (-1, -1, False): "180°"}
    return words.get(clip.turn, "mirrored")
