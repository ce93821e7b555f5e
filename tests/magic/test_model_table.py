"""The table of models: what is published, every text as itself, and what is not known as that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.api.catalogue import Catalogue, Model, read_models
from cometvid_nb.magic.model_table import MOST_ROWS, age_text, models_bundle
from tests.cards.test_job_list import Reader
from tests.catalogue import LISTED, OPENAI_LISTED, PAGE_URL
from tests.strategies import texts

AT_S = 1_781_092_800.0  # noon, UTC: the same day nearly everywhere
CATALOGUE = Catalogue(tuple(read_models(LISTED)), AT_S)


def text_of(catalogue: Catalogue, *words: str) -> str:
    return models_bundle(catalogue, words, "api.example")["text/plain"]


def test_a_row_tells_what_is_published_in_html_and_in_text() -> None:
    bundle = models_bundle(CATALOGUE, [], "api.example")
    read = Reader(bundle["text/html"])
    told = ["sora-2", "google", "image-to-video", "0.10 USD per second", "2160p 0.60", "not known"]
    for word in [*told, "Listed by api.example on 2026-06-10", "config model=ID"]:
        assert word in read.text
        assert word in bundle["text/plain"]
    assert ("href", PAGE_URL) in read.attributes
    assert "gpt-5.1" not in bundle["text/plain"], "it makes no video"
    assert " 0.00" not in bundle["text/plain"], "what is not known is not free"


def test_words_filter_by_id_provider_and_features() -> None:
    assert [row.split()[0] for row in text_of(CATALOGUE, "GOOGLE").splitlines()][1] == "veo3.1"
    assert "veo3.1" in text_of(CATALOGUE, "text-to", "veo")
    assert "sora-2" not in text_of(CATALOGUE, "veo")
    assert text_of(CATALOGUE, "nothing") == (
        "None of the 4 models that api.example lists is a video model like 'nothing'."
    )


def test_a_list_that_does_not_tell_videos_is_shown_whole_and_says_so() -> None:
    text = text_of(Catalogue(tuple(read_models(OPENAI_LISTED)), AT_S))
    assert "my/own-model" in text
    assert "does not say which of them make videos" in text
    assert "Price" not in text


def test_a_long_list_is_cut_with_its_number() -> None:
    models = tuple(Model(f"model-{n}") for n in range(250))
    text = text_of(Catalogue(models, AT_S))
    assert f"{MOST_ROWS} of 250 models" in text
    assert len(text.splitlines()) < MOST_ROWS + 5


@pytest.mark.parametrize(
    ("age_s", "told"),
    [(5, "a moment ago"), (-9, "a moment ago"), (61, "1 minute ago"), (7200, "2 hours ago")],
)
def test_an_age_is_told_in_words(age_s: float, told: str) -> None:
    assert age_text(CATALOGUE, AT_S + age_s) == told
    assert age_text(CATALOGUE, AT_S + 3 * 86400) == "3 days ago"


hostile = st.fixed_dictionaries(
    {"id": st.text(min_size=1)},
    optional={
        name: st.one_of(texts, st.just('"><script>alert(1)</script>'), st.just('javascript:"x'))
        for name in ("provider", "api_doc_url", "model_type")
    }
    | {"features": st.lists(texts, max_size=3), "pricing": st.dictionaries(texts, texts)},
)


@given(hostile)
def test_no_text_of_a_server_becomes_a_tag_a_link_or_a_line(told: dict[str, Any]) -> None:
    models = [*read_models([told]), Model("one")]
    bundle = models_bundle(Catalogue(tuple(models), AT_S), [], "api.example")
    read = Reader(bundle["text/html"])
    assert set(read.tags) <= {"div", "table", "thead", "tbody", "tr", "th", "td", "p", "code", "a"}
    assert {name for name, _ in read.attributes} <= {"class", "style", "href", "target", "rel"}
    links = [str(value) for name, value in read.attributes if name == "href"]
    assert all(link.startswith(("http://", "https://")) for link in links)
    assert len(bundle["text/plain"].split("\n")) <= 4
    assert "\x1b" not in bundle["text/plain"]
