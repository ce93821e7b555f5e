"""Cards in VS Code: drawn by its own widget manager, beside a notebook that lies on disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from cometvid_nb.simulator import Scenario, Simulator
from tests.browser.lab import LabServer
from tests.browser.notebook_page import Album
from tests.browser.scenes import PLAY, card, connect, expect_player, record
from tests.browser.vscode_page import DISK, VsCodePage

QUICKLY = "from cometvid_nb.display import page\npage.COMPARED_WITHIN_S = 2"
FIRST, TAKES = "video_first", [f"video_take_{number}" for number in range(1, 5)]


@pytest.fixture
def api() -> Iterator[Simulator]:
    jobs = [Scenario(job_id, queue_s=86_400) for job_id in (FIRST, *TAKES)]
    with Simulator(scenarios=jobs) as simulator:
        yield simulator


def test_a_card_and_a_gallery_move_settle_and_play_again_from_the_saved_file(
    lab: LabServer, browser_context: BrowserContext, album: Album, api: Simulator
) -> None:
    notebook = lab.write_notebook("workspace/project/cut.ipynb", [])
    view = VsCodePage(lab, browser_context.new_page(), notebook)
    view.open()
    view.start_kernel("workspace")  # where jupyter.notebookFileRoot is the workspace
    view.run(f"{connect(api)}\n{QUICKLY}")
    single = view.output(view.run(f"%cometvid watch {FIRST}"))
    many = view.output(view.run(f"%cometvid watch {' '.join(TAKES)}"))
    expect(card(single)).to_contain_text("Queued")
    expect(many.locator(".cometvid-tile")).to_have_count(len(TAKES))
    api.set_progress(FIRST, 40)
    expect(card(single)).to_contain_text("40%")
    album.take("vscode-0-live", view.page)
    videos = notebook.parent / "videos"
    api.finish(FIRST)
    expect_player(record(single).locator("video"))
    expect(single).to_contain_text(f"Saved to videos/{FIRST}.mp4")
    for job_id in TAKES:
        api.finish(job_id)
    expect(many).to_contain_text(f"Saved to videos/{TAKES[0]}.mp4")
    many.get_by_role("button", name=f"Play the clip of {TAKES[0]}").click()
    clip = many.locator("video").first
    expect_player(clip)
    assert clip.evaluate("(video) => video.currentSrc") == f"{DISK}{videos}/{TAKES[0]}.mp4"
    album.take("vscode-1-clips", view.page, full_page=True)
    expect(record(many).locator("video")).to_have_count(len(TAKES))
    assert {path.parent for path in view.requests} == {videos}
    album.take("vscode-2-settled", view.page, full_page=True)
    saved = view.saved()
    view.reopen(saved)
    expect_player(record(single).locator("video"))
    many.locator("video").first.evaluate(PLAY)  # these wait until somebody does
    expect_player(many.locator("video").first)
    assert {path.parent for path in view.requests} == {videos}
    assert view.errors == []
