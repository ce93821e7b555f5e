"""A feed brings each change of its watch to every view, as one card."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from cometvid_nb.cards.card import Card, Phase
from cometvid_nb.cards.gallery import Gallery, Group
from cometvid_nb.display.delivery import Delivery
from cometvid_nb.display.feed import DRAWN_EVERY_S, CardFeed, GalleryFeed
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Scenario, Simulator
from cometvid_nb.watching.loop import WatchLoop

WITHIN_S = 15.0


class Shown:
    """A view that keeps what it was shown, to wait on."""

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.is_settled: list[bool] = []
        self._changed = threading.Condition()

    def show(self, card: Card, *, is_settled: bool) -> None:
        with self._changed:
            self.cards.append(card)
            self.is_settled.append(is_settled)
            self._changed.notify_all()

    def wait_for(self, is_it: Callable[[Card], bool]) -> Card:
        """The first card that fits."""

        def fitting() -> list[Card]:
            return [card for card in self.cards if is_it(card)]

        with self._changed:
            assert self._changed.wait_for(fitting, WITHIN_S), self.cards[-1:]
            return fitting()[0]

    def tick(self, now_s: float) -> None:
        """Nothing moves."""

    def leave(self) -> None:
        """Nothing stays."""


class ShownGallery:
    """A view of a gallery that keeps its totals."""

    def __init__(self) -> None:
        self.totals: list[dict[Group, int]] = []
        self.drawn: list[tuple[bool, float]] = []
        """Of each drawing, whether a test asked for it at once, and when it was (monotonic)."""
        self._changed = threading.Condition()

    def show(self, gallery: Gallery, now_s: float) -> None:
        with self._changed:
            self.totals.append(dict(gallery.totals))
            is_asked = threading.current_thread() is threading.main_thread()
            self.drawn.append((is_asked, time.monotonic()))
            self._changed.notify_all()

    def wait_for(self, **counts: int) -> None:
        wanted = {Group(name): count for name, count in counts.items()}

        def is_there() -> bool:
            return any(wanted.items() <= totals.items() for totals in self.totals)

        with self._changed:
            assert self._changed.wait_for(is_there, WITHIN_S), self.totals[-1:]

    def tick(self, now_s: float) -> None:
        """Nothing moves."""

    def leave(self) -> None:
        """Nothing stays."""


def add_jobs(sim: Simulator, count: int) -> list[str]:
    """Jobs that run until the test ends them."""
    return [
        sim.add(Scenario(f"video_{number}", queue_s=0, run_s=1, steps=(0,), ending="never"))
        for number in range(1, count + 1)
    ]


@pytest.fixture
def job(sim: Simulator) -> str:
    """A job that runs until the test ends it."""
    [job_id] = add_jobs(sim, 1)
    return job_id


@pytest.fixture
def loop() -> Iterator[WatchLoop]:
    loop = WatchLoop()
    yield loop
    loop.close([])


def is_settled_soon(feed: CardFeed | GalleryFeed) -> bool:
    """Whether the feed is settled: a view sees its last card a moment before that."""
    until_s = time.monotonic() + WITHIN_S
    while not feed.is_settled and time.monotonic() < until_s:
        time.sleep(0.01)
    return feed.is_settled


def has(phase: Phase) -> Callable[[Card], bool]:
    return lambda card: card.phase is phase


def test_each_change_is_one_card_for_all_the_views(
    session: Session, sim: Simulator, job: str
) -> None:
    feed = CardFeed(session.watch(job), Delivery())
    one, other = Shown(), Shown()
    feed.add(one)
    feed.add(other)
    for percent in (10, 20, 30):
        sim.set_progress(job, percent)
        one.wait_for(lambda card, p=percent: card.progress_percent == p)  # type: ignore[misc]
    sim.finish(job)
    other.wait_for(lambda card: card.phase is Phase.COMPLETED and card.saving is None)

    assert one.cards[-1].phase is Phase.COMPLETED
    pairs = list(zip(one.cards[-5:], other.cards[-5:], strict=True))
    assert all(mine is theirs for mine, theirs in pairs), "built twice"
    assert (one.is_settled[-1], one.is_settled[:-1].count(True)) == (True, 0)
    assert is_settled_soon(feed)


def test_a_view_that_comes_late_is_shown_the_latest_card(
    session: Session, sim: Simulator, job: str
) -> None:
    feed = CardFeed(session.watch(job), Delivery())
    early, late = Shown(), Shown()
    feed.add(early)
    sim.set_progress(job, 40)
    card = early.wait_for(lambda card: card.progress_percent == 40)
    feed.add(late)
    assert late.cards == [card]


def test_only_the_view_that_asked_for_it_gets_the_clip_itself(
    session: Session, sim: Simulator, job: str
) -> None:
    feed = CardFeed(session.watch(job), Delivery())
    plain, whole = Shown(), Shown()
    feed.add(plain)
    feed.add(whole, is_embedding=True)
    sim.finish(job)
    whole.wait_for(lambda card: card.clip is not None and card.clip.data_url is not None)
    assert all(card.clip is None or card.clip.data_url is None for card in plain.cards)


def test_a_job_that_is_watched_anew_goes_on_on_the_same_views(
    session: Session, sim: Simulator, job: str
) -> None:
    first = session.watch(job)
    feed, view = CardFeed(first, Delivery()), Shown()
    feed.add(view)
    view.wait_for(has(Phase.RUNNING))
    first.stop()
    view.wait_for(has(Phase.STOPPED))
    assert is_settled_soon(feed)

    feed.replace(session.watch(job))
    assert feed.find(None) is feed.watch is not first
    assert not feed.is_settled
    sim.finish(job)
    view.wait_for(has(Phase.COMPLETED))


def test_a_feed_that_is_ended_shows_no_more(session: Session, sim: Simulator, job: str) -> None:
    watch = session.watch(job)
    ended, going = CardFeed(watch, Delivery()), CardFeed(watch, Delivery())
    unseen, seen = Shown(), Shown()
    ended.add(unseen)
    going.add(seen)
    seen.wait_for(has(Phase.RUNNING))
    ended.end()
    told = len(unseen.cards)
    sim.finish(job)
    seen.wait_for(has(Phase.COMPLETED))
    assert len(unseen.cards) == told


def test_a_gallery_is_drawn_to_its_end_and_finds_each_watch(
    session: Session, sim: Simulator, loop: WatchLoop
) -> None:
    ids = add_jobs(sim, 3)
    watches = [session.watch(job_id, save=False) for job_id in ids]
    feed, view = GalleryFeed(watches, Delivery(), loop), ShownGallery()
    feed.begin(view)
    assert [feed.find(job_id) for job_id in ids] == watches
    assert feed.find("video_nowhere") is None
    sim.finish(ids[0])
    view.wait_for(completed=1, running=2)
    assert not feed.is_settled
    for job_id in ids[1:]:
        sim.finish(job_id)
    view.wait_for(completed=3)
    assert is_settled_soon(feed)


def test_what_a_page_asks_for_at_once_does_not_quicken_the_drawings(
    session: Session, sim: Simulator, loop: WatchLoop
) -> None:
    ids = add_jobs(sim, 5)
    watches = [session.watch(job_id, save=False) for job_id in ids]
    feed, view = GalleryFeed(watches, Delivery(), loop), ShownGallery()
    feed.begin(view)
    view.wait_for(running=5)
    for percent in range(1, 100, 2):
        for job_id in ids:
            sim.set_progress(job_id, percent)
        time.sleep(0.03)  # a stream of changes, some of them between a drawing and the next
        if percent % 15 == 0:
            feed.show_all()
    of_themselves = [
        late_s - early_s
        for (_, early_s), (is_asked, late_s) in zip(view.drawn, view.drawn[1:], strict=False)
        if not is_asked
    ]
    assert len(of_themselves) > 1
    assert min(of_themselves) > DRAWN_EVERY_S - 0.01


def test_a_drawing_may_end_a_subscription_while_another_thread_begins_one(
    session: Session, job: str
) -> None:
    watch, delivery = session.watch(job), Delivery()
    drawing, beginning = threading.Event(), threading.Event()
    end = watch.subscribe(lambda _state: None)

    def draw() -> None:
        drawing.set()
        assert beginning.wait(WITHIN_S)
        end()

    def observe(_state: object) -> None:
        beginning.set()
        delivery.post(lambda: None)

    def begin() -> None:
        assert drawing.wait(WITHIN_S)
        watch.subscribe(observe)

    threads = [
        threading.Thread(target=work, daemon=True) for work in (lambda: delivery.post(draw), begin)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN_S)
    assert [thread.is_alive() for thread in threads] == [False, False]
