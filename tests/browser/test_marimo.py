"""The demo notebook in marimo: what `make demo-marimo` opens, driven as a person does."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from cometvid_nb.__main__ import MARIMO_NOTEBOOK
from cometvid_nb.simulator import Scenario, Simulator
from tests.browser.notebook_page import Album
from tests.environment import isolated_environ
from tests.simulated import KEY, environ_of

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
START_WITHIN_S = 60.0
BEGINS_WITHIN_MS = 60_000
DEMO = "video_demo"
SIMULATION = "    cometvid_nb.demo(speed=4)\n"
DURATION = """video => new Promise((resolve) => {
  if (video.readyState) resolve(video.duration);
  else video.addEventListener("loadedmetadata", () => resolve(video.duration));
})"""
QUICK_POLLS = """
    from cometvid_nb.session.session import current
    current().configure(interval_s=0.2)
"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def api() -> Iterator[Simulator]:
    """No job ends before it is told to."""
    with Simulator(api_key=KEY, speed=0.01, scenarios=[Scenario(DEMO, queue_s=86_400)]) as api:
        yield api


@pytest.fixture
def address(home: Path, api: Simulator) -> Iterator[str]:
    """Where a marimo shows a copy of the notebook; it runs the cells as soon as a page comes.

    The notebook's own simulation, whose jobs end by themselves, is replaced by `api`.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = isolated_environ(home) | environ_of(api)
    (home / "xdg-config" / "marimo").mkdir()
    settings = home / "xdg-config" / "marimo" / "marimo.toml"
    settings.write_text("[runtime]\nauto_instantiate = true\n")
    code = (NOTEBOOKS / MARIMO_NOTEBOOK).read_text(encoding="utf-8")
    assert SIMULATION in code
    notebook = home / MARIMO_NOTEBOOK
    notebook.write_text(code.replace(SIMULATION, QUICK_POLLS), encoding="utf-8")
    options = ["--headless", "--no-token", "--no-sandbox", "--skip-update-check"]
    command = [sys.executable, "-m", "marimo", "edit", *options, "--port", str(port), str(notebook)]
    log = home / "marimo.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=home, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as server,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + START_WITHIN_S
            while not is_answering(url):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield url
        finally:
            server.terminate()


def is_answering(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/health", timeout=5).close()
    except OSError:
        return False
    return True


def cell(page: Page, code: str) -> Locator:
    """The cell of the notebook with this in its code."""
    return page.locator(".marimo-cell").filter(has_text=code)


def run(page: Page, code: str) -> None:
    cell(page, code).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def test_in_marimo_a_card_moves_becomes_the_player_and_a_cell_that_runs_again_pays_once(
    browser_context: BrowserContext, address: str, api: Simulator, home: Path, album: Album
) -> None:
    known = {*api.jobs}
    page = browser_context.new_page()
    page.goto(address)
    shown = cell(page, f'cometvid_nb.watch("{DEMO}")')
    card = shown.locator(".cometvid-card")
    expect(card).to_contain_text("Queued", timeout=BEGINS_WITHIN_MS)
    api.set_progress(DEMO, 40)
    expect(card).to_contain_text("40%")
    card.evaluate("node => { node.dataset.isSame = 'yes'; }")
    album.take("marimo-0-live", page)
    api.finish(DEMO)
    expect_player(card)
    expect(card).to_have_attribute("data-is-same", "yes")
    expect(shown.locator(".console-output-area")).to_have_count(0)  # it prints nothing

    making = "cometvid_nb.create("
    own = cell(page, making).locator(".cometvid-card")
    expect(own).to_contain_text("elapsed")
    for _ in range(2):
        own.evaluate("node => { node.dataset.isOld = 'yes'; }")
        run(page, making)
        expect(own).not_to_have_attribute("data-is-old", "yes")
        expect(own).to_contain_text("in this notebook; again=True makes a new one")
    assert api.count("POST /videos") == 1
    [job_id] = {*api.jobs} - known
    api.finish(job_id)
    expect_player(own)
    expect(cell(page, "cometvid_nb.watch([comet, own])")).to_contain_text("2 jobs")
    cell(page, "look = ").get_by_role("button", name="Look again").click()
    expect(cell(page, "cometvid_nb.jobs()")).to_contain_text(job_id)
    assert (home / "videos" / f"{job_id}.mp4").read_bytes() == api.clip_bytes(job_id)
    album.take("marimo-1-players", page)


def expect_player(card: Locator) -> None:
    expect(card.locator("video")).to_be_visible()
    assert card.locator("video").evaluate(DURATION) > 0
