"""Accepted: whether the answer to a request for a new job tells of a job, a refusal, or neither.

Whoever takes a made job for a refusal loses what was paid for; whoever takes an answer for "not
accepted" pays twice. So in doubt the outcome is unknown, and the answer is kept.
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote, urljoin, urlsplit

from ..errors import ApiError, OutcomeUnknown, RateLimited, TransientError
from ..job.ids import check_job_id
from ..job.job import Job
from ..job.reading import Reading
from ..job.status import JobStatus
from ..job.values import one_line
from ..settings import origin_of
from .answers import Answer, kind_of, refusal
from .new_job import NewJob

_COLLECTION = re.compile(r"(?:videos?|jobs?|tasks?|generations?|operations?)", re.IGNORECASE)
"""The segment of a path before a job's id."""


def made_job(answer: Answer, new: NewJob, url: str, base_url: str, now_s: float) -> Job:
    """The job that the answer to `new` tells of; `url` is where the request was sent.

    Raises:
        ApiError, TransientError: the API refused, also by an error under a status of success. May
            be sent again only if the error `is_unaccepted`.
        OutcomeUnknown: there may be a job; its `answer` holds a piece of what came.
    """
    reading = Reading(answer.payload, "", base_url)
    if _tells_of_job(answer, reading) and reading.id != new.remix_of:
        return _begun(Job.of(reading), new, is_told=reading.is_told)
    is_refused = reading.error is not None or reading.status == JobStatus.FAILED
    if answer.status_code < 400 and not is_refused:
        job_id = _id_in_location(answer, url)
        if job_id and job_id != new.remix_of:
            return _begun(Job(job_id), new, is_told=False)
        if answer.is_success:
            which = "no usable id" if reading.id else "no id"
            raise unknown(f"The API accepted the job, but its answer names {which}.", answer)
        if not _is_move(answer, url):
            told = f"The API answered {answer.status_code}, a redirect that names no job."
            raise unknown(told, answer)
    if answer.is_success:
        raise _hidden_refusal(answer, reading)
    error = refusal(answer, new.remix_of or "", now_s, is_poll=new.remix_of is not None)
    if isinstance(error, TransientError) and not error.is_unaccepted:
        raise unknown(f"The answer to the new job was lost. {error}", answer) from error
    raise error


def unknown(message: str, answer: Answer) -> OutcomeUnknown:
    """The error for an answer from which no id can be read, with a piece of it."""
    error = OutcomeUnknown(message)
    error.answer = answer.piece
    return error


def _tells_of_job(answer: Answer, reading: Reading) -> bool:
    """Whether the answer names a job that was made.

    Under 2xx any usable id tells of one, unless the answer states an error and no state of a job.
    Under another status it takes more: a state of a job that goes on, or all that a job has.
    """
    if not _is_usable(reading.id):
        return False
    is_known = reading.is_told and reading.status != JobStatus.UNKNOWN
    if answer.is_success:
        return is_known or reading.error is None
    is_going_on = is_known and not reading.status.is_final
    return reading.has_own_id and (is_going_on or reading.looks_like_job())


def _hidden_refusal(answer: Answer, reading: Reading) -> ApiError | TransientError | OutcomeUnknown:
    """The error that a success status hides, in the class that its code and words name."""
    reason = reading.error or reading.reason
    told = f"The API answered: {one_line(reason.message or 'an error')}"
    kind = kind_of(reason)
    if reading.names_job:
        words = told.rstrip(".")
        return unknown(f"{words}. It also names an id, so there may be a job.", answer)
    if issubclass(kind, ApiError):
        return kind(told, status_code=answer.status_code, code=reason.code)
    if kind is RateLimited:
        return RateLimited(told, retry_after_s=answer.retry_after_s(0.0))
    return unknown(f"The answer to the new job was lost. {told}", answer)


def _begun(job: Job, new: NewJob, *, is_told: bool) -> Job:
    """The job with what was asked for where the answer, perhaps the id alone, leaves it out."""
    asked = Job.parse({**new.fields, "remixed_from_video_id": new.remix_of})
    if not is_told:
        job = replace(job, status=JobStatus.QUEUED, status_word=JobStatus.QUEUED.value)
    return job.filled(asked)


def _id_in_location(answer: Answer, url: str) -> str | None:
    """The id at the end of `Location: /v1/videos/video_1`, or None."""
    try:
        given, target = urlsplit(answer.location), urljoin(url, answer.location)
        if given.scheme and not given.netloc:
            return None  # `http:videos/1`, which is nowhere
        if answer.location and (answer.is_success or origin_of(target) == origin_of(url)):
            steps = [unquote(step) for step in urlsplit(target).path.split("/")]
            before = [at for at, step in enumerate(steps[:-1]) if _COLLECTION.fullmatch(step)]
            job_id = steps[before[-1] + 1] if before else None
            return job_id if _is_usable(job_id) else None
    except ValueError:  # no address at all, which urllib tells so
        pass
    return None


def _is_move(answer: Answer, url: str) -> bool:
    """Whether the redirect leads to the same path elsewhere (https, another host, a slash more).

    A 303 leads to what came of the request, and one to the very same place may: a list of jobs.
    """
    try:
        target = urlsplit(urljoin(url, answer.location))
    except ValueError:
        return False
    is_elsewhere = bool(answer.location) and target.geturl() != url and not target.query
    is_same_path = target.path.rstrip("/") == urlsplit(url).path.rstrip("/")
    is_open = answer.status_code != 303 and not target.fragment and bool(target.hostname)
    return is_elsewhere and is_same_path and is_open


def _is_usable(job_id: str | None) -> bool:
    try:
        return bool(job_id) and check_job_id(job_id or "") == job_id
    except ValueError:
        return False
