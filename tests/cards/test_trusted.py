"""What a record gains where styles and scripts are allowed, and what it says where they are not."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cometvid_nb.cards import trusted
from cometvid_nb.cards.beside import beside_bundle, dated
from cometvid_nb.cards.card import Card, Phase
from cometvid_nb.cards.card_html import card_to_bundle, card_to_html
from cometvid_nb.cards.clip import Clip
from cometvid_nb.clips.places import Saving
from cometvid_nb.display.widget import join

NOW_S = 1_781_079_478.0
MOMENT = "2026-06-10 08:17 UTC"
RUNNING = Card(
    Phase.RUNNING,
    "video_1",
    "In progress",
    progress_percent=45.0,
    watch_command="%cometvid watch video_1",
)


def test_the_record_has_the_icons_of_the_live_card() -> None:
    script = join("words.js")
    ring = re.search(r'RING = "([^"]+)"', script)
    assert ring is not None
    table = script[script.index("const ICONS") : script.index("const ACTIVE_PHASES")]
    drawn = {
        phase: path.replace("${RING}", ring[1])
        for phase, path in re.findall(r'^ *(\w+): [`"]([^`"]+)[`"],', table, re.MULTILINE)
    }
    assert drawn == trusted.ICONS
    assert set(drawn) == set(Phase)


def test_the_styles_of_a_record_touch_nothing_else() -> None:
    rules = re.sub(r"@[^{]+\{|^\s+", "", trusted.STYLE)
    for selectors in re.findall(r"([^{}]+)\{", rules):
        for selector in re.split(r",\s*(?![^(]*\))", selectors.strip()):
            ours = ("cometvid-record", "cometvid-dated", "cometvid-tall", "cometvid-push")
            assert any(name in selector for name in ours), selector


def test_a_record_of_what_still_goes_on_says_when_that_was_known_and_what_to_do() -> None:
    bundle = card_to_bundle(RUNNING, known_at_s=NOW_S)
    for told in bundle.values():
        assert "In progress, 45%" in told
        assert f"at {MOMENT}" in told
        assert "%cometvid watch video_1" in told
    saving = replace(RUNNING, phase=Phase.COMPLETED, saving=Saving(1_000_000, 8_000_000))
    assert f"at {MOMENT}" in card_to_bundle(saving, known_at_s=NOW_S)["text/html"]
    over = replace(RUNNING, phase=Phase.FAILED, headline="Failed")
    assert MOMENT not in card_to_bundle(over, known_at_s=NOW_S)["text/html"]
    for told in dated({"text/html": "<b>4 jobs</b>", "text/plain": "4 jobs"}, NOW_S, "%x").values():
        assert MOMENT in told
        assert "%x" in told
        assert "4 jobs" in told


@pytest.mark.parametrize("poster", [None, "data:image/webp;base64,AA=="])
def test_a_clip_that_most_browsers_do_not_play_has_a_picture_or_words_and_no_dead_player(
    poster: str | None,
) -> None:
    clip = Clip(None, "a b.mp4", "a b.mp4", None, poster=poster, codec="HEVC (H.265)")
    html = card_to_html(Card(Phase.COMPLETED, "video_1", "Completed", clip=clip))
    assert "<video" not in html
    assert bool(re.search(r'<a [^>]*href="a%20b.mp4"[^>]*><img', html)) == (poster is not None)


def test_a_record_beside_a_widget_keeps_its_text_and_has_the_rules_in_itself() -> None:
    bundle = beside_bundle({"text/html": "<b>known</b>", "text/plain": "known"})
    assert bundle["text/plain"] == "known"
    assert bundle["text/html"].startswith('<div class="cometvid-beside"><style>')
    assert bundle["text/html"].endswith("<b>known</b></div>")
    # `:has` within `:has` is no CSS: a browser drops the rule.
    for selector in re.findall(r"([^{}]+)\{", bundle["text/html"]):
        inside = re.sub(r":has\([^()]*(\([^()]*\))*[^()]*\)", "", selector)
        assert ":has(" not in inside.replace(":not()", "")
