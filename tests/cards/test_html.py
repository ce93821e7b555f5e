"""The static record is safe against every text, and keeps the player in a saved notebook."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.cards.card import Card, Phase
from cometvid_nb.cards.card_html import card_to_bundle, card_to_html
from cometvid_nb.cards.clip import Clip
from cometvid_nb.cards.gallery import Gallery
from cometvid_nb.cards.gallery_html import gallery_to_html
from cometvid_nb.cards.text import card_to_progress_line, card_to_text, one_line
from cometvid_nb.clips.places import SavedClip
from cometvid_nb.job.job import Job
from cometvid_nb.job.rating import Flag, Rating
from cometvid_nb.watching.state import WatchState
from tests.strategies import NASTY_TEXTS

NOW_S = 1_781_079_478.0
URL = "https://clips.example/a.mp4?expires=1&signature=f00d"
KEEPS_KEYS = "data-lm-suppress-shortcuts"
OUR_TAGS = {
    "div": {"class", "dir", "style"},
    "table": set[str](),
    "tr": set[str](),
    "th": {"style"},
    "td": {"style"},
    "b": {"style"},
    "code": {"class", "style", "title"},
    "span": {"class", "style", "dir"},
    "a": {"href", "target", "rel", "style", KEEPS_KEYS},
    "details": {"class", "style"},
    "summary": {"style", KEEPS_KEYS},
    "img": {"loading", "width", "height", "style", "title", "src"},
    "video": {"controls", "preload", "playsinline", "width", "height", "style", "title", "src"}
    | {"loop", "muted", KEEPS_KEYS},
}
FOCUSABLE = {"video", "a", "summary", "button", "input", "select", "textarea"}


class Markup(HTMLParser):
    """What a browser would make of some HTML: its tags, attributes and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.strangers: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "img":  # it has no end
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.strangers.append(data)

    def handle_decl(self, decl: str) -> None:
        self.strangers.append(decl)

    def handle_pi(self, data: str) -> None:
        self.strangers.append(data)

    def unknown_decl(self, data: str) -> None:
        self.strangers.append(data)

    def attributes_of(self, tag: str) -> dict[str, str | None]:
        return next(attributes for name, attributes in self.tags if name == tag)


hostile = st.one_of(
    st.sampled_from([text for text in NASTY_TEXTS if text != "\ud800"]),
    st.text(st.sampled_from("<>&\"'`=/ \n\x00\x1b\u202eabc-!;#x"), max_size=30),
    st.text(max_size=20),
)
numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
clips = st.builds(
    Clip, st.one_of(st.none(), hostile), st.one_of(st.none(), hostile), hostile, numbers
)
cards = st.builds(
    Card,
    phase=st.sampled_from(Phase),
    job_id=hostile,
    headline=hostile,
    facts=st.lists(hostile, max_size=3).map(tuple),
    prompt=st.one_of(st.none(), hostile),
    progress_percent=st.one_of(st.none(), st.floats(0, 100)),
    aspect_ratio=st.floats(0.25, 4),
    elapsed_from_s=numbers,
    elapsed_to_s=numbers,
    problem=st.one_of(st.none(), hostile),
    advice=st.one_of(st.none(), hostile),
    command=st.one_of(st.none(), hostile),
    is_simulated=st.booleans(),
    clip=st.one_of(st.none(), clips),
    rating=st.one_of(
        st.none(),
        st.builds(
            Rating,
            st.one_of(st.none(), st.integers(1, 5)),
            st.one_of(st.none(), st.sampled_from(Flag)),
            st.lists(hostile, max_size=2).map(tuple),
            st.one_of(st.none(), hostile),
        ),
    ),
    typed_id=st.one_of(st.none(), hostile),
)


def check_markup(html: str) -> None:
    markup = Markup(html)
    assert markup.open == []
    assert markup.strangers == []
    for tag, attributes in markup.tags:
        assert tag in OUR_TAGS, f"<{tag}> is none of ours"
        assert set(attributes) <= OUR_TAGS[tag]
        for name in ("src", "href"):
            scheme = (attributes.get(name) or "").partition(":")[0].lower()
            assert scheme not in ("javascript", "data", "file", "vbscript")


@given(cards, st.booleans())
def test_no_text_can_add_a_tag_or_an_attribute(card: Card, is_player: bool) -> None:
    # A link gets into a card through `Job.parse` only.
    if card.clip is not None and card.clip.url is not None:
        url = Job.parse({"video_url": card.clip.url}).video_url
        card = replace(card, clip=replace(card.clip, url=url))
    check_markup(card_to_html(card, is_player=is_player))


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("is_player", [True, False])
@pytest.mark.parametrize("path", [None, "videos/a.mp4", "videos/<b>\"'.mp4"])
def test_the_same_hostile_text_in_every_place_stays_text(
    phase: Phase, is_player: bool, path: str | None
) -> None:
    for text in NASTY_TEXTS:
        clip = Clip("https://clips.example/\"'<b>&", path, text, NOW_S)
        card = Card(phase, text, text, (text,), text, problem=text, advice=text, command=text)
        rated = replace(
            card, clip=clip, rating=Rating(3, Flag.PICKED, (text,), text), typed_id=text
        )
        check_markup(card_to_html(rated, is_player=is_player))


@given(cards)
def test_the_text_of_a_record_never_speaks_to_the_terminal(card: Card) -> None:
    lines = card_to_text(replace(card, headline="Failed", facts=(), command=None, clip=None)).split(
        "\n"
    )
    assert all(line.isprintable() for line in lines)
    assert card_to_progress_line(replace(card, job_id="video_1", headline="x"), NOW_S).isprintable()


@given(cards, st.floats(0, 3e9), st.integers(20, 200))
def test_a_progress_line_fits(card: Card, now_s: float, width: int) -> None:
    assert len(card_to_progress_line(card, now_s, width)) <= width


def completed(**fields: Any) -> Card:
    body = {"id": "video_1", "status": "completed", "size": "1280x720", "model": "sora-2"}
    return Card.of_job(Job.parse(body | {"video_url": URL} | fields))


def test_the_player_is_a_video_with_its_own_src() -> None:
    """An untrusted notebook strips `source[src]`, `<style>` and `var(…)`: FACTS §2, measured."""
    html = card_to_html(completed())
    video = Markup(html).attributes_of("video")

    assert video["src"] == URL
    assert {"controls", "preload", "title", "width", "height"} <= set(video)
    # The one that helps only where it is not stripped, and is missed nowhere else.
    left = html.replace(f' {KEEPS_KEYS}="true"', "")
    for stripped in ("<source", "<style", "<script", "var(", "aria-", "data-"):
        assert stripped not in left


@pytest.mark.parametrize("is_player", [True, False])
def test_jupyterlab_leaves_the_keys_of_whatever_can_have_the_focus_alone(is_player: bool) -> None:
    others = (Clip(URL, None, None, None, number=1),)
    clip = Clip(URL, "videos/a.mp4", "videos/a.mp4", None, poster="data:image/png;base64,AA==")
    card = replace(completed(), clip=replace(clip, others=others))
    state = WatchState.begin("video_1", NOW_S, 600)
    gallery = gallery_to_html(Gallery([state]), [card], is_player=is_player)
    for html in (card_to_html(card, is_player=is_player), gallery):
        found = [attributes for tag, attributes in Markup(html).tags if tag in FOCUSABLE]
        assert found
        assert all(attributes.get(KEEPS_KEYS) == "true" for attributes in found)


@pytest.mark.parametrize(
    ("size", "shape"), [("1280x720", ("640", "360")), ("720x1280", ("270", "480"))]
)
def test_the_player_has_its_shape_before_the_clip_is_loaded(
    size: str, shape: tuple[str, str]
) -> None:
    video = Markup(card_to_html(completed(size=size))).attributes_of("video")
    assert (video["width"], video["height"]) == shape


def test_a_saved_clip_is_played_from_beside_the_notebook() -> None:
    clip = Clip(URL, "my videos/50% #1.mp4", "my videos/50% #1.mp4", None)
    card = replace(completed(), clip=clip)
    html = card_to_html(card)

    assert Markup(html).attributes_of("video")["src"] == "my%20videos/50%25%20%231.mp4"
    assert "signature" not in html, "the saved notebook must not carry the signed link as well"
    assert card_to_text(card).endswith("\nmy videos/50% #1.mp4")


def test_a_page_loads_nothing_before_it_knows_where_a_relative_path_leads() -> None:
    clip = Clip(None, "videos/a.mp4", "videos/a.mp4", None)
    beside = card_to_html(replace(completed(), clip=clip))
    assert Markup(beside).attributes_of("video")["preload"] == "none"
    elsewhere = card_to_html(completed())
    assert Markup(elsewhere).attributes_of("video")["preload"] == "metadata"
    picture = card_to_html(replace(completed(), clip=replace(clip, is_image=True)))
    assert Markup(picture).attributes_of("img")["loading"] == "lazy"


def test_words_stay_apart_where_a_page_strips_all_styles() -> None:
    clip = Clip(None, "videos/a.mp4", "videos/a.mp4", None)
    card = replace(completed(), clip=clip, elapsed_from_s=0.0, elapsed_to_s=46.0)
    text = Markup(card_to_html(card)).text
    for words in ("Completed took 0:46", "sora-2 1280×720", "video_1 Saved to videos/a.mp4"):
        assert words in text
    gallery = Gallery([WatchState.begin("video_1", NOW_S, 600)])
    text = Markup(gallery_to_html(gallery, [card])).text
    for words in ("Completed took 0:46", "Live again: %cometvid watch"):
        assert words in " ".join(text.split())


def test_without_any_way_to_the_clip_there_is_no_player() -> None:
    html = card_to_html(completed(video_url=None))
    assert "<video" not in html
    assert "Completed" in html


def test_an_active_job_and_a_status_question_show_a_table() -> None:
    running = Card.of_job(Job.parse({"id": "video_1", "status": "queued", "prompt": "A <b>comet"}))
    for html in (card_to_html(running), card_to_html(completed(), is_player=False)):
        markup = Markup(html)
        assert ("table", {}) in markup.tags
        assert "video" not in dict(markup.tags)
    assert "A <b>comet" in Markup(card_to_html(running)).text


def test_a_failure_shows_reason_and_advice_in_html_and_text() -> None:
    card = Card.of_job(Job.parse({"id": "v", "status": "failed", "error": "blocked <by> rules"}))
    card = replace(card, advice="Change the prompt.")
    bundle = card_to_bundle(card)

    for shown in (Markup(bundle["text/html"]).text, bundle["text/plain"]):
        assert "blocked <by> rules" in shown
        assert "Change the prompt." in shown


def test_a_simulation_says_so_everywhere() -> None:
    card = replace(completed(), is_simulated=True)
    assert "Simulation" in card_to_html(card)
    assert "simulation" in card_to_html(card, is_player=False)
    assert "simulation" in card_to_text(card)


def test_a_link_says_how_long_it_works() -> None:
    assert "plays until 2026-06-10" in card_to_html(completed(expires_at=NOW_S))
    assert "about an hour" in card_to_html(completed())


def test_a_progress_line_shows_bar_state_clock_and_what_is_left() -> None:
    card = Card(
        Phase.RUNNING,
        "video_1",
        "In progress",
        progress_percent=50.0,
        elapsed_from_s=NOW_S - 65,
        checks_at_s=(NOW_S,),
        remaining_s=(20.0, 40.0),
    )
    line = card_to_progress_line(card, NOW_S)
    assert line == "video_1  [████████········]  In progress, 50%  1:05 elapsed  20–40 s left"
    assert "left" not in card_to_progress_line(card, NOW_S + 41), (
        "an estimate that ran out vanishes"
    )


def test_one_line_is_short_and_printable() -> None:
    assert one_line("a\n\x1b[31m b\u2028c") == "a [31m b c"
    assert one_line("x" * 1000, 10) == "xxxxxxxxx…"


def test_a_record_shows_what_a_person_thinks_and_how_to_go_on_without_a_script() -> None:
    rating = Rating(4, Flag.PICKED, ("sky", "night"), "The best $ of them.")
    card = replace(completed(), rating=rating)
    for told in (Markup(card_to_html(card)).text, card_to_text(card)):
        for words in ("★★★★☆ · picked", "#sky", "#night", "The best $ of them."):
            assert words in told
    html = Markup(card_to_html(card))
    for line in ('remix video_1 ""', 'continue video_1 ""', "rate video_1 --stars 5"):
        assert f"%cometvid {line}" in html.text
    link = next(attributes for tag, attributes in html.tags if "target" in attributes)
    assert (link["href"], link["target"]) == (URL, "_blank")
    assert "★" not in card_to_html(completed()), "nothing is given"


def test_rejected_takes_fold_away_in_a_gallery_s_record_and_are_all_there() -> None:
    state = WatchState.begin("video_1", NOW_S, 600)
    flags = [Flag.REJECTED, None, Flag.REJECTED, Flag.PICKED]
    cards = [
        replace(completed(id=f"video_{n}"), rating=Rating(flag=flag))
        for n, flag in enumerate(flags)
    ]
    before, _, after = gallery_to_html(Gallery([state]), cards).partition("<details")
    assert [f"video_{n}" in before for n in range(4)] == [False, True, False, True]
    assert [f"video_{n}" in after for n in range(4)] == [True, False, True, False]
    assert "2 rejected takes" in after


def test_a_gif_stands_in_a_record_as_the_picture_it_is() -> None:
    gif = Clip(None, "videos/a b.gif", "videos/a b.gif", None, is_image=True)
    tags = Markup(card_to_html(Card(Phase.COMPLETED, "video_1", "Completed", clip=gif))).tags
    assert [attributes["src"] for tag, attributes in tags if tag == "img"] == ["videos/a%20b.gif"]
    assert [tag for tag, _ in tags if tag == "video"] == []


def test_a_record_plays_every_clip_of_a_job_and_names_where_they_lie() -> None:
    second = Clip(None, "videos/b.webm", "videos/b.webm", None, number=1)
    third = Clip("https://c.example/c.mp4", None, None, None, number=2)
    first = Clip(None, "videos/a.mp4", "videos/a.mp4", None, others=(second, third))
    shown = Markup(card_to_html(Card(Phase.COMPLETED, "video_1", "Completed", clip=first)))
    assert [attributes["src"] for tag, attributes in shown.tags if tag == "video"] == [
        "videos/a.mp4",
        "videos/b.webm",
        "https://c.example/c.mp4",
    ]
    assert "Saved to videos/a.mp4, videos/b.webm" in shown.text


def test_a_record_tells_why_its_player_may_stay_black() -> None:
    saved = SavedClip("/n/a.mp4", "a.mp4", "a.mp4", 9, codec="HEVC (H.265)")
    done = Job.parse({"id": "video_1", "status": "completed"})
    state = WatchState.begin("video_1", 0.0, 60.0).remembered(done, saved, 10.0)
    for told in card_to_bundle(Card.of_watch(state)).values():
        assert "The clip is HEVC (H.265), which most browsers do not play." in told
        assert "VLC" in told
