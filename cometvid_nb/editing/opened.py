"""Opened: the pictures of a clip, decoded from where they are wanted on.

Times are seconds from the beginning, as a player's bar counts them. Stamps are the same in ticks of
the clip's own clock.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..clips.posters import MOST_FRAME_PIXELS
from ..errors import EditError
from .extra import check_extra

MOST_THREADS = 8
"""Each thread of a decoder holds some frames, and one of 4K has 12 MB."""
BACK_S = (0, 1, 5, 25)
"""How far before the wanted time a decoder begins, one after the other, until it shows what was
there: an index may count in decoding order, or name what an edit list has cut away."""
_PAINTED = ("gif", "apng", "webp", "webp_anim")
"""Codecs whose frames are painted over the earlier ones, so that all are decoded."""
_ATTACHED = 0x400
"""The disposition of a cover picture, which is no video (AV_DISPOSITION_ATTACHED_PIC)."""


class OpenClip:
    """A clip that is open for reading; `opened` makes one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_read = False
        self._open()

    def _open(self) -> None:
        import av

        # Its header may be small and its pictures large: the decoders keep to the limit, too.
        limits = {"max_pixels": str(MOST_FRAME_PIXELS)}
        try:
            # The whole path, and no other protocol: neither a name nor a playlist leads elsewhere.
            self.container: Any = av.open(
                str(self.path.absolute()), options={"protocol_whitelist": "file", **limits}
            )
        except (OSError, ValueError, av.error.FFmpegError) as error:
            raise EditError(f"{self.path} cannot be read as a clip: {_reason(error)}.") from None
        self.stream: Any = video_of(self.container)
        if self.stream is None:
            self.close()
            raise EditError(f"{self.path.name} has no pictures.")
        context = self.stream.codec_context
        if context.width * context.height > MOST_FRAME_PIXELS:
            self.close()
            raise EditError(
                f"The pictures of {self.path.name} are too large: {context.width}x{context.height}."
            )
        context.options = limits
        context.thread_type = "AUTO"
        context.thread_count = min(MOST_THREADS, os.cpu_count() or 1)
        self.tick = Fraction(self.stream.time_base)
        # A negative start is the priming of a sound track; a player's bar begins after that.
        begun_s = Fraction(max(0, self.container.start_time or 0), 1_000_000)
        self.origin = round(begun_s / self.tick)

    @property
    def sound(self) -> Any:
        """The stream of its sound, or None."""
        return self.container.streams.best("audio")

    def first(self) -> Any:
        """The first frame.

        Raises:
            EditError: no frame can be decoded.
        """
        frame = next(self.frames(), None)
        if frame is None:
            raise self.undecodable()
        return frame

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def time_s(self, stamp: int) -> float:
        """The time of a stamp."""
        return float((stamp - self.origin) * self.tick)

    def stamp(self, time_s: float) -> int:
        """The stamp of a time; the nearest, as WebM rounds its own to milliseconds."""
        return round(Fraction(time_s) / self.tick) + self.origin

    @property
    def frame_ticks(self) -> int:
        """How long a frame is shown, in ticks, where nothing else tells."""
        rate = self.stream.average_rate or self.stream.guessed_rate
        return max(1, round(1 / (Fraction(rate) * self.tick))) if rate else 1

    @property
    def length_s(self) -> float:
        """How long the pictures go on: until the end of the last frame."""
        end = self.last_stamp() + self.frame_ticks
        if self.stream.duration:
            end = max(end, (self.stream.start_time or 0) + self.stream.duration)
        return self.time_s(end)

    def frames(
        self, since: int | None = None, *, only: Collection[int] | None = None
    ) -> Iterator[Any]:
        """Frames in the order of showing, from the one that is shown at the stamp `since` on.

        They may begin earlier. None: from the start. `only`: no more need be decoded than the
        frames of these stamps, and what they are made of.
        """
        if self.stream.codec_context.name in _PAINTED:
            since = None
        for back_s in (*BACK_S, None) if since is not None else (None,):
            if not self._go_to(since, back_s):
                continue
            frames = self._decode(only)
            first = next(frames, None)
            if first is None or (back_s is not None and first.pts > (since or 0)):
                continue  # nothing there, or begun too late
            yield first
            yield from frames
            return

    def at(self, stamps: Iterable[int]) -> Iterator[Any]:
        """The frame that is shown at each of some stamps, which ascend; after the end, the last.

        What lies between two of them is jumped over where the clip has an index.

        Raises:
            EditError: no frame can be decoded.
        """
        stamps = list(stamps)
        frames: Iterator[Any] = iter(())
        held = ahead = None
        only = self._shown_at(stamps) if self._can_spare else None
        for stamp in stamps:
            if held is None or (ahead is not None and self._key_before(stamp) > ahead.pts):
                is_inside = stamp > (self.stream.start_time or 0)
                frames = self.frames(stamp if is_inside else None, only=only)
                held, ahead = None, next(frames, None)
            while ahead is not None and (held is None or ahead.pts <= stamp):
                held, ahead = ahead, next(frames, None)
            if held is None:
                raise self.undecodable()
            yield held

    def last_stamp(self) -> int:
        """The stamp of the last frame, as the packets have it: none is decoded.

        Raises:
            EditError: there is no packet of a picture.
        """
        length = self.stream.duration
        if not length:
            length = round(Fraction(self.container.duration or 0, 1_000_000) / self.tick)
        end = (self.stream.start_time or 0) + length
        for back_s in (*BACK_S, None):
            if not self._go_to(end, back_s):
                continue
            shown = (stamp_of(one) for one in self._packets() if not one.is_discard)
            last = max(shown, default=None)
            if last is not None:
                return last
        raise self.undecodable()

    def last(self) -> Any:
        """The last frame in the order of showing, decoded from the last key frame on.

        Raises:
            EditError: no frame can be decoded.
        """
        stamp = self.last_stamp()
        for only in ((stamp,), None) if self._can_spare else (None,):
            last = None
            for frame in self.frames(stamp, only=only):
                if last is None or frame.pts >= last.pts:
                    last = frame
            if last is not None and (only is None or last.pts == stamp):
                return last
        raise self.undecodable()

    @property
    def _can_spare(self) -> bool:
        """Whether its frames say which of them no other one needs; in HEVC that means less."""
        return bool(self.stream.codec_context.name == "h264")

    def _shown_at(self, stamps: Iterable[int]) -> frozenset[int]:
        """The stamps of the frames that are shown at some moments, as the packets have them."""
        if not self._go_to(self.stream.start_time or 0, 0):
            self._go_to(None, None)
        known = sorted(stamp_of(one) for one in self._packets() if not one.is_discard)
        places = (bisect_right(known, stamp) - 1 for stamp in stamps)
        return frozenset(known[max(0, place)] for place in places) if known else frozenset()

    def undecodable(self) -> EditError:
        """What to raise where nothing of its pictures can be decoded."""
        return EditError(f"No frame of {self.path.name} can be decoded.")

    def _key_before(self, stamp: int) -> int:
        """The stamp of the index's last key frame before `stamp`; or a very early one."""
        entries = self.stream.index_entries
        number = entries.search_timestamp(stamp)
        return int(entries[number].timestamp) if number >= 0 else -(1 << 62)

    def _go_to(self, stamp: int | None, back_s: int | None) -> bool:
        """Go to the key frame before `stamp` less `back_s`, or to the start; False: it cannot."""
        import av

        if stamp is None or back_s is None:
            if self._is_read:  # not all formats can be sought in, but all can be opened
                self.close()
                self._open()
            self._is_read = False
            return True
        try:
            self.container.seek(stamp - round(back_s / self.tick), stream=self.stream)
        except av.error.FFmpegError:
            return False
        self._is_read = True
        return True

    def _packets(self) -> Iterator[Any]:
        """The packets from here on. A file that breaks off ends there."""
        import av

        self._is_read = True
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                return
            if packet is None:
                return
            if packet.size:
                yield packet

    def _decode(self, only: Collection[int] | None) -> Iterator[Any]:
        """The frames from here on. What cannot be decoded is left out."""
        context, latest = self.stream.codec_context, None
        for packet in self._with_end():
            if only is not None and packet is not None:
                is_it = stamp_of(packet) in only
                context.skip_frame = "DEFAULT" if is_it else "NONREF"
            for frame in decoded(context, packet):
                if frame.pts is None:  # AVI counts in decoding order, raw streams not at all
                    frame.pts = frame.dts
                if frame.pts is None:
                    frame.pts = latest + self.frame_ticks if latest is not None else self.origin
                latest = frame.pts
                yield frame

    def _with_end(self) -> Iterator[Any]:
        yield from self._packets()
        yield None


@contextmanager
def opened(path: Path) -> Iterator[OpenClip]:
    """The clip in the file `path`, open for reading.

    Raises:
        EditError: it cannot be read, has no pictures or too large ones, or a library is missing.
    """
    check_extra()
    clip = OpenClip(path)
    try:
        yield clip
    finally:
        clip.close()


def decoded(context: Any, packet: Any) -> list[Any]:
    """The frames that a packet brings, or at the end, with None, the last ones; none if broken."""
    import av

    try:
        return list(context.decode(packet))
    except (av.error.FFmpegError, EOFError):
        return []


def video_of(container: Any) -> Any:
    """The stream of pictures of an open file; None: it has none but perhaps a cover."""
    best = container.streams.best("video")
    every = [best, *container.streams.video] if best is not None else []
    return next((one for one in every if not int(one.disposition) & _ATTACHED), None)


def stamp_of(packet: Any) -> int:
    """When the frame of a packet is shown, in ticks."""
    stamp = packet.pts if packet.pts is not None else packet.dts
    return int(stamp or 0)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
