"""JobStatus: the state of a job, and every status word seen for it."""

from __future__ import annotations

import re
from enum import StrEnum

LONGEST_WORD = 200
"""Characters kept of a status word, which a card shows as it is; known words are far shorter."""

# The status words seen for each documented status. A new word belongs here and nowhere else.
_STATUS_WORDS = {
    "queued": "queued pending submitted not_start not_started notstarted in_queue queueing queuing "
    "created waiting preparing starting accepted scheduled",
    "in_progress": "in_progress processing running generating started rendering",
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
        if (known := _STATUS_OF.get(word)) is not None:
            return known  # as it is documented, and nearly always is
        plain = re.sub(r"[\s-]+", "_", word[:LONGEST_WORD].strip().lower())
        return _STATUS_OF.get(_PREFIX.sub("", plain), cls.UNKNOWN)


_PREFIX = re.compile(r"^(?:task|job|video)_(?:status|state)_")
"""Some APIs spell `TASK_STATUS_SUCCEED` and `JOB_STATE_FAILED`."""
_STATUS_OF = {
    word: JobStatus(name) for name, words in _STATUS_WORDS.items() for word in words.split()
}
