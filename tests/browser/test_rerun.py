"""A notebook that runs again in a real JupyterLab pays once, and another take is one click."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.scenes import card, connect, expect_player, look, record
from tests.simulated import Forgetful

CREATE = '%cometvid create "A comet over a quiet sea" --model sora-2'


@pytest.fixture
def api() -> Iterator[Forgetful]:
    with Forgetful(speed=50, separate_clip_host=True) as simulator:
        yield simulator


def test_run_all_three_times_makes_one_job_and_a_double_click_one_more(
    lab: LabServer, open_notebook: OpenNotebook, api: Forgetful
) -> None:
    lab.write_notebook("again.ipynb", [connect(api), CREATE])
    page = open_notebook("again.ipynb")
    for _ in range(3):
        page.run_all()
        page.wait_cell_done(1)
    live = card(page.output(1))
    expect(live).to_contain_text("in this cell; --again makes a new one")
    expect_player(live.locator("video"))
    look(page, "again-1-note", 1)
    assert len(api.made) == 1
    live.get_by_role("button", name="Another take").dblclick()
    expect(card(page.output(1))).to_contain_text("another take; the one before: %cometvid watch")
    expect_player(record(page.output(1)).locator("video"))
    look(page, "again-2-taken", 1)
    [_, another] = [job_id for _, job_id in api.made]
    expect(page.output(1)).to_contain_text(another)
    assert page.errors == []
