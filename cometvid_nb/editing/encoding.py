"""Encoding: clips into one file of H.264 and AAC, which plays in every browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import EditError
from .frames import HD_LINES, UNNAMED, shown_size, turn_of
from .opened import OpenClip, decoded, opened
from .survey import Survey

ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf", "h264_nvenc")
"""Of H.264, the best first; PyAV's own wheels have the first two."""
_OPTIONS = {"libx264": {"crf": "17", "preset": "fast"}}
TICK = Fraction(1, 120_000)
"""In which 24, 25, 30, 50, 60 frames a second and 24000/1001, 30000/1001 are whole numbers."""
SOUND_HZ = 48_000
GAP_S = 0.05
"""So much may the stamps of a sound be off before that is taken for a pause."""
_BT709, _BT601 = 1, 6
"""AVCOL_SPC_BT709, AVCOL_SPC_SMPTE170M."""


def encode(
    clips: Sequence[Survey], part: Path, on_progress: Callable[[float], None] = lambda share: None
) -> None:
    """Write clips one after the other into the MP4 `part`, in H.264 (yuv420p) and AAC.

    In the size in which a player shows the first one, upright, its sides even; the others are
    fitted into that, with black beside them. Each picture keeps its time. Sounds become like the
    first one there is, and where a clip has none there is silence. `on_progress` is told the share
    that is done.

    Raises:
        EditError: a clip cannot be read any more, or this PyAV has no encoder for H.264.
    """
    import av

    total_s, begin_s = sum(clip.length_s for clip in clips), Fraction(0)
    sound = next((clip.sound for clip in clips if clip.sound is not None), None)
    options = {"movflags": "+faststart"}
    with av.open(str(part), "w", format="mp4", options=options) as file:
        with opened(clips[0].path) as first:
            pictures = _Pictures(file, first)
        heard = _Sound(file, clips) if sound is not None else None
        for clip in clips:
            pictures.begin(begin_s)
            if heard is not None:
                heard.begin(begin_s)
            with opened(clip.path) as source:
                for kind, frame, time_s in _decoded(source, with_sound=heard is not None):
                    if kind == "video":
                        pictures.add(source, frame, time_s)
                        on_progress(float((begin_s + time_s) / total_s))
                    elif heard is not None:
                        heard.add(frame, time_s)
            begin_s += clip.length_s
            if heard is not None:
                heard.fill(begin_s)
        pictures.end()
        if heard is not None:
            heard.end()


def plays_everywhere(clip: Survey) -> bool:
    """Whether every browser plays a clip as it is."""
    pictures, sound = clip.pictures, clip.sound
    is_plain = pictures.codec == "h264" and pictures.kind in ("yuv420p", "yuvj420p")
    return (
        is_plain
        and clip.container.startswith("mov,")
        and (sound is None or sound.codec in ("aac", "mp3"))
    )


def encoder_of_h264() -> str:
    """The name of the best encoder that this PyAV has.

    Raises:
        EditError: it has none.
    """
    import av

    for name in ENCODERS:
        try:
            return av.codec.Codec(name, "w").name
        except ValueError:
            continue
    raise EditError("This PyAV cannot encode H.264.", advice="Run %pip install --upgrade av.")


def _decoded(clip: OpenClip, *, with_sound: bool) -> Iterator[tuple[str, Any, Fraction]]:
    """The frames of pictures and sound as the file has them, each with its time in seconds."""
    streams = [clip.stream, *([clip.sound] if with_sound and clip.sound is not None else [])]
    origin_s = clip.origin * clip.tick
    for packet in clip.container.demux(streams):
        stream = packet.stream
        for frame in decoded(stream.codec_context, packet if packet.size else None):
            stamp = frame.pts if frame.pts is not None else frame.dts
            if stamp is not None:
                tick = Fraction(frame.time_base or stream.time_base)
                yield stream.type, frame, stamp * tick - origin_s


class _Pictures:
    """The stream of pictures of a new file, like those of `first`."""

    def __init__(self, file: Any, first: OpenClip) -> None:
        frame = first.first()
        width, height = shown_size(first.stream, frame)
        width, height = max(2, width + width % 2), max(2, height + height % 2)
        rate = first.stream.average_rate or Fraction(24)
        name = encoder_of_h264()
        self._file = file
        self._stream: Any = file.add_stream(name, rate=rate, options=dict(_OPTIONS.get(name, {})))
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = TICK
        self._matrix = _BT709 if height >= HD_LINES else _BT601
        context.colorspace, context.color_range = self._matrix, 1
        self._graphs: dict[tuple[Any, ...], _Graph] = {}
        self._begin_s = Fraction(0)
        self._latest = -1

    def begin(self, begin_s: Fraction) -> None:
        """The next frames are those of a clip that begins then."""
        self._begin_s = begin_s
        self._graphs.clear()

    def add(self, clip: OpenClip, frame: Any, time_s: Fraction) -> None:
        """Encode one frame."""
        key = (frame.width, frame.height, frame.format.name)
        if key not in self._graphs:
            size = (self._stream.width, self._stream.height)
            self._graphs[key] = _Graph(clip, frame, size, self._matrix)
        made = self._graphs[key].through(frame)
        made.pts, made.time_base = round((self._begin_s + time_s) / TICK), TICK
        if made.pts <= self._latest:
            return  # two at one time: a player shows one of them
        made.pict_type = 0  # the encoder chooses
        self._latest = made.pts
        self._file.mux(self._stream.encode(made))

    def end(self) -> None:
        self._file.mux(self._stream.encode(None))


class _Graph:
    """Turns frames upright, fits them into a size, and gives them square pixels and yuv420p."""

    def __init__(self, clip: OpenClip, frame: Any, size: tuple[int, int], matrix: int) -> None:
        import av

        width, height = shown_size(clip.stream, frame)
        scale = min(Fraction(size[0], width), Fraction(size[1], height))
        fitted = [max(2, round(side * scale / 2) * 2) for side in (width, height)]
        across, down, is_turned = turn_of(frame)
        steps: list[tuple[str, str]] = []
        if is_turned:
            steps.append(("transpose", "cclock_flip"))  # the two axes swapped, nothing else
        steps += [("hflip", "")] if across < 0 else []
        steps += [("vflip", "")] if down < 0 else []
        words = f"{fitted[0]}:{fitted[1]}:flags=bicubic:out_range=tv"
        if not frame.format.is_rgb:
            words += f":in_color_matrix={_matrix_of(frame)}"
        words += f":out_color_matrix={'bt709' if matrix == _BT709 else 'bt601'}"
        steps += [("scale", words), ("pad", f"{size[0]}:{size[1]}:(ow-iw)/2:(oh-ih)/2")]
        steps += [("setsar", "1"), ("format", "yuv420p")]
        self._graph: Any = av.filter.Graph()
        nodes = [
            self._graph.add_buffer(
                width=frame.width,
                height=frame.height,
                format=frame.format,
                time_base=clip.tick,
            ),
            *(self._graph.add(*step) if step[1] else self._graph.add(step[0]) for step in steps),
            self._graph.add("buffersink"),
        ]
        self._graph.link_nodes(*nodes).configure()

    def through(self, frame: Any) -> Any:
        self._graph.push(frame)
        return self._graph.pull()


def _matrix_of(frame: Any) -> str:
    if frame.colorspace == UNNAMED:
        return "bt709" if frame.height >= HD_LINES else "bt601"
    return {1: "bt709", 9: "bt2020", 10: "bt2020"}.get(frame.colorspace, "bt601")


class _Sound:
    """The stream of sound of a new file, without pauses: silence fills them."""

    def __init__(self, file: Any, clips: Sequence[Survey]) -> None:
        sound = next(clip.sound for clip in clips if clip.sound is not None)
        rate, _, channels = sound.form.partition(" Hz, ")
        self._rate = int(rate) if 16_000 <= int(rate) <= SOUND_HZ else SOUND_HZ
        self._layout = "mono" if channels == "mono" else "stereo"
        self._file = file
        self._stream: Any = file.add_stream("aac", rate=self._rate, layout=self._layout)
        self._stream.bit_rate = 192_000
        self._begin_s = Fraction(0)
        self._written = 0
        self._expected_s: Fraction | None = None
        self._resampler: Any = None
        self._renew()

    def begin(self, begin_s: Fraction) -> None:
        """The next frames are those of a clip that begins then."""
        self._begin_s = begin_s
        self._renew()

    def add(self, frame: Any, time_s: Fraction) -> None:
        """Encode a piece of sound."""
        if self._expected_s is None or time_s > self._expected_s + Fraction(GAP_S):
            self.fill(self._begin_s + time_s)
        self._expected_s = time_s + Fraction(frame.samples, frame.sample_rate)
        frame.pts = None
        for made in self._resampler.resample(frame):
            self._write(made.to_ndarray())

    def fill(self, until_s: Fraction) -> None:
        """Encode what is left in the resampler, then silence until so many seconds."""
        import numpy as np

        if self._expected_s is not None:
            for made in self._resampler.resample(None):
                self._write(made.to_ndarray())
            self._renew()
        channels = 1 if self._layout == "mono" else 2
        missing = round(until_s * self._rate) - self._written
        for start in range(0, max(0, missing), SOUND_HZ):
            count = min(SOUND_HZ, missing - start)
            self._write(np.zeros((channels, count), np.float32))

    def _renew(self) -> None:
        import av

        self._expected_s = None
        self._resampler = av.AudioResampler("fltp", self._layout, self._rate)

    def _write(self, samples: Any) -> None:
        import av
        import numpy as np

        if not samples.shape[1]:
            return
        piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", self._layout)
        piece.sample_rate, piece.pts = self._rate, self._written
        piece.time_base = Fraction(1, self._rate)
        self._written += samples.shape[1]
        self._file.mux(self._stream.encode(piece))

    def end(self) -> None:
        self._file.mux(self._stream.encode(None))
