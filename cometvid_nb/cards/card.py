"""Card: the one view model. The browser, the static HTML and the text all draw this.

It is also the only thing that crosses to the browser, so what is not in it cannot leak there.
`to_json` gives the dict that `static/card.js` reads; the two name the same fields.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ..clips.places import SavedClip, Saving
from ..errors import BadKey, JobNotFound, MissingKey
from ..job.ids import check_job_id, quoted_id, shown_id
from ..job.job import Job
from ..job.plain import plain
from ..job.rating import Rating
from ..job.status import JobStatus
from ..watching.state import Ending, WatchState
from .clip import Clip, clip_of
from .words import WORDS


class Phase(StrEnum):
    """What the card shows. Each value has its own branch in `static/card.js`."""

    STARTING = "starting"
    QUEUED = "queued"
    RUNNING = "running"
    UNKNOWN = "unknown"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    GAVE_UP = "gave_up"
    BROKEN = "broken"

    @property
    def is_active(self) -> bool:
        """Whether the job is still polled."""
        return self in (Phase.STARTING, Phase.QUEUED, Phase.RUNNING, Phase.UNKNOWN)


_PHASE_OF_STATUS = {
    JobStatus.QUEUED: Phase.QUEUED,
    JobStatus.IN_PROGRESS: Phase.RUNNING,
    JobStatus.COMPLETED: Phase.COMPLETED,
    JobStatus.FAILED: Phase.FAILED,
    JobStatus.UNKNOWN: Phase.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown of one job. Every string is text, never markup; times are unix seconds.

    `checks_at_s`: the last poll, then the planned ones (see `WatchState`). `remaining_s`: the
    expected seconds left, low and high, counted from the last poll. `elapsed_to_s` None: the
    clock is still running.
    """

    phase: Phase
    job_id: str
    headline: str
    facts: tuple[str, ...] = ()
    prompt: str | None = None
    progress_percent: float | None = None
    aspect_ratio: float = 16 / 9
    elapsed_from_s: float | None = None
    elapsed_to_s: float | None = None
    checks_at_s: tuple[float, ...] = ()
    remaining_s: tuple[float, float] | None = None
    problem: str | None = None
    advice: str | None = None
    command: str | None = None
    """The line to paste that helps now, or None."""
    watch_command: str | None = None
    """The line to paste that watches the job again; a page whose kernel is gone offers it."""
    actions: tuple[str, ...] = ()
    is_simulated: bool = False
    clip: Clip | None = None
    saving: Saving | None = None
    note: str | None = None
    """One quiet sentence, such as why a job is shown that an earlier run of the cell has made."""
    can_repeat: bool = False
    """Whether the page offers another take, which costs money."""
    model: str | None = None
    """The model as `facts` tells it, which a page shows as a badge."""
    seed: str | None = None
    """The same for the seed."""
    picture: str | None = None
    """What stands behind the card of a job that is not over, as a small data URL."""
    rating: Rating | None = None
    """What a person thinks of the clip; None: nothing yet."""
    typed_id: str | None = None
    """The id as it is typed in a `%cometvid` line; None where no line can hold it."""

    def __post_init__(self) -> None:
        """Take out what a terminal would obey: whatever is shown is drawn from a card."""
        for name in ("job_id", "headline", "prompt", "problem", "advice", "note"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, plain(text))

    @classmethod
    def of_watch(cls, state: WatchState, picture: str | None = None) -> Card:
        """The card of a job that is or was being watched; `picture` stands behind it meanwhile."""
        job = state.job
        known = job or state.asked
        phase = phase_of(state)
        from_s = elapsed_from_s(state)
        return cls(
            phase=phase,
            job_id=state.job_id,
            headline=_headline_of(state, phase),
            facts=_facts(known, state.saved),
            prompt=known.prompt if known else None,
            progress_percent=_progress(phase, job),
            aspect_ratio=_aspect_ratio(known, state.saved),
            elapsed_from_s=from_s,
            elapsed_to_s=_ended_at_s(state, from_s),
            checks_at_s=state.checks_at_s if phase.is_active else (),
            remaining_s=(
                state.poll.remaining_s(state.checks_at_s[0])
                if phase.is_active and state.checks_at_s
                else None
            ),
            problem=_problem(state),
            advice=_advice(state),
            command=_command(phase, state),
            watch_command=_command_line("watch", state.job_id),
            actions=_actions(phase),
            is_simulated=state.is_simulated,
            clip=clip_of(job, state.saved, state.poster) if phase == Phase.COMPLETED else None,
            saving=state.saving,
            note=state.note,
            can_repeat=state.can_repeat,
            model=_model(known),
            seed=_seed(known),
            picture=picture if phase.is_active else None,
            rating=state.rating,
            typed_id=_typed_id(state.job_id),
        )

    @classmethod
    def of_job(cls, job: Job, *, is_simulated: bool = False) -> Card:
        """The card of a job that nobody watches, as one answer of the API describes it."""
        phase = _PHASE_OF_STATUS[job.status]
        is_failed = phase == Phase.FAILED
        return cls(
            phase=phase,
            job_id=job.id,
            headline=_headline(phase, job),
            facts=_facts(job),
            prompt=job.prompt,
            progress_percent=_progress(phase, job),
            aspect_ratio=_aspect_ratio(job),
            elapsed_from_s=job.created_at_s,
            # Some gateways set completed_at while the job still runs: only the status decides.
            elapsed_to_s=job.completed_at_s if job.is_final else None,
            problem=(job.error_message or "The API gave no reason.") if is_failed else None,
            command=_command_line("watch", job.id) if phase.is_active else None,
            watch_command=_command_line("watch", job.id),
            is_simulated=is_simulated,
            clip=clip_of(job, None) if phase == Phase.COMPLETED else None,
            model=_model(job),
            seed=_seed(job),
            typed_id=_typed_id(job.id),
        )

    def to_json(self, now_s: float) -> dict[str, Any]:
        """What the browser draws; `now_s` lets it correct a clock that differs from ours."""
        return {**asdict(self), "phase": self.phase.value, "sent_at_s": now_s}


def elapsed_from_s(state: WatchState) -> float:
    """When a job began: at the server if its clock makes sense, else when the watch began."""
    created_at_s = state.job.created_at_s if state.job else None
    if created_at_s is None:
        return state.began_at_s
    # Trust the server's clock only as far as it cannot make the elapsed time absurd.
    is_sane = 0 <= state.began_at_s + 60 - created_at_s <= 7 * 86400
    return min(created_at_s, state.began_at_s) if is_sane else state.began_at_s


def phase_of(state: WatchState) -> Phase:
    """What the card of a watch shows."""
    if state.ending is not None:
        return Phase(state.ending.value)
    return _PHASE_OF_STATUS[state.job.status] if state.job else Phase.STARTING


MOST_FACT = 80
"""Characters of one fact."""
LEAST_PROGRESS_PERCENT = 0.5
"""Less than this is told as a progress that nobody knows."""

_UNSAVED = "Completed, clip not saved"
_BAD_KEY = "The API key was rejected"
_NO_KEY = "The API wants a key"


def _is_unsaved(state: WatchState) -> bool:
    """Whether the clip was to be saved and could not be."""
    is_lost = state.saved is None and state.saving is None and state.problem is not None
    return is_lost and state.ending == Ending.COMPLETED


def _headline_of(state: WatchState, phase: Phase) -> str:
    if _is_unsaved(state):
        return _UNSAVED
    if isinstance(state.error, BadKey):
        # Refused for want of a key, or because of it.
        return _NO_KEY if state.error.advice == MissingKey.advice else _BAD_KEY
    return _headline(phase, state.job)


def _headline(phase: Phase, job: Job | None) -> str:
    if phase != Phase.UNKNOWN:
        return str(WORDS["headlines"][phase])
    word = job.status_word if job else ""
    return f"Status “{_short(word, 60)}”" if word else "No status given"


def _facts(job: Job | None, saved: SavedClip | None = None) -> tuple[str, ...]:
    if job is None:
        return ()
    # A clip may come in another size than was asked for: its file is right.
    width, height = (saved.width, saved.height) if saved else (0, 0)
    width, height = (width, height) if width and height else (job.width or 0, job.height or 0)
    size = f"{width}×{height}" if width and height else None
    length = f"{job.duration_s:g} s" if job.duration_s else None
    pictures = _short(", ".join(job.images), MOST_FACT)
    continued = f"continues {shown_id(job.continued_from)}" if job.continued_from else ""
    # The picture of such a clip is that frame.
    told = _short(continued, MOST_FACT) or pictures
    return tuple(filter(None, (_model(job), size, length, told, _seed(job))))


def _model(job: Job | None) -> str | None:
    return _short(job.model, MOST_FACT) if job and job.model else None


def _seed(job: Job | None) -> str | None:
    # -1 asks for one by chance, which nobody has told.
    is_known = job is not None and job.seed not in (None, "", "-1")
    return _short(f"seed {job.seed}", MOST_FACT) if job and is_known else None


def _progress(phase: Phase, job: Job | None) -> float | None:
    if phase == Phase.COMPLETED:
        return 100.0
    if job is None or phase == Phase.QUEUED:
        return None
    # Many APIs say 0 until the job is done: that is no news, and a bar that never moves looks dead.
    percent = job.progress_percent
    return percent if percent is not None and percent >= LEAST_PROGRESS_PERCENT else None


def _aspect_ratio(job: Job | None, saved: SavedClip | None = None) -> float:
    ratio = job.aspect_ratio if job else 16 / 9
    if saved is not None and saved.width and saved.height:
        ratio = saved.width / saved.height
    # A ribbon 16 pixels high is no card: keep what is shown within sane shapes.
    return min(4.0, max(0.25, ratio))


def _ended_at_s(state: WatchState, from_s: float) -> float | None:
    completed_at_s = state.job.completed_at_s if state.job else None
    if state.ending != Ending.COMPLETED or completed_at_s is None:
        return state.ended_at_s
    is_sane = from_s <= completed_at_s <= (state.ended_at_s or completed_at_s) + 60
    return completed_at_s if is_sane else state.ended_at_s


def _problem(state: WatchState) -> str | None:
    if state.ending == Ending.FAILED:
        return (state.job.error_message if state.job else None) or "The API gave no reason."
    if state.ending in (Ending.GAVE_UP, Ending.BROKEN):
        return str(state.error)
    return state.problem or _codec_problem(state.saved)


def _codec_problem(saved: SavedClip | None) -> str | None:
    """What keeps most browsers from playing the saved clip."""
    codecs = dict.fromkeys(one.codec for one in saved.every if one.codec) if saved else {}
    if not codecs:
        return None
    return f"The clip is {' and '.join(codecs)}, which most browsers do not play."


def _advice(state: WatchState) -> str | None:
    if state.ending == Ending.STOPPED:
        return "The job itself goes on at the server. Watch it again to see how it ends."
    if state.ending == Ending.FAILED:
        return "This job is over. Edit the prompt and create a new one."
    if _is_unsaved(state):
        if state.is_place_unusable:
            return (
                "Make the folder writable, or save the clip in another one while the server still "
                "has it:"
            )
        return "The clip stays at the server for a while. To try again:"
    if isinstance(state.error, BadKey):
        return f"{state.error.advice} The job itself goes on at the server."
    if state.error is not None:
        return state.error.advice
    if state.problem is None and _codec_problem(state.saved):
        words = "The file is complete: it plays in VLC, or on a Mac in QuickTime Player."
        is_first = state.saved is not None and state.saved.codec is not None
        return f"{words} For a copy that plays in every browser:" if is_first else words
    if state.ending is None and state.not_found_times:
        return "Checking a few more seconds before giving up."
    if state.ending is None and state.problem:
        return "The job itself is not affected, and checking goes on."
    if state.ending is None and state.job and state.job.status == JobStatus.UNKNOWN:
        return "This status is not documented. Checking goes on until the deadline."
    return None


def _command(phase: Phase, state: WatchState) -> str | None:
    if state.is_place_unusable:
        return f"{line} FOLDER" if (line := _command_line("save", state.job_id)) else None
    if isinstance(state.error, BadKey):
        return "%cometvid login"
    if _is_unsaved(state) or (state.saved is not None and state.problem is not None):
        return _command_line("save", state.job_id)
    if state.saved is not None and state.saved.codec is not None:
        return _command_line("convert", state.job_id)
    if isinstance(state.error, JobNotFound):
        return "%cometvid jobs"  # the same line again would only fail again
    if phase in (Phase.STOPPED, Phase.GAVE_UP, Phase.BROKEN):
        return _command_line("watch", state.job_id)
    if phase == Phase.COMPLETED and state.saved is None and state.saving is None:
        return _command_line("save", state.job_id)
    return None


def _command_line(name: str, job_id: str) -> str | None:
    """The line to paste, or None where none can hold the id."""
    typed_id = _typed_id(job_id)
    return f"%cometvid {name} {typed_id}" if typed_id else None


def _typed_id(job_id: str) -> str | None:
    """The id as a line takes it, or None: one from the API may hold anything, a line break too."""
    try:
        return quoted_id(check_job_id(job_id))
    except ValueError:
        return None


def _actions(phase: Phase) -> tuple[str, ...]:
    if phase.is_active:
        return ("stop",)
    return ("watch",) if phase in (Phase.STOPPED, Phase.GAVE_UP, Phase.BROKEN) else ()


def _short(text: str, most: int) -> str:
    """`text` on one line, without control or bidi characters, at most so many characters."""
    line = " ".join(
        re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", " ", text).split()
    )
    return line if len(line) <= most else line[: most - 1] + "…"
