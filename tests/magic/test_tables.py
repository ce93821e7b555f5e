"""Tables of remembered jobs and of settings: every text as itself, however hostile."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.ledger.entry import Entry
from cometvid_nb.magic.tables import jobs_bundle, settings_bundle
from cometvid_nb.settings import Secret, Settings
from tests.simulated import KEY
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


def test_a_row_holds_all_that_is_remembered_in_html_and_in_text() -> None:
    bundle = jobs_bundle([WHOLE], 1, BESIDE)
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(WHOLE.began_at_s))
    told = [began, "video_1", "sora-2", "1280×720", "4 s", "completed", "1:07", "A comet over"]
    read = Reader(bundle["text/html"])
    for word in told:
        assert word in read.text
        assert word in bundle["text/plain"]
    assert ("href", "videos/video%201.mp4") in read.attributes
    assert bundle["text/plain"].endswith("videos/video 1.mp4")
    head, row = bundle["text/plain"].splitlines()
    assert " ".join(head.split()) == "When Job Model Size Length State Took Prompt Clip"
    assert row.index("A comet") == head.index("Prompt"), "columns stand below their heads"


def test_a_clip_elsewhere_is_named_and_not_linked() -> None:
    for place in ("/elsewhere/video_1.mp4", "s3://bucket/video_1.mp4"):
        read = Reader(jobs_bundle([entry(clip=place)], 1, BESIDE)["text/html"])
        assert place in read.text
        assert "a" not in read.tags


def test_a_state_is_told_in_words_with_its_reason() -> None:
    lost = entry(state="unknown outcome", problem="The answer was lost.")
    text = jobs_bundle([lost, entry(state="in_progress")], 2, BESIDE)["text/plain"]
    assert "unknown outcome: The answer was lost." in text
    assert "in progress" in text


def test_more_jobs_than_are_shown_are_counted() -> None:
    bundle = jobs_bundle([WHOLE], 7, BESIDE)
    assert bundle["text/plain"].endswith("1 of 7 jobs. All: %cometvid jobs --all")
    assert "1 of 7 jobs." in bundle["text/html"]
    assert "of" not in jobs_bundle([entry()], 1, BESIDE)["text/plain"].split()


def test_no_job_at_all_and_none_like_that_are_two_things() -> None:
    assert jobs_bundle([], 0, BESIDE)["text/plain"] == "No job is remembered."
    assert (
        jobs_bundle([], 3, BESIDE)["text/plain"]
        == "No job matches. States: queued, in_progress, completed, failed."
    )


@pytest.mark.parametrize("began_at_s", [1.7e12, 1e300, -1e18])
def test_a_year_that_no_calendar_knows_spoils_no_table(began_at_s: float) -> None:
    bundle = jobs_bundle([WHOLE, entry(job_id="odd", began_at_s=began_at_s)], 2, BESIDE)
    assert "odd" in bundle["text/plain"]
    assert "video_1" in bundle["text/html"]


hostile = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(texts, st.just('"><script>alert(1)</script>'))
        for name in ("job_id", "model", "seconds", "size", "prompt", "problem", "state")
    },
)


@given(hostile)
def test_no_text_of_anybody_becomes_a_tag_an_attribute_or_a_line(values: dict[str, str]) -> None:
    bundle = jobs_bundle([entry(**values)], 1, BESIDE)
    read = Reader(bundle["text/html"])
    assert set(read.tags) <= TAGS
    assert {name for name, _ in read.attributes} <= {"style", "dir", "href", "title"}
    assert len(bundle["text/plain"].split("\n")) == 2
    assert "\x1b" not in bundle["text/plain"]


def test_markup_in_a_prompt_is_read_and_not_obeyed() -> None:
    prompt = '<img src=x onerror="alert(1)"> & <b>bold</b>'
    html = jobs_bundle([entry(prompt=prompt)], 1, BESIDE)["text/html"]
    assert prompt in Reader(html).text
    assert "<img" not in html


def test_settings_show_every_value_and_mask_the_key() -> None:
    settings = Settings(api_key=Secret(KEY), save=False)
    bundle = settings_bundle(settings)
    for text in bundle.values():
        assert "0123456789" not in text
        assert f"••••{KEY[-4:]}" in text
        assert "off" in text
    assert "not set" in settings_bundle(Settings())["text/plain"]
