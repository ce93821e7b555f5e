"""A key and a link that must not be found: every command and many faults, then a search.

What is searched: all that crossed to the page, the saved notebook, its HTML, the widget state, logs
at DEBUG, reprs, verbose tracebacks, the ledger of jobs, and what other hosts saw.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import pytest

from cometvid_nb.simulator import FATAL, TRANSIENT, Fault, Scenario, Simulator
from tests.kernel import Kernel

CANARY = "sk-canary-5d1f0c9a7e3b2468-sings"
SIGNATURE = "signature="

SET_UP = """
import logging
logging.basicConfig(filename="debug.log", level=logging.DEBUG, force=True)
logging.captureWarnings(True)
%xmode Verbose
%load_ext cometvid_nb
import cometvid_nb, traceback
from cometvid_nb.session import session
from cometvid_nb.settings import Secret
"""

COMMANDS = """
%cometvid
%cometvid config
%cometvid config interval_s=0.2 save=on
%cometvid status video_demo
%cometvid watch video_demo
%cometvid wait video_demo
%cometvid save video_demo elsewhere
%cometvid watch video_portrait --no-save
%cometvid wait video_portrait
%cometvid create "A glowing comet" --model sora-2 --no-watch
%cometvid remix video_demo "A red comet" --no-watch
%cometvid jobs
%cometvid models
%cometvid stop
%cometvid status video_unknown
%cometvid watch video_fails
%cometvid wait video_fails
%cometvid forget video_fails
%cometvid resume
%cometvid stop
cometvid_nb.watch("video_gone").wait(0.5)
cometvid_nb.watch("video_fails").wait(20)
session.current().poll("video_unknown")
session.current().save("video_stuck")
1 / 0
""".strip().splitlines()

REPRS = """
import gc, pprint
here = session.current()
things = [here, here.settings, vars(here), here.watches, *here.watches, *map(vars, here.watches)]
things += [watch.state for watch in here.watches] + list(here._servers.values())
things += [vars(server.client) for server in here._servers.values()]
things += [here.ledger, cometvid_nb.jobs()]
pprint.pprint(things); print([str(thing) for thing in things])
"""

WIDGET_STATE = """
import json, ipywidgets
print(json.dumps(ipywidgets.Widget.get_manager_state()))
"""


@dataclass
class Trail:
    """What a run left behind, by place."""

    texts: dict[str, str]
    cells: nbformat.NotebookNode
    simulator: Simulator


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    home = tmp_path_factory.mktemp("home")
    gone = Scenario("video_gone", ending="never")
    with Simulator(
        api_key=CANARY, speed=30, separate_clip_host=True, scenarios=[gone], median_s=5
    ) as simulator:
        kernel = Kernel(home)
        try:
            kernel.start(COMETAPI_KEY=CANARY, COMETAPI_BASE_URL=simulator.base_url)
            yield follow(kernel, simulator, home)
        finally:
            kernel.stop()


def follow(kernel: Kernel, simulator: Simulator, home: Path) -> Trail:
    import nbconvert  # not above, where every worker of pytest would wait for it

    book = nbformat.v4.new_notebook()
    texts = {}

    def run(code: str) -> str:
        result = kernel.run(code)
        cell = nbformat.v4.new_code_cell(code)
        cell["outputs"] = result.outputs
        book.cells.append(cell)
        return result.text + str(result.error)

    run(SET_UP)
    for command in COMMANDS:
        run(command)
    for fault in (*TRANSIENT.values(), *FATAL.values()):
        simulator.add_fault(replace(fault, match="GET /videos/video_square"))
        run("session.current().poll('video_square')")
        simulator.clear_faults()
    simulator.add_fault(Fault("POST /videos*", drop_connection=True, times=None))
    run('%cometvid create "A lost comet" --model sora-2')
    run("cometvid_nb.create('A lost comet', model='sora-2')")
    simulator.clear_faults()
    simulator.add_fault(Fault("GET /videos/video_square", delay_s=5, times=None))
    request = kernel.begin("session.current().poll('video_square')")
    simulator.wait_for_requests("GET /videos/video_square")
    kernel.interrupt()
    run_text = kernel.wait_idle(request)
    book.cells.append(nbformat.v4.new_code_cell("", outputs=run_text.outputs))
    simulator.clear_faults()
    # A card that has nothing but the link is settled when the kernel has been idle for a while.
    kernel.wait_for(
        lambda message: (
            message["msg_type"] == "update_display_data"
            and "/clips/video_portrait" in json.dumps(message["content"])
        )
    )
    texts["reprs"] = run(REPRS)
    texts["widget state"] = kernel.run(WIDGET_STATE).text
    run("%unload_ext cometvid_nb")
    settle(kernel, book)
    texts["log"] = (home / "work" / "debug.log").read_text(encoding="utf-8")
    texts["messages"] = json.dumps(kernel.messages, default=repr)
    texts["notebook"] = nbformat.writes(book)
    texts["HTML"] = nbconvert.HTMLExporter().from_notebook_node(book)[0]  # type: ignore[no-untyped-call, unused-ignore]
    record = [path.read_bytes() for path in home.rglob("*.sqlite3*")]
    texts["ledger of jobs"] = b"".join(record).decode("latin-1")
    assert record
    return Trail(texts, book, simulator)


def settle(kernel: Kernel, book: nbformat.NotebookNode) -> None:
    """Apply the updates of displays, as a front end does before it saves."""
    latest = {
        message["content"]["transient"]["display_id"]: message["content"]["data"]
        for message in kernel.messages
        if message["msg_type"] == "update_display_data"
    }
    shown = {
        id(output): message["content"]["transient"].get("display_id")
        for message in kernel.messages
        if message["msg_type"] == "display_data"
        for cell in book.cells
        for output in cell.get("outputs", ())
        if output.get("data") == message["content"]["data"]
    }
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            if shown.get(id(output)) in latest:
                output["data"] = latest[shown[id(output)]]


@pytest.mark.parametrize(
    "place", ["reprs", "widget state", "log", "messages", "notebook", "HTML", "ledger of jobs"]
)
def test_the_key_is_found_nowhere(trail: Trail, place: str) -> None:
    assert len(trail.texts[place]) > 500, "a search through nothing proves nothing"
    at = trail.texts[place].find(CANARY)
    assert at < 0, trail.texts[place][max(0, at - 500) : at + 100]


def test_the_key_went_to_the_api_alone_and_in_its_header_alone(trail: Trail) -> None:
    hosts = {asked.host for asked in trail.simulator.requests}
    assert hosts == {"api", "clips"}
    for asked in trail.simulator.requests:
        rest = [value for name, value in asked.headers.items() if name != "authorization"]
        assert CANARY not in f"{asked.path} {asked.query} {rest}"
        assert asked.has_authorization is (asked.host == "api")


@pytest.mark.parametrize("place", ["log", "ledger of jobs"])
def test_a_signed_link_is_in_no_log_and_no_record(trail: Trail, place: str) -> None:
    assert SIGNATURE not in trail.texts[place]


def test_a_signed_link_is_in_the_notebook_only_where_no_clip_was_saved(trail: Trail) -> None:
    shown = [
        json.dumps(output)
        for cell in trail.cells.cells
        if cell["source"].startswith("%cometvid watch") or "wait" in cell["source"]
        for output in cell.get("outputs", ())
        if SIGNATURE in json.dumps(output)
    ]
    assert all("video_portrait" in output for output in shown), shown
    assert any("/clips/video_portrait" in output for output in shown)


def test_the_run_did_what_it_says(trail: Trail) -> None:
    text = trail.texts["messages"]
    for word in ("ZeroDivisionError", "KeyboardInterrupt", "JobFailed", "GaveUp"):
        assert word in text, word
    assert trail.simulator.count("POST /videos") >= 2
