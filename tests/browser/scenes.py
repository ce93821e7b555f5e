"""What the tests that watch jobs in a real page share: jobs, cells, and how a clip plays."""

from __future__ import annotations

import time

from playwright.sync_api import Locator, expect

from cometvid_nb.simulator import Scenario, Simulator
from tests.browser.notebook_page import NotebookPage

WIDE, TALL = "video_wide", "video_tall"
LINK_DIED, LINK_EXPIRED = "video_link_died", "video_link_expired"

JOBS = tuple(
    # Queued for ever: nothing happens to them but what a test does.
    Scenario(job_id, queue_s=86_400, **changes)  # type: ignore[arg-type]
    for job_id, changes in {
        WIDE: {},
        TALL: {"size": "720x1280"},
        LINK_DIED: {"link": "dead"},
        LINK_EXPIRED: {"link_life_s": -1.0},
    }.items()
)

BUSY_UNTIL_TOLD = """
import pathlib, time
while not pathlib.Path("{name}").exists():
    time.sleep(0.05)
"""


def connect(api: Simulator, *, key: str | None = None) -> str:
    """The first cell: the kernel talks to `api`, and asks five times a second."""
    return (
        "import os, cometvid_nb, ipywidgets\n"
        f"os.environ['COMETAPI_BASE_URL'] = {api.base_url!r}\n"
        f"os.environ['COMETAPI_KEY'] = {(api.api_key if key is None else key)!r}\n"
        "%load_ext cometvid_nb\n"
        "%config Cometvid.interval_s = 0.2"
    )


MOVES_WITHIN_S = 5.0
PLAY = """(video) => {
    video.muted = video.loop = true;
    if (video.paused) video.play().catch(() => {});
    return video.currentTime > 0;
}"""
SAVE_NOTHING = "\n%config Cometvid.save = False"


def card(place: Locator) -> Locator:
    """The live card in an output."""
    return place.locator(".cometvid-card")


def record(place: Locator) -> Locator:
    """The settled record in an output, not one that waits beside a widget."""
    return place.locator(".cometvid-record:not(.cometvid-beside *)")


def expect_player(video: Locator) -> None:
    """Expect a clip that is on the page, has a frame to show, and moves once it is played.

    A card that settles into its record hands the clip to another player, so no step may
    hold on to the player it began with.
    """
    expect(video).to_be_visible()
    video.evaluate(PLAY)  # the record of a notebook that is not trusted loads nothing before
    expect(video).not_to_have_js_property("readyState", 0)
    until_s = time.monotonic() + MOVES_WITHIN_S
    while not video.evaluate(PLAY):  # again where another player has taken over meanwhile
        assert time.monotonic() < until_s, "the clip does not move"
        video.page.wait_for_timeout(50)
    video.evaluate("(video) => video.pause()")


def look(page: NotebookPage, name: str, *cells: int) -> None:
    """Take pictures of whole cells in both themes, where somebody wants to see them."""
    if not page.album.is_wanted:
        return
    size = page.browser_page.viewport_size
    assert size is not None
    page.browser_page.set_viewport_size({"width": size["width"], "height": 2400})
    _picture(page, f"{name}-{{}}-light", cells)
    page.set_theme("dark")
    _picture(page, f"{name}-{{}}-dark", cells)
    page.set_theme("light")
    page.browser_page.set_viewport_size(size)


def _picture(page: NotebookPage, name: str, cells: tuple[int, ...]) -> None:
    for index in cells:
        page.cell(index).scroll_into_view_if_needed()
        page.screenshot(name.format(index), page.cell(index))


def height(place: Locator) -> float:
    """How tall a place is, in CSS pixels."""
    box = place.bounding_box()
    assert box is not None
    return box["height"]


def width(place: Locator) -> float:
    """How wide a place is, in CSS pixels."""
    box = place.bounding_box()
    assert box is not None
    return box["width"]


def restart_kernel(page: NotebookPage) -> None:
    """Restart the kernel behind a page, as the menu does once its question is answered."""
    page.browser_page.evaluate(
        "async () => { await window.cometvidTestPanel.sessionContext.restartKernel(); }"
    )
