"""Remembered jobs as rows, as JSON and as a plain table: every text as itself, however hostile."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.cards.found import Found, find, within
from cometvid_nb.cards.job_list import JobList, JobQuery, JobRow, number_text, pages_of
from cometvid_nb.cards.job_table import jobs_to_bundle
from cometvid_nb.display import widget
from cometvid_nb.display.jobs_widget import JOBS_PARTS, JobsWidget
from cometvid_nb.ledger.entry import Entry
from cometvid_nb.ledger.statements import STATES, Order
from cometvid_nb.session.remembered import rows_of
from tests.strategies import texts

BESIDE = Path("/home/someone/work")
TAGS = {"table", "thead", "tbody", "tr", "th", "td", "p", "code", "span", "a", "br"}


class Reader(HTMLParser):
    """The tags, the attributes and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def entry(**values: Any) -> Entry:
    blank: dict[str, Any] = dict.fromkeys(Entry.__dataclass_fields__)
    given = {"ref": "r", "base_url": "https://api.example/v1", "state": "queued"}
    return Entry(**(blank | given | {"began_at_s": 1_781_079_478.0} | values))


def rows(*entries: Entry) -> list[JobRow]:
    return rows_of(entries, BESIDE)


def bundle_of(*entries: Entry, total: int = 0, **options: Any) -> dict[str, str]:
    return jobs_to_bundle(rows(*entries), total or len(entries), **options)


WHOLE = entry(
    job_id="video_1",
    state="completed",
    model="sora-2",
    seconds="4",
    size="1280x720",
    prompt="A comet over mountains",
    took_s=67.4,
    clip=str(BESIDE / "videos" / "video 1.mp4"),
    clip_bytes=123,
)
PARAGRAPH = "Reeds sway by a lake. " * 60 + "Then a LANTERN swings. " + "Fog comes in. " * 60


def test_a_row_holds_all_that_is_remembered_in_html_and_in_text() -> None:
    bundle = bundle_of(WHOLE)
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(WHOLE.began_at_s))
    told = [began, "video_1", "sora-2", "1280×720", "4 s", "completed", "1:07", "A comet over"]
    read = Reader(bundle["text/html"])
    for word in told:
        assert word in read.text
        assert word in bundle["text/plain"]
    assert ("href", "videos/video%201.mp4") in read.attributes
    head, row, prompt, clip = bundle["text/plain"].splitlines()
    assert " ".join(head.split()) == "When Job State Took Made with"
    assert row.index("completed") == head.index("State"), "columns stand below their heads"
    assert (prompt.strip(), clip.strip()) == ("A comet over mountains", "clip: videos/video 1.mp4")


def test_a_clip_has_the_size_of_its_file_whatever_was_asked_for() -> None:
    [row] = rows(replace(WHOLE, clip_size="360x640"))
    assert (row.size, row.aspect_ratio) == ("360×640", 360 / 640)


def test_a_clip_elsewhere_is_named_and_not_linked() -> None:
    for place in ("/elsewhere/video_1.mp4", "s3://bucket/video_1.mp4"):
        read = Reader(bundle_of(entry(clip=place))["text/html"])
        assert place in read.text
        assert "a" not in read.tags


def test_a_state_is_told_in_words_with_its_reason() -> None:
    lost = entry(state="unknown outcome", problem="The answer was lost.", answer="{}")
    text = bundle_of(lost, entry(state="in_progress"))["text/plain"]
    assert "unknown outcome: The answer was lost. Answer: {}" in text
    assert "in progress" in text


def test_more_jobs_than_are_shown_are_counted() -> None:
    bundle = bundle_of(WHOLE, total=7)
    assert bundle["text/plain"].endswith("1 of 7 jobs. All: %cometvid jobs --all")
    assert "1 of 7 jobs." in bundle["text/html"]
    assert "of" not in bundle_of(entry())["text/plain"].split()


def test_no_job_at_all_and_none_like_that_are_two_things() -> None:
    assert jobs_to_bundle([], 0)["text/plain"] == "No job is remembered."
    assert jobs_to_bundle([], 3)["text/plain"].startswith("No job matches. States: queued, ")


@pytest.mark.parametrize("columns", [40, 79, 100])
def test_a_text_has_the_whole_width_for_its_prompts(columns: int) -> None:
    text = bundle_of(entry(prompt=PARAGRAPH, job_id="video_1"), columns=columns)["text/plain"]
    _, row, *prompt = text.splitlines()
    assert "Reeds" not in row
    assert len(prompt) == 2
    assert columns - 30 < max(map(len, prompt)) <= columns


@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
def test_what_a_search_found_stands_in_what_is_shown(kind: str) -> None:
    shown = bundle_of(entry(prompt=PARAGRAPH), search="lantern")[kind]
    assert "LANTERN" in shown
    assert "LANTERN" not in bundle_of(entry(prompt=PARAGRAPH))[kind]
    long_id = "video_" + "0123456789abcdef" * 5
    for job_id in (long_id, long_id.upper()):
        assert job_id[20:40] in bundle_of(entry(job_id=job_id), search=long_id[20:40])[kind]


def test_what_a_search_found_is_marked() -> None:
    html = bundle_of(entry(prompt="Kleine <Straße>", model="wan2.6"), search="<STRASSE")[
        "text/html"
    ]
    assert "Kleine <mark>&lt;Straße</mark>&gt;" in html
    html = bundle_of(entry(prompt="x", model="wan2.6"), search="WAN")["text/html"]
    assert "<mark>wan</mark>2.6" in html


@given(texts, texts)
def test_the_pieces_around_what_was_found_are_the_whole_text(text: str, search: str) -> None:
    found = find(text, search)
    assert "".join(found) == text
    assert bool(found.hit) == (search.casefold() in text.casefold() and bool(search))


@given(texts, texts, texts, st.integers(20, 200))
def test_a_piece_of_a_text_keeps_what_was_found(
    before: str, hit: str, after: str, most: int
) -> None:
    piece = within(Found(before, hit, after), most)
    assert len("".join(piece)) <= max(most, 1)
    assert hit[: most // 2 - 1] in piece.hit


@pytest.mark.parametrize("began_at_s", [1.7e12, 1e300, -1e18])
def test_a_year_that_no_calendar_knows_spoils_no_table(began_at_s: float) -> None:
    odd = entry(job_id="odd", began_at_s=began_at_s)
    bundle = bundle_of(WHOLE, odd)
    assert "odd" in bundle["text/plain"]
    assert "video_1" in bundle["text/html"]
    assert rows(odd)[0].began_at_s is None


hostile = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(texts, st.just('"><script>alert(1)</script>'))
        for name in ("job_id", "model", "seconds", "size", "prompt", "problem", "state", "answer")
    },
)


@given(hostile, texts)
def test_no_text_of_anybody_becomes_a_tag_an_attribute_or_a_line(
    values: dict[str, str], search: str
) -> None:
    bundle = bundle_of(entry(**values), search=search)
    read = Reader(bundle["text/html"])
    assert set(read.tags) <= TAGS | {"mark", "div"}
    assert {name for name, _ in read.attributes} <= {"style", "dir", "href", "title", "class"}
    lines = bundle["text/plain"].split("\n")
    assert all(line.startswith("    ") for line in lines[2:])
    assert "\x1b" not in bundle["text/plain"]


def test_markup_in_a_prompt_is_read_and_not_obeyed() -> None:
    prompt = '<img src=x onerror="alert(1)"> & <b>bold</b>'
    html = bundle_of(entry(prompt=prompt))["text/html"]
    assert prompt in Reader(html).text
    assert "<img" not in html


# What the page draws.


@given(hostile)
def test_a_list_is_json_without_what_a_page_or_a_terminal_would_obey(
    values: dict[str, str],
) -> None:
    [row] = rows(entry(**values))
    told = json.loads(json.dumps(JobList((row,)).to_json(0.0), allow_nan=False))
    assert "\x1b" not in json.dumps(told, ensure_ascii=False)
    assert (told["order"], told["page"], told["pages"]) == ("when", 1, 1)


def test_a_row_says_how_its_clip_can_be_had() -> None:
    saved, kept_by_the_api, elsewhere, failed = rows(
        WHOLE,
        entry(job_id="video_2", state="completed"),
        entry(job_id="video_3", state="completed", clip="s3://bucket/video_3.gif"),
        entry(job_id="video_4", state="failed"),
    )
    assert saved.clip is not None
    assert (saved.clip.path, saved.clip.is_image) == ("videos/video 1.mp4", False)
    assert saved.watch_command == "%cometvid watch video_1"
    assert kept_by_the_api.clip is not None
    assert (kept_by_the_api.clip.path, kept_by_the_api.clip.saved_to) == (None, None)
    assert elsewhere.clip is not None
    assert (elsewhere.clip.path, elsewhere.clip.is_image) == (None, True)
    assert failed.clip is None


def test_a_request_without_an_id_has_a_name_to_forget_it_by_and_nothing_to_watch() -> None:
    [row] = rows(entry(ref="0123456789ab", state="refused"))
    assert (row.name, row.has_id, row.watch_command) == ("01234567", False, None)


@pytest.mark.parametrize(
    ("wish", "query"),
    [
        ({}, JobQuery()),
        ({"state": "done", "search": "  sky ", "page": 3}, JobQuery("completed", "sky", page=3)),
        (
            {"order": "model", "is_ascending": True},
            JobQuery(order=Order.MODEL, is_ascending=True),
        ),
        ({"state": 5, "search": None, "order": "; DROP", "is_ascending": 1}, JobQuery()),
        ({"page": -1}, JobQuery()),
        ({"page": "x"}, JobQuery()),
        ({"state": " ", "search": ["a"]}, JobQuery()),
    ],
)
def test_what_makes_no_sense_becomes_the_nearest_that_does(
    wish: dict[str, object], query: JobQuery
) -> None:
    assert JobQuery.of_page(wish) == query


def test_a_page_that_is_not_there_becomes_the_last_one() -> None:
    assert [pages_of(count) for count in (0, 20, 21, 10_000, 10**9)] == [1, 1, 2, 500, 5000]
    assert JobQuery(page=9).within(25).offset == 20
    assert (number_text(10_000), number_text(10_001)) == ("10,000", "more than 10,000")


def test_kernel_and_page_name_the_same_fields_states_and_columns() -> None:
    # As written: what a page gets is without comments and indentation.
    folder = Path(widget.__file__).parent / "static"
    source = "\n".join((folder / part).read_text("utf-8") for part in JOBS_PARTS)
    for name in [*JobList((JobRow("n", has_id=True, state="queued", began_at_s=None),)).to_json(0)]:
        assert re.search(rf"\b{name}\b", source), name
    for name in JobRow.__dataclass_fields__:
        assert "@property {" in source
        assert re.search(rf"@property {{[^}}]+}} {name}\b", source), name
    words = json.loads(re.findall(r"const WORDS = (.*);", str(JobsWidget._esm))[0])
    assert {*words["job_states"]} == {*STATES}
    assert {*re.findall(r'^  \["(\w+)",|\], \["(\w+)", "', source, re.M)}
    for order in Order:
        assert f'["{order.value}", ' in source
