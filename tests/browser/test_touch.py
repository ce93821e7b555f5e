"""Cards, galleries and lists under a finger, in a page as narrow as a phone's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.card_page import CardPage, Site, card, clip

PHONE = {"width": 390, "height": 844}
LIKE_LAB = """() => {
    const content = "width=device-width, initial-scale=1";
    const node = document.createElement("meta");
    document.head.append(Object.assign(node, { name: "viewport", content }));
    document.body.style.minHeight = "3000px";
}"""
"""The page of a phone, as JupyterLab asks for it, with somewhere to scroll to."""


@pytest.fixture
def view(browser: Browser, site: Site) -> Iterator[CardPage]:
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    )
    view = CardPage(context.new_page(), site)
    view.page.set_default_timeout(10_000)
    yield view
    context.close()
    assert view.errors == []


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
    expect(box).to_have_count(0)
