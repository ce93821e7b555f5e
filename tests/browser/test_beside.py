"""What a kernel that dies leaves of its live cards: the record beside each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from cometvid_nb.simulator import Simulator
from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.scenes import JOBS, TALL, WIDE, card, connect, look, restart_kernel

LOST = "Error displaying widget"
BESIDE = ".jp-OutputArea-child:has(> .jp-OutputArea-output > .cometvid-beside)"


@pytest.fixture
def api() -> Iterator[Simulator]:
    with Simulator(scenarios=JOBS, separate_clip_host=True) as simulator:
        yield simulator


def test_a_record_shows_where_the_card_does_not_live_and_only_there(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    row = f"ipywidgets.HBox([cometvid_nb.JobWidget({TALL!r}), ipywidgets.IntSlider()])"
    lab.write_notebook("beside.ipynb", [connect(api), f"%cometvid watch {WIDE}", row])
    page = open_notebook("beside.ipynb")
    page.run_all()
    page.wait_cell_done(2)
    for is_reloaded in (False, True):
        if is_reloaded:
            page.save()
            page.reload()
        for index in (1, 2):
            expect(card(page.output(index))).to_contain_text("Queued")
            # Not only out of sight, as it is at first, when the widget may still be loading.
            expect(page.output(index).locator(BESIDE)).to_have_css("display", "none")

    restart_kernel(page)
    expect(card(page.output(1))).to_contain_text("The kernel stopped")
    expect(page.output(1).locator(BESIDE)).to_have_css("display", "none")
    page.close()
    lab.copy_untrusted("beside.ipynb", "beside-copy.ipynb")
    for name in ("beside", "beside-copy"):
        opened, is_trusted = open_notebook(f"{name}.ipynb"), name == "beside"
        for index, job_id in ((1, WIDE), (2, TALL)):
            beside = opened.output(index).locator(".cometvid-beside")
            expect(beside).to_be_visible()
            expect(beside).to_contain_text(" UTC")
            expect(beside).to_contain_text(f"%cometvid watch {job_id}")
            expect(opened.output(index).get_by_text(LOST)).to_be_hidden()
            expect(beside.get_by_role("button", name="Copy")).to_have_count(int(is_trusted))
        look(opened, f"beside-{'trusted' if is_trusted else 'untrusted'}", 1, 2)
        opened.close()
