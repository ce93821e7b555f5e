"""What a person thinks of a clip: each value is checked, and what is not named stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.job.rating import (
    MOST_NOTE_CHARACTERS,
    MOST_TAGS,
    Flag,
    Rating,
    RatingFilter,
)

WHOLE = Rating(4, Flag.PICKED, ("comet",), "The tail is right.")


def test_what_is_not_named_stays_and_none_takes_away() -> None:
    assert WHOLE.changed(stars=2) == Rating(2, Flag.PICKED, ("comet",), "The tail is right.")
    assert WHOLE.changed(stars=None, flag=None, tags=None, note=None) == Rating()
    assert WHOLE.changed() == WHOLE
    assert WHOLE.changes_from(Rating(4)) == {
        "flag": Flag.PICKED,
        "tags": ("comet",),
        "note": "The tail is right.",
    }


def test_a_rating_is_told_on_one_line() -> None:
    assert WHOLE.words == "★★★★☆ · picked · #comet · “The tail is right.”"
    assert Rating().words == ""
    assert RatingFilter(Flag.PICKED, 1, "x").words == "picked, at least 1 star, #x"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"stars": 0}, "stars is 0"),
        ({"stars": 6}, "1 to 5"),
        ({"stars": True}, "stars is True"),
        ({"stars": 2.5}, "stars is 2.5"),
        ({"stars": "3"}, "stars is '3'"),
        ({"stars": [3]}, "stars is a list"),
        ({"flag": "loved"}, "picked or rejected"),
        ({"flag": 1}, "flag is 1"),
        ({"tags": 5}, "tags is 5"),
        ({"tags": [""]}, "the tag is ''"),
        ({"tags": ["#"]}, "the tag is '#'"),
        ({"tags": [None]}, "the tag is a NoneType"),
        ({"tags": ["x" * 60]}, "x…' has 60 characters: 40 fit at most"),
        ({"tags": ["\udcff"]}, "the tag is"),
        ({"tags": [str(n) for n in range(MOST_TAGS + 1)]}, "more than 20 tags"),
        ({"note": "x" * (MOST_NOTE_CHARACTERS + 1)}, "the note has 2,001 characters"),
        ({"note": 7}, "note is 7"),
        ({"note": "\ud800"}, "note is"),
        ("picked", "no str"),
        (None, "no NoneType"),
    ],
)
def test_what_can_be_no_rating_is_refused_with_a_reason(told: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Rating.of(told)


def test_tags_are_cleaned_and_each_is_there_once() -> None:
    assert Rating().changed(tags=["#Comet ", "comet", "two\nwords"]).tags == ("Comet", "two words")
    assert Rating().changed(tags="one").tags == ("one",)
    assert Rating().changed(tags=["a, b", "c"]).tags == ("a", "b", "c")
    assert Rating().changed(note=" a\x1b[31m\n\n b ").note == "a [31m\nb"
    assert Rating().changed(note=" \n ").note is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("stars", "flag", "tags", "note"), JSON)))
def test_whatever_a_page_sends_is_a_rating_or_refused(told: dict[str, Any]) -> None:
    try:
        rating = Rating.of(told)
    except ValueError:
        return
    assert Rating.of({name: getattr(rating, name) for name in told}) == rating
    assert rating.words.isprintable()
