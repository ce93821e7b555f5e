"""Makes docs/card.webp, the picture in the README, from the running product.

    make pictures

A real JupyterLab in a real Chromium runs one cell against the simulator; what is seen below it is
taken several times a second until the clip has played for a while.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser import chromium
from tests.browser.lab import LabServer, NotebookPage

TARGET = Path(__file__).parent / "card.webp"
MOST_BYTES = 1_000_000
WIDTH_PX = 680
FRAME_S = 0.2
PLAY_S = 4.0


def main() -> int:
    """Take the frames and write the picture; 1 if it is too large."""
    frames: list[Image.Image] = []
    times_ms: list[int] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = LabServer(Path(folder) / "lab")
        lab.start()
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=list(chromium.FLAGS)
        )
        try:
            lab.write_notebook(
                "card.ipynb",
                ["%load_ext cometvid_nb\n%cometvid demo --speed 4", "%cometvid watch video_demo"],
            )
            context = browser.new_context(viewport={"width": 800, "height": 900})
            page = NotebookPage(lab, context, Path(folder))
            page.open("card.ipynb")
            page.command("application:toggle-left-area")
            page.run_cell(0)
            page.wait_cell_done(0)
            page.run_cell(1)
            page.wait_cell_done(1)
            page.output(1).get_by_role("progressbar").wait_for()
            began_s = time.monotonic()
            video = page.output(1).locator("video")
            ends_s = float("inf")
            while time.monotonic() < ends_s:
                at_s = time.monotonic()
                frames.append(Image.open(io.BytesIO(page.cell(1).screenshot())).convert("RGB"))
                if ends_s == float("inf") and video.count() and at_s - began_s > 1:
                    video.evaluate("(video) => { video.muted = true; void video.play(); }")
                    ends_s = time.monotonic() + PLAY_S
                page.browser_page.wait_for_timeout(
                    max(0.0, 1000 * (FRAME_S - (time.monotonic() - at_s)))
                )
                times_ms.append(round(1000 * (time.monotonic() - at_s)))
        finally:
            browser.close()
            lab.stop()
    height = max(frame.height for frame in frames)
    canvas = [Image.new("RGB", (frames[0].width, height), "white") for _ in frames]
    for sheet, frame in zip(canvas, frames, strict=True):
        sheet.paste(frame, (0, 0))
    scale = WIDTH_PX / canvas[0].width
    size = (WIDTH_PX, round(height * scale))
    images = [sheet.resize(size, Image.Resampling.LANCZOS) for sheet in canvas]
    images[0].save(
        TARGET,
        save_all=True,
        append_images=images[1:],
        duration=times_ms,
        loop=0,
        quality=55,
        method=6,
    )
    written = TARGET.stat().st_size
    print(f"{TARGET.name}: {len(images)} frames, {written} bytes")
    return int(written > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
