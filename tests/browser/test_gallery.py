"""Many jobs in a real JupyterLab: a grid that becomes players, settles, and pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from cometvid_nb.simulator import Scenario, Simulator
from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.notebook_page import VIEWPORT
from tests.browser.scenes import connect, expect_player, height, look, record, width

FEW = [f"video_take_{number}" for number in range(1, 6)]
MANY = [f"video_many_{number:03}" for number in range(200)]
QUICKLY = "from cometvid_nb.display import page; page.COMPARED_WITHIN_S = 2"
"""A gallery gives way to its record sooner than a person would like."""
PLAYED_TO_ITS_END = """(clip) => new Promise((done) => {
  const look = () => clip.currentTime > clip.duration - 0.3 ? done() : requestAnimationFrame(look);
  look();
})"""


@pytest.fixture
def api() -> Iterator[Simulator]:
    jobs = [Scenario(job_id, queue_s=86_400) for job_id in (*FEW, *MANY)]
    with Simulator(scenarios=jobs) as simulator:
        yield simulator


def gallery(place: Locator) -> Locator:
    """The live gallery in an output."""
    return place.locator(".cometvid-gallery")


def test_five_jobs_become_a_grid_of_players_that_the_notebook_keeps(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [f"{connect(api)}\n{QUICKLY}", f"%cometvid watch {' '.join(FEW)}"]
    lab.write_notebook("takes.ipynb", cells)
    page = open_notebook("takes.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    live = gallery(page.output(1))
    expect(live).to_contain_text("Queued")
    api.set_progress(FEW[0], 40)
    expect(live).to_contain_text("40%")
    look(page, "gallery-1-live", 1)
    for job_id in FEW[:3]:
        api.finish(job_id)
    expect(live.get_by_text("Completed")).not_to_have_count(0)
    look(page, "gallery-2-some", 1)
    api.finish(FEW[3])
    api.fail(FEW[4], "Your request was blocked by our moderation system.")
    expect(live).to_contain_text("blocked by our moderation system")
    stood = height(live)
    settled = record(page.output(1))
    expect(settled.locator(".cometvid-still video")).to_have_count(4)
    # The kernel has its model: in the record's place stands the live gallery, as high as before.
    expect(settled.locator(".cometvid-gallery")).to_be_visible()
    assert height(live) == pytest.approx(stood, abs=4)
    look(page, "gallery-3-record", 1)
    page.save()
    page.reload()
    expect(live.get_by_role("button", name="Play all in sync")).to_be_visible()
    live.get_by_role("button", name="Failed").click()
    expect(live.locator(".cometvid-tile")).to_have_count(1)
    look(page, "gallery-4-reloaded", 1)
    assert page.errors == []
    page.close()
    output, beside = lab.read_notebook("takes.ipynb").cells[1].outputs
    assert not beside.data
    assert sorted(output.data) == ["text/html", "text/plain"]

    lab.end_sessions()
    lab.copy_untrusted("takes.ipynb", "takes-copy.ipynb")
    for name in ("takes.ipynb", "takes-copy.ipynb"):
        again = open_notebook(name, has_kernel=False)
        settled = record(again.output(1))
        clips = settled.locator("video")
        expect(clips).to_have_count(4)
        expect(settled).to_contain_text("5 jobs: 4 done, 1 failed")
        expect(settled).to_contain_text("blocked by our moderation system")
        expect(settled).to_contain_text(f"%cometvid watch --gallery {' '.join(FEW)}")
        if name == "takes.ipynb":
            assert height(settled) == pytest.approx(stood, abs=4)
        in_sync = settled.get_by_role("button", name="Play all in sync")
        expect(in_sync).to_have_count(1 if name == "takes.ipynb" else 0)
        for index in range(4):
            # With a poster nothing is loaded before somebody wants it.
            clips.nth(index).evaluate("(video) => { video.muted = true; video.play(); }")
            expect_player(clips.nth(index))
        look(again, f"gallery-5-{name.removesuffix('.ipynb')}", 1)
        first, second = (clips.nth(index).bounding_box() for index in (0, 1))
        assert first is not None
        assert second is not None
        assert first["y"] == second["y"], "side by side, in an untrusted notebook too"
        assert again.errors == []
        again.close()


def test_a_gallery_stays_while_its_clips_are_compared_and_settles_after(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [f"{connect(api)}\n{QUICKLY}", f"%cometvid watch --gallery {' '.join(FEW[:2])}"]
    lab.write_notebook("compare.ipynb", cells)
    page = open_notebook("compare.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    live = gallery(page.output(1))
    expect(live).to_be_visible()
    page.browser_page.set_viewport_size({"width": 820, "height": 900})
    is_narrow = "(cell) => cell.clientWidth < 640"  # what a gallery asks for where it is asked
    page.browser_page.wait_for_function(is_narrow, arg=page.cell(1).element_handle())
    assert width(live) < width(page.cell(1)), "it fits a narrow notebook"
    page.browser_page.set_viewport_size(VIEWPORT)
    for job_id in FEW[:2]:
        api.finish(job_id)
    live.get_by_role("button", name="Play all in sync").click()
    clips = live.locator("video")
    # Far beyond the time after which a gallery that nobody uses gives way.
    expect(clips).to_have_count(2)
    clips.first.evaluate(PLAYED_TO_ITS_END)
    expect(live).to_be_visible()
    live.get_by_role("button", name="Leave sync").click()
    still = record(page.output(1)).locator(".cometvid-still")
    expect(still.locator("video")).to_have_count(2, timeout=30_000)
    expect(still).to_contain_text(f"%cometvid watch --gallery {' '.join(FEW[:2])}")
    expect(still).to_be_hidden()
    live.get_by_role("button", name="Play all in sync").click()
    expect(clips.filter(visible=True)).to_have_count(2)
    clips.first.evaluate(PLAYED_TO_ITS_END)
    assert page.errors == []


def test_two_hundred_jobs_come_in_pages_and_can_be_filtered_and_reloaded(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    # A thousand polls a second would take a core from the page.
    calm = f"{connect(api)}\n%config Cometvid.interval_s = 1"
    cells = [calm, f"takes = cometvid_nb.watch({MANY})"]
    lab.write_notebook("many.ipynb", cells)
    page = open_notebook("many.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    live = gallery(page.output(1))
    tiles = live.locator(".cometvid-tile")
    expect(tiles).to_have_count(48)
    expect(live).to_contain_text("200")
    for job_id in MANY[150:153]:
        api.finish(job_id)
    expect(live.get_by_role("button", name="Done")).to_contain_text("3", timeout=30_000)
    look(page, "gallery-6-many", 1)
    tiles.nth(40).scroll_into_view_if_needed()
    expect(live.get_by_role("button", name="Done")).to_be_in_viewport()
    expect(live.get_by_role("button", name="Next")).to_be_in_viewport()
    live.get_by_role("button", name="Next").click()
    expect(live).to_contain_text(MANY[48])
    live.get_by_role("button", name="Done").click()
    expect(tiles).to_have_count(3)
    live.get_by_role("button", name=f"Play the clip of {MANY[150]}").click()
    expect_player(live.locator("video").first)
    look(page, "gallery-7-filter", 1)
    page.save()
    page.reload()
    expect(tiles).to_have_count(3)
    api.finish(MANY[153])
    expect(tiles).to_have_count(4, timeout=30_000)
    assert page.errors == []
