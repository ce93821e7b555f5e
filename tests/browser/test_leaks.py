"""What a page has shown and shows no more leaves nothing behind: no node, no listener, no timer."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import CDPSession

from tests.browser.card_page import CardPage, card, clip, gallery

NOW_S = 1_781_079_478
SHOW_AND_LEAVE = """async ([values, times]) => {
  const output = document.querySelector("#output");
  for (let time = 0; time < times; time++) {
    show(values[0]);
    const el = output.lastElementChild;
    for (const value of values) {
      model.change(value);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const name of ["title", "play", "sync-play"]) {
      el.querySelector(`.cometvid-${name}`)?.click();
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
    leave();
    el.remove();
    const slots = Object.values(model.widget_manager.kernel).map((signal) => signal.slots.size);
    if (model.listeners.length || Math.max(...slots)) throw new Error("a listener was left");
  }
  while (timers.size) await new Promise(requestAnimationFrame);  // a hand-over ends by itself
}"""


@pytest.fixture
def devtools(view: CardPage) -> CDPSession:
    return view.page.context.new_cdp_session(view.page)


def counts(devtools: CDPSession) -> dict[str, int]:
    """How many nodes and listeners the page holds, after the garbage has been collected."""
    for _ in range(2):
        devtools.send("HeapProfiler.collectGarbage")
    found: dict[str, int] = devtools.send("Memory.getDOMCounters")
    return {name: found[name] for name in ("nodes", "jsEventListeners")}


def phases(name: str, clip_url: str) -> list[dict[str, Any]]:
    """A card, or a gallery of three pages, from its beginning to its end and back again."""
    done = card("completed", clip=clip(clip_url))
    if name == "card":
        return [card(), done, card("failed", problem="No", command="%cometvid jobs"), done]
    pages = [
        gallery(*[one | {"job_id": f"video_{page}_{n}"} for n in range(3)], total=9, pages=3)
        for page, one in enumerate((card(), done, done))
    ]
    return [*pages, pages[1]]


@pytest.mark.parametrize("name", ["card", "gallery"])
def test_a_view_that_has_gone_leaves_nothing_behind(
    view: CardPage, devtools: CDPSession, name: str
) -> None:
    view.open(name="" if name == "card" else name)
    values = phases(name, f"{view.site.url}/clips/landscape.mp4")
    view.page.evaluate(SHOW_AND_LEAVE, [values, 2])
    before = counts(devtools)
    view.page.evaluate(SHOW_AND_LEAVE, [values, 6])
    after = counts(devtools)
    assert all(after[kind] < before[kind] + 60 for kind in before), (before, after)


def test_a_card_that_stays_keeps_none_that_has_gone(view: CardPage, devtools: CDPSession) -> None:
    view.open()
    done = card("completed", clip=clip(f"{view.site.url}/clips/landscape.mp4"))
    view.page.evaluate(
        "(d) => { window.ends = Array.from({ length: 10 }, () => { show(d); return leave; }) }",
        done,
    )
    view.page.wait_for_function("document.querySelectorAll('video').length === 10")
    view.show(done)
    view.wait_playable("landscape")
    together = counts(devtools)
    view.page.evaluate("() => { for (const end of ends) end(); ends = null; }")
    left = counts(devtools)
    assert left["nodes"] < together["nodes"] / 4
    view.page.evaluate("leave()")


def test_half_an_hour_of_news_leaves_nothing_behind(view: CardPage, devtools: CDPSession) -> None:
    view.open(at_s=NOW_S)

    def half_an_hour(minute: int) -> None:
        for at_s in range(NOW_S + minute * 60, NOW_S + (minute + 30) * 60, 60):
            news: dict[str, Any] = {
                "progress_percent": at_s % 97.0,
                "problem": "Slow" if at_s % 120 else None,
            }
            view.change(card(now_s=at_s, prompt="A comet. " * (at_s % 70), **news))
            view.run(60)

    view.show(card(now_s=NOW_S))
    half_an_hour(0)
    before = counts(devtools)
    half_an_hour(30)
    after = counts(devtools)
    assert view.left_timers() == 1
    assert all(after[kind] <= before[kind] + 20 for kind in before), (before, after)
