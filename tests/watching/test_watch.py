"""A watch follows its job to the end over real sockets, and tells what a person would see."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cometvid_nb.api.client import Client
from cometvid_nb.clips.download import OVERLAP_BYTES
from cometvid_nb.clips.places import Destination
from cometvid_nb.errors import BadKey, GaveUp, JobFailed, WatchStopped
from cometvid_nb.job.job import Polled
from cometvid_nb.job.status import JobStatus
from cometvid_nb.simulator import BAD_GATEWAY_PAGE, Fault, Scenario, Simulator
from cometvid_nb.watching.loop import WatchLoop
from cometvid_nb.watching.schedule import PollPolicy
from cometvid_nb.watching.server import Server
from cometvid_nb.watching.state import Ending, WatchState
from cometvid_nb.watching.watch import Watch
from cometvid_nb.watching.watch_list import WatchList
from tests.simulated import KEY, settings_of

POLL = "GET /videos/{id}"
CONTENT = "GET /videos/{id}/content"
CLIP = "GET /clips/*"
WITHIN_S = 15.0
QUICK = PollPolicy.fixed(0.05, 60.0)

pytestmark = pytest.mark.simulator(separate_clip_host=True)


class Seen:
    """All the states that one observer was told, to wait on."""

    def __init__(self, watch: Watch) -> None:
        self.states: list[WatchState] = []
        self._changed = threading.Condition()
        self.unsubscribe = watch.subscribe(self._observe)

    def _observe(self, state: WatchState) -> None:
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    def wait_for(self, is_it: Callable[[WatchState], object]) -> WatchState:
        """The first state that fits."""

        def fitting() -> list[WatchState]:
            return [state for state in self.states if is_it(state)]

        with self._changed:
            assert self._changed.wait_for(fitting, WITHIN_S), self.states[-1]
            return fitting()[0]

    def wait_for_the_end(self) -> WatchState:
        return self.wait_for(lambda state: state.is_settled)


class Desk:
    """A simulator, a server and a loop, joined as a session joins them."""

    def __init__(self, sim: Simulator, folder: Path) -> None:
        self.sim = sim
        self.folder = folder
        self.server = Server(settings_of(sim))
        self.loop = WatchLoop()

    def job(self, job_id: str = "video_1", **script: object) -> str:
        """A job that runs until the test ends it."""
        given = {"queue_s": 0, "run_s": 1, "steps": (0,), "ending": "never", **script}
        return self.sim.add(Scenario(job_id, **given))  # type: ignore[arg-type]

    def follow(self, job_id: str, policy: PollPolicy = QUICK, *, is_saved: bool = False) -> Watch:
        videos = Destination(self.folder / "videos", self.folder)
        state = WatchState.begin(job_id, time.time(), policy.give_up_after_s)
        return self.loop.follow(
            Watch(state, self.server, policy, destinations=[videos] if is_saved else [])
        )

    def close(self) -> None:
        self.loop.close([self.server])

    @property
    def content_requests(self) -> int:
        """How often the clip itself was asked of the content endpoint; posters do not count."""
        asked = [request for request in self.sim.requests if request.path.endswith("/content")]
        return sum("variant" not in request.query for request in asked)

    def saved_names(self) -> set[str]:
        return {path.name for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def desk(sim: Simulator, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(sim, tmp_path)
    yield desk
    desk.close()


# To the end.


def test_a_watch_ends_with_the_job_and_its_clip_byte_for_byte(desk: Desk) -> None:
    watch = desk.follow(desk.job(), is_saved=True)
    seen = Seen(watch)
    seen.wait_for(lambda state: state.job)
    desk.sim.set_progress("video_1", 40)
    seen.wait_for(lambda state: state.job and state.job.progress_percent == 40)
    desk.sim.finish("video_1")

    job = watch.wait(WITHIN_S)
    assert (job.id, job.status) == ("video_1", JobStatus.COMPLETED)
    state = watch.state
    assert state.saved is not None
    assert (state.saved.path, state.problem) == ("videos/video_1.mp4", None)
    assert Path(state.saved.file_path).read_bytes() == desk.sim.clip_bytes("video_1")
    assert desk.saved_names() == {"video_1.mp4"}
    assert watch.result() is watch.job is job


def test_a_person_sees_completed_then_saving_then_saved(desk: Desk) -> None:
    seen = Seen(desk.follow(desk.job(ending="completed", run_s=0), is_saved=True))
    seen.wait_for_the_end()

    over = [state for state in seen.states if state.is_over]
    assert over[0].saving is not None, "the player comes before the saving"
    assert not over[0].is_settled
    assert [state.is_settled for state in over].count(True) == 1
    assert over[-1].saved is not None


def test_without_saving_the_clip_is_not_asked_for(desk: Desk) -> None:
    watch = desk.follow(desk.job(ending="completed", run_s=0))
    assert watch.wait(WITHIN_S).video_url
    assert desk.sim.count(CLIP) == desk.content_requests == 0
    assert desk.saved_names() == set()


def test_a_failed_job_raises_with_the_apis_reason(desk: Desk) -> None:
    watch = desk.follow("video_fails", is_saved=True)
    Seen(watch).wait_for(lambda state: state.job)
    desk.sim.fail("video_fails", "blocked by moderation")
    with pytest.raises(JobFailed, match="blocked by moderation") as caught:
        watch.wait(WITHIN_S)
    assert caught.value.job is watch.job
    assert desk.content_requests == 0


def test_an_unknown_word_is_followed_until_the_deadline(desk: Desk) -> None:
    desk.job(status_word="paused_by_moderation")
    watch = desk.follow("video_1", PollPolicy.fixed(0.2, 1.0))
    with pytest.raises(GaveUp, match="paused_by_moderation"):
        watch.wait(WITHIN_S)
    assert watch.state.ending is Ending.GAVE_UP
    assert 4 <= desk.sim.count(POLL) <= 7


def test_the_deadline_also_ends_a_question_that_is_never_answered(desk: Desk) -> None:
    desk.sim.add_fault(Fault(POLL, times=None, delay_s=60))
    watch = desk.follow(desk.job(), PollPolicy.fixed(0.2, 1.0))
    with pytest.raises(GaveUp, match="1 s of watching"):
        watch.wait(WITHIN_S)


def test_trouble_that_passes_is_told_and_forgotten(desk: Desk) -> None:
    desk.sim.add_fault(Fault(POLL, status=502, body=BAD_GATEWAY_PAGE))
    watch = desk.follow(desk.job())
    seen = Seen(watch)

    troubled = seen.wait_for(lambda state: state.problem)
    assert "502 with an HTML page" in str(troubled.problem)
    assert len(troubled.checks_at_s) == 2, "the page knows when the next check is due"
    cured = seen.wait_for(lambda state: state.job)
    assert cured.problem is None
    assert not watch.state.is_over


def test_an_id_that_is_unknown_at_first_is_asked_again(desk: Desk) -> None:
    seen = Seen(desk.follow(desk.job(unknown_polls=1)))
    assert "does not know this id yet" in str(seen.wait_for(lambda state: state.problem).problem)
    assert seen.wait_for(lambda state: state.job).problem is None


def test_a_refusal_ends_the_watch_and_shows_no_key(desk: Desk) -> None:
    desk.sim.add_fault(Fault(POLL, times=None, status=401))
    watch = desk.follow(desk.job())
    with pytest.raises(BadKey) as caught:
        watch.wait(WITHIN_S)

    assert watch.state.ending is Ending.BROKEN
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(told.format())
    assert desk.sim.count(POLL) == 1


def test_a_fault_of_our_own_is_said_and_not_silent(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(Client):
        async def poll(self, job_id: str) -> Polled:
            raise KeyError("surprise")

    desk.server.client = Odd(desk.server.settings)
    state = Seen(desk.follow("video_1")).wait_for_the_end()
    assert state.ending is Ending.BROKEN
    assert "KeyError" in str(state.error)
    assert "surprise" in caplog.text


def test_a_fault_of_our_own_while_saving_ends_the_saving_and_not_the_job(desk: Desk) -> None:
    class Odd(Client):
        def open_clip(self, *_args: object, **_options: object) -> Any:
            raise KeyError("surprise")

    desk.server.client = Odd(desk.server.settings)
    watch = desk.follow(desk.job(ending="completed", run_s=0), is_saved=True)
    assert watch.wait(WITHIN_S).is_final
    assert (watch.state.ending, watch.state.saving) == (Ending.COMPLETED, None)
    assert "KeyError" in str(watch.state.problem)


# Who waits.


async def test_a_watch_can_be_awaited_by_many(desk: Desk) -> None:
    watch = desk.follow(desk.job(ending="completed", run_s=0.5))
    async with asyncio.timeout(WITHIN_S):
        one, other = await asyncio.gather(watch, watch)
        assert await watch is one is other, "also after the end"
    assert one.is_final


async def test_awaiting_a_watch_that_ends_badly_raises_the_same_each_time(desk: Desk) -> None:
    watch = desk.follow(desk.job(ending="failed", run_s=0))
    for _ in range(2):
        with pytest.raises(JobFailed):
            async with asyncio.timeout(WITHIN_S):
                await watch


def test_a_wait_may_be_shorter_than_the_watch(desk: Desk) -> None:
    watch = desk.follow(desk.job())
    with pytest.raises(GaveUp, match=r"0\.2 s of waiting"):
        watch.wait(0.2)
    assert not watch.state.is_over

    desk.sim.finish("video_1")
    assert watch.wait(WITHIN_S).is_final


def test_a_result_before_the_end_is_a_mistake(desk: Desk) -> None:
    watch = desk.follow(desk.job())
    with pytest.raises(RuntimeError, match="not over"):
        watch.result()


def test_a_list_of_watches_waits_for_all_and_stops_all(desk: Desk) -> None:
    done = [desk.follow(desk.job(f"video_{n}", ending="completed", run_s=0)) for n in range(3)]
    assert [job.id for job in WatchList(done).wait(WITHIN_S)] == ["video_0", "video_1", "video_2"]

    going = WatchList([desk.follow(desk.job(f"video_x{n}")) for n in range(3)])
    going.stop()
    assert {watch.state.ending for watch in going} == {Ending.STOPPED}


def test_a_watch_says_where_it_stands(desk: Desk) -> None:
    watch = desk.follow(desk.job(status_word="rendering"))
    Seen(watch).wait_for(lambda state: state.job)
    assert repr(watch) == "<Watch video_1: rendering>"
    watch.stop()
    assert repr(watch) == "<Watch video_1: stopped>"


# Stop and close.


def test_stop_ends_the_watch_at_once_and_not_the_job(desk: Desk) -> None:
    watch = desk.follow(desk.job())
    seen = Seen(watch)
    seen.wait_for(lambda state: state.job)
    watch.stop()
    watch.stop()

    assert watch.state.ending is Ending.STOPPED
    with pytest.raises(WatchStopped):
        watch.wait(WITHIN_S)
    assert [state.ending for state in seen.states].count(Ending.STOPPED) >= 1
    assert idle(desk.loop)
    assert seen.states[-1].ending is Ending.STOPPED


def test_stop_before_the_first_answer_holds(desk: Desk) -> None:
    desk.sim.add_fault(Fault(POLL, delay_s=0.3))
    watch = desk.follow(desk.job())
    assert desk.sim.wait_for_requests(POLL)
    watch.stop()
    assert idle(desk.loop)
    assert (watch.state.ending, watch.state.job) == (Ending.STOPPED, None)


def test_stop_during_the_saving_keeps_the_job_and_leaves_no_piece(desk: Desk) -> None:
    desk.sim.add_fault(Fault(CLIP, times=None, delay_s=60))
    watch = desk.follow(desk.job(ending="completed", run_s=0), is_saved=True)
    assert desk.sim.wait_for_requests(CLIP)
    watch.stop()

    assert watch.state.ending is Ending.COMPLETED
    assert watch.wait(WITHIN_S).is_final
    assert idle(desk.loop)
    assert watch.state.is_settled
    assert desk.saved_names() == set()


def idle(loop: WatchLoop) -> bool:
    """Whether the watcher's loop comes to rest: no poll and no saving goes on."""

    async def rest() -> bool:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if others:
            await asyncio.wait(others, timeout=WITHIN_S)
        return all(task.done() for task in others)

    return loop.run(rest()).result(WITHIN_S + 1)


def test_close_ends_every_watch_and_leaves_no_thread(desk: Desk) -> None:
    before = set(threading.enumerate())
    desk.sim.add_fault(Fault(CLIP, times=None, delay_s=60))
    watches = [desk.follow(desk.job(f"video_{n}")) for n in range(3)]
    watches.append(desk.follow(desk.job("video_s", ending="completed", run_s=0), is_saved=True))
    for watch in watches:
        Seen(watch).wait_for(lambda state: state.job)
    desk.close()

    assert all(watch.state.is_settled for watch in watches)
    assert set(threading.enumerate()) - before == set()
    desk.close()


def test_a_closed_watcher_works_again(desk: Desk) -> None:
    desk.follow(desk.job())
    desk.close()
    desk.sim.finish("video_1")
    assert desk.follow("video_1", is_saved=True).wait(WITHIN_S).is_final


def test_the_loop_runs_in_a_daemon_thread(desk: Desk) -> None:
    desk.follow(desk.job())
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "cometvid-watcher")
    assert thread.daemon


def test_two_follows_of_one_job_share_a_watch_until_it_is_over(desk: Desk) -> None:
    one = desk.follow(desk.job())
    other = desk.follow("video_2", QUICK) if desk.job("video_2") else one
    assert desk.follow("video_1") is one
    assert desk.loop.watches == [one, other]

    one.stop()
    again = desk.follow("video_1")
    assert again is not one
    assert desk.loop.watches == [other, again]


def test_a_watch_of_a_saved_clip_does_not_replace_one_that_is_not_over(desk: Desk) -> None:
    going = desk.follow(desk.job())
    saved = WatchState.begin("video_1", 0.0, 60.0).stopped(1.0)
    assert desk.loop.remember(Watch(saved, desk.server, QUICK)) is going
    going.stop()
    remembered = Watch(saved, desk.server, QUICK)
    assert desk.loop.remember(remembered) is remembered
    assert desk.loop.watches == [remembered]


def test_many_jobs_share_one_thread(desk: Desk) -> None:
    ids = [desk.job(f"video_{n}", ending="completed", run_s=0.3) for n in range(40)]
    watches = [desk.follow(job_id, is_saved=n < 3) for n, job_id in enumerate(ids)]
    assert all(watch.wait(WITHIN_S).is_final for watch in watches)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("cometvid-watcher") == 1


# What observers are told.


def test_a_hundred_polls_without_news_tell_nobody(desk: Desk) -> None:
    seen = Seen(desk.follow(desk.job(), PollPolicy.fixed(0.02, 3600.0)))
    assert desk.sim.wait_for_requests(POLL, 101, WITHIN_S)
    assert len(seen.states) == 2, "the beginning, and the first answer with its plan"


def test_the_plan_that_was_told_is_the_one_that_is_kept(desk: Desk) -> None:
    seen = Seen(desk.follow(desk.job(), PollPolicy.fixed(0.3, 3600.0)))
    plan_s = seen.wait_for(lambda state: state.job).checks_at_s
    assert desk.sim.wait_for_requests(POLL, 4, WITHIN_S)

    asked_at_s = [asked.at_s for asked in desk.sim.requests]
    assert asked_at_s[:4] == pytest.approx(plan_s[:4], abs=0.2)
    assert len(seen.states) == 2


def test_a_hint_in_every_answer_is_kept_and_tells_nobody(desk: Desk) -> None:
    desk.sim.add_fault(Fault(POLL, times=None, headers={"Retry-After": "0.4"}))
    seen = Seen(desk.follow(desk.job(), QUICK))
    assert desk.sim.wait_for_requests(POLL, 4, WITHIN_S)

    asked_at_s = [asked.at_s for asked in desk.sim.requests]
    pauses_s = [after - before for before, after in itertools.pairwise(asked_at_s)]
    assert min(pauses_s) > 0.35
    assert len(seen.states) == 2


def test_a_hint_that_comes_later_makes_a_new_plan(desk: Desk) -> None:
    desk.sim.add_fault(Fault(POLL, times=None, after=3, headers={"Retry-After": "30"}))
    seen = Seen(desk.follow(desk.job(), QUICK))
    state = seen.wait_for(lambda state: state.poll.retry_after_s)
    assert state.checks_at_s[1] - state.checks_at_s[0] == pytest.approx(30)
    assert len(seen.states) == 3


def test_every_visible_change_is_told_once(desk: Desk) -> None:
    seen = Seen(desk.follow(desk.job()))
    seen.wait_for(lambda state: state.job)
    for percent in (10, 20, 30):
        desk.sim.set_progress("video_1", percent)
        seen.wait_for(lambda state: state.job and state.job.progress_percent == percent)  # noqa: B023
    assert len(seen.states) == 5


def test_an_observer_that_breaks_harms_nobody(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    watch = desk.follow(desk.job())

    def broken(state: WatchState) -> None:
        raise ZeroDivisionError(state)

    watch.subscribe(broken)
    seen = Seen(watch)
    desk.sim.finish("video_1")
    assert seen.wait_for_the_end().ending is Ending.COMPLETED
    assert "an observer of video_1 failed" in caplog.text


def test_who_unsubscribes_is_told_no_more(desk: Desk) -> None:
    watch = desk.follow(desk.job())
    gone, here = Seen(watch), Seen(watch)
    here.wait_for(lambda state: state.job)
    gone.unsubscribe()
    gone.unsubscribe()
    told = len(gone.states)
    desk.sim.finish("video_1")
    here.wait_for_the_end()
    assert len(gone.states) == told


def test_who_subscribes_late_is_told_the_present_at_once(desk: Desk) -> None:
    watch = desk.follow(desk.job(ending="completed", run_s=0))
    watch.wait(WITHIN_S)
    assert [state.ending for state in Seen(watch).states] == [Ending.COMPLETED]


# The roads to the clip.


def saved_state(desk: Desk, job_id: str) -> WatchState:
    desk.sim.finish(job_id)
    watch = desk.follow(job_id, is_saved=True)
    state = Seen(watch).wait_for_the_end()
    assert watch.wait(WITHIN_S).is_final, "a clip that is not saved does not undo the job"
    return state


def check_saved(desk: Desk, job_id: str) -> None:
    state = saved_state(desk, job_id)
    assert state.problem is None
    assert state.saved is not None
    assert Path(state.saved.file_path).read_bytes() == desk.sim.clip_bytes(job_id)
    assert desk.saved_names() == {f"{job_id}.mp4"}


def test_a_dead_link_leads_to_the_content_endpoint(desk: Desk) -> None:
    check_saved(desk, "video_dead_link")
    assert desk.content_requests == 1


def test_no_link_leads_to_the_content_endpoint(desk: Desk) -> None:
    check_saved(desk, "video_no_link")
    assert (desk.sim.count(CLIP), desk.content_requests) == (0, 1)


def test_a_link_nobody_could_follow_leads_to_the_content_endpoint(desk: Desk) -> None:
    desk.sim.finish(desk.job())
    body = {"id": "video_1", "status": "completed", "video_url": "http://[bad"}
    desk.sim.add_fault(Fault(POLL, times=None, status=200, body=body))
    check_saved(desk, "video_1")
    assert desk.content_requests == 1


def test_an_expired_link_leads_to_a_fresh_one(desk: Desk) -> None:
    desk.job(link_life_s=0.5)
    desk.sim.add_fault(Fault(CLIP, delay_s=0.7))  # the link is checked after the delay
    check_saved(desk, "video_1")
    assert (desk.sim.count(CLIP), desk.content_requests) == (2, 0)


def test_a_page_in_place_of_a_clip_leads_on(desk: Desk) -> None:
    desk.sim.add_fault(Fault(CLIP, status=200, body=BAD_GATEWAY_PAGE))
    check_saved(desk, desk.job())
    assert desk.content_requests == 1


def test_a_clip_that_breaks_off_goes_on_where_it_broke(desk: Desk) -> None:
    desk.sim.add_fault(Fault(CLIP, cut_after_bytes=70_000))
    check_saved(desk, desk.job())

    asked = [request for request in desk.sim.requests if request.host == "clips"]
    assert [request.headers.get("range") for request in asked] == [
        None,
        f"bytes={70_000 - OVERLAP_BYTES}-",
    ]


def test_no_road_at_all_is_said_on_the_card_and_the_job_is_still_done(desk: Desk) -> None:
    desk.sim.add_fault(Fault(CLIP, times=None, status=404))
    desk.sim.add_fault(Fault(CONTENT, times=None, status=410))
    state = saved_state(desk, desk.job())

    assert (state.ending, state.saved, state.error) == (Ending.COMPLETED, None, None)
    assert "The clip is not saved" in str(state.problem)
    assert desk.saved_names() == set()


def test_a_disk_that_takes_nothing_is_said_with_advice_and_asked_once(desk: Desk) -> None:
    (desk.folder / "videos").write_text("a file where the folder should be")
    state = saved_state(desk, desk.job())

    assert (state.ending, state.saved) == (Ending.COMPLETED, None)
    assert "was not saved to" in str(state.problem)
    assert state.is_place_unusable, "the same folder must not be offered again"
    assert desk.sim.count(CLIP) + desk.content_requests <= 1


def test_the_name_of_the_file_is_never_the_servers_choice(desk: Desk) -> None:
    body = {"id": "../../evil", "status": "completed", "video_url": None}
    desk.sim.finish(desk.job())
    body["video_url"] = desk.server.settings.base_url.replace("/v1", "/clips/none.mp4")
    desk.sim.add_fault(Fault(POLL, times=None, status=200, body=body))
    saved_state(desk, "video_1")
    assert not (desk.folder.parent / "evil.mp4").exists()
    assert all(path.is_relative_to(desk.folder / "videos") for path in desk.folder.rglob("*"))


def test_a_watch_of_a_job_that_is_done_already_asks_once(desk: Desk) -> None:
    began_s = time.monotonic()
    desk.sim.finish(desk.job())
    desk.follow("video_1", PollPolicy()).wait(WITHIN_S)
    assert desk.sim.count(POLL) == 1
    assert time.monotonic() - began_s < 2


# Many jobs, one server.


def test_what_one_job_is_told_to_wait_all_of_them_wait(desk: Desk) -> None:
    ids = [desk.job(f"video_{number}") for number in range(5)]
    seen = [Seen(desk.follow(job_id)) for job_id in ids]
    for one in seen:
        one.wait_for(lambda state: state.job)
    desk.sim.add_fault(Fault(POLL, status=429, headers={"Retry-After": "2"}))
    assert desk.sim.wait_for_requests(POLL, desk.sim.count(POLL) + 40, within_s=WITHIN_S)

    at_s = [asked.at_s for asked in desk.sim.requests]
    # Those under way at that moment still come; then nobody asks for as long as was asked for.
    longest_s = max(later - sooner for sooner, later in itertools.pairwise(at_s))
    assert 1.8 < longest_s < 3


def test_a_hundred_jobs_begun_at_once_are_asked_after_a_few_at_a_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cometvid_nb.api.turns.MANY", 101)  # else a process would poll for them
    desk.sim.add_fault(Fault(POLL, times=None, delay_s=0.05))
    ids = [desk.job(f"video_{number}") for number in range(100)]
    seen = [Seen(desk.follow(job_id, PollPolicy.fixed(30, 600))) for job_id in ids]
    for one in seen:
        one.wait_for(lambda state: state.job)
    at_s = sorted(asked.at_s for asked in desk.sim.requests)
    assert len(at_s) == 100
    assert at_s[-1] - at_s[0] > 2, "spread out, at 25 a second"
