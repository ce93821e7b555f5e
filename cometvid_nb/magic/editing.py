"""Editing: carries out `%cometvid frames`, `sheet`, `loop`, `reel` and `convert`."""

from __future__ import annotations

import base64
import io
import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..cards.clip import Clip
from ..cards.made import Still, clip_to_bundle, picture_to_bundle, strip_to_bundle
from ..clips.file import clip_file_name
from ..clips.format import IMAGES
from ..display.embedding import MOST_EMBEDDED_BYTES, data_url_of
from ..display.frontend import loads_files
from ..editing.times import LAST, Times
from ..errors import EditError
from ..job.ids import check_job_id, quoted_ids, shown_id
from ..job.rating import Flag, RatingFilter
from ..machine import say
from ..notebook import shell
from ..session import session as sessions
from ..session.finished import FinishedClip, finished_clip
from ..session.making import Making, making
from .grammar import whole
from .parser import GrammarError
from .progress import Progress

if TYPE_CHECKING:
    from PIL import Image

STRIP_HEIGHT, MOST_IN_STRIP = 96, 24
PREVIEW_WIDTH = 1000
"""Of a sheet in the notebook; the file is larger."""
_FRAMES = 8
MOST_PICKED = 500
"""In one reel."""


def frames(arguments: Namespace) -> None:
    """Show frames of a clip, and save them where the line says so."""
    times = _times(arguments) or Times.checked(count=_FRAMES)
    stem = _stem(arguments.id)
    with Progress("Reading frames") as progress, _finished([arguments.id], progress) as [clip]:
        from PIL import Image

        from ..editing.frames import Pixels, moments_in
        from ..editing.opened import opened
        from ..editing.sheet import time_text

        stills: list[Still] = []
        places: list[str] = []
        with opened(clip.file) as source:
            moments_s = sorted(set(moments_in(source, times)))
            for moment_s, pixels in zip(moments_s, Pixels(source).at(moments_s), strict=True):
                picture = Image.fromarray(pixels)
                if len(stills) < MOST_IN_STRIP:
                    stills.append(_still(picture, time_text(moment_s), height=STRIP_HEIGHT))
                if arguments.save is not None:
                    places.append(_save_frame(picture, f"{stem}-{moment_s:07.3f}s", arguments.save))
                progress.share((len(places) or len(stills)) / len(moments_s))
        more = len(moments_s) - len(stills)
        told = [f"… and {more:,} more"] if more else []
        if places:
            told.append(f"Saved {places[0]}" + (f" … {places[-1]}" if len(places) > 1 else ""))
        progress.show(strip_to_bundle(stills, told))


def sheet(arguments: Namespace) -> None:
    """Make a contact sheet."""
    times = _times(arguments)
    name = f"{_stem(arguments.ids[0])}-sheet" if len(arguments.ids) == 1 else "sheet"
    with Progress("Making the sheet") as progress, _finished(arguments.ids, progress) as clips:
        from ..editing.sheet import Subject, make_sheet

        subjects = [
            Subject(one.file, shown_id(one.job.id), one.job.model or "", one.job.prompt or "")
            for one in clips
        ]
        made = make_sheet(subjects, times, is_light=arguments.light, on_progress=progress.share)
        with making(sessions.current(), arguments.save, name, [".png"]) as file:
            made.image.save(file.part, "PNG", compress_level=3)  # half the time of 6
        prompts = [one.job.prompt for one in clips if shown_id(one.job.id) in made.unwritten]
        lines = [_saved(file), *(f"No font here has all signs of: {one}" for one in prompts)]
        alt = f"Contact sheet of {', '.join(shown_id(one.job.id) for one in clips)}"
        progress.show(picture_to_bundle(_still(made.image, alt, width=PREVIEW_WIDTH), lines))


def loop(arguments: Namespace) -> None:
    """Make an animated WebP or GIF."""
    from ..editing.loop import MOST_MB, make_loop

    width = whole("--width", arguments.width, 4096) if arguments.width is not None else None
    fps, most_mb = _number("--fps", arguments.fps), _number("--max-mb", arguments.max_mb)
    suffixes = [".gif", ".webp"] if arguments.gif else [".webp", ".gif"]
    name = f"{_stem(arguments.id)}-loop"
    with Progress("Making the loop") as progress, _finished([arguments.id], progress) as [clip]:
        with making(sessions.current(), arguments.save, name, suffixes) as file:
            if arguments.gif and file.suffix != ".gif":
                raise GrammarError(f"--gif makes no {file.suffix}: leave one of them out")
            made = make_loop(
                clip.file,
                is_gif=file.suffix == ".gif",
                width=width,
                fps=fps,
                most_mb=MOST_MB if most_mb is None else most_mb,
                on_progress=progress.tell,
            )
            file.part.write_bytes(made.content)
        told = f"{made.width}x{made.height}, {made.frames} frames, {made.fps:g} a second"
        kept = f", {made.quality}, to have {most_mb or MOST_MB:g} MB at most"
        progress.show(_shown(file, name, made.width, made.height, [told + kept * made.is_reduced]))


def reel(arguments: Namespace) -> None:
    """Join clips to one."""
    ids = _picked() if arguments.picked else arguments.ids
    if arguments.picked and arguments.ids:
        raise GrammarError("a reel is made of all picked takes or of those you name, not of both")
    if len(ids) < 2:
        picked = f" ({len(ids) or 'none'} is picked)" if arguments.picked else ""
        raise GrammarError(f"a reel is made of two clips or more: name them in order{picked}")
    with Progress("Making the reel") as progress, _finished(ids, progress) as clips:
        from ..editing.encoding import encode
        from ..editing.joining import container_of, hindrances, join
        from ..editing.survey import survey

        surveys = [survey(one.file) for one in clips]
        found = hindrances(surveys)
        names = {one.file: shown_id(one.job.id) for one in clips}
        told = [f"{names[path]}: {word}" for path, word in found]
        if found and not arguments.encode:
            raise EditError(
                f"These clips do not match {names[surveys[0].path]}. {'; '.join(told)}.",
                advice=f"To encode them anew: %cometvid reel {quoted_ids(ids)} --encode",
            )
        suffix = ".mp4" if arguments.encode else _SUFFIXES[container_of(surveys[0])]
        with making(sessions.current(), arguments.save, "reel", [suffix]) as file:
            if arguments.encode:
                encode(surveys, file.part, progress.share)
            else:
                join(surveys, file.part, progress.share)
        session, place = sessions.current(), file.saved_to
        if file.file is not None:
            place = str(file.file.absolute())
        session.ledger.keep_reel(session.settings.base_url, place, [one.job.id for one in clips])
        result = survey(file.file) if file.file is not None else surveys[0]
        packets = sum(track.packets for one in surveys for track in one.tracks)
        how = f"joined without encoding: all {packets:,} packets are kept"
        if arguments.encode:
            how = "encoded anew in H.264 and AAC"
        length_s = float(result.length_s if file.file is not None else 0)
        length = f", {length_s:.1f} s" if length_s else ""
        lines = [f"{len(clips)} clips{length}, {how}.", *told]
        progress.show(_shown(file, "reel", *_size_of(surveys[0].path), lines))


def convert(arguments: Namespace) -> None:
    """Make a copy that plays in every browser."""
    name = f"{_stem(arguments.id)}-h264"
    with Progress("Converting") as progress, _finished([arguments.id], progress) as [clip]:
        from ..editing.encoding import encode, plays_everywhere
        from ..editing.survey import survey

        one = survey(clip.file)
        if plays_everywhere(one):
            say(
                f"The clip of {shown_id(arguments.id)} plays in every browser as it is: it is "
                "H.264 in an MP4 already."
            )
            return
        with making(sessions.current(), arguments.save, name, [".mp4"]) as file:
            encode([one], file.part, progress.share)
        sound = " and AAC" if one.sound is not None else ""
        line = f"From {one.pictures.codec} ({one.pictures.kind}) to H.264{sound}."
        progress.show(_shown(file, name, *_size_of(clip.file), [line]))


_SUFFIXES = {"mp4": ".mp4", "mov": ".mov", "webm": ".webm", "matroska": ".mkv"}


@contextmanager
def _finished(ids: Sequence[str], progress: Progress) -> Iterator[list[FinishedClip]]:
    """The clips of some jobs as files on this machine."""
    from ..editing.extra import check_extra

    check_extra()  # before a clip is fetched for nothing
    session = sessions.current()
    with ExitStack() as stack:
        checked = [check_job_id(one) for one in ids]
        yield [
            stack.enter_context(finished_clip(session, one, on_progress=progress.saving))
            for one in checked
        ]


def _picked() -> list[str]:
    """The jobs whose clips somebody has picked, the oldest first."""
    session = sessions.current()
    rated = RatingFilter(Flag.PICKED)
    entries = session.ledger.entries(session.settings.base_url, limit=MOST_PICKED, rated=rated)
    return [entry.job_id for entry in reversed(entries) if entry.job_id is not None]


def _times(arguments: Namespace) -> Times | None:
    """The moments that a line names; None: none."""
    at_s: list[float | str] | None = None
    if arguments.at is not None:
        pieces = [piece.strip() for piece in arguments.at.split(",") if piece.strip()]
        at_s = [one if one == LAST else _seconds(one) for one in pieces]
    every_s = _number("--every", arguments.every)
    count = whole("--count", arguments.count, 10_000) if arguments.count is not None else None
    given = every_s is not None or at_s is not None or count is not None
    return Times.checked(every_s, at_s, count) if given else None


def _seconds(text: str) -> float:
    number = _number("--at", text)
    assert number is not None
    return number


def _number(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        example = "0,1.5,last" if option == "--at" else "a number"
        raise GrammarError(f"{option} is {text!r}: give {example}") from None


def _stem(job_id: str) -> str:
    return Path(clip_file_name(check_job_id(job_id))).stem


def _save_frame(picture: Image.Image, name: str, dest: str) -> str:
    # The last part is always a folder: `--save shots.png` would name all frames alike.
    folder = dest.rstrip("/") or "/"
    with making(sessions.current(), f"{folder}/{name}.png", name, [".png"]) as file:
        picture.save(file.part, "PNG")
    return file.saved_to


def _still(
    picture: Image.Image, caption: str, *, width: int | None = None, height: int | None = None
) -> Still:
    """A picture made small enough for a notebook."""
    scale = min(1.0, (width or picture.width) / picture.width)
    scale = min(scale, height / picture.height) if height is not None else scale
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    doubled = (min(picture.width, size[0] * 2), min(picture.height, size[1] * 2))
    made = io.BytesIO()
    # Twice as many pixels, for fine screens.
    picture.resize(doubled if height is not None else size).save(made, "JPEG", quality=82)
    url = f"data:image/jpeg;base64,{base64.b64encode(made.getvalue()).decode()}"
    return Still(url, caption, *size)


def _saved(file: Making) -> str:
    return f"Saved to {file.saved_to} ({_size_text(file.size_bytes)})"


def _size_text(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e5 else f"{size_bytes / 1e3:.0f} kB"


def _shown(
    file: Making, name: str, width: int, height: int, lines: Sequence[str]
) -> dict[str, str]:
    """A file that was made, in a player or as a picture that moves."""
    from ..clips.posters import first_frame, to_data_url  # it brings httpx along

    data_url = None
    is_far = file.path is None or not loads_files(shell(), os.environ)
    if file.file is not None and is_far and file.size_bytes <= MOST_EMBEDDED_BYTES:
        data_url = data_url_of(str(file.file))
    is_image = file.suffix in IMAGES
    frame = first_frame(file.file) if file.file is not None and not is_image else None
    poster = to_data_url(frame) if frame is not None else None  # the page loads the rest to play it
    clip = Clip(
        None, file.path, file.saved_to, None, poster=poster, data_url=data_url, is_image=is_image
    )
    return clip_to_bundle(clip, name, width, height, [_saved(file), *lines])


def _size_of(path: Path) -> tuple[int, int]:
    from ..editing.frames import shown_size
    from ..editing.opened import opened

    with opened(path) as clip:
        return shown_size(clip.stream, clip.first())
