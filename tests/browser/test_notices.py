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


def notices(view: CardPage) -> object:
    return view.page.evaluate("notices")


def test_a_gallery_is_counted_to_its_end_where_no_view_of_it_is_left(view: CardPage) -> None:
    view.open(name="gallery")
    shown = gallery(job(1), job(2))
    begin(view, shown)
    assert title(view) == "(0/2) gallery"
    change = """([gallery, cards]) =>
        models[0].fire("msg:custom", { kind: "gallery_change", gallery, cards }, [])"""
    for number, totals in ((1, {"running": 1, "completed": 1}), (2, {"running": 0, "failed": 1})):
        shown["totals"] |= totals
        phase = "completed" if number == 1 else "failed"
        head = {key: value for key, value in shown.items() if key != "cards"}
        view.page.evaluate(change, [head, {f"video_{number}": job(number, phase)}])
        assert title(view) == ["", "(1/2) gallery", "gallery"][number]


def test_a_job_that_gives_its_card_to_another_is_counted_no_longer(view: CardPage) -> None:
    view.open()
    begin(view, job(1))
    tell(view, 0, job(2))
    assert title(view) == "(0/1) card"
    tell(view, 0, job(2, "completed"))
    assert title(view) == "card"


def test_a_bell_rings_once_at_the_end_of_its_own_card_or_gallery(view: CardPage) -> None:
    view.open(name="gallery")
    view.page.evaluate(AWAY)
    batch = gallery(job(1), job(2), job(3))
    view.show(batch)
    view.page.evaluate("() => { window.models = [model]; widget.initialize({ model }); }")
    view.page.evaluate(BEGIN, gallery(job(9)))  # its id may be mistyped: it is asked for a while
    other = "models[1].get = (name) => (name === 'record_token' ? 'other' : models[1].value)"
    view.page.evaluate(f"{other}; models[1].change(models[1].value)")
    assert view.page.evaluate("Notification.asked") == 0, "never asked for unbidden"
    view.page.get_by_role("button", name=BELL).click()
    told = view.page.get_by_role("button", name="A notification comes at the end, unless")
    expect(told).to_have_attribute("aria-pressed", "true")
    assert view.page.evaluate("Notification.asked") == 1
    view.part("title").first.click()
    view.part("panel").get_by_role("button", name=BELL).click()  # of this job alone
    expect(told).to_have_count(2)
    ends = {1: "completed", 2: "failed", 3: "stopped"}
    more = " over the sea" * 20
    # Some desktops would read markup: nothing comes of it where no name follows the "<".
    short = f"<\u200bb>Comet<\u200b/b> 1{more[:105]}…"
    for number, phase in ends.items():
        prompt = f"<b>Comet</b> {number}{more}"
        batch["cards"][f"video_{number}"] = job(number, phase, prompt=prompt)
        group = {"stopped": "other"}.get(phase, phase)
        batch["totals"] |= {"running": 3 - number, group: 1}
        tell(view, 0, batch)
        if number == 1:
            assert notices(view) == [["The job has ended", short]]
    assert title(view).startswith("(3/4) ")
    everything = ["3 jobs have ended", "1 done, 1 failed, 1 no longer watched"]
    assert notices(view) == [["The job has ended", short], everything]
    # Else the second would take the place of what still stands on the desktop without a sound.
    assert len(set(view.page.evaluate("tags"))) == 2
    tell(view, 0, {**batch, "command": "%cometvid jobs"})
    assert len(view.page.evaluate("notices")) == 2


def test_the_cards_of_one_job_share_its_bell_and_two_pages_tell_one_thing(view: CardPage) -> None:
    tags = []
    for _ in range(2):
        view.open()
        view.page.evaluate(AWAY)
        begin(view, job(1), job(2))
        for number in (1, 1, 2):
            view.show(job(number))
        view.page.get_by_role("button", name=BELL).first.click()
        on = view.page.get_by_role("button", name="A notification comes")
        expect(on).to_have_count(2)
        tell(view, 1, job(2, "completed"))
        assert notices(view) == []
        tell(view, 0, job(1, "completed"))
        expect(on).to_have_count(0)
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
        ("Notification.answer = 'denied'", "blocked. Allow them at the left of the page's address"),
        ("Notification.answer = 'default'", "not allowed. Press again to be asked once more."),
        ("window.Notification = undefined", "This page can't notify: its address is not https."),
    ],
)
def test_a_bell_that_cannot_ring_says_why_and_what_to_do(
    view: CardPage, setting: str, words: str
) -> None:
    view.open()
    view.page.evaluate(AWAY)
    view.page.evaluate(setting)
    view.show(job(1))
    view.page.get_by_role("button", name=BELL).click()
    bell = view.page.get_by_role("button", name=words)
    expect(bell).to_be_visible()
    expect(bell).to_have_attribute("aria-pressed", "false")


def test_a_page_inside_one_of_elsewhere_says_that_it_cannot_notify(view: CardPage) -> None:
    view.open(base_url=view.site.url.replace("127.0.0.1", "localhost"))
    add = """(url) => {
        const frame = document.createElement("iframe");
        document.body.append(Object.assign(frame, { src: url }));
    }"""
    with view.page.expect_event("frameattached") as attached:
        view.page.evaluate(add, view.site.url)
    frame = attached.value
    frame.wait_for_function("window.isReady")
    frame.evaluate("(card) => show(card)", job(1))
    frame.get_by_role("button", name=BELL).click()
    words = "This page can't notify: it stands inside another one."
    expect(frame.get_by_role("button", name=words)).to_be_visible()
