"""The file of the ledger: shared, spoiled, taken away, read-only, or of an older version."""

from __future__ import annotations

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
from pathlib import Path
from textwrap import dedent

import pytest

from cometvid_nb.errors import LedgerError
from cometvid_nb.ledger.entry import LOST
from cometvid_nb.ledger.file import default_path
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.ledger.slots import Repeat
from tests.environment import isolated_environ
from tests.ledger.conftest import API, is_sound, job


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
    ledger = Ledger(path)
    ledger.intend(API, prompt="A comet")
    ledger.close()
    content = bytearray(path.read_bytes())
    content[100:4000] = random.Random(1).randbytes(3900)
    path.write_bytes(content)


def of_a_newer_version(path: Path) -> None:
    ledger = Ledger(path)
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
def test_a_file_that_cannot_be_used_stops_no_write_and_is_never_read_as_empty(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path = tmp_path / "data" / "ledger.sqlite3"
    path.parent.mkdir()
    spoil(path)
    before = path.read_bytes() if path.is_file() and spoil is not another_database else b""
    ledger = Ledger(path)
    write_all_to(ledger)

    words = ledger.trouble
    assert words is not None
    assert f"The ledger of jobs at {path} cannot be used" in words
    assert "Watching goes on" in words
    assert spoil is not of_a_newer_version or "by a newer cometvid-nb" in words
    assert spoil is not another_database or "of another program" in words
    questions: list[Callable[[], object]] = [
        lambda: ledger.find(API, "video_1"),
        lambda: ledger.named(API, "video_1"),
        lambda: ledger.names(API, "", 9),
        lambda: ledger.poster(API, "video_1"),
        lambda: ledger.entries(API),
        lambda: ledger.count(API, 1),
        lambda: ledger.unfinished(API),
        lambda: ledger.uncertain(API, 9),
    ]
    for ask in questions:
        with pytest.raises(LedgerError, match="cannot be used") as caught:
            ask()
        assert "ledger=off" in (caught.value.advice or "")
    assert ledger.durations_s(API, "sora-2", "4", None) == []
    assert not before or path.read_bytes() == before, "it is left as it is"
    ledger.close()


def write_all_to(ledger: Ledger) -> None:
    """Call every method that writes; none may raise for the file's sake."""
    ref = ledger.intend(API, prompt="A comet")
    assert ref
    ledger.accept(ref, job("video_1"))
    ledger.refuse(ledger.intend(API, prompt="Another"), "no")
    ledger.lose(ledger.intend(API, prompt="A third"), "lost", "<answer>")
    ledger.see(API, job("video_1", "completed"), took_s=60)
    ledger.keep_clip(API, "video_1", "/videos/video_1.mp4", 1)


def test_what_could_not_be_written_is_there_as_soon_as_the_file_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    corrupt(path)
    ledger = Ledger(path)
    write_all_to(ledger)
    assert ledger.is_behind
    path.unlink()
    entries = {entry.prompt: entry for entry in ledger.entries(API)}
    assert entries.keys() == {"A comet", "Another", "A third"}
    assert (entries["A comet"].job_id, entries["A comet"].state) == ("video_1", "completed")
    assert (entries["A comet"].clip, entries["A comet"].took_s) == ("/videos/video_1.mp4", 60)
    assert (entries["A third"].state, entries["A third"].answer) == (LOST, "<answer>")
    assert ledger.trouble is None
    ledger.close()


def test_what_could_not_be_written_is_written_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    corrupt(path)
    ledger = Ledger(path)
    ledger.see(API, job("video_1"))
    path.unlink()
    until_s = time.monotonic() + 20
    while ledger.is_behind and time.monotonic() < until_s:
        time.sleep(0.01)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT job_id FROM jobs").fetchall() == [("video_1",)]
    ledger.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "cometvid-ledger"]


def test_what_could_not_be_written_is_written_at_the_close(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    corrupt(path)
    ledger = Ledger(path)
    ledger.see(API, job("video_1"))
    path.unlink()
    ledger.close()
    assert [entry.job_id for entry in Ledger(path).entries(API)] == ["video_1"]


def test_a_thousand_troubles_keep_no_more_writes_than_jobs(tmp_path: Path) -> None:
    corrupt(tmp_path / "ledger.sqlite3")
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    for _ in range(200):
        ledger.see(API, job("video_1"))
        ledger.keep_clip(API, "video_1", "/videos/video_1.mp4", 1)
    assert len(ledger._unwritten) == 2
    ledger.close()


BAD_DISK = """
import resource, sys
from pathlib import Path
from cometvid_nb.errors import LedgerError
from cometvid_nb.job.job import Job
from cometvid_nb.ledger.ledger import Ledger

ledger = Ledger(Path(sys.argv[1]))
first = ledger.intend("here", prompt="first")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
ref = ledger.intend("here", prompt="second")
assert ledger.trouble and "cannot be used now" in ledger.trouble, ledger.trouble
ledger.accept(ref, Job.parse({"id": "video_2", "status": "queued"}))
assert ledger.is_behind
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert [(e.prompt, e.job_id) for e in ledger.entries("here")] == [
    ("second", "video_2"), ("first", None)]
assert ledger.trouble is None
ledger.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_disk_that_fails_for_a_while_is_not_the_end_of_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    command = [sys.executable, "-W", "error", "-c", BAD_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert is_sound(path)


def test_what_no_file_can_take_holds_up_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    ledger.intend(API, prompt="half a character: \ud800")
    ledger.keep_clip(API, "video_1", "/videos/video_1.mp4", 2**70)
    ledger.see(API, job("video_1"))
    assert [entry.job_id for entry in ledger.entries(API)] == ["video_1"]
    assert ledger.find(API, "half \ud800") is None
    assert ledger.trouble is None
    ledger.close()


def test_off_keeps_nothing_and_says_nothing() -> None:
    ledger = Ledger(None)
    write_all_to(ledger)
    assert ledger.find(API, "video_1") is None
    assert ledger.entries(API) == ledger.unfinished(API) == ledger.uncertain(API, 9) == []
    assert ledger.count(API, 9) == 0
    assert ledger.durations_s(API, "sora-2", "4", None) == []
    assert ledger.trouble is None
    ledger.close()


@pytest.mark.skipif(os.name != "posix", reason="permissions are another matter there")
def test_the_ledger_is_for_its_owners_eyes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    before = os.umask(0o022)
    try:
        path = default_path()
        ledger = Ledger(path)
        ledger.see(API, job("video_1"))

        def modes() -> set[int]:
            return {one.stat().st_mode & 0o777 for one in path.parent.iterdir()}

        assert (path.parent.stat().st_mode & 0o777, modes()) == (0o700, {0o600})
        # As an earlier version left them.
        path.parent.chmod(0o755)
        for one in path.parent.iterdir():
            one.chmod(0o644)
        Ledger(path).see(API, job("video_2"))
        assert (path.parent.stat().st_mode & 0o777, modes()) == (0o700, {0o600})
        ledger.close()
    finally:
        os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="permissions are another matter there")
def test_a_folder_that_a_setting_names_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    ledger.see(API, job("video_1"))
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "ledger.sqlite3").stat().st_mode & 0o777 == 0o600
    ledger.close()


def test_a_job_that_no_file_can_take_is_told_until_the_next_one(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    ledger.accept(ledger.intend(API, prompt="half a character: \ud800"), job("video_1"))
    assert "does not take this job" in (ledger.trouble or "")
    assert not ledger.is_behind
    ledger.accept(ledger.intend(API, prompt="A comet"), job("video_2"))
    assert ledger.trouble is None
    ledger.close()


@pytest.mark.parametrize("take_away", ["unlink", "empty", "forget"])
def test_an_answer_finds_its_request_also_when_the_entry_is_gone(
    tmp_path: Path, take_away: str
) -> None:
    """The answer to a new job may take minutes, and the advice for a broken file is to move it."""
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger(path)
    made, lost, refused = (ledger.intend(API, prompt=text) for text in ("A", "B", "C"))
    if take_away == "unlink":
        path.unlink()
    elif take_away == "empty":
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("DELETE FROM jobs")
    else:
        for entry in ledger.entries(API):
            ledger.forget(entry)
    ledger.accept(made, job("video_1"))
    ledger.lose(lost, "lost", "<answer>")
    ledger.refuse(refused, "no")
    found = {entry.prompt: (entry.job_id, entry.problem) for entry in ledger.entries(API)}
    assert found == {"A": ("video_1", None), "B": (None, "lost"), "C": (None, "no")}
    ledger.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder may not be written beside there")
def test_a_log_that_could_only_be_read_for_a_while_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger(path)
    ledger.intend(API, prompt="first")
    ledger.close()
    in_the_way = tmp_path / "ledger.sqlite3-shm"
    in_the_way.mkdir()
    assert [entry.prompt for entry in ledger.entries(API)] == ["first"]
    ledger.intend(API, prompt="second")
    assert "readonly" in (ledger.trouble or "")
    in_the_way.rmdir()
    ledger.intend(API, prompt="third")
    assert [entry.prompt for entry in ledger.entries(API)] == ["third", "second", "first"]
    assert ledger.trouble is None
    ledger.close()


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
def test_what_may_only_be_read_is_told_and_stops_nobody(what: str) -> None:
    with read_only_place() as place:
        path = place / "ledger.sqlite3"
        if what == "no folder":
            path = place / "below" / "ledger.sqlite3"
        else:
            Ledger(path).see(API, job("video_1"))
        if what == "file":
            place.chmod(0o777)
            path.chmod(0o444)
        else:
            place.chmod(0o555)
        script = f"""
            import os
            if os.geteuid() == 0:
                os.setgroups([]); os.setgid(65534); os.setuid(65534)  # root may write anywhere
            ledger = Ledger(Path({str(path)!r}))
            ref = ledger.intend({API!r}, prompt="A comet")
            ledger.accept(ref, Job.parse({{"id": "video_2", "status": "queued"}}))
            ledger.see({API!r}, Job.parse({{"id": "video_1", "status": "completed"}}))
            assert ref
            print(ledger.trouble)
            ledger.close()
        """
        # Imported before the rights are given away: this interpreter may lie in a home.
        head = "from pathlib import Path\nfrom cometvid_nb.ledger.ledger import Ledger\n"
        head += "from cometvid_nb.job.job import Job\nimport uuid, sqlite3, contextlib\n"
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


def test_a_lock_that_stays_for_a_while_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cometvid_nb.ledger.store.BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger(path)
    first = ledger.intend(API, prompt="first")
    monkeypatch.setattr("cometvid_nb.ledger.store.LOOP_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        ledger.intend(API, prompt="second")
        ledger.accept(first, job("video_1"))
        assert "locked" in (ledger.trouble or "")
        assert len(ledger.entries(API)) == 1, "reading goes on meanwhile"
        assert ledger.is_behind
        db.execute("COMMIT")
    ledger.intend(API, prompt="third")
    found = [(entry.prompt, entry.job_id) for entry in ledger.entries(API)]
    assert found == [("third", None), ("second", None), ("first", "video_1")]
    assert ledger.trouble is None
    ledger.close()


# Many at once.

WRITER = """
    import sys
    from pathlib import Path
    from cometvid_nb.job.job import Job
    from cometvid_nb.ledger.ledger import Ledger
    name, path, api = sys.argv[1:]
    sys.stdin.read(1)  # all begin together
    for number in range(25):
        ledger = Ledger(Path(path))  # a new one each time: all of them make the file
        ref = ledger.intend(api, prompt=f"{name}/{number}")
        ledger.accept(ref, Job.parse({"id": f"video_{name}_{number}", "status": "queued"}))
        shared = Job.parse({"id": f"shared_{number}", "status": "in_progress"})
        ledger.see(api, shared, is_clip_wanted=True)
        ledger.keep_clip(api, shared.id, f"/videos/{name}.mp4", number)
        ledger.close()
        assert ledger.trouble is None, ledger.trouble
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


def test_many_may_make_the_file_at_the_same_instant(tmp_path: Path) -> None:
    """SQLite turns one away, without any waiting, where two switch to the write-ahead log."""
    together = threading.Barrier(8)

    def make() -> None:
        for number in range(30):
            together.wait()
            Ledger(tmp_path / f"{number}.sqlite3").intend(API, prompt="A comet")

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [Ledger(tmp_path / f"{number}.sqlite3") for number in range(30)]
    assert [len(ledger.entries(API)) for ledger in made] == [8] * 30


FORKED = """
import os, sys
from pathlib import Path
from cometvid_nb.job.job import Job
from cometvid_nb.ledger.ledger import Ledger

ledger = Ledger(Path(sys.argv[1]))
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


VERSION_1 = """
CREATE TABLE jobs (
    ref TEXT PRIMARY KEY, job_id TEXT, base_url TEXT NOT NULL, state TEXT NOT NULL,
    model TEXT, seconds TEXT, size TEXT, prompt TEXT, image TEXT, remixed_from TEXT,
    began_at_s REAL NOT NULL, took_s REAL, problem TEXT, clip TEXT, clip_bytes INTEGER,
    is_clip_wanted INTEGER, UNIQUE (base_url, job_id)
);
PRAGMA user_version = 1;
"""
VERSION_2 = VERSION_1.replace("is_clip_wanted INTEGER", "is_clip_wanted INTEGER, sender TEXT")
VERSION_2 = (
    VERSION_2.replace("user_version = 1", "user_version = 2")
    + """
CREATE INDEX jobs_by_time ON jobs (began_at_s);
CREATE TABLE posters (
    base_url TEXT NOT NULL, job_id TEXT NOT NULL, poster TEXT NOT NULL,
    PRIMARY KEY (base_url, job_id)
);
"""
)
"""The schemas of before, as those versions wrote them."""


@pytest.mark.parametrize("schema", [VERSION_1, VERSION_2], ids=["1", "2"])
def test_a_ledger_of_an_earlier_version_is_taken_over(tmp_path: Path, schema: str) -> None:
    path = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(schema)
        db.execute(
            "INSERT INTO jobs (ref, job_id, base_url, state, began_at_s, image) "
            "VALUES ('r', 'a', ?, 'completed', 5.0, 'sea.png')",
            (API,),
        )
    ledger = Ledger(path)
    ledger.keep_clip(API, "a", "/clips/a.mp4", 5, poster="data:a")
    ledger.lose(ledger.intend(API, prompt="A comet", request='{"images": ["b.png"]}'), "lost", "?")
    newer, older = ledger.entries(API)
    assert (older.job_id, older.answer, older.images) == ("a", None, ("sea.png",))
    assert (newer.answer, newer.images) == ("?", ("b.png",))
    assert ledger.poster(API, "a") == "data:a"
    assert ledger.trouble is None
    ledger.close()


def test_an_earlier_version_goes_on_with_a_ledger_of_this_one(ledger: Ledger) -> None:
    ledger.lose(ledger.intend(API, prompt="A comet", request="{}"), "lost", "?")
    assert ledger.path is not None
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as db:
        # What version 2 looks at, and the statements that it writes with.
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        db.execute(
            "INSERT INTO jobs (ref, base_url, job_id, state, began_at_s) "
            "VALUES ('r', ?, 'a', 'completed', 5.0) ON CONFLICT (base_url, job_id) DO UPDATE "
            "SET state = coalesce(excluded.state, state)",
            (API,),
        )
        db.execute("UPDATE jobs SET took_s = 9.0, model = 'm' WHERE job_id = 'a'")
        clause = "WHERE base_url = ? ORDER BY began_at_s DESC, rowid DESC"
        rows = db.execute(f"SELECT ref, job_id, sender FROM jobs {clause}", (API,)).fetchall()
        assert len(rows) == 2
    assert ledger.durations_s(API, "m", None, None) == [9.0]
    assert [entry.job_id for entry in ledger.unfinished(API)] == ["a"]


QUERIES: dict[str, Callable[[Ledger], object]] = {
    "jobs": lambda ledger: ledger.entries(API, limit=20),
    "jobs --state": lambda ledger: ledger.entries(API, limit=20, state="in progress"),
    "jobs, the oldest first": lambda ledger: ledger.entries(
        API, limit=20, offset=40, is_ascending=True
    ),
    "count": lambda ledger: ledger.count(API, 10_001),
    "tally": lambda ledger: ledger.tally(API, 10_001),
    "resume": lambda ledger: ledger.unfinished(API, 100),
    "lost": lambda ledger: ledger.uncertain(API, 5),
    "find": lambda ledger: ledger.find(API, "video_1"),
    "forget": lambda ledger: ledger.named(API, "0123abcd"),
    "tab": lambda ledger: ledger.names(API, "video_0", 200),
    "prior": lambda ledger: ledger.durations_s(API, "sora-2", "4", "1280x720"),
    "rerun": lambda ledger: ledger.find_repeat(API, Repeat("/n.ipynb", "digest", "cell")),
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_question_reads_or_sorts_more_than_it_needs(ledger: Ledger, name: str) -> None:
    """A plan that searches an index, in its order, takes as long at a million jobs as at ten."""
    ledger.see(API, job("video_1"))
    asked: list[str] = []
    assert ledger._file is not None
    with ledger._file.open(1.0) as db:
        db.set_trace_callback(asked.append)
    QUERIES[name](ledger)
    with ledger._file.open(1.0) as db:
        db.set_trace_callback(None)
        plans = [
            str(row[3])
            for sql in asked
            if sql.startswith("SELECT")
            for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")
        ]
    assert plans
    for plan in plans:
        assert "TEMP B-TREE" not in plan, plan
        assert not plan.startswith("SCAN") or plan.startswith("SCAN ("), plan
