"""Session, record, disk and server in any order of commands, faults and deaths, against a model.

Whatever happens: a job that the server made is in the ledger, none was made twice, and every clip
on the disk is the one the server gave. In the end all goes well, and then all clips come home.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import CometVidError, OutcomeUnknown
from cometvid_nb.ledger.entry import Entry
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import SCENARIOS, UNTRUE, WRONG_CLIPS, Fault
from tests.simulated import KEY, Forgetful, settings_of

OF_THE_HOUSE = {scenario.job_id for scenario in SCENARIOS}
WITHIN_S = 20.0

# Of faults those that cost no pause; those that do are in test_hostile_weather.
LOST = [Fault(drop_connection=True), Fault(reset_connection=True), Fault(status=502, body="<p>")]
MADE_BUT_LOST = [Fault(cut_after_bytes=10)]
REFUSED = [Fault(status=400), Fault(status=403)]
UNTRUE_POLLS = ["unknown word", "backwards", "no status", "clock ahead", "no content type"]
BAD_LINKS = ["not an MP4", "a page", "403", "nothing", "too short", "redirect nowhere"]


class Notebook(RuleBasedStateMachine):
    """What a person, a server and bad luck may do."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="cometvid-machine-"))
        # Slow: a job ends when a rule says so.
        self.sim = Forgetful(api_key=KEY, speed=0.0001, separate_clip_host=True).start()
        self.ended: dict[str, str] = {}
        self.sent = 0
        self.session = self.open_session()

    def open_session(self) -> Session:
        return Session(
            settings_of(
                self.sim,
                save_dir=str(self.folder / "videos"),
                ledger=str(self.folder / "ledger.sqlite3"),
                interval_s=0.2,
            )
        )

    def teardown(self) -> None:
        try:
            self.come_home()
        finally:
            self.session.close()
            self.sim.stop()
            shutil.rmtree(self.folder)

    @rule(target=jobs, fault=st.sampled_from([None, None, *LOST, *MADE_BUT_LOST, *REFUSED]))
    def create(self, fault: Fault | None) -> Any:
        if fault is not None:
            self.sim.add_fault(
                Fault("POST /videos", **{n: getattr(fault, n) for n in CREATION_FIELDS})
            )
        before = len(self.sim.made)
        jobs, error = self.session.create([NewJob.check(f"comet {before}", seconds=4)])
        self.sim.clear_faults()
        self.sent += 1
        is_made = fault is None or fault in MADE_BUT_LOST
        assert len(self.sim.made) - before == is_made
        assert [job.id for job in jobs] == (
            [job_id for _, job_id in self.sim.made[before:]] if not fault else []
        )
        assert isinstance(error, OutcomeUnknown) == (fault is not None and fault not in REFUSED)
        return jobs[0].id if jobs else multiple()

    @rule(job_id=jobs)
    def watch(self, job_id: str) -> None:
        self.session.watch(job_id)

    @rule(job_id=jobs)
    def watch_and_stop(self, job_id: str) -> None:
        self.session.watch(job_id).stop()

    @rule()
    def resume(self) -> None:
        self.session.resume()

    @rule(job_id=consumes(jobs), ending=st.sampled_from(["completed", "completed", "failed"]))
    def end(self, job_id: str, ending: str) -> None:
        self.ended[job_id] = ending
        self.sim.finish(job_id) if ending == "completed" else self.sim.fail(job_id)

    @rule(name=st.sampled_from(UNTRUE_POLLS))
    def lie(self, name: str) -> None:
        self.sim.add_fault(Fault("GET /videos/{id}", changes=UNTRUE[name].changes))

    @rule(name=st.sampled_from(BAD_LINKS))
    def spoil_a_link(self, name: str) -> None:
        fault = WRONG_CLIPS[name]
        fields = {n: getattr(fault, n) for n in ("status", "body", "headers", "length_off")}
        self.sim.add_fault(Fault("GET /clips/*", **fields))

    @rule()
    def die(self) -> None:
        """The kernel goes away; whatever it was doing is cut short."""
        self.session.close()
        self.session = self.open_session()

    @rule()
    def second_kernel(self) -> None:
        """Another one on the same record and folder follows the same jobs."""
        other = self.open_session()
        try:
            for watch in other.resume():
                if watch.job_id in self.ended:
                    wait_for(watch)
        finally:
            other.close()

    @invariant()
    def no_job_is_forgotten_and_none_made_twice(self) -> None:
        entries = {entry.ref: entry for entry in self.entries()}
        assert len(entries) == self.sent == self.sim.count("POST /videos")
        made = {str(ref): job_id for ref, job_id in self.sim.made}
        assert len(made) == len(self.sim.made), "the same request came twice"
        assert made.keys() <= entries.keys()
        for ref, job_id in made.items():
            assert entries[ref].job_id in (job_id, None)
            assert entries[ref].job_id is not None or entries[ref].is_uncertain
        assert {e.job_id for e in entries.values()} - {None} <= set(made.values())

    @invariant()
    def no_clip_is_wrong(self) -> None:
        for path in (self.folder / "videos").glob("*.mp4"):
            assert self.ended[path.stem] == "completed"
            assert path.read_bytes() == self.sim.clip_bytes(path.stem)

    def entries(self) -> list[Entry]:
        with closing(Ledger(self.folder / "ledger.sqlite3")) as ledger:
            return ledger.entries(self.sim.base_url)

    def come_home(self) -> None:
        self.sim.clear_faults()
        self.die()
        for watch in self.session.resume():
            if watch.job_id in self.ended:
                wait_for(watch)
        known = {entry.job_id for entry in self.entries()}
        completed = {j for j, ending in self.ended.items() if ending == "completed" and j in known}
        assert {path.stem for path in (self.folder / "videos").glob("*")} == completed
        self.no_job_is_forgotten_and_none_made_twice()
        self.no_clip_is_wrong()


CREATION_FIELDS = ("drop_connection", "reset_connection", "status", "body", "cut_after_bytes")


def wait_for(watch: Any) -> None:
    until_s = time.monotonic() + WITHIN_S
    try:
        watch.wait(WITHIN_S)
    except CometVidError:
        assert time.monotonic() < until_s, f"{watch} did not end"


Notebook.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestNotebook = Notebook.TestCase
