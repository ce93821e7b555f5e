"""DryRun: shows a request as it would be sent, to the last field, and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..api.form_text import IMAGE_FIELD
from ..api.new_job import NewJob
from ..api.prices import estimate
from ..machine import say
from ..notebook import cell_number
from .continuation import with_frames
from .request import Request

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True, slots=True, repr=False)
class DryRun:
    """A request that was not sent. Its text shows it; as the value of a cell it is shown as well.

    The cell that has made it by a command has shown it already.
    """

    request: Request
    base_url: str
    cost: str = ""
    """What it may cost, in words; "" = not known."""
    told_in_cell: int | None = None
    """The number of the cell that has shown it."""

    def __str__(self) -> str:
        total = len(self.request.new)
        lines = [*self.request.notes, "Nothing was sent. This would be:"]
        for job in dict.fromkeys(self.request.new):
            count = self.request.new.count(job)
            lines += self._lines(job, f"{count} times " if count > 1 else "")
        of_all = f" of {total} jobs" if total > 1 else ""
        return "\n".join([*lines, f"Cost{of_all}: {self.cost or 'not known'}"])

    __repr__ = __str__

    def _ipython_display_(self) -> None:
        if self.told_in_cell is None or self.told_in_cell != cell_number():
            say(str(self))

    def _lines(self, job: NewJob, times: str) -> list[str]:
        path = "/videos" if job.remix_of is None else f"/videos/{job.remix_of}/remix"
        kind = "a multipart form" if job.remix_of is None else "JSON"
        rows = [(name, _shown(text)) for name, text in job.fields.items()]
        for image in job.images:
            frame = "{}x{}, ".format(*image.frame) if image.frame else ""
            told = f"{image.media_type}, {frame}{len(image.content):,} bytes"
            rows.append((IMAGE_FIELD, f"{_shown(image.name)} ({told})"))
        width = max(len(name) for name, _ in rows)
        further = "\n" + " " * (width + 4)
        return [
            f"{times}POST {self.base_url}{path} with {kind}",
            *(f"  {name:<{width}}  {further.join(text.splitlines())}" for name, text in rows),
        ]


def dry_run(session: Session, request: Request) -> DryRun:
    """Return what would be sent. No key is needed, and none is shown."""
    request = replace(request, new=tuple(with_frames(session, request.new)))
    return DryRun(request, session.settings.base_url, _cost(session, request))


def told(shown: DryRun) -> DryRun:
    """Print what would be sent; return it as what this cell has shown."""
    say(str(shown))
    return replace(shown, told_in_cell=cell_number())


def _cost(session: Session, request: Request) -> str:
    """Return what the jobs would cost by the list of models that is kept here; "" = not known."""
    first, models = request.new[0], session.kept_models()
    if models is None:
        return "not known yet; %cometvid models fetches the prices"
    model = models.find(first.model) if first.model else None
    if model is None or first.remix_of is not None:
        return ""
    cost = estimate(
        model.price,
        seconds=first.seconds,
        size=first.size,
        resolution=first.fields.get("resolution"),
        count=len(request.new),
    )
    return str(cost) if cost is not None else ""


def _shown(text: str) -> str:
    """Return a text as it is, but for characters that would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
