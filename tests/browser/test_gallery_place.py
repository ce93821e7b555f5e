"""Where a gallery's parts stand: rows, nothing that moves, bars that stay, and its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import expect

from cometvid_nb.cards.gallery import Gallery
from cometvid_nb.clips.places import SavedClip
from cometvid_nb.display.record import gallery_record
from cometvid_nb.job.job import Job
from cometvid_nb.watching.state import WatchState
from tests.browser.card_page import CardPage, card, gallery
from tests.browser.notebook_page import Album
from tests.browser.test_gallery_page import PROMPT, RATIOS, button, change, done, job, tile

NOW_S = 1_800_000_000.0
SIZES = {"landscape": "1280x720", "square": "1024x1024", "portrait": "720x1280"}
BOXES = """[...document.querySelectorAll('.cometvid-tile, .cometvid-tools, .cometvid-sync')]
    .map((node) => node.getBoundingClientRect()).map((b) => [b.x, b.y, b.width, b.height])"""
INSERT = """(html) => document.querySelector('#output')
    .append(document.createRange().createContextualFragment(html))"""


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 1000, "height": 900}}


def settled(*shapes: str, failed: int = 0) -> Gallery:
    """A gallery whose jobs are over: clips of these shapes, and some jobs that failed."""
    states = []
    for number, shape in enumerate(shapes):
        fields = {"id": f"video_{number:03d}", "size": SIZES[shape], "prompt": PROMPT}
        begun = WatchState.begin(fields["id"], NOW_S, 3600.0)
        if number < failed:
            error = {"message": "Blocked by moderation: the prompt names a person."}
            answer = Job.parse(fields | {"status": "failed", "error": error})
            states.append(begun.answered(answer, NOW_S + 80))
            continue
        width, height = map(int, SIZES[shape].split("x"))
        clip = SavedClip(
            "/x", f"clips/{shape}.mp4", f"videos/{number}.mp4", 9, None, width=width, height=height
        )
        over = begun.answered(Job.parse(fields | {"status": "completed"}), NOW_S + 80)
        states.append(replace(over, saved=clip))
    return Gallery(states)


def put(view: CardPage, shown: Gallery, token: str = "another") -> None:
    """Put the record of a gallery into the page, where its script runs."""
    view.page.evaluate(INSERT, gallery_record(shown, token=token)["text/html"])


@pytest.mark.parametrize(
    ("shape", "count", "width", "rows"),
    [
        ("landscape", 2, 700, [2]),
        ("landscape", 4, 1000, [2, 2]),
        ("landscape", 4, 600, [2, 2]),
        ("landscape", 6, 900, [3, 3]),
        ("portrait", 4, 1000, [4]),
        ("portrait", 4, 600, [2, 2]),
        ("square", 6, 800, [3, 3]),
        ("portrait", 6, 1300, [6]),
        ("landscape", 4, 300, [1, 1, 1, 1]),
    ],
)
def test_few_tiles_stand_in_rows_of_equal_length(
    view: CardPage, shape: str, count: int, width: int, rows: Sequence[int]
) -> None:
    view.page.set_viewport_size({"width": width, "height": 900})
    view.open(name="gallery")
    view.show(gallery(*(job(n, aspect_ratio=RATIOS[shape]) for n in range(count))))
    tops = [round(box["y"]) for one in view.part("tile").all() if (box := one.bounding_box())]
    assert [tops.count(top) for top in sorted(set(tops))] == rows


def test_nothing_moves_through_a_whole_life(view: CardPage) -> None:
    view.open(name="gallery")
    problem = "The API answered 502, and the connection broke after that, twice. " * 3
    saving = {"received_bytes": 1_000_000, "total_bytes": 8_000_000}
    saved = {"clip": {**done(view, 1)["clip"], "saved_to": "videos/a_long_name/video_001.mp4"}}
    life: list[dict[str, Any]] = [
        card("starting", checks_at_s=[]),
        card("queued"),
        card("running", progress_percent=None),
        card("running", remaining_s=[20, 45]),
        card("running", problem=problem, advice="Checking goes on."),
        card("unknown", headline="Status “being prepared by somebody who takes long”"),
        card("running", progress_percent=99.0, actions=[]),
        card("completed", saving=saving),
        card("completed", **saved),
        card("completed", **saved, problem=problem, command="%cometvid save video_001"),
        card("stopped", actions=["watch"], command="%cometvid watch video_001"),
        card("failed", problem=problem, advice="This job is over."),
        card("gave_up", problem=problem, actions=["watch"], command="%cometvid watch video_001"),
        card("completed", **saved),
    ]
    ids = [f"video_{number:03d}" for number in range(4)]

    def state(step: int) -> dict[str, Any]:
        cards = [life[min(step + 2 * n, len(life) - 1)] | {"job_id": ids[n]} for n in range(4)]
        return gallery(*cards)

    view.show(state(0))
    first = view.page.evaluate(BOXES)
    for step in range(1, len(life)):
        change(view, state(step), *state(step)["cards"].values())
        assert view.page.evaluate(BOXES) == first, f"step {step}"
    expect(button(view, "Play all in sync")).to_have_attribute("aria-disabled", "false")


def test_the_bar_fills_with_what_has_ended(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(*(job(n, progress_percent=90.0) for n in range(4))))
    width = "(bar) => [...bar.children].reduce((w, n) => w + n.offsetWidth, 0) / bar.offsetWidth"
    assert view.part("meter").evaluate(width) == 0
    state = gallery(job(0), job(1), done(view, 2), job(3, "failed"))
    change(view, state, *state["cards"].values())
    assert view.part("meter").evaluate(width) == pytest.approx(0.5, abs=0.01)


def test_equal_prompts_are_told_apart_by_their_takes(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(job(1, take=1), job(2, take=2), job(3, prompt="Another")))
    expect(view.part("title")).to_have_text([f"Take 1 · {PROMPT}", f"Take 2 · {PROMPT}", "Another"])


def test_filters_and_pages_stay_in_view(view: CardPage, album: Album) -> None:
    view.open(name="gallery")
    view.show(gallery(*(job(n) for n in range(48)), total=120, matching=120, pages=3))
    view.page.evaluate("scrollTo(0, 1200)")
    for part in ("filters", "pager"):
        box = view.part(part).bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= 900 - box["height"], part
    album.take("gallery-sticky", view.page)


def test_after_the_kernel_has_gone_each_job_and_the_gallery_have_a_command(
    view: CardPage,
) -> None:
    view.open(name="gallery")
    view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.show(gallery(job(1, watch_command="%cometvid watch video_001"), done(view, 2)))
    view.fire("comm_live_update")
    expect(view.part("tools").locator(".cometvid-command")).to_have_text(
        "%cometvid watch --gallery video_001"
    )
    tile(view, 1).locator(".cometvid-copy").click()
    expect(tile(view, 1).locator(".cometvid-copy")).to_have_text("Copied")
    copied = view.page.evaluate("navigator.clipboard.readText()")
    assert copied == "%cometvid watch video_001"


# ---- the record


@pytest.mark.parametrize(
    "shapes",
    [
        ("landscape",) * 4,
        ("portrait",) * 4,
        ("square",) * 3,
        ("landscape", "portrait", "landscape", "square", "landscape"),
    ],
)
def test_the_record_stands_as_the_live_gallery_did(view: CardPage, shapes: Sequence[str]) -> None:
    shown = settled(*shapes, failed=1)
    view.open(name="gallery")
    view.show(shown.to_json(NOW_S))
    put(view, shown)
    columns = "(node) => getComputedStyle(node).gridTemplateColumns.split(' ').length"
    still = view.page.locator(".cometvid-still > div:last-child")
    for width in (600, 800, 1024, 1400):
        view.page.set_viewport_size({"width": width, "height": 900})
        heights = [
            box["height"]
            for name in (".cometvid-gallery", ".cometvid-record")
            if (box := view.page.locator(name).bounding_box())
        ]
        assert abs(heights[0] - heights[1]) < 4, (width, heights)
        assert still.evaluate(columns) == view.part("grid").evaluate(columns), width


def test_a_record_without_its_kernel_plays_all_in_sync_and_copies_its_command(
    view: CardPage, album: Album
) -> None:
    view.open(name="gallery")
    view.theme("light")
    put(view, settled("landscape", "portrait", "square"))
    view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button(view, "Copy").click()
    copied = view.page.evaluate("navigator.clipboard.readText()")
    assert copied == "%cometvid watch --gallery video_000 video_001 video_002"
    button(view, "Play all in sync").click()
    view.page.wait_for_function(
        "[...document.querySelectorAll('video')].every((v) => v.currentTime > 0.5 && v.muted)"
    )
    times = view.page.evaluate("[...document.querySelectorAll('video')].map((v) => v.currentTime)")
    assert max(times) - min(times) < 0.08
    button(view, "Sound of video_001").click()
    muted = "[...document.querySelectorAll('video')].map((v) => v.muted)"
    assert view.page.evaluate(muted) == [True, False, True]
    album.take("gallery-record-sync", view.page)
    assert view.violations(".cometvid-record") == []
    button(view, "Leave sync").click()
    view.page.wait_for_function(
        "[...document.querySelectorAll('video')].every((v) => v.paused && v.controls)"
    )


@pytest.mark.parametrize("is_record_first", [True, False])
def test_the_live_gallery_takes_the_place_of_its_record_and_of_no_other(
    view: CardPage, is_record_first: bool
) -> None:
    shown = settled("landscape", "landscape")
    view.open(name="gallery")
    greet = "(value) => { widget.initialize({ model: window.model = new Model(value) }); }"
    if not is_record_first:
        view.page.evaluate(greet, shown.to_json(NOW_S))
    put(view, shown, "token")
    put(view, shown, "another")
    if is_record_first:
        view.page.evaluate(greet, shown.to_json(NOW_S))
    records = view.page.locator(".cometvid-record")
    expect(records.nth(0).locator(".cometvid-gallery")).to_be_visible()
    expect(records.nth(0).locator(".cometvid-still")).to_be_hidden()
    expect(records.nth(1).locator(".cometvid-gallery")).to_have_count(0)
    expect(records.nth(1).locator(".cometvid-still")).to_be_visible()
    view.page.locator(".cometvid-gallery [data-filter=failed]").click()
    assert view.sent()[-1] == {"kind": "view", "filter": "failed", "sort": "added", "page": 1}


def test_a_gallery_whose_kernel_has_gone_leaves_later_records_alone(view: CardPage) -> None:
    shown = settled("landscape", "landscape")
    view.open(name="gallery")
    view.page.evaluate(
        "(value) => { widget.initialize({ model: window.model = new Model(value) }); }",
        shown.to_json(NOW_S),
    )
    view.emit("disposed")
    put(view, shown, "token")
    expect(view.page.locator(".cometvid-gallery")).to_have_count(0)
    expect(button(view, "Play all in sync")).to_be_visible()
