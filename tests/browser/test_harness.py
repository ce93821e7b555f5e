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


def test_a_closed_notebook_leaves_its_page_to_the_next_unless_the_page_was_changed(
    lab: LabServer, open_notebook: OpenNotebook
) -> None:
    for name in ("one.ipynb", "two.ipynb"):
        lab.write_notebook(name, [f"{name!r}"])
    one = open_notebook("one.ipynb")
    one.run_all()
    expect(one.output(0)).to_contain_text("one.ipynb")
    one.close()
    two = open_notebook("two.ipynb")
    assert two.browser_page is one.browser_page
    two.run_all()
    expect(two.output(0)).to_contain_text("two.ipynb")
    two.set_theme("dark")
    two.close()
    assert two.browser_page.is_closed()
    assert one.errors == two.errors == []
