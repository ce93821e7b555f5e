"""The card says what a watch knows, in values that any browser can take."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cometvid_nb
from cometvid_nb.cards.card import Card, Phase
from cometvid_nb.cards.clip import Clip
from cometvid_nb.cards.text import card_to_progress_line, card_to_text
from cometvid_nb.clips.places import SavedClip, Saving
from cometvid_nb.errors import (
    BadKey,
    ClipError,
    JobNotFound,
    MissingKey,
    PlaceUnusable,
    QuotaExceeded,
    ServerTrouble,
)
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.watching.state import Ending, WatchState
from tests.strategies import payloads, texts

NOW_S = 1_781_079_478.0
URL = "https://clips.example/a.mp4?signature=f00d"
STATIC = Path(cometvid_nb.__file__).parent / "display" / "static"


def begun() -> WatchState:
    return WatchState.begin("video_1", NOW_S, 600.0)


def job(**fields: Any) -> Job:
    body = {"id": "video_1", "status": "in_progress", "progress": 30, "size": "720x1280"}
    return Job.parse(body | {"model": "sora-2", "seconds": "4", "created_at": NOW_S - 5} | fields)


def card(**fields: Any) -> Card:
    return Card.of_watch(begun().answered(job(**fields), NOW_S + 10))


def test_before_the_first_answer_the_card_says_that_the_api_is_asked() -> None:
    shown = Card.of_watch(begun())
    assert (shown.phase, shown.headline) == (Phase.STARTING, "Asking the API")
    assert (shown.facts, shown.progress_percent, shown.checks_at_s) == ((), None, ())
    assert (shown.actions, shown.elapsed_from_s, shown.elapsed_to_s) == (("stop",), NOW_S, None)


@pytest.mark.parametrize(
    ("word", "phase", "headline", "progress"),
    [
        ("queued", Phase.QUEUED, "Queued", None),
        ("in_progress", Phase.RUNNING, "In progress", 30.0),
        ("paused", Phase.UNKNOWN, "Status “paused”", 30.0),
        ("", Phase.UNKNOWN, "No status given", 30.0),
        ("completed", Phase.COMPLETED, "Completed", 100.0),
        ("failed", Phase.FAILED, "Failed", 30.0),
    ],
)
def test_each_status_has_its_phase_and_its_words(
    word: str, phase: Phase, headline: str, progress: float | None
) -> None:
    shown = card(status=word)
    assert (shown.phase, shown.headline, shown.progress_percent) == (phase, headline, progress)


@pytest.mark.parametrize(
    ("told", "shown"), [(0, None), ("0%", None), (0.4, None), (0.5, 0.5), (1, 1.0), (None, None)]
)
def test_no_progress_is_no_news(told: object, shown: float | None) -> None:
    moving = card(progress=told)
    assert moving.progress_percent == shown
    assert ("%" in card_to_text(moving)) == (shown is not None)


def test_the_model_and_the_seed_are_facts_that_can_be_told_from_the_others() -> None:
    shown = card(prompt="A comet", seed=42, model="  sora-2\u202e ")
    assert (shown.model, shown.seed) == ("sora-2", "seed 42")
    assert shown.facts == ("sora-2", "720×1280", "4 s", "seed 42")
    assert (card(model=None).model, card().seed) == (None, None)
    assert Card.of_job(job(seed=0)).facts[-1] == "seed 0"
    assert card(seed=-1).seed is None, "by chance"


def test_a_picture_stands_behind_the_card_until_the_job_is_over() -> None:
    picture = "data:image/jpeg;base64,AA=="
    assert Card.of_watch(begun(), picture).picture == picture
    assert Card.of_watch(begun().answered(job(), NOW_S), picture).picture == picture
    for word in ("completed", "failed"):
        assert Card.of_watch(begun().answered(job(status=word), NOW_S), picture).picture is None
    assert Card.of_watch(begun().stopped(NOW_S), picture).picture is None


def test_the_facts_are_ready_to_show() -> None:
    shown = card(prompt="A comet")
    assert shown.facts == ("sora-2", "720×1280", "4 s")
    assert (shown.prompt, shown.aspect_ratio) == ("A comet", 0.5625)


def test_an_active_card_can_be_stopped_and_an_abandoned_one_watched_again() -> None:
    state = begun().answered(job(), NOW_S)
    assert Card.of_watch(state).actions == ("stop",)
    for ended in (
        state.stopped(NOW_S),
        state.gave_up(NOW_S),
        state.troubled(QuotaExceeded("no", status_code=403), NOW_S),
    ):
        shown = Card.of_watch(ended)
        assert shown.actions == ("watch",)
        assert shown.command == "%cometvid watch video_1"
        assert shown.checks_at_s == ()
    assert card(status="completed").actions == ()
    assert card(status="failed").actions == ()


def test_a_refused_key_is_told_as_such_and_the_command_is_the_one_that_helps() -> None:
    refused = Card.of_watch(begun().troubled(BadKey("The API answered 401", status_code=401), 1.0))
    assert refused.headline == "The API key was rejected"
    assert refused.command == "%cometvid login"
    assert refused.actions == ("watch",)
    missing = BadKey("401. No API key is set.", status_code=401, advice=MissingKey.advice)
    assert Card.of_watch(begun().troubled(missing, 1.0)).headline == "The API wants a key"


def test_a_folder_that_cannot_be_written_is_not_offered_again() -> None:
    done = begun().answered(job(status="completed"), NOW_S)
    told = "The clip of video_1 was not saved to /x: Permission denied."
    unsaved = done.without_clip(PlaceUnusable(told, advice="Make it writable."), 1)
    shown = Card.of_watch(unsaved)
    assert shown.problem == told
    assert str(shown.advice).startswith("Make the folder writable, or save the clip in another")
    assert shown.command == "%cometvid save video_1 FOLDER"
    again = Card.of_watch(done.without_clip(ClipError("The host is down."), 3))
    assert again.command == "%cometvid save video_1"


def test_passing_trouble_keeps_the_card_active_and_says_that_checking_goes_on() -> None:
    state = begun().answered(job(), NOW_S).troubled(ServerTrouble("The API answered 502"), NOW_S)
    shown = Card.of_watch(state)
    assert (shown.phase, shown.problem) == (Phase.RUNNING, "The API answered 502")
    assert "goes on" in str(shown.advice)


def test_a_failed_job_says_why_in_the_apis_words() -> None:
    assert card(status="failed", error={"message": "moderation"}).problem == "moderation"
    assert card(status="failed").problem == "The API gave no reason."


def test_the_ending_of_a_watch_is_a_phase_of_the_card() -> None:
    assert {ending.value for ending in Ending} <= {phase.value for phase in Phase}


def test_a_completed_card_holds_the_clip_and_where_it_lies() -> None:
    state = begun().answered(job(status="completed", video_url=URL, expires_at=NOW_S + 99), NOW_S)
    assert Card.of_watch(state).clip == Clip(URL, None, None, NOW_S + 99)

    saved = SavedClip("/n/videos/a.mp4", "videos/a.mp4", "videos/a.mp4", 9)
    shown = Card.of_watch(replace(state, saved=saved))
    assert shown.clip == Clip(URL, "videos/a.mp4", "videos/a.mp4", NOW_S + 99, place="videos/a.mp4")
    assert "/n/" not in json.dumps(shown.to_json(NOW_S)), "the page need not know this machine"


def test_a_clip_in_the_answer_itself_never_goes_to_the_page() -> None:
    done = job(status="completed", video_url=URL)
    held = replace(done, video_url="data:video/mp4;base64,AAAA", other_video_urls=("data:,x",))
    state = begun().answered(held, NOW_S)
    assert "base64" not in json.dumps(Card.of_watch(state).to_json(NOW_S))
    assert [clip.url for clip in Card.of_watch(state).clip.every] == [None, None]  # type: ignore[union-attr]

    kept = state.with_clip(SavedClip("/n/a.mp4", "a.mp4", "a.mp4", 9))
    assert kept.job is not None
    assert kept.job.video_url is None, "what is on the disk need not stay in memory"


def test_the_file_is_right_about_its_size_and_its_codec() -> None:
    state = begun().answered(job(status="completed", size="1280x720"), NOW_S)
    saved = SavedClip("/n/a.mov", "a.mov", "a.mov", 9, width=720, height=1280, codec="ProRes")
    shown = Card.of_watch(state.with_clip(saved))
    assert shown.aspect_ratio == 720 / 1280
    assert "720×1280" in shown.facts
    assert shown.problem == "The clip is ProRes, which most browsers do not play."
    assert "VLC" in str(shown.advice)
    assert shown.headline == "Completed"
    assert shown.command == "%cometvid convert video_1"

    sound = replace(saved, width=0, height=0, codec=None)
    shown = Card.of_watch(state.with_clip(sound))
    assert (shown.aspect_ratio, shown.problem) == (1280 / 720, None)
    assert "1280×720" in shown.facts


@pytest.mark.parametrize(
    ("link", "path", "is_image"),
    [
        ("https://c.example/a.gif?signature=x.mp4", None, True),
        ("https://c.example/a.mp4?name=a.gif", None, False),
        ("https://c.example/content", "videos/a.gif", True),
        ("https://c.example/a.gif", "videos/a.mp4", False),
        (None, None, False),
    ],
)
def test_a_gif_is_known_by_its_file_else_by_its_link(
    link: str | None, path: str | None, is_image: bool
) -> None:
    state = begun().answered(job(status="completed", video_url=link), NOW_S)
    if path is not None:
        state = state.with_clip(SavedClip(f"/n/{path}", path, path, 9))
    clip = Card.of_watch(state).clip
    assert clip is not None
    assert clip.is_image is is_image


def test_all_clips_of_a_job_are_on_the_card_the_saved_ones_first() -> None:
    links = [f"https://c.example/{name}.mp4" for name in "abc"]
    done = replace(job(status="completed", video_url=links[0]), other_video_urls=tuple(links[1:]))
    state = begun().answered(done, NOW_S)
    assert [clip.url for clip in Card.of_watch(state).clip.every] == links  # type: ignore[union-attr]
    assert [clip.url for clip in Card.of_job(done).clip.every] == links  # type: ignore[union-attr]

    second, third = (
        SavedClip(f"/n/{name}.mp4", f"{name}.mp4", f"{name}.mp4", 9, number=number)
        for number, name in ((1, "b"), (2, "c"))
    )
    partial = replace(second, others=(third,), incomplete="2 of 3 clips are saved. 410.")
    shown = Card.of_watch(state.with_clip(partial))
    assert shown.clip is not None
    assert [clip.saved_to for clip in shown.clip.every] == ["b.mp4", None, "c.mp4"]
    assert shown.clip.others[0].url == links[0]
    assert shown.problem == "2 of 3 clips are saved. 410."
    assert card_to_text(shown).splitlines()[-3:] == ["b.mp4", links[0], "c.mp4"]


def test_a_clip_that_could_not_be_saved_says_so_with_the_command_that_tries_again() -> None:
    state = begun().answered(job(status="completed", video_url=URL), NOW_S)
    shown = Card.of_watch(replace(state, problem="The clip is not saved. The disk is full."))
    assert shown.phase is Phase.COMPLETED
    assert shown.headline == "Completed, clip not saved"
    assert shown.command == "%cometvid save video_1"


def test_an_id_the_api_does_not_know_is_not_offered_to_be_watched_again() -> None:
    state = begun()
    for at_s in (NOW_S, NOW_S + 6, NOW_S + 12):
        error = JobNotFound("The API knows no job video_1.", status_code=400)
        state = state.troubled(error, at_s)
    shown = Card.of_watch(state)
    assert shown.phase is Phase.BROKEN
    assert shown.command == "%cometvid jobs"
    assert "Check the id" in str(shown.advice)


def test_a_second_try_to_save_is_in_the_card_and_in_its_line() -> None:
    state = begun().answered(job(status="completed", video_url=URL), NOW_S)
    shown = Card.of_watch(replace(state, saving=Saving(0, None, 2, "The connection broke.")))
    saving = shown.to_json(NOW_S)["saving"]
    assert (saving["attempt"], saving["problem"]) == (2, "The connection broke.")
    assert "try 2 · The connection broke." in card_to_progress_line(shown, NOW_S, 200)


def test_an_active_card_shows_no_link_even_if_the_answer_has_one() -> None:
    assert card(video_url=URL).clip is None


def test_the_elapsed_time_runs_from_the_creation_to_the_completion() -> None:
    shown = card(status="completed", created_at=NOW_S - 60, completed_at=NOW_S + 7)
    assert (shown.elapsed_from_s, shown.elapsed_to_s) == (NOW_S - 60, NOW_S + 7)


@pytest.mark.parametrize("created_at", [NOW_S * 10, NOW_S + 86400, 1.0, None])
def test_an_absurd_creation_time_does_not_reach_the_clock(created_at: float | None) -> None:
    assert card(created_at=created_at).elapsed_from_s == NOW_S


@pytest.mark.parametrize("completed_at", [NOW_S * 10, 1.0, None])
def test_an_absurd_completion_time_does_not_reach_the_clock(completed_at: float | None) -> None:
    assert card(status="completed", completed_at=completed_at).elapsed_to_s == NOW_S + 10


def test_completed_at_of_a_running_job_does_not_stop_the_clock() -> None:
    assert card(completed_at=NOW_S).elapsed_to_s is None
    assert Card.of_job(job(completed_at=NOW_S)).elapsed_to_s is None


@pytest.mark.parametrize(
    "fields",
    [
        {"size": "9x16"},
        {"size": "720P", "ratio": "9:16"},
        {"metadata": {"width": 9e2, "height": 1600}},
    ],
    ids=str,
)
def test_a_portrait_job_has_a_portrait_card_from_the_start(fields: dict[str, Any]) -> None:
    assert card(status="queued", **({"size": None} | fields)).aspect_ratio == 9 / 16


def test_a_clip_inside_the_answer_does_not_cross_to_the_browser() -> None:
    shown = card(status="completed", video_url="data:video/mp4;base64,AAAA")
    assert shown.clip is not None
    assert shown.clip.url is None


def test_a_jobs_own_card_has_no_buttons_and_a_command_while_it_runs() -> None:
    assert Card.of_job(job()).command == "%cometvid watch video_1"
    assert Card.of_job(job()).actions == ()
    assert Card.of_job(job(status="completed")).command is None


@pytest.mark.parametrize("job_id", ["a b", "x\n!rm -rf ~", "../x", ""])
def test_an_id_that_is_no_id_is_never_offered_as_a_command(job_id: str) -> None:
    assert Card.of_job(Job(job_id)).command is None


def test_an_odd_id_is_offered_as_it_can_be_pasted() -> None:
    card = Card.of_job(Job("-a{x}"))
    assert card.command == card.watch_command == "%cometvid watch '-a{x}'"


def test_what_was_asked_for_is_shown_before_the_first_answer_and_with_it() -> None:
    asked = Job(
        "video_1", prompt="A comet", model="veo3", width=720, height=1280, images=("a.png",)
    )
    state = WatchState.begin("video_1", NOW_S, 60.0, asked=asked)
    first = Card.of_watch(state)
    assert (first.phase, first.prompt) == (Phase.STARTING, "A comet")
    assert (first.facts, first.aspect_ratio) == (("veo3", "720×1280", "a.png"), 720 / 1280)
    answer = Job.parse({"id": "video_1", "status": "queued", "seconds": "", "model": "veo_3_1"})
    then = Card.of_watch(state.answered(answer, NOW_S))
    assert (then.phase, then.prompt) == (Phase.QUEUED, "A comet")
    assert then.facts == ("veo_3_1", "720×1280", "a.png")


@pytest.mark.parametrize(("size", "ratio"), [("16x9999", 0.25), ("9999x16", 4.0), ("96x96", 1.0)])
def test_the_shape_of_a_card_stays_sane(size: str, ratio: float) -> None:
    assert card(size=size).aspect_ratio == ratio


def test_a_headline_is_one_short_line_whatever_the_status_word() -> None:
    headline = card(status="wait\n\u202e" + "x" * 500).headline
    assert len(headline) < 80
    assert not re.search(r"[\n\u202e]", headline)


# What crosses to the browser.


@st.composite
def states(draw: st.DrawFn) -> WatchState:
    state = begun()
    for _ in range(draw(st.integers(0, 3))):
        if not state.is_over:
            parsed = Job.parse(draw(payloads), job_id="video_1")
            state = state.answered(parsed, NOW_S + draw(st.floats(0, 600)))
    if not state.is_over and draw(st.booleans()):
        trouble = ServerTrouble(draw(st.text()))
        state = draw(
            st.sampled_from(
                [
                    state.troubled(trouble, NOW_S),
                    state.troubled(BadKey(str(trouble), status_code=401), NOW_S),
                    state.stopped(NOW_S),
                    state.gave_up(NOW_S),
                ]
            )
        )
    if state.ending is Ending.COMPLETED:
        saved = SavedClip("/n/a.mp4", "a.mp4", "a.mp4", 9)
        extras: list[dict[str, Any]] = [{}, {"saved": saved}, {"saving": Saving(5, None)}]
        state = replace(state, **draw(st.sampled_from(extras)))
    return replace(state, is_simulated=draw(st.booleans()))


def check_json(shown: Card) -> None:
    as_json = shown.to_json(NOW_S)
    # As strict as the kernel's messages are: no NaN, and UTF-8 must be able to say it.
    sent = json.dumps(as_json, allow_nan=False, ensure_ascii=False).encode()
    assert json.loads(sent)["phase"] == shown.phase
    assert math.isfinite(as_json["aspect_ratio"])


@given(states())
def test_the_card_of_any_watch_can_cross_to_the_browser(state: WatchState) -> None:
    shown = Card.of_watch(state)
    check_json(shown)
    assert shown.phase.is_active == (not state.is_over)
    assert (shown.clip is not None) == (shown.phase is Phase.COMPLETED)


@given(payloads, texts)
def test_the_card_of_any_job_can_cross_to_the_browser(payload: object, job_id: str) -> None:
    check_json(Card.of_job(Job.parse(payload, job_id=job_id.encode("utf-8", "replace").decode())))


def test_every_status_and_every_phase_is_drawn() -> None:
    shown = {Card.of_job(Job("x", status)).phase for status in JobStatus}
    assert shown == {Phase.QUEUED, Phase.RUNNING, Phase.COMPLETED, Phase.FAILED, Phase.UNKNOWN}


def test_the_browser_reads_no_field_that_the_card_lacks() -> None:
    fields = set(card().to_json(NOW_S))
    parts = [path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.js"))]
    script = re.sub(r"\bcard\.(py|js|css)\b", "", "\n".join(parts))
    read = set(re.findall(r"\bcard\.([a-z]\w*)", script))
    assert read, "the name under which static/*.js hold the card has changed: mend this test"
    assert read <= fields


def test_a_job_whose_clip_lies_beside_the_notebook_shows_that_and_not_the_link() -> None:
    told = {"id": "v1", "status": "completed", "video_url": "https://cdn.example/v1.mp4"}
    job = replace(Job.parse(told), saved_path="videos/v1.mp4")
    clip = Card.of_job(job).clip
    assert clip is not None
    assert clip.path == clip.saved_to == "videos/v1.mp4"


@pytest.mark.parametrize("place", ["/tmp/v1.mp4", "C:\\clips\\v1.mp4", "s3://bucket/v1.mp4"])
def test_a_clip_that_lies_elsewhere_is_named_but_not_loaded_by_a_page(place: str) -> None:
    job = replace(Job.parse({"id": "v1", "status": "completed"}), saved_path=place)
    clip = Card.of_job(job).clip
    assert clip is not None
    assert clip.path is None
    assert clip.saved_to == place
