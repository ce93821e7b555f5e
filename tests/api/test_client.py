"""The client over a real socket: the key goes to one origin, and every trouble has its name."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
import traceback
from contextlib import aclosing
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import cometvid_nb.api.client
from cometvid_nb.api.client import Client
from cometvid_nb.api.streams import ClipStream
from cometvid_nb.errors import (
    BadKey,
    ClipError,
    CometVidError,
    ConnectionTrouble,
    JobNotFound,
    MissingKey,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    ServerTrouble,
    TransientError,
)
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.settings import Secret, Settings
from cometvid_nb.simulator import BAD_GATEWAY_PAGE, Fault, Scenario, Simulator
from tests.simulated import KEY, environ_of, settings_of

WRONG_KEY = "sk-wrong-0123456789-0123"
POLL = "GET /videos/{id}"
CONTENT = "GET /videos/{id}/content"

pytestmark = pytest.mark.simulator(separate_clip_host=True)


async def completed(sim: Simulator, client: Client, job_id: str = "video_demo") -> Job:
    sim.finish(job_id)
    return (await client.poll(job_id)).job


async def download(client: Client, job: Job, *, by_link: bool = True) -> bytes:
    async with client.open_clip(job, by_link=by_link) as stream:
        return b"".join([block async for block in stream])


async def both_roads(sim: Simulator, client: Client) -> None:
    """Make the client open both of its pools: for questions, and for clips."""
    await download(client, await completed(sim, client))


def told(error: BaseException) -> str:
    """All that a verbose traceback prints, the locals of every frame included."""
    formatted = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(formatted.format())


def check_without_frames(error: BaseException | None) -> None:
    """The frames of the HTTP library hold the Authorization header: none may be left."""
    while error is not None:
        assert error.__traceback__ is None
        error = error.__cause__ or error.__context__


# One poll.


async def test_a_poll_gives_the_job(sim: Simulator, client: Client) -> None:
    polled = await client.poll("video_demo")
    assert (polled.job.id, polled.job.status) == ("video_demo", JobStatus.QUEUED)
    assert polled.retry_after_s is None
    assert sim.count() == 1


@pytest.mark.parametrize("job_id", ["video_dialect_legacy_wrapper", "video_dialect_output_list"])
async def test_a_dialect_ends_as_a_link_like_any_other(
    sim: Simulator, client: Client, job_id: str
) -> None:
    job = await completed(sim, client, job_id)
    assert (job.id, job.status) == (job_id, JobStatus.COMPLETED)
    assert await download(client, job) == sim.clip_bytes(job_id)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(status=401), BadKey, "401: Invalid API key."),
        (Fault(status=403), QuotaExceeded, "user quota is not enough"),
        (Fault(status=429, headers={"Retry-After": "7"}), RateLimited, "429"),
        (Fault(status=500), ServerTrouble, "500"),
        (Fault(status=502, body=BAD_GATEWAY_PAGE), ServerTrouble, "502 with an HTML page"),
        (Fault(status=503), ServerTrouble, "503"),
        (Fault(status=504), ServerTrouble, "504"),
        (Fault(status=524), ServerTrouble, "524"),
        (
            Fault(status=500, body={"error": {"message": "bad", "code": "invalid_request"}}),
            RequestRejected,
            "500: bad",
        ),
        (Fault(status=200, body=BAD_GATEWAY_PAGE), ServerTrouble, "an HTML page"),
        (Fault(status=200, body=b"x" * 5_000_000), ConnectionTrouble, "No answer"),
        (Fault(drop_connection=True), ConnectionTrouble, "No answer from the API at 127.0.0.1"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
async def test_every_trouble_has_its_name(
    sim: Simulator, client: Client, fault: Fault, kind: type[CometVidError], words: str
) -> None:
    sim.add_fault(fault)
    with pytest.raises(kind, match=words) as caught:
        await client.poll("video_demo")

    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after_s", None) == (7 if kind is RateLimited else None)
    assert KEY not in told(caught.value)
    check_without_frames(caught.value.__cause__)
    assert (await client.poll("video_demo")).job.id == "video_demo", "the next poll is fine"


async def test_an_unknown_id_is_not_found(client: Client) -> None:
    with pytest.raises(JobNotFound, match="no job video_nowhere"):
        await client.poll("video_nowhere")


async def test_a_wrong_key_is_told_without_the_key(sim: Simulator) -> None:
    async with Client(settings_of(sim, api_key=Secret(WRONG_KEY))) as client:
        with pytest.raises(BadKey) as caught:
            await client.poll("video_demo")
    assert WRONG_KEY not in told(caught.value)


async def test_without_a_key_nothing_is_sent(sim: Simulator) -> None:
    async with Client(Settings(base_url=sim.base_url)) as client:
        with pytest.raises(MissingKey):
            await client.poll("video_demo")
        with pytest.raises(MissingKey):
            await download(client, Job("video_demo", JobStatus.COMPLETED))
    assert sim.count() == 0


async def test_settings_come_from_the_environment_when_none_are_given(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ_of(sim).items():
        monkeypatch.setenv(name, value)
    async with Client() as client:
        assert (await client.retrieve("video_demo")).id == "video_demo"


async def test_nobody_listening_is_connection_trouble(sim: Simulator) -> None:
    settings = settings_of(sim, base_url=f"{sim.dead_origin}/v1")
    async with Client(settings) as client:
        with pytest.raises(ConnectionTrouble, match="cannot be reached"):
            await client.poll("video_demo")


async def test_a_host_there_is_not_is_connection_trouble() -> None:
    settings = Settings(api_key=Secret(KEY), base_url="https://no-such-host.invalid/v1")
    async with Client(settings) as client:
        with pytest.raises(ConnectionTrouble, match=r"no-such-host\.invalid"):
            await client.poll("video_demo")


async def test_an_answer_that_does_not_come_is_a_timeout(
    sim: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cometvid_nb.api.client, "TIMEOUT", httpx.Timeout(0.2))
    sim.add_fault(Fault(delay_s=5))
    with pytest.raises(ConnectionTrouble, match="did not answer in time") as caught:
        await client.poll("video_demo")
    assert KEY not in told(caught.value)


async def test_every_request_has_a_time_limit(sim: Simulator, client: Client) -> None:
    await both_roads(sim, client)
    for http in (*(http for _, http in client._connections._idle), client._clip_http):
        assert http is not None
        limits = http.timeout.as_dict()
        assert all(limit is not None and limit <= 30 for limit in limits.values())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"openai-poll-after-ms": "2500"}, 2.5),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0.0),
    ],
)
async def test_a_hint_comes_with_the_job(
    sim: Simulator, client: Client, headers: dict[str, str], seconds: float
) -> None:
    sim.add_fault(Fault(POLL, headers=headers))
    assert (await client.poll("video_demo")).retry_after_s == seconds
    assert (await client.poll("video_demo")).retry_after_s is None, "each answer is read anew"


async def test_a_hint_may_be_an_http_date(sim: Simulator, client: Client) -> None:
    sim.add_fault(Fault(POLL, headers={"Retry-After": formatdate(time.time() + 30, usegmt=True)}))
    assert (await client.poll("video_demo")).retry_after_s == pytest.approx(30, abs=2)


async def test_an_id_cannot_lead_to_another_path(sim: Simulator, client: Client) -> None:
    with pytest.raises(JobNotFound):
        await client.poll("a?b#c%2e/../d")
    assert sim.requests[0].path == "/v1/videos/a%3Fb%23c%252e%2F..%2Fd"
    assert sim.requests[0].query == ""


async def test_the_proxy_of_a_company_is_not_asked_for_this_machine(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, sim.dead_origin)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with Client(settings_of(sim)) as client:
        assert (await client.poll("video_demo")).job.id == "video_demo"


# Retrieve: asks again.


async def test_retrieve_has_enough_of_trouble_in_the_end(sim: Simulator, client: Client) -> None:
    sim.add_fault(Fault(POLL, times=None, status=503))
    with pytest.raises(ServerTrouble):
        await client.retrieve("video_demo", max_failures=2)
    assert sim.count(POLL) == 2


async def test_retrieve_does_not_repeat_what_was_refused(sim: Simulator, client: Client) -> None:
    sim.add_fault(Fault(POLL, status=403))
    with pytest.raises(QuotaExceeded):
        await client.retrieve("video_demo")
    assert sim.count(POLL) == 1


async def test_retrieve_asks_again_after_the_pause_the_server_asks_for(
    sim: Simulator, client: Client
) -> None:
    sim.add_fault(Fault(POLL, status=429, headers={"Retry-After": "2.1"}))
    await client.retrieve("video_demo")
    first, second = sim.requests
    assert second.at_s - first.at_s >= 2.1


async def test_an_id_that_is_unknown_at_first_and_one_that_stays_so(
    sim: Simulator, client: Client
) -> None:
    """Takes the ten seconds that FACTS demands before an unknown id is believed."""
    nowhere = asyncio.create_task(client.retrieve("video_nowhere"))
    sim.add(Scenario("video_new", unknown_polls=1))
    assert (await client.retrieve("video_new")).id == "video_new"

    with pytest.raises(JobNotFound):
        await nowhere
    asked_at_s = [asked.at_s for asked in sim.requests if asked.path.endswith("video_nowhere")]
    assert len(asked_at_s) == 3
    assert asked_at_s[-1] - asked_at_s[0] >= 9.9


@pytest.mark.parametrize("job_id", ["", "a b", "../x", "https://x.example/y"])
async def test_retrieve_refuses_what_is_no_id(sim: Simulator, client: Client, job_id: str) -> None:
    with pytest.raises(ValueError, match="job id"):
        await client.retrieve(job_id)
    assert sim.count() == 0


# The clip.


async def test_a_clip_comes_through_its_link_without_the_key(
    sim: Simulator, client: Client
) -> None:
    job = await completed(sim, client)
    assert await download(client, job) == sim.clip_bytes("video_demo")

    *polls, got = sim.requests
    assert [asked.headers["authorization"] for asked in polls] == [f"Bearer {KEY}"]
    assert (got.host, got.has_authorization) == ("clips", False)


async def test_a_clip_comes_through_the_content_endpoint_with_the_key(
    sim: Simulator, client: Client
) -> None:
    job = await completed(sim, client)
    assert await download(client, job, by_link=False) == sim.clip_bytes("video_demo")
    assert (sim.requests[-1].host, sim.requests[-1].has_authorization) == ("api", True)


async def test_a_redirect_to_another_origin_does_not_carry_the_key(
    sim: Simulator, client: Client
) -> None:
    job = await completed(sim, client)
    assert job.video_url is not None
    sim.add_fault(Fault(CONTENT, status=302, headers={"Location": job.video_url}))

    assert await download(client, job, by_link=False) == sim.clip_bytes("video_demo")
    before, after = list(sim.requests)[-2:]
    assert (before.host, before.has_authorization) == ("api", True)
    assert (after.host, after.has_authorization) == ("clips", False)


async def test_a_link_that_leads_back_to_the_api_does_not_get_the_key(
    sim: Simulator, client: Client
) -> None:
    job = await completed(sim, client)
    home = f"{sim.base_url}/videos/video_demo/content"
    sim.add_fault(Fault("GET /clips/*", status=302, headers={"Location": home}))

    with pytest.raises(ClipError):
        await download(client, job)
    assert sim.requests[-1].path.endswith("/content")
    assert not sim.requests[-1].has_authorization


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_poll_follows_no_redirect(sim: Simulator, client: Client, status: int) -> None:
    elsewhere = f"{sim.clip_origin}/v1/videos/video_demo"
    sim.add_fault(Fault(POLL, status=status, headers={"Location": elsewhere}))
    with pytest.raises(RequestRejected, match=str(status)):
        await client.poll("video_demo")
    assert [asked.host for asked in sim.requests] == ["api"]


async def test_a_clip_goes_on_where_it_broke_off(sim: Simulator, client: Client) -> None:
    job = await completed(sim, client)
    whole = sim.clip_bytes("video_demo")
    async with client.open_clip(job) as first:
        validator = first.validator
    async with client.open_clip(job, offset=1000, validator=validator) as rest:
        got = b"".join([block async for block in rest])

    assert (first.offset, first.total_bytes) == (0, len(whole))
    assert (rest.offset, rest.total_bytes) == (1000, len(whole))
    assert got == whole[1000:]


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "cometvid-work"]


def have_ended(threads: list[threading.Thread]) -> bool:
    """Whether all have done their work; the last instructions of a thread take a moment."""
    for thread in threads:
        thread.join(0.5)
    return not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("is_copied", [True, False], ids=["to a file", "block by block"])
async def test_a_cancelled_read_ends_its_thread_though_the_server_says_nothing(
    sim: Simulator, client: Client, tmp_path: Path, is_copied: bool
) -> None:
    job = await completed(sim, client)
    sim.add_fault(Fault("GET /clips/*", trickle_s=20))
    came = asyncio.Event()

    async def read(stream: ClipStream) -> None:
        if not is_copied:
            async for _ in stream:
                came.set()
            return
        with (tmp_path / "clip.mp4").open("xb", buffering=0) as file:
            async with aclosing(stream.copy_to(file)) as copying:
                async for copied_bytes in copying:
                    if copied_bytes:
                        came.set()

    async with client.open_clip(job) as stream:
        reading = asyncio.ensure_future(read(stream))
        if is_copied:
            await asyncio.wait_for(came.wait(), 10)
        else:
            await asyncio.sleep(0)  # it has begun, and its first block is not full
        reading_threads = workers()
        assert reading_threads
        began_s = time.monotonic()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert have_ended(reading_threads), "the thread goes on with a connection that is closed"
        assert time.monotonic() - began_s < 10


async def test_a_cancelled_request_for_a_clip_ends_though_no_answer_comes(
    sim: Simulator, client: Client
) -> None:
    job = await completed(sim, client)
    sim.add_fault(Fault("GET /clips/*", delay_s=60, times=None))
    asking = asyncio.ensure_future(download(client, job))
    async with asyncio.timeout(10):
        while not sim.count("GET /clips/*"):
            await client.poll("video_demo")
    reading_threads = workers()
    assert reading_threads
    began_s = time.monotonic()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert have_ended(reading_threads)
    assert time.monotonic() - began_s < 5


async def test_a_host_that_does_not_take_the_connection_does_not_hold_up_a_cancellation(
    sim: Simulator, client: Client
) -> None:
    # A full backlog: a connection is neither made nor refused.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        silent.setblocking(False)
        host, port = silent.getsockname()
        callers = [socket.socket() for _ in range(8)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex((host, port))
        link = f"http://{host}:{port}/clip.mp4"
        asking = asyncio.ensure_future(
            download(client, replace(await completed(sim, client), video_url=link))
        )
        _, waiting = await asyncio.wait([asking], timeout=0.5)
        assert waiting
        began_s = time.monotonic()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert time.monotonic() - began_s < 5
        for caller in callers:
            caller.close()


async def test_clips_that_hang_keep_no_question_waiting(sim: Simulator, client: Client) -> None:
    job = await completed(sim, client)
    sim.add_fault(Fault("GET /clips/*", delay_s=60, times=None))
    saves = [asyncio.ensure_future(download(client, job)) for _ in range(30)]
    try:
        async with asyncio.timeout(10):
            while sim.count("GET /clips/*") < cometvid_nb.api.client.MOST_CLIPS_AT_ONCE:
                await client.poll("video_demo")
            assert (await client.poll("video_demo")).job.is_final
        assert sim.count("GET /clips/*") == cometvid_nb.api.client.MOST_CLIPS_AT_ONCE
    finally:
        for save in saves:
            save.cancel()
        await asyncio.wait(saves)


async def test_another_clip_by_now_begins_anew(sim: Simulator, client: Client) -> None:
    job = await completed(sim, client)
    async with client.open_clip(job, offset=1000, validator='"of-another-clip"') as stream:
        got = b"".join([block async for block in stream])
    assert (stream.offset, got) == (0, sim.clip_bytes("video_demo"))


async def test_a_clip_beyond_its_end_is_refused(sim: Simulator, client: Client) -> None:
    job = await completed(sim, client)
    async with client.open_clip(job) as stream:
        validator = stream.validator
    with pytest.raises(ClipError, match="beyond byte"):
        async with client.open_clip(job, offset=10**9, validator=validator):
            pass


async def test_a_weak_validator_cannot_guard_a_range(sim: Simulator, client: Client) -> None:
    job = await completed(sim, client)
    sim.add_fault(Fault("GET /clips/*", headers={"ETag": 'W/"1"'}))
    async with client.open_clip(job) as stream:
        assert stream.validator is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=403), ClipError),
        (Fault(status=404), ClipError),
        (Fault(status=429), TransientError),
        (Fault(status=500), TransientError),
        (Fault(drop_connection=True), TransientError),
        (Fault(cut_after_bytes=1000), TransientError),
        (Fault(status=302, headers={"Location": "ftp://clips.example/a.mp4"}), TransientError),
        (Fault(status=302, headers={"Location": "http://[bad"}), TransientError),
    ],
)
async def test_a_clip_that_does_not_come_says_nothing_of_its_link(
    sim: Simulator, client: Client, fault: Fault, kind: type[CometVidError]
) -> None:
    job = await completed(sim, client)
    sim.add_fault(fault)
    with pytest.raises(kind, match="video_demo") as caught:
        await download(client, job)

    for piece in (KEY, "signature="):
        assert piece not in str(caught.value)
        assert piece not in repr(caught.value.__cause__)
    assert KEY not in told(caught.value)
    check_without_frames(caught.value.__cause__)


async def test_an_endless_redirect_ends(sim: Simulator, client: Client) -> None:
    job = await completed(sim, client)
    assert job.video_url is not None
    sim.add_fault(
        Fault("GET /clips/*", times=None, status=302, headers={"Location": job.video_url})
    )
    with pytest.raises(TransientError):
        await download(client, job)


# What must not be told.


async def test_logs_hold_neither_key_nor_link(
    sim: Simulator, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    job = await completed(sim, client)
    assert job.video_url is not None
    sim.add_fault(Fault(CONTENT, status=302, headers={"Location": job.video_url}))
    await download(client, job, by_link=False)
    with pytest.raises(JobNotFound):
        await client.poll("video_secret_name")

    signature = urlsplit(job.video_url).query.rpartition("signature=")[2]
    assert "GET /videos/{id}: 200" in caplog.text
    for piece in (KEY, signature, "video_secret_name"):
        assert piece not in caplog.text


async def test_a_wait_that_somebody_cancels_does_not_show_the_key(
    sim: Simulator, client: Client
) -> None:
    sim.add_fault(Fault(delay_s=5))
    with pytest.raises(TimeoutError) as caught:
        await asyncio.wait_for(client.retrieve("video_demo"), 0.3)
    assert KEY not in told(caught.value)


async def test_neither_client_nor_connection_shows_the_key(sim: Simulator, client: Client) -> None:
    await both_roads(sim, client)
    for http in (*(http for _, http in client._connections._idle), client._clip_http):
        assert http is not None
        for thing in (client, client.settings, vars(client), http, vars(http), http.auth):
            assert KEY not in repr(thing)


async def test_a_closed_client_opens_again_when_it_is_needed(client: Client) -> None:
    await client.poll("video_demo")
    await client.aclose()
    await client.aclose()
    assert (await client.poll("video_demo")).job.id == "video_demo"
