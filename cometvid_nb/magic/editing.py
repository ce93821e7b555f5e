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
from ..clips.format import IMAGES, suffix_of
from ..display.embedding import MOST_EMBEDDED_BYTES, data_url_of
from ..display.frontend import loads_files
from ..editing.times import Times
from ..errors import CometVidError, EditError
from ..job.ids import quoted_id, quoted_ids, shown_id
from ..job.rating import Flag, RatingFilter
from ..machine import say
from ..notebook import shell
from ..session import session as sessions
from ..session.files import is_known
from ..session.finished import FinishedClip, finished_source
from ..session.making import Making, making
from ..session.orders import destination_of
from .editing_values import times_of
from .grammar import number_of, whole
from .parser import GrammarError
from .progress import Progress

if TYPE_CHECKING:
    from PIL import Image

STRIP_HEIGHT, MOST_IN_STRIP = 96, 24
PREVIEW_WIDTH = 1000
"""Of a sheet in the notebook; the file is larger."""
_FRAMES = 8
MOST_PICKED = 500
"""In one reel or sheet."""


def frames(arguments: Namespace) -> None:
    """Show frames of a clip, and save them where the line says so."""
    times = times_of(arguments) or Times.checked(count=_FRAMES)
    # Always a folder: `--save shots.png` would name all frames alike.
    _check_place(arguments.save, [])
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
                    name = f"{clip.stem}-{moment_s:07.3f}s"
                    places.append(_save_frame(picture, name, arguments.save))
                progress.share((len(places) or len(stills)) / len(moments_s))
        more = len(moments_s) - len(stills)
        told = [f"… and {more:,} more"] if more else []
        if places:
            told.append(f"Saved {places[0]}" + (f" … {places[-1]}" if len(places) > 1 else ""))
        progress.show(strip_to_bundle(stills, told))


def sheet(arguments: Namespace) -> None:
    """Make a contact sheet."""
    ids, times = _ids(arguments, 1, "a sheet is made"), times_of(arguments)
    _check_place(arguments.save, [".png"])
    with Progress("Making the sheet") as progress, _finished(ids, progress) as clips:
        from ..editing.sheet import Subject, make_sheet

        subjects = [
            Subject(one.file, one.name, one.job.model or "", one.job.prompt or "") for one in clips
        ]
        name = f"{clips[0].stem}-sheet" if len(clips) == 1 else "sheet"
        made = make_sheet(subjects, times, is_light=arguments.light, on_progress=progress.share)
        with making(sessions.current(), arguments.save, name, [".png"]) as file:
            made.image.save(file.part, "PNG", compress_level=3)  # half the time of 6
        prompts = [one.job.prompt for one in clips if one.name in made.unwritten]
        lines = [_saved(file), *(f"No font here has all signs of: {one}" for one in prompts)]
        alt = f"Contact sheet of {', '.join(one.name for one in clips)}"
        progress.show(picture_to_bundle(_still(made.image, alt, width=PREVIEW_WIDTH), lines))


def loop(arguments: Namespace) -> None:
    """Make an animated WebP or GIF."""
    from ..editing.loop import MOST_MB, make_loop

    width = arguments.width
    width = whole("--width", width, 4096, 16, "pixels") if width is not None else None
    fps = number_of("--fps", arguments.fps, 0.1, 60, "frames a second")
    most_mb = number_of("--max-mb", arguments.max_mb, 0.001, 1000, "megabytes")
    suffixes = [".gif", ".webp"] if arguments.gif else [".webp", ".gif"]
    _check_place(arguments.save, suffixes)
    with Progress("Making the loop") as progress, _finished([arguments.id], progress) as [clip]:
        name = f"{clip.stem}-loop"
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
    ids = _ids(arguments, 2, "a reel is made")
    with Progress("Making the reel") as progress, _finished(ids, progress) as clips:
        from ..editing.encoding import encode
        from ..editing.joining import container_of, hindrances, join
        from ..editing.survey import survey

        surveys = [survey(one.file) for one in clips]
        names = {one.file: one.name for one in clips}
        told = [f"{names[path]}: {word}" for path, word in hindrances(surveys)]
        if told and not arguments.encode:
            raise EditError(
                f"These clips do not match {clips[0].name}. {'; '.join(told)}.",
                advice=f"To encode them anew: {_typed(arguments)} --encode",
            )
        suffix = _SUFFIXES[container_of(surveys[0])]
        if arguments.encode and suffix_of(arguments.save or "") == ".mp4" != suffix:
            told.append(f"an .mp4 cannot have them as they are, a {suffix} can")
        with making(
            sessions.current(), arguments.save, "reel", [".mp4" if told else suffix]
        ) as file:
            if told:
                encode(surveys, file.part, progress.share)
            else:
                join(surveys, file.part, progress.share)
        session, place = sessions.current(), file.saved_to
        if file.file is not None:
            place = str(file.file.absolute())
        parts = [one.job.id for one in clips if not one.is_given or is_known(session, one.job.id)]
        session.ledger.keep_reel(session.settings.base_url, place, parts)
        result = survey(file.file) if file.file is not None else surveys[0]
        packets = sum(track.packets for one in surveys for track in one.tracks)
        how = f"joined without encoding: all {packets:,} packets are kept"
        how += ". They match, so --encode was not needed" if arguments.encode else ""
        if told:
            how = "encoded anew in H.264 and AAC"
        length_s = float(result.length_s if file.file is not None else 0)
        length = f", {length_s:.1f} s" if length_s else ""
        lines = [f"{len(clips)} clips{length}, {how}.", *told]
        progress.show(_shown(file, "reel", *_size_of(surveys[0].path), lines))


def convert(arguments: Namespace) -> None:
    """Make a copy that plays in every browser."""
    _check_place(arguments.save, [".mp4"])
    with Progress("Converting") as progress, _finished([arguments.id], progress) as [clip]:
        from ..editing.encoding import encode, plays_everywhere
        from ..editing.survey import survey

        one = survey(clip.file)
        if plays_everywhere(one):
            copy = ""
            if not clip.is_given:
                dest = f" {quoted_id(arguments.save)}" if arguments.save is not None else " FOLDER"
                copy = f" To copy it: %cometvid save {quoted_id(clip.job.id)}{dest}"
            say(
                f"Nothing was written: {clip.name} plays in every browser as it is, as H.264 in "
                f"an MP4.{copy}"
            )
            return
        name = f"{clip.stem}-h264"
        with making(sessions.current(), arguments.save, name, [".mp4"]) as file:
            encode([one], file.part, progress.share)
        sound = " and AAC" if one.sound is not None else ""
        line = f"From {one.pictures.codec} ({one.pictures.kind}) to H.264{sound}."
        progress.show(_shown(file, name, *_size_of(clip.file), [line]))


_SUFFIXES = {"mp4": ".mp4", "mov": ".mov", "webm": ".webm", "matroska": ".mkv"}


@contextmanager
def _finished(ids: Sequence[str], progress: Progress) -> Iterator[list[FinishedClip]]:
    """The clips that a line names, as files on this machine."""
    from ..editing.extra import check_extra

    check_extra()  # before a clip is fetched for nothing
    session = sessions.current()
    with ExitStack() as stack:
        clips: list[FinishedClip] = []
        for one in ids:
            try:
                source = finished_source(session, one, progress.saving)
                clips.append(stack.enter_context(source))
            except CometVidError as error:
                if len(ids) > 1 and shown_id(one) in str(error):
                    told = filter(None, ["You can leave it out of the line.", error.advice])
                    error.advice = " ".join(told)
                raise
        yield clips


def _ids(arguments: Namespace, least: int, made: str) -> list[str]:
    """The clips that a line names, or all picked takes, the oldest first."""
    ids: list[str] = arguments.ids
    if arguments.picked and ids:
        raise GrammarError(f"{made} of all picked takes or of those you name, not of both")
    if arguments.picked:
        session = sessions.current()
        rated = RatingFilter(Flag.PICKED)
        entries = session.ledger.entries(session.settings.base_url, limit=MOST_PICKED, rated=rated)
        ids = [entry.job_id for entry in reversed(entries) if entry.job_id is not None]
    if len(ids) < least:
        much = "two clips or more" if least > 1 else "one clip or more"
        if arguments.picked:
            raise GrammarError(
                f"{made} of {much}, and {len(ids) or 'none'} is picked: "
                "pick with %cometvid rate ID --pick, or name them in order"
            )
        raise GrammarError(f"{made} of {much}: name them in order, or add --picked")
    return ids


def _typed(arguments: Namespace) -> str:
    """The line of a reel, as it can be pasted."""
    words = ["%cometvid reel", *(["--picked"] if arguments.picked else [])]
    words += [quoted_ids(arguments.ids)] if arguments.ids else []
    words += [f"--save {quoted_id(arguments.save)}"] if arguments.save is not None else []
    return " ".join(words)


def _check_place(dest: str | None, suffixes: Sequence[str]) -> None:
    """Check where a file is to go before a clip is fetched, or long work done, for nothing."""
    destination_of(sessions.current().settings, dest, suffixes=suffixes)


def _save_frame(picture: Image.Image, name: str, dest: str) -> str:
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
