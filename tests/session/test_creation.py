"""A job is asked for exactly once, whatever goes wrong on the way, and the ledger knows of it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cometvid_nb.api.client
from cometvid_nb.api.client import MOST_CREATE_ATTEMPTS, Client
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import (
    BadKey,
    CometVidError,
    ConnectionTrouble,
    JobNotFound,
    OutcomeUnknown,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    ServerTrouble,
)
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.ledger.entry import LOST, REFUSED, Entry
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.session.creation import MOST_ANSWER, create
from cometvid_nb.settings import Settings
from cometvid_nb.simulator import BAD_GATEWAY_PAGE, Fault
from tests.simulated import KEY, Forgetful, settings_of

CREATE = "POST /videos"
COMET = NewJob.check("A comet", model="sora-2", seconds=4, size="1280x720")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

pytestmark = pytest.mark.simulator(kind=Forgetful)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    yield ledger
    assert ledger.trouble is None
    ledger.close()


@pytest.fixture
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between attempts are tested once, and shortened elsewhere."""
    monkeypatch.setattr(cometvid_nb.api.client, "backoff_s", lambda failures, rng: 0.01)


def only(ledger: Ledger, client: Client) -> Entry:
    [entry] = ledger.entries(client.settings.base_url)
    return entry


# All is well.


async def test_a_job_is_made_once_and_is_in_the_ledger_with_its_id(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    job = await create(client, ledger, COMET)
    entry = only(ledger, client)
    assert (entry.job_id, entry.state, entry.prompt) == (job.id, "queued", "A comet")
    assert (entry.model, entry.seconds, entry.size) == ("sora-2", "4", "1280x720")
    assert sim.made == [(entry.ref, job.id)], "the idempotency key is the ledger's own ref"
    assert (job.status, job.prompt, job.size) == (JobStatus.QUEUED, "A comet", "1280x720")


async def test_the_intent_is_written_before_the_request_arrives(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    seen: list[str] = []
    made = sim.create

    def look(form: Any, idempotency_key: str | None) -> dict[str, Any]:
        seen.extend(entry.state for entry in ledger.entries(client.settings.base_url))
        return made(form, idempotency_key)

    sim.create = look  # type: ignore[method-assign]
    try:
        await create(client, ledger, COMET)
    finally:
        del sim.create
    assert seen == ["sending"]


async def test_a_remix_is_made_once_with_its_key_and_remembers_what_it_came_from(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    sim.finish("video_demo")
    job = await create(client, ledger, NewJob.check("At night", remix_of="video_demo"))
    entry = only(ledger, client)
    assert (entry.job_id, entry.remixed_from) == (job.id, "video_demo")
    assert sim.count("POST /videos/video_demo/remix") == 1
    assert sim.requests[-1].headers["idempotency-key"] == entry.ref


async def test_each_job_has_a_key_of_its_own(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    jobs = [await create(client, ledger, COMET) for _ in range(3)]
    assert len({job.id for job in jobs}) == len({key for key, _ in sim.made}) == 3


async def test_an_image_goes_along_with_its_name_and_kind(
    sim: Forgetful, client: Client, ledger: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / 'комета "1".png'
    path.write_bytes(PNG)
    await create(client, ledger, NewJob.check("A comet", image=path))
    assert only(ledger, client).image == path.name
    assert int(sim.requests[-1].headers["content-length"]) > len(PNG)


async def test_an_answer_with_nothing_but_an_id_is_completed_from_what_was_asked(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    sim.add_fault(Fault(CREATE, status=200, body={"id": "video_bare"}))
    job = await create(client, ledger, COMET)
    assert (job.id, job.status, job.model) == ("video_bare", JobStatus.QUEUED, "sora-2")
    assert (job.prompt, job.duration_s, job.size) == ("A comet", 4.0, "1280x720")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(CREATE, status=303, body=b"", headers={"Location": "/v1/videos/video_bare"}),
        Fault(CREATE, status=201, body=b"", headers={"Location": "{self}/video_bare"}),
        Fault(CREATE, status=503, body={"id": "video_bare", "status": "queued"}),
        Fault(CREATE, status=200, body=b'{"code": "success", "data": "video_bare"}'),
    ],
    ids=["303", "201", "503", "data"],
)
async def test_a_job_is_made_whatever_the_form_of_the_answer(
    sim: Forgetful, client: Client, ledger: Ledger, fault: Fault
) -> None:
    sim.add_fault(fault)
    job = await create(client, ledger, COMET)
    assert (job.id, job.status, job.size) == ("video_bare", JobStatus.QUEUED, "1280x720")
    assert (sim.count(CREATE), only(ledger, client).job_id) == (1, "video_bare")


# Provably not accepted: asked again.


@pytest.mark.usefixtures("_hurry")
@pytest.mark.parametrize("status", [429, 503])
async def test_what_the_api_itself_turned_away_is_asked_again_under_the_same_key(
    sim: Forgetful, client: Client, ledger: Ledger, status: int
) -> None:
    sim.add_fault(Fault(CREATE, times=2, status=status))
    job = await create(client, ledger, COMET)
    keys = {asked.headers["idempotency-key"] for asked in sim.requests}
    assert (sim.count(CREATE), len(sim.made), len(keys)) == (3, 1, 1)
    assert only(ledger, client).job_id == job.id


@pytest.mark.usefixtures("_hurry")
async def test_a_conflict_after_a_repeat_may_be_with_the_first_request(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    sim.add_fault(Fault(CREATE, status=503))
    words = {"error": {"message": "This key is in use", "code": "conflict"}}
    sim.add_fault(Fault(CREATE, status=409, body=words))
    with pytest.raises(OutcomeUnknown, match="409: This key is in use"):
        await create(client, ledger, COMET)
    assert (sim.count(CREATE), only(ledger, client).state) == (2, LOST)


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_an_error_that_repeats_the_key_is_shown_and_kept_without_it(
    sim: Forgetful, client: Client, ledger: Ledger, status: int
) -> None:
    words = {"error": {"message": f"You sent Bearer {KEY}", "code": KEY}}
    sim.add_fault(Fault(CREATE, status=status, body=words))
    with pytest.raises(CometVidError, match="You sent Bearer ••••") as caught:
        await create(client, ledger, COMET)
    entry = only(ledger, client)
    assert KEY not in f"{caught.value} {vars(caught.value)} {entry}"


async def test_between_two_attempts_lies_what_the_server_asked_for(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    sim.add_fault(Fault(CREATE, status=429, headers={"Retry-After": "2.5"}))
    await create(client, ledger, COMET)
    first, second = sim.requests
    assert 2.5 <= second.at_s - first.at_s < 10


async def test_what_asks_after_jobs_and_what_makes_them_share_one_pace(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    sim.add_fault(Fault("GET /videos/{id}", status=429, headers={"Retry-After": "1.5"}))
    with pytest.raises(RateLimited):
        async with client.turns.turn():
            await client.poll("video_1")
    sim.add_fault(Fault(CREATE, status=429, headers={"Retry-After": "1.5"}))
    refusal = asyncio.create_task(client.turns.refusal())
    creating = asyncio.create_task(create(client, ledger, COMET))
    assert await refusal == 1.5
    async with client.turns.turn():
        await client.poll((await creating).id)
    at_s = [asked.at_s for asked in sim.requests]
    assert min(later - sooner for sooner, later in itertools.pairwise(at_s[:3])) >= 1.4
    assert at_s[3] - at_s[1] >= 1.4


async def test_a_connection_that_was_never_made_is_tried_again_until_somebody_listens(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = asyncio.Event()

    def note(*_: object) -> float:
        failed.set()
        return 0.5

    monkeypatch.setattr(cometvid_nb.api.client, "backoff_s", note)
    with Forgetful(api_key=KEY) as closed:
        settings = settings_of(closed)
        closed.stop()
        async with Client(settings) as client:
            asking = asyncio.create_task(create(client, ledger, COMET))
            await failed.wait()
            await asyncio.to_thread(closed.start)
            job = await asking
        assert [job_id for _, job_id in closed.made] == [job.id]
        assert closed.count(CREATE) == 1
    assert [entry.job_id for entry in ledger.entries(settings.base_url)] == [job.id]


@pytest.mark.usefixtures("_hurry")
@pytest.mark.parametrize(
    ("status", "kind"), [(429, RateLimited), (503, ServerTrouble)], ids=["429", "503"]
)
async def test_who_is_turned_away_again_and_again_hears_that_nothing_was_made(
    sim: Forgetful, client: Client, ledger: Ledger, status: int, kind: type[CometVidError]
) -> None:
    sim.add_fault(Fault(CREATE, times=None, status=status))
    with pytest.raises(kind, match=str(status)):
        await create(client, ledger, COMET)
    assert (sim.count(CREATE), sim.made) == (MOST_CREATE_ATTEMPTS, [])
    assert only(ledger, client).state == REFUSED


@pytest.mark.usefixtures("_hurry")
async def test_nobody_listening_at_all_is_told_and_nothing_was_made(
    sim: Forgetful, ledger: Ledger
) -> None:
    async with Client(settings_of(sim, base_url=f"{sim.dead_origin}/v1")) as client:
        with pytest.raises(ConnectionTrouble, match="cannot be reached"):
            await create(client, ledger, COMET)
        assert only(ledger, client).state == REFUSED


# Refused.


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(CREATE, status=401), BadKey, "401"),
        (Fault(CREATE, status=403), QuotaExceeded, "user quota is not enough"),
        (Fault(CREATE, status=400), RequestRejected, "400"),
        (
            Fault(CREATE, status=400, body={"code": "bad_model", "message": "No model 'x'."}),
            RequestRejected,
            "No model 'x'.",
        ),
        (
            Fault(CREATE, status=500, body={"error": {"message": "b", "code": "invalid_request"}}),
            RequestRejected,
            "500: b",
        ),
        (
            Fault(CREATE, status=200, body={"error": {"message": "Oh.", "code": "x"}}),
            RequestRejected,
            "Oh.",
        ),
        (
            Fault(
                CREATE, status=200, body={"code": "insufficient_user_quota", "message": "No quota."}
            ),
            QuotaExceeded,
            "No quota.",
        ),
        (
            Fault(CREATE, status=200, body={"code": 1303, "message": "rate limit reached"}),
            RateLimited,
            "rate limit reached",
        ),
    ],
)
async def test_a_refusal_is_told_in_the_words_of_the_api_and_not_repeated(
    sim: Forgetful,
    client: Client,
    ledger: Ledger,
    fault: Fault,
    kind: type[CometVidError],
    words: str,
) -> None:
    sim.add_fault(fault)
    with pytest.raises(kind, match=words):
        await create(client, ledger, COMET)
    assert (sim.count(CREATE), sim.made) == (1, [])
    entry = only(ledger, client)
    assert (entry.state, entry.job_id) == (REFUSED, None)
    assert words in (entry.problem or "")


async def test_a_remix_of_a_job_there_is_not_is_refused(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    with pytest.raises(JobNotFound, match="no job video_nowhere"):
        await create(client, ledger, NewJob.check("At night", remix_of="video_nowhere"))
    assert sim.count("POST /videos/{id}/remix") == 1
    assert only(ledger, client).state == REFUSED


# The answer was lost: never asked again.

LOST_ANSWERS = {
    "the connection is dropped": Fault(CREATE, drop_connection=True),
    "the answer is cut": Fault(CREATE, headers={"Content-Length": "99999"}),
    "502 with a page": Fault(CREATE, status=502, body=BAD_GATEWAY_PAGE),
    "504 with a page": Fault(CREATE, status=504, body="<html>504</html>"),
    "504 of the API": Fault(CREATE, status=504),
    "500 of the API": Fault(CREATE, status=500),
    "524": Fault(CREATE, status=524),
    "503 with a page": Fault(CREATE, status=503, body="<html>503</html>"),
    "503 without a word": Fault(CREATE, status=503, body=b""),
    "200 with a page": Fault(CREATE, status=200, body=BAD_GATEWAY_PAGE),
    "200 with nothing": Fault(CREATE, status=200),
    "200 with half a JSON": Fault(CREATE, status=200, body=b'{"id": "video_1", "sta'),
    "200 with a list": Fault(CREATE, status=200, body=b"[1, 2]"),
    "200 with no id": Fault(CREATE, status=200, body={"status": "queued"}),
    "200 with a path as its id": Fault(CREATE, status=200, body={"id": "../../etc/passwd"}),
    "200 with an id and an error": Fault(
        CREATE, status=200, body={"id": "video_1", "error": {"message": "Oh.", "code": "x"}}
    ),
    "503 with an id": Fault(
        CREATE, status=503, body={"error": {"message": "Oh.", "code": "x"}, "id": "video_1"}
    ),
    "503 of a gateway": Fault(CREATE, status=503, body={"message": "Service Unavailable"}),
    "429 without a word": Fault(CREATE, status=429, body=b""),
    "303 to no address": Fault(CREATE, status=303, body=b"", headers={"Location": "urn:video:1"}),
    "302 to no host": Fault(CREATE, status=302, headers={"Location": "https://xn--a/"}),
    "307 to a mail": Fault(CREATE, status=307, headers={"Location": "mailto:x@y"}),
    "302 to no path": Fault(CREATE, status=302, headers={"Location": "http:videos/1"}),
    "200 with no end": Fault(CREATE, status=200, body=b"x" * 5_000_000),
}


@pytest.mark.parametrize("fault", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
async def test_a_lost_answer_is_an_unknown_outcome_and_is_never_asked_again(
    sim: Forgetful, client: Client, ledger: Ledger, fault: Fault
) -> None:
    sim.add_fault(fault)
    with pytest.raises(OutcomeUnknown) as caught:
        await create(client, ledger, COMET)
    assert sim.count(CREATE) == 1
    entry = only(ledger, client)
    assert (entry.state, entry.job_id, entry.problem) == (LOST, None, str(caught.value))
    assert entry.is_uncertain
    assert "The request was not sent again" in (caught.value.advice or "")
    assert "may be paid for" in (caught.value.advice or "")
    if isinstance(fault.body, bytes) and fault.status is not None:
        assert f"HTTP {fault.status}" in caught.value.answer


async def test_what_came_of_a_lost_answer_is_kept_without_the_key(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    body = f'{{"id": "video_1", "echo": "Bearer {KEY}"'.encode()
    sim.add_fault(Fault(CREATE, status=200, body=body, headers={"Content-Length": "99999"}))
    sim.add_fault(Fault(CREATE, status=200, body=body))
    for _ in range(2):
        with pytest.raises(OutcomeUnknown) as caught:
            await create(client, ledger, COMET)
        assert caught.value.answer == 'HTTP 200 {"id": "video_1", "echo": "Bearer ••••"'


async def test_what_the_api_answered_is_kept_where_no_id_can_be_used(
    ledger: Ledger, settings: Settings
) -> None:
    """`answer` is what the client read; here it holds what a terminal and a table must not get."""

    class Unread(Client):
        async def create(self, new: NewJob, *, idempotency_key: str | None = None) -> Job:
            error = OutcomeUnknown("The API accepted the job, but its answer names no id.")
            error.answer = '{"ticket": "abc\x1b[2J",\n "x": "' + "y" * 5000
            raise error

    async with Unread(settings) as client:
        with pytest.raises(OutcomeUnknown, match=r'names no id\. What came: {"ticket"') as caught:
            await create(client, ledger, COMET)
        entry = only(ledger, client)
    assert str(caught.value).isprintable()
    assert entry.problem == str(caught.value)
    assert entry.answer is not None
    assert entry.answer.startswith('{"ticket": "abc [2J", "x": "yyy')
    assert len(entry.answer) == MOST_ANSWER


async def test_the_exact_request_is_kept(client: Client, ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "комета.png"
    path.write_bytes(PNG)
    job = await create(
        client,
        ledger,
        NewJob.check("A comet", model="next-1", seconds=4, image=path),
    )
    entry = only(ledger, client)
    assert json.loads(entry.request or "") == {
        "fields": {"prompt": "A comet", "model": "next-1", "seconds": "4"},
        "images": ["комета.png"],
        "digests": [hashlib.sha256(PNG).hexdigest()],
    }
    assert entry.images == job.images == ("комета.png",)


async def test_a_lock_at_the_moment_the_answer_comes_loses_nothing(
    sim: Forgetful, client: Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cometvid_nb.ledger.store.LOOP_TIMEOUT_S", 0.05)
    monkeypatch.setattr("cometvid_nb.ledger.store.BUSY_TIMEOUT_S", 0.05)
    ledger.intend("elsewhere")  # so that the file is there
    assert ledger.path is not None
    made = sim.create
    with closing(sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)) as db:

        def lock(form: Any, idempotency_key: str | None) -> dict[str, Any]:
            db.execute("BEGIN IMMEDIATE")
            return made(form, idempotency_key)

        sim.create = lock  # type: ignore[method-assign]
        try:
            job = await create(client, ledger, COMET)
        finally:
            del sim.create
        assert "locked" in (ledger.trouble or "")
        db.execute("COMMIT")
    assert only(ledger, client).job_id == job.id


async def test_a_short_lock_is_over_before_the_job_is_told_of(
    sim: Forgetful, client: Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cometvid_nb.ledger.store.LOOP_TIMEOUT_S", 0.01)
    monkeypatch.setattr("cometvid_nb.ledger.unwritten.FIRST_PAUSE_S", 60.0)
    ledger.intend("elsewhere")
    assert ledger.path is not None
    made = sim.create
    with closing(sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)) as db:
        unlock = threading.Timer(0.5, lambda: db.execute("COMMIT"))

        def lock(form: Any, idempotency_key: str | None) -> dict[str, Any]:
            db.execute("BEGIN IMMEDIATE")
            unlock.start()
            return made(form, idempotency_key)

        sim.create = lock  # type: ignore[method-assign]
        try:
            await create(client, ledger, COMET)
        finally:
            del sim.create
        assert not ledger.is_behind
        unlock.join()


async def test_a_remix_whose_answer_was_lost_is_not_asked_again(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    sim.finish("video_demo")
    sim.add_fault(Fault("POST /videos/{id}/remix", drop_connection=True))
    with pytest.raises(OutcomeUnknown):
        await create(client, ledger, NewJob.check("At night", remix_of="video_demo"))
    assert sim.count("POST *") == 1
    assert only(ledger, client).state == LOST


async def test_an_answer_that_comes_too_late_is_lost_though_the_job_was_made(
    sim: Forgetful, client: Client, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cometvid_nb.api.client, "CREATE_TIMEOUT", httpx.Timeout(0.2))
    sim.add_fault(Fault(CREATE, delay_s=0.5))
    with pytest.raises(OutcomeUnknown, match="did not answer in time"):
        await create(client, ledger, COMET)
    assert await asyncio.to_thread(sim.wait_for_jobs, 1)
    assert sim.count(CREATE) == 1
    entry = only(ledger, client)
    assert sim.made[0][0] == entry.ref
    assert entry.state == LOST


def test_a_slow_answer_is_waited_for_longer_than_any_other() -> None:
    timeout = cometvid_nb.api.client.CREATE_TIMEOUT
    assert timeout.read is not None
    assert timeout.read >= 120
    assert timeout.connect is not None
    assert timeout.connect <= 10


@pytest.mark.usefixtures("_hurry")
async def test_what_is_lost_after_it_was_turned_away_is_lost(
    sim: Forgetful, client: Client, ledger: Ledger
) -> None:
    sim.add_fault(Fault(CREATE, times=2, status=429))
    sim.add_fault(Fault(CREATE, status=502, body=BAD_GATEWAY_PAGE))
    with pytest.raises(OutcomeUnknown):
        await create(client, ledger, COMET)
    assert sim.count(CREATE) == 3
    assert only(ledger, client).state == LOST


# Whatever goes wrong, in any order.

TURNED_AWAY = [Fault(CREATE, status=429), Fault(CREATE, status=503)]
REFUSALS = [Fault(CREATE, status=400), Fault(CREATE, status=403)]
LATE = Fault(CREATE, delay_s=0.6)
CUT = LOST_ANSWERS["the answer is cut"]
HARMLESS = Fault(CREATE, delay_s=0.01)
faults = st.sampled_from([HARMLESS, *TURNED_AWAY, *REFUSALS, LATE, *LOST_ANSWERS.values()])


def foretell(script: list[Fault], asks: int) -> list[tuple[str, int, bool]]:
    """Of each request for a job: what becomes of it, in how many POSTs, and whether it is made."""
    left, told = list(script), []
    for _ in range(asks):
        for attempt in range(1, MOST_CREATE_ATTEMPTS + 1):
            fault = left.pop(0) if left else HARMLESS
            if fault in TURNED_AWAY:
                if attempt == MOST_CREATE_ATTEMPTS:
                    told.append((REFUSED, attempt, False))
                continue
            if fault in REFUSALS:
                told.append((REFUSED, attempt, False))
            elif fault is HARMLESS:
                told.append(("queued", attempt, True))
            else:
                told.append((LOST, attempt, fault in (LATE, CUT)))
            break
    return told


async def ask(settings: Settings, ledger: Ledger, times: int) -> None:
    async with Client(settings) as client:
        for _ in range(times):
            try:
                await create(client, ledger, COMET)
            except CometVidError:
                continue


@pytest.mark.usefixtures("_hurry")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(script=st.lists(faults, max_size=7), asks=st.integers(1, 3))
def test_no_script_of_faults_makes_a_job_twice_or_one_that_the_ledger_does_not_know(
    sim: Forgetful,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: list[Fault],
    asks: int,
) -> None:
    monkeypatch.setattr(cometvid_nb.api.client, "CREATE_TIMEOUT", httpx.Timeout(0.3))
    sim.clear_faults()
    sim.requests.clear()
    sim.made.clear()
    for fault in script:
        sim.add_fault(fault)
    ledger = Ledger(tmp_path / f"{time.time_ns()}.sqlite3")
    told = foretell(script, asks)

    asyncio.run(ask(settings_of(sim), ledger, asks))

    assert sim.wait_for_jobs(sum(is_made for *_, is_made in told))
    entries = ledger.entries(sim.base_url)[::-1]
    assert len(sim.made) == sum(is_made for *_, is_made in told) <= asks
    assert [entry.state for entry in entries] == [state for state, *_ in told]
    assert sim.count(CREATE) == sum(posts for _, posts, _ in told)
    by_ref = {entry.ref: entry for entry in entries}
    for key, job_id in sim.made:
        assert by_ref[str(key)].job_id in (job_id, None)
        assert by_ref[str(key)].state in ("queued", LOST)
