"""The list of remembered jobs alone, on a fake of anywidget's model: what it shows and asks for."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from cometvid_nb.cards.clip import Clip
from cometvid_nb.cards.job_list import JobList, JobQuery, JobRow
from cometvid_nb.ledger.statements import Order
from cometvid_nb.simulator.clips import MEDIA
from tests.browser.card_page import CardPage
from tests.browser.notebook_page import Album

NOW_S = 1_800_000_000
RTL_PROMPT = "مذنب يعبر سماء الليل البنفسجية"
PROMPT = "A comet crosses a violet night sky, slowly, over a mountain lake with reeds. "
HOSTILE = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 1000, "height": 900}}


def row(number: int, state: str = "queued", **changes: Any) -> JobRow:
    values: dict[str, Any] = {
        "name": f"video_{number:03d}",
        "has_id": True,
        "state": state,
        "began_at_s": NOW_S - 7200.0 * number - 10,
        "prompt": PROMPT,
        "model": "sora-2",
        "size": "1280×720",
        "length": "4 s",
        "watch_command": f"%cometvid watch video_{number:03d}",
    }
    return JobRow(**(values | changes))


def done(number: int, shape: str = "landscape", **changes: Any) -> JobRow:
    clip = Clip(None, f"{shape}.mp4", f"{shape}.mp4", None)
    return row(number, "completed", **({"clip": clip, "took_s": 67.4} | changes))


ROWS = (
    done(0),
    done(1, "portrait", prompt=RTL_PROMPT, aspect_ratio=9 / 16),
    row(2, "failed", problem="Blocked by moderation: the prompt names a person."),
    row(3, "in_progress", model="doubao-seedance-2-0-fast", prompt=PROMPT * 9),
    row(4, "unknown outcome", has_id=False, watch_command=None, answer='{"code": "success"}'),
    row(5, "refused", has_id=False, watch_command=None, prompt=HOSTILE, model=HOSTILE),
    row(6, "completed", prompt=None, clip=Clip(None, None, None, None)),
    row(7, "odd word", name="video_" + "0123456789abcdef" * 6, began_at_s=None),
)
COUNTS = {"completed": 8025, "failed": 811, "queued": 0, "in_progress": 10_001}


def listed(*rows: JobRow, **changes: Any) -> dict[str, Any]:
    """A list as the kernel sends it."""
    query = replace(JobQuery(), **changes)
    return JobList(rows or ROWS, query, 10_001, 10_001, COUNTS).to_json(NOW_S)


def open_list(view: CardPage, shown: dict[str, Any] | None = None) -> None:
    view.open(at_s=NOW_S, name="jobs")
    view.show(shown or listed(), files=f"{view.site.url}/clips/")


def asked(view: CardPage) -> list[dict[str, Any]]:
    """What the page asked the kernel to show, in order."""
    return [message for message in view.sent() if message["kind"] == "view"]


def jobs(view: CardPage) -> Locator:
    return view.part("jobs-row")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [300, 1000])
def test_axe_finds_nothing_and_nothing_sticks_out(
    view: CardPage, album: Album, theme: str, width: int
) -> None:
    view.page.set_viewport_size({"width": width, "height": 900})
    view.open(name="jobs")
    view.show(listed(), files=f"{view.site.url}/clips/")
    view.theme(theme)
    view.part("jobs-title").nth(1).click()
    assert view.violations(".cometvid-jobs") == []
    assert view.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = view.part("jobs-scroller")
    assert box.evaluate("(node) => node.scrollWidth <= node.clientWidth")
    assert view.page.evaluate("window.pwned") is None
    album.take(f"jobs-{theme}-{width}", view.page, full_page=True)


def test_the_list_is_read_anew_while_jobs_go_on_and_only_then(view: CardPage) -> None:
    def hellos() -> int:
        return int(view.page.evaluate("model.sent.filter(({ kind }) => kind === 'hello').length"))

    open_list(view)
    begun = hellos()
    view.run(31)
    assert hellos() - begun == 3
    ended = JobList(ROWS, JobQuery(), 8, 8, {"completed": 7, "failed": 1}).to_json(NOW_S)
    view.show(ended)
    before = hellos()
    view.run(60)
    assert hellos() == before


def test_a_row_says_all_and_when_in_words_that_go_on(view: CardPage) -> None:
    open_list(view)
    first = jobs(view).first
    for words in (PROMPT.strip(), "video_000", "Completed", "sora-2", "1280×720", "4 s", "1:07"):
        expect(first).to_contain_text(words)
    when = view.part("jobs-ago")
    expect(when).to_have_text(
        ["just now", "2 h ago", "4 h ago", "6 h ago", "8 h ago", "10 h ago", "12 h ago", "–"]
    )
    assert "2027" in str(when.first.get_attribute("title"))
    view.run(120)
    expect(when.first).to_have_text("2 min ago")
    expect(view.part("jobs-reason").nth(2)).to_contain_text("Blocked by moderation")
    expect(view.part("jobs-prompt-text").nth(5)).to_have_text(HOSTILE)


def test_what_one_asks_for_goes_to_the_kernel_and_what_it_found_is_marked(view: CardPage) -> None:
    open_list(view)
    blank = {"kind": "view", "state": None, "search": "", "order": "when", "is_ascending": False}
    box = view.part("jobs-input")
    box.press_sequentially("violet")
    view.run(0.1)
    assert asked(view) == [], "not while somebody types"
    view.run(0.2)
    assert asked(view) == [blank | {"search": "violet", "page": 1}]
    view.run(2)
    expect(view.part("jobs-problem")).to_contain_text("aiting for the running cell")
    view.change(listed(search="violet", page=1))
    expect(view.part("jobs-problem")).to_be_hidden()
    expect(view.part("jobs-mark").first).to_have_text("violet")

    view.page.get_by_role("button", name="Failed 811").click()
    view.change(listed(search="violet", state="failed"))
    view.page.get_by_role("button", name="Model").click()
    view.change(listed(search="violet", state="failed", order=Order.MODEL, is_ascending=True))
    expect(view.page.get_by_role("columnheader", name="Model")).to_have_attribute(
        "aria-sort", "ascending"
    )
    view.page.get_by_role("button", name="Model").click()
    view.page.get_by_role("button", name="Next").click()
    here = blank | {"search": "violet", "state": "failed", "order": "model"}
    assert asked(view)[1:] == [
        blank | {"search": "violet", "state": "failed", "page": 1},
        here | {"is_ascending": True, "page": 1},
        here | {"is_ascending": False, "page": 1},
        here | {"is_ascending": False, "page": 2},
    ]
    box.press("Escape")
    assert asked(view)[-1]["search"] == box.input_value() == ""
    expect(view.page.get_by_role("button", name="In progress 10,000+")).to_be_visible()


def test_a_long_prompt_begins_near_what_was_found(view: CardPage) -> None:
    prompt = PROMPT * 8 + "Then a LANTERN swings."
    open_list(view, listed(row(0, prompt=prompt), search="lantern"))
    mark = view.part("jobs-mark")
    expect(mark).to_have_text("LANTERN")
    text, lines = view.part("jobs-title"), view.part("jobs-prompt-text")
    assert lines.evaluate("(node) => node.scrollHeight <= node.clientHeight + 1")
    text.click()
    expect(view.part("jobs-whole")).to_have_text(prompt.strip())


def test_a_clip_plays_in_place_and_goes_on_while_the_list_changes(view: CardPage) -> None:
    view.open(name="jobs")
    view.show(listed(), files=f"{view.site.url}/clips/")
    view.page.get_by_role("button", name="Play the clip of video_001").click()
    playing = "document.querySelector('.cometvid-jobs-panel video')?.currentTime > 0.1"
    view.page.wait_for_function(playing)
    ratio = view.part("jobs-screen").evaluate("(node) => node.clientWidth / node.clientHeight")
    assert ratio == pytest.approx(9 / 16, rel=0.02)
    view.page.evaluate("window.video = document.querySelector('.cometvid-jobs-panel video')")
    view.change(listed(row(9), *ROWS[:2]))
    assert view.page.evaluate("video.isConnected && !video.paused")
    assert view.part("jobs-panel").evaluate(
        "(node) => node.previousElementSibling.textContent.includes('video_001')"
    )
    view.change(listed(row(9)))
    expect(view.part("jobs-panel")).to_have_count(0)


def test_a_clip_that_no_page_can_load_comes_through_the_kernel(view: CardPage) -> None:
    open_list(view)
    view.page.get_by_role("button", name="Play the clip of video_006").click()
    view.wait_for_request()
    wanted = [message for message in view.sent() if message["kind"] == "fetch_clip"]
    assert wanted[0]["job_id"] == "video_006"
    view.relay("landscape.mp4")
    view.page.wait_for_function(
        "document.querySelector('.cometvid-jobs-panel video')?.readyState > 1"
    )


def test_pictures_come_from_the_kernel_and_first_frames_where_it_has_none(view: CardPage) -> None:
    view.open(name="jobs")
    view.show(listed(), files=f"{view.site.url}/clips/")
    names = [message["names"] for message in view.sent() if message["kind"] == "posters"]
    assert names == [["video_000", "video_001", "video_006"]]
    picture = base64.b64encode((MEDIA / "landscape.webp").read_bytes()).decode()
    posters = {"video_000": f"data:image/webp;base64,{picture}", "video_006": "javascript:x"}
    view.page.evaluate(
        "(posters) => model.fire('msg:custom', { kind: 'posters', posters }, [])", posters
    )
    expect(jobs(view).first.locator("img")).to_have_js_property("complete", value=True)
    expect(jobs(view).nth(1).locator("canvas")).to_be_visible()
    expect(view.part("jobs-frame")).to_have_count(2)


def test_without_its_kernel_what_is_there_stays_readable_and_plays(view: CardPage) -> None:
    open_list(view)
    view.fire("comm:close")
    expect(view.part("jobs-problem")).to_contain_text("The kernel stopped: this is the list as")
    view.page.get_by_role("button", name="Failed 811").click(force=True)
    view.part("jobs-refresh").click(force=True)
    expect(view.part("jobs-input")).to_have_js_property("readOnly", value=True)
    assert asked(view) == []
    view.page.get_by_role("button", name="Play the clip of video_000").click()
    view.page.wait_for_function("document.querySelector('.cometvid-jobs-panel video')?.currentSrc")


def test_the_keyboard_reaches_all_and_no_key_gets_out(view: CardPage) -> None:
    open_list(view)
    view.page.evaluate("document.addEventListener('keydown', () => { window.heard = true; })")
    view.part("jobs-title").first.focus()
    for key in ("m", "d", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        view.page.keyboard.press(key)
    expect(view.part("jobs-title").nth(1)).to_have_attribute("aria-expanded", "true")
    expect(view.page.get_by_role("button", name="Close")).to_be_focused()
    view.page.keyboard.press("Escape")
    expect(view.part("jobs-title").nth(1)).to_be_focused()
    view.part("jobs-input").press_sequentially("mdd0")
    assert view.page.evaluate("window.heard") is None
    unmarked = view.page.evaluate(
        """[...document.querySelectorAll('.cometvid-jobs *')]
            .filter((node) => node.tabIndex >= 0 || node.matches('video'))
            .filter((node) => !node.hasAttribute('data-lm-suppress-shortcuts'))
            .map((node) => node.outerHTML)"""
    )
    assert unmarked == [], "JupyterLab looks at the focused element first"


def test_a_list_that_leaves_leaves_nothing(view: CardPage) -> None:
    open_list(view)
    view.page.get_by_role("button", name="Play the clip of video_000").click()
    view.page.evaluate("leave()")
    assert view.left_timers() == 0
    assert view.page.evaluate("model.listeners.length") == 0
    expect(view.part("jobs")).to_have_count(0)
