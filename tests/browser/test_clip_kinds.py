"""Real clips of every kind on the card in a real Chromium: played, shown, or explained."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.card_page import CardPage, card, clip

PLAYED = ["h264/128x72.mp4", "mov/128x72.mov", "webm/128x72.webm", "av1/128x72.mp4"]
SAVED = {"saved_to": "videos/video_abc123.mp4"}


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"reduced_motion": "no-preference"}


@pytest.fixture
def view(view: CardPage) -> CardPage:
    """A page with a card whose job runs, and a line beneath it."""
    view.open()
    view.page.evaluate(
        "() => { window.glides = []; const animate = Element.prototype.animate;"
        " Element.prototype.animate = function (frames, options) {"
        "   glides.push(frames.map((frame) => parseFloat(frame.height)));"
        "   return animate.call(this, frames, options); }; }"
    )
    view.show(card(), files=f"{view.site.url}/made/")
    return view


def become(view: CardPage, shown: dict[str, Any], **changes: Any) -> None:
    view.change(card("completed", clip=shown, **changes))


@pytest.mark.parametrize("path", PLAYED)
def test_what_this_browser_plays_is_played(view: CardPage, path: str) -> None:
    become(view, clip(path=path, **SAVED))
    view.wait_playable(path)


@pytest.mark.parametrize(
    ("path", "codec"),
    [("hevc/128x72.mp4", "HEVC (H.265)"), ("prores/128x72.mov", "Apple ProRes")],
)
def test_a_codec_without_a_decoder_is_named_in_place_of_a_dead_player(
    view: CardPage, path: str, codec: str
) -> None:
    become(view, clip(path=path, codec=codec, **SAVED))
    expect(view.part("message-text")).to_have_text(f"This browser does not play {codec}.")
    expect(view.video).to_be_hidden()
    expect(view.part("retry")).to_be_hidden()
    assert [sent for sent in view.sent() if sent["kind"] == "fetch_clip"] == [], (
        "the bytes are here: the kernel's would be the same"
    )
    become(view, clip(path=path, codec=codec, **SAVED), problem="Another change.")
    expect(view.part("message-text")).to_have_text(f"This browser does not play {codec}.")


def test_a_codec_that_this_browser_plays_after_all_is_played(view: CardPage) -> None:
    become(view, clip(path="h264-4:4:4/128x72.mp4", codec="H.264 High 4:4:4", **SAVED))
    view.wait_playable("h264-4")


def test_a_gif_is_shown_as_the_picture_it_is(view: CardPage) -> None:
    become(view, clip(path="gif/128x72.gif", is_image=True, **SAVED))
    image = view.page.locator(".cometvid-card img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 128)
    expect(image).to_have_attribute("alt", "Clip of video_abc123")
    expect(view.video).to_be_hidden()


def test_a_gif_through_the_kernel_is_known_by_its_bytes(view: CardPage) -> None:
    become(view, clip())
    request = view.wait_for_request()
    view.page.evaluate("([r]) => model.relay(r, '/made/gif/128x72.gif', 20000)", [request])
    image = view.page.locator(".cometvid-card img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 128)
    expect(view.part("place")).to_contain_text("came through the kernel")


@pytest.mark.parametrize(
    ("path", "ratio"), [("h264/72x128.mp4", 16 / 9), ("h264/128x72.mp4", 9 / 16)]
)
def test_a_clip_of_another_shape_than_asked_for_takes_its_own(
    view: CardPage, path: str, ratio: float
) -> None:
    view.change(card(aspect_ratio=ratio))
    before_px = view.part("layout").bounding_box()
    become(view, clip(path=path, **SAVED), aspect_ratio=ratio)
    view.wait_playable(path)
    shown = view.page.evaluate(
        "(() => { const v = document.querySelector('.cometvid-card video');"
        " const box = v.getBoundingClientRect();"
        " return [v.videoWidth / v.videoHeight, box.width / box.height]; })()"
    )
    assert shown[1] == pytest.approx(shown[0], rel=0.02), "no bars, and nothing is cut"
    assert before_px is not None
    [glide] = view.page.evaluate("glides")
    assert glide[0] == pytest.approx(before_px["height"], abs=1), "it begins where it was"
    become(view, clip(path=path, **SAVED), aspect_ratio=shown[0])
    assert len(view.page.evaluate("glides")) == 1, "the kernel tells the same, a little later"


def test_every_clip_of_a_job_can_be_chosen(view: CardPage) -> None:
    others = [
        clip(path="webm/128x72.webm", saved_to="videos/b.webm", number=1),
        clip(path="gif/128x72.gif", saved_to="videos/c.gif", number=2, is_image=True),
    ]
    become(view, clip(path="h264/128x72.mp4", number=0, others=others, **SAVED))
    view.wait_playable("h264")
    expect(view.part("place")).to_have_text(
        "Saved to videos/video_abc123.mp4, videos/b.webm, videos/c.gif"
    )
    second = view.page.get_by_role("button", name="Clip 2 of 3")
    second.click()
    view.wait_playable("webm")
    expect(second).to_have_attribute("aria-pressed", "true")
    view.page.get_by_role("button", name="Clip 3 of 3").click()
    expect(view.page.locator(".cometvid-card img")).to_be_visible()
    view.page.get_by_role("button", name="Clip 1 of 3").click()
    view.wait_playable("h264")
    expect(view.page.locator(".cometvid-card img")).to_be_hidden()


def test_the_kernel_is_asked_for_the_clip_that_was_chosen(view: CardPage) -> None:
    become(view, clip(number=0, others=[clip(number=1)]))
    view.wait_for_request()
    view.page.get_by_role("button", name="Clip 2 of 2").click()
    view.page.wait_for_function(
        "model.sent.filter((m) => m.kind === 'fetch_clip').at(-1)?.number === 1"
    )


def test_a_single_clip_has_no_buttons_to_choose(view: CardPage) -> None:
    become(view, clip(path="h264/128x72.mp4", **SAVED))
    view.wait_playable("h264")
    expect(view.part("outputs")).to_be_hidden()
