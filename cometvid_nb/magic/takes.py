"""Takes: carries out what is said and asked of takes: their rating, lineage and recipe."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from ..cards.lineage_html import lineage_to_bundle
from ..clips.recipe import Recipe, read_recipe_file
from ..errors import CometVidError, SettingsError
from ..job.ids import quoted_id, shown_id
from ..job.rating import MOST_STARS, Flag, Rating, RatingFilter
from ..machine import say
from ..notebook import notebook_folder
from ..session import session as sessions
from ..session.files import is_known, job_id_of
from ..session.lineage import lineage_of
from ..session.rating import RatingChange, rate_jobs
from . import tables
from .grammar import whole
from .parser import GrammarError
from .recipe_line import recipe_lines


def rate(arguments: Namespace) -> None:
    """Rate each of the jobs, and say what their ratings are then."""
    session, change = sessions.current(), _change(arguments)
    ids = [job_id_of(session, job_id) for job_id in arguments.ids]  # all, before the first is rated
    ids = list(dict.fromkeys(ids))
    for job_id, rating in zip(ids, rate_jobs(session, ids, change), strict=True):
        say(f"{shown_id(job_id)}: {rating.words or 'no rating'}.")


def rating_filter(arguments: Namespace) -> RatingFilter:
    """Return which ratings `%cometvid jobs` is to show."""
    flag = Flag.PICKED if arguments.picked else Flag.REJECTED if arguments.rejected else None
    least, tag = arguments.min_stars, None
    if arguments.tag is not None:
        tags = Rating().changed(tags=arguments.tag).tags
        if len(tags) != 1:
            raise GrammarError("--tag takes one tag")
        [tag] = tags
    stars = whole("--min-stars", least, MOST_STARS) if least is not None else None
    return RatingFilter(flag, stars, tag)


def lineage(arguments: Namespace) -> None:
    """Show the tree that a job stands in."""
    tables.show(lineage_to_bundle(lineage_of(sessions.current(), arguments.id)))


def recipe(arguments: Namespace) -> None:
    """Print the line that makes a clip again, and what is to be known with it."""
    found = _recipe_of(arguments.id)
    say("\n".join(recipe_lines(found, notebook_folder())))


def _recipe_of(source: str) -> Recipe:
    """Return the recipe in a file, or that of a job that this machine remembers."""
    session = sessions.current()
    path = notebook_folder() / Path(source).expanduser()
    problem = ""
    try:
        if path.is_file() and not is_known(session, source):
            return read_recipe_file(path)
    except (OSError, ValueError) as error:
        problem = f" {error}."
    entry = session.ledger.find(session.settings.base_url, source)
    if entry is None:
        raise SettingsError(
            f"There is no recipe {shown_id(source)!r}: no file of that name has one, and no job of "
            f"that id is remembered.{problem}",
            advice="Give the .json beside a clip, the clip, or an id that %cometvid jobs shows.",
        )
    if not entry.prompt:
        raise CometVidError(
            f"The prompt of {shown_id(source)} is not known, so no line makes it.",
            advice=f"The API may tell it: %cometvid watch {quoted_id(source)}",
        )
    return Recipe.of(entry.to_job(), entry.asked)


def _change(arguments: Namespace) -> RatingChange:
    stars = arguments.stars
    told: dict[str, Any] = {}
    if stars is not None:
        told["stars"] = whole("--stars", stars, MOST_STARS, 0) or None
    flag = Flag.PICKED if arguments.pick else Flag.REJECTED if arguments.reject else None
    told |= {"flag": flag} if flag is not None or arguments.unflag else {}
    told |= {"note": arguments.note or None} if arguments.note is not None else {}
    Rating().changed(**told)
    added = Rating().changed(tags=arguments.tag or ()).tags
    removed = Rating().changed(tags=arguments.untag or ()).tags
    change = RatingChange(told, added, removed, is_cleared=arguments.clear)
    if change == RatingChange():
        ids = " ".join(map(quoted_id, arguments.ids[:3]))
        raise GrammarError(
            f"say what you think of it, such as %cometvid rate {ids} --stars 4 --pick"
        )
    return change
