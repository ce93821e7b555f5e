"""Drawing: has a notebook draw the values that end its cells.

Here, as drawing lies above what is drawn: a job and a watch must not pay for it. Nothing is
imported before it is needed: this is loaded with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..marimo import is_marimo

if TYPE_CHECKING:
    from ..job.job import Job


def draw_job(job: Job) -> dict[str, str]:
    """What a notebook shows of a `Job` that ends a cell."""
    from ..cards.card import Card
    from ..cards.card_html import card_to_bundle
    from ..machine import writable

    bundle = card_to_bundle(Card.of_job(job))
    return {**bundle, "text/plain": writable(bundle["text/plain"])}


def let_values_be_drawn(shell: Any) -> None:
    """Have `shell`, or marimo where there is none, draw what ends a cell; in a script nothing does.

    A second call changes nothing.
    """
    if shell is None:
        if is_marimo():
            _let_marimo_draw()
        return
    formatter = getattr(getattr(shell, "display_formatter", None), "mimebundle_formatter", None)
    # By the type's name, not to import it. A drawing that somebody has registered stays.
    if formatter is not None and formatter.for_type_by_name("cometvid_nb.job.job", "Job") is None:
        formatter.for_type_by_name("cometvid_nb.job.job", "Job", draw_job)


def _let_marimo_draw() -> None:
    """Give marimo its protocol: what a value's `_display_()` returns is shown in its place."""
    from ..job.job import Job
    from ..watching.watch import Watch
    from ..watching.watch_list import WatchList
    from .values import card_of, gallery_of, player_of

    for kind, draw in ((Watch, card_of), (WatchList, gallery_of), (Job, player_of)):
        kind._display_ = draw  # type: ignore[union-attr]
