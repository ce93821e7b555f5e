"""A job watched in a real JupyterLab, from `%cometvid watch` to a clip that plays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from cometvid_nb.simulator import Simulator
from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.scenes import (
    BUSY_UNTIL_TOLD,
    JOBS,
    LINK_DIED,
    LINK_EXPIRED,
    SAVE_NOTHING,
    TALL,
    WIDE,
    card,
    connect,
    expect_player,
    height,
    look,
    record,
    width,
)


@pytest.fixture
def api() -> Iterator[Simulator]:
    with Simulator(scenarios=JOBS, separate_clip_host=True) as simulator:
        yield simulator


def test_a_job_becomes_a_clip_that_plays_after_a_restart_and_in_an_untrusted_copy(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    busy = BUSY_UNTIL_TOLD.format(name="job-is-done")
    lab.write_notebook("first.ipynb", [connect(api), f"%cometvid watch {WIDE}", busy])
    page = open_notebook("first.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    live = card(page.output(1))
    expect(live).to_contain_text("Queued")
    assert not page.is_cell_done(2)
    page.screenshot("first-1-queued")
    for percent in (23, 61):
        api.set_progress(WIDE, percent)
        expect(live.get_by_role("progressbar")).to_have_attribute("aria-valuenow", str(percent))
    page.screenshot("first-2-progress")
    api.finish(WIDE)
    clip = record(page.output(1)).locator("video")
    expect_player(clip)
    assert not page.is_cell_done(2), "all of that happened while the kernel was busy"
    look(page, "first-3-clip", 1)
    (lab.root / "job-is-done").touch()
    page.wait_cell_done(2)
    page.save()
    assert page.errors == []
    page.browser_page.close()
    assert (lab.root / "videos" / f"{WIDE}.mp4").read_bytes() == api.clip_bytes(WIDE)
    output, beside = lab.read_notebook("first.ipynb").cells[1].outputs
    assert not beside.data, "the record that stood beside the widget is of no use any more"
    assert f'src="videos/{WIDE}.mp4"' in output.data["text/html"]
    assert sorted(output.data) == ["text/html", "text/plain"]

    api.stop()
    lab.stop()
    lab.start()
    lab.copy_untrusted("first.ipynb", "first-copy.ipynb")
    for name in ("first.ipynb", "first-copy.ipynb"):
        again = open_notebook(name)
        expect_player(again.output(1).locator("video"))
        again.screenshot(f"first-4-{name.removesuffix('.ipynb')}")
        assert "model not found" not in again.text()
        assert "Error" not in again.text()
        assert again.errors == []
        again.close()


def test_a_reloaded_page_shows_the_card_again_which_still_becomes_the_player(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    lab.write_notebook("reload.ipynb", [connect(api), f"%cometvid watch {WIDE}"])
    page = open_notebook("reload.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    api.set_progress(WIDE, 20)
    expect(card(page.output(1))).to_contain_text("20%")
    page.save()
    page.reload()
    live = card(page.output(1))
    expect(live).to_contain_text("20%")
    api.set_progress(WIDE, 70)
    expect(live).to_contain_text("70%")
    api.finish(WIDE)
    expect_player(page.output(1).locator("video"))
    expect(live).to_contain_text("Completed")
    expect(live).to_contain_text(f"Saved to videos/{WIDE}.mp4")
    page.screenshot("reload-clip")
    assert page.errors == []


def test_one_watch_has_as_many_views_as_one_likes_and_composes(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [
        connect(api),
        f"%cometvid watch {WIDE} {TALL}",
        f"job = %cometvid watch {WIDE}\njob.widget",
        f"ipywidgets.HBox([cometvid_nb.JobWidget({WIDE!r}), ipywidgets.IntSlider()])",
        f"tall = cometvid_nb.JobWidget({TALL!r})\nipywidgets.Tab([job.widget, tall])",
    ]
    lab.write_notebook("views.ipynb", cells)
    page = open_notebook("views.ipynb")
    page.run_all()
    page.wait_cell_done(4)
    for job_id, percent in ((WIDE, 40), (TALL, 55)):
        api.set_progress(job_id, percent)
    expect(card(page.output(1))).to_contain_text(["40%", "55%"])
    expect(card(page.output(2))).to_contain_text(["40%", "40%"])
    expect(card(page.output(3))).to_contain_text("40%")
    expect(card(page.output(4)).first).to_contain_text("40%")
    expect(page.output(3).locator(".widget-slider")).to_be_visible()
    look(page, "views", 1, 2, 3, 4)
    page.output(4).get_by_role("tab").last.click()
    expect(card(page.output(4)).last).to_contain_text("55%")
    for job_id in (WIDE, TALL):
        api.finish(job_id)
    expect(record(page.output(1)).locator("video")).to_have_count(2)
    for place in (record(page.output(2)), card(page.output(2)), card(page.output(3))):
        expect_player(place.locator("video"))
    expect_player(card(page.output(4)).last.locator("video"))
    look(page, "views-clip", 1, 2, 3, 4)
    assert page.errors == []


def test_a_clip_that_is_not_saved_plays_in_place_by_its_link_or_through_the_kernel(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    jobs = (WIDE, LINK_DIED, LINK_EXPIRED)
    cells = [
        connect(api) + SAVE_NOTHING,
        *(f"cometvid_nb.JobWidget({job_id!r})" for job_id in jobs),
    ]
    lab.write_notebook("unsaved.ipynb", cells)
    page = open_notebook("unsaved.ipynb")
    page.run_all()
    page.wait_cell_done(len(jobs))
    for index, job_id in enumerate(jobs, 1):
        live = card(page.output(index))
        expect(live).to_contain_text("Queued")
        screen = live.locator(".cometvid-screen")
        before = height(screen), height(live)
        api.finish(job_id)
        expect_player(live.locator("video"))
        assert height(screen) == before[0], "nothing jumps when the clip comes"
        source = live.locator("video").evaluate("(video) => video.currentSrc")
        if job_id == WIDE:
            assert source.startswith(api.clip_origin)
            expect(live).to_contain_text("link lives for 60 min")
        else:
            assert source.startswith("blob:")
            expect(live).to_contain_text("not saved · came through the kernel")
    look(page, "unsaved", 1, 2, 3)
    assert not (lab.root / "videos" / f"{LINK_DIED}.mp4").exists()
    assert page.errors == []


def test_a_tall_clip_fits_a_narrow_column(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [connect(api), f"%cometvid watch {TALL}", f"job = %cometvid watch {WIDE}\njob.widget"]
    lab.write_notebook("narrow.ipynb", cells)
    page = open_notebook("narrow.ipynb")
    page.browser_page.set_viewport_size({"width": 500, "height": 900})
    page.command("application:toggle-left-area")
    page.run_all()
    page.wait_cell_done(2)
    tall, wide = page.output(1), page.output(2)
    expect(card(tall)).to_contain_text("Queued")
    look(page, "narrow", 1, 2)
    room, seat = width(tall), card(tall).locator(".cometvid-screen")
    tall_seat_height = height(seat)
    for live in (card(tall), card(wide).first):
        assert width(live) <= room
        assert not live.evaluate("(node) => node.scrollWidth > node.clientWidth")
    for job_id in (TALL, WIDE):
        api.finish(job_id)
    for settled in (record(tall), record(wide)):
        expect_player(settled.locator("video"))
        assert width(settled.locator("video")) <= width(settled) <= room
    assert height(record(tall).locator("video")) == tall_seat_height
    clip = record(wide).locator("video")
    assert width(clip) / height(clip) == pytest.approx(1280 / 720, rel=0.01), "no black bars"
    look(page, "narrow-clip", 1, 2)
    page.command("application:toggle-left-area")  # so that the page serves another test


def test_the_place_in_the_clip_survives_the_settling_of_the_output(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    settle = (
        "from cometvid_nb.cards.card import Card\n"
        "from cometvid_nb.cards.card_html import card_to_bundle\n"
        "bundle = card_to_bundle(Card.of_watch(widget.watch.state))\n"
        "shown.update(bundle, raw=True)"
    )
    cells = [
        connect(api) + SAVE_NOTHING,
        f"widget = cometvid_nb.JobWidget({WIDE!r})\nshown = display(widget, display_id=True)",
        # What the session does by itself once a clip is saved; here a test decides when.
        settle,
    ]
    lab.write_notebook("handover.ipynb", cells)
    page = open_notebook("handover.ipynb")
    for index in (0, 1):
        page.run_cell(index)
        page.wait_cell_done(index)
    api.finish(WIDE)
    clip = card(page.output(1)).locator("video")
    expect_player(clip)
    clip.evaluate("(video) => { video.currentTime = 2; }")
    page.browser_page.wait_for_function(
        "(video) => !video.seeking && video.currentTime === 2", arg=clip.element_handle()
    )
    page.run_cell(2)
    heir = record(page.output(1)).locator("video")
    page.browser_page.wait_for_function(
        "(video) => video.readyState >= 2 && video.currentTime >= 2", arg=heir.element_handle()
    )
    assert page.errors == []


def test_the_demo_says_that_it_is_a_simulation_and_ends_as_a_clip(
    lab: LabServer, open_notebook: OpenNotebook
) -> None:
    cells = ["%load_ext cometvid_nb\n%cometvid demo --speed 20", "%cometvid watch video_demo"]
    lab.write_notebook("demo/demo.ipynb", cells)
    page = open_notebook("demo/demo.ipynb")
    page.run_all()
    expect(card(page.output(1))).to_contain_text("Simulation")
    page.screenshot("demo-progress")
    expect_player(record(page.output(1)).locator("video"))
    expect(record(page.output(1))).to_contain_text("Simulation")
    assert (lab.root / "demo" / "videos" / "video_demo.mp4").is_file()
    page.screenshot("demo-clip")
    assert page.errors == []
