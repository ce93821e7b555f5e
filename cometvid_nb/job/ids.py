"""Job ids: what can be one, and how it is shown."""

from __future__ import annotations

import re


def check_job_id(text: str) -> str:
    """Return `text` as a job id, stripped.

    The id goes into a URL path and a file name, so anything that could leave either is refused.

    Raises:
        ValueError: the text cannot be an id (empty, a path, spaces or control characters, too
            long). The message tells the reason and quotes at most 40 characters.
    """
    job_id = text.strip()
    shown = repr(job_id if len(job_id) <= 40 else job_id[:37] + "…")
    if not job_id:
        raise ValueError("the job id is empty")
    # In a magic's line IPython leaves `{name}` and `$name` as they are if no variable has the name.
    if re.search(r"[{}]|^\$", job_id):
        raise ValueError(
            f"{shown} is not a job id: undefined variable? IPython leaves such a name as it is"
        )
    if len(job_id) > 256:
        raise ValueError(f"{shown} is not a job id: {len(job_id)} characters are too many")
    if "/" in job_id or "\\" in job_id or set(job_id) == {"."}:
        raise ValueError(f"{shown} is not a job id: it reads like a path or a link")
    if not job_id.isprintable() or any(c.isspace() for c in job_id):
        raise ValueError(f"{shown} is not a job id: it holds spaces or control characters")
    return job_id
