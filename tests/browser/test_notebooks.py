"""The demo notebooks in a real JupyterLab: opened as they are committed, and run by "Run all"."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.scenes import expect_player

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
LAST_CELL_WITHIN_S = 90.0


@pytest.fixture
def demo(lab: LabServer) -> Path:
    """A folder of JupyterLab with the notebooks and nothing else, as somebody has fetched them."""
    folder = lab.root / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns("videos", ".*"))
    return folder


@pytest.mark.usefixtures("demo")
def test_notebooks_that_were_only_opened_show_pictures_and_no_dead_widget(
    open_notebook: OpenNotebook,
) -> None:
    names = [path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    page = open_notebook(f"demo/{names[0]}.ipynb", has_kernel=False)
    for name in names:
        path = f"demo/{name}.ipynb"
        page.command("docmanager:open", path=path)
        page.browser_page.wait_for_function(
            "(path) => window.jupyterapp.shell.currentWidget?.context?.path === path", arg=path
        )
        panel = page.browser_page.locator(".jp-NotebookPanel:visible")
        video = panel.locator(".cometvid-record video").first
        expect(video).to_be_visible()
        assert (video.get_attribute("poster") or "").startswith("data:image/")
        assert "Error displaying widget" not in page.text()
        page.screenshot(f"notebook-{name}")
    assert len(names) == 6


def test_run_all_reaches_the_last_cell_and_every_clip_plays(
    demo: Path, open_notebook: OpenNotebook
) -> None:
    page = open_notebook("demo/01_first_video.ipynb")
    page.run_all()
    cells = page.browser_page.locator(".jp-NotebookPanel:visible .jp-Cell")
    last = cells.count() - 2  # behind it stands a word on what comes next
    page.wait_cell_done(last, within_s=LAST_CELL_WITHIN_S)
    expect(page.output(last)).to_contain_text("%cometvid watch")
    videos = page.browser_page.locator(".jp-NotebookPanel:visible video:visible")
    expect(videos).to_have_count(2)
    for index in range(2):
        expect_player(videos.nth(index))
    assert sorted(path.name for path in (demo / "videos").iterdir()) == [
        "video_demo.json",
        "video_demo.mp4",
        "video_portrait.json",
        "video_portrait.mp4",
    ]
    assert page.errors == []
