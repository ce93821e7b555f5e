"""What this machine is: its addresses in every spelling, its user's folders, disk and terminal."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.job.plain import plain
from cometvid_nb.machine import is_this_machine, say, user_folder, writable
from tests.nosync import is_possible
from tests.strategies import texts

HERE = [
    *("localhost", "LOCALHOST", "localhost.", "api.localhost", "a.b.localhost."),
    *("127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "127.0.0.1."),
    *("127.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "0177.0.0.1"),
    *("::1", "[::1]", "[0::1]", "0:0:0:0:0:0:0:1", "[0:0:0:0:0:0:0:1]", "::1%lo"),
    *("::ffff:127.0.0.1", "[::ffff:7f00:1]", "::FFFF:127.0.0.9"),
]
ELSEWHERE = [
    *("0.0.0.0", "::", "10.0.0.1", "192.168.0.1", "126.255.255.255", "128.1", "1.0.0.127"),
    *("localhost.example", "notlocalhost", "127.0.0.1.example", "fe80::1", "::ffff:10.0.0.1"),
    *("api.cometapi.com", "", ".", "[]", "127.0.0.1 ", "127.0.0.x", "64:ff9b::7f00:1"),
]


@pytest.mark.parametrize("host", HERE)
def test_a_host_that_is_this_machine_is_known_in_every_spelling(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_host_that_merely_looks_like_it_is_another_machine(host: str) -> None:
    assert not is_this_machine(host)


@given(st.text())
def test_any_text_is_this_machine_or_not(host: str) -> None:
    assert is_this_machine(host) in (True, False)


class Pipe(io.TextIOWrapper):
    """What a program writes to where only the signs of an encoding exist."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n")

    @property
    def text(self) -> str:
        """What has been written."""
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "✓ 50 % █·… “é” 日 ?"),
        ("cp437", '+ 50 % █·... "é" ? ?'),
        ("cp1252", "+ 50 % #·… “é” ? ?"),
        ("ascii", '+ 50 % #-... "?" ? ?'),
    ],
)
def test_what_a_terminal_cannot_write_becomes_plainer(encoding: str, shown: str) -> None:
    pipe = Pipe(encoding)
    say("✓ 50 % █·… “é” 日 \udc80", pipe)
    assert pipe.text == f"{shown}\n"


@given(texts, st.sampled_from(["ascii", "cp437", "utf-8", "utf-16", "no-such-encoding", ""]))
def test_any_text_can_be_written_anywhere(text: str, encoding: str) -> None:
    class Stream(io.StringIO):
        pass

    Stream.encoding = encoding
    shown = writable(text, Stream())
    known = encoding if encoding not in ("", "no-such-encoding") else "utf-8"
    shown.encode(known)
    assert not text.isascii() or shown == plain(text)


@pytest.mark.skipif(os.name != "posix", reason="user ids are of POSIX")
@pytest.mark.parametrize("home", [None, "relative"])
def test_a_user_without_a_home_has_no_folder(
    monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    assert user_folder("data") is None
    assert user_folder("cache") is None


WITHOUT_SYNC = """
import os, sys, warnings
from pathlib import Path
from cometvid_nb.job.job import Job
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.machine import sync
warnings.simplefilter("error")
with open("clip.part", "wb") as file:
    try:
        os.fsync(file.fileno())
        sys.exit("the disk does sync")
    except OSError:
        sync(file.fileno())
for name in ("video_1", "video_2"):  # a second kernel finds the file that a first one has made
    ledger = Ledger(Path("ledger.sqlite3"))
    ref = ledger.intend("https://a.example/v1")
    ledger.accept(ref, Job.parse({"id": name, "status": "queued"}))
    ledger.close()
print([entry.job_id for entry in ledger.entries("https://a.example/v1")])
"""


@pytest.mark.skipif(not is_possible(), reason="there is no way to make this system's fsync fail")
@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_disk_that_cannot_sync_keeps_clips_and_ledger(tmp_path: Path, number: int) -> None:
    tool = Path(__file__).with_name("nosync.py")
    done = subprocess.run(
        [sys.executable, tool, str(number), sys.executable, "-c", WITHOUT_SYNC],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("['video_2', 'video_1']\n", 0), done.stderr


def test_a_disk_that_refuses_what_was_written_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from cometvid_nb.machine import sync

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        sync(1)
