"""The record of jobs: many may write, any may die at any instant, and it stops nobody."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cometvid_nb.job import Job
from cometvid_nb.ledger.file import default_path
from cometvid_nb.ledger.ledger import LOST, REFUSED, SENDING, Entry, Ledger
from cometvid_nb.simulator import SCENARIOS, Simulator
from tests.environment import isolated_environ
from tests.strategies import plausible_jobs

KEY = "sk-live-0123456789-kept-to-itself"
API = "https://api.example/v1"
KILLS = 24


class Warned(list[str]):
    """The warnings of a ledger; called as it calls its `warn`."""

    __call__ = list.append


@pytest.fixture
def warned() -> Warned:
    return Warned()


@pytest.fixture
def ledger(tmp_path: Path, warned: Warned) -> Iterator[Ledger]:
    """A ledger that is not to find any fault with its file."""
    yield Ledger(tmp_path / "data" / "ledger.sqlite3", warned)
    assert warned == []


def job(job_id: str, status: str = "queued", **more: Any) -> Job:
    return Job.parse({"id": job_id, "status": status, **more})


def is_sound(path: Path) -> bool:
    """What SQLite says of the file itself."""
    with closing(sqlite3.connect(path)) as db:
        verdict: str = db.execute("PRAGMA integrity_check").fetchone()[0]
    return verdict == "ok"


# The life of an entry.


def test_an_intent_is_on_the_disk_before_anything_else_happens(
    ledger: Ledger, warned: Warned
) -> None:
    ref = ledger.intend(API, model="sora-2", prompt="A comet", seconds="4", size="1280x720")
    assert ledger.path is not None
    [entry] = Ledger(ledger.path, warned).entries(API)
    assert (entry.ref, entry.state, entry.job_id) == (ref, SENDING, None)
    assert (entry.model, entry.prompt) == ("sora-2", "A comet")
    assert (entry.seconds, entry.size) == ("4", "1280x720")
    assert abs(entry.began_at_s - time.time()) < 5


def test_an_entry_follows_its_job_to_the_saved_clip(ledger: Ledger) -> None:
    ref = ledger.intend(API, model="sora-2", prompt="A comet")
    ledger.accept(ref, job("video_1", model="sora-2-2026", seconds="4"))
    ledger.see(API, job("video_1", "in_progress"), is_clip_wanted=True)
    running = ledger.find(API, "video_1")
    ledger.see(API, job("video_1", "completed"), took_s=67.0)
    ledger.save(API, "video_1", "/videos/video_1.mp4", 123)

    assert running is not None
    assert (running.ref, running.state, running.is_unfinished) == (ref, "in_progress", True)
    [entry] = ledger.entries(API)
    assert (entry.state, entry.took_s, entry.prompt) == ("completed", 67.0, "A comet")
    assert (entry.model, entry.seconds) == ("sora-2-2026", "4"), "the API's own words win"
    assert (entry.clip, entry.clip_bytes) == ("/videos/video_1.mp4", 123)
    assert not entry.is_unfinished


def test_a_refusal_and_a_lost_answer_keep_their_words(ledger: Ledger) -> None:
    refused, lost = ledger.intend(API, prompt="a"), ledger.intend(API, prompt="b")
    ledger.refuse(refused, "The API answered 403: no quota")
    ledger.lose(lost, "The answer to the new job was lost.")
    later, earlier = ledger.entries(API)
    assert (earlier.state, earlier.problem) == (REFUSED, "The API answered 403: no quota")
    assert (later.state, later.problem) == (LOST, "The answer to the new job was lost.")
    assert (earlier.is_uncertain, later.is_uncertain) == (False, True)
    assert not earlier.is_unfinished
    assert not later.is_unfinished


def test_a_job_somebody_watched_before_its_answer_came_is_one_job(ledger: Ledger) -> None:
    ref = ledger.intend(API, prompt="A comet")
    ledger.see(API, job("video_1", "in_progress", prompt="A comet"))
    ledger.accept(ref, job("video_1"))
    [entry] = ledger.entries(API)
    assert entry.job_id == "video_1"


def test_a_job_not_made_here_is_taken_in_when_it_is_watched(ledger: Ledger) -> None:
    ledger.see(API, job("video_1", "in_progress", created_at=1_781_079_478, prompt="A comet"))
    ledger.see(API, job("video_1", "paused_by_moderation"))
    [entry] = ledger.entries(API)
    assert entry.began_at_s == 1_781_079_478
    assert (entry.state, entry.prompt) == ("in_progress", "A comet")


def test_jobs_of_another_api_are_another_matter(ledger: Ledger) -> None:
    ledger.see(API, job("video_1"))
    ledger.see("http://127.0.0.1:1/v1", job("video_1", "completed"))
    assert [entry.state for entry in ledger.entries(API)] == ["queued"]
    assert ledger.find("http://127.0.0.1:2/v1", "video_1") is None


def test_unfinished_is_what_runs_and_what_lacks_a_clip_that_was_wanted(ledger: Ledger) -> None:
    ledger.intend(API, prompt="was it ever sent?")
    ledger.see(API, job("runs", "in_progress"), is_clip_wanted=False)
    ledger.see(API, job("fails", "failed"), is_clip_wanted=True)
    ledger.see(API, job("lacks", "completed"), is_clip_wanted=True)
    ledger.see(API, job("unasked", "completed"))
    ledger.see(API, job("unwanted", "completed"), is_clip_wanted=False)
    ledger.see(API, job("has", "completed"), is_clip_wanted=True)
    ledger.save(API, "has", "/videos/has.mp4", 1)
    assert [entry.job_id for entry in ledger.unfinished(API)] == ["runs", "lacks", "unasked"]


# Looking things up.


def test_the_latest_come_first_and_a_limit_cuts_the_rest(ledger: Ledger) -> None:
    for number in range(5):
        ledger.intend(API, prompt=f"{number}")
    assert [entry.prompt for entry in ledger.entries(API)] == ["4", "3", "2", "1", "0"]
    assert [entry.prompt for entry in ledger.entries(API, limit=2)] == ["4", "3"]
    assert ledger.entries(API, limit=0) == []


@pytest.mark.parametrize(
    "text", ["GLOW", "glowing C", "комета", "KLEINE STRASSE", "100%", "_", "'"]
)
def test_a_search_finds_a_piece_of_the_prompt_in_any_case(ledger: Ledger, text: str) -> None:
    ledger.intend(API, prompt="A glowing comet, Комета, kleine Straße, 100% it's_so")
    ledger.intend(API, prompt="Another")
    assert len(ledger.entries(API, search=text)) == 1


def test_a_search_finds_the_id_and_the_model_and_treats_nothing_as_a_pattern(
    ledger: Ledger,
) -> None:
    ledger.see(API, job("video_ABC", model="wan2.6", prompt="x"))
    ledger.intend(API, model=None, prompt="y")
    assert len(ledger.entries(API, search="abc")) == len(ledger.entries(API, search="WAN")) == 1
    assert ledger.entries(API, search="%") == ledger.entries(API, search="*") == []


@pytest.mark.parametrize("state", ["in_progress", "in progress", "In-Progress"])
def test_a_state_is_found_as_the_api_and_as_the_table_spell_it(ledger: Ledger, state: str) -> None:
    ledger.see(API, job("video_1", "in_progress"))
    ledger.see(API, job("video_2", "queued"))
    assert [entry.job_id for entry in ledger.entries(API, state=state)] == ["video_1"]


def test_the_unknown_outcome_can_be_asked_for_by_name(ledger: Ledger) -> None:
    ledger.lose(ledger.intend(API, prompt="a"), "lost")
    assert [len(ledger.entries(API, state=s)) for s in ("unknown outcome", "unknown-outcome")] == [
        1,
        1,
    ]


def test_durations_are_of_the_nearest_kind_there_is(ledger: Ledger) -> None:
    def took(took_s: float, job_id: str, **kind: str) -> None:
        ledger.see(API, job(job_id, "completed", **kind), took_s=took_s)

    took(60, "a", model="sora-2", seconds="4", size="1280x720")
    took(70, "b", model="sora-2", seconds="4", size="720x1280")
    took(200, "c", model="sora-2", seconds="12", size="1280x720")
    there = job("elsewhere", "completed", model="sora-2", seconds="4", size="1280x720")
    ledger.see("https://other.example/v1", there, took_s=1)
    took(9, "d", model="wan2.6", seconds="4", size="1280x720")
    ledger.see(API, job("e", "completed", model="sora-2", seconds="4", size="1280x720"))

    assert ledger.durations_s(API, "sora-2", "4", "1280x720") == [60]
    assert sorted(ledger.durations_s(API, "sora-2", "4", "960x960")) == [60, 70]
    assert sorted(ledger.durations_s(API, "sora-2", "4", None)) == [60, 70]
    assert sorted(ledger.durations_s(API, "sora-2", "8", "1280x720")) == [60, 70, 200]
    assert sorted(ledger.durations_s(API, "sora-2", None, None)) == [60, 70, 200]
    assert ledger.durations_s(API, "veo-3.1", "4", "1280x720") == []
    assert ledger.durations_s(API, None, "4", "1280x720") == []
    assert len(ledger.durations_s(API, "sora-2", None, None, most=2)) == 2


def test_records_are_flat_dicts_as_pandas_takes_them(ledger: Ledger) -> None:
    ledger.intend(API, prompt="A comet")
    ledger.see(API, job("video_1", "completed"), took_s=67.5)
    records = [entry.to_record() for entry in ledger.entries(API)]
    flat = (str, int, float, type(None))
    assert all(isinstance(value, flat) for record in records for value in record.values())
    assert [list(record) for record in records] == [list(records[0])] * 2
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(records)
    assert sorted(frame.columns) == sorted(records[0])
    assert sorted(frame["state"]) == ["completed", "sending"]


def test_a_remembered_job_reads_as_the_job_it_was(ledger: Ledger) -> None:
    told = {"model": "wan2.6", "prompt": "A comet", "seconds": "4", "size": "960x960"}
    ledger.see(API, job("video_1", "completed", created_at=1000, **told), took_s=60)
    entry = ledger.find(API, "video_1")
    assert entry is not None
    again = entry.to_job()
    assert (again.id, again.model, again.prompt) == ("video_1", "wan2.6", "A comet")
    assert (again.duration_s, again.size) == (4, "960x960")
    assert (again.created_at_s, again.completed_at_s) == (1000, 1060)
    assert (again.status_word, again.video_url) == ("completed", None)


@settings(max_examples=60, deadline=None)
@given(st.lists(plausible_jobs, max_size=6))
def test_whatever_the_api_says_of_a_job_can_be_written_and_read(payloads: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        warned = Warned()
        ledger = Ledger(Path(folder) / "ledger.sqlite3", warned)
        jobs = [Job.parse(payload, job_id="video_asked") for payload in payloads]
        for one in jobs:
            ledger.see(API, one)
        assert {entry.job_id for entry in ledger.entries(API)} == {one.id for one in jobs}
        for entry in ledger.entries(API):
            json.dumps(entry.to_record())
            assert entry.to_job().id == entry.job_id
        assert warned == []


# What it does not hold.


def test_no_key_and_no_link_is_in_the_bytes_of_the_file(tmp_path: Path, home: Path) -> None:
    with Simulator(api_key=KEY, speed=500) as sim:
        script = """
            import cometvid_nb, os, signal
            from cometvid_nb.session import session
            session.current().configure(interval_s=0.2)
            watch = cometvid_nb.create("A comet", seconds=4)
            assert watch.job.video_url
            os.kill(os.getpid(), signal.SIGKILL)  # nothing is tidied up: the WAL is as it was
        """
        environ = isolated_environ(home) | {
            "COMETAPI_KEY": KEY,
            "COMETAPI_BASE_URL": sim.base_url,
        }
        command = [sys.executable, "-c", dedent(script)]
        done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == -9, done.stderr.decode()
        assert sim.count("GET /clips/*") > 0
    files = [path for path in (home / "xdg-data").rglob("*") if path.is_file()]
    held = b"".join(path.read_bytes() for path in files)
    assert b"A comet" in held
    assert KEY.encode() not in held
    assert b"signature=" not in held
    assert b"/clips/" not in held
    assert b"Bearer" not in held


def test_the_record_lies_in_the_users_data_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert default_path() == tmp_path / "cometvid_nb" / "ledger.sqlite3"
    assert default_path().name == "ledger.sqlite3"


# A file that cannot be used.


def corrupt(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 400)


def half_overwritten(path: Path) -> None:
    ledger = Ledger(path, Warned())
    ledger.intend(API, prompt="A comet")
    ledger.close()
    content = bytearray(path.read_bytes())
    content[100:4000] = random.Random(1).randbytes(3900)
    path.write_bytes(content)


def of_a_newer_version(path: Path) -> None:
    ledger = Ledger(path, Warned())
    assert ledger.entries(API) == []  # even one that could be read as ours
    ledger.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 7")


def another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE jobs (title TEXT)")


def a_directory(path: Path) -> None:
    path.mkdir()


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.touch()


@pytest.mark.parametrize(
    "spoil",
    [corrupt, half_overwritten, of_a_newer_version, another_database, a_directory, below_a_file],
)
def test_a_file_that_cannot_be_used_is_reported_once_and_raises_nothing(
    tmp_path: Path, warned: Warned, spoil: Callable[[Path], None]
) -> None:
    path = tmp_path / "data" / "ledger.sqlite3"
    path.parent.mkdir()
    spoil(path)
    before = path.read_bytes() if path.is_file() and spoil is not another_database else b""
    ledger = Ledger(path, warned)
    use_all_of(ledger)

    [words] = warned
    assert f"The record of jobs at {path} cannot be used" in words
    assert "Watching goes on" in words
    assert "%cometvid config ledger=off" in words
    assert spoil is not of_a_newer_version or "by a newer cometvid-nb" in words
    assert not before or path.read_bytes() == before, "it is left as it is"


def use_all_of(ledger: Ledger) -> None:
    """Call every method; none may raise for the file's sake."""
    ref = ledger.intend(API, prompt="A comet")
    assert ref
    ledger.accept(ref, job("video_1"))
    ledger.refuse(ref, "no")
    ledger.lose(ref, "lost")
    ledger.see(API, job("video_1", "completed"), took_s=60)
    ledger.save(API, "video_1", "/videos/video_1.mp4", 1)
    assert ledger.find(API, "video_1") is None
    assert ledger.entries(API) == ledger.unfinished(API) == []
    assert ledger.durations_s(API, "sora-2", "4", None) == []


def test_off_keeps_nothing_and_says_nothing(warned: Warned) -> None:
    use_all_of(Ledger(None, warned))
    assert warned == []


@contextmanager
def read_only_place() -> Iterator[Path]:
    """A folder that everybody may enter, below which a test may forbid writing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        place = folder / "data"
        place.mkdir()
        try:
            yield place
        finally:
            place.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there")
@pytest.mark.parametrize("what", ["file", "folder", "no folder"])
def test_what_may_only_be_read_is_reported_once_and_stops_nobody(what: str) -> None:
    with read_only_place() as place:
        path = place / "ledger.sqlite3"
        if what == "no folder":
            path = place / "below" / "ledger.sqlite3"
        else:
            Ledger(path, Warned()).see(API, job("video_1"))
        if what == "file":
            place.chmod(0o777)
            path.chmod(0o444)
        else:
            place.chmod(0o555)
        script = f"""
            import os
            if os.geteuid() == 0:
                os.setgroups([]); os.setgid(65534); os.setuid(65534)  # root may write anywhere
            warned = []
            ledger = Ledger(Path({str(path)!r}), warned.append)
            ref = ledger.intend({API!r}, prompt="A comet")
            ledger.accept(ref, Job.parse({{"id": "video_2", "status": "queued"}}))
            ledger.see({API!r}, Job.parse({{"id": "video_1", "status": "completed"}}))
            ledger.entries({API!r})
            assert ref
            print(*warned, sep="\\n")
        """
        # Imported before the rights are given away: this interpreter may lie in a home.
        head = "from pathlib import Path\nfrom cometvid_nb.ledger.ledger import Ledger\n"
        head += "from cometvid_nb.job import Job\nimport uuid, sqlite3, contextlib\n"
        command = [sys.executable, "-c", head + dedent(script)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        [words] = done.stdout.splitlines()
    assert "cannot be used" in words


def test_a_record_that_was_taken_away_begins_anew(ledger: Ledger) -> None:
    ledger.see(API, job("video_1"))
    assert ledger.path is not None
    for path in ledger.path.parent.iterdir():
        path.unlink()
    ledger.path.parent.rmdir()
    ledger.see(API, job("video_2"))
    assert [entry.job_id for entry in ledger.entries(API)] == ["video_2"]


def test_a_writer_that_holds_the_file_for_a_while_is_waited_for(ledger: Ledger) -> None:
    ledger.intend(API, prompt="first")
    assert ledger.path is not None
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        writer = threading.Thread(target=ledger.intend, args=(API,), kwargs={"prompt": "second"})
        writer.start()
        assert len(ledger.entries(API)) == 1, "reading goes on meanwhile"
        db.execute("COMMIT")
        writer.join(10)
    assert len(ledger.entries(API)) == 2


def test_one_busy_moment_is_not_the_end_of_the_record(
    tmp_path: Path, warned: Warned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cometvid_nb.ledger.ledger.BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger(path, warned)
    ledger.intend(API, prompt="first")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        ledger.intend(API, prompt="second")
        ledger.intend(API, prompt="third")
        db.execute("COMMIT")
    ledger.intend(API, prompt="fourth")
    assert [entry.prompt for entry in ledger.entries(API)] == ["fourth", "first"]
    assert len(warned) == 1


# Many at once.

WRITER = """
    import sys
    from pathlib import Path
    from cometvid_nb.job import Job
    from cometvid_nb.ledger.ledger import Ledger
    name, path, api = sys.argv[1:]
    sys.stdin.read(1)  # all begin together
    for number in range(25):
        ledger = Ledger(Path(path), sys.exit)  # a new one each time: all of them make the file
        ref = ledger.intend(api, prompt=f"{name}/{number}")
        ledger.accept(ref, Job.parse({"id": f"video_{name}_{number}", "status": "queued"}))
        shared = Job.parse({"id": f"shared_{number}", "status": "in_progress"})
        ledger.see(api, shared, is_clip_wanted=True)
        ledger.save(api, shared.id, f"/videos/{name}.mp4", number)
"""


def test_many_processes_may_write_at_once_and_nothing_is_missing(ledger: Ledger) -> None:
    assert ledger.path is not None
    command = [sys.executable, "-W", "error", "-c", dedent(WRITER)]
    writers = [
        subprocess.Popen(
            [*command, name, str(ledger.path), API], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for name in "abcdef"
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"!")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert (writer.returncode, errors) == (0, b"")
    expected = {f"video_{name}_{number}" for name in "abcdef" for number in range(25)}
    expected |= {f"shared_{number}" for number in range(25)}
    assert [entry.job_id for entry in ledger.entries(API)].count(None) == 0
    assert {entry.job_id for entry in ledger.entries(API)} == expected
    assert len(ledger.entries(API)) == len(expected)
    assert is_sound(ledger.path)


def test_many_threads_may_share_one_ledger(ledger: Ledger) -> None:
    def write(name: str) -> None:
        for number in range(20):
            ledger.accept(ledger.intend(API, prompt=name), job(f"{name}_{number}"))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({entry.job_id for entry in ledger.entries(API)}) == 120


def test_many_may_make_the_file_at_the_same_instant(tmp_path: Path, warned: Warned) -> None:
    """SQLite turns one away, without any waiting, where two switch to the write-ahead log."""
    together = threading.Barrier(8)

    def make() -> None:
        for number in range(30):
            together.wait()
            Ledger(tmp_path / f"{number}.sqlite3", warned).intend(API, prompt="A comet")

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [Ledger(tmp_path / f"{number}.sqlite3", warned) for number in range(30)]
    assert [len(ledger.entries(API)) for ledger in made] == [8] * 30
    assert warned == []


# `kill -9` at any instant.

# Imports once, then forks a child for each line it reads; a fork is ready in milliseconds.
NURSERY = """
    import os, signal, sys
    import cometvid_nb, cometvid_nb.api.client, cometvid_nb.session.creation, cometvid_nb.clips.save
    from cometvid_nb.session import session
    from cometvid_nb.api import new_job

    def live():
        here = session.Session()
        for number in range(1000):
            jobs, error = here.create([new_job.NewJob.check(f"comet {number}", seconds=4)])
            assert error is None, error
            here.watch(jobs[0].id)

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                live()
            finally:
                os._exit(1)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1, flush=True)
"""


class Register(Simulator):
    """A simulator that notes which request made which job, and forgets idempotency keys."""

    def __init__(self, **options: Any) -> None:
        self.made: dict[str | None, str] = {}
        super().__init__(**options)

    def create(self, form: Any, idempotency_key: str | None) -> dict[str, Any]:
        answer = super().create(form, None)
        assert idempotency_key not in self.made, "the same request came twice"
        self.made[idempotency_key] = str(answer["id"])
        return answer


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 there")
def test_killed_at_any_instant_nothing_that_was_accepted_is_missing(
    tmp_path: Path, home: Path, warned: Warned
) -> None:
    rng = random.Random(20260924)
    pause = threading.Event()  # never set: its wait is the moment that is drawn
    with Register(api_key=KEY, speed=40) as sim:
        environ = isolated_environ(home)
        environ |= {"COMETAPI_KEY": KEY, "COMETAPI_BASE_URL": sim.base_url}
        path = Path(environ["XDG_DATA_HOME"]) / "cometvid_nb" / "ledger.sqlite3"
        nursery = subprocess.Popen(
            [sys.executable, "-c", dedent(NURSERY)],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        try:
            for _ in range(KILLS):
                asked = sim.count("POST /videos")
                nursery.stdin.write("live\n")
                nursery.stdin.flush()
                child = int(nursery.stdout.readline())
                assert sim.wait_for_requests("POST /videos", asked + rng.randint(1, 6))
                pause.wait(rng.uniform(0.0, 0.05))
                os.kill(child, 9)
                assert int(nursery.stdout.readline()) == 9
                if path.is_file():
                    assert is_sound(path)
        finally:
            nursery.stdin.close()
            nursery.wait(10)
            nursery.stdout.close()
        entries = {entry.ref: entry for entry in Ledger(path, warned).entries(sim.base_url)}
        posts = [asked for asked in sim.requests if asked.method == "POST"]
        made = dict(sim.made)

    assert warned == []
    assert len(made) >= KILLS
    assert {asked.headers["idempotency-key"] for asked in posts} <= entries.keys()
    assert made.keys() <= entries.keys(), "nothing that was accepted is missing"
    for ref, job_id in made.items():
        entry = entries[str(ref)]
        assert entry.job_id in (job_id, None)
        assert entry.job_id is not None or entry.state == SENDING
    assert sum(entry.job_id is None for entry in entries.values()) <= KILLS
    of_the_house = {scenario.job_id for scenario in SCENARIOS}
    assert {e.job_id for e in entries.values() if e.job_id} <= set(sim.jobs) - of_the_house


FORKED = """
import os, sys
from pathlib import Path
from cometvid_nb.job import Job
from cometvid_nb.ledger.ledger import Ledger

ledger = Ledger(Path(sys.argv[1]), print)
see = lambda job_id: ledger.see("here", Job.parse({"id": job_id, "status": "queued"}))
see("before")
parents = ledger._file._kept
child = os.fork()
if child == 0:
    see("child")
    is_own = ledger._file._kept is not parents
    parents.execute("SELECT 1")  # raises if it was closed
    os._exit(0 if is_own and ledger.find("here", "before") else 3)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
see("after")
names = {entry.job_id for entry in ledger.entries("here")}
sys.exit(status or (0 if names == {"before", "child", "after"} else 4))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_writes_over_a_connection_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    code = [sys.executable, "-W", "ignore", "-c", FORKED, str(path)]
    ended = subprocess.run(
        code, env=isolated_environ(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert is_sound(path)


def test_an_entry_of_before_is_uncertain_only_after_a_while() -> None:
    def sent(began_at_s: float) -> Entry:
        blank: dict[str, Any] = dict.fromkeys(Entry.__dataclass_fields__)
        blank |= {"ref": "r", "base_url": API, "state": SENDING, "began_at_s": began_at_s}
        return Entry(**blank)

    assert not sent(time.time()).is_uncertain
    assert sent(time.time() - 3600).is_uncertain


SENDER = """
import sys, pathlib
from cometvid_nb.ledger.ledger import Ledger
Ledger(pathlib.Path(sys.argv[1]), print).intend("%s", prompt="A comet")
print("sent", flush=True)
sys.stdin.read()
"""


def test_a_request_is_uncertain_as_soon_as_its_process_is_dead(ledger: Ledger) -> None:
    assert ledger.path is not None
    command = [sys.executable, "-c", SENDER % API, str(ledger.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        sender.stdout.readline()
        [entry] = ledger.entries(API)
        assert (entry.state, entry.is_uncertain) == (SENDING, False)
        sender.kill()
    assert entry.is_uncertain
    assert entry.sender is not None
    other = replace(entry, sender=f"elsewhere/{entry.sender}", began_at_s=time.time())
    assert not other.is_uncertain, "a process of another machine may well be alive"


def test_what_is_forgotten_is_gone_with_its_picture_and_nothing_else_is(ledger: Ledger) -> None:
    ledger.lose(ledger.intend(API, prompt="lost"), "lost")
    for name in ("a", "b"):
        ledger.see(API, job(name, "completed"))
        ledger.save(API, name, f"/clips/{name}.mp4", 5, poster=f"data:{name}")
    [lost] = ledger.entries(API, state="unknown outcome")
    assert len(lost.name) == 8
    for name in (lost.name, "a"):
        entry = ledger.named(API, name)
        assert entry is not None
        ledger.forget(entry)
        assert ledger.named(API, name) is None
    assert [entry.job_id for entry in ledger.entries(API)] == ["b"]
    assert (ledger.poster(API, "a"), ledger.poster(API, "b")) == (None, "data:b")


def test_a_record_of_the_first_version_is_taken_over(tmp_path: Path, warned: Warned) -> None:
    path = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(path)) as db, db:
        columns = [name for name in Entry.__dataclass_fields__ if name != "sender"]
        db.execute(f"CREATE TABLE jobs ({', '.join(columns)}, UNIQUE (base_url, job_id))")
        db.execute(
            "INSERT INTO jobs (ref, job_id, base_url, state, began_at_s) VALUES (?, ?, ?, ?, ?)",
            ("r", "a", API, "completed", 5.0),
        )
        db.execute("PRAGMA user_version = 1")
    ledger = Ledger(path, warned)
    ledger.save(API, "a", "/clips/a.mp4", 5, poster="data:a")
    ledger.intend(API, prompt="A comet")
    assert [entry.job_id for entry in ledger.entries(API)] == [None, "a"]
    assert ledger.poster(API, "a") == "data:a"
    assert warned == []
