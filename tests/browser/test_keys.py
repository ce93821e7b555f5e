"""The keys of a notebook's page and the focus in what we show: nothing of the notebook changes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from cometvid_nb.simulator import Scenario, Simulator
from tests.browser.card_page import CardPage, card, clip, gallery
from tests.browser.conftest import OpenNotebook
from tests.browser.lab import LabServer
from tests.browser.scenes import connect, expect_player

SAVED, ENDED, WAITING, STOPPED = "video_saved", "video_ended", "video_waits", "video_stopped"
FOCUSABLE = "button, video, select, input, a[href], summary, [tabindex='0']"
COMMAND_KEYS = (
    *"mrycvzxablohsfjk1,.",
    "f",  # out of full screen again
    *("Shift+M", "Shift+A", "Shift+ArrowDown", "Shift+Z", "Control+Shift+M", "Control+A"),
    *("d", "d", "0", "0", "i", "i", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"),
    *("Control+Backspace", "Control+Enter", "Alt+Enter", "Shift+Enter", "Enter", "Space"),
)
"""What JupyterLab and Notebook 7 bind in command mode, or classic Notebook did."""
MARK = """(what) => {
    const kinds = new Map();  // of each kind one will do: that all have the mark is another test
    for (const root of document.querySelectorAll(".cometvid-root, .cometvid-record"))
        for (const node of root.querySelectorAll(what))
            if (node.checkVisibility() && node.offsetWidth) {
                const place = ["gallery", "card", "record"]
                    .find((name) => root.matches(`.cometvid-${name}`));
                const kind = `${node.tagName} of a ${place ?? "row"}`;
                if (!kinds.has(kind)) kinds.set(kind, node);
            }
    [...kinds.values()].forEach((node, number) => { node.dataset.testFocus = number; });
    return [...kinds.keys()];
}"""
DOCUMENT = """JSON.stringify(
    jupyterapp.shell.currentWidget.content.model.toJSON(),
    (name, value) => (name === "data" ? Object.keys(value).sort() : value))"""
"""All of it, but for what outputs say: a key may press a button, and a record then tells of it."""


@pytest.fixture
def api() -> Iterator[Simulator]:
    jobs = [Scenario(job_id, queue_s=86_400) for job_id in (SAVED, ENDED, WAITING, STOPPED)]
    with Simulator(scenarios=jobs) as simulator:
        yield simulator


def expect_keys_change_nothing(page: Page, focusable: str) -> set[str]:
    """Press every key on one of each kind of thing that can have the focus; return the kinds."""
    before = json.loads(page.evaluate(DOCUMENT))
    kinds: list[str] = page.evaluate(MARK, focusable)
    for number, kind in enumerate(kinds):
        node = page.locator(f"[data-test-focus='{number}']")
        if node.count() and node.is_visible():  # no Enter or Space has led elsewhere before
            node.focus()
            for key in COMMAND_KEYS:
                page.keyboard.press(key)
        assert page.locator(".jp-Dialog").count() == 0, kind
        assert json.loads(page.evaluate(DOCUMENT)) == before, kind
    return set(kinds)


def test_no_key_on_a_card_a_tile_or_a_record_changes_the_notebook(
    lab: LabServer, open_notebook: OpenNotebook, api: Simulator
) -> None:
    cells = [
        connect(api),
        f"%cometvid watch {SAVED}",
        f"%config Cometvid.save = False\ncometvid_nb.JobWidget({ENDED!r})",
        f"cometvid_nb.JobWidget({WAITING!r})",
        f"stopped = cometvid_nb.JobWidget({STOPPED!r})\nstopped.watch.stop()\nstopped",
        f"cometvid_nb.GalleryWidget([{ENDED!r}, {WAITING!r}, {STOPPED!r}])",
    ]
    lab.write_notebook("keys.ipynb", cells)
    page = open_notebook("keys.ipynb")
    page.run_all()
    page.wait_cell_done(5)
    for job_id in (SAVED, ENDED):
        api.finish(job_id)
    for cell in (1, 2):
        expect_player(page.output(cell).locator("video:not(.cometvid-beside *)"))
    expect(page.output(5).locator(".cometvid-play").first).to_be_visible()
    page.save()
    kinds = expect_keys_change_nothing(page.browser_page, FOCUSABLE)
    assert {"VIDEO of a record", "VIDEO of a card", "BUTTON of a gallery"} <= kinds
    assert len(kinds) > 7, kinds
    page.save()
    notebook = page.browser_page.context.new_page()
    try:  # Notebook 7, with the same kernel behind it
        notebook.goto(lab.address("keys.ipynb").replace("/lab/tree/", "/notebooks/"))
        expect(notebook.locator(".cometvid-gallery")).to_be_visible()
        expect(notebook.locator(".cometvid-record:not(.cometvid-beside *) video")).to_be_visible()
        kinds = expect_keys_change_nothing(notebook, "video")
        assert kinds == {"VIDEO of a record", "VIDEO of a card"}
    finally:
        notebook.close()


# ---- the page alone


LANDSCAPE = "landscape.mp4"


@pytest.mark.parametrize("kind", ["card", "gallery"])
def test_whatever_can_have_the_focus_has_the_mark_that_lumino_looks_for(
    view: CardPage, kind: str
) -> None:
    playable = clip(f"{view.site.url}/clips/{LANDSCAPE}")
    cards = [
        card("running", prompt="word " * 900, problem="word " * 900),
        card("completed", job_id="video_2", clip=playable),
        card("stopped", job_id="video_3", actions=["watch"], command="%cometvid x"),
    ]
    view.open(name="" if kind == "card" else kind)
    if kind == "gallery":
        view.show(gallery(*cards, pages=3))
        view.part("play").nth(1).click()
        view.part("title").last.click()
    else:
        for one in cards:
            view.show(one)
    unmarked = "(what) => [...document.querySelectorAll(what)].filter((node) =>"
    unmarked += " !node.hasAttribute('data-lm-suppress-shortcuts')).map((node) => node.outerHTML)"
    assert view.page.evaluate(unmarked, f"{FOCUSABLE}, [tabindex]") == []


def test_keys_end_at_the_card_but_those_for_the_whole_page_get_there(view: CardPage) -> None:
    view.open()
    view.show(card())
    view.page.evaluate(
        """() => {
            window.heard = [];
            document.addEventListener("keydown", (event) => {
                if (event.key.length > 1 && event.key !== "Enter") return;
                heard.push([event.key, event.target.tagName, event.ctrlKey]);
                if (event.ctrlKey) event.preventDefault();
            });
        }"""
    )
    press = view.page.keyboard.press
    for in_lab in (False, True):
        view.page.locator("#output").evaluate(
            "(node, is) => node.classList.toggle('jp-OutputArea', is)", in_lab
        )
        view.part("stop").focus()
        for key in ("m", "Enter", "Shift+Enter", "Control+Enter", "Control+s"):
            press(key)
    # Anywhere else the page hears the event itself; JupyterLab only one that no cell is part of.
    assert view.page.evaluate("heard") == [["s", "BUTTON", True], ["s", "BODY", True]]


def test_the_keys_of_a_player_do_what_players_do(view: CardPage) -> None:
    view.open()
    view.show(card("completed", clip=clip(f"{view.site.url}/clips/{LANDSCAPE}")))
    view.wait_playable(LANDSCAPE)
    view.video.evaluate("(video) => { video.loop = true; video.focus(); }")
    press = view.page.keyboard.press

    def is_soon(state: str) -> None:
        near = "near = (one, other) => Math.abs(one - other) < 0.001"
        code = f"(() => {{ const v = document.querySelector('video'), {near}; return {state}; }})()"
        view.page.wait_for_function(code, timeout=5000)

    for key, state in (
        ("m", "!v.muted"),
        ("m", "v.muted"),
        ("ArrowRight", "near(v.currentTime, 1)"),
        ("ArrowRight", "near(v.currentTime, 2)"),
        ("ArrowLeft", "near(v.currentTime, 1)"),
        (".", "v.currentTime > 1 && v.currentTime < 1.05"),
        (",", "near(v.currentTime, 1)"),
        ("ArrowDown", "near(v.volume, 0.9)"),
        ("ArrowUp", "near(v.volume, 1)"),
        ("Space", "!v.paused"),
        ("Space", "v.paused"),
        ("f", "document.fullscreenElement === v"),
        ("f", "!document.fullscreenElement"),
    ):
        press(key)
        is_soon(state)
    for _ in range(9):
        press("ArrowLeft")
    is_soon("v.currentTime === 0")
    assert view.sent() == []
