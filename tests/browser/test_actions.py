"""The row beneath a clip: what one thinks of it, how it plays, and what can be done with it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from cometvid_nb.cards.card import Card, Phase
from cometvid_nb.cards.card_html import card_to_bundle
from cometvid_nb.cards.clip import Clip
from tests.browser.card_page import CardPage, card, clip, gallery
from tests.browser.notebook_page import Album

LANDSCAPE = "landscape.mp4"
KEPT: dict[str, Any] = {"stars": None, "flag": None, "tags": [], "note": None}


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"permissions": ["clipboard-read", "clipboard-write"]}


def done(view: CardPage, number: int = 1, **changes: Any) -> dict[str, Any]:
    job_id = f"video_{number}"
    place = f"videos/{job_id}.mp4"
    shown = clip(f"{view.site.url}/clips/{LANDSCAPE}", saved_to=place, place=place)
    return card("completed", job_id=job_id, typed_id=job_id, clip=shown, **changes)


def rated(**changes: Any) -> dict[str, Any]:
    return KEPT | changes


def button(place: Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name)


def show(view: CardPage, **changes: Any) -> Locator:
    """One finished card, ready to play."""
    view.open()
    view.show(done(view, **changes))
    view.wait_playable(LANDSCAPE)
    return view.part("card")


def test_the_row_is_the_same_on_a_card_and_a_tile_and_of_one_line_at_any_width(
    view: CardPage, album: Album
) -> None:
    for width in (320, 480, 720):
        view.page.set_viewport_size({"width": width, "height": 900})
        place = show(view, rating=rated(stars=4, flag="picked", tags=["sky"], note="Good."))
        row = view.part("actions-row").bounding_box()
        assert row is not None
        assert row["height"] <= 30
        for name in ("Pick (P)", "Reject (X)", "Download"):
            expect(button(place, name)).to_be_visible()
        button(place, "More").click()
        for name in ("Copy path", "Open in a tab", "Remix …", "Continue …"):
            expect(button(place, name)).to_be_visible()
        expect(button(place, "One frame on")).to_be_visible()
        album.take(f"actions-{width}", view.page)
        view.page.keyboard.press("Escape")
        expect(button(place, "Copy path")).to_be_hidden()
        expect(button(place, "More")).to_be_focused()
    view.open(name="gallery")
    view.show(gallery(done(view, 1), done(view, 2)))
    place = view.part("tile").first
    button(place, "More").click()
    for name in ("Download", "Copy path", "Remix …", "Continue …", "Full screen", "Play it again"):
        expect(button(place, name)).to_be_visible()


BESIDE = """(box) => {
    const opener = [...document.querySelectorAll("[aria-expanded=true]")]
        .find((node) => node.popoverTargetElement === box)?.getBoundingClientRect();
    if (!opener) return false; // not yet
    const { left, right, top, bottom } = box.getBoundingClientRect();
    return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight
        && left < opener.right && right > opener.left
        && Math.min(Math.abs(top - opener.bottom), Math.abs(opener.top - bottom)) < 7;
}"""
"""Whether a box touches the button that has opened it, and is all in the window."""


def test_a_box_opens_beside_its_button_wherever_that_stands(view: CardPage) -> None:
    view.open(name="gallery")
    beneath_the_bar = ".cometvid-actions-row { scroll-margin-top: 150px }"
    view.page.add_style_tag(content="#output { padding: 300px 0 900px }" + beneath_the_bar)
    view.show(gallery(*(done(view, number) for number in range(1, 7))))
    box = view.page.locator(":popover-open")
    for place in (view.part("tile").first, view.part("tile").nth(2), view.part("tile").last):
        for scroll in ("start", "end"):  # at the upper edge of the window, and at the lower
            place.locator(".cometvid-actions-row").evaluate(
                "(row, block) => row.scrollIntoView({ block })", scroll
            )
            for name in ("Stars, tags and a note", "More"):
                opener = button(place, name)
                opener.focus()
                view.page.keyboard.press("Enter")
                expect(box).to_be_visible()
                view.page.wait_for_function(f"({BESIDE})(document.querySelector(':popover-open'))")
                view.page.keyboard.press("Escape")
                expect(opener).to_be_focused()
                expect(opener).to_have_attribute("aria-expanded", "false")
    for width, name in ((720, "Tags and a note"), (400, "Stars, tags and a note")):
        view.page.set_viewport_size({"width": width, "height": 900})
        place = show(view)
        button(place, name).click()
        expect(box).to_be_visible()
        view.page.wait_for_function(f"({BESIDE})(document.querySelector(':popover-open'))")
        assert view.page.locator("[aria-haspopup][aria-expanded=true]").count() == 1
        view.page.keyboard.press("Escape")
        expect(button(place, name)).to_be_focused()


def test_stars_flag_tags_and_note_are_shown_at_once_and_sent_whole(view: CardPage) -> None:
    place = show(view)
    button(place, "4 stars").click()
    assert view.sent()[-1] == {"kind": "rate", "job_id": "video_1", "rating": rated(stars=4)}
    expect(button(place, "4 stars")).to_have_attribute("aria-pressed", "true")
    button(place, "Pick").click()
    both = rated(stars=4, flag="picked")
    assert view.sent()[-1]["rating"] == both
    # A card on its way when the button was pressed does not take it back, the kernel's word does.
    view.change(done(view, note="A quiet sentence."))
    expect(button(place, "Pick")).to_have_attribute("aria-pressed", "true")
    view.change(done(view, rating=both))
    view.change(done(view, rating=rated(flag="rejected")))
    expect(button(place, "Reject")).to_have_attribute("aria-pressed", "true")
    expect(button(place, "4 stars")).to_have_attribute("aria-pressed", "false")
    button(place, "Tags and a note").click()
    place.get_by_role("textbox", name="Tags").fill("#sky,  night ,sky")
    place.get_by_role("textbox", name="Note").fill("The best <b>of</b> them")
    view.page.keyboard.press("Enter")
    wanted = rated(flag="rejected", tags=["sky", "night"], note="The best <b>of</b> them")
    assert view.sent()[-1]["rating"] == wanted
    expect(view.part("tag")).to_have_text(["#sky", "#night"])
    expect(view.part("rating-note")).to_have_text("The best <b>of</b> them")


def test_tags_and_a_note_are_seen_on_a_tile_and_named_by_the_button_that_changes_them(
    view: CardPage,
) -> None:
    view.open(name="gallery")
    given = rated(stars=3, tags=["hero", "<b>sky"], note="The best,\nso far.")
    view.show(gallery(done(view, 1, rating=given), done(view, 2)))
    first, second = view.part("tile").all()
    words = "(3 of 5 stars, tags: hero, <b>sky, note: “The best, so far.”)"
    expect(button(first, "Stars, tags and a note")).to_have_attribute(
        "title", f"Stars, tags and a note {words}"
    )
    expect(first.get_by_text("#hero · #<b>sky · “The best, so far.”")).to_be_visible()
    expect(button(second, "Stars, tags and a note")).to_have_attribute(
        "title", "Stars, tags and a note"
    )
    place = show(view, rating=given | {"tags": ["hero"]})
    expect(button(place, "Tags and a note")).to_have_attribute(
        "title", "Tags and a note (tag: hero, note: “The best, so far.”)"
    )


@pytest.mark.parametrize("kind", ["card", "gallery"])
def test_a_key_rates_wherever_the_focus_is_and_the_same_key_takes_it_back(
    view: CardPage, kind: str
) -> None:
    if kind == "card":
        show(view)
        view.video.focus()
    else:
        view.open(name="gallery")
        view.show(gallery(done(view, 1), done(view, 2)))
        view.part("title").first.focus()
    expected = []
    for key, rating in (
        ("3", rated(stars=3)),
        ("p", rated(stars=3, flag="picked")),
        ("p", rated(stars=3)),
        ("5", rated(stars=5)),
        ("0", rated()),
        ("2", rated(stars=2)),
        ("2", rated()),
    ):
        view.page.keyboard.press(key)
        expected.append({"kind": "rate", "job_id": "video_1", "rating": rating})
    assert view.sent() == expected
    view.page.keyboard.press("Control+p")  # prints the page
    assert view.sent() == expected


def test_a_key_rates_the_take_that_is_open_or_was_clicked_last_which_is_outlined(
    view: CardPage,
) -> None:
    view.open(name="gallery")
    view.show(gallery(*(done(view, number) for number in (1, 2, 3))))
    tiles, panel = view.part("tile"), view.part("panel")
    outlined = ".cometvid-tile:focus-within, .cometvid-panel:focus-within"
    expected = []

    def expect_rated(key: str, number: int) -> None:
        view.page.keyboard.press(key)
        expected.append((f"video_{number}", int(key)))
        rated_now = [
            (one["job_id"], one["rating"]["stars"]) for one in view.sent() if one["kind"] == "rate"
        ]
        assert rated_now == expected
        place = view.page.locator(outlined)
        expect(place).to_have_css("outline-style", "solid")
        expect(place).to_contain_text(f"video_{number}")

    tiles.nth(1).get_by_text("Completed").click()
    expect_rated("4", 2)
    view.part("title").first.click()
    expect(button(panel, "Close")).to_be_focused()
    expect_rated("5", 1)
    panel.get_by_text("A comet crosses").click()
    expect_rated("3", 1)
    panel.locator("video").focus()
    expect_rated("2", 1)
    tiles.nth(2).get_by_text("Completed").click()  # another one, with the first still open
    expect_rated("1", 3)


def test_rejected_takes_fold_away_are_counted_and_do_not_play_with_the_others(
    view: CardPage,
) -> None:
    view.open(name="gallery")
    view.show(gallery(*(done(view, n) for n in (1, 2, 3)), card("failed", job_id="video_4")))
    tiles = view.part("tile")
    view.part("title").first.focus()
    view.page.keyboard.press("x")
    expect(tiles.first).to_be_hidden()
    expect(view.part("fold")).to_have_text("1 rejected take folded away, 3 of 4 shown show")
    expect(view.page.get_by_title("All are counted, also those that are folded")).to_be_visible()
    expect(view.part("title").nth(1)).to_be_focused()
    expect(view.part("heading")).to_have_text("4 jobs")
    button(view.part("gallery"), "Play all in sync").click()
    playing = "[...document.querySelectorAll('video')].filter((v) => !v.paused).length"
    view.page.wait_for_function(f"{playing} === 2")
    button(tiles.nth(1), "Reject").click()
    expect(view.part("fold")).to_contain_text("2 rejected takes")
    view.page.wait_for_function(f"{playing} === 1")
    button(view.part("gallery"), "show").click()
    expect(tiles.first).to_be_visible()
    button(tiles.first, "Reject").click()
    expect(view.part("fold")).to_have_text("1 rejected take hide")
    button(view.part("gallery"), "hide").click()
    expect(tiles.first).to_be_visible()
    expect(tiles.nth(1)).to_be_hidden()


def test_what_takes_several_clips_is_off_while_all_of_them_are_folded_away(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(*(done(view, n) for n in (1, 2, 3))))
    whole = view.part("gallery")
    button(whole, "Play all in sync").click()
    together = (whole.locator(".cometvid-sync-play"), button(whole, "Compare two takes"))
    for _ in range(3):
        expect(together[1]).to_have_attribute("aria-disabled", "false")
        view.page.locator(".cometvid-reject:visible").first.click()
    for one in together:
        expect(one).to_have_attribute("aria-disabled", "true")
        expect(one).to_have_attribute("title", re.compile("as soon as two clips are shown$"))
        one.click(force=True)
    expect(view.part("sync-controls")).to_be_hidden()
    expect(view.part("compare")).to_have_count(0)
    button(view.part("fold"), "show").click()
    for one in together:
        expect(one).to_have_attribute("aria-disabled", "false")


def test_without_a_kernel_the_buttons_say_so_and_give_the_command(view: CardPage) -> None:
    place = show(view)
    view.fire("comm:close")
    button(place, "4 stars").click()
    expect(place.get_by_text("No kernel runs here.")).to_be_visible()
    expect(place.get_by_text("%cometvid rate video_1 --clear --stars 4")).to_be_visible()
    expect(button(place, "4 stars")).to_have_attribute("aria-pressed", "false")
    button(place, "Copy").click()
    copied = "navigator.clipboard.readText()"
    assert view.page.evaluate(copied) == "%cometvid rate video_1 --clear --stars 4"
    assert view.sent() == []


def test_path_remix_and_continue_go_to_the_clipboard_or_are_left_selected(view: CardPage) -> None:
    place = show(view)
    button(place, "More").click()
    for name, text in (
        ("Copy path", "videos/video_1.mp4"),
        ("Remix …", '%cometvid remix video_1 ""'),
        ("Continue …", '%cometvid continue video_1 ""'),
    ):
        button(place, name).click()
        expect(place.get_by_text("Copied.")).to_be_visible()
        assert view.page.evaluate("navigator.clipboard.readText()") == text
    refuse = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
    view.page.evaluate(refuse)
    button(place, "Remix …").click()
    expect(place.get_by_text("The clipboard is closed to this page.")).to_be_visible()
    assert view.page.evaluate("String(getSelection())") == '%cometvid remix video_1 ""'


def test_a_clip_is_downloaded_under_its_name_from_wherever_it_plays(view: CardPage) -> None:
    place = show(view)
    with view.page.expect_download() as download:
        button(place, "Download").click()
    assert download.value.suggested_filename == "video_1.mp4"
    view.open(name="gallery")
    view.show(gallery(done(view, 1) | {"job_id": "a b/c", "clip": clip(None)}, done(view, 2)))
    tile = view.part("tile").first
    button(tile, "More").click()
    with view.page.expect_download() as download:
        button(tile, "Download").click()  # of a tile that nobody has played
        view.relay(LANDSCAPE)
    assert download.value.suggested_filename == "a-b-c.mp4"
    assert download.value.path().stat().st_size == view_size(LANDSCAPE)


def view_size(name: str) -> int:
    from cometvid_nb.simulator.clips import MEDIA

    return (MEDIA / name).stat().st_size


def test_loop_speed_and_frames_act_on_the_clip(view: CardPage) -> None:
    place = show(view)
    state = "(v) => [v.loop, v.playbackRate, v.muted, Math.round(v.currentTime * 24)]"
    assert view.video.evaluate(state) == [True, 1, True, 0]
    button(place, "Play it again").click()
    place.get_by_label("Speed").select_option("0.5")
    button(place, "One frame on").click()
    button(place, "One frame on").click()
    button(place, "One frame back").click()
    assert view.video.evaluate(state) == [False, 0.5, True, 1]
    view.video.evaluate("(v) => v.dispatchEvent(new Event('error'))")  # another source
    view.change(done(view))
    view.page.wait_for_function("document.querySelector('video').playbackRate === 0.5")


def test_sound_is_off_until_asked_for_and_then_on_for_the_page(view: CardPage) -> None:
    view.open()
    sounding = clip(f"{view.site.url}/made/heard/64x48.mp4")
    for number in (1, 2):
        view.show(done(view, number) | {"clip": sounding})
    videos = view.page.locator("video")
    expect(videos).to_have_count(2)
    videos.first.evaluate("(v) => v.play()")
    button(view.part("card").first, "Sound on").click()
    assert videos.first.evaluate("(v) => v.muted") is False
    videos.last.evaluate("(v) => v.play()")
    expect(videos.last).to_have_js_property("muted", False)
    expect(button(view.part("card").last, "Sound on")).to_be_hidden()


def test_the_settled_record_gets_the_row_while_the_page_has_its_kernel(view: CardPage) -> None:
    shown = Card(
        Phase.COMPLETED,
        "video_1",
        "Completed",
        clip=Clip(f"{view.site.url}/clips/{LANDSCAPE}", None, None, None),
        typed_id="video_1",
    )
    put = """(html) => document.querySelector("#output")
        .append(document.createRange().createContextualFragment(`<div>${html}</div>`))"""
    view.open()
    view.page.evaluate(put, card_to_bundle(shown)["text/html"])
    place = view.page.locator(".cometvid-record")
    expect(place.get_by_text("Go on …")).to_be_visible()
    greet = "(card) => { window.model = new Model(card); widget.initialize({ model }); }"
    view.page.evaluate(greet, done(view))
    expect(place.get_by_text("Go on …")).to_be_hidden()
    place.locator("video").focus()
    view.page.keyboard.press("4")
    assert view.sent()[-1]["rating"] == rated(stars=4)
    button(place, "Pick").click()
    # The kernel draws the record anew: it goes on, with the focus where it was.
    place.locator("video").evaluate("(v) => { v.currentTime = 1.5; }")
    place.evaluate("(node) => node.parentElement.remove()")
    view.page.evaluate(put, card_to_bundle(shown)["text/html"])
    expect(button(place, "Pick")).to_be_focused()
    expect(place.locator("video")).to_have_js_property("currentTime", 1.5)
    view.emit("disposed")
    expect(place.get_by_text("Go on …")).to_be_visible()
