"""A kernel dies by `kill -9`: what was accepted is in the ledger, and no key and no link is."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from cometvid_nb.ledger.entry import SENDING
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.simulator import SCENARIOS, Simulator
from tests.environment import isolated_environ
from tests.ledger.conftest import is_sound
from tests.simulated import KEY, Forgetful, environ_of

KILLS = 24


@pytest.mark.simulator(speed=500)
def test_no_key_and_no_link_is_in_the_bytes_of_the_file(
    sim: Simulator, tmp_path: Path, home: Path
) -> None:
    script = """
        import cometvid_nb, os, signal
        from cometvid_nb.session import session
        session.current().configure(interval_s=0.2)
        watch = cometvid_nb.create("A comet", model="sora-2", seconds=4)
        assert watch.job.video_url
        os.kill(os.getpid(), signal.SIGKILL)  # nothing is tidied up: the WAL is as it was
    """
    environ = isolated_environ(home) | environ_of(sim)
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


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 there")
@pytest.mark.simulator(kind=Forgetful, speed=40)
def test_killed_at_any_instant_nothing_that_was_accepted_is_missing(
    sim: Forgetful, tmp_path: Path, home: Path
) -> None:
    rng = random.Random(20260924)
    pause = threading.Event()  # never set: its wait is the moment that is drawn
    environ = isolated_environ(home) | environ_of(sim)
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
    entries = {entry.ref: entry for entry in Ledger(path).entries(sim.base_url)}
    posts = [asked for asked in sim.requests if asked.method == "POST"]
    accepted = list(sim.made)
    made = dict(accepted)

    assert len(made) == len(accepted), "the same request came twice"
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
