"""Cards and galleries on one page: none changes the looks of the other."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest

from cometvid_nb.display.jobs_widget import JobsWidget
from cometvid_nb.display.widget import STYLES, CardWidget, GridWidget, join
from tests.browser.card_page import CardPage, card, clip, gallery

CHANGED = """async ([href, isFirst]) => {
    const css = await (await fetch(href)).text();
    const nodes = [...document.querySelectorAll("#output :not(option, svg *)")];
    const looks = () => nodes.map((node) => {
        const style = getComputedStyle(node);
        return [...style].map((name) => `${name}: ${style.getPropertyValue(name)}`).join("; ");
    });
    const sheet = (text) => Object.assign(document.createElement("style"), { textContent: text });
    document.head.append(sheet("* { transition: none !important; animation: none !important; }"));
    // In one task, so that no clip comes in between one look and the next.
    const alone = looks();
    document.head[isFirst ? "prepend" : "append"](sheet(css));
    return looks().filter((look, place) => look !== alone[place]);
}"""


def test_every_widget_brings_the_same_sheet_whose_parts_name_nothing_alike() -> None:
    assert CardWidget._css == GridWidget._css == JobsWidget._css
    plain = [
        set(re.findall(r"^(\.cometvid-[\w-]+) \{", join(name), re.MULTILINE)) for name in STYLES
    ]
    assert all(plain)
    assert [one & other for one, other in combinations(plain, 2) if one & other] == []


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 900, "height": 900}}


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("name", "other"), [("gallery", "card"), ("card", "gallery")])
def test_the_styles_of_another_widget_change_nothing(
    view: CardPage, name: str, other: str, is_first: bool
) -> None:
    cards = [
        card("running"),
        card("completed", job_id="video_2", clip=clip(f"{view.site.url}/clips/portrait.mp4")),
        card("stopped", job_id="video_3", actions=["watch"], command="%cometvid x"),
    ]
    view.open(name="" if name == "card" else name)
    if name == "gallery":
        view.show(gallery(*cards, pages=2))
        view.part("title").last.click()
        view.page.evaluate("document.activeElement.blur()")
    else:
        for one in cards:
            view.show(one)
        view.wait_playable("portrait")
    assert view.page.evaluate(CHANGED, [f"/{other}.css", is_first]) == []
