"""Request: new jobs, all checked before the first is sent, and what to read before that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..api.families import family_of
from ..api.new_job import NewJob
from ..errors import CometVidError, MissingKey
from ..machine import say
from ..marimo import is_marimo
from .continuation import as_before, with_frames
from .files import refuse_path
from .model_choice import choose_model
from .reruns import Made

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True, slots=True)
class Request:
    """New jobs, and in lines what a person should read before they are sent."""

    new: tuple[NewJob, ...]
    notes: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    """One for each of `new`, equal where a person has asked for the same."""

    def tell(self) -> None:
        """Print the notes."""
        for note in self.notes:
            say(note)


def send(
    session: Session, request: Request, *, is_again: bool = False, how: str = "--again"
) -> tuple[list[Made], CometVidError | None]:
    """Create the jobs that the running cell has not made already; return all, and what ended it.

    `is_again`: all are created, whatever there is; `how` is what a person writes for that.

    Raises:
        MissingKey, SettingsError: nothing was sent.
    """
    session.platform_key.fill(session.settings)
    # Elsewhere threads may well ask for several jobs of one prompt at once.
    with session.reruns.one_at_a_time(request.digests if is_marimo() else ()):
        wanted = session.look_up(
            list(zip(request.new, request.digests, strict=True)), is_again=is_again
        )
        if not all(one.is_made for one in wanted):
            request.tell()
            new = with_frames(session, [one.new for one in wanted])
            wanted = [replace(one, new=made) for one, made in zip(wanted, new, strict=True)]
        return session.create_wanted(wanted, how)


def make_request(
    session: Session,
    prompts: Sequence[str],
    *,
    count: int = 1,
    model: str | None = None,
    remix_of: str | None = None,
    continue_from: str | None = None,
    **options: Any,
) -> Request:
    """Return `count` new jobs for each prompt. Nothing is sent, and the pictures are read once.

    `options` are those of `NewJob.check`; with `continue_from`, the id of a finished job, what they
    leave out is as that job had it, and its last frame comes with `send`.

    Raises:
        SettingsError: something makes no sense, or no model is named and none was used before.
    """
    notes: list[str] = []
    if remix_of is not None:
        refuse_path(session, remix_of)
    if continue_from is not None:
        options, notes = as_before(session, continue_from, {**options, "model": model})
        model = options.pop("model")
    given = {name: options[name] for name in _ASKED if options.get(name)}
    asked = {name: _text(value) for name, value in given.items()}
    is_drifting = False
    if model is None and remix_of is None:
        try:
            choice = choose_model(session.settings, session.ledger)
        except CometVidError as error:
            # Whatever else is wrong comes first.
            NewJob.check(prompts[0], **options)
            session.settings.check_base_url()
            if isinstance(error, MissingKey):
                session.platform_key.fill(session.settings)
                choose_model(session.settings, session.ledger)
            raise
        model = choice.model
        # Another notebook may have used another model since, and this is the same request still.
        is_drifting = bool(choice.told)
        notes += [choice.told] if choice.told else []
        options |= {"force": True} if choice.is_stand_in else {}
    first = NewJob.check(prompts[0], model=model, remix_of=remix_of, **options)
    if first.size is not None and options.get("size") is None and family_of(model).sizes:
        notes.append(
            f"The size is {first.size}, because the picture must have the size of the clip."
        )
    notes += [f"{image.name}: {image.change}." for image in first.images if image.change]
    new = [first, *(first.with_prompt(prompt) for prompt in prompts[1:])]
    every = tuple(job for job in new for _ in range(count))
    pictures = [image.digest for image in first.images]
    digests = [_digest(job, pictures, asked, is_drifting=is_drifting) for job in new]
    every_digest = tuple(digest for digest in digests for _ in range(count))
    return Request(every, tuple(notes), every_digest)


_ASKED = ("size", "ratio", "resolution", "fit", "extra")
"""The options that stand in the fields as the model spells them, or not at all."""
_OF_THE_MODEL = ("model", "size", "aspect_ratio", "resolution")
"""The fields that another model would spell in another way."""


def _digest(
    new: NewJob, pictures: Sequence[str], asked: Mapping[str, str], *, is_drifting: bool
) -> str:
    """Return a digest of what is asked for: all fields, and the bytes of the pictures.

    `asked` has the options of `_ASKED`. `is_drifting`: the model is the one used last, and nobody
    asked for it; then neither it counts nor how it spells the shape.
    """
    fields = dict(new.fields)
    if is_drifting:
        fields = {name: text for name, text in fields.items() if name not in _OF_THE_MODEL}
    wanted = {
        "fields": fields,
        "asked": asked if is_drifting else {"fit": asked.get("fit")},
        "pictures": pictures,
        "remix_of": new.remix_of,
    }
    if new.continued_from is not None:  # else it is as earlier versions had it
        wanted |= {"continued_from": new.continued_from, "fit": new.fit}
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def _text(value: object) -> str:
    return str(sorted(value.items()) if isinstance(value, Mapping) else value)
