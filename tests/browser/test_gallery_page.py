"""The gallery's page alone, on a fake of anywidget's model: what it shows, asks for and plays."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from cometvid_nb.simulator.clips import MEDIA
from tests.browser.card_page import CardPage, card, clip, gallery
from tests.browser.notebook_page import Album

NOW_S = 1_800_000_000
RATIOS = {"landscape": 16 / 9, "square": 1.0, "portrait": 9 / 16}
KINDS = ("completed", "running", "queued", "failed", "running", "completed", "stopped", "unknown")
PROMPT = "A comet crosses a violet night sky, slowly, over a mountain lake with reeds."
RTL_PROMPT = "مذنب يعبر سماء الليل البنفسجية"
HOSTILE = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
TIMES = "[...document.querySelectorAll('.cometvid-tile video')].map((v) => v.currentTime)"
SPREAD_S = 0.08


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 1000, "height": 900}}


def job(number: int, phase: str = "running", **changes: Any) -> dict[str, Any]:
    return card(phase, job_id=f"video_{number:03d}", prompt=PROMPT) | changes


def done(view: CardPage, number: int, shape: str = "landscape", **changes: Any) -> dict[str, Any]:
    link = clip(f"{view.site.url}/clips/{shape}.mp4")
    return job(number, "completed", clip=link, aspect_ratio=RATIOS[shape], **changes)


def poster(shape: str) -> str:
    picture = (MEDIA / f"{shape}.webp").read_bytes()
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"


def mixed(view: CardPage, count: int) -> list[dict[str, Any]]:
    """Cards in every state, some with a poster, one with a prompt from right to left."""
    cards = []
    for number in range(count):
        phase = KINDS[number % len(KINDS)]
        if phase == "completed":
            cards.append(done(view, number, poster=poster("landscape") if number % 2 else None))
        elif phase == "failed":
            problem = "Blocked by moderation: the prompt names a person."
            cards.append(job(number, phase, problem=problem, prompt=RTL_PROMPT))
        elif phase == "running":
            cards.append(job(number, phase, remaining_s=[20, 45], progress_percent=number * 2.0))
        else:
            actions = ["watch"] if phase == "stopped" else ["stop"]
            cards.append(job(number, phase, actions=actions))
    return cards


def change(view: CardPage, state: dict[str, Any], *cards: dict[str, Any]) -> None:
    """Send what the kernel sends when something changed: the state, and only these cards."""
    told = {key: value for key, value in state.items() if key != "cards"}
    content = {"kind": "gallery_change", "gallery": told, "cards": {c["job_id"]: c for c in cards}}
    view.page.evaluate("(content) => model.fire('msg:custom', content, [])", content)


def tile(view: CardPage, number: int) -> Locator:
    return view.part("tile").filter(has_text=f"video_{number:03d}")


def button(view: CardPage, name: str) -> Locator:
    return view.page.get_by_role("button", name=name, exact=True)


def filter_button(view: CardPage, name: str) -> Locator:
    return view.page.locator(f"[data-filter={name}]")


def spread_s(view: CardPage) -> float:
    times: list[float] = view.page.evaluate(TIMES)
    assert len(times) > 1
    return max(times) - min(times)


def wait_together(view: CardPage) -> None:
    """Until clips that play are together: a busy machine holds one back, and it catches up."""
    view.page.wait_for_function(
        f"""() => {{
          const times = {TIMES};
          const spread = Math.max(...times) - Math.min(...times);
          const clips = [...document.querySelectorAll(".cometvid-tile video")];
          return spread <= {SPREAD_S} && clips.every((clip) => !clip.paused);
        }}"""
    )


def wait_all_past(view: CardPage, time_s: float) -> None:
    view.page.wait_for_function(f"({TIMES}).every((time_s) => time_s >= {time_s})")


def wait_all_still(view: CardPage) -> None:
    view.page.wait_for_function(
        "[...document.querySelectorAll('.cometvid-tile video')]"
        ".every((v) => v.paused && !v.seeking && v.readyState >= 2)"
    )


def play_in_sync(view: CardPage, *cards: dict[str, Any]) -> None:
    view.open(name="gallery")
    view.show(gallery(*cards))
    button(view, "Play all in sync").click()


# ---- what it shows


@pytest.mark.parametrize(
    ("count", "width", "theme"),
    [
        (1, 1000, "light"),
        (3, 700, "dark"),
        (8, 1000, "light"),
        (8, 1000, "dark"),
        (8, 260, "light"),
    ],
)
def test_axe_finds_nothing_and_nothing_sticks_out(
    view: CardPage, album: Album, count: int, width: int, theme: str
) -> None:
    view.page.set_viewport_size({"width": width, "height": 900})
    view.open(name="gallery")
    view.theme(theme)
    view.show(gallery(*mixed(view, count), pages=3, is_simulated=True))
    expect(view.part("tile")).to_have_count(count)
    lefts = {round(box["x"]) for one in view.part("tile").all() if (box := one.bounding_box())}
    assert len(lefts) == min(count, {260: 1, 700: 2, 1000: 4}[width] if count > 3 else len(lefts))
    assert view.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    album.take(f"gallery-{count}-{width}-{theme}", view.page, full_page=True)
    assert view.violations(".cometvid-gallery") == []
    view.part("title").first.click()
    expect(view.part("panel")).to_be_visible()
    assert view.violations(".cometvid-gallery") == []


def test_axe_finds_nothing_while_clips_play_together(view: CardPage) -> None:
    play_in_sync(view, done(view, 1), done(view, 2, "square"), done(view, 3, "portrait"))
    wait_all_past(view, 0.1)
    assert view.violations(".cometvid-gallery") == []
    view.fire("comm_live_update")
    assert view.violations(".cometvid-gallery") == []


def test_foreign_text_stays_text(view: CardPage) -> None:
    view.open(name="gallery")
    words = dict.fromkeys(("headline", "prompt", "problem", "poster"), HOSTILE)
    view.show(gallery(job(1, job_id=HOSTILE, **words), done(view, 2, **words)))
    view.part("title").first.click()
    assert view.part("gallery").locator("script, img[src]:not([src=''])").count() == 0
    assert view.page.evaluate("window.pwned") is None


def test_every_class_has_the_prefix(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(*mixed(view, 8)))
    names: list[str] = view.page.evaluate(
        "[...document.querySelectorAll('.cometvid-gallery, .cometvid-gallery *')]"
        ".flatMap((node) => [...node.classList])"
    )
    assert [name for name in names if not name.startswith("cometvid-")] == []


def test_the_totals_count_all_jobs_and_not_the_page(view: CardPage) -> None:
    view.open(name="gallery")
    totals = {"queued": 3, "running": 10, "completed": 1100, "failed": 5, "other": 2}
    view.show(gallery(job(1), total=1120, totals=totals, matching=1120, pages=24))
    expect(view.part("heading")).to_have_text("1,120 jobs")
    for name, text in (("all", "1,120"), ("completed", "1,100"), ("failed", "5"), ("other", "2")):
        expect(filter_button(view, name).locator(".cometvid-count")).to_have_text(text)
    expect(view.page.get_by_text("Page 1 of 24")).to_be_visible()


def test_times_tick_with_one_timer_for_the_whole_page(view: CardPage) -> None:
    view.open(at_s=NOW_S, name="gallery")
    cards = [card(job_id=f"video_{n:03d}", now_s=NOW_S) for n in range(20)]
    view.show(gallery(*cards, sent_at_s=NOW_S))
    expect(tile(view, 7).locator(".cometvid-elapsed")).to_have_text("1:24 elapsed")
    assert view.left_timers() == 1
    view.run(5.1)
    expect(tile(view, 7).locator(".cometvid-elapsed")).to_have_text("1:29 elapsed")


# ---- changes


def test_a_change_touches_only_the_cards_that_differ(view: CardPage) -> None:
    view.open(name="gallery")
    cards = [job(n, progress_percent=10.0) for n in range(48)]
    state = gallery(*cards)
    view.show(state)
    view.page.evaluate(
        "window.touched = new Set(); new MutationObserver((changes) => { for (const { target } of"
        " changes) { const tile = (target.closest ? target : target.parentElement)"
        ".closest('.cometvid-tile'); if (tile) touched.add(tile); } }).observe(document.body,"
        " {subtree: true, childList: true, attributes: true, characterData: true})"
    )
    view.page.evaluate("window.before = document.querySelectorAll('.cometvid-tile')[3]")
    change(view, state, job(3, progress_percent=55.0))
    expect(tile(view, 3).locator(".cometvid-percent")).to_have_text("55%")
    # Only its bar's value is set anew; a tick of the times may touch the others' text alone.
    assert view.page.evaluate(
        "[...document.querySelectorAll('.cometvid-tile')][3] === before"
        " && [...touched].filter((tile) => tile.querySelector('[aria-valuenow=\"55\"]')).length"
    )
    held = view.page.evaluate("model.get('gallery')")
    assert list(held["cards"]) == held["order"]
    assert held["cards"]["video_003"]["progress_percent"] == 55
    assert held["cards"]["video_004"]["progress_percent"] == 10


def test_a_change_brings_removes_and_reorders_cards(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(job(1), job(2), job(3)))
    view.page.evaluate("window.before = document.querySelectorAll('.cometvid-tile')[2]")
    change(view, gallery(job(4), job(3), job(1)), job(4))
    expect(view.part("tile").locator(".cometvid-id")).to_have_text(
        ["video_004", "video_003", "video_001"]
    )
    assert view.page.evaluate("document.querySelectorAll('.cometvid-tile')[1] === before")
    assert sorted(view.page.evaluate("Object.keys(model.get('gallery').cards)")) == [
        "video_001",
        "video_003",
        "video_004",
    ]


def test_a_playing_clip_goes_on_while_its_card_moves(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(job(1), done(view, 2), job(3)))
    button(view, "Play the clip of video_002").click()
    view.video_in_grid().evaluate("(v) => { v.loop = true; }")
    wait_all_past(view, 0.1)
    change(view, gallery(done(view, 2), job(3), job(1)))
    expect(view.part("id").first).to_have_text("video_002")
    assert view.video_in_grid().evaluate("(v) => !v.paused && v.currentTime > 0.1")


def test_a_screen_reader_hears_quarters_and_not_every_change(view: CardPage) -> None:
    view.open(name="gallery")
    live = view.part("gallery").locator("> .cometvid-live")
    state = gallery(*(job(n) for n in range(8)))
    view.show(state)
    expect(live).to_have_text("")
    view.page.evaluate(
        "window.heard = [];"
        "const live = document.querySelector('.cometvid-gallery > .cometvid-live');"
        "new MutationObserver(() => heard.push(live.textContent)).observe(live, {childList: true})"
    )
    for completed in range(1, 9):
        totals = state["totals"] | {"running": 8 - completed, "completed": completed}
        change(view, state | {"totals": totals})
    assert view.page.evaluate("heard") == [
        "25 percent of 8 jobs ended.",
        "50 percent of 8 jobs ended.",
        "75 percent of 8 jobs ended.",
        "All 8 jobs ended: 8 done, 0 failed.",
    ]


# ---- what one can ask for


def test_filter_order_and_page_are_asked_of_the_kernel(view: CardPage) -> None:
    view.open(at_s=NOW_S, name="gallery")
    state = gallery(job(1), total=120, matching=120, pages=3, sent_at_s=NOW_S)
    view.show(state)
    filter_button(view, "failed").click()
    asked = {"kind": "view", "filter": "failed", "sort": "added", "page": 1}
    assert view.sent() == [asked]
    expect(filter_button(view, "failed")).to_have_attribute("aria-pressed", "true")
    view.run(1.6)
    expect(view.part("gallery-problem")).to_have_text("waiting for the running cell to finish")
    change(view, state)  # news, but not the answer
    expect(filter_button(view, "failed")).to_have_attribute("aria-pressed", "true")
    state = state | {"filter": "failed", "matching": 60, "pages": 2}
    change(view, state)
    expect(view.part("gallery-problem")).to_be_hidden()
    expect(view.part("grid")).to_have_attribute("aria-busy", "false")
    view.page.get_by_label("Sort").select_option("progress")
    assert view.sent()[-1] == asked | {"sort": "progress"}
    change(view, state | {"sort": "progress"})
    button(view, "Next").click()
    assert view.sent()[-1] == asked | {"sort": "progress", "page": 2}
    expect(view.page.get_by_text("Page 2 of 2")).to_be_visible()
    button(view, "Next").click(force=True)
    assert len(view.sent()) == 3
    button(view, "First").press("Enter")
    assert view.sent()[-1] == asked | {"sort": "progress", "page": 1}


def test_a_view_greets_once_since_it_may_have_missed_something(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(job(1)))
    assert view.page.evaluate("model.sent") == [{"kind": "hello"}]


def test_stop_and_watch_name_their_job_and_are_acknowledged_at_once(view: CardPage) -> None:
    view.open(name="gallery")
    cards = job(1), job(2, "stopped", actions=["watch"])
    view.show(gallery(*cards))
    stop = tile(view, 1).locator(".cometvid-stop")
    stop.click()
    expect(stop).to_have_text("Stopping…")
    tile(view, 2).locator(".cometvid-watch").press("Enter")
    stop.click(force=True)
    assert view.sent() == [
        {"kind": "action", "name": "stop", "job_id": "video_001"},
        {"kind": "action", "name": "watch", "job_id": "video_002"},
    ]
    change(view, gallery(*cards), job(1, "stopped", actions=["watch"]))
    expect(stop).to_be_hidden()
    expect(tile(view, 1).locator(".cometvid-watch")).to_have_text("Watch again")


def test_the_full_card_opens_under_its_row_and_closes_with_escape(view: CardPage) -> None:
    view.open(name="gallery")
    state = gallery(*(job(n) for n in range(8)))
    view.show(state)
    title = tile(view, 1).locator(".cometvid-title")
    title.press("Enter")
    expect(button(view, "Close")).to_be_focused()
    expect(title).to_have_attribute("aria-expanded", "true")
    shown = view.part("panel").locator(".cometvid-card")
    expect(shown.locator(".cometvid-percent")).to_have_text("30%")
    change(view, state, job(1, progress_percent=77.0))
    expect(shown.locator(".cometvid-percent")).to_have_text("77%")
    shown.locator(".cometvid-stop").click()
    assert view.sent() == [{"kind": "action", "name": "stop", "job_id": "video_001"}]
    boxes = [one.bounding_box() for one in (tile(view, 3), view.part("panel"), tile(view, 4))]
    tops = [box["y"] for box in boxes if box]
    assert tops == sorted(tops)
    assert tops[0] < tops[1] < tops[2]
    view.page.keyboard.press("Escape")
    expect(view.part("panel")).to_have_count(0)
    expect(title).to_be_focused()
    title.click()
    change(view, gallery(job(0), job(2)))  # the open card left the page
    expect(view.part("panel")).to_have_count(0)


def test_a_gallery_without_its_kernel_stops_pretending(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(job(1), done(view, 2), pages=2))
    view.fire("comm_live_update")
    expect(view.part("gallery-problem")).to_contain_text("The kernel stopped")
    expect(tile(view, 1)).to_contain_text("No longer watched")
    expect(tile(view, 1).locator(".cometvid-stop")).to_be_hidden()
    filter_button(view, "failed").click(force=True)
    assert view.sent() == []
    button(view, "Play the clip of video_002").click()
    wait_all_past(view, 0.05)


# ---- clips


def test_nothing_is_loaded_before_it_is_played(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(*(done(view, n) for n in range(4))))
    expect(button(view, "Play the clip of video_003")).to_be_visible()
    assert view.page.locator("video").count() == 0
    assert [path for path in view.site.requests if path.endswith(".mp4")] == []
    button(view, "Play the clip of video_003").click()
    wait_all_past(view, 0.05)
    assert view.page.locator("video").count() == 1
    expect(view.video_in_grid()).to_be_focused()


def test_bytes_through_the_kernel_name_their_job_and_come_a_few_at_a_time(view: CardPage) -> None:
    view.open(name="gallery")
    view.show(gallery(*(job(n, "completed", clip=clip()) for n in range(5))))
    button(view, "Play all in sync").click()
    fetches = "model.sent.filter(({ kind }) => kind === 'fetch_clip')"
    view.page.wait_for_function(f"{fetches}.length === 3")
    assert {message["job_id"] for message in view.sent() if "job_id" in message} == {
        f"video_00{n}" for n in range(3)
    }
    for index in range(5):
        view.page.wait_for_function(f"{fetches}.length > {index}")
        view.page.evaluate(
            f"(i) => model.relay({fetches}[i].request, '/clips/landscape.mp4', 50_000)", index
        )
    wait_all_past(view, 0.2)
    assert len(view.page.evaluate(TIMES)) == 5
    view.page.evaluate("leave()")
    assert len(view.page.evaluate("revoked")) == 5
    assert view.page.evaluate("model.listeners.length") == 0


# ---- all clips as one


@pytest.mark.parametrize("count", [3, 6])
def test_clips_keep_together_while_they_play_after_a_seek_and_after_a_step(
    view: CardPage, count: int
) -> None:
    shapes = list(RATIOS)
    play_in_sync(view, *(done(view, n, shapes[n % 3]) for n in range(count)))
    wait_all_past(view, 1)
    wait_together(view)
    # One that got ahead waits for the others, for a moment.
    view.page.wait_for_function(
        "[...document.querySelectorAll('video')].every((v) => v.muted && !v.paused && !v.controls)"
    )
    seek = view.page.get_by_role("slider", name="Position in all clips")
    seek.evaluate(
        "(node) => { node.value = 2; node.dispatchEvent(new Event('input'));"
        " node.dispatchEvent(new Event('change')); }"
    )
    wait_all_past(view, 2.5)
    wait_together(view)
    button(view, "Pause all").click()
    wait_all_still(view)
    before = view.page.evaluate(TIMES)[0]
    assert spread_s(view) < 0.005
    button(view, "One frame on").click()
    wait_all_still(view)
    after = view.page.evaluate(TIMES)[0]
    assert 0 < after - before < 1.1 / 24  # the next frame begins
    assert spread_s(view) < 0.005
    seek.press("ArrowLeft")
    wait_all_still(view)
    assert view.page.evaluate(TIMES)[0] == pytest.approx(after - 1 / 24, abs=0.005)
    assert spread_s(view) < 0.005


def test_a_clip_that_fell_behind_catches_up(view: CardPage) -> None:
    play_in_sync(view, done(view, 1), done(view, 2), done(view, 3))
    wait_all_past(view, 0.5)
    view.page.evaluate(
        "() => { const [a, b] = document.querySelectorAll('video');"
        " a.currentTime -= 0.4; b.pause(); }"
    )
    wait_all_past(view, 2)
    wait_together(view)


def test_at_the_end_the_last_frames_stay_and_play_starts_all_again(view: CardPage) -> None:
    play_in_sync(view, done(view, 1), done(view, 2, "square"))
    expect(button(view, "Play all")).to_be_visible()
    times = view.page.evaluate(TIMES)
    ends = view.page.evaluate("[...document.querySelectorAll('video')].map((v) => v.duration)")
    assert times == pytest.approx(ends, abs=0.05)
    button(view, "Play all").click()
    view.page.wait_for_function(f"({TIMES}).every((time_s) => time_s > 0.1 && time_s < 2)")
    view.page.evaluate(
        """() => {
          window.begun = new Set();
          for (const clip of document.querySelectorAll("video"))
            clip.addEventListener("seeked", () => { if (clip.currentTime < 0.5) begun.add(clip); });
        }"""
    )
    button(view, "Restart all").click()
    view.page.wait_for_function("begun.size === 2")


def test_one_clip_at_a_time_may_be_heard(view: CardPage) -> None:
    play_in_sync(view, done(view, 1), done(view, 2))
    muted = "[...document.querySelectorAll('video')].map((v) => v.muted)"
    button(view, "Sound of video_002").click()
    assert view.page.evaluate(muted) == [True, False]
    button(view, "Sound of video_001").click()
    assert view.page.evaluate(muted) == [False, True]
    button(view, "Sound of video_001").click()
    assert view.page.evaluate(muted) == [True, True]
    button(view, "Leave sync").click()
    assert view.page.evaluate(muted) == [True, True]
    assert view.page.evaluate(
        "[...document.querySelectorAll('video')].every((v) => v.paused && v.controls)"
    )
    expect(button(view, "Play all in sync")).to_be_focused()


def test_a_clip_that_cannot_be_played_does_not_hold_up_the_others(view: CardPage) -> None:
    gone = job(3, "completed", clip=clip(f"{view.site.url}/clips/gone.mp4"))
    play_in_sync(view, done(view, 1), done(view, 2), gone)
    view.page.evaluate(
        "(request) => model.fire('msg:custom',"
        " {kind: 'clip_failed', request, problem: 'The link answered 403.'}, [])",
        view.wait_for_request(),
    )
    expect(tile(view, 3)).to_contain_text("The link answered 403.")
    view.page.wait_for_function(f"({TIMES}).filter((time_s) => time_s > 0.5).length === 2")


def test_leaving_ends_every_timer_and_listener(view: CardPage) -> None:
    play_in_sync(view, done(view, 1), done(view, 2))
    view.part("title").first.click()
    wait_all_past(view, 0.1)
    view.page.evaluate("leave()")
    view.page.wait_for_function("timers.size === 0")  # a static record may take over until then
    assert view.page.evaluate("model.listeners.length") == 0
    assert view.part("gallery").count() == 0
    assert view.page.evaluate(
        "Object.values(model.widget_manager.kernel).every((signal) => signal.slots.size === 0)"
    )
