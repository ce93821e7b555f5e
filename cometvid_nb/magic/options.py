"""Options: what several commands take, and what the commands about takes do, as data."""

from __future__ import annotations

import argparse


def name_option(parser: argparse.ArgumentParser) -> None:
    words = "how the clip's file is named, such as {date}-{prompt:40}-{take}: see help save"
    parser.add_argument("--name", metavar="TEMPLATE", help=words)


def watch_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes that watches jobs; `showing.watch_options` reads it."""
    # The default is None and not False: without the option the front end decides.
    words = "keep the cell busy until the jobs have ended"
    busy = parser.add_mutually_exclusive_group()
    busy.add_argument("--wait", action="store_true", default=None, help=words)
    words = "return at once, also where a cell waits by itself, as in Colab"
    busy.add_argument("--no-wait", dest="wait", action="store_false", default=None, help=words)
    parser.add_argument("--timeout", metavar="SECONDS", help="stop watching after this long")
    words = "seconds between checks; without it they are chosen automatically"
    parser.add_argument("--interval", metavar="SECONDS", help=words)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--save", metavar="DEST", help="save the clip there: see help save")
    place.add_argument("--no-save", action="store_true", help="do not save the clip")
    parser.add_argument("--embed", action="store_true", help="put the clip into the notebook file")
    name_option(parser)
    words = "show one gallery, even for two or three jobs"
    parser.add_argument("--gallery", action="store_true", help=words)


def new_job_options(parser: argparse.ArgumentParser) -> None:
    watch_options(parser)
    words = "only create the job, and print its id"
    parser.add_argument("--no-watch", action="store_true", help=words)
    words = "fill {x} and $x in the prompt, and in --negative, with your variables"
    parser.add_argument("--expand", action="store_true", help=words)
    words = "another field that the model accepts; can be repeated"
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", help=words)
    words = "show the request without sending it"
    parser.add_argument("--dry-run", action="store_true", help=words)
    words = "create a new job even where this cell has created it already"
    parser.add_argument("--again", action="store_true", help=words)


def request_options(parser: argparse.ArgumentParser, model: str) -> None:
    """Add what a new job of one's own and one that continues another both take.

    `model` says what the option of that name does.
    """
    parser.add_argument("--model", metavar="M", help=model)
    parser.add_argument("--seconds", metavar="S", help="the length of the clip")
    words = "what the model accepts: 1280x720, 16:9, 16x9 or 720p"
    parser.add_argument("--size", metavar="SIZE", help=words)
    parser.add_argument("--ratio", metavar="W:H", help="the shape of the clip, such as 9:16")
    parser.add_argument("--resolution", metavar="R", help="such as 720p")
    parser.add_argument("--seed", metavar="N", help="a whole number")
    parser.add_argument("--negative", metavar="TEXT", help="what the clip should not show")
    words = "how to fit a picture to the clip: crop, pad, or none (send it unchanged)"
    parser.add_argument("--fit", metavar="HOW", help=words)
    words = "send the request even if the model is known to refuse it"
    parser.add_argument("--force", action="store_true", help=words)
    # The same number as `api.new_job.MOST_JOBS`, which is too much to import for a help text.
    words = "the number of takes of each prompt, 1 to 50"
    parser.add_argument("-n", metavar="COUNT", dest="count", help=words)


def rate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="the id of a job")
    parser.add_argument("--stars", metavar="N", help="1 to 5; 0 takes them away")
    flags = parser.add_mutually_exclusive_group()
    flags.add_argument("--pick", action="store_true", help="this take goes on")
    flags.add_argument("--reject", action="store_true", help="this take does not")
    words = "take a pick, or a reject, back"
    flags.add_argument("--unpick", "--unreject", dest="unflag", action="store_true", help=words)
    words = "take all of the rating away first, its tags and its note too"
    parser.add_argument("--clear", action="store_true", help=words)
    words = "add a tag; can be repeated"
    parser.add_argument("--tag", metavar="T", action="append", help=words)
    words = "take a tag away; can be repeated"
    parser.add_argument("--untag", metavar="T", action="append", help=words)
    words = "a note, in quotes; an empty one takes it away"
    parser.add_argument("--note", metavar="TEXT", help=words)
    words = "fill {x} and $x in the note with your variables"
    parser.add_argument("--expand", action="store_true", help=words)


def continue_(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of a completed job")
    parser.add_argument("prompts", metavar="PROMPT", nargs="*", help="what happens next, in quotes")
    request_options(parser, "the name of the model; without it the one of that clip")
    new_job_options(parser)


def lineage(parser: argparse.ArgumentParser) -> None:
    words = "the id of a job, as %%cometvid jobs shows it"
    parser.add_argument("id", metavar="ID", help=words)


def recipe(parser: argparse.ArgumentParser) -> None:
    words = "a recipe's file, a clip with one beside it, or the id of a job"
    parser.add_argument("id", metavar="FILE|ID", help=words)
