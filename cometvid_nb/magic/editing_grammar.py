"""Editing grammar: the commands for finished clips, as data for `grammar`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

_Add = Callable[[argparse.ArgumentParser], None]

_EXTRA = "Needs pip install 'cometvid-nb[edit]'."
_CLIP = "the id of a completed job, or a clip's file"


def _which(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--every", metavar="SECONDS", help="one frame every so many seconds")
    words = "certain moments in seconds, such as 0,1.5,last"
    which.add_argument("--at", metavar="TIMES", help=words)
    words = "so many, evenly spread from the first frame to the last"
    which.add_argument("--count", metavar="N", help=words)


def _picked(parser: argparse.ArgumentParser) -> None:
    words = "all picked takes, the oldest first: see help rate"
    parser.add_argument("--picked", action="store_true", help=words)


def _frames(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID|FILE", help=_CLIP)
    _which(parser)
    words = "a folder for the frames as PNG files; without it they are only shown"
    parser.add_argument("--save", metavar="DEST", help=words)


def _sheet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID|FILE", nargs="*", help=_CLIP)
    _picked(parser)
    _which(parser)
    parser.add_argument("--light", action="store_true", help="on light paper, not on dark")
    words = "a folder or a file ending in .png; without it, beside the saved clips"
    parser.add_argument("--save", metavar="DEST", help=words)


def _loop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID|FILE", help=_CLIP)
    parser.add_argument("--gif", action="store_true", help="a GIF, not a WebP")
    words = "pixels; without it 480, or fewer to keep to --max-mb"
    parser.add_argument("--width", metavar="N", help=words)
    parser.add_argument("--fps", metavar="N", help="frames a second; without it 12")
    words = "the most megabytes it may have; without it 8"
    parser.add_argument("--max-mb", metavar="MB", help=words)
    words = "a folder or a file ending in .webp or .gif; without it, beside the saved clips"
    parser.add_argument("--save", metavar="DEST", help=words)


def _reel(parser: argparse.ArgumentParser) -> None:
    words = f"{_CLIP}, in the order of the reel"
    parser.add_argument("ids", metavar="ID|FILE", nargs="*", help=words)
    _picked(parser)
    words = "encode the clips anew, where they cannot be joined as they are"
    parser.add_argument("--encode", action="store_true", help=words)
    words = "a folder or a file ending in .mp4; without it reel.mp4 beside the saved clips"
    parser.add_argument("--save", metavar="DEST", help=words)


def _convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID|FILE", help=_CLIP)
    words = "a folder or a file ending in .mp4; without it, beside the saved clips"
    parser.add_argument("--save", metavar="DEST", help=words)


EDITING: tuple[tuple[str, str, str, _Add], ...] = (
    (
        "frames",
        "show frames of a clip, or save them as pictures",
        f"Without a choice, eight. In Python, job.frames() gives them as arrays. {_EXTRA}",
        _frames,
    ),
    (
        "sheet",
        "make a contact sheet of clips: frames with their times, model and prompt",
        (
            "One clip shows 12 frames; several share a sheet, each with 6. It is a PNG beside the "
            f"saved clips. {_EXTRA}"
        ),
        _sheet,
    ),
    (
        "loop",
        "make an animated WebP or GIF of a clip",
        (
            "It is kept to --max-mb: first by a lower quality, then by a smaller size, unless "
            f"--width is given. {_EXTRA}"
        ),
        _loop,
    ),
    (
        "reel",
        "join clips to one, in order",
        (
            "Where they match, every packet is kept and nothing is encoded. Else it says what "
            "differs, and --encode makes them alike: the size of the first one, black beside the "
            f"others, silence where there is no sound. {_EXTRA}"
        ),
        _reel,
    ),
    (
        "convert",
        "make a copy of a clip that plays in every browser: MP4 with H.264 and AAC",
        f"For HEVC, ProRes, MPEG-4 Part 2 and the like. The clip itself stays. {_EXTRA}",
        _convert,
    ),
)
"""Name, summary, details, and what fills the parser; see `grammar.Command`."""
