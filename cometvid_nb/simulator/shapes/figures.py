"""How an answer writes times, and the frame of the clip."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import gcd

from cometvid_nb.simulator.clips import frame_of
from cometvid_nb.simulator.shapes.answer import Dialect, JobJson, without

_TIMES = ("created_at", "completed_at", "expires_at")


def _times_as(write: Callable[[int], object]) -> Dialect:
    def speak(job: JobJson) -> JobJson:
        return {**job, **{name: write(job[name]) for name in _TIMES if job[name] is not None}}

    return speak


def _iso(time_s: int, offset: str) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%S") + offset


TIMES: dict[str, Dialect] = {
    "times_ms": _times_as(lambda time_s: time_s * 1000),
    "times_ms_text": _times_as(lambda time_s: str(time_s * 1000)),
    "times_text": _times_as(str),
    "times_float": _times_as(lambda time_s: time_s + 0.25),
    "times_iso": _times_as(lambda time_s: _iso(time_s, "Z")),
    "times_iso_offset": _times_as(lambda time_s: _iso(time_s, ".250000+00:00")),
    "times_iso_no_zone": _times_as(lambda time_s: _iso(time_s, "")),
    "times_zero": _times_as(lambda _: 0),
    "times_minus": _times_as(lambda _: -1),
}
"""How times are written; 0 and -1 mean that the server does not know."""

Frame = Callable[[int, int, str, str], JobJson]
"""From width, height, and the ratio's two numbers, to the fields that say so."""

FRAMES_SAID: dict[str, Frame] = {
    "frame_16x9": lambda _w, _h, x, y: {"size": f"{x}x{y}"},
    "frame_colon": lambda _w, _h, x, y: {"size": f"{x}:{y}"},
    "frame_star": lambda w, h, _x, _y: {"size": f"{w}*{h}"},
    "frame_sign": lambda w, h, _x, _y: {"size": f"{w}\u00d7{h}"},
    "frame_capital": lambda w, h, _x, _y: {"size": f"{w}X{h}"},
    "frame_720p": lambda w, h, x, y: {"size": f"{min(w, h)}P", "aspect_ratio": f"{x}:{y}"},
    "frame_720p_alone": lambda w, h, _x, _y: {"size": f"{min(w, h)}p"},
    "frame_word": lambda w, h, _x, _y: {"size": "portrait" if h > w else "landscape"},
    "frame_aspect_ratio": lambda _w, _h, x, y: {"aspect_ratio": f"{x}:{y}"},
    "frame_ratio": lambda w, h, x, y: {"ratio": f"{x}:{y}", "resolution": f"{min(w, h)}p"},
    "frame_resolution": lambda w, h, _x, _y: {"resolution": f"{w}x{h}"},
    "frame_width_height": lambda w, h, _x, _y: {"width": w, "height": h},
    "frame_width_height_text": lambda w, h, _x, _y: {"width": str(w), "height": str(h)},
    "frame_in_metadata": lambda w, h, _x, _y: {"metadata": {"width": w, "height": h}},
    "frame_in_video": lambda w, h, _x, _y: {"video": {"width": w, "height": h}},
    "frame_size_object": lambda w, h, _x, _y: {"size": {"width": w, "height": h}},
    "frame_size_list": lambda w, h, _x, _y: {"size": [w, h]},
}
"""How the frame is said; it replaces `size`."""


def _frame_as(say: Frame) -> Dialect:
    def speak(job: JobJson) -> JobJson:
        width, height = frame_of(job["size"])
        shared = gcd(width, height)
        told = say(width, height, str(width // shared), str(height // shared))
        return {**without(job, "size"), **told}

    return speak


FRAMES: dict[str, Dialect] = {name: _frame_as(say) for name, say in FRAMES_SAID.items()}
