"""Cards, galleries and lists under a finger, in a page as narrow as a phone's."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Locator, expect

from tests.browser.card_page import CardPage, card, clip, gallery
from tests.browser.test_compare import STILL
from tests.browser.test_jobs_page import listed

PHONE = {"width": 390, "height": 844}
LEAST_PX = 24  # WCAG 2.2, 2.5.8
LIKE_LAB = """() => {
    const content = "width=device-width, initial-scale=1";
    const node = document.createElement("meta");
    document.head.append(Object.assign(node, { name: "viewport", content }));
    document.body.style.minHeight = "3000px";
}"""
"""The page of a phone, as JupyterLab asks for it, with somewhere to scroll to."""
TOO_SMALL = """(least) => [...document.querySelectorAll("button, select, input, [role=slider]")]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }))
    .filter((node) => !node.matches(".cometvid-title"))  // one line of text with nothing near it
    .filter((node) => Math.min(node.offsetWidth, node.offsetHeight) < least)
    .map((node) => [node.outerHTML.slice(0, 200), node.offsetWidth, node.offsetHeight])"""
ENLARGED = """[...document.querySelectorAll("input, select")].filter((field) =>
    field.checkVisibility() && parseFloat(getComputedStyle(field).fontSize) < 16).length"""
"""Fields whose letters are so small that a phone enlarges the page around them."""


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": PHONE, "has_touch": True, "is_mobile": True}


def button(place: Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name)


def done(view: CardPage, number: int = 1, **changes: Any) -> dict[str, Any]:
    shown = clip(f"{view.site.url}/numbered/{number}02040.mp4", place=f"{number}.mp4")
    job_id = f"video_{number}"
    return card("completed", job_id=job_id, typed_id=job_id, clip=shown, **changes)


def open_(view: CardPage, name: str, shown: dict[str, Any]) -> None:
    view.open(name=name)
    view.page.evaluate(LIKE_LAB)
    view.show(shown, files=f"{view.site.url}/clips/")


def compare(view: CardPage) -> CDPSession:
    """Two takes side by side, and the way to put fingers on the page."""
    open_(view, "gallery", gallery(done(view, 1), done(view, 2)))
    button(view.part("gallery"), "Compare two takes").tap()
    view.page.wait_for_function(STILL)
    return view.page.context.new_cdp_session(view.page)


def drag(fingers: CDPSession, *paths: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Move a finger along each of these straight paths, all at once."""
    for step in range(9):
        points = [
            {"x": x + (to_x - x) * step / 8, "y": y + (to_y - y) * step / 8, "id": finger}
            for finger, ((x, y), (to_x, to_y)) in enumerate(paths)
        ]
        kind = "touchMove" if step else "touchStart"
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def scrolled_px(view: CardPage) -> float:
    return float(view.page.evaluate("scrollY"))


def test_the_box_of_stars_hangs_on_its_button_and_stays_while_somebody_writes(
    view: CardPage,
) -> None:
    open_(view, "", done(view))
    view.wait_playable("numbered")
    place = view.part("card")
    opener = button(place, "Stars, tags and a note")
    opener.tap()
    box = view.page.locator(":popover-open")
    beneath = "(box) => box.getBoundingClientRect().top - box.closest('.cometvid-card')"
    beneath += ".querySelector('.cometvid-rate').getBoundingClientRect().bottom"
    expect(box).to_be_visible()
    assert box.evaluate(beneath) == pytest.approx(6, abs=1)
    place.get_by_role("textbox", name="Note").tap()
    view.page.keyboard.type("Good")
    view.page.evaluate("scrollBy(0, 60)")  # as the keyboard of a phone does when it comes
    view.page.wait_for_function("scrollY === 60")
    view.page.wait_for_function(
        f"Math.abs(({beneath})(document.querySelector(':popover-open')) - 6) < 1"
    )
    button(box, "Keep").tap()
    assert view.sent()[-1]["rating"]["note"] == "Good"
    opener.tap()
    expect(box).to_be_visible()
    view.page.evaluate("scrollBy(0, -60)")
    view.page.wait_for_function("scrollY === 0")
    view.page.wait_for_function(
        f"Math.abs(({beneath})(document.querySelector(':popover-open')) - 6) < 1"
    )
    view.page.evaluate("scrollBy(0, 2000)")  # its button leaves the window
    expect(box).to_have_count(0)


@pytest.mark.parametrize("name", ["", "gallery", "compare", "jobs"])
def test_nothing_is_too_small_for_a_finger_or_sticks_out_of_a_phone(
    view: CardPage, name: str
) -> None:
    if name == "compare":
        compare(view)
    elif name == "gallery":
        open_(view, name, gallery(done(view, 1), done(view, 2), card(job_id="video_3"), pages=2))
        button(view.part("gallery"), "Play all in sync").tap()
    elif name == "jobs":
        open_(view, name, listed())
        view.part("jobs-play").first.tap()
    else:
        open_(view, name, done(view, prompt="A comet crosses a violet night sky. " * 9))
        view.wait_playable("numbered")
        view.page.get_by_title("More", exact=True).tap()
        expect(view.page.locator(":popover-open")).to_be_visible()
    assert view.page.evaluate(TOO_SMALL, LEAST_PX) == []
    assert view.page.evaluate(ENLARGED) == 0
    assert view.page.evaluate("[scrollX, innerWidth, document.documentElement.scrollWidth]") == [
        0,
        PHONE["width"],
        PHONE["width"],
    ]


@pytest.mark.parametrize("width", [300, 390, 470, 660, 740])
def test_what_one_thinks_of_two_takes_has_room_at_any_width(view: CardPage, width: int) -> None:
    view.page.set_viewport_size({"width": width, "height": 844})
    compare(view)
    for verdict in view.part("compare-verdict").all():
        assert verdict.evaluate("(node) => node.scrollWidth <= node.clientWidth")


@pytest.mark.parametrize("width", [740, 780, 900])
def test_the_columns_of_the_list_have_room_on_a_tablet(view: CardPage, width: int) -> None:
    view.page.set_viewport_size({"width": width, "height": 844})
    open_(view, "jobs", listed())
    scroller = view.part("jobs-scroller")
    assert scroller.evaluate("(node) => node.scrollWidth - node.clientWidth") == 0
    if width > 760:  # no hand is ever over a heading to see that it sorts
        expect(view.part("jobs-unsorted").first).to_have_css("opacity", "0.6")


def test_a_finger_moves_the_line_and_one_that_scrolls_the_page_does_not(view: CardPage) -> None:
    fingers = compare(view)
    button(view.part("compare"), "Wipe").tap()
    line = view.page.get_by_role("slider", name="Line between the takes")
    stage = view.part("compare-stage").bounding_box()
    assert stage
    left, width, middle = stage["x"], stage["width"], stage["y"] + stage["height"] / 2
    begun = scrolled_px(view)
    drag(fingers, ((left + width / 2, middle), (left + width / 4, middle - 80)))
    expect(line).to_have_attribute("aria-valuenow", "25")
    view.page.touchscreen.tap(left + width * 0.75, middle)
    expect(line).to_have_attribute("aria-valuenow", "75")
    assert scrolled_px(view) == begun
    drag(fingers, ((left + 40, middle), (left + 40, middle - 150)))
    view.page.wait_for_function(f"scrollY > {begun} + 100")
    expect(line).to_have_attribute("aria-valuenow", "75")


def test_the_picture_at_its_actual_size_follows_one_finger_in_a_page_that_is_zoomed(
    view: CardPage,
) -> None:
    view.page.set_viewport_size({"width": 300, "height": 844})
    fingers = compare(view)
    button(view.part("compare"), "Wipe").tap()
    button(view.part("compare"), "Actual size, 1:1").tap()
    stage = view.part("compare-stage").bounding_box()
    assert stage
    x, y = stage["x"] + 40, stage["y"] + 20
    place = "document.querySelector('.cometvid-compare video').getBoundingClientRect().x"
    begun = view.page.evaluate(place)
    drag(fingers, ((x, y), (x + 8, y)), ((x + 100, y + 40), (x + 108, y + 40)))
    assert view.page.evaluate(place) == pytest.approx(begun + 8, abs=0.5)
    fingers.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
    drag(fingers, ((x, y), (x - 16, y)))
    assert view.page.evaluate(place) == pytest.approx(begun - 8, abs=0.5)
