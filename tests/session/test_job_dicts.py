"""The jobs of the ledger are plain data, and a table as the value of a cell."""

from __future__ import annotations

import json
from pathlib import Path

import cometvid_nb
from cometvid_nb.job.job import Job
from cometvid_nb.session.job_dicts import JobDicts
from cometvid_nb.session.session import Session


def test_jobs_are_dicts_for_a_program_and_a_table_in_a_cell(session: Session) -> None:
    api = session.settings.base_url
    for number in range(25):
        told = {"id": f"video_{number}", "status": "queued", "prompt": f"Take <{number}>"}
        session.ledger.see(api, Job.parse(told | {"created_at": 1_780_000_000 + number}))
    jobs = JobDicts(session.ledger.entries(api), Path("/nowhere"))
    assert json.loads(json.dumps(jobs))[0]["job_id"] == "video_24"
    assert jobs == [entry.to_row() for entry in session.ledger.entries(api)]
    bundle = jobs._repr_mimebundle_()
    assert "video_24" in bundle["text/html"]
    assert "Take &lt;24&gt;" in bundle["text/html"]
    assert "20 of 25 jobs" in bundle["text/plain"]


def test_without_a_job_the_table_says_so() -> None:
    assert isinstance(cometvid_nb.jobs(), list)
    assert "No job" in JobDicts([], Path())._repr_mimebundle_()["text/plain"]
