"""Card, gallery and static records for everybody: axe, keyboard, zoom, directions, long texts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from cometvid_nb.cards.card import Card, Phase
from cometvid_nb.cards.card_html import card_to_bundle, card_to_html
from cometvid_nb.cards.clip import Clip
from cometvid_nb.cards.gallery import Gallery
from cometvid_nb.cards.gallery_html import gallery_to_html
from cometvid_nb.clips.places import Saving
from cometvid_nb.watching.state import WatchState
from tests.browser.card_page import CardPage, card, clip, gallery
from tests.browser.notebook_page import Album
from tests.browser.scenes import height

NOW_S = 1_800_000_000.0
RTL_PROMPT = "مذنب يعبر سماء الليل البنفسجية"
LONG_ID = "video_" + "0123456789abcdef" * 12
LONG_PROMPT = "a_word_without_an_end_" * 30 + RTL_PROMPT
RATIOS = {"landscape": 16 / 9, "square": 1.0, "portrait": 9 / 16}
FITS = "document.documentElement.scrollWidth <= innerWidth"


def picture(view: CardPage, album: Album, name: str) -> None:
    album.take(f"access-{name}", view.page, full_page=True)


def ended(view: CardPage, shape: str = "landscape", **changes: Any) -> Card:
    """A completed job whose clip is saved, as the record of it says."""
    path = f"{view.site.url}/clips/{shape}.mp4"
    facts: dict[str, Any] = {
        "phase": Phase.COMPLETED,
        "job_id": "video_abc123",
        "headline": "Completed",
        "facts": ("sora-2", "1280×720", "4 s"),
        "prompt": "A comet crosses a violet night sky.",
        "aspect_ratio": RATIOS[shape],
        "elapsed_from_s": NOW_S - 84,
        "elapsed_to_s": NOW_S,
        "clip": Clip(path, None, f"videos/{shape}.mp4", None),
    }
    return Card(**(facts | changes))


def records(view: CardPage) -> list[str]:
    """The static HTML of every phase, of a page that draws no widgets, and of a gallery."""
    trouble: dict[str, Any] = {
        "problem": "The API answered 502.",
        "advice": "Try again.",
        "command": "%cometvid x",
    }
    failed = [phase for phase in Phase if not phase.is_active and phase is not Phase.COMPLETED]
    cards = [
        Card(Phase.RUNNING, "video_1", "In progress", ("sora-2",), "A comet", 30.0),
        Card(Phase.STARTING, "video_2", "Asking the API"),
        *(Card(phase, "video_3", phase.value.capitalize(), **trouble) for phase in failed),
        *(ended(view, shape) for shape in RATIOS),
        ended(view, prompt=RTL_PROMPT, is_simulated=True),
        ended(view, job_id=LONG_ID, prompt=LONG_PROMPT, clip=None),
    ]
    states = [WatchState.begin(f"video_{n}", NOW_S, 600, is_simulated=True) for n in range(6)]
    return [*map(card_to_html, cards), gallery_to_html(Gallery(states), cards)]


def show_html(view: CardPage, html: str, theme: str) -> None:
    """As a notebook's page shows it, in the colours of its theme."""
    view.open()
    view.theme(theme)
    view.page.add_style_tag(content="body { color: var(--jp-content-font-color1) }")
    view.page.locator("#output").evaluate("(node, html) => { node.innerHTML = html; }", html)


def hostile_cards(view: CardPage) -> list[dict[str, Any]]:
    """Cards with every shape, direction and length that a prompt, an id or a clip can have."""
    playable = clip(f"{view.site.url}/clips/portrait.mp4")
    return [
        card("running", job_id=LONG_ID, prompt=LONG_PROMPT, facts=["m" * 80]),
        card(
            "failed", job_id="video_2", prompt=RTL_PROMPT, problem=LONG_PROMPT, command="%x " * 40
        ),
        card("completed", job_id="video_3", aspect_ratio=9 / 16, clip=playable),
        card("stopped", job_id="video_4", aspect_ratio=1, actions=["watch"], command="%cometvid x"),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_static_records(view: CardPage, album: Album, theme: str) -> None:
    show_html(view, "".join(records(view)), theme)
    assert view.violations(".cometvid-record") == []
    picture(view, album, f"records-{theme}")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("width", [280, 360, 720])
def test_nothing_sticks_out_of_a_narrow_page_or_one_zoomed_in(
    view: CardPage, album: Album, width: int, direction: str
) -> None:
    """At 200 % a page of 720 px has 360 to lay out."""
    view.page.set_viewport_size({"width": width, "height": 900})
    view.open()
    view.page.evaluate("(dir) => { document.documentElement.dir = dir; }", direction)
    for one in hostile_cards(view):
        view.show(one)
    assert view.page.evaluate(FITS)
    picture(view, album, f"cards-{width}-{direction}")
    show_html(view, "".join(records(view)), "light")
    view.page.evaluate("(dir) => { document.documentElement.dir = dir; }", direction)
    assert view.page.evaluate(FITS)
    picture(view, album, f"records-{width}-{direction}")
    view.open(name="gallery")
    view.page.evaluate("(dir) => { document.documentElement.dir = dir; }", direction)
    view.show(gallery(*hostile_cards(view)))
    for index in range(4):
        view.part("title").nth(index).click()
        assert view.page.evaluate(FITS)
    picture(view, album, f"gallery-{width}-{direction}")


def test_a_prompt_is_read_in_its_own_direction_and_an_id_in_ours(view: CardPage) -> None:
    view.open()
    view.page.evaluate("document.documentElement.dir = 'rtl'")
    view.show(card("running", prompt=RTL_PROMPT, job_id=LONG_ID))
    direction = "(node) => getComputedStyle(node).direction"
    assert view.part("prompt").evaluate(direction) == "rtl"
    assert view.part("id").evaluate(direction) == "ltr"
    assert view.part("elapsed").evaluate(direction) == "ltr"  # "1:24 elapsed", not "elapsed 1:24"
    show_html(view, card_to_html(ended(view, prompt=RTL_PROMPT)), "light")
    prompt = view.page.get_by_text(RTL_PROMPT)
    assert prompt.evaluate(direction) == "rtl"


CONTROLS = "button, select, input, a[href], video[controls]"
VISIBLE = f"[...document.querySelectorAll('{CONTROLS}')].filter((n) => n.checkVisibility())"


@pytest.mark.parametrize("kind", ["card", "gallery"])
def test_the_tab_key_reaches_everything_and_shows_where_it_is(view: CardPage, kind: str) -> None:
    view.open(name="" if kind == "card" else kind)
    cards = hostile_cards(view)
    if kind == "gallery":
        view.show(gallery(*cards, cards[2] | {"job_id": "video_5"}, pages=3, page=2))
    else:
        for one in cards:
            view.show(one)
    count = view.page.evaluate(f"{VISIBLE}.length")
    assert count >= 5
    view.page.evaluate("window.reached = new Set(); window.unseen = [];")
    for _ in range(4 * count + 40):
        view.page.keyboard.press("Tab")
        is_out = view.page.evaluate(
            """() => {
                const node = document.activeElement;
                if (node === document.body) return true;
                reached.add(node);
                const style = getComputedStyle(node);
                if (style.outlineStyle === "none" && style.boxShadow === "none"
                    && node.tagName !== "VIDEO") unseen.push(node.outerHTML.slice(0, 120));
                return false;
            }"""
        )
        if is_out:
            break
    missed = f"{VISIBLE}.filter((n) => !reached.has(n)).map((n) => n.outerHTML.slice(0, 120))"
    assert view.page.evaluate(missed) == []
    assert view.page.evaluate("unseen") == []


def test_nothing_in_a_gallery_moves_for_who_asked_for_calm(view: CardPage) -> None:
    view.page.emulate_media(reduced_motion="reduce")
    view.open(name="gallery")
    view.show(gallery(*hostile_cards(view), card("queued", job_id="video_5")))
    assert view.page.evaluate("document.getAnimations().length") == 0


def test_forced_colours_leave_states_buttons_and_bars_visible(view: CardPage, album: Album) -> None:
    view.page.emulate_media(forced_colors="active")
    view.open(name="gallery")
    view.show(gallery(*hostile_cards(view)))
    buttons = view.page.locator(".cometvid-gallery .cometvid-button:visible").all()
    width = "(node) => parseFloat(getComputedStyle(node).borderTopWidth)"
    frames = [button.evaluate(width) for button in buttons]
    assert frames
    assert min(frames) >= 1, "a button without a frame looks like text"
    bar = view.part("tile").first.get_by_role("progressbar").locator(".cometvid-fill")
    expect(bar).to_have_css("forced-color-adjust", "none")
    picture(view, album, "forced-colours")


def test_the_third_try_of_a_save_says_so_and_why(view: CardPage) -> None:
    view.open()
    saving = {"received_bytes": 1_000_000, "total_bytes": 8_000_000}
    view.show(card("completed", saving=saving | {"attempt": 1, "problem": None}))
    expect(view.part("place")).to_have_text("Saving 1.0 of 8.0 MB")
    view.change(card("completed", saving=saving | {"attempt": 3, "problem": "The line broke."}))
    expect(view.part("place")).to_have_text("Saving 1.0 of 8.0 MB · try 3 · The line broke.")


@pytest.mark.parametrize("shape", RATIOS)
@pytest.mark.parametrize("width", [680, 500, 330])
def test_what_follows_does_not_move_when_the_card_ends_and_settles(
    view: CardPage, shape: str, width: int
) -> None:
    view.page.set_viewport_size({"width": width, "height": 1200})
    view.open()
    last = ended(view, shape)
    facts = last.to_json(NOW_S) | {"clip": None, "elapsed_to_s": None, "elapsed_from_s": NOW_S - 84}
    running = {"phase": "running", "headline": "In progress", "actions": ["stop"]}
    checks = {"checks_at_s": [NOW_S - 3, NOW_S + 7], "progress_percent": 60.0}
    view.show(facts | running | checks)
    heights = [height(view.part("card"))]
    saving = Saving(1_000_000, 8_000_000)
    received = {"received_bytes": saving.received_bytes, "total_bytes": saving.total_bytes}
    view.change(last.to_json(NOW_S) | {"saving": received, "actions": []})
    heights.append(height(view.part("card")))
    view.change(last.to_json(NOW_S))
    heights.append(height(view.part("card")))
    show_html(view, card_to_bundle(last)["text/html"], "light")
    heights.append(height(view.page.locator(".cometvid-record")))
    assert max(heights) - min(heights) < 10, heights
    assert abs(heights[-1] - heights[-2]) <= 1, "the record takes the card's place to the pixel"
