"""Modules are reloaded under a running kernel: it still knows its watches and its settings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import cometvid_nb
from cometvid_nb.simulator import Scenario, Simulator
from tests.kernel import Kernel
from tests.simulated import environ_of

POLL = "GET /videos/{id}"
PACKAGE = Path(cometvid_nb.__file__).parent

SET_UP = """
import importlib, sys, threading, time
import cometvid_nb
from cometvid_nb.magic import commands
from cometvid_nb.session import session
from cometvid_nb.watching import server, watch
def ours():
    return [sys.modules[name] for name in list(sys.modules) if name.startswith("cometvid_nb")]
%load_ext cometvid_nb
%cometvid config interval_s=0.2 timeout_s=77
"""
RELOADS = {
    "one": "importlib.reload(sys.modules['cometvid_nb.watching.state'])",
    "the session": "importlib.reload(session); importlib.reload(cometvid_nb)",
    "all": "for module in ours(): importlib.reload(module)",
    "all, the other way round": "for module in reversed(ours()): importlib.reload(module)",
    "by IPython, as the files change": """
%load_ext autoreload
%autoreload 2
for module in ours():
    with open(module.__file__, "a") as file:
        file.write("\\nIS_CHANGED = True\\n")
""",
    "anew": """
assert session.IS_CHANGED
%autoreload 0
for module in ours():
    del sys.modules[module.__name__]
import cometvid_nb
%load_ext cometvid_nb
""",
}


@pytest.fixture
def copy(home: Path) -> Path:
    """The package, where a test can change its files."""
    ignored = shutil.ignore_patterns("__pycache__", "simulator")
    return Path(shutil.copytree(PACKAGE, home / "copy" / PACKAGE.name, ignore=ignored))


def watched(kernel: Kernel, sim: Simulator, job_id: str) -> None:
    """Begin to watch a job that runs until the test ends it, and wait for the first poll."""
    sim.add(Scenario(job_id, queue_s=0, run_s=1, steps=(0,), ending="never"))
    code = f"one = cometvid_nb.watch({job_id!r})\nwhile one.job is None: time.sleep(0.01)"
    assert kernel.run(code).error is None


def assert_nothing_is_lost(kernel: Kernel, sim: Simulator, name: str) -> None:
    """`name` and `name`_2 are watched from before the reload: one ends, one is stopped."""
    sim.finish(name)
    ended = kernel.run("first.wait(20); print(first.state.saved.path)")
    assert ended.error is None
    assert f"{name}.mp4" in ended.text
    stopped = kernel.run("%cometvid stop")
    assert f"Stopped watching {name}_2" in stopped.text
    assert "77" in kernel.run("%cometvid config").text


def test_a_reload_loses_neither_watches_nor_settings_nor_threads(
    sim: Simulator, home: Path, copy: Path
) -> None:
    kernel = Kernel(home)
    kernel.start(PYTHONPATH=str(copy.parent), **environ_of(sim))
    try:
        assert kernel.run(SET_UP).error is None
        assert str(copy) in kernel.run("print(cometvid_nb.__file__)").text
        for number, code in enumerate(RELOADS.values()):
            name = f"video_{number}"
            watched(kernel, sim, name)
            kernel.run("first = one")
            watched(kernel, sim, f"{name}_2")
            reloaded = kernel.run(code)
            assert reloaded.error is None, reloaded.text
            assert_nothing_is_lost(kernel, sim, name)

        assert kernel.run("%unload_ext cometvid_nb").error is None
        left = "print([t.name for t in threading.enumerate() if 'cometvid' in t.name])"
        assert kernel.run(left).text.strip() == "[]"
    finally:
        kernel.stop()
