"""Makes docs/card.webp and docs/gallery.webp, the README's pictures, from the running product.

    make pictures

A real JupyterLab in a real Chromium runs one cell against the simulator; what is seen below it is
taken several times a second until the clips have played for a while.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, sync_playwright

from tests.browser import chromium
from tests.browser.lab import LabServer
from tests.browser.notebook_page import NotebookPage

HERE = Path(__file__).parent
MOST_BYTES = 1_000_000
FRAME_S = 0.2
PLAY_S = 4.0


@dataclass
class Scene:
    """One picture: `begin` starts the clips and answers whether they run."""

    name: str
    speed: int
    cell: str
    begin: Callable[[Locator], bool]
    width_px: int = 680
    page_px: int = 800
    quality: int = 55
    frames: list[Image.Image] = field(default_factory=list)
    times_ms: list[int] = field(default_factory=list)


def play_card(output: Locator) -> bool:
    """Start the clip of a card once it is there."""
    video = output.locator("video")
    if not video.count():
        return False
    video.evaluate("(video) => { video.muted = true; void video.play(); }")
    return True


def play_gallery(output: Locator) -> bool:
    """Start all clips as one once all are there."""
    if not output.get_by_text("All 6 jobs ended").count():
        return False
    output.get_by_role("button", name="Play all in sync").click()
    return True


SCENES = (
    Scene("card", 4, "%cometvid watch video_demo", play_card),
    Scene(
        "gallery",
        8,
        '%cometvid create "A comet above violet mountains" --size 1280x720 -n 6',
        play_gallery,
        page_px=960,
        width_px=760,
        quality=32,
    ),
)


def main(names: list[str]) -> int:
    """Take all pictures, or those that are named; 1 if one is too large."""
    is_small = True
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = LabServer(Path(folder) / "lab", without=())
        lab.start()
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=list(chromium.FLAGS)
        )
        try:
            for scene in SCENES:
                if not names or scene.name in names:
                    film(scene, lab, browser)
                    is_small = write(scene) <= MOST_BYTES and is_small
        finally:
            browser.close()
            lab.stop()
    return int(not is_small)


def film(scene: Scene, lab: LabServer, browser: Browser) -> None:
    """Run the cell and take its frames."""
    demo = f"%load_ext cometvid_nb\n%cometvid demo --speed {scene.speed}"
    lab.write_notebook(f"{scene.name}.ipynb", [demo, scene.cell])
    context = browser.new_context(viewport={"width": scene.page_px, "height": 1080})
    page = NotebookPage(lab, context.new_page())
    page.open(f"{scene.name}.ipynb")
    page.command("application:toggle-left-area")
    for index in range(2):
        page.run_cell(index)
        page.wait_cell_done(index)
    page.output(1).get_by_text("Queued").first.wait_for()
    began_s = time.monotonic()
    ends_s = float("inf")
    while (at_s := time.monotonic()) < ends_s:
        scene.frames.append(Image.open(io.BytesIO(page.cell(1).screenshot())).convert("RGB"))
        if ends_s == float("inf") and at_s - began_s > 1 and scene.begin(page.output(1)):
            ends_s = time.monotonic() + PLAY_S
        pause_s = FRAME_S - (time.monotonic() - at_s)
        page.browser_page.wait_for_timeout(max(0.0, 1000 * pause_s))
        scene.times_ms.append(round(1000 * (time.monotonic() - at_s)))
    context.close()


def write(scene: Scene) -> int:
    """Write the picture and return its size in bytes."""
    height = max(frame.height for frame in scene.frames)
    canvas = [Image.new("RGB", (scene.frames[0].width, height), "white") for _ in scene.frames]
    for sheet, frame in zip(canvas, scene.frames, strict=True):
        sheet.paste(frame, (0, 0))
    size = (scene.width_px, round(height * scene.width_px / canvas[0].width))
    images = [sheet.resize(size, Image.Resampling.LANCZOS) for sheet in canvas]
    target = HERE / f"{scene.name}.webp"
    images[0].save(
        target,
        save_all=True,
        append_images=images[1:],
        duration=scene.times_ms,
        loop=0,
        quality=scene.quality,
        method=6,
    )
    print(f"{target.name}: {len(images)} frames, {target.stat().st_size} bytes")
    return target.stat().st_size


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
