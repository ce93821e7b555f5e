"""Request: new jobs, all checked before the first is sent, and what to read before that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..api.families import family_of
from ..api.new_job import NewJob
from ..errors import CometVidError
from ..machine import say
from .model_choice import choose_model

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True, slots=True)
class Request:
    """New jobs, and in lines what a person should read before they are sent."""

    new: tuple[NewJob, ...]
    notes: tuple[str, ...] = ()

    def tell(self) -> None:
        """Print the notes."""
        for note in self.notes:
            say(note)


def make_request(
    session: Session,
    prompts: Sequence[str],
    *,
    count: int = 1,
    model: str | None = None,
    remix_of: str | None = None,
    **options: Any,
) -> Request:
    """Return `count` new jobs for each prompt. Nothing is sent, and the pictures are read once.

    `options` are those of `NewJob.check`.

    Raises:
        SettingsError: something makes no sense, or no model is named and none was used before.
    """
    notes: list[str] = []
    if model is None and remix_of is None:
        try:
            choice = choose_model(session.settings, session.ledger)
        except CometVidError:
            # Whatever else is wrong comes first.
            NewJob.check(prompts[0], **options)
            session.settings.check_base_url()
            raise
        model = choice.model
        notes += [choice.told] if choice.told else []
        options |= {"force": True} if choice.is_stand_in else {}
    first = NewJob.check(prompts[0], model=model, remix_of=remix_of, **options)
    if first.size is not None and options.get("size") is None and family_of(model).sizes:
        notes.append(
            f"The size is {first.size}, because the picture must have the size of the clip."
        )
    notes += [f"{image.name}: {image.change}." for image in first.images if image.change]
    new = [first, *(first.with_prompt(prompt) for prompt in prompts[1:])]
    return Request(tuple(job for job in new for _ in range(count)), tuple(notes))
