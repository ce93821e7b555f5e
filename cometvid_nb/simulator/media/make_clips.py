"""Draws the simulator's clips: three four-second scenes, each with its thumbnail and spritesheet.

    python make_clips.py [FOLDER]        needs numpy and an ffmpeg with libx264 and libwebp

Everything is computed, nothing is downloaded, and the same versions of numpy and ffmpeg give the
same bytes. The clips have 24 frames a second, H.264 4:2:0 and the index in front (faststart), so
that every browser plays them at once. Width and height are half of what the simulator declares
(640x360 for 1280x720): the ratio is the same and the wheel stays small. The word "simulated" in a
corner keeps pictures of the product from passing for a model's work.

Light is added in linear space and tone-mapped at the end, because only then does a glow look like
light.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Not a dependency of the package: only redrawing the clips needs numpy.
import numpy as np  # type: ignore[import-not-found, unused-ignore]

Array = Any  # np.ndarray; a plain name keeps type checks possible where numpy is not installed
FRAMES_PER_S = 24
DURATION_S = 4
FRAME_COUNT = FRAMES_PER_S * DURATION_S

# The letters of the word in the corner, one string per row. A font file would differ between
# machines, and with it the bytes of the clips.
GLYPHS = {
    "s": ("", "", ".###", "#...", ".##.", "...#", "###."),
    "i": ("#", "", "#", "#", "#", "#", "#"),
    "m": ("", "", "##.#.", "#.#.#", "#.#.#", "#.#.#", "#.#.#"),
    "u": ("", "", "#..#", "#..#", "#..#", "#..#", ".###"),
    "l": ("#", "#", "#", "#", "#", "#", "#"),
    "a": ("", "", ".##.", "...#", ".###", "#..#", ".###"),
    "t": (".#.", ".#.", "###", ".#.", ".#.", ".#.", "..#"),
    "e": ("", "", ".##.", "#..#", "####", "#...", ".###"),
    "d": ("...#", "...#", ".###", "#..#", "#..#", "#..#", ".###"),
}


@dataclass(frozen=True, slots=True)
class Canvas:
    """The pixel grid of a scene: `x` and `y` in pixels, shaped (height, width)."""

    width: int
    height: int
    x: Array
    y: Array

    @classmethod
    def of(cls, width: int, height: int) -> Canvas:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        return cls(width, height, x, y)


Scene = Callable[[Canvas], Callable[[float], Array]]  # canvas -> (phase 0..1 -> linear RGB frame)


def rgb(code: str) -> Array:
    """Return a colour "#rrggbb" as linear light."""
    srgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return srgb**2.2


def gradient(at: Array, stops: list[tuple[float, str]]) -> Array:
    """Return the colours at the positions `at`, blended between (position, colour) stops.

    They are blended in sRGB, as the eye sees them, and then smoothed along the ramp: a kink at a
    stop would show as a line.
    """
    places = np.array([place for place, _ in stops])
    colours = np.array([rgb(code) for _, code in stops]) ** (1 / 2.2)
    fine = np.linspace(places[0], places[-1], 400)
    window = np.hanning(91) / np.hanning(91).sum()
    ramps = [np.interp(fine, places, colours[:, c]) for c in range(3)]
    ramps = [np.convolve(np.pad(ramp, 45, "edge"), window, "valid") for ramp in ramps]
    return np.stack([np.interp(at, fine, r) ** 2.2 for r in ramps], -1).astype(np.float32)


def noise_1d(rng: Any, x: Array, size: float, octaves: int = 5, gain: float = 0.5) -> Array:
    """Return smooth noise of about -1..1 along `x`; its broadest waves are `size` pixels long."""
    total = np.zeros_like(x, dtype=np.float32)
    for octave in range(octaves):
        knots = rng.uniform(-1, 1, 512)
        at = np.asarray(x) / size * 2**octave + 64
        base = np.floor(at).astype(int)
        part = at - base
        part = part * part * (3 - 2 * part)
        total += gain**octave * (knots[base % 512] * (1 - part) + knots[(base + 1) % 512] * part)
    return total


def noise_2d(rng: Any, x: Array, y: Array, size: float, octaves: int = 4) -> Array:
    """Return smooth noise of about -1..1 over the plane."""
    total = np.zeros_like(x, dtype=np.float32)
    for octave in range(octaves):
        knots = rng.uniform(-1, 1, (128, 128))
        ax, ay = x / size * 2**octave + 32, y / size * 2**octave + 32
        bx, by = np.floor(ax).astype(int), np.floor(ay).astype(int)
        px, py = ax - bx, ay - by
        px, py = px * px * (3 - 2 * px), py * py * (3 - 2 * py)
        bx, by, cx, cy = bx % 128, by % 128, (bx + 1) % 128, (by + 1) % 128
        top = knots[by, bx] * (1 - px) + knots[by, cx] * px
        low = knots[cy, bx] * (1 - px) + knots[cy, cx] * px
        total += 0.5**octave * (top * (1 - py) + low * py)
    return total


def star_field(rng: Any, c: Canvas, count: int, floor_y: float) -> Callable[[Array, float], None]:
    """Return a function that adds stars above `floor_y` to a frame; they drift and twinkle."""
    xs, ys = rng.uniform(-10, c.width + 10, count), rng.uniform(0, 1, count) ** 1.25 * floor_y
    power = np.minimum(0.05 * rng.pareto(1.35, count) + 0.035, 1.6)
    tints = gradient(rng.uniform(0, 1, count), [(0, "#ffd9b0"), (0.35, "#ffffff"), (1, "#a9c6ff")])
    beat, start = rng.integers(1, 4, count), rng.uniform(0, 2 * np.pi, count)
    grid = np.arange(-4, 5)

    def add(frame: Array, phase: float) -> None:
        for i in range(count):
            cx, cy = xs[i] + 5 * phase, ys[i] + 1.2 * phase
            x0, y0 = round(cx), round(cy)
            if not (4 <= x0 < c.width - 4 and 4 <= y0 < c.height - 4):
                continue
            dx, dy = np.meshgrid(x0 + grid - cx, y0 + grid - cy)
            d2 = dx * dx + dy * dy
            light = power[i] * (1 + 0.25 * np.sin(2 * np.pi * beat[i] * phase + start[i]))
            spot = np.exp(-d2 / 0.9) + 0.05 * power[i] * np.exp(-d2 / 6)
            window = frame[y0 - 4 : y0 + 5, x0 - 4 : x0 + 5]
            window += (light * spot * np.clip((floor_y - cy) / 60, 0.15, 1))[..., None] * tints[i]

    return add


def comet(c: Canvas, x: float, y: float, angle: float, length: float, streaks: Array) -> Array:
    """Return the light of a comet with its head at (x, y) and its tail along `angle` (radians).

    It has two tails, as real comets do: a straight, narrow, blue one of gas, and a curved, broad,
    pale one of dust.
    """
    dx, dy = c.x - x, c.y - y
    along, across = (
        dx * np.cos(angle) + dy * np.sin(angle),
        -dx * np.sin(angle) + dy * np.cos(angle),
    )
    behind = np.maximum(along, 0) / length
    soft_start = 1 / (1 + np.exp(-along / 2.2))
    r2 = dx * dx + dy * dy
    fibre = np.interp(across / (3 + 26 * behind), np.linspace(-3, 3, streaks.size), streaks)
    gas = np.exp(-((across / (2.0 + 9 * behind)) ** 2)) * np.exp(-2.1 * behind) * soft_start
    bent = across - 0.075 * length * behind**1.7
    dust = np.exp(-((bent / (3.2 + 40 * behind)) ** 2)) * np.exp(-2.6 * behind) * soft_start
    glow = 2.2 * np.exp(-r2 / 9) + 0.55 * np.exp(-r2 / 60) + 13 / (r2 + 90) ** 1.0
    halo = 0.05 * np.exp(-r2 / (2 * (0.16 * length) ** 2))
    fade = np.clip(1.25 - behind, 0, 1)
    light = (gas * fade * (0.8 + 0.35 * fibre))[..., None] * rgb("#6fb4ff") * 0.95
    light += (dust * fade * (0.85 + 0.3 * fibre))[..., None] * rgb("#ffe3c4") * 0.62
    light += glow[..., None] * rgb("#f3f8ff") + halo[..., None] * rgb("#5a8cff")
    return light.astype(np.float32)


def ridge(
    c: Canvas, frame: Array, top_y: Array, colour: Array, mist: Array, mist_depth: float
) -> None:
    """Paint a silhouette below `top_y` (one value per column) that fades into mist downwards.

    The mist lies level: it depends mostly on the height, and only a little on the ridge's line.
    """
    depth = c.y - top_y[None, :]
    cover = np.clip(depth + 0.5, 0, 1)[..., None]
    level = c.y - (0.15 * top_y[None, :] + 0.85 * float(np.median(top_y)) - 0.3 * mist_depth)
    haze = (np.clip(level / (1.5 * mist_depth), 0, 1) ** 1.6)[..., None]
    frame *= 1 - cover
    frame += cover * (colour * (1 - haze) + mist * haze)


def pines(rng: Any, c: Canvas, count: int, tallest: float) -> Callable[[Array, Array], Array]:
    """Return a function that raises a ridge's line by the jagged outline of trees."""
    span = c.width + 120
    places = rng.uniform(-30, span - 30, count)
    heights = tallest * rng.uniform(0.35, 1, count) ** 1.3

    def lift(top_y: Array, x: Array) -> Array:
        best = np.zeros_like(top_y)
        for place, height in zip(places, heights, strict=True):
            away = np.abs(x - place)
            near = away < height * 0.3
            rise = height * (1 - away[near] / (0.24 * height))
            steps = rise + 0.055 * height * np.abs((rise / height * 7) % 1 - 0.5)
            trunk = height * np.exp(-((away[near] / 0.9) ** 2))
            best[near] = np.maximum(best[near], np.maximum(steps, trunk))
        return top_y - best

    return lift


def comet_over_mountains(c: Canvas) -> Callable[[float], Array]:
    """Landscape: a comet crosses a dark blue night above drifting ridges and pines."""
    rng = np.random.default_rng(7)
    w, h = c.width, c.height
    horizon = 0.74 * h
    sky = gradient(
        c.y / horizon,
        [
            (0, "#040a26"),
            (0.35, "#0a1a4d"),
            (0.68, "#1f3a86"),
            (0.84, "#5060b0"),
            (0.97, "#b088bb"),
            (1.12, "#f0b49c"),
            (1.36, "#f0b49c"),
        ],
    )
    band = (c.y - (0.62 * h - 0.42 * c.x * h / w)) / (0.17 * h)
    cloud = noise_2d(rng, c.x, c.y, 120) + 0.3
    milky = (
        np.exp(-band * band) * np.clip(0.55 + 0.6 * cloud, 0, 2) * np.clip(1 - c.y / horizon, 0, 1)
    )
    sky += milky[..., None] * rgb("#5a6fd0") * 0.22
    stars = star_field(rng, c, 430, horizon)
    streaks = noise_1d(rng, np.linspace(0, 200, 200), 14)
    far = np.arange(-80, w + 200, dtype=np.float32)
    layers = [  # base height, amplitude, wave length, silhouette, mist, mist depth, drift in pixels
        (0.705, 0.085, 150, "#3b478f", "#8d7fb8", 95, 3),
        (0.765, 0.075, 120, "#263474", "#6a6bb0", 85, 7),
        (0.83, 0.06, 135, "#16225a", "#40508f", 80, 13),
        (0.90, 0.05, 180, "#0a1336", "#243673", 80, 22),
    ]
    lines = []
    for base, size, wave, *_ in layers:
        peaks = noise_1d(rng, far, wave, 6, 0.48)
        lines.append(h * (base - size * (1.15 * np.abs(peaks) ** 1.15 * np.sign(peaks) + 0.2)))
    front = h * (0.985 - 0.05 * noise_1d(rng, far, 260, 3))
    forest = pines(rng, c, 120, 54)
    front = forest(front, far)
    columns = np.arange(w, dtype=np.float32)

    def at(phase: float) -> Array:
        frame = sky.copy()
        stars(frame, phase)
        x = w * (0.39 + 0.36 * phase)
        y = h * (0.40 - 0.155 * phase - 0.035 * np.sin(np.pi * phase))
        slope = np.arctan2(0.155 * h, -0.36 * w) + 0.10 * (phase - 0.5)
        frame += 1.25 * comet(c, x, y, slope, 0.60 * w, np.roll(streaks, int(phase * 30)))
        lit = np.exp(-(((c.x - x) / (0.24 * w)) ** 2))[..., None] * rgb("#7fa6ff")
        for i, (_, _, _, colour, mist, depth, drift) in enumerate(layers):
            top = np.interp(columns + drift * phase, far, lines[i])
            rim = np.exp(-np.abs(c.y - top[None, :]) / 5)[..., None] * lit * (0.10 - 0.018 * i)
            ridge(c, frame, top, rgb(colour) + rim, rgb(mist) + 0.03 * lit, depth)
        top = np.interp(columns + 34 * phase, far, front)
        ridge(c, frame, top, rgb("#030716"), rgb("#050b22"), 200)
        return frame

    return at


def aurora_over_sea(c: Canvas) -> Callable[[float], Array]:
    """Portrait: curtains of aurora above a sea that reflects them."""
    rng = np.random.default_rng(20)
    w, h = c.width, c.height
    horizon = round(0.70 * h)
    sky = gradient(
        c.y / horizon,
        [(0, "#030920"), (0.5, "#071c3f"), (0.85, "#0d3a55"), (1, "#2a6a78"), (1.6, "#2a6a78")],
    )
    stars = star_field(rng, c, 330, horizon)
    x = np.arange(w, dtype=np.float32)
    rays = [noise_1d(rng, np.arange(2400), 62, 5, 0.6) for _ in range(3)]
    folds = [noise_1d(rng, np.arange(2400), 230, 2) for _ in range(3)]
    curtains = [(0.53, 0.050, 0.34, 1.0), (0.36, 0.060, 0.24, 0.6), (0.615, 0.018, 0.13, 0.35)]
    ripple = noise_2d(rng, c.x * 0.35, c.y * 3.2, 34, 3)
    swell = noise_2d(rng, c.x * 0.22 + 300, c.y * 2.4, 30, 3)
    isle_far = horizon - np.maximum(0, 26 * noise_1d(rng, x + 90, 150, 5, 0.45) - 1)
    isle = horizon - np.maximum(0, 62 * np.exp(-(((x - 352) / 62) ** 2)) - 4)
    isle += np.where(isle < horizon, 3.5 * noise_1d(rng, x, 24, 4), 0)
    isle = np.minimum(isle, horizon)

    def at(phase: float) -> Array:
        frame = sky.copy()
        stars(frame, phase)
        turn = 2 * np.pi * phase
        for k, (base, sway, reach, power) in enumerate(curtains):
            shift = (14 + 9 * k) * phase + 400 * k
            wave = np.interp(x * 1.1 + shift + 500, np.arange(2400), folds[k])
            wave += 0.18 * np.sin(x / 47 + turn * 0.5 + k)
            foot = h * (base - sway * wave)
            ray = np.interp(x * 1.35 + 26 * wave + 1.5 * shift + 300, np.arange(2400), rays[k])
            ray = np.clip(0.62 + 0.5 * ray + 0.1 * np.sin(turn + x / 30), 0.08, 2)
            up = (foot[None, :] - c.y) / (h * reach)
            body = np.exp(-np.maximum(up, 0) * 2.6 / (0.5 + 0.6 * ray[None, :]))
            body *= 1 / (1 + np.exp(-np.clip(up * (h * reach) / 3.2, -40, 40)))
            hue = gradient(
                np.clip(up, 0, 1),
                [
                    (0, "#46ff9a"),
                    (0.35, "#22e0a4"),
                    (0.7, "#3f7be6"),
                    (1, "#9a3fd0"),
                ],
            )
            frame += (0.8 * power * body * ray[None, :])[..., None] * hue
        top_half = frame[:horizon].copy()
        ridge(c, frame, isle_far, rgb("#0b2a3f"), rgb("#1d5566"), 40)
        ridge(c, frame, isle, rgb("#03101c"), rgb("#06202e"), 80)
        depth = np.maximum(c.y - horizon, 0)
        far = depth / (h - horizon)
        moving = ripple * np.cos(turn) + swell * np.sin(turn)
        source_y = horizon - 1 - depth * 1.55 - (3 + 42 * far) * moving
        source_x = c.x + (1 + 10 * far) * (swell * np.cos(turn) - ripple * np.sin(turn))
        yi = np.clip(source_y, 0, horizon - 1).astype(int)
        xi = np.clip(source_x, 0, w - 1).astype(int)
        mirror = top_half[yi, xi] * (0.62 - 0.3 * far)[..., None]
        mirror += rgb("#06202f") * 0.6
        mirror += (
            (np.clip(moving - 0.35, 0, 1) * (0.15 + 0.3 * far))[..., None] * rgb("#3fd8b0") * 0.35
        )
        shade = np.exp(-(((c.x - 352) / 60) ** 2)) * np.exp(-depth / 30)
        mirror *= (1 - 0.75 * shade)[..., None]
        frame[horizon:] = mirror[horizon:]
        r2 = (c.x - 331) ** 2 + (c.y - (horizon - 44)) ** 2
        blink = 0.55 + 0.45 * np.cos(turn)
        frame += (blink * (1.4 * np.exp(-r2 / 3) + 0.1 * np.exp(-r2 / 90)))[..., None] * rgb(
            "#ffd79a"
        )
        return frame

    return at


def moonrise_over_dunes(c: Canvas) -> Callable[[float], Array]:
    """Square: a large moon rises behind violet dunes, and a small comet passes it."""
    rng = np.random.default_rng(5)
    w, h = c.width, c.height
    sky = gradient(
        c.y / h,
        [(0, "#0d0b2e"), (0.3, "#2b1c5c"), (0.55, "#7a3b86"), (0.72, "#e0776f"), (0.85, "#ffc38a")],
    )
    stars = star_field(rng, c, 190, 0.6 * h)
    tall = np.concatenate([c.y, c.y + h])
    seas = noise_2d(rng, np.concatenate([c.x, c.x]), tall, 62, 5)
    seas_y = c.y[:, 0]
    streaks = noise_1d(rng, np.linspace(0, 200, 200), 14)
    far = np.arange(-40, w + 120, dtype=np.float32)
    layers = [
        (0.70, 0.035, 170, "#a1527f", "#e58a7c", 60, 3),
        (0.77, 0.045, 210, "#6b3570", "#b55d7d", 80, 8),
        (0.86, 0.06, 260, "#3a1f52", "#6b3570", 110, 16),
        (0.96, 0.05, 300, "#150d2b", "#2a1842", 90, 28),
    ]
    lines = [h * (b - s * noise_1d(rng, far, wave, 3, 0.32)) for b, s, wave, *_ in layers]
    columns = np.arange(w, dtype=np.float32)

    def at(phase: float) -> Array:
        frame = sky.copy()
        stars(frame, phase)
        mx, my, radius = 0.60 * w, h * (0.53 - 0.06 * phase), 0.17 * w
        away = np.hypot(c.x - mx, c.y - my)
        disc = np.clip(radius - away + 0.5, 0, 1)[..., None]
        above = seas_y - my + h  # the dark areas move with the moon, by fractions of a pixel too
        row, part = np.floor(above).astype(int), (above % 1)[:, None]
        carried = seas[row] * (1 - part) + seas[row + 1] * part
        face = 1.5 * rgb("#fff1d6") * (0.8 + 0.34 * np.clip(carried, -1, 0.5))[..., None]
        face *= (0.8 + 0.2 * np.sqrt(np.clip(1 - (away / radius) ** 2, 0, 1)))[..., None]
        frame += (0.3 * np.exp(-np.maximum(away - radius, 0) / 42))[..., None] * rgb("#ffc9a0")
        frame = frame * (1 - disc) + face * disc
        frame += 0.8 * comet(
            c, w * (0.20 + 0.14 * phase), h * (0.30 - 0.10 * phase), 2.5, 0.42 * w, streaks
        )
        lit = np.exp(-(((c.x - mx) / (0.3 * w)) ** 2))[..., None] * rgb("#ffcf9a")
        for i, (_, _, _, colour, mist, depth, drift) in enumerate(layers):
            top = np.interp(columns + drift * phase, far, lines[i])
            rim = np.exp(-np.abs(c.y - top[None, :]) / 7)[..., None] * lit * (0.16 - 0.03 * i)
            ridge(c, frame, top, rgb(colour) + rim, rgb(mist) + 0.04 * lit, depth)
        return frame

    return at


def write_mark(frame: Array, word: str = "simulated") -> None:
    """Draw `word` in the lower right corner, faint but legible."""
    x = frame.shape[1] - 10 - sum(len(max(GLYPHS[g], key=len)) + 2 for g in word)
    for letter in word:
        for row, dots in enumerate(GLYPHS[letter]):
            for column, dot in enumerate(dots):
                if dot == "#":
                    y = frame.shape[0] - 17 + row
                    frame[y, x + column] = 0.72 * frame[y, x + column] + 0.28
        x += len(max(GLYPHS[letter], key=len)) + 2


def develop(light: Array, grain: Array) -> Array:
    """Turn linear light into 8-bit sRGB, with soft highlights and a fixed grain against banding."""
    toned = 1 - np.exp(-1.25 * np.maximum(light, 0))
    return np.clip(toned ** (1 / 2.2) * 255 + grain, 0, 255).astype(np.uint8)


def ffmpeg(arguments: list[str], stdin: bytes | None = None) -> None:
    quiet = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *arguments]
    subprocess.run(quiet, input=stdin, check=True)


def make(folder: Path, name: str, scene: Scene, width: int, height: int, quality: int) -> None:
    """Write `name`.mp4, `name`.webp and `name`.jpg."""
    canvas = Canvas.of(width, height)
    frame_at = scene(canvas)
    grain = np.random.default_rng(1).uniform(0, 1, (height, width, 1))
    frames = []
    for number in range(FRAME_COUNT):
        frame = develop(frame_at(number / (FRAME_COUNT - 1)), grain)
        pixels = frame.astype(np.float32) / 255
        write_mark(pixels)
        frames.append((pixels * 255).astype(np.uint8).tobytes())
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    raw += ["-r", str(FRAMES_PER_S), "-i", "-"]
    exact = [
        "-map_metadata",
        "-1",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
        "-threads",
        "1",
    ]
    codec = ["-c:v", "libx264", "-preset", "veryslow", "-crf", str(quality), "-pix_fmt", "yuv420p"]
    codec += ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709"]
    codec += ["-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    codec += ["-x264-params", "aq-mode=3:keyint=48", "-movflags", "+faststart"]
    ffmpeg([*raw, *codec, *exact, str(folder / f"{name}.mp4")], b"".join(frames))
    still = ["-frames:v", "1", "-c:v", "libwebp", "-quality", "82"]
    ffmpeg([*raw, *still, *exact, str(folder / f"{name}.webp")], frames[0])
    sheet = ["-vf", f"select='not(mod(n,{FRAME_COUNT // 8}))',scale=iw/4:-2,tile=4x2"]
    sheet += ["-frames:v", "1", "-q:v", "4", "-update", "1"]
    ffmpeg([*raw, *sheet, *exact, str(folder / f"{name}.jpg")], b"".join(frames))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    make(folder, "landscape", comet_over_mountains, 640, 360, 20)
    make(folder, "portrait", aurora_over_sea, 360, 640, 22)
    make(folder, "square", moonrise_over_dunes, 480, 480, 20)


if __name__ == "__main__":
    main()
