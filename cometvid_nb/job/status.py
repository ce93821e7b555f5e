"""JobStatus: the state of a job, and every status word seen for it."""

from __future__ import annotations

import re
from enum import StrEnum

# The status words seen for each documented status. A new word belongs here and nowhere else.
_STATUS_WORDS = {
    "queued": "queued pending submitted not_start not_started in_queue created waiting",
    "in_progress": "in_progress processing running generating started",
    "completed": "completed complete success succeeded succeed done finished",
    "failed": "failed failure fail error cancelled canceled expired rejected",
}


class JobStatus(StrEnum):
    """The state of a job; the values are the documented words of the API."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Any other word. The job counts as not finished, since only a known word may end a watch."""

    @property
    def is_final(self) -> bool:
        """Whether the job will not change any more."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED)

    @classmethod
    def parse(cls, word: object) -> JobStatus:
        """Return the status for a word; letter case, spaces and dashes do not matter."""
        if not isinstance(word, str):
            return cls.UNKNOWN
        return _STATUS_OF.get(re.sub(r"[\s-]+", "_", word.strip().lower()), cls.UNKNOWN)


_STATUS_OF = {
    word: JobStatus(name) for name, words in _STATUS_WORDS.items() for word in words.split()
}
