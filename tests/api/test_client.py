"""The client over a real socket: the key goes to one origin, and every trouble has its name."""

from __future__ import annotations

import asyncio
import base64
import logging
import random
import socket
import sys
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
from cometvid_nb.api.new_job import NewJob
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
    SettingsError,
    TransientError,
)
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.settings import DEFAULT_BASE_URL, Secret, Settings
from cometvid_nb.simulator import BAD_GATEWAY_PAGE, Fault, Scenario, Simulator
from tests.simulated import KEY, settings_of

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


@pytest.mark.parametrize(
    "base_url", [DEFAULT_BASE_URL, "https://API.CometAPI.com./v1", "https://cometapi.com/v1"]
)
def test_without_a_key_cometapi_is_not_asked_at_all(base_url: str) -> None:
    with pytest.raises(MissingKey):
        Client(Settings(base_url=base_url))


async def test_a_server_of_ones_own_needs_no_key_and_gets_no_header_for_one(
    sim: Simulator,
) -> None:
    clip = sim.clip_bytes("video_demo")
    sim.add_fault(Fault(POLL, status=200, body={"id": "video_demo", "status": "completed"}))
    sim.add_fault(Fault("GET /videos/{id}/content", status=200, body=clip))
    async with Client(Settings(base_url=sim.base_url)) as client:
        job = (await client.poll("video_demo")).job
        assert await download(client, job) == clip
    assert len(sim.requests) == 2
    assert all("authorization" not in request.headers for request in sim.requests)


async def test_a_server_that_wants_a_key_when_none_is_set_is_told_with_the_ways_to_one(
    sim: Simulator,
) -> None:
    async with Client(Settings(base_url=sim.base_url)) as client:
        with pytest.raises(BadKey, match="401") as caught:
            await client.poll("video_demo")
    assert "No API key is set." in str(caught.value)
    assert "%cometvid login" in str(caught.value.advice)
    assert all("authorization" not in request.headers for request in sim.requests)


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
    for http in (*(http for _, http in client._connections._idle), *client._clip_https.values()):
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


async def test_a_failed_job_under_an_http_error_is_a_failed_job(
    sim: Simulator, client: Client
) -> None:
    error = {"code": 500, "message": "out of memory"}
    body = {"id": "video_demo", "status": "failed", "error": error}
    sim.add_fault(Fault(POLL, status=500, body=body))
    job = (await client.poll("video_demo")).job
    assert (job.status, job.error_message) == (JobStatus.FAILED, "out of memory")


async def test_an_empty_answer_that_was_accepted_means_not_yet(
    sim: Simulator, client: Client
) -> None:
    sim.add_fault(Fault(POLL, status=202, body=b"", headers={"Retry-After": "3"}))
    polled = await client.poll("video_demo")
    assert (polled.job, polled.retry_after_s) == (Job.pending("video_demo"), 3.0)


@pytest.mark.parametrize("location", ["urn:video:1", "http:videos/1", "https://xn--a/"])
async def test_a_redirect_that_is_no_address_is_answered_like_any_other(
    sim: Simulator, client: Client, location: str
) -> None:
    sim.add_fault(Fault(POLL, status=302, headers={"Location": location}))
    with pytest.raises(RequestRejected, match="302, a redirect to"):
        await client.poll("video_demo")


@pytest.mark.parametrize("packing", ["aws-chunked", "utf-8", "binary", "", "br"])
async def test_an_answer_that_only_claims_to_be_packed_is_read(
    sim: Simulator, client: Client, packing: str
) -> None:
    sim.add_fault(Fault(POLL, headers={"Content-Encoding": packing}))
    assert (await client.poll("video_demo")).job.status is JobStatus.QUEUED


@pytest.mark.parametrize("escape", [b"/", b"\\/"])
async def test_a_clip_inside_an_answer_may_have_megabytes(
    sim: Simulator, client: Client, escape: bytes
) -> None:
    clip = base64.b64encode(random.Random(1).randbytes(7_000_000))
    body = b'{"id": "video_demo", "status": "completed", "video_url": "data:video/mp4;base64,'
    sim.add_fault(Fault(POLL, status=200, body=body + clip.replace(b"/", escape) + b'"}'))
    job = (await client.poll("video_demo")).job
    assert job.video_url == f"data:video/mp4;base64,{clip.decode()}"


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "' + b"A" * 20_000_000 + b'"}',
        b"[" + b"[]," * 1_500_000 + b"[]]",
        b'["' + b'","'.join([b"A" * 60_000] * 80) + b'"]',
        b'"' * 5_000_000,
    ],
    ids=["a clip", "lists", "texts", "quotes"],
)
async def test_an_answer_that_is_far_too_large_is_not_taken_apart(
    sim: Simulator, client: Client, body: bytes
) -> None:
    sim.add_fault(Fault(POLL, status=200, body=body))
    began_s = time.monotonic()
    with pytest.raises(ConnectionTrouble, match="cannot be read"):
        await client.poll("video_demo")
    assert time.monotonic() - began_s < 5


# What was sent.


@pytest.mark.parametrize("with_proxy", [False, True], ids=["direct", "proxy"])
async def test_a_request_that_never_left_may_be_sent_again(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, *, with_proxy: bool
) -> None:
    settings = settings_of(sim, base_url=f"{sim.dead_origin}/v1")
    if with_proxy:
        monkeypatch.setenv("HTTPS_PROXY", sim.dead_origin)
        settings = Settings(Secret(KEY), "https://api.invalid/v1")
    async with Client(settings) as client:
        with pytest.raises(ConnectionTrouble) as caught:
            await client._post(NewJob.check("A comet"), "key")
    assert caught.value.is_unaccepted


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drop_connection=True),
        Fault(reset_connection=True),
        Fault(headers={"Content-Length": "99999"}),
        Fault(headers={"Content-Encoding": "gzip"}),
        Fault(delay_s=5),
    ],
)
async def test_a_request_that_has_left_may_not(
    sim: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(cometvid_nb.api.client, "CREATE_TIMEOUT", httpx.Timeout(0.5))
    sim.add_fault(fault)
    with pytest.raises(ConnectionTrouble) as caught:
        await client._post(NewJob.check("A comet"), "key")
    assert not caught.value.is_unaccepted


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "127.1.2.3", "127.1", "localhost.", "api.localhost", "[0::1]", "[::1]"]
)
async def test_no_proxy_gets_what_is_for_this_machine_however_that_is_spelled(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, sim.origin)  # it would write down what it is asked
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    nobody = sim.dead_origin.rpartition(":")[2]
    async with Client(settings_of(sim, base_url=f"http://{host}:{nobody}/v1")) as client:
        with pytest.raises(ConnectionTrouble):
            await client.poll("video_demo")
        link = f"http://{host}:{nobody}/a.mp4"
        job = Job("video_demo", JobStatus.COMPLETED, video_url=link)
        with pytest.raises(ConnectionTrouble):
            await download(client, job)
    assert sim.count() == 0


async def test_a_redirect_home_is_not_asked_of_the_proxy_that_the_way_there_is(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator(api_key=KEY) as proxy:
        home = f"http://127.0.0.2:{sim.dead_origin.rpartition(':')[2]}/a.mp4"
        proxy.add_fault(Fault(times=None, status=302, headers={"Location": home}))
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        link = "http://clips.example/a.mp4"
        job = Job("video_demo", JobStatus.COMPLETED, video_url=link)
        async with Client(settings_of(sim)) as client:
            with pytest.raises(ConnectionTrouble):
                await download(client, job)
        assert [request.headers["host"] for request in proxy.requests] == ["clips.example"]


ODD_SURROUNDINGS: list[tuple[dict[str, str], str, str]] = [
    ({"NO_PROXY": "fe80::/10", "HTTPS_PROXY": "http://127.0.0.1:1"}, "NO_PROXY", "fe80"),
    ({"no_proxy": "fe80::/10"}, "no_proxy", "fe80"),
    ({"ALL_PROXY": "socks5h://127.0.0.1:1"}, "ALL_PROXY", "httpx[socks]"),
    ({"https_proxy": "socks4://me:hunter2@127.0.0.1:1"}, "https_proxy", "http://host:8080"),
    ({"HTTP_PROXY": "http://me:hunter2@127.0.0.1:x"}, "HTTP_PROXY", "unset"),
    ({"HTTP_PROXY": "http://127.0.0.1:1", "ALL_PROXY": "ftp://x"}, "ALL_PROXY", "unset"),
    ({"SSL_CERT_FILE": "/no/such/file"}, "SSL_CERT_FILE", "unset"),
    ({"SSL_CERT_FILE": "", "SSLKEYLOGFILE": "/no/such/folder/keys"}, "SSLKEYLOGFILE", "unset"),
]


@pytest.mark.parametrize(("environ", "name", "hint"), ODD_SURROUNDINGS)
async def test_surroundings_that_httpx_cannot_use_are_named_and_at_home_not_looked_at(
    sim: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    name: str,
    hint: str,
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # as in most environments
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    async with Client(settings_of(sim)) as client:
        sim.finish("video_demo")
        job = (await client.poll("video_demo")).job
        assert await download(client, job) == sim.clip_bytes("video_demo")
        away = Job("video_demo", JobStatus.COMPLETED, video_url="https://clips.invalid/a.mp4")
        with pytest.raises(SettingsError, match=rf"\b{name}\b"):
            await download(client, away)
    async with Client(settings_of(sim, base_url="https://api.invalid/v1")) as client:
        with pytest.raises(SettingsError, match=rf"\b{name}\b") as caught:
            await client.poll("video_demo")
    words = "".join(traceback.format_exception(caught.value))
    assert hint in words
    assert "hunter2" not in words


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
    with pytest.raises(ClipError, match="after byte"):
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
    for http in (*(http for _, http in client._connections._idle), *client._clip_https.values()):
        for thing in (client, client.settings, vars(client), http, vars(http), http.auth):
            assert KEY not in repr(thing)


async def test_a_closed_client_opens_again_when_it_is_needed(client: Client) -> None:
    await client.poll("video_demo")
    await client.aclose()
    await client.aclose()
    assert (await client.poll("video_demo")).job.id == "video_demo"
