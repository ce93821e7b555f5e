"""The card alone, in every phase, on a fake of anywidget's model: what it shows, says and ends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from cometvid_nb.display.widget import CardWidget
from tests.browser.card_page import CardPage, card, clip

NOW_S = 1_800_000_000
LANDSCAPE = "landscape.mp4"
HOSTILE = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>\u202e{{7*7}}"
PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
COMMAND = "%cometvid watch video_abc123"
PHASES: dict[str, dict[str, Any]] = {
    "starting": {"prompt": None, "facts": []},
    "queued": {"is_simulated": True, "picture": PICTURE},
    "running": {"remaining_s": [20, 45], "problem": "The API answered 502."},
    "unknown": {"headline": "Status “moderating”"},
    "completed": {"saving": {"received_bytes": 3_100_000, "total_bytes": 8_000_000}},
    "failed": {"problem": "Blocked by moderation.", "advice": "Change the prompt."},
    "stopped": {"advice": "The job itself goes on.", "command": COMMAND, "actions": ["watch"]},
    "gave_up": {"problem": "No end in time.", "command": COMMAND, "actions": ["watch"]},
    "broken": {"problem": "word " * 900, "command": "%cometvid login", "actions": ["watch"]},
}


# ---- what it shows


def test_foreign_text_stays_text(view: CardPage) -> None:
    view.open()
    hostile = card(
        "broken",
        **dict.fromkeys(("job_id", "headline", "prompt", "problem", "advice", "command"), HOSTILE),
        facts=[HOSTILE],
        note=HOSTILE,
    )
    view.show(hostile)
    view.change(hostile | {"phase": "running", "actions": [HOSTILE]})
    view.change(hostile | {"phase": "completed", "clip": clip(HOSTILE, saved_to=HOSTILE)})
    view.change(hostile | {"phase": HOSTILE})
    assert view.part("card").locator("img, script").count() == 0
    assert view.page.evaluate("window.pwned") is None
    expect(view.part("prompt")).to_have_text(HOSTILE)


def test_every_class_and_variable_of_ours_has_the_prefix(view: CardPage) -> None:
    css = re.sub(r"/\*.*?\*/", "", CardWidget._css, flags=re.S)
    # Beside JupyterLab's own, whose boxes the bars of a gallery stick to.
    # And what marimo and VS Code put around a widget, to have their colours.
    ours = ("cometvid-", "jp-", "lm-", "marimo", "cell-output-ipywidget-background")
    assert {n for n in re.findall(r"\.([a-z][\w-]*)", css) if not n.startswith(ours)} == set()
    assert not re.findall(r"^\s*--(?!cometvid-)", css, flags=re.M)
    view.open()
    view.show(card(**PHASES["running"]))
    names = view.page.evaluate(
        "[...document.querySelectorAll('.cometvid-card, .cometvid-card *')]"
        ".flatMap((node) => [...node.classList])"
    )
    assert names
    assert [name for name in names if not name.startswith("cometvid-")] == []


def test_times_tick_without_a_message(view: CardPage) -> None:
    view.open(at_s=NOW_S)
    view.show(card(now_s=NOW_S, remaining_s=[20, 45]))
    expect(view.part("elapsed")).to_have_text("1:24 elapsed")
    expect(view.part("timing")).to_have_text("checked 3 s ago · next check in 7 s")
    view.run(5.1)
    expect(view.part("elapsed")).to_have_text("1:29 elapsed")
    expect(view.part("timing")).to_have_text("checked 8 s ago · next check in 2 s")
    view.run(3600)
    expect(view.part("elapsed")).to_have_text("1:01:29 elapsed")
    assert view.sent() == []


def test_planned_checks_count_as_checks_once_their_time_has_passed(view: CardPage) -> None:
    view.open(at_s=NOW_S)
    view.show(card(now_s=NOW_S))  # checks at -3, +7 and +17 s
    view.run(7.1)
    expect(view.part("timing")).to_have_text("checking now…")
    view.run(4)
    expect(view.part("timing")).to_have_text("checked 4 s ago · next check in 6 s")
    view.run(9)  # beyond the last plan
    expect(view.part("timing")).to_have_text("checking now…")
    view.run(180)
    expect(view.part("timing")).to_have_text("no news for 3 min")


def test_remaining_time_is_never_finer_than_the_estimate(view: CardPage) -> None:
    view.open(at_s=NOW_S)
    view.show(card(now_s=NOW_S))
    expect(view.part("remaining")).to_be_hidden()
    for remaining_s, text in (  # as of the last check, three seconds ago
        ([20, 45], "15–40 s left"),
        ([28, 34], "about 30 s left"),
        ([2, 40], "under 35 s left"),
        ([120, 300], "2–5 min left"),
        ([1, 8], "a few seconds left"),
    ):
        view.change(card(now_s=NOW_S, remaining_s=remaining_s))
        expect(view.part("remaining")).to_have_text(text)
    view.run(6)
    expect(view.part("remaining")).to_be_hidden()


def test_a_kernel_clock_that_differs_is_corrected(view: CardPage) -> None:
    view.open(at_s=NOW_S)
    view.show(card(now_s=NOW_S))
    view.change(card(now_s=NOW_S - 500))  # live: what it says is true now
    expect(view.part("elapsed")).to_have_text("1:24 elapsed")
    view.change(card(now_s=NOW_S - 1))  # within the network's delay
    expect(view.part("elapsed")).to_have_text("1:25 elapsed")
    view.change(card(now_s=NOW_S - 60))  # sent long ago and fetched after a reconnect
    expect(view.part("elapsed")).to_have_text("2:24 elapsed")


def test_the_bar_tells_its_value_or_that_there_is_none(view: CardPage) -> None:
    view.open()
    view.show(card("queued"))
    bar = view.page.get_by_role("progressbar", name="Progress")
    assert bar.get_attribute("aria-valuenow") is None
    view.change(card("running", progress_percent=61.6))
    expect(bar).to_have_attribute("aria-valuenow", "62")
    expect(view.part("percent")).to_have_text("62%")
    view.change(card("running", progress_percent=900))
    expect(bar).to_have_attribute("aria-valuenow", "100")


@pytest.mark.parametrize(
    ("name", "ratio", "width"),
    [
        (LANDSCAPE, 16 / 9, 640),
        ("portrait.mp4", 9 / 16, 640),
        ("portrait.mp4", 9 / 16, 240),
        ("square.mp4", 1, 400),
    ],
)
def test_nothing_jumps_when_the_player_comes(
    view: CardPage, name: str, ratio: float, width: int
) -> None:
    view.page.set_viewport_size({"width": width, "height": 900})
    view.open()
    view.show(card("running", aspect_ratio=ratio))
    before = view.part("screen").bounding_box()
    link = f"{view.site.url}/clips/{name}"
    view.change(card("completed", aspect_ratio=ratio, clip=clip(link)))
    view.wait_playable(name)
    assert view.part("screen").bounding_box() == view.video.bounding_box() == before
    assert before is not None
    assert before["height"] <= 480
    assert view.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_flex_row_does_not_collapse_the_card(view: CardPage) -> None:
    view.open()
    view.page.add_style_tag(content="#output { display: flex }")
    view.show(card())
    view.show(card())
    widths = view.page.evaluate(
        "[...document.querySelectorAll('.cometvid-card')].map((node) => node.clientWidth)"
    )
    assert min(widths) > 300


def test_a_long_prompt_is_cut_until_more_is_asked_for(view: CardPage) -> None:
    view.open()
    view.show(card(prompt="a short one"))
    expect(view.part("more")).to_be_hidden()
    view.change(card(prompt="a long one " * 300))
    cut = view.part("prompt").bounding_box()
    view.part("more").press("Enter")
    expect(view.part("more")).to_have_text("less")
    opened = view.part("prompt").bounding_box()
    assert cut is not None
    assert opened is not None
    assert cut["height"] < 80 < opened["height"] < 400


def test_where_the_clip_is_and_how_long_its_link_lives(view: CardPage) -> None:
    link = f"{view.site.url}/clips/{LANDSCAPE}"
    view.open(at_s=NOW_S)
    kept = clip(link, expires_at_s=NOW_S + 3420)
    view.show(card("completed", now_s=NOW_S, clip=kept))
    expect(view.part("place")).to_have_text("link lives for 57 min")
    view.run(60)
    expect(view.part("place")).to_have_text("link lives for 56 min")
    view.run(3600)
    expect(view.part("place")).to_have_text("the link has expired")
    saving = {"received_bytes": 3_100_000, "total_bytes": 8_000_000}
    view.change(card("completed", now_s=NOW_S, clip=kept, saving=saving))
    expect(view.part("place")).to_have_text("Saving 3.1 of 8.0 MB")
    saved = kept | {"saved_to": "videos/video_abc123.mp4"}
    view.change(card("completed", now_s=NOW_S, clip=saved))
    expect(view.part("place")).to_have_text("Saved to videos/video_abc123.mp4")


def test_a_simulation_says_so(view: CardPage) -> None:
    view.open()
    view.show(card(is_simulated=True))
    expect(view.page.get_by_text("Simulation", exact=True)).to_be_visible()
    view.change(card())
    expect(view.page.get_by_text("Simulation", exact=True)).to_have_count(0)


# ---- what one can do


def test_stop_is_acknowledged_at_once(view: CardPage) -> None:
    view.open(at_s=NOW_S)
    view.show(card(now_s=NOW_S))
    stop = view.part("buttons").get_by_role("button")
    stop.click()
    expect(stop).to_have_text("Stopping…")
    expect(stop).to_be_disabled()
    stop.dispatch_event("click")
    assert view.sent() == [{"kind": "action", "name": "stop"}]
    view.run(1.6)
    expect(view.part("timing")).to_have_text("waiting for the running cell to finish")
    view.change(card(now_s=NOW_S))
    expect(stop).to_have_text("Stop watching")
    expect(stop).to_be_enabled()
    expect(view.part("timing")).to_contain_text("next check")


def test_watch_again_is_reached_by_keyboard(view: CardPage) -> None:
    view.open()
    view.show(card("stopped", actions=["watch"], command=COMMAND))
    view.page.keyboard.press("Tab")
    button = view.page.get_by_role("button", name="Watch again")
    expect(button).to_be_focused()
    assert button.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"
    view.page.keyboard.press("Enter")
    assert view.sent() == [{"kind": "action", "name": "watch"}]
    # Lumino reads this attribute; without it, JupyterLab takes Enter, m, d d … for the notebook.
    expect(view.part("card")).to_have_attribute("data-lm-suppress-shortcuts", "true")


def test_the_focus_goes_from_stop_to_watch_again_and_back(view: CardPage) -> None:
    view.open()
    view.show(card())
    view.part("stop").focus()
    view.page.keyboard.press("Enter")
    view.change(card("stopped", actions=["watch"], command=COMMAND))
    expect(view.part("watch")).to_be_focused()
    view.page.keyboard.press("Enter")
    expect(view.part("watch")).to_have_text("Starting…")
    view.change(card("starting"))
    expect(view.part("stop")).to_be_focused()
    view.change(card("failed"))
    view.change(card())
    expect(view.part("stop")).not_to_be_focused()


def test_a_picture_stands_behind_the_words_until_the_player_comes(view: CardPage) -> None:
    view.open()
    view.show(card())
    picture = view.part("picture")
    expect(picture).to_be_hidden()
    view.change(card(picture=PICTURE, progress_percent=None))
    expect(picture).to_be_visible()
    assert picture.bounding_box() == view.part("screen").bounding_box()
    overlay = view.part("overlay").bounding_box()
    assert overlay is not None
    top = "([x, y]) => document.elementFromPoint(x, y).className"
    spot = [overlay["x"] + 30, overlay["y"] + overlay["height"] - 30]
    assert "picture" not in view.page.evaluate(top, spot), "the words are before it"
    for phase, changes in (
        ("running", {"picture": "https://x.example/spy.gif"}),
        ("stopped", {"picture": PICTURE, "actions": ["watch"]}),
        ("completed", {"picture": PICTURE, "clip": clip(f"{view.site.url}/clips/{LANDSCAPE}")}),
    ):
        view.change(card(phase, **changes))
        expect(picture).to_be_hidden()


def test_the_model_is_a_badge_and_the_other_facts_are_not(view: CardPage) -> None:
    view.open()
    view.show(card(facts=["sora-2", "4 s", "seed 42"]))
    expect(view.part("model")).to_have_text(["sora-2"])
    expect(view.part("fact")).to_have_text(["sora-2", "4 s", "seed 42"])


def test_copy_falls_back_to_a_selection_where_the_clipboard_is_refused(view: CardPage) -> None:
    view.open()
    view.show(card("stopped", command=COMMAND))
    copy = view.page.get_by_role("button", name="Copy")
    view.page.evaluate(
        "() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }"
    )
    copy.click()
    expect(view.page.get_by_text("Copied")).to_be_visible()
    assert view.page.evaluate("window.copied") == COMMAND
    view.page.evaluate(
        "() => { navigator.clipboard.writeText = async () => { throw new Error('no'); }; }"
    )
    view.page.get_by_role("button", name="Copied").click()
    expect(view.page.get_by_text("Selected")).to_be_visible()
    assert view.page.evaluate("String(getSelection())") == COMMAND


@pytest.mark.parametrize("width", [320, 800])
def test_a_long_id_is_cut_in_its_middle_and_copied_whole(view: CardPage, width: int) -> None:
    job_id = "video_" + "bGl0ZWxsbTpjdXN0b20" * 20 + "-its-own-end"
    view.open()
    view.page.set_viewport_size({"width": width, "height": 700})
    view.show(card(job_id=job_id))
    node = view.part("id")
    expect(node).to_have_attribute("title", job_id)
    assert (
        node.evaluate(
            "(node) => { getSelection().selectAllChildren(node); return String(getSelection()); }"
        )
        == job_id
    )
    head, tail = node.locator(".cometvid-id-head"), node.locator(".cometvid-id-tail")
    expect(tail).to_have_text(job_id[-8:])
    assert head.evaluate("(node) => node.scrollWidth > node.clientWidth")
    inner, outer, whole = tail.bounding_box(), node.bounding_box(), view.part("card").bounding_box()
    assert inner is not None
    assert outer is not None
    assert whole is not None
    assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 2, "the end is in sight"
    assert outer["x"] + outer["width"] <= whole["x"] + whole["width"]
    assert outer["height"] < 30, "one line"
    short = "video_0123456789abcdef01234567"
    view.change(card(job_id=short))
    expect(node).to_have_text(short)
    assert not head.evaluate("(node) => node.scrollWidth > node.clientWidth")


def test_another_take_is_asked_for_once(view: CardPage) -> None:
    view.open()
    running = card("running", actions=["stop"], note="made 3 min ago", can_repeat=True)
    view.show(running)
    button = view.part("again")
    expect(button).to_have_text("Another take")
    expect(view.part("note")).to_have_text("made 3 min ago")
    for _ in range(2):
        button.dispatch_event("click")
    # A running job goes on sending cards, and none of them may bring the button back.
    view.change(running | {"progress_percent": 60})
    expect(button).to_have_text("Creating…")
    expect(button).to_be_disabled()
    button.dispatch_event("click")
    assert view.sent() == [{"kind": "again", "job_id": running["job_id"]}]
    view.change(running | {"job_id": "video_2", "note": "another take", "can_repeat": False})
    expect(button).to_be_hidden()


# ---- the kernel's end


@pytest.mark.parametrize(
    "end",
    ["comm_live_update", "comm:close", "disposed", "dead", "restarting", "autorestarting"],
)
def test_a_card_without_its_kernel_stops_pretending(view: CardPage, end: str) -> None:
    view.open(at_s=NOW_S)
    view.show(card(now_s=NOW_S, can_repeat=True))
    if end.startswith("comm"):
        view.fire(end)
    elif end == "disposed":
        view.emit("disposed")
    else:
        view.emit("statusChanged", end)
    view.emit("connectionStatusChanged", "connected")  # a new kernel is not the one that watched
    problem = "The kernel stopped; the job itself goes on. Watch it again:"
    expect(view.part("problem")).to_have_text(problem)
    expect(view.part("command")).to_have_text(COMMAND)
    expect(view.part("timing")).to_be_hidden()
    expect(view.part("stop")).to_be_hidden()
    expect(view.part("again")).to_be_hidden()
    assert view.left_timers() == 0
    view.change(card(now_s=NOW_S))
    expect(view.part("timing")).to_contain_text("next check")


def test_a_lost_connection_is_told_until_it_is_back(view: CardPage) -> None:
    view.open()
    view.show(card())
    view.emit("statusChanged", "busy")
    view.emit("connectionStatusChanged", "disconnected")
    expect(view.part("problem")).to_contain_text("No connection to the kernel")
    expect(view.part("timing")).to_be_hidden()
    view.emit("connectionStatusChanged", "connected")
    expect(view.part("problem")).to_be_hidden()


def test_a_card_from_a_file_without_a_kernel_does_not_pretend(view: CardPage) -> None:
    view.open()
    view.show(card(), class_name="jupyter-widgets-disconnected")
    expect(view.part("problem")).to_contain_text("The kernel stopped")


def test_a_clip_that_only_a_dead_kernel_could_pass_on_is_not_waited_for(view: CardPage) -> None:
    view.open()
    view.show(card("completed", clip=clip()))
    view.wait_for_request()
    view.fire("comm_live_update")
    expect(view.part("message-text")).to_have_text(
        f"The clip can't be played here. The kernel stopped. For a fresh link: {COMMAND}"
    )
    view.page.get_by_role("button", name="Try again").click()
    expect(view.part("message-text")).to_contain_text("can't be played here")
    assert len(view.sent()) == 1
    view.change(card("completed", clip=clip(f"{view.site.url}/clips/{LANDSCAPE}")))
    view.wait_playable(LANDSCAPE)  # a new card brought a way


# ---- the player


def test_the_link_plays_in_place(view: CardPage) -> None:
    view.open()
    view.show(card())
    assert view.video.count() == 0
    view.change(card("completed", clip=clip(f"{view.site.url}/clips/{LANDSCAPE}")))
    view.wait_playable(LANDSCAPE)
    state = view.video.evaluate(
        "(v) => [v.controls, v.playsInline, v.preload, v.muted, v.autoplay, v.paused]"
    )
    assert state == [True, True, "metadata", True, False, True], (
        "silent until somebody wants to hear it"
    )
    view.video.evaluate("(v) => v.play()")
    view.page.wait_for_function("document.querySelector('video').currentTime > 0.1")
    assert view.sent() == []


def test_the_saved_file_goes_before_the_link(view: CardPage) -> None:
    view.open()
    link = f"{view.site.url}/clips/portrait.mp4"
    both = clip(link, path=LANDSCAPE)
    view.show(card("completed", clip=both), files=f"{view.site.url}/clips/")
    view.wait_playable(LANDSCAPE)
    assert "/clips/portrait.mp4" not in view.site.requests


def test_a_missing_file_gives_way_to_the_link(view: CardPage) -> None:
    view.open()
    link = f"{view.site.url}/clips/portrait.mp4"
    both = clip(link, path="gone.mp4")
    view.show(card("completed", clip=both), files=f"{view.site.url}/clips/")
    view.wait_playable("portrait.mp4")
    assert "/clips/gone.mp4" in view.site.requests


def test_a_silent_link_gives_way_after_eight_seconds(view: CardPage) -> None:
    view.open(at_s=NOW_S)
    view.show(card("completed", now_s=NOW_S, clip=clip(f"{view.site.url}/silent.mp4")))
    view.page.wait_for_function("document.querySelector('video')?.networkState === 2")
    view.run(7.5)
    assert view.sent() == []
    view.run(1)
    view.relay(LANDSCAPE)
    view.wait_playable("blob:")


@pytest.mark.parametrize(
    ("page_url", "link"),
    [
        (None, "javascript:alert(1)"),
        (None, "file:///etc/passwd"),
        (None, "data:text/html,<p>"),
        (None, "not a link"),
        ("https://hub.example/", "http://cdn.example/clip.mp4"),
        ("https://hub.example/", "http://127.0.0.1:9/clip.mp4"),
        ("http://hub.example/", "https://localhost:9/clip.mp4"),
    ],
)
def test_a_link_that_cannot_work_is_not_tried(
    view: CardPage, page_url: str | None, link: str
) -> None:
    asked: list[str] = []
    view.page.on("request", lambda request: asked.append(request.url))
    if page_url:  # the same page, as another host would serve it
        view.page.route(
            f"{page_url}**",
            lambda route: route.fulfill(
                response=route.fetch(
                    url=view.site.url + "/" + route.request.url.removeprefix(page_url)
                )
            ),
        )
    view.open(base_url=page_url)
    view.show(card("completed", clip=clip(link)))
    view.relay(LANDSCAPE)
    view.wait_playable("blob:")
    assert link not in asked


def test_the_kernel_passes_the_bytes_and_the_card_says_how_far(view: CardPage) -> None:
    view.open(at_s=NOW_S)
    view.show(card("completed", now_s=NOW_S, clip=clip(f"{view.site.url}/clips/gone.mp4")))
    request = view.wait_for_request()
    message = view.part("message-text")
    expect(message).to_have_text(
        "This link can't be reached from the browser, fetching the clip through the kernel…"
    )
    view.run(2.1)
    expect(message).to_contain_text("(waits until the running cell has finished)")
    first = {"kind": "clip_chunk", "offset": 0, "total": 10, "is_last": False}
    chunk = "(m) => model.fire('msg:custom', m, [new DataView(new ArrayBuffer(4))])"
    view.page.evaluate(chunk, first | {"request": request - 1})  # another view's
    expect(message).to_contain_text("waits")
    view.page.evaluate(chunk, first | {"request": request})
    expect(message).to_have_text(re.compile(r"through the kernel… 40%$"))


def test_when_nothing_plays_the_card_says_so_and_tries_again_on_request(view: CardPage) -> None:
    view.open()
    view.show(card("completed", clip=clip()))
    request = view.wait_for_request()
    view.page.evaluate(
        "(request) => model.fire('msg:custom',"
        " {kind: 'clip_failed', request, problem: 'The link answered 403.'}, [])",
        request,
    )
    expect(view.part("message-text")).to_have_text(
        f"The clip can't be played here. The link answered 403. For a fresh link: {COMMAND}"
    )
    view.page.get_by_role("button", name="Try again").click()
    view.page.wait_for_function("model.sent.length === 2")
    view.relay(LANDSCAPE)
    view.wait_playable("blob:")
    expect(view.part("message")).to_be_hidden()


@pytest.mark.parametrize(("offset", "total"), [(50, 4), (0, 99)])
def test_an_incomplete_relay_is_not_played(view: CardPage, offset: int, total: int) -> None:
    view.open()
    view.show(card("completed", clip=clip()))
    chunk = {"kind": "clip_chunk", "offset": offset, "total": total, "is_last": True}
    view.page.evaluate(
        "(m) => model.fire('msg:custom', m, [new DataView(new ArrayBuffer(4))])",
        chunk | {"request": view.wait_for_request()},
    )
    expect(view.part("message-text")).to_contain_text("It arrived incomplete.")


def test_a_path_that_comes_later_leaves_the_running_player_alone(view: CardPage) -> None:
    view.open()
    link = f"{view.site.url}/clips/{LANDSCAPE}"
    view.show(card("completed", clip=clip(link)), files=f"{view.site.url}/clips/")
    view.wait_playable(LANDSCAPE)
    view.video.evaluate("(v) => { window.before = v; return v.play(); }")
    view.change(card("completed", clip=clip(None, path="portrait.mp4")))
    assert view.video.evaluate("(v) => v === before && !v.paused")
    assert "/clips/portrait.mp4" not in view.site.requests


def test_a_link_that_dies_while_playing_is_replaced_at_the_same_place(view: CardPage) -> None:
    view.open()
    link = f"{view.site.url}/clips/{LANDSCAPE}"
    view.show(card("completed", clip=clip(link)), files=f"{view.site.url}/clips/")
    view.wait_playable(LANDSCAPE)
    view.page.mouse.click(5, 850)  # a page nobody touched may not start to play by itself
    view.video.evaluate("(v) => { v.loop = true; v.currentTime = 1.5; return v.play(); }")
    view.page.wait_for_function("document.querySelector('video').currentTime > 1.6")
    view.change(card("completed", clip=clip(link, path="square.mp4")))
    view.video.dispatch_event("error")
    view.wait_playable("square.mp4")
    assert view.video.evaluate("(v) => v.currentTime >= 1.5 && !v.paused")


@pytest.mark.parametrize("is_playing", [True, False])
def test_the_static_record_goes_on_where_the_player_was(view: CardPage, is_playing: bool) -> None:
    view.open()
    link = f"{view.site.url}/clips/{LANDSCAPE}"
    view.show(card("completed", clip=clip(link)))
    view.wait_playable(LANDSCAPE)
    view.page.mouse.click(5, 850)
    view.video.evaluate("(v) => { v.currentTime = 1.2; }")
    view.page.wait_for_function("!document.querySelector('video').seeking")
    if is_playing:
        view.video.evaluate("(v) => v.play()")
    view.page.evaluate(
        "(src) => { leave(); document.querySelector('#output').innerHTML ="
        " `<video id=record controls preload=metadata title=video_abc123 src=${src}>`; }",
        link,
    )
    view.page.wait_for_function("document.querySelector('#record').currentTime >= 1.2")
    view.page.wait_for_function(
        "(is) => document.querySelector('#record').paused !== is", arg=is_playing
    )


# ---- what it costs and leaves


def test_only_an_active_card_on_a_visible_page_ticks(view: CardPage) -> None:
    hide = (
        "(is) => { Object.defineProperty(document, 'hidden', {value: is, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    view.open(at_s=NOW_S)
    view.show(card(now_s=NOW_S))
    assert view.left_timers() == 1
    view.page.evaluate(hide, True)
    assert view.left_timers() == 0
    view.page.evaluate(hide, False)
    assert view.left_timers() == 1
    view.change(card("failed", now_s=NOW_S))
    assert view.left_timers() == 0


def test_leaving_ends_every_timer_listener_and_object_url(view: CardPage) -> None:
    view.open()
    view.show(card("completed", clip=clip()))
    view.relay(LANDSCAPE)
    view.wait_playable("blob:")
    source = view.video.evaluate("(v) => v.src")
    view.change(card("running"))
    view.part("stop").click()
    assert view.left_timers() == 2
    view.page.evaluate("leave()")
    assert view.left_timers() == 0
    assert view.page.evaluate("model.listeners.length") == 0
    assert view.page.evaluate(
        "Object.values(model.widget_manager.kernel).every((signal) => signal.slots.size === 0)"
    )
    assert view.page.evaluate("revoked") == [source]
    assert view.part("card").count() == 0


def test_reduced_motion_is_honoured(view: CardPage) -> None:
    view.page.emulate_media(reduced_motion="no-preference")
    moving = "document.getAnimations().length"
    view.open()
    view.show(card("queued"))
    assert view.page.evaluate(moving) > 0
    view.page.emulate_media(reduced_motion="reduce")
    assert view.page.evaluate(moving) == 0


def test_a_screen_reader_hears_states_and_quarters_only(view: CardPage) -> None:
    view.open()
    view.show(card("queued"))
    live = view.part("live")
    expect(live).to_have_attribute("aria-live", "polite")
    view.page.evaluate(
        "window.heard = []; new MutationObserver(() => heard.push("
        "document.querySelector('.cometvid-live').textContent))"
        ".observe(document.querySelector('.cometvid-live'), {childList: true, subtree: true})"
    )
    for percent in (1, 2, 24, 25, 26, 60, 61):
        view.change(card("running", progress_percent=percent))
    view.change(card("failed", problem="Blocked."))
    assert view.page.evaluate("heard") == [
        "Running",
        "Running. 25 percent",
        "Running. 50 percent",
        "Failed. Blocked.",
    ]


@pytest.mark.parametrize("theme", ["light", "dark", "dark-high-contrast"])
def test_axe_finds_nothing_in_any_phase(view: CardPage, theme: str) -> None:
    view.open()
    view.theme(theme)
    view.page.set_viewport_size({"width": 420, "height": 900})
    playable = clip(f"{view.site.url}/clips/{LANDSCAPE}")
    view.show(card())
    for phase, changes in PHASES.items():
        view.change(card(phase, **changes, clip=playable if phase == "completed" else None))
        assert view.violations(".cometvid-card") == [], (phase, theme)


def test_forced_colours_keep_the_bar_visible(view: CardPage) -> None:
    view.open()
    view.page.emulate_media(forced_colors="active")
    view.show(card("running"))
    probe = "const probe = document.body.appendChild(document.createElement('i'));"
    system, fill = view.page.evaluate(
        f"() => {{ {probe} probe.style.cssText ="
        " 'forced-color-adjust: none; background: Highlight';"
        " return [probe, document.querySelector('.cometvid-fill')]"
        ".map((node) => getComputedStyle(node).backgroundColor); }"
    )
    assert fill == system


def test_a_page_asks_for_news_only_where_it_has_to_and_until_all_is_over(view: CardPage) -> None:
    view.open(at_s=NOW_S)
    begin = """(every_s) => {
      const model = window.model = new Model({});
      const get = (name) => Model.prototype.get.call(model, name);
      model.get = (name) => (name === "pull_every_s" ? every_s : get(name));
      window.endModel = widget.initialize({ model });
    }"""

    def pulls_after(duration_s: float, is_over: bool | None = None) -> int:
        answer = "(is_over) => model.fire('msg:custom', { kind: 'pulled', is_over })"
        if is_over is not None:
            view.page.evaluate(answer, is_over)
        view.run(duration_s)
        return [message["kind"] for message in view.sent()].count("pull")

    view.page.evaluate(begin, 0)
    assert pulls_after(300) == 0
    assert view.left_timers() == 0
    view.page.evaluate(begin, 2)
    assert pulls_after(30) == 1  # a running cell keeps it waiting
    assert pulls_after(2.1, is_over=False) == 2
    assert pulls_after(300, is_over=True) == 2
    assert pulls_after(2.1, is_over=False) == 3  # watched again
    view.page.evaluate("endModel()")
    assert view.left_timers() == 0
    assert view.page.evaluate("model.listeners.length") == 0
