"""What a person reads in JupyterLab when a watch does not end in a clip."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from cometvid_nb.simulator import BAD_GATEWAY_PAGE, Fault, Simulator
from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.scenes import (
    BUSY_UNTIL_TOLD,
    JOBS,
    TALL,
    WIDE,
    card,
    connect,
    expect_player,
    look,
    record,
    restart_kernel,
)

WORD = "paused_by_moderation"


@pytest.fixture
def api() -> Iterator[Simulator]:
    with Simulator(scenarios=JOBS, separate_clip_host=True) as simulator:
        yield simulator


def test_an_end_without_a_clip_says_why_and_how_to_go_on(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [
        connect(api),
        "%cometvid watch video_typo",
        f"%cometvid watch {WIDE}",
        f"job = %cometvid watch {TALL} --timeout 12",
        "%cometvid watch {not_defined}",
        f"%cometvid wach {WIDE}",
        "%cometvid status video_typo",
        f"%cometvid status {TALL}",
        "job.widget",
    ]
    api.set_status_word(TALL, WORD)
    lab.write_notebook("ends.ipynb", cells)
    page = open_notebook("ends.ipynb")
    for index in range(4):
        page.run_cell(index)
        page.wait_cell_done(index)
    typo, failed, strange = (page.output(index) for index in (1, 2, 3))
    expect(card(typo)).to_contain_text("The API does not know this id yet")
    expect(card(typo)).not_to_contain_text("not affected")
    expect(card(strange)).to_contain_text(f"“{WORD}”")
    expect(card(strange)).to_contain_text("Checking goes on until the deadline")
    look(page, "passing", 1, 3)
    for index in range(4, len(cells)):
        page.run_cell(index)
        page.wait_cell_done(index)
    api.fail(WIDE, "Your request was blocked by our moderation system.")
    expect(record(failed)).to_contain_text("Failed")
    expect(record(failed)).to_contain_text("Your request was blocked by our moderation system.")
    expect(card(strange)).to_contain_text("Gave up waiting")
    expect(card(strange)).to_contain_text(WORD)
    expect(card(strange)).to_contain_text(f"%cometvid watch {TALL}")
    expect(card(page.output(8))).to_contain_text("Gave up waiting")
    expect(page.output(4)).to_contain_text("undefined variable")
    expect(page.output(5)).to_contain_text("Did you mean 'watch'?")
    expect(page.output(6)).to_contain_text("The API knows no job video_typo under this key.")
    expect(page.output(7)).to_contain_text(WORD)
    expect(card(typo)).to_contain_text("knows no job video_typo", timeout=25_000)
    assert "Traceback" not in page.text()
    look(page, "ends", *range(1, len(cells)))
    assert page.errors == []


def test_a_wrong_key_and_a_host_that_is_not_there_are_named(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    with Simulator() as gone:
        pass
    again = "%unload_ext cometvid_nb\n"
    cells = [
        connect(api, key="wrong-key-wrong-key-wrong-key"),
        f"%cometvid watch {WIDE}",
        again + connect(gone),
        f"job = %cometvid watch {TALL}",
        "job.widget",
        again + connect(api, key=" ") + "\n%cometvid config base_url=https://api.cometapi.com/v1",
        f"%cometvid watch {WIDE}",
    ]
    lab.write_notebook("refused.ipynb", cells)
    page = open_notebook("refused.ipynb")
    for index in range(len(cells)):
        page.run_cell(index)
        page.wait_cell_done(index)
        if index == 1:
            expect(card(page.output(1))).to_contain_text("The API answered 401")
        if index == 4:
            expect(card(page.output(3))).to_contain_text("No answer from the API at 127.0.0.1")
            expect(card(page.output(3))).to_contain_text("checking goes on")
            look(page, "unreachable", 3)
    expect(record(page.output(1))).to_contain_text("%cometvid login")
    expect(record(page.output(3))).to_contain_text("Stopped watching")
    expect(page.output(6)).to_contain_text("No API key is set.")
    expect(page.output(6)).to_contain_text("%cometvid demo")
    assert all("wrong-key" not in page.output(index).inner_text() for index in range(len(cells)))
    look(page, "refused", 1, 3, 4, 6)
    assert page.errors == []


def test_the_stop_button_answers_at_once_and_watching_goes_on_on_demand(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    busy = BUSY_UNTIL_TOLD.format(name="stop-was-clicked")
    cells = [connect(api), f"cometvid_nb.JobWidget({WIDE!r})", busy]
    lab.write_notebook("stop.ipynb", cells)
    page = open_notebook("stop.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    live = card(page.output(1))
    expect(live).to_contain_text("Queued")
    live.get_by_role("button", name="Stop").click()
    expect(live.get_by_role("button", name="Stopping…")).to_be_visible()
    expect(live).to_contain_text("waiting for the running cell to finish")
    look(page, "stopping", 1)
    (lab.root / "stop-was-clicked").touch()
    expect(live).to_contain_text("Stopped watching")
    expect(live).to_contain_text("The job itself goes on at the server.")
    look(page, "stopped", 1)
    asked = api.count(f"GET /videos/{WIDE}")
    live.get_by_role("button", name="Watch again").click()
    expect(live).to_contain_text("Queued")
    assert api.wait_for_requests(f"GET /videos/{WIDE}", asked + 1)
    api.finish(WIDE)
    expect_player(live.locator("video"))
    assert page.errors == []


def test_trouble_that_passes_is_told_and_forgotten(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    lab.write_notebook("trouble.ipynb", [connect(api), f"%cometvid watch {WIDE}"])
    page = open_notebook("trouble.ipynb")
    page.run_all()
    live = card(page.output(1))
    api.set_progress(WIDE, 45)
    expect(live).to_contain_text("45%")
    api.add_fault(Fault("GET /videos/{id}", status=502, body=BAD_GATEWAY_PAGE))
    expect(live).to_contain_text("The API answered 502 with an HTML page")
    expect(live).to_contain_text("The job itself is not affected, and checking goes on.")
    expect(live).to_contain_text("45%")
    look(page, "trouble", 1)
    expect(live).not_to_contain_text("502", timeout=15_000)
    api.finish(WIDE)
    expect_player(record(page.output(1)).locator("video"))
    assert page.errors == []


def test_a_card_whose_kernel_died_says_so(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [connect(api), f"%cometvid watch {WIDE}", "os.kill(os.getpid(), 9)"]
    lab.write_notebook("died.ipynb", cells)
    page = open_notebook("died.ipynb")
    for index in (0, 1):
        page.run_cell(index)
        page.wait_cell_done(index)
    live = card(page.output(1))
    expect(live).to_contain_text("Queued")
    page.run_cell(2)
    expect(live).to_contain_text("No longer watched")
    expect(live).to_contain_text("The kernel stopped; the job itself goes on.")
    expect(live).to_contain_text(f"%cometvid watch {WIDE}")
    page.browser_page.locator(".jp-Dialog .jp-mod-accept").click()  # "The kernel has died"
    look(page, "died", 1)


@pytest.mark.parametrize("way", ["restart", "shutdown"])
def test_a_kernel_that_is_ended_leaves_no_card_that_pretends_to_go_on(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator, way: str
) -> None:
    name = f"{way}.ipynb"
    lab.write_notebook(name, [connect(api), f"%cometvid watch {WIDE}"])
    page = open_notebook(name)
    page.run_all()
    output = page.output(1)
    expect(card(output)).to_contain_text("Queued")
    if way == "restart":
        restart_kernel(page)
    else:
        page.end_session()
    # The kernel's last words are the record; where they come too late the card speaks for itself.
    expect(output).to_contain_text(re.compile("Stopped watching|No longer watched"))
    expect(output).to_contain_text(re.compile("job itself goes on"))
    expect(output).to_contain_text(f"%cometvid watch {WIDE}")
    expect(output.get_by_role("button", name="Stop")).to_have_count(0)
    look(page, way, 1)
