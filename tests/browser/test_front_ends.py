"""Pages that are not the one that began the watch, and pages that cannot draw its widget.

Where JupyterLab's server has no anywidget, as with a kernel in an environment of its own, the page
shows plain HTML that is replaced in place, and ends as a player all the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from cometvid_nb.simulator import Scenario, Simulator
from tests.browser.conftest import OpenNotebook, notebook_opener
from tests.browser.lab import LabServer
from tests.browser.notebook_page import Album, LabPages
from tests.browser.scenes import BUSY_UNTIL_TOLD, card, connect, expect_player, look, record

FIRST, SECOND = "video_first", "video_second"
TAKES = [f"video_take_{number}" for number in range(1, 6)]
DEAD = ("Failed to load model class", "Error displaying widget", "Loading widget")


@pytest.fixture
def api() -> Iterator[Simulator]:
    jobs = [Scenario(job_id, queue_s=86_400) for job_id in (FIRST, SECOND, *TAKES)]
    with Simulator(scenarios=jobs) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def bare_lab(lab_pages: LabPages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """Draws ipywidgets, but has no anywidget."""
    server = LabServer(tmp_path_factory.mktemp("bare-lab"), without=["anywidget"])
    server.start()
    yield server
    lab_pages.forget(server)
    server.stop()


@pytest.fixture
def open_bare(bare_lab: LabServer, lab_pages: LabPages, album: Album) -> Iterator[OpenNotebook]:
    with notebook_opener(bare_lab, lab_pages, album) as open_:
        yield open_


def expect_alive(place: Locator) -> None:
    for words in DEAD:
        expect(place).not_to_contain_text(words)


def test_a_page_without_anywidget_gets_a_plain_card_that_becomes_the_player(
    bare_lab: LabServer, open_bare: OpenNotebook, api: Simulator
) -> None:
    seen, told = (BUSY_UNTIL_TOLD.format(name=name) for name in ("seen", "told"))
    cells = [connect(api), f"%cometvid watch {FIRST}{seen}", told, f"%cometvid watch {SECOND}"]
    bare_lab.write_notebook("bare.ipynb", cells)
    page = open_bare("bare.ipynb")
    page.run_cell(0)
    page.wait_cell_done(0)
    page.run_cell(1)
    plain = page.output(1)
    # As long as the kernel cannot know that the page draws no widget.
    expect(plain.locator(".jupyter-widgets-error-widget")).to_be_hidden()
    expect(plain.locator(".cometvid-beside")).to_be_visible()
    expect(plain).to_contain_text(f"%cometvid watch {FIRST}")
    page.screenshot("bare-0-at-once", page.cell(1))
    (bare_lab.root / "seen").touch()
    page.wait_cell_done(1)
    expect(record(plain)).to_contain_text("Queued")
    expect(plain).to_contain_text("pip install anywidget")
    expect_alive(plain)
    page.run_cell(2)
    api.set_progress(FIRST, 40)
    expect(record(plain)).to_contain_text("40%")  # a busy kernel holds nothing up
    assert not page.is_cell_done(2)
    look(page, "bare-1-progress", 1)
    (bare_lab.root / "told").touch()
    page.wait_cell_done(2)
    page.run_cell(3)
    page.wait_cell_done(3)
    expect(record(page.output(3))).to_contain_text(SECOND, timeout=1000)  # learnt: at once
    page.save()
    kept = bare_lab.read_notebook("bare.ipynb").cells[1].outputs
    # The last is the record that would stand beside a widget.
    assert [sorted(output.data) for output in kept] == [["text/html", "text/plain"], []]
    for job_id, index in ((FIRST, 1), (SECOND, 3)):
        api.finish(job_id)
        expect_player(record(page.output(index)).locator("video"))
        expect(page.output(index)).not_to_contain_text("pip install")
    look(page, "bare-2-clip", 1, 3)


def test_a_page_without_anywidget_gets_a_plain_gallery_that_becomes_players(
    bare_lab: LabServer, open_bare: OpenNotebook, api: Simulator
) -> None:
    cells = [connect(api), f"%cometvid watch {' '.join(TAKES)}"]
    bare_lab.write_notebook("bare-gallery.ipynb", cells)
    page = open_bare("bare-gallery.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    plain = record(page.output(1))
    expect(plain).to_contain_text("5 jobs")
    expect_alive(page.output(1))
    api.set_progress(TAKES[0], 40)
    expect(plain).to_contain_text("40%")
    look(page, "bare-3-gallery", 1)
    for job_id in TAKES:
        api.finish(job_id)
    expect(plain.locator("video")).to_have_count(5)
    expect(page.output(1)).not_to_contain_text("pip install")


def test_two_tabs_on_one_notebook_both_show_the_card_and_then_the_clip(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [connect(api), f"job = %cometvid watch {FIRST}", "job.widget.is_loaded"]
    lab.write_notebook("tabs.ipynb", cells)
    one = open_notebook("tabs.ipynb")
    for index in (0, 1):
        one.run_cell(index)
        one.wait_cell_done(index)
    expect(card(one.output(1))).to_contain_text("Queued")
    one.run_cell(2)
    expect(one.output(2)).to_contain_text("True")  # so that no plain card will take its place
    one.save()
    other = open_notebook("tabs.ipynb")
    api.set_progress(FIRST, 40)
    for page in (one, other):
        expect(card(page.output(1))).to_contain_text("40%")
    api.finish(FIRST)
    for page in (one, other):
        expect_player(page.output(1).locator("video"))
        expect(page.output(1)).to_contain_text(f"Saved to videos/{FIRST}.mp4")
        assert page.errors == []


def test_on_another_machine_the_notebook_plays_from_the_folder_that_came_along(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    lab.write_notebook("here/work.ipynb", [connect(api), f"%cometvid watch {FIRST}"])
    page = open_notebook("here/work.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    api.finish(FIRST)
    expect_player(record(page.output(1)).locator("video"))
    page.save()
    page.close()
    shutil.copytree(lab.root / "here" / "videos", lab.root / "there" / "videos")
    shutil.rmtree(lab.root / "here" / "videos")
    lab.copy_untrusted("here/work.ipynb", "there/work.ipynb")
    moved = open_notebook("there/work.ipynb")
    expect_player(moved.output(1).locator("video"))
    assert moved.errors == []
