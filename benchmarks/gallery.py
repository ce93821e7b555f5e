"""Measures a gallery of very many jobs in a browser: messages a second, first paint, memory.

    python -m benchmarks.gallery [JOBS]

In a real JupyterLab and Chromium, one cell watches all jobs of a simulator, whose progress moves
all the time. First paint is the time from the start of the cell to the first tile on the page.
Messages are those that the page receives in ten seconds. Memory is the page's JavaScript heap
after a garbage collection, minus the heap before the cell.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import CDPSession, sync_playwright

from cometvid_nb.simulator import Scenario, Simulator
from tests.browser import chromium
from tests.browser.lab import LabServer
from tests.browser.notebook_page import NotebookPage

SET_UP = """
import os
os.environ["COMETAPI_BASE_URL"], os.environ["COMETAPI_KEY"] = {base_url!r}, {api_key!r}
%load_ext cometvid_nb
%cometvid config interval_s=5 save=off
import cometvid_nb
"""
LISTEN = """() => {
    window.galleryMessages = 0;
    const kernel = window.cometvidTestPanel.sessionContext.session.kernel;
    kernel.iopubMessage.connect((_, message) => {
        const kind = message.content?.data?.content?.kind;
        if (kind === "gallery_change") window.galleryMessages += 1;
    });
}"""
SECONDS = 10.0
"""How long messages are counted."""


def heap_mib(cdp: CDPSession) -> float:
    """Return the page's live JavaScript heap in MiB."""
    cdp.send("HeapProfiler.collectGarbage")
    metrics = cdp.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "JSHeapUsedSize")) / 2**20


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    ids = [f"video_{number:05}" for number in range(count)]
    scenarios = [Scenario(job_id, queue_s=0, run_s=600) for job_id in ids]
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
            ids_code = f"ids = [f'video_{{n:05}}' for n in range({count})]"
            watch = "takes = cometvid_nb.watch(ids, wait=False)"
            lab.write_notebook("gallery.ipynb", [set_up + ids_code, watch])
            page = NotebookPage(lab, browser.new_page())
            page.open("gallery.ipynb")
            page.run_cell(0)
            page.wait_cell_done(0)
            cdp = page.browser_page.context.new_cdp_session(page.browser_page)
            cdp.send("Performance.enable")
            page.browser_page.evaluate(LISTEN)
            before_mib = heap_mib(cdp)
            began_s = time.monotonic()
            page.run_cell(1)
            page.output(1).locator(".cometvid-tile").first.wait_for(timeout=120_000)
            painted_s = time.monotonic() - began_s
            page.output(1).get_by_text("In progress").first.wait_for(timeout=120_000)
            first = int(page.browser_page.evaluate("window.galleryMessages"))
            # Messages per time are measured, so that here a fixed wait is right.
            page.browser_page.wait_for_timeout(SECONDS * 1000)
            messages = int(page.browser_page.evaluate("window.galleryMessages")) - first
            after_mib = heap_mib(cdp)
        finally:
            browser.close()
            lab.stop()
    print(f"{count} jobs in one gallery, all of them moving")
    print(f"first paint  {painted_s:6.2f} s after the cell was started")
    print(f"messages     {messages / SECONDS:6.2f} a second (target: at most 3)")
    print(f"page memory  {after_mib - before_mib:6.1f} MiB more ({after_mib:.0f} in all)")


if __name__ == "__main__":
    main()
