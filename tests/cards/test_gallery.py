"""The gallery counts right, shows a page, and tells no more than what can be seen to change."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.cards.card import Card, Phase
from cometvid_nb.cards.gallery import PAGE_CARDS, Gallery, Group, Sort, group_of
from cometvid_nb.cards.gallery_html import gallery_to_bundle, gallery_to_html
from cometvid_nb.cards.text import gallery_to_progress_line, gallery_to_text
from cometvid_nb.clips.places import SavedClip
from cometvid_nb.job.job import Job
from cometvid_nb.watching.state import WatchState
from tests.strategies import NASTY_TEXTS

NOW_S = 1_781_079_478.0
POSTER = "data:image/jpeg;base64,QUJD"


def begun(job_id: str, **fields: Any) -> WatchState:
    return WatchState.begin(job_id, NOW_S, 3600.0, **fields)


def answered(job_id: str, status: str, at_s: float = NOW_S + 1, **fields: Any) -> WatchState:
    job = Job.parse({"id": job_id, "status": status} | fields)
    return begun(job_id).answered(job, at_s)


def saved(job_id: str, poster: str | None = POSTER) -> WatchState:
    clip = SavedClip(f"/x/{job_id}.mp4", f"videos/{job_id}.mp4", f"videos/{job_id}.mp4", 9, poster)
    return replace(answered(job_id, "completed"), saved=clip)


def ids(count: int) -> list[str]:
    return [f"video_{number}" for number in range(count)]


def seen(gallery: Gallery, now_s: float = NOW_S) -> list[str]:
    order: list[str] = gallery.to_json(now_s)["order"]
    return order


states = st.sampled_from(
    [
        begun,
        *(
            lambda job_id, status=status, percent=percent: answered(
                job_id, status, progress=percent
            )
            for status in ("queued", "in_progress", "completed", "failed", "thinking")
            for percent in (None, 40)
        ),
        saved,
        lambda job_id: begun(job_id).stopped(NOW_S + 5),
        lambda job_id: begun(job_id).gave_up(NOW_S + 9),
    ]
)
events = st.lists(st.tuples(st.integers(0, 70), states), max_size=120)


@given(events)
def test_the_counters_are_what_counting_anew_would_give(
    events: list[tuple[int, Any]],
) -> None:
    gallery, latest = Gallery(()), {}
    for number, make in events:
        state = make(f"video_{number}")
        gallery.see(state)
        latest[state.job_id] = state
    groups = [group_of(state) for state in latest.values()]
    assert gallery.totals == {group: groups.count(group) for group in Group}
    assert sum(gallery.totals.values()) == gallery.total == len(latest)
    assert gallery.is_settled == all(state.is_settled for state in latest.values())


@given(
    events,
    st.sampled_from(["all", *Group, 7, None]),
    st.sampled_from([*Sort, "no"]),
    st.integers(-2, 4),
)
def test_a_page_that_merges_the_changes_shows_what_the_kernel_would(
    events: list[tuple[int, Any]], only: object, sort: object, page: int
) -> None:
    gallery = Gallery(begun(job_id) for job_id in ids(60))
    shown = gallery.to_json(NOW_S)
    gallery.browse({"filter": only, "sort": sort, "page": page})
    for number, (index, make) in enumerate(events):
        gallery.see(make(f"video_{index}"))
        if number % 3 == 0:
            shown = merged(shown, gallery.change(NOW_S))
    shown = merged(shown, gallery.change(NOW_S))
    whole = gallery.to_json(NOW_S)
    assert {**shown, "sent_at_s": 0} == {**whole, "sent_at_s": 0}
    assert set(whole["cards"]) == set(whole["order"])
    assert len(whole["order"]) <= PAGE_CARDS
    assert 1 <= whole["page"] <= whole["pages"]
    assert gallery.change(NOW_S) is None, "told already"
    json.dumps(whole)


def merged(shown: dict[str, Any], change: dict[str, Any] | None) -> dict[str, Any]:
    """What the page makes of a message; see `gallery.js`."""
    if change is None:
        return shown
    cards = {**shown["cards"], **change["cards"]}
    kept = {job_id: cards[job_id] for job_id in change["gallery"]["order"]}
    return {**change["gallery"], "cards": kept}


def test_a_change_on_another_page_is_told_only_through_the_totals() -> None:
    gallery = Gallery(answered(job_id, "in_progress", progress=10) for job_id in ids(100))
    gallery.to_json(NOW_S)
    gallery.see(answered("video_70", "in_progress", progress=50))
    assert gallery.change(NOW_S) is None
    gallery.see(saved("video_70"))
    change = gallery.change(NOW_S)
    assert change is not None
    assert change["cards"] == {}
    assert change["gallery"]["totals"]["completed"] == 1


def test_a_changed_card_goes_alone() -> None:
    gallery = Gallery(begun(job_id) for job_id in ids(10))
    gallery.to_json(NOW_S)
    gallery.see(answered("video_3", "queued"))
    change = gallery.change(NOW_S)
    assert change is not None
    assert list(change["cards"]) == ["video_3"]


def test_pages_and_filters_cut_what_there_is() -> None:
    gallery = Gallery(
        answered(job_id, "failed" if number % 2 else "queued")
        for number, job_id in enumerate(ids(120))
    )
    gallery.browse({"filter": "failed", "sort": "added", "page": 2})
    whole = gallery.to_json(NOW_S)
    assert (whole["matching"], whole["page"], whole["pages"]) == (60, 2, 2)
    assert whole["order"] == [f"video_{n}" for n in range(97, 120, 2)]
    gallery.browse({"filter": "other", "sort": "added", "page": 99})
    assert gallery.to_json(NOW_S)["page"] == 1


def test_each_order_puts_first_what_it_is_named_for() -> None:
    gallery = Gallery(
        [
            saved("done"),
            answered("slow", "in_progress", progress=20, created_at=NOW_S - 500),
            answered("waits", "queued"),
            answered("bad", "failed"),
            answered("quick", "in_progress", progress=80),
        ]
    )
    expected = {
        "added": ["done", "slow", "waits", "bad", "quick"],
        "state": ["slow", "quick", "waits", "bad", "done"],
        "progress": ["quick", "slow", "waits", "bad", "done"],
    }
    for sort, order in expected.items():
        gallery.browse({"sort": sort})
        assert seen(gallery) == order
    gallery.browse({"sort": "longest"})
    assert seen(gallery, NOW_S + 60)[0] == "slow"


def test_a_card_carries_its_poster_once_and_few_checks() -> None:
    running = replace(
        answered("video_1", "in_progress"), checks_at_s=tuple(NOW_S + n for n in range(9))
    )
    cards = Gallery([saved("video_0"), running]).to_json(NOW_S)["cards"]
    assert cards["video_0"]["poster"] == POSTER
    assert json.dumps(cards["video_0"]).count(POSTER) == 1
    assert cards["video_1"]["poster"] is None
    assert len(cards["video_1"]["checks_at_s"]) == 3


def test_what_has_ended_is_told_once() -> None:
    gallery = Gallery([saved("video_0"), begun("video_1")])
    assert [state.job_id for state in gallery.take_ended()] == ["video_0"]
    gallery.see(answered("video_1", "failed"))
    assert [state.job_id for state in gallery.take_ended()] == ["video_1"]
    assert gallery.take_ended() == []


# The record.


def test_the_record_is_a_grid_of_players_with_the_reasons_of_those_that_failed() -> None:
    failed = answered("video_9", "failed", error={"message": "Blocked <by> us."}, prompt="<b>x")
    bundle = gallery_to_bundle(Gallery([saved("video_0"), saved("video_1", None), failed]))
    html = bundle["text/html"]
    assert html.count("<video controls") == 2
    assert 'src="videos/video_0.mp4"' in html
    assert html.count(f'poster="{POSTER}"') == 1
    assert "Blocked &lt;by&gt; us." in html
    assert "&lt;b&gt;x" in html
    assert "create a new one" in html
    left = html.replace(' data-lm-suppress-shortcuts="true"', "")  # missed by no reader
    for stripped in ("<source", "<style", "<script", "var(", "aria-", "data-"):
        assert stripped not in left
    head, *lines = bundle["text/plain"].splitlines()
    assert head == "3 jobs: 2 done, 1 failed"
    assert lines[0].split() == ["video_0", "Completed", "videos/video_0.mp4"]
    assert lines[2].endswith("Blocked <by> us.")


def test_a_thousand_jobs_leave_a_bounded_record() -> None:
    heavy = "data:image/jpeg;base64," + "A" * 150_000
    bundle = gallery_to_bundle(Gallery(saved(job_id, heavy) for job_id in ids(1000)))
    for text in bundle.values():
        assert "… and 952 more: %cometvid jobs" in text
    assert bundle["text/html"].count("<video") == PAGE_CARDS
    assert len(bundle["text/html"]) < 5_000_000
    assert "1,000 jobs: 1,000 done" in bundle["text/plain"]


def test_the_line_tells_the_totals_and_the_mean_progress() -> None:
    running = [answered(f"r{n}", "in_progress", progress=n) for n in (30, 60)]
    gallery = Gallery([begun("q"), *running, saved("d")])
    line = gallery_to_progress_line(gallery, 65, 79)
    assert line == "4 jobs: 1 queued, 2 running 45%, 1 done · 1:05 elapsed"
    assert len(gallery_to_progress_line(gallery, 65, 20)) == 20


def test_the_clock_runs_from_the_earliest_job_that_was_still_going() -> None:
    old = replace(saved("old"), began_at_s=NOW_S - 9000, ended_at_s=NOW_S - 8000)
    going = answered("new", "in_progress", created_at=NOW_S - 30)
    assert Gallery([old, going]).elapsed_s(NOW_S, NOW_S + 10) == pytest.approx(40)


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@given(st.sampled_from(NASTY_TEXTS), st.sampled_from(list(Phase)))
def test_no_text_becomes_markup(nasty: str, phase: Phase) -> None:
    card = Card(phase, nasty, nasty, (nasty,), nasty, problem=nasty, advice=nasty, command=nasty)
    parser = _Balance()
    parser.feed(gallery_to_html(Gallery([begun("a")]), [card]))
    assert parser.open == []
    assert parser.tags <= {"div", "span", "b", "code", "video", "a", "img"}
    assert all(
        line.isprintable() for line in gallery_to_text(Gallery([begun("a")]), [card]).split("\n")
    )
