"""Many watches in a real kernel: one gallery, few messages, one record; in terminals, lines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from cometvid_nb.display import page
from cometvid_nb.simulator import Scenario, Simulator
from tests.bench import LOAD, WIDGET, Bench
from tests.conftest import NotebookRun
from tests.environment import isolated_environ
from tests.kernel import Message
from tests.simulated import environ_of

pytestmark = pytest.mark.simulator(speed=20)


def changes(bench: Bench) -> list[dict[str, Any]]:
    """What galleries told their pages so far, in order."""
    datas = [m["content"].get("data", {}) for m in bench.kernel.messages]
    contents = [data["content"] for data in datas if data.get("method") == "custom"]
    return [content for content in contents if content.get("kind") == "gallery_change"]


def told(condition: Callable[[dict[str, Any]], bool]) -> Callable[[Message], bool]:
    """Whether a message shows a gallery as wanted: a change of it, or all of it as it begins."""

    def is_it(message: Message) -> bool:
        data = message["content"].get("data", {})
        if whole := data.get("state", {}).get("gallery"):
            return condition({"gallery": whole, "cards": whole["cards"]})
        content = data.get("content", {})
        return content.get("kind") == "gallery_change" and condition(content)

    return is_it


def totals_are(**counts: int) -> Callable[[Message], bool]:
    return told(lambda c: all(c["gallery"]["totals"][name] == n for name, n in counts.items()))


def shows(percent: int) -> Callable[[Message], bool]:
    return told(lambda c: any(x["progress_percent"] == percent for x in c["cards"].values()))


def gallery_id(bench: Bench) -> str:
    """The comm of the gallery that was opened."""
    message = bench.kernel.wait_for(
        lambda m: (
            m["msg_type"] == "comm_open" and "gallery" in m["content"]["data"].get("state", {})
        )
    )
    comm_id: str = message["content"]["comm_id"]
    return comm_id


def is_record(message: Message) -> bool:
    if message["msg_type"] != "update_display_data":
        return False
    # Not what a page without widgets gets meanwhile, as nobody answers for a page here.
    return page.NOTE not in message["content"]["data"].get("text/html", "")


def test_more_than_three_jobs_share_one_gallery_that_ends_as_a_grid_of_players(
    fresh: Bench,
) -> None:
    ids = [fresh.add_job() for _ in range(5)]
    result = fresh.run(f"takes = %cometvid watch {' '.join(ids)}")
    assert result.error is None
    assert sum(WIDGET in output.get("data", {}) for output in result.outputs) == 1
    for job_id in ids[:4]:
        fresh.simulator.finish(job_id)
    fresh.simulator.fail(ids[4], "Blocked.")
    bundle = fresh.kernel.wait_for(is_record)["content"]["data"]
    assert sorted(bundle) == ["text/html", "text/plain"]
    assert bundle["text/html"].count("<video controls") == 4
    assert bundle["text/plain"].startswith("5 jobs: 4 done, 1 failed\n")
    assert bundle["text/plain"].endswith("Blocked.")
    assert fresh.run("print([take.job_id for take in takes])").text == f"{ids}\n"


def test_three_jobs_keep_a_card_each_and_python_takes_a_list(fresh: Bench) -> None:
    ids = [fresh.add_job() for _ in range(4)]
    result = fresh.run(f"import cometvid_nb\nfew = cometvid_nb.watch({ids[:3]})")
    assert sum(WIDGET in output.get("data", {}) for output in result.outputs) == 3
    result = fresh.run(f"many = cometvid_nb.watch({ids})\nmany")
    assert sum(WIDGET in output.get("data", {}) for output in result.outputs) == 1
    assert len(result.outputs) == 1, "its value is not shown a second time"
    fresh.run("many.stop()")


def test_many_changes_at_once_are_few_messages(fresh: Bench) -> None:
    ids = [fresh.add_job() for _ in range(40)]
    fresh.run(f"takes = %cometvid watch {' '.join(ids)}")
    fresh.kernel.wait_for(totals_are(running=40))
    fresh.run("pass")  # by its end the page has what it begins with, which is drawn at once
    first = len(changes(fresh))
    for percent in (20, 40, 60):
        for job_id in ids:
            fresh.simulator.set_progress(job_id, percent)
        fresh.kernel.wait_for(shows(percent))
    for job_id in ids[:39]:
        fresh.simulator.finish(job_id)
    fresh.kernel.wait_for(totals_are(completed=39, running=1))
    moving = changes(fresh)[first:]
    times_s = [change["gallery"]["sent_at_s"] for change in moving]
    for early_s, late_s in zip(times_s, times_s[3:], strict=False):
        assert late_s - early_s > 0.9, "three messages a second at most"
    assert sum(len(change["cards"]) for change in moving) < 40 * 9
    fresh.run("takes.stop()")


def test_the_page_turns_filters_and_stops(fresh: Bench) -> None:
    ids = [fresh.add_job() for _ in range(60)]
    fresh.run(f"takes = %cometvid watch {' '.join(ids)}")
    fresh.kernel.wait_for(totals_are(running=60))
    page = gallery_id(fresh)
    fresh.kernel.send_to_widget(page, {"kind": "view", "filter": "all", "sort": "added", "page": 2})
    second = fresh.kernel.wait_for(told(lambda c: c["gallery"]["page"] == 2))
    assert list(second["content"]["data"]["content"]["cards"]) == ids[48:]
    fresh.kernel.send_to_widget(page, {"kind": "action", "name": "stop", "job_id": ids[50]})
    fresh.kernel.wait_for(totals_are(other=1))
    fresh.kernel.send_to_widget(page, {"kind": "view", "filter": "other", "sort": "?", "page": "x"})
    alone = fresh.kernel.wait_for(told(lambda c: c["gallery"]["filter"] == "other"))
    content = alone["content"]["data"]["content"]
    assert (content["gallery"]["order"], content["gallery"]["matching"]) == ([ids[50]], 1)
    fresh.kernel.send_to_widget(page, {"kind": "action", "name": "watch", "job_id": ids[50]})
    fresh.kernel.wait_for(told(lambda c: c["gallery"]["matching"] == 0))
    for nonsense in ({"kind": "action", "name": "stop", "job_id": "?"}, {"kind": "fetch_clip"}):
        fresh.kernel.send_to_widget(page, nonsense)
    fresh.kernel.messages.clear()
    fresh.kernel.send_to_widget(page, {"kind": "hello"})
    fresh.kernel.wait_for(told(lambda c: c["gallery"]["filter"] == "other"))
    assert fresh.run("takes.stop()").error is None


def test_a_page_that_opens_later_gets_the_whole_of_now(fresh: Bench) -> None:
    ids = [fresh.add_job() for _ in range(4)]
    fresh.run(f"takes = %cometvid watch {' '.join(ids)}")
    fresh.kernel.wait_for(totals_are(running=4))
    page = gallery_id(fresh)
    fresh.kernel.messages.clear()
    fresh.kernel.send_comm(page, {"method": "request_state"})
    whole = fresh.kernel.wait_for(
        lambda m: (
            m["content"].get("data", {}).get("state", {}).get("gallery", {}).get("cards")
            and m["content"]["data"]["state"]["gallery"]["totals"]["running"] == 4
        )
    )
    assert list(whole["content"]["data"]["state"]["gallery"]["cards"]) == ids
    fresh.run("takes.stop()")


def test_a_clip_comes_through_the_kernel_by_the_id_of_its_job(fresh: Bench) -> None:
    ids = [fresh.add_job() for _ in range(4)]
    fresh.run("%cometvid config save=off")
    fresh.run(f"takes = %cometvid watch {' '.join(ids)}")
    fresh.simulator.finish(ids[2])
    fresh.kernel.wait_for(totals_are(completed=1))
    fresh.kernel.send_to_widget(
        gallery_id(fresh), {"kind": "fetch_clip", "job_id": ids[2], "request": 7}
    )
    last = fresh.kernel.wait_for(
        lambda m: m["content"].get("data", {}).get("content", {}).get("kind") == "clip_chunk"
    )
    assert last["content"]["data"]["content"]["request"] == 7
    fresh.run("takes.stop()\n%cometvid config save=on")


def test_a_widget_of_its_own_takes_ids_and_watches(fresh: Bench) -> None:
    ids = [fresh.add_job() for _ in range(2)]
    code = (
        "import cometvid_nb\n"
        f"one = cometvid_nb.watch({ids[0]!r}, wait=False)\n"
        f"gallery = cometvid_nb.GalleryWidget([one, {ids[1]!r}])\n"
        "print(list(gallery.gallery['cards']))"
    )
    assert fresh.run(code).text.endswith(f"{ids}\n")
    assert "2 jobs:" in fresh.run("gallery").text
    fresh.run("%cometvid stop --all")


# Where no page is.


def test_a_headless_notebook_waits_and_keeps_the_grid(
    sim: Simulator, notebook_run: NotebookRun, home: Path
) -> None:
    ids = [f"video_{number}" for number in range(5)]
    for job_id in ids:
        sim.add(Scenario(job_id, queue_s=1, run_s=5))
    cells = [f"{LOAD}\n%config Cometvid.interval_s = 0.2", f"%cometvid watch {' '.join(ids)}"]
    notebook = notebook_run(cells, environ=environ_of(sim))
    [output] = notebook.cells[1].outputs
    assert output.data["text/html"].count("<video controls") == 5
    assert output.data["text/plain"].startswith("5 jobs: 5 done")
    assert (home / "work" / "videos" / "video_4.mp4").is_file()


def test_into_a_pipe_a_line_for_each_job_that_ends(sim: Simulator, home: Path) -> None:
    ids = [f"video_{number}" for number in range(4)]
    for job_id in ids:
        sim.add(Scenario(job_id, queue_s=1, run_s=5))
    done = subprocess.run(
        [sys.executable, "-c", f"import cometvid_nb\ncometvid_nb.watch({ids}, interval_s=0.2)"],
        cwd=home,
        env=isolated_environ(home) | environ_of(sim),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == [
        f"{job_id} · Completed · videos/{job_id}.mp4" for job_id in ids
    ]


def test_a_terminal_has_one_line_that_counts_and_a_line_for_each_end(
    sim: Simulator, home: Path
) -> None:
    ids = [f"video_{number}" for number in range(4)]
    for job_id in ids:
        sim.add(Scenario(job_id, queue_s=0, steps=(0,), ending="never"))
    child = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
        cwd=str(home),
        env=isolated_environ(home) | environ_of(sim) | {"TERM": "xterm"},
        encoding="utf-8",
        timeout=30,
        dimensions=(24, 100),
    )
    try:
        child.expect(r"In \[\d+\]: ")
        child.sendline(LOAD)
        child.expect(r"In \[\d+\]: ")
        child.sendline(f"%cometvid watch {' '.join(ids)} --interval 0.2")
        child.expect(r"\r4 jobs: 4 running 0% · 0:0\d")
        sim.finish("video_2")
        child.expect(r"\rvideo_2 · Completed · videos/video_2\.mp4\r\n")
        child.expect(r"\r4 jobs: 3 running 0%, 1 done · 0:")
        for job_id in ("video_0", "video_1", "video_3"):
            sim.finish(job_id)
        child.expect(r"4 jobs: 4 done\r\n")
        child.expect(r"Out\[2\]: \[<Watch video_0: completed>, .* … 1 more\]")
    finally:
        child.close(force=True)


def test_several_created_without_a_watch_are_a_line_each(fresh: Bench) -> None:
    text = fresh.run('%cometvid create "A comet" --model m -n 2 --no-watch').text
    assert len(text.strip().splitlines()) == 2
    assert text.count("Created video_") == 2
