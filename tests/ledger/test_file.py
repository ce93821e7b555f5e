"""The file of the ledger: shared, spoiled, taken away, read-only, or of an older version."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from cometvid_nb.ledger.file import default_path
from cometvid_nb.ledger.ledger import Entry, Ledger
from tests.environment import isolated_environ
from tests.ledger.conftest import API, Warned, is_sound, job


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
    assert f"The ledger of jobs at {path} cannot be used" in words
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
    ledger.keep_clip(API, "video_1", "/videos/video_1.mp4", 1)
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
    from cometvid_nb.job.job import Job
    from cometvid_nb.ledger.ledger import Ledger
    name, path, api = sys.argv[1:]
    sys.stdin.read(1)  # all begin together
    for number in range(25):
        ledger = Ledger(Path(path), sys.exit)  # a new one each time: all of them make the file
        ref = ledger.intend(api, prompt=f"{name}/{number}")
        ledger.accept(ref, Job.parse({"id": f"video_{name}_{number}", "status": "queued"}))
        shared = Job.parse({"id": f"shared_{number}", "status": "in_progress"})
        ledger.see(api, shared, is_clip_wanted=True)
        ledger.keep_clip(api, shared.id, f"/videos/{name}.mp4", number)
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


FORKED = """
import os, sys
from pathlib import Path
from cometvid_nb.job.job import Job
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
    ledger.keep_clip(API, "a", "/clips/a.mp4", 5, poster="data:a")
    ledger.intend(API, prompt="A comet")
    assert [entry.job_id for entry in ledger.entries(API)] == [None, "a"]
    assert ledger.poster(API, "a") == "data:a"
    assert warned == []
