"""A record may hold the whole clip, so that one file can be shared."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from cometvid_nb.cards.card import Card
from cometvid_nb.cards.card_html import card_to_bundle
from cometvid_nb.clips.places import SavedClip
from cometvid_nb.display import embedding
from cometvid_nb.display.embedding import (
    MOST_EMBEDDED_BYTES,
    SMALL_BYTES,
    embedded,
    with_unreachable,
)
from cometvid_nb.job.job import Job
from cometvid_nb.simulator.clips import read_clip
from cometvid_nb.watching.state import WatchState

CLIP = read_clip("1280x720", "mp4")
POSTER = "data:image/webp;base64,UklGRg=="


@pytest.fixture
def state(tmp_path: Path) -> WatchState:
    file = tmp_path / "video_1.mp4"
    file.write_bytes(CLIP)
    saved = SavedClip(str(file), "videos/video_1.mp4", "videos/video_1.mp4", len(CLIP), POSTER)
    job = Job.parse({"id": "video_1", "status": "completed", "size": "1280x720"})
    return WatchState.begin("video_1", 0.0, 60.0).remembered(job, saved, 10.0)


def test_the_record_plays_from_itself_and_holds_the_clip_once(state: WatchState) -> None:
    bundle = card_to_bundle(embedded(Card.of_watch(state), state))
    encoded = base64.b64encode(CLIP).decode()

    assert f'src="data:video/mp4;base64,{encoded}"' in bundle["text/html"]
    assert bundle["text/html"].count(encoded[:200]) == 1
    assert "Saved to" in bundle["text/html"], "where it lies is told as well"
    assert f'poster="{POSTER}"' in bundle["text/html"]
    assert "base64" not in bundle["text/plain"]


def test_the_card_for_the_page_never_holds_the_clip(state: WatchState) -> None:
    card = Card.of_watch(state).to_json(0.0)
    assert card["clip"]["data_url"] is None


def test_a_clip_too_large_for_a_notebook_is_played_from_its_file_and_says_why(
    state: WatchState,
) -> None:
    assert state.saved is not None
    large = replace(state, saved=replace(state.saved, size_bytes=MOST_EMBEDDED_BYTES + 1))
    card = embedded(Card.of_watch(large), large)

    assert "not embedded" in str(card.problem)
    assert "20 MB" in str(card.problem)
    assert 'src="videos/video_1.mp4"' in card_to_bundle(card)["text/html"]


def test_every_clip_of_a_job_is_embedded_as_what_it_is(state: WatchState, tmp_path: Path) -> None:
    gif = tmp_path / "video_1-2.gif"
    gif.write_bytes(b"GIF89a")
    assert state.saved is not None
    other = SavedClip(str(gif), "video_1-2.gif", "video_1-2.gif", 6, number=1)
    several = replace(state, saved=replace(state.saved, others=(other,)))
    html = card_to_bundle(embedded(Card.of_watch(several), several))["text/html"]
    assert 'src="data:image/gif;base64,R0lGODlh"' in html
    assert 'src="data:video/mp4;base64,' in html

    too_much = replace(
        several,
        saved=replace(
            several.saved or other, others=(replace(other, size_bytes=MOST_EMBEDDED_BYTES),)
        ),
    )
    assert "not embedded" in str(embedded(Card.of_watch(too_much), too_much).problem)


def test_a_file_that_is_gone_says_so(state: WatchState) -> None:
    assert state.saved is not None
    Path(state.saved.file_path).unlink()
    card = embedded(Card.of_watch(state), state)

    assert "No such file" in str(card.problem)
    assert card.clip is not None
    assert card.clip.data_url is None


def test_a_clip_that_is_not_saved_changes_nothing(state: WatchState) -> None:
    unsaved = replace(state, saved=None)
    card = Card.of_watch(unsaved)
    assert embedded(card, unsaved) == card


def test_the_limit_is_one_that_mail_and_servers_take() -> None:
    assert embedding.MOST_EMBEDDED_BYTES * 4 / 3 < 30_000_000


def elsewhere(state: WatchState, file: Path) -> Card:
    """The card of a clip that no page beside the notebook can load."""
    assert state.saved is not None
    saved = replace(state.saved, file_path=str(file), path=None, saved_to=str(file))
    return Card.of_watch(replace(state, saved=saved))


def test_a_small_clip_that_no_page_can_load_goes_into_its_record(
    state: WatchState, tmp_path: Path
) -> None:
    far, beside = elsewhere(state, tmp_path / "video_1.mp4"), Card.of_watch(state)
    first, second = with_unreachable([far, beside])
    html = card_to_bundle(first)["text/html"]
    assert 'src="data:video/mp4;base64,' in html
    assert f"Saved to {tmp_path / 'video_1.mp4'}" in html
    assert "how to see it" not in html
    assert second is beside


def test_a_large_clip_that_no_page_can_load_is_told_of_with_a_way_to_see_it(
    state: WatchState, tmp_path: Path
) -> None:
    file = tmp_path / "large.mp4"
    with file.open("wb") as whole:
        whole.truncate(SMALL_BYTES + 1)
    far = elsewhere(state, file)
    assert with_unreachable([far]) == [far]
    html = card_to_bundle(far)["text/html"]
    assert f"Saved to {file}" in html
    assert "how to see it" in html
    assert "%cometvid save video_1 videos" in html
    gone = elsewhere(state, tmp_path / "gone.mp4")
    assert with_unreachable([gone]) == [gone]


def test_small_clips_that_no_page_can_load_stop_at_the_bound_of_a_notebook(
    state: WatchState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = elsewhere(state, tmp_path / "video_1.mp4")
    monkeypatch.setattr(embedding, "MOST_EMBEDDED_BYTES", 2 * len(CLIP))
    inside = [card.clip is not None and card.clip.data_url for card in with_unreachable([far] * 3)]
    assert [bool(one) for one in inside] == [True, True, False]
