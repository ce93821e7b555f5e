"""Two takes in one view: what the screen shows, and what hands do there."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.card_page import CardPage, card, clip, gallery
from tests.clips.made import number_in

COLOURS = ("c02020", "2040c0", "20a040")
RED, BLUE = (192, 32, 32), (32, 64, 192)
PLAYING = "[...document.querySelectorAll('.cometvid-compare video')].every((v) => !v.paused)"
STILL = (
    "[...document.querySelectorAll('.cometvid-compare video')]"
    ".every((v) => v.paused && !v.seeking && v.readyState >= 2)"
)
TWICE_DRAWN = (
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
)


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 900, "height": 800}}


@pytest.fixture
def view(view: CardPage) -> CardPage:
    """A gallery of three takes, two of which are compared."""
    view.open(name="gallery")
    cards = [
        card(
            "completed",
            job_id=f"video_{number}",
            take=number + 1,
            clip=clip(f"{view.site.url}/numbered/{colour}.mp4"),
        )
        for number, colour in enumerate(COLOURS)
    ]
    again = {**cards[0], "job_id": "video_4", "take": 4}
    view.show(gallery(*cards, card("running", job_id="video_9"), again))
    button(view, "Compare two takes").click()
    view.page.wait_for_function(STILL)
    return view


def button(view: CardPage, name: str) -> Locator:
    return view.page.get_by_role("button", name=name, exact=True)


def seen(view: CardPage) -> Image.Image:
    """The page as it stands on the screen, all of it at one moment."""
    return Image.open(io.BytesIO(view.page.screenshot())).convert("RGB")


def boxes(view: CardPage) -> list[tuple[float, float, float, float]]:
    """Where the pictures of both takes stand: left, top, right, bottom."""
    found = view.page.locator(".cometvid-compare video")
    rects = [found.nth(place).bounding_box() for place in range(2)]
    return [
        (rect["x"], rect["y"], rect["x"] + rect["width"], rect["y"] + rect["height"])
        for rect in rects
        if rect
    ]


def numbers(view: CardPage) -> tuple[int, int]:
    """The frames that both takes show side by side."""
    picture = seen(view)
    one, other = (number_in(picture.crop(box)) for box in boxes(view))
    return one, other


def numbers_at_rest(view: CardPage, wanted: tuple[int, int] | None = None) -> tuple[int, int]:
    """The frames that both takes show when they stand still: those `wanted`, or else the same one.

    A frame is on the screen some time after its video has sought it: a few looks are needed.
    """
    wait_still(view)
    before = None
    for _ in range(40):
        found = numbers(view)
        if found == wanted or (wanted is None and found == before and found[0] == found[1]):
            break
        before = found
    return numbers(view)


def colour_at(view: CardPage, ratio: float, picture: Image.Image | None = None) -> object:
    """The colour in the upper half of the pictures, `ratio` of the way from left to right."""
    left, top, right, bottom = boxes(view)[0]
    place = (round(left + ratio * (right - left)), round(top + (bottom - top) * 0.3))
    return (picture or seen(view)).getpixel(place)


def is_near(colour: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(one - other) < 24 for one, other in zip(colour, wanted, strict=True))


def wait_still(view: CardPage) -> None:
    view.page.wait_for_function(STILL)
    view.page.wait_for_function(TWICE_DRAWN)


def test_both_takes_show_the_same_frame_while_they_play_and_after_each_step(
    view: CardPage,
) -> None:
    button(view, "Play both").click()
    view.page.wait_for_function(PLAYING)
    pairs = [numbers(view) for _ in range(9)]
    apart = sorted(abs(one - other) for one, other in pairs)
    assert len({one for one, _ in pairs}) > 3  # it plays
    assert apart[6] <= 1, pairs  # a busy machine may hold one back for a moment
    button(view, "Pause both").click()
    one, other = numbers_at_rest(view)
    assert one == other
    button(view, "One frame on").click()
    assert numbers_at_rest(view, (one + 1, one + 1)) == (one + 1, one + 1)
    view.page.keyboard.press(",")
    assert numbers_at_rest(view, (one, one)) == (one, one)
    view.page.locator(".cometvid-compare input[type=range]").press("End")
    last, _ = numbers_at_rest(view)
    button(view, "One frame back").click()
    assert numbers_at_rest(view, (last - 1, last - 1)) == (last - 1, last - 1)


def test_the_line_parts_the_takes_and_moves_by_keys_and_by_hand(view: CardPage) -> None:
    button(view, "Wipe").click()
    line = view.page.get_by_role("slider", name="Line between the takes")
    expect(line).to_have_attribute("aria-valuenow", "50")
    picture = seen(view)
    assert is_near(colour_at(view, 0.4, picture), RED)
    assert is_near(colour_at(view, 0.6, picture), BLUE)
    line.press("ArrowLeft")
    expect(line).to_have_attribute("aria-valuenow", "48")
    line.press("Home")
    assert is_near(colour_at(view, 0.1), BLUE)
    line.press("End")
    assert is_near(colour_at(view, 0.9), RED)
    left, top, right, bottom = boxes(view)[0]
    middle = (top + bottom) / 2
    view.page.mouse.move(right - 2, middle)
    view.page.mouse.down()
    view.page.mouse.move(left + 0.25 * (right - left), middle, steps=4)
    view.page.mouse.up()
    expect(line).to_have_attribute("aria-valuenow", "25")
    picture = seen(view)
    assert is_near(colour_at(view, 0.2, picture), RED)
    assert is_near(colour_at(view, 0.3, picture), BLUE)
    view.page.mouse.move(right - 2, middle)  # the hand has let go
    expect(line).to_have_attribute("aria-valuenow", "25")


def test_a_blink_shows_one_and_then_the_other(view: CardPage) -> None:
    button(view, "Blink").click()
    for place in (1, 0, 1):
        away = view.part(f"compare-{'ab'[1 - place]}")
        expect(away).to_have_css("opacity", "0")
        expect(view.part(f"compare-{'ab'[place]}")).to_have_css("opacity", "1")
    button(view, "Side by side").click()
    expect(view.part("compare-a")).to_have_css("opacity", "1")
    expect(view.part("compare-b")).to_have_css("opacity", "1")


def test_the_difference_of_equal_pictures_is_black_and_says_so(view: CardPage) -> None:
    button(view, "Difference").click()
    assert is_near(colour_at(view, 0.5), (160, 32, 160))
    told = view.part("compare-told")
    expect(told).to_be_hidden()
    options = view.page.get_by_label("Take B", exact=True).locator("option")
    offered = [option.get_attribute("value") for option in options.all()]
    assert offered == ["video_1", "video_2", "video_4"], "not the take that stands beside it"
    view.page.get_by_label("Take B", exact=True).select_option("video_4")  # as red as the first
    wait_still(view)
    assert is_near(colour_at(view, 0.5), (0, 0, 0))
    expect(told).to_have_text("The same picture")
    view.page.get_by_label("Take B", exact=True).select_option("video_2")
    wait_still(view)
    expect(told).to_be_hidden()
    assert is_near(colour_at(view, 0.5), (160, 128, 32))
    button(view, "Four times as bright").click()
    assert is_near(colour_at(view, 0.5), (255, 255, 128))


def test_actual_size_is_a_pixel_for_a_pixel_and_is_moved_by_hand(view: CardPage) -> None:
    view.page.set_viewport_size({"width": 300, "height": 800})
    button(view, "Wipe").click()
    button(view, "Actual size, 1:1").click()
    (left, top, right, bottom), other = boxes(view)
    assert (right - left, bottom - top) == (320, 180)
    assert other == (left, top, right, bottom)
    stage = view.part("compare-stage").bounding_box()
    assert stage
    view.page.mouse.move(stage["x"] + 40, stage["y"] + 30)
    view.page.mouse.down()
    view.page.mouse.move(stage["x"] + 1000, stage["y"] + 30, steps=3)
    view.page.mouse.up()
    moved = boxes(view)[0]
    assert moved[0] == pytest.approx(stage["x"], abs=1)  # no further than its own edge
    assert boxes(view)[1] == moved
    view.part("compare-stage").press("ArrowRight")
    assert boxes(view)[0][0] == pytest.approx(max(moved[0] - 32, stage["x"] + stage["width"] - 320))
    button(view, "Actual size, 1:1").click()
    assert boxes(view)[0][2] - boxes(view)[0][0] == pytest.approx(stage["width"], abs=1)


def test_escape_leads_back_to_the_gallery_which_keeps_the_pair(view: CardPage) -> None:
    expect(view.part("grid")).to_be_hidden()
    assert view.sent()[-1] == {"kind": "use", "is_used": True}
    view.page.get_by_label("Take A", exact=True).select_option("video_2")
    button(view, "Change places").click()
    view.page.keyboard.press("Escape")
    expect(view.part("grid")).to_be_visible()
    expect(button(view, "Compare two takes")).to_be_focused()
    assert view.page.locator("video").count() == 0
    assert view.sent()[-1] == {"kind": "use", "is_used": False}
    view.page.keyboard.press("Enter")
    expect(view.page.get_by_label("Take A", exact=True)).to_have_value("video_1")
    expect(view.page.get_by_label("Take B", exact=True)).to_have_value("video_2")
    assert view.violations("#output") == []


def test_a_key_rates_the_take_that_a_hand_was_at_last(view: CardPage) -> None:
    view.part("compare").click(position={"x": 1, "y": 1})  # beside everything
    view.page.keyboard.press("4")
    view.part("compare-b").hover()
    view.page.keyboard.press("x")
    view.page.get_by_role("group", name="A", exact=True).get_by_title("Pick (P)").click()
    sent = [message for message in view.sent() if message["kind"] == "rate"]
    assert [(message["job_id"], message["rating"]["stars"]) for message in sent] == [
        ("video_0", 4),
        ("video_1", None),
        ("video_0", 4),
    ]
    assert [message["rating"]["flag"] for message in sent] == [None, "rejected", "picked"]
    pressed = view.part("compare-head").locator("[aria-pressed=true]")
    titles = [pressed.nth(place).get_attribute("title") for place in range(pressed.count())]
    assert titles == ["4 stars (4)", "Pick (P)", "Reject (X)", "Side by side"]


def test_two_clips_are_needed(view: CardPage) -> None:
    view.page.keyboard.press("Escape")
    view.change(gallery(card("running", job_id="video_1"), card("running", job_id="video_2")))
    lone = button(view, "Compare two takes")
    expect(lone).to_have_attribute("aria-disabled", "true")
    lone.click(force=True)
    assert view.part("compare").count() == 0
