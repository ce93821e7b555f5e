"""The harness itself: if one of these fails, no other browser test means anything."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer

SLIDER_FROM_A_THREAD = """
import threading
import ipywidgets
slider = ipywidgets.IntSlider(value=1)
busy = threading.Event()
def move():
    busy.wait()
    slider.value = 42
threading.Thread(target=move, daemon=True).start()
slider
"""
BUSY_UNTIL_TOLD = """
import pathlib, time
busy.set()
while not pathlib.Path("go-on").exists():
    time.sleep(0.05)
"""


def test_a_thread_moves_a_widget_while_a_later_cell_blocks_the_kernel(
    lab: LabServer, open_notebook: OpenNotebook
) -> None:
    lab.write_notebook("slider.ipynb", [SLIDER_FROM_A_THREAD, BUSY_UNTIL_TOLD])
    page = open_notebook("slider.ipynb")
    page.run_all()
    expect(page.output(0)).to_contain_text("42")
    assert not page.is_cell_done(1)
    (lab.root / "go-on").touch()
    page.wait_cell_done(1)
    assert page.errors == []


def test_the_theme_switches(lab: LabServer, open_notebook: OpenNotebook) -> None:
    lab.write_notebook("theme.ipynb", ["1"])
    page = open_notebook("theme.ipynb")
    page.set_theme("dark")
    assert page.screenshot("harness-dark").stat().st_size > 0
    page.set_theme("light")


def test_an_output_is_there_again_after_the_server_was_stopped_and_started(
    lab: LabServer, open_notebook: OpenNotebook
) -> None:
    lab.write_notebook("kept.ipynb", ["from IPython.display import HTML\nHTML('<b>kept</b>')"])
    page = open_notebook("kept.ipynb")
    page.run_cell(0)
    page.wait_cell_done(0)
    page.save()
    page.browser_page.close()
    lab.stop()
    lab.start()
    again = open_notebook("kept.ipynb")
    expect(again.output(0).locator("b")).to_have_text("kept")


def test_an_untrusted_copy_is_sanitised_until_it_is_trusted(
    lab: LabServer, open_notebook: OpenNotebook
) -> None:
    code = "from IPython.display import HTML\nHTML('<p style=\"color: var(--jp-x)\">styled</p>')"
    lab.write_notebook("mine.ipynb", [code])
    page = open_notebook("mine.ipynb")
    page.run_all()
    page.wait_cell_done(0)
    page.save()
    lab.copy_untrusted("mine.ipynb", "theirs.ipynb")
    theirs = open_notebook("theirs.ipynb")
    styled = theirs.output(0).locator("p")
    expect(styled).to_have_text("styled")
    assert styled.get_attribute("style") is None
    theirs.trust()
    theirs.save()
    theirs.reload()
    assert theirs.output(0).locator("p").get_attribute("style") is not None
