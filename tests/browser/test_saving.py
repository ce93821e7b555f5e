"""What a notebook still shows of a saved clip when it is moved, shared, exported, or left open."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from cometvid_nb.simulator import Fault, Scenario, Simulator
from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.notebook_page import NotebookPage
from tests.browser.scenes import (
    JOBS,
    LINK_EXPIRED,
    SAVE_NOTHING,
    TALL,
    WIDE,
    card,
    connect,
    expect_player,
    look,
    record,
)
from tests.clips import made
from tests.environment import isolated_environ

CLIP = "GET /clips/*"
EXPIRING, LINK_LIFE_S = "video_expires_soon", 10.0


@pytest.fixture
def api() -> Iterator[Simulator]:
    expiring = Scenario(EXPIRING, queue_s=86_400, link_life_s=LINK_LIFE_S)
    with Simulator(scenarios=(*JOBS, expiring), separate_clip_host=True) as simulator:
        yield simulator


def settle(page: NotebookPage, api: Simulator, job_id: str, cell: int) -> Locator:
    """Complete a watched job and give its settled record."""
    page.wait_cell_done(cell)
    expect(card(page.output(cell))).to_contain_text("Queued")
    api.finish(job_id)
    settled = record(page.output(cell))
    expect_player(settled.locator("video"))
    return settled


def is_trusted(page: NotebookPage, cell: int) -> bool:
    """Whether JupyterLab shows an output as it is, without its sanitizer."""
    return page.output(cell).locator(".jp-RenderedHTML.jp-mod-trusted").count() == 1


def expect_poster(video: Locator) -> None:
    """Expect a picture in the place of a clip that cannot be loaded, whole and in view."""
    expect(video).to_be_visible()
    size = video.evaluate(
        """async (video) => {
            const picture = new Image();
            picture.src = video.poster;
            await picture.decode();
            return [picture.naturalWidth, picture.naturalHeight, video.poster.slice(0, 16)];
        }"""
    )
    assert size[0] >= 320
    assert size[2] == "data:image/webp;"


def test_a_moved_notebook_shows_the_poster_trusted_and_untrusted(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    lab.write_notebook("poster/first.ipynb", [connect(api), f"%cometvid watch {WIDE}"])
    page = open_notebook("poster/first.ipynb")
    page.run_all()
    settled = settle(page, api, WIDE, 1)
    expect_poster(settled.locator("video"))
    page.save()
    page.close()
    # Moved without its folder of clips: nothing but the picture is left.
    (lab.root / "moved").mkdir()
    shutil.rmtree(lab.root / "poster" / "videos")
    shutil.copy(lab.root / "poster" / "first.ipynb", lab.root / "moved" / "trusted.ipynb")
    lab.copy_untrusted("poster/first.ipynb", "moved/untrusted.ipynb")
    for name in ("trusted.ipynb", "untrusted.ipynb"):
        again = open_notebook(f"moved/{name}")
        assert is_trusted(again, 1) == (name == "trusted.ipynb")
        video = again.output(1).locator("video")
        expect_poster(video)
        # What a page without <video>, such as GitHub's, shows instead.
        picture = video.locator("a > img")
        assert str(picture.get_attribute("src")).startswith("data:image/webp;base64,")
        assert picture.get_attribute("alt") == f"videos/{WIDE}.mp4"
        again.output(1).get_by_text("not playing?").click()
        expect(again.output(1).get_by_text(f"%cometvid watch {WIDE}")).to_be_visible()
        look(again, f"poster-{name.removesuffix('.ipynb')}", 1)
        again.close()


def test_a_clip_elsewhere_below_the_root_plays_and_each_notebook_of_a_kernel_plays_its_own(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    watch = f"%cometvid watch {WIDE} --save ../shared"
    lab.write_notebook("pair/a/one.ipynb", [connect(api), watch])
    lab.write_notebook("pair/b/two.ipynb", ["1", f"%cometvid watch {TALL}"])
    one = open_notebook("pair/a/one.ipynb")
    one.run_all()
    shared = settle(one, api, WIDE, 1)
    expect(shared).to_contain_text(f"Saved to ../shared/{WIDE}.mp4")
    one.save()
    one.close()  # its kernel lives on
    two = open_notebook("pair/b/two.ipynb")
    two.share_kernel("pair/a/one.ipynb")
    two.run_cell(1)
    two.wait_cell_done(1)
    api.finish(TALL)
    # The kernel works in the folder of the first notebook.
    expect_player(record(two.output(1)).locator("video"))
    two.save()
    two.close()
    for name in ("pair/a/one.ipynb", "pair/b/two.ipynb"):
        again = open_notebook(name)
        expect_player(record(again.output(1)).locator("video"))
        again.close()


def send(api: Simulator, job_id: str, kind: str, width: int, height: int) -> None:
    """Let the link of a job lead to another clip than the simulator's."""
    content = made.clip(kind, width, height)
    headers = {"Content-Type": "video/mp4"}
    match = f"GET /clips/{job_id}.mp4"
    api.add_fault(Fault(match, times=None, status=200, body=content, headers=headers))


def test_clips_of_other_kinds_and_shapes_settle_as_what_they_are(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    send(api, WIDE, "h264", 360, 640)
    send(api, TALL, "gif", 360, 640)
    send(api, LINK_EXPIRED, "hevc", 640, 360)
    cells = [connect(api), *(f"%cometvid watch {one}" for one in (WIDE, TALL, LINK_EXPIRED))]
    lab.write_notebook("kinds/first.ipynb", cells)
    page = open_notebook("kinds/first.ipynb")
    page.run_all()
    turned = settle(page, api, WIDE, 1)
    box = turned.locator("video").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(360 / 640, rel=0.05)
    expect(turned).to_contain_text("360×640")

    page.wait_cell_done(3)
    for job_id in (TALL, LINK_EXPIRED):
        api.finish(job_id)
    image = record(page.output(2)).locator("img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 360)
    expect(image).to_have_attribute("src", re.compile(rf"{TALL}\.gif"))
    expect(record(page.output(3))).to_contain_text(
        "The clip is HEVC (H.265), which most browsers do not play."
    )
    look(page, "kinds", 1, 2, 3)
    page.save()
    page.close()
    lab.copy_untrusted("kinds/first.ipynb", "kinds/untrusted.ipynb")
    again = open_notebook("kinds/untrusted.ipynb")
    expect(record(again.output(2)).locator("img")).to_have_js_property("naturalWidth", 360)
    expect_player(record(again.output(1)).locator("video"))
    expect(record(again.output(3))).to_contain_text("HEVC (H.265)")
    look(again, "kinds-untrusted", 1, 2, 3)


def test_an_export_to_html_plays_beside_its_clips_and_shows_the_poster_without_them(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator, tmp_path: Path
) -> None:
    lab.write_notebook("export/first.ipynb", [connect(api), f"%cometvid watch {WIDE}"])
    page = open_notebook("export/first.ipynb")
    page.run_all()
    settle(page, api, WIDE, 1)
    page.save()
    folder = lab.root / "export"
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "first.ipynb"]
    subprocess.run(
        command,
        cwd=folder,
        env=isolated_environ(home),
        check=True,
        capture_output=True,
        timeout=100,
    )
    alone = tmp_path / "alone.html"
    alone.write_bytes((folder / "first.html").read_bytes())
    browser_page = page.browser_page.context.new_page()  # the other keeps its JupyterLab
    browser_page.goto((folder / "first.html").as_uri(), wait_until="domcontentloaded")
    expect_player(browser_page.locator("video"))
    page.album.take("export-beside", browser_page.locator("main"))
    browser_page.goto(alone.as_uri(), wait_until="domcontentloaded")
    expect_poster(browser_page.locator("video"))
    page.album.take("export-alone", browser_page.locator("main"))
    browser_page.close()


def test_an_embedded_clip_plays_from_the_notebook_alone(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [connect(api), f"%cometvid watch {TALL} --embed"]
    lab.write_notebook("embed/first.ipynb", cells)
    page = open_notebook("embed/first.ipynb")
    page.run_all()
    settle(page, api, TALL, 1)
    page.save()
    page.close()
    shutil.copy(lab.root / "embed" / "first.ipynb", lab.root / "embedded.ipynb")
    lab.copy_untrusted("embed/first.ipynb", "embedded-untrusted.ipynb")
    for name in ("embedded", "embedded-untrusted"):
        again = open_notebook(f"{name}.ipynb")
        assert is_trusted(again, 1) == (name == "embedded")
        video = again.output(1).locator("video")
        expect_player(video)
        assert video.evaluate("(video) => video.currentSrc").startswith("data:video/mp4;base64,")
        look(again, name, 1)
        again.close()


def test_a_player_whose_link_expires_goes_on_at_the_same_place(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [connect(api) + SAVE_NOTHING, f"cometvid_nb.JobWidget({EXPIRING!r})"]
    lab.write_notebook("heal.ipynb", cells)
    # The first answer breaks off behind the clip's first half; the rest is asked for, with the
    # same link, when that has expired.
    api.add_fault(Fault(CLIP, cut_after_bytes=len(api.clip_bytes(EXPIRING)) // 2))
    api.add_fault(Fault(CLIP, delay_s=LINK_LIFE_S + 1))
    page = open_notebook("heal.ipynb")
    page.run_all()
    page.wait_cell_done(1)
    live = card(page.output(1))
    expect(live).to_contain_text("Queued")
    api.finish(EXPIRING)
    video = live.locator("video")
    expect(video).to_be_visible()
    expect(live).to_contain_text(re.compile(r"link lives for \d+ s"))
    element = video.element_handle()
    page.browser_page.wait_for_function("(video) => video.readyState >= 2", arg=element)
    assert video.evaluate("(video) => video.currentSrc").startswith(api.clip_origin)
    look(page, "heal-before", 1)
    video.evaluate(
        "(video) => { video.muted = true; video.play(); video.currentTime = video.duration - 1; }"
    )
    page.browser_page.wait_for_function(
        """(video) => video.currentSrc.startsWith("blob:") && !video.seeking
            && video.currentTime >= video.duration - 1""",
        arg=element,
        timeout=15_000,  # by itself Chromium gives an expired link up after half a minute
    )
    expect(live).to_contain_text("not saved · came through the kernel")
    video.evaluate("(video) => { video.loop = false; }")
    page.browser_page.wait_for_function("(video) => video.ended", arg=element)
    look(page, "heal-after", 1)


def test_after_a_killed_kernel_resume_brings_the_card_back_and_the_clip_home(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [
        connect(api),
        '%cometvid create "A comet over the mountains" --model sora-2 --size 1280x720',
        "os.kill(os.getpid(), 9)",
        "%cometvid resume",
    ]
    before = set(api.jobs)
    lab.write_notebook("killed/killed.ipynb", cells)
    page = open_notebook("killed/killed.ipynb")
    for index in (0, 1):
        page.run_cell(index)
        page.wait_cell_done(index)
    (job_id,) = set(api.jobs) - before
    api.set_progress(job_id, 10)
    expect(card(page.output(1))).to_contain_text(job_id)
    page.run_cell(2)
    expect(card(page.output(1))).to_contain_text("No longer watched")
    page.browser_page.locator(".jp-Dialog .jp-mod-accept").click()  # "The kernel has died"
    for index in (0, 3):
        page.run_cell(index)
        page.wait_cell_done(index)
    again = card(page.output(3))
    expect(again).to_contain_text(job_id)
    api.set_progress(job_id, 60)
    expect(again).to_contain_text("60%")
    look(page, "resume-card", 1, 3)
    api.finish(job_id)
    settled = record(page.output(3))
    expect_player(settled.locator("video"))
    expect(settled).to_contain_text("A comet over the mountains")
    expect(settled).to_contain_text(f"Saved to videos/{job_id}.mp4")
    clip = lab.root / "killed" / "videos" / f"{job_id}.mp4"
    assert clip.read_bytes() == api.clip_bytes(job_id)
    assert api.count("POST /videos") == 1, "nothing is paid for twice"
    look(page, "resume-clip", 3)
