"""A cell that runs again shows the jobs that it has made; the simulator counts what was paid."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cometvid_nb.simulator import Fault
from tests.bench import LOAD, card_of
from tests.conftest import NotebookRun
from tests.kernel import Kernel, Result
from tests.simulated import KEY, Forgetful, environ_of

CREATE = '%cometvid create "A comet" --model sora-2'
QUICK = f"{LOAD}\n%cometvid config interval_s=0.2"
NOTE = "made just now in this cell; --again makes a new one"
EMPTY = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@dataclass
class Page:
    """A kernel of a notebook, and the requests that a page sends it."""

    kernel: Kernel
    sim: Forgetful
    notebook: Path
    deleted: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start the kernel as Jupyter Server does for a notebook."""
        self.kernel.start(**environ_of(self.sim), JPY_SESSION_NAME=str(self.notebook))
        self.kernel.run(QUICK)

    def restart(self) -> None:
        self.kernel.restart()
        self.kernel.run(QUICK)

    def run(self, cell: str | None, code: str = CREATE) -> Result:
        """Run a cell; the front end names it, unless it is None."""
        metadata = {"cellId": cell, "deletedCells": self.deleted} if cell else {}
        client = self.kernel.client
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": True}
        request = client.session.msg("execute_request", content, metadata=metadata)
        client.shell_channel.send(request)
        return self.kernel.wait_idle(request["header"]["msg_id"])

    def made(self, cell: str | None, code: str = CREATE) -> list[str]:
        """The jobs that a run of the cell has made, in their order."""
        before = len(self.sim.made)
        result = self.run(cell, code)
        assert (result.error, "UsageError" in result.text) == (None, False), result.text
        return [job_id for _, job_id in self.sim.made[before:]]


@pytest.fixture(scope="module")
def _module_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    home = tmp_path_factory.mktemp("home")
    with Forgetful(api_key=KEY, speed=20) as sim:
        kernel = Kernel(home)
        page = Page(kernel, sim, kernel.cwd / "n.ipynb")
        page.notebook.write_text(EMPTY)
        page.start()
        yield page
        kernel.stop()


@pytest.fixture
def page(_module_page: Page, tmp_path: Path) -> Page:
    """The page with a ledger of the test's own."""
    _module_page.sim.clear_faults()
    _module_page.deleted = []
    _module_page.kernel.run(f"%cometvid config ledger={tmp_path / 'ledger.sqlite3'} rerun=show")
    _module_page.kernel.messages.clear()
    return _module_page


def test_a_cell_that_runs_again_shows_its_job_and_says_so(page: Page) -> None:
    [job_id] = page.made("a")
    for _ in range(2):
        assert page.made("a") == []
    cards = [card for m in page.kernel.messages if (card := card_of(m)) is not None]
    assert cards[-1]["job_id"] == job_id
    assert (cards[-1]["note"], cards[-1]["can_repeat"]) == (NOTE, True)
    assert "note" in cards[0]
    assert cards[0]["note"] is None, "the first run has nothing to tell"


def test_a_cell_that_continues_a_clip_needs_that_clip_once(page: Page) -> None:
    pytest.importorskip("av")
    [first] = page.made("a", f"{CREATE} --no-watch --no-save")
    page.sim.finish(first)
    code = f"%cometvid continue {first} 'It lands' --no-watch"
    [second] = page.made("b", code)
    page.sim.requests.clear()
    assert second in page.run("b", code).text
    asked = [r for r in page.sim.requests if r.method == "POST" or r.path.endswith("/content")]
    assert asked == [], "no clip is fetched for a job that is there"
    assert page.made("b", f"{code} --again")


def test_two_equal_cells_have_a_job_each_also_in_another_order(page: Page) -> None:
    [first], [second] = page.made("a"), page.made("b")
    assert page.made("b") == page.made("a") == []
    for cell, job_id in (("b", second), ("a", first)):
        assert job_id in page.run(cell, f"{CREATE} --no-watch").text


def test_more_takes_make_only_the_further_ones(page: Page) -> None:
    four = page.made("a", f"{CREATE} -n 4")
    two = page.made("a", f"{CREATE} -n 6")
    assert (len(four), len(two)) == (4, 2)
    result = page.run("a", f"takes = {CREATE} -n 6\nprint([t.job_id for t in takes])")
    assert str(four + two) in result.text
    assert "6 of 6 jobs: made just now in this cell; --again makes a new one." in result.text


@pytest.mark.parametrize("change", ["--seconds 8", "--seed 7", "--set style=ink", "--model veo3"])
def test_a_changed_request_is_a_new_one_and_back_is_the_old_one(page: Page, change: str) -> None:
    assert len(page.made("a")) == 1
    assert len(page.made("a", f"{CREATE} {change}")) == 1
    assert page.made("a") == page.made("a", f"{CREATE} {change}") == []


def test_a_picture_counts_by_its_bytes_and_not_by_its_name(page: Page) -> None:
    folder = page.notebook.parent
    (folder / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    shutil.copy(folder / "one.png", folder / "two.png")
    line = CREATE.replace("sora-2", "m/1") + " --image {}.png"
    assert len(page.made("a", line.format("one"))) == 1
    assert page.made("a", line.format("two")) == []
    (folder / "two.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(98))
    assert len(page.made("a", line.format("two"))) == 1


def test_again_makes_a_new_one_which_is_shown_from_then_on(page: Page) -> None:
    page.run("a")
    [second] = page.made("a", f"{CREATE} --again")
    assert second in page.run("a", f"{CREATE} --no-watch").text
    [third] = page.made(
        "a", "import cometvid_nb as c\nc.create('A comet', model='sora-2', again=True)"
    )
    result = page.run("a", "w = c.create('A comet', model='sora-2', wait=False)\nprint(w.job_id)")
    assert third in result.text
    page.kernel.run("%cometvid config rerun=make")
    assert len(page.made("a")) == len(page.made("a")) == 1


def test_a_loop_in_one_cell_has_a_job_for_each_turn(page: Page) -> None:
    loop = f"for _ in range(3):\n    get_ipython().run_line_magic('cometvid', '{CREATE[10:]}')"
    assert len(page.made("a", loop)) == 3
    assert page.made("a", loop) == []
    assert len(page.made("a", loop.replace("3", "4"))) == 1


def test_a_model_that_nobody_named_may_drift(page: Page) -> None:
    page.run("a")
    bare = '%cometvid create "At sea" --seconds 8'
    [job_id] = page.made("b", bare)
    assert len(page.made("a", CREATE.replace("sora-2", "veo3"))) == 1
    result = page.run("b", f"{bare} --no-watch")
    assert job_id in result.text
    assert "The model is" not in result.text, "nothing is sent, so that no model is chosen"


def test_a_cell_that_was_deleted_split_or_copied(page: Page) -> None:
    page.made("a", f"{CREATE}\nx = 1")
    assert page.made("first-part", CREATE) == [], "a piece of what the cell held when it ran"
    assert len(page.made("copy", CREATE)) == 1
    page.deleted = ["copy"]
    assert page.made("pasted", CREATE) == []
    assert len(page.made("another", CREATE)) == 1


def test_a_failed_job_is_made_anew_and_says_so(page: Page) -> None:
    [job_id] = page.made("a", f"{CREATE} --no-watch")
    page.sim.fail(job_id)
    page.run("a", f"%cometvid watch {job_id} --wait")
    result = page.run("a")
    told = rf"{job_id}, made (just now|.* ago) in this cell, failed: .*\. Making a new one\."
    assert re.search(told, result.text)
    assert page.sim.made[-1][1] != job_id
    assert page.made("a") == []


def test_a_refused_request_was_never_made(page: Page) -> None:
    body = {"error": {"message": "no", "code": "invalid_request"}}
    page.sim.add_fault(Fault("POST /videos", status=400, body=body))
    assert page.run("a").error is not None
    assert len(page.made("a")) == 1


def test_an_unknown_outcome_is_never_sent_again_in_silence(page: Page) -> None:
    page.run("a")
    page.sim.add_fault(Fault("POST /videos", status=502, body="<html>"))
    assert "OutcomeUnknown" in str(page.run("b").error)
    before = len(page.sim.made)
    for _ in range(2):
        error = str(page.run("b").error)
        assert error.startswith("OutcomeUnknown: Nothing was sent")
        assert "--again" in error
        assert "%cometvid forget" in error
    assert len(page.sim.made) == before
    assert len(page.made("b", f"{CREATE} --again")) == 1
    assert page.made("b") == []


def test_takes_that_are_there_are_shown_though_one_is_unknown(page: Page) -> None:
    [first] = page.made("a")
    page.sim.add_fault(Fault("POST /videos", status=502, body="<html>"))
    page.run("a", f"{CREATE} -n 2")
    before = len(page.sim.made)
    result = page.run("a", f"{CREATE} -n 4")
    assert len(page.sim.made) == before, "nothing is sent while something is not known"
    assert first in result.text
    assert "1 of 4 jobs were created" in str(result.error)


def test_a_request_that_is_under_way_is_not_sent_by_another_kernel(
    page: Page, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    arrived, go_on = threading.Event(), threading.Event()
    create = page.sim.create

    def slow(form: Any, idempotency_key: str | None) -> dict[str, Any]:
        arrived.set()
        assert go_on.wait(30)
        return create(form, idempotency_key)

    page.run("a", "")
    page.sim.create = slow  # type: ignore[method-assign]
    other = Page(Kernel(tmp_path_factory.mktemp("other")), page.sim, page.notebook)
    try:
        other.start()
        other.kernel.run(f"%cometvid config ledger={tmp_path / 'ledger.sqlite3'}")
        code, client = f"{CREATE} --no-watch", page.kernel.client
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": True}
        request = client.session.msg("execute_request", content, metadata={"cellId": "a"})
        client.shell_channel.send(request)
        assert arrived.wait(30)
        error = str(other.run("a").error)
        assert "is just being sent" in error
        assert "Run the cell again in a moment" in error
        go_on.set()
        page.kernel.wait_idle(request["header"]["msg_id"])
        before = len(page.sim.made)
        assert page.sim.made[-1][1] in other.run("a", code).text
        assert len(page.sim.made) == before
    finally:
        go_on.set()
        del page.sim.create
        other.kernel.stop()


def test_after_a_restart_and_in_a_front_end_that_names_no_cells(page: Page, tmp_path: Path) -> None:
    config = f"%cometvid config ledger={tmp_path / 'ledger.sqlite3'}"
    jobs = [*page.made("a", f"{CREATE} -n 2 --no-watch"), *page.made("b", f"{CREATE} --no-watch")]
    page.restart()
    page.run("x", config)
    assert page.made("b") == []
    result = page.run(None, f"{CREATE} -n 2 --no-watch")
    assert [job_id for job_id in jobs if job_id in result.text] == jobs[:2], "those that are free"
    assert "in this notebook; --again" in result.text
    assert page.made(None, f"{CREATE} -n 2") == page.made("a", f"{CREATE} -n 2") == []


def test_a_button_pays_once_however_often_it_is_clicked(page: Page) -> None:
    [job_id] = page.made("a", f"card = {CREATE}")
    page.made("a", f"card = {CREATE}")
    model = page.run("a", "print(card.widget.model_id)").text.strip()
    before = len(page.sim.made)
    for stale in ("video_of_a_saved_page", None, job_id, job_id, job_id):
        page.kernel.send_to_widget(model, {"kind": "again", "job_id": stale})
    page.run("x", "import time\nfor _ in range(100):\n    time.sleep(0.02)")
    [(_, another)] = page.sim.made[before:]
    shown = page.run("a", "print(card.widget.watch.job_id, card.widget.card['note'])").text
    assert shown.startswith(f"{another} another take; the one before: %cometvid watch {job_id}")
    page.kernel.send_to_widget(model, {"kind": "again", "job_id": another})
    page.run("x", "1")
    assert len(page.sim.made) == before + 1
    assert another in page.run("a", f"{CREATE} --no-watch").text


def test_where_no_notebook_asks_each_line_means_what_it_says(page: Page) -> None:
    page.run("x", "import os\nname = os.environ.pop('JPY_SESSION_NAME')")
    try:
        assert len(page.made("a")) == len(page.made("a")) == 1
    finally:
        page.run("x", "os.environ['JPY_SESSION_NAME'] = name")


def test_a_headless_run_of_the_same_notebook_pays_once(notebook_run: NotebookRun) -> None:
    with Forgetful(api_key=KEY, speed=1000) as sim:
        notebook_run([QUICK, CREATE, CREATE], environ=environ_of(sim))
        notebook = notebook_run([], environ=environ_of(sim))
    assert len(sim.made) == 2, "two equal cells, two jobs"
    told = [json.dumps(cell.outputs) for cell in notebook.cells[1:]]
    for text, (_, job_id) in zip(told, sim.made, strict=True):
        assert job_id in text
        assert "in this notebook; --again makes a new one" in text
