"""The same watch in the front ends beside JupyterLab: Notebook 7 and Voila."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cometvid_nb.simulator import Simulator
from tests.browser.lab import LabServer
from tests.browser.notebook_page import Album
from tests.browser.scenes import JOBS, WIDE, card, connect, expect_player, record

KERNEL_IS_THERE = """() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return context?.isReady && context.session?.kernel?.status === "idle";
}"""


@pytest.fixture
def api() -> Iterator[Simulator]:
    with Simulator(scenarios=JOBS, separate_clip_host=True) as simulator:
        yield simulator


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    return browser_context.new_page()


def address(lab: LabServer, front_end: str, name: str) -> str:
    """The server of JupyterLab serves the others as well, where they are installed."""
    return lab.address(name).replace("/lab/tree/", f"/{front_end}/")


def test_notebook_7_shows_the_card_and_then_the_clip(
    lab: LabServer, page: Page, album: Album, api: Simulator
) -> None:
    lab.write_notebook("classic.ipynb", [connect(api), f"%cometvid watch {WIDE}"])
    page.goto(address(lab, "notebooks", "classic.ipynb"))
    # Notebook 7 runs nothing, and says nothing, before the kernel is there; its own indicator says
    # "idle" then too.
    page.wait_for_function(KERNEL_IS_THERE, timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(card(page.locator("body"))).to_contain_text("Queued", timeout=60_000)
    api.set_progress(WIDE, 35)
    expect(card(page.locator("body"))).to_contain_text("35%")
    album.take("notebook-7-progress", page)
    api.finish(WIDE)
    clip = record(page.locator("body")).locator("video")
    expect_player(clip)
    assert f"/files/videos/{WIDE}.mp4" in clip.evaluate("(video) => video.currentSrc")
    album.take("notebook-7-clip", page)


def test_voila_shows_the_page_while_the_job_runs_and_then_the_clip(
    lab: LabServer, page: Page, album: Album, api: Simulator
) -> None:
    lab.write_notebook("app.ipynb", [connect(api), f"%cometvid watch {WIDE}"])
    page.goto(address(lab, "voila/render", "app.ipynb"))
    live = card(page.locator("body"))
    expect(live).to_contain_text("Queued", timeout=60_000)
    api.set_progress(WIDE, 35)
    expect(live).to_contain_text("35%")
    album.take("voila-progress", page)
    api.finish(WIDE)
    expect_player(live.locator("video"))
    album.take("voila-clip", page)
