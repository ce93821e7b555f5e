"""Everything the API says is hostile text: nothing grows, nothing hangs, nothing leads away."""

from __future__ import annotations

import gzip
import json
import re
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cometvid_nb.api import streams as transfer
from cometvid_nb.api import transport
from cometvid_nb.api.client import Client
from cometvid_nb.cards.card import Card
from cometvid_nb.cards.card_html import card_to_bundle, card_to_html
from cometvid_nb.cards.job_table import jobs_to_bundle
from cometvid_nb.cards.trusted import trusted
from cometvid_nb.clips.file import clip_file_name
from cometvid_nb.errors import ClipError, JobFailed, ServerTrouble, TransientError
from cometvid_nb.job.job import Job
from cometvid_nb.job.plain import plain
from cometvid_nb.session.remembered import rows_of
from cometvid_nb.session.session import Session
from cometvid_nb.settings import Secret, Settings
from cometvid_nb.simulator import Fault, Scenario, Simulator
from cometvid_nb.watching.state import WatchState
from tests.simulated import KEY
from tests.strategies import NASTY_TEXTS, payloads

POLL, CLIP = "GET /videos/{id}", "GET /clips/*"
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal or a page obeys."""
CURSES = "moderated\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b2J\r\u202e\x00\x7f"
MOST_CARD_CHARACTERS = 150_000
"""A card's JSON at its very largest: a prompt and an error, each character an escape of twelve."""

pytestmark = pytest.mark.simulator(separate_clip_host=True)

long_texts = st.builds(
    lambda piece, times: piece * times,
    st.sampled_from((*NASTY_TEXTS, "a", "\U000e0001", "\u202e", "\x1b[2J", "</script>")),
    st.integers(1, 40_000),
)


async def download(client: Client, job: Job) -> bytes:
    async with client.open_clip(job) as stream:
        return b"".join([block async for block in stream])


# What is shown.


@given(payload=payloads)
@settings(max_examples=300)
def test_whatever_is_answered_a_card_and_its_record_can_be_drawn(payload: object) -> None:
    job = Job.parse(payload, job_id="video_1")
    state = WatchState.begin("video_1", 1_781_079_478.0, 3600.0).answered(job, 1_781_079_500.0)
    card = Card.of_watch(state)
    json.dumps(card.to_json(1_781_079_500.0), allow_nan=False).encode()
    bundle = card_to_bundle(card)
    assert not OBEYED.search("".join(bundle.values()))
    html = card_to_html(card).lower()
    assert bundle["text/html"].lower().replace(trusted("", card.phase).lower(), "") == html
    assert "<script" not in html
    assert "javascript:" not in html or "src" not in html.split("javascript:")[0][-8:]


@given(
    field=st.sampled_from(("prompt", "error", "model", "status", "id", "video_url", "size")),
    text=long_texts,
)
@settings(max_examples=60)
def test_megabytes_of_text_make_a_card_of_bounded_size(field: str, text: str) -> None:
    job = Job.parse({"id": "video_1", "status": "failed", field: text})
    state = WatchState.begin("video_1", 1_781_079_478.0, 3600.0)
    states = [state.answered(job, 1_781_079_500.0), state.answered(job, 1.0).gave_up(2.0)]
    for card in [*map(Card.of_watch, states), Card.of_job(job)]:
        assert len(json.dumps(card.to_json(0.0))) < MOST_CARD_CHARACTERS


def test_what_a_terminal_obeys_reaches_none(session: Session, sim: Simulator) -> None:
    changes: dict[str, Any] = {
        "model": CURSES,
        "prompt": f"first\nsecond {CURSES}",
        "size": CURSES,
        "id": CURSES,
    }
    changes |= {"status": "failed", "error": {"message": CURSES, "code": CURSES}}
    sim.add(Scenario("video_1"))
    sim.add_fault(Fault(POLL, times=None, changes=changes))
    watch = session.watch("video_1")
    with pytest.raises(JobFailed, match=r"moderated \]0;owned red 2J") as caught:
        watch.wait(20)
    unknown = replace(watch.state, ending=None, error=None)
    assert unknown.job is not None
    unknown = replace(unknown, job=replace(unknown.job, status_word=CURSES))
    entries = session.ledger.entries(sim.base_url)
    rows = [entry.to_row() for entry in entries]
    shown = [
        *(*traceback.format_exception(caught.value), repr(watch), repr(watch.job)),
        *card_to_bundle(Card.of_watch(watch.state)).values(),
        *card_to_bundle(Card.of_watch(unknown)).values(),
        *card_to_bundle(Card.of_job(Job.parse(changes))).values(),
        *jobs_to_bundle(rows_of(entries, Path()), 1).values(),
        *(value for row in rows for value in row.values() if isinstance(value, str)),
    ]
    assert len(rows) == 1
    assert [words for words in shown if OBEYED.search(words)] == []
    assert rows[0]["prompt"].startswith("first\nsecond"), "a line break of a prompt stays"


@given(st.text())
def test_plain_text_is_obeyed_by_nobody_and_plain_text_stays(text: str) -> None:
    assert not OBEYED.search(plain(text))
    plain(text).encode()
    assert plain(plain(text)) == plain(text)
    if text.isprintable():
        assert plain(text) == text


@given(job_id=st.one_of(st.text(), long_texts))
@settings(max_examples=200)
def test_no_id_leads_out_of_the_folder(job_id: str) -> None:
    name = clip_file_name(job_id)
    assert Path(name).name == name
    assert len(name) < 120
    assert (Path("/videos") / name).resolve().parent == Path("/videos")


def test_a_link_with_a_password_in_it_is_no_link() -> None:
    assert (
        Job.parse({"video_url": "https://api.cometapi.com@elsewhere.invalid/a"}).video_url is None
    )


def test_a_job_goes_by_the_id_it_was_asked_for_and_so_does_its_file(
    sim: Simulator, session: Session, tmp_path: Path
) -> None:
    sim.add(Scenario("video_1", queue_s=0, run_s=0))
    sim.add_fault(Fault(POLL, times=None, changes={"id": "../../of_the_enemy"}))
    assert session.watch("video_1").wait(20).id == "video_1"
    assert [path.name for path in tmp_path.rglob("*.mp4")] == ["video_1.mp4"]


# What is read.


@pytest.mark.parametrize(
    ("make_body", "headers"),  # made in the test: the bomb takes a second, in each worker
    [
        (lambda: b" " * (transport.MOST_ANSWER_BYTES + 1), {}),
        (lambda: gzip.compress(bytes(300 * 1024 * 1024), 9), {"Content-Encoding": "gzip"}),
        (lambda: b"[" * transport.MOST_ANSWER_BYTES, {}),
        (lambda: b'{"status": ' + b"9" * 3_000_000 + b"}", {}),
    ],
    ids=["too long", "a bomb", "too deep", "a number of megabytes"],
)
async def test_an_answer_that_is_far_too_much_is_trouble_that_may_pass(
    sim: Simulator, client: Client, make_body: Callable[[], bytes], headers: dict[str, str]
) -> None:
    body = make_body()
    sim.add_fault(Fault(POLL, status=200, body=body, headers=headers))
    began_s = time.monotonic()
    is_cut_off = headers or len(body) > transport.MOST_ANSWER_BYTES
    with pytest.raises(TransientError, match="cannot be read" if is_cut_off else "no JSON|HTML"):
        await client.poll("video_demo")
    assert time.monotonic() - began_s < 5


async def test_a_packed_answer_that_nobody_asked_for_is_read_all_the_same(
    sim: Simulator, client: Client
) -> None:
    body = gzip.compress(b'{"id": "video_demo", "status": "queued"}')
    sim.add_fault(Fault(POLL, status=200, body=body, headers={"Content-Encoding": "gzip"}))
    assert (await client.poll("video_demo")).job.status_word == "queued"


async def test_cookies_are_neither_kept_nor_sent_back(sim: Simulator, client: Client) -> None:
    sim.add_fault(Fault(POLL, times=None, headers={"Set-Cookie": "a=b; Path=/"}))
    await client.poll("video_demo")
    await client.poll("video_demo")
    assert "cookie" not in sim.requests[-1].headers


def some(pieces: int) -> Iterator[bytes]:
    for _ in range(pieces):
        yield bytes(10_000)


async def test_a_clip_without_an_end_does_not_fill_the_disk(
    sim: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.finish("video_demo")
    job = (await client.poll("video_demo")).job
    monkeypatch.setattr(transfer, "MOST_CLIP_BYTES", 100_000)
    with pytest.raises(ClipError, match="larger than"):
        await download(client, job)
    with pytest.raises(ClipError, match="larger than"):  # and where no length is announced
        assert not list(transfer.bounded(some(11), None, "video_demo"))


async def test_a_clip_that_hardly_comes_is_given_up(
    sim: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.finish("video_demo")
    job = (await client.poll("video_demo")).job
    monkeypatch.setattr(transfer, "SLOW_S", 0.3)
    sim.add_fault(Fault(CLIP, trickle_s=0.05))
    with pytest.raises(TransientError, match="arrives too slowly"):
        await download(client, job)


# Where it leads.


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("[::1]", "[::ffff:10.0.0.1]", "localhost", "printer.localhost", "2130706433", "0x7f.1"),
    ],
)
async def test_no_link_of_a_public_api_leads_into_the_private_network(
    host: str,
) -> None:
    job = Job.parse({"id": "video_1", "video_url": f"http://{host}:1/a.mp4"})
    async with Client(Settings(Secret(KEY), "https://8.8.8.8/v1")) as client:
        with pytest.raises(ClipError, match="private network"):
            await download(client, job)


async def test_at_home_a_link_may_lead_home(sim: Simulator, client: Client) -> None:
    sim.finish("video_demo")
    job = (await client.poll("video_demo")).job
    assert await download(client, job) == sim.clip_bytes("video_demo")


@pytest.mark.parametrize("url", ["http://xn--/a.mp4", "http://a..b/a.mp4"])
async def test_a_link_that_no_resolver_takes_is_trouble_like_any_other(
    client: Client, url: str
) -> None:
    job: Any = Job("video_1", video_url=url)
    with pytest.raises((TransientError, ClipError, ServerTrouble)):
        await download(client, job)
