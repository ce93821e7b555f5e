"""Takes in a session: what is thought of them, how they are named, what is written beside them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cometvid_nb.cards.card import Card
from cometvid_nb.display.widget import GridWidget
from cometvid_nb.errors import SettingsError
from cometvid_nb.job.job import Job
from cometvid_nb.job.rating import Flag, Rating
from cometvid_nb.job.status import JobStatus
from cometvid_nb.session.rating import RatingChange, rate_jobs
from cometvid_nb.session.request import make_request, send
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Scenario, Simulator
from cometvid_nb.watching.watch import Watch
from cometvid_nb.watching.watch_list import WatchList
from tests.simulated import KEY

WITHIN_S = 30.0

pytestmark = pytest.mark.simulator(speed=100)


def done(session: Session, sim: Simulator, job_id: str, **options: Any) -> Watch:
    """A watch that has saved its clip."""
    script = {"queue_s": 0, "run_s": 0, "prompt": f"A comet over {job_id}", "model": "sora-2"}
    watch = session.watch(sim.add(Scenario(job_id, **script)), **options)  # type: ignore[arg-type]
    watch.wait(WITHIN_S)
    return watch


# What a person thinks of a clip.


def test_a_rating_is_on_every_card_of_its_job_and_outlives_the_kernel(
    open_session: Callable[..., Session], sim: Simulator
) -> None:
    session = open_session()
    first = done(session, sim, "video_1")
    second = session.watch("video_1")
    assert second is not first, "the first one may still be on a card"
    assert first.rating == Rating()
    assert first.rate(stars=4, flag="picked", tags=["comet"]) == second.rating
    assert second.rate(flag=None, note="The tail is right.") == first.rating
    assert Card.of_watch(first.state).rating == Rating(4, None, ("comet",), "The tail is right.")
    again = open_session().watch("video_1")
    assert again.rating == first.rating


def test_a_wrong_rating_changes_nothing(session: Session, sim: Simulator) -> None:
    watch = done(session, sim, "video_1")
    watch.rate(stars=4)
    with pytest.raises(ValueError, match="1 to 5"):
        watch.rate(stars=6, flag="picked")
    assert watch.rating == Rating(4)


def test_a_rating_stays_while_the_job_goes_on(session: Session, sim: Simulator) -> None:
    watch = session.watch(sim.add(Scenario("video_1", run_s=0, queue_s=0, ending="never")))
    watch.rate(flag="picked")
    sim.finish("video_1")
    watch.wait(WITHIN_S)
    assert watch.rating == Rating(flag=Flag.PICKED)
    assert watch.state.saved is not None


@pytest.mark.settings(ledger="off")
def test_without_a_ledger_a_rating_lives_as_long_as_its_watch(
    session: Session, sim: Simulator
) -> None:
    watch = done(session, sim, "video_1")
    assert watch.rate(stars=2) == Rating(2)
    assert rate_jobs(session, ["video_1"], RatingChange(added=("x",))) == [Rating(2, tags=("x",))]
    with pytest.raises(SettingsError, match="ledger of jobs is off"):
        rate_jobs(session, ["video_other"], RatingChange({"stars": 1}))


def test_a_job_that_nobody_watches_is_rated_as_well(session: Session) -> None:
    session.ledger.see(session.settings.base_url, Job("video_9", JobStatus.COMPLETED))

    def rated(change: RatingChange) -> Rating:
        [rating] = rate_jobs(session, ["video_9"], change)
        return rating

    assert rated(RatingChange({"stars": 3}, added=("a", "b"))) == Rating(3, tags=("a", "b"))
    picked = rated(RatingChange({"flag": "picked"}, removed=("A",)))
    assert picked == Rating(3, Flag.PICKED, ("b",))
    assert rated(RatingChange({"note": "no"}, is_cleared=True)) == Rating(note="no")


def test_an_id_that_nobody_knows_is_refused_before_anything_is_written(
    open_session: Callable[..., Session], sim: Simulator
) -> None:
    session = open_session()
    done(session, sim, "video_0001")
    here = session.settings.base_url
    session.ledger.see("https://other/v1", Job("video_elsewhere", JobStatus.COMPLETED))
    ids = ["video_0001", "video_0002", "video_elsewhere"]
    with pytest.raises(SettingsError, match="no job video_0002, video_elsewhere") as caught:
        rate_jobs(session, ids, RatingChange({"stars": 2}))
    assert str(caught.value.advice).startswith("Did you mean video_0001? If they exist, watch")
    assert [(entry.job_id, entry.rating) for entry in session.ledger.entries(here)] == [
        ("video_0001", None)
    ]
    watch = session.watch("video_nobody_has", save=False)
    [rating] = rate_jobs(session, ["video_nobody_has"], RatingChange({"stars": 2}))
    assert rating == watch.rating == Rating(2), "a watch of it is enough to know it"
    watch.stop()
    # Only its rating is written down: it is not begun again, and nobody says that it waits.
    entry = session.ledger.find(here, "video_nobody_has")
    assert entry is not None
    assert (entry.state, entry.rating) == ("only rated", Rating(2))
    assert open_session().resume() == []


def test_what_a_page_says_of_a_clip_is_taken_by_value(session: Session, sim: Simulator) -> None:
    watch = done(session, sim, "video_1")
    widget = watch.widget

    def tell(rating: object) -> None:
        widget._handle_custom_msg({"kind": "rate", "rating": rating}, [])

    tell({"stars": 5, "flag": "picked", "tags": ["a"], "note": None, "more": 1})
    assert watch.rating == Rating(5, Flag.PICKED, ("a",))
    assert widget.card["rating"]["stars"] == 5
    for wrong in ({"flag": "loved"}, {"note": "x" * 9999}, {"tags": "y" * 99}, None, 7, [1]):
        tell(wrong)
        assert watch.rating == Rating(5, Flag.PICKED, ("a",))
        assert str(watch.state.note).startswith("The rating was not taken: ")
    tell({"stars": None, "flag": None, "tags": [], "note": None})
    assert watch.rating == Rating()
    assert widget.card["rating"] is None


def test_a_gallery_says_it_of_one_of_its_jobs(session: Session, sim: Simulator) -> None:
    one, two = done(session, sim, "video_1"), done(session, sim, "video_2")
    widget = GridWidget()
    feed = session.stage.bind_gallery(widget, [one, two])
    for job_id in ("video_2", "video_strange"):
        message = {"kind": "rate", "job_id": job_id, "rating": {"flag": "picked"}}
        widget._handle_custom_msg(message, [])
    assert (one.rating, two.rating) == (Rating(), Rating(flag=Flag.PICKED))
    cards = {card.job_id: card for card in feed.gallery.cards(9)}
    assert cards["video_2"].rating == two.rating
    feed.end()


def test_a_list_of_watches_gives_the_picked_ones(
    session: Session, sim: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    takes = WatchList(done(session, sim, f"video_{n}") for n in range(3))
    takes[0].rate(flag="picked")
    takes[2].rate(flag="rejected")
    assert takes.picked() == [takes[0]]
    assert takes.rejected() == [takes[2]]
    capsys.readouterr()
    WatchList()._ipython_display_()
    assert capsys.readouterr().out == "[]\n", "an empty one is seen to be empty"
    assert isinstance(takes.picked(), WatchList)


# Being told of the end.


def test_whoever_asks_is_called_once_and_at_once_if_it_is_over(
    session: Session, sim: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = session.watch(sim.add(Scenario("video_1", run_s=0, queue_s=0, ending="never")))
    called: list[tuple[Watch, bool, str]] = []
    is_called = threading.Event()

    def call(one: Watch) -> None:
        called.append((one, one.state.is_settled, threading.current_thread().name))
        is_called.set()
        raise KeyError("the reader's own mistake")

    watch.on_done(call)
    assert called == []
    sim.finish("video_1")
    watch.wait(WITHIN_S)
    assert is_called.wait(WITHIN_S)
    [(one, is_settled, thread)] = called
    assert one is watch
    assert is_settled
    assert thread.startswith("cometvid-on-done")
    watch.on_done(call)
    assert len(called) == 2
    assert called[1][2] == threading.current_thread().name
    for other in threading.enumerate():
        if other.name.startswith("cometvid-on-done"):
            other.join(WITHIN_S)
    assert capsys.readouterr().err.count("KeyError: ") == 2
    watch.rate(stars=1)  # a change after the end
    assert len(called) == 2


# Names and recipes.


def test_clips_are_named_by_a_template_and_no_file_is_replaced(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    session.configure(name_template="{model}-{prompt:7}-{take}")
    (tmp_path / "videos").mkdir()
    theirs = tmp_path / "videos" / "sora-2-A-comet-1.mp4"
    theirs.write_bytes(b"somebody's own")
    watches = [
        session.watch(
            sim.add(
                Scenario(f"video_{n}", queue_s=0, run_s=0, prompt=f"A comet {n}", model="sora-2")
            )
        )
        for n in range(2)
    ]
    for watch in watches:
        watch.wait(WITHIN_S)
    places = {watch.state.saved.path for watch in watches if watch.state.saved}
    # Where two clips hold the same bytes, they are one file.
    assert places <= {f"videos/sora-2-A-comet-{n}.mp4" for n in (2, 3)}
    assert theirs.read_bytes() == b"somebody's own"
    again = session.watch("video_0")
    assert again.state.saved is not None
    assert again.state.saved.path in places, "the remembered place is found"


def test_a_name_is_given_to_one_clip_alone_and_checked_before_anything_is_paid_for(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    watch = done(session, sim, "video_1", name="mine-{id}")
    assert watch.state.saved is not None
    assert watch.state.saved.path == "videos/mine-video_1.mp4"
    saved = session.save("video_1", str(tmp_path / "other"), name="{prompt:7}.mp4")
    assert Path(saved.file_path).name == "A-comet.mp4"
    assert (tmp_path / "other" / "A-comet.json").is_file()
    with pytest.raises(SettingsError, match=re.escape("no field {nmae}. Fields: {date}")):
        session.check_watch_options(name="{nmae}")
    with pytest.raises(SettingsError, match="named twice"):
        session.check_watch_options(name="{id}", save_to="x.mp4")
    with pytest.raises(SettingsError, match="name_template cannot be used"):
        session.configure(name_template="../{id}")


def test_a_recipe_lies_beside_the_clip_without_key_or_link(
    session: Session, sim: Simulator
) -> None:
    extra = {"note": f"Bearer {KEY}", "callback": "https://hook.example/?sig=1", "style": "noir"}
    request = make_request(session, ['It "flies"\n{x}'], model="m-1", seconds=4, extra=extra)
    [made], error = send(session, request)
    assert error is None
    sim.finish(made.job.id)
    watch = session.watch(made.job.id)
    watch.wait(WITHIN_S)
    assert watch.state.saved is not None
    text = Path(watch.state.saved.file_path).with_suffix(".json").read_text(encoding="utf-8")
    told = json.loads(text)
    assert (told["prompt"], told["model"]) == ('It "flies"\n{x}', "m-1")
    assert told["fields"]["style"] == "noir"
    assert told["left_out"] == ["callback"]
    assert told["endpoint"] == "127.0.0.1"
    assert re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["created_at"])
    assert told["versions"]["python"]
    assert KEY not in text
    assert "://" not in text
    assert "rating" not in text


def test_a_recipe_never_takes_the_place_of_somebody_elses_file(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "video_1.json").write_text("{}")
    watch = done(session, sim, "video_1")
    assert (videos / "video_1.json").read_text() == "{}"
    assert watch.state.saved is not None
    assert watch.state.problem is None
    assert str(watch.state.note) == (
        "The clip is saved; its recipe is not: video_1.json is another file."
    )
    # Its own is written anew.
    done(session, sim, "video_2")
    before = (videos / "video_2.json").read_text()
    (videos / "video_2.json").write_text(before.replace("A comet", "A stone"))
    session.save("video_2")
    assert json.loads((videos / "video_2.json").read_text())["prompt"] == "A comet over video_2"
    assert [path.name for path in videos.iterdir() if path.name.startswith(".")] == []


def test_no_recipe_is_written_where_none_is_wanted(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    session.configure(recipe="off")
    done(session, sim, "video_1")
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["video_1.mp4"]


def test_a_recipe_lies_beside_a_clip_in_another_storage(
    session: Session, sim: Simulator, tmp_path: Path
) -> None:
    done(session, sim, "video_1", save_to=f"file://{tmp_path}/store/")
    store = tmp_path / "store"
    assert json.loads((store / "video_1.json").read_text())["job_id"] == "video_1"
    (store / "video_2.json").write_text("mine")
    watch = done(session, sim, "video_2", save_to=f"file://{tmp_path}/store/")
    assert (store / "video_2.json").read_text() == "mine"
    assert watch.state.saved is not None


# A clip that goes on where another one ends.


def continued(session: Session, job_id: str, prompt: str = "It lands", **options: Any) -> Job:
    request = make_request(session, [prompt], continue_from=job_id, **options)
    [made], error = send(session, request)
    assert error is None
    return made.job


@pytest.mark.parametrize("where", ["disk", "store", "api"])
def test_a_clip_begins_with_the_last_frame_of_another_wherever_that_lies(
    session: Session, sim: Simulator, tmp_path: Path, where: str
) -> None:
    pytest.importorskip("av")
    save: dict[str, Any] = {"save_to": f"file://{tmp_path}/s/"} if where == "store" else {}
    save |= {"save": False} if where == "api" else {}
    done(session, sim, "video_1", **save)
    sim.requests.clear()
    job = continued(session, "video_1")
    [sent] = [request for request in sim.requests if request.method == "POST"]
    assert ("model", "sora-2") in sent.fields
    assert ("size", "1280x720") in sent.fields
    [picture] = sent.files
    assert (picture.kind, picture.frame) == ("png", (1280, 720))
    entry = session.ledger.find(session.settings.base_url, job.id)
    assert entry is not None
    assert entry.continued_from == job.continued_from == "video_1"
    assert entry.to_row()["continued_from"] == "video_1"
    facts = Card.of_watch(session.watch(job.id, save=False).state).facts
    assert "continues video_1" in facts


def test_a_model_that_takes_no_picture_says_so_before_it_costs(
    session: Session, sim: Simulator
) -> None:
    done(session, sim, "video_1")
    sim.requests.clear()
    with pytest.raises(SettingsError, match=r"wan2\.6 takes no picture"):
        make_request(session, ["It lands"], continue_from="video_1", model="wan2.6")
    with pytest.raises(SettingsError, match="begins with its last frame"):
        make_request(session, ["It lands"], continue_from="video_1", image="a.png")
    assert [request for request in sim.requests if request.method == "POST"] == []


def test_what_another_model_does_not_take_is_left_out_and_said(
    session: Session, sim: Simulator
) -> None:
    done(session, sim, "video_1")
    request = make_request(session, ["It lands"], continue_from="video_1", model="veo3")
    assert set(request.new[0].fields) == {"prompt", "model"}
    assert any("takes no size 1280x720" in note for note in request.notes)
    given = make_request(session, ["x"], continue_from="video_1", seconds=8, size="720x1280")
    assert given.new[0].fields["seconds"] == "8"
    assert given.new[0].fields["size"] == "720x1280"


def test_requests_that_continue_different_clips_are_different(
    session: Session, sim: Simulator
) -> None:
    done(session, sim, "video_1")
    done(session, sim, "video_2")
    digests = {
        make_request(session, ["It lands"], continue_from=one).digests
        for one in ("video_1", "video_2")
    }
    assert len(digests) == 2
