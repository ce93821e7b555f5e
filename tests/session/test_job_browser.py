"""The list of remembered jobs in a real kernel: what its page asks for, and what stays of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cometvid_nb.cards.job_list import PAGE_ROWS, JobQuery
from cometvid_nb.job.rating import Flag, RatingFilter
from cometvid_nb.ledger.statements import Order
from cometvid_nb.session.job_browser import read_jobs
from cometvid_nb.session.session import Session
from tests.bench import WIDGET, Bench
from tests.ledger.conftest import job

Json = dict[str, Any]

pytestmark = pytest.mark.simulator(speed=20)

REMEMBER = """
from cometvid_nb.job.job import Job
from cometvid_nb.session.session import current
ledger, api = current().ledger, current().settings.base_url
for number in range(45):
    told = {"id": f"video_{number:02}", "status": "queued", "prompt": f"A comet, take {number}"}
    ledger.see(api, Job.parse(told | {"created_at": 1_780_000_000 + number}))
ledger.keep_clip(api, "video_07", "/nowhere.mp4", 1, poster="data:image/png;base64,AA")
"""


def states(bench: Bench) -> list[tuple[str, Json]]:
    """The model and the list of each message that brought one to the page."""
    found = []
    for message in bench.kernel.messages:
        content = message["content"]
        jobs = content.get("data", {}).get("state", {}).get("jobs")
        if jobs:
            found.append((content["comm_id"], jobs))
    return found


def ask(bench: Bench, model: str, content: Json) -> None:
    bench.kernel.messages.clear()
    bench.kernel.send_to_widget(model, content)


def answer(bench: Bench, model: str, content: Json) -> Json:
    """The list that comes for what a page asks for."""
    ask(bench, model, content)
    bench.kernel.wait_for(lambda _: bool(states(bench)))
    return states(bench)[-1][1]


def custom(bench: Bench, kind: str) -> Json:
    def is_it(message: Any) -> bool:
        data = message["content"].get("data", {})
        return bool(data.get("content", {}).get("kind") == kind)

    content: Json = bench.kernel.wait_for(is_it)["content"]["data"]["content"]
    return content


def test_the_kernel_searches_sorts_turns_pages_and_fetches(fresh: Bench) -> None:
    assert fresh.run(REMEMBER).error is None
    [live] = fresh.run("%cometvid jobs").outputs
    assert WIDGET in live.data
    assert "20 of 45 jobs" in live.data["text/plain"], "for a page that draws no widget"
    [(model, first)] = states(fresh)
    assert [row["name"] for row in first["rows"]] == [f"video_{n}" for n in range(44, 24, -1)]
    assert (first["total"], first["pages"], first["counts"]["queued"]) == (45, 3, 45)

    last = answer(fresh, model, {"kind": "view", "page": 99, "is_ascending": True})
    assert (last["page"], last["rows"][-1]["name"]) == (3, "video_44")
    found = answer(fresh, model, {"kind": "view", "search": "TAKE 4", "order": "prompt"})
    assert [row["name"] for row in found["rows"]][:2] == ["video_44", "video_43"]
    assert (found["matching"], found["counts"]) == (6, {"queued": 6})

    ask(fresh, model, {"kind": "posters", "names": ["video_07", "video_08", {"a": 1}]})
    assert custom(fresh, "posters")["posters"] == {"video_07": "data:image/png;base64,AA"}
    for nonsense in ({"kind": "posters"}, {"kind": "fetch_clip", "job_id": 5}, {"kind": "?"}):
        ask(fresh, model, nonsense)
    ask(fresh, model, {"kind": "fetch_clip", "job_id": "video_07", "request": 3})
    assert custom(fresh, "clip_failed")["request"] == 3
    job_id = fresh.add_job(ending="completed")
    fresh.simulator.finish(job_id)
    fresh.run(f"ledger.see(api, Job.parse({{'id': {job_id!r}, 'status': 'completed'}}))")
    ask(fresh, model, {"kind": "fetch_clip", "job_id": job_id, "request": 4})
    assert custom(fresh, "clip_chunk")["request"] == 4, "though it is saved nowhere"
    later = fresh.run("ledger.forget(ledger.find(api, 'video_44'))")
    assert later.error is None
    assert answer(fresh, model, {"kind": "hello"})["matching"] == 5, "asked again, read again"


def test_a_state_alone_and_a_state_within_a_search(session: Session) -> None:
    api = session.settings.base_url
    for number in range(PAGE_ROWS + 2):
        status = "failed" if number % 2 else "completed"
        session.ledger.see(api, job(f"video_{number}", status, prompt="A comet"))

    def read(**changes: Any) -> tuple[int, int, int]:
        query = JobQuery(**changes)
        jobs = read_jobs(session.ledger, session.settings, query, session.ledger.path.parent)  # type: ignore[union-attr]
        return len(jobs.rows), jobs.matching, jobs.query.page

    assert read() == (20, 22, 1)
    assert read(page=2, order=Order.MODEL) == (2, 22, 2)
    assert read(state="failed") == (11, 11, 1)
    assert read(state="failed", search="comet", page=5) == (11, 11, 1)
    assert read(search="lake") == (0, 0, 1)


def test_a_list_of_picked_takes_counts_those(session: Session, tmp_path: Path) -> None:
    api, picked = session.settings.base_url, RatingFilter(Flag.PICKED)
    for number in range(4):
        session.ledger.see(api, job(f"video_{number}", "completed"))
    for number in range(2):
        session.ledger.rate(api, job(f"video_{number}"), {"flag": Flag.PICKED})
    totals = [
        read_jobs(session.ledger, session.settings, JobQuery(rated=rated), tmp_path).total
        for rated in (RatingFilter(), picked)
    ]
    assert totals == [4, 2], "the heading of the page"
