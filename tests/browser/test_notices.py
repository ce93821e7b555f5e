"""What the page tells of jobs while nobody looks: the count in its title, and the bell."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.card_page import CardPage, card, gallery

AWAY = """() => {
    document.hasFocus = () => false;
    window.notices = [];
    window.tags = [];
    const Real = window.Notification;
    window.Notification = class extends EventTarget {
        static permission = "default";
        static asked = 0;
        static answer = "granted";
        static async requestPermission() {
            window.Notification.asked++;
            return (window.Notification.permission = window.Notification.answer);
        }
        constructor(title, { body, tag }) {
            super();
            notices.push([title, body]);
            tags.push(tag);
        }
        close() {}
    };
}"""
"""A page that is not in front, and a desktop that writes down what it is told."""
BEGIN = """(value) => {
    const model = new Model(value);
    (window.models ??= []).push(model);
    widget.initialize({ model });
}"""
BELL = "Tell me when it ends"


def job(number: int, phase: str = "running", **changes: Any) -> dict[str, Any]:
    return card(phase, job_id=f"video_{number}", **changes)


def begin(view: CardPage, *values: dict[str, Any]) -> None:
    """Models as the kernel makes them; each hears of its jobs once more, as a page that is open."""
    for value in values:
        view.page.evaluate(BEGIN, value)
        tell(view, view.page.evaluate("models.length") - 1, value)


def tell(view: CardPage, index: int, value: dict[str, Any]) -> None:
    view.page.evaluate("([index, value]) => models[index].change(value)", [index, value])


def title(view: CardPage) -> str:
    return str(view.page.title())


def test_the_title_counts_each_job_once_and_is_itself_again_at_the_end(view: CardPage) -> None:
    view.open()
    view.page.evaluate("document.title = 'My notebook'")
    begin(view, job(1), job(2), job(3, "completed"), job(1))
    assert title(view) == "(0/2) My notebook"
    tell(view, 0, job(1, "completed"))
    assert title(view) == "(1/2) My notebook"
    # Another tab came to the front: what the page is called now stays its name.
    view.page.evaluate("document.title = 'Another'")
    view.page.wait_for_function("document.title === '(1/2) Another'")
    tell(view, 1, job(2, "failed"))
    assert title(view) == "Another"
    tell(view, 1, job(2))  # it is watched again
    assert title(view) == "(0/1) Another"
    view.page.evaluate("models[1].fire('comm:close')")
    assert title(view) == "Another"


def test_a_gallery_counts_what_is_on_its_other_pages(view: CardPage) -> None:
    view.open(name="gallery")
    shown = gallery(job(1), job(2, "completed"), total=50)
    shown["totals"] |= {"running": 20, "completed": 30}
    begin(view, shown)
    assert title(view) == "(30/50) gallery"
    shown["totals"] |= {"running": 0, "completed": 48, "failed": 2}
    tell(view, 0, {**shown, "cards": {}, "order": []})
    assert title(view) == "gallery"


def test_the_bell_asks_once_and_one_notice_comes_for_a_batch(view: CardPage) -> None:
    view.open()
    view.page.evaluate(AWAY)
    begin(view, job(1), job(2), job(3))
    view.show(job(1))
    view.show(job(1))
    assert view.page.evaluate("Notification.asked") == 0, "never asked for unbidden"
    view.page.get_by_role("button", name=BELL).first.click()
    told = view.page.get_by_role("button", name="A notification comes at the end")
    expect(told).to_have_count(2)
    assert view.page.evaluate("Notification.asked") == 1
    for number in (1, 2):
        tell(view, number - 1, job(number, "completed"))
    assert view.page.evaluate("notices") == []
    tell(view, 2, job(3, "failed"))
    tell(view, 2, job(3, "failed", note="A word after the end."))
    assert view.page.evaluate("notices") == [["3 jobs have ended", "2 done, 1 failed"]]
    begin(view, job(4))
    tell(view, 3, job(4, "completed", prompt="A comet"))
    assert view.page.evaluate("notices[1]") == ["The job has ended", "A comet"]
    # Else it would take the place of what still stands on the desktop without a sound.
    assert len(set(view.page.evaluate("tags"))) == 2


def test_two_pages_that_follow_the_same_jobs_tell_one_thing(view: CardPage) -> None:
    tags = []
    for order in ((1, 2), (2, 1)):
        view.open()
        view.page.evaluate(AWAY)
        begin(view, *(job(number) for number in order))
        view.show(job(1))
        view.page.get_by_role("button", name=BELL).click()
        expect(view.page.get_by_role("button", name="A notification comes")).to_be_visible()
        for place, number in enumerate(order):
            tell(view, place, job(number, "completed"))
        tags += view.page.evaluate("tags")
    assert len(tags) == 2
    assert len(set(tags)) == 1


@pytest.mark.parametrize("why", ["in front", "no bell", "no kernel", "record"])
def test_no_notice_comes_where_none_is_wanted(view: CardPage, why: str) -> None:
    view.open()
    view.page.evaluate(AWAY)
    if why == "record":
        begin(view, job(1, "completed"))
    else:
        begin(view, job(1))
        view.show(job(1))
        if why != "no bell":
            view.page.get_by_role("button", name=BELL).click()
            expect(view.page.get_by_role("button", name="A notification comes")).to_be_visible()
        if why == "in front":
            view.page.evaluate("document.hasFocus = () => true")
        if why == "no kernel":
            view.page.evaluate("models[0].fire('comm:close')")
    tell(view, 0, job(1, "completed"))
    assert view.page.evaluate("notices") == []
    assert title(view) == "card"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("Notification.answer = 'denied'", "The browser blocks notifications of this page."),
        ("Notification.answer = 'default'", "Notifications were not allowed."),
        ("delete window.Notification", "This page can't notify: its address is not https."),
    ],
)
def test_a_bell_that_cannot_ring_says_so(view: CardPage, setting: str, words: str) -> None:
    view.open()
    view.page.evaluate(AWAY)
    view.page.evaluate(setting if setting.startswith("N") else "window.Notification = undefined")
    view.show(job(1))
    view.page.get_by_role("button", name=BELL).click()
    bell = view.page.get_by_role("button", name=words)
    expect(bell).to_be_visible()
    expect(bell).to_have_attribute("aria-pressed", "false")
