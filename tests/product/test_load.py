"""`%load_ext` costs next to nothing, and `%unload_ext` leaves nothing behind."""

from __future__ import annotations

from tests.bench import LOAD, Bench
from tests.kernel import Kernel

HEAVY = ("httpx", "anywidget", "ipywidgets", "sqlite3", "tornado.web", "nest_asyncio2")
OURS = (
    "cometvid_nb.api.client",
    "cometvid_nb.simulator",
    "cometvid_nb.display.widget",
    "cometvid_nb.clips.download",
)

# But for pyzmq's own thread, which it starts for good with the first message of 64 kB.
TRACES = """
import threading, sys
ip = get_ipython()
({t.name for t in threading.enumerate() if type(t).__module__ != 'zmq.utils.garbage'},
 [m.__name__ for m in ip.Completer.custom_matchers],
 sorted(type(c).__name__ for c in ip.configurables),
 'cometvid' in ip.magics_manager.magics['line'],
 'Cometvid' in ip.magics_manager.registry)
"""


def test_loading_in_a_bare_kernel_loads_nothing_heavy(kernel: Kernel) -> None:
    names = repr((*HEAVY, *OURS))
    # IPython's own history has opened SQLite before any cell runs: what counts is what is new.
    result = kernel.run(
        f"import sys; before = set(sys.modules)\n{LOAD}\n"
        f"sorted(set({names}) & (set(sys.modules) - before))"
    )
    assert result.text == "[]\n"
    shown = kernel.run(
        f"%cometvid\n%cometvid help watch\n%cometvid config\n"
        f"sorted(set({names}) & (set(sys.modules) - before))"
    )
    assert shown.text.endswith("\n[]\n")


def test_loading_starts_no_thread_and_prints_nothing(kernel: Kernel) -> None:
    threads = "sorted(t.name for t in __import__('threading').enumerate())"
    result = kernel.run(f"before = {threads}\n{LOAD}\nbefore == {threads}")
    assert result.text == "True\n"


def test_unloading_leaves_nothing_behind(bench: Bench) -> None:
    job_id = bench.add_job()
    bare = bench.run(f"%unload_ext cometvid_nb\n{TRACES}").text
    assert "omet" not in bare
    bench.run(f"{LOAD}\n%cometvid demo --speed 50\n%cometvid watch video_demo --wait")
    bench.run(f"%cometvid demo --stop\njob = %cometvid watch {job_id} --interval 0.2")
    bench.wait_for_card(job_id, phase="running")
    after = bench.run(f"%unload_ext cometvid_nb\n{TRACES}").text
    assert after.endswith(bare)  # after the words of the watch that was stopped
    assert bench.wait_for_card(job_id, phase="stopped")
    assert "not found" in bench.run("%cometvid").text
    asked = bench.simulator.count(f"GET /videos/{job_id}")
    assert bench.run("job.job.id").text == f"'{job_id}'\n"
    assert bench.simulator.count(f"GET /videos/{job_id}") == asked


def test_loading_again_is_harmless_and_reloading_begins_anew(bench: Bench) -> None:
    again = bench.run(
        f"{LOAD}\nimport cometvid_nb; cometvid_nb.load_ipython_extension(ip := get_ipython())"
    )
    assert again.error is None
    assert bench.run("[m.__name__ for m in ip.Completer.custom_matchers]").text == (
        "['cometvid_matcher']\n"
    )
    bench.run("%cometvid config save_dir=elsewhere")
    reloaded = bench.run("%reload_ext cometvid_nb\n%cometvid config")
    assert "elsewhere" not in reloaded.text
    assert bench.completions("%cometvid wa") == ["wait", "watch"]


def test_a_watch_begun_in_python_needs_no_magic_and_survives_without_one(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run("%unload_ext cometvid_nb")
    bench.run(f"import cometvid_nb\njob = cometvid_nb.watch('{job_id}', interval_s=0.2)")
    bench.simulator.finish(job_id)
    assert bench.run("job.wait().status.value").text == "'completed'\n"
