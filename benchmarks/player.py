"""Measures how long after a job's completion its clip is loaded, beside a bare `<video>` tag.

    python -m benchmarks.player [RUNS]

In a real JupyterLab and Chromium, a watched job is completed on the simulator. The time runs from
the answer "completed" (the wait for that poll depends on the schedule, not on the page) to
`loadeddata`, the event of the first picture. The peer is a `<video src>` for the same link in the
same page, from its creation to its `loadeddata`. Both run in turn.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cometvid_nb.simulator import Scenario, Simulator
from tests.browser import chromium
from tests.browser.lab import LabServer
from tests.browser.notebook_page import NotebookPage

SET_UP = """
import os
os.environ["COMETAPI_BASE_URL"], os.environ["COMETAPI_KEY"] = {base_url!r}, {api_key!r}
%load_ext cometvid_nb
%cometvid config interval_s=0.5 save=off
import cometvid_nb
"""
LISTEN = """() => {
    window.loadedAt = {};
    const note = (event) => {
        if (event.target.tagName !== "VIDEO") return;
        window.loadedAt[event.target.closest("[data-bare]") ? "bare" : "card"] ??= Date.now();
    };
    document.addEventListener("loadeddata", note, true);
}"""
BARE = """(url) => new Promise((resolve) => {
    const video = document.createElement("video");
    const began = Date.now();
    video.preload = "metadata";
    video.addEventListener("loadeddata", () => { video.remove(); resolve(Date.now() - began); });
    video.src = url;
    document.body.append(Object.assign(document.createElement("div"), {hidden: false}));
    document.body.lastChild.dataset.bare = "yes";
    document.body.lastChild.append(video);
})"""


def measure(
    page: NotebookPage, simulator: Simulator, cell: int, job_id: str
) -> tuple[float, float]:
    """Return (card, bare tag) in seconds for one job."""
    browser: Page = page.browser_page
    page.set_cell(cell, f"cometvid_nb.JobWidget({job_id!r})")
    page.run_cell(cell)
    page.wait_cell_done(cell)
    page.output(cell).get_by_role("progressbar").wait_for()
    browser.evaluate(LISTEN)
    simulator.finish(job_id)
    completed_s = time.time()
    browser.wait_for_function("window.loadedAt.card !== undefined")
    loaded_s = float(browser.evaluate("window.loadedAt.card")) / 1000
    answered_s = next(
        request.at_s
        for request in simulator.requests
        if request.path.endswith(job_id) and request.at_s >= completed_s
    )
    url = str(simulator.retrieve(job_id)["video_url"])
    bare_s = float(browser.evaluate(BARE, url + "&bare=1")) / 1000
    return loaded_s - answered_s, bare_s


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    jobs = [f"video_{number}" for number in range(runs + 1)]
    scenarios = [Scenario(job_id, ending="never", queue_s=0) for job_id in jobs]
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(scenarios=scenarios) as simulator,
        sync_playwright() as playwright,
    ):
        lab = LabServer(Path(folder) / "lab")
        lab.start()
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=list(chromium.FLAGS)
        )
        try:
            set_up = SET_UP.format(base_url=simulator.base_url, api_key=simulator.api_key)
            lab.write_notebook("player.ipynb", [set_up, *("" for _ in jobs)])
            page = NotebookPage(lab, browser.new_page())
            page.open("player.ipynb")
            page.run_cell(0)
            page.wait_cell_done(0)
            pairs = [measure(page, simulator, i + 1, job) for i, job in enumerate(jobs)][1:]
        finally:
            browser.close()
            lab.stop()
    card_s, bare_s = (statistics.median(values) for values in zip(*pairs, strict=True))
    over_s = statistics.median(card - bare for card, bare in pairs)
    print(f"card becomes player {1000 * card_s:6.0f} ms, median of {runs}")
    print(f"bare <video> tag    {1000 * bare_s:6.0f} ms")
    print(f"difference          {1000 * over_s:6.0f} ms (target: at most 150), pair by pair")


if __name__ == "__main__":
    main()
