"""The simulator speaks the API's protocol, over real sockets, to clients that are not ours."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.simulator import BAD_GATEWAY_PAGE, Fault, Scenario, Simulator
from cometvid_nb.simulator.dialects import DIALECTS, FAILING_DIALECTS, OTHER_WORDS
from cometvid_nb.simulator.gateway import Gateway
from cometvid_nb.simulator.life import scripted_moment
from cometvid_nb.simulator.links import LinkSigner, parse_range
from cometvid_nb.simulator.script import is_match
from cometvid_nb.simulator.shapes.links import IN_ANSWER
from tests.simulator.asking import Clock, client_of, code_of, finished_link, get_job

DOCUMENTED = {"queued", "in_progress", "completed", "failed"}


def receive(answer: httpx.Response, received: bytearray) -> None:
    for piece in answer.iter_raw():
        received.extend(piece)


# The protocol.


def test_creation_answers_with_the_documented_job(http: httpx.Client) -> None:
    job = http.post("/videos", files={"prompt": (None, "a comet")}).json()
    assert job["task_id"] == job["id"]
    assert (job["status"], job["progress"], job["object"]) == ("queued", 0, "video")
    assert (job["model"], job["seconds"], job["size"]) == ("sora-2", "4", "1280x720")
    assert job["video_url"] is None


@pytest.mark.parametrize(
    "form", [{}, {"prompt": " "}, {"prompt": "p", "size": "big"}, {"prompt": "p", "seconds": "4s"}]
)
def test_a_bad_form_is_an_invalid_request(http: httpx.Client, form: dict[str, str]) -> None:
    answer = http.post("/videos", files={name: (None, value) for name, value in form.items()})
    assert (answer.status_code, code_of(answer)) == (400, "invalid_request")


def test_the_same_idempotency_key_gives_the_same_job(http: httpx.Client) -> None:
    def create(key: str) -> str:
        form = {"prompt": (None, "a comet")}
        answer = http.post("/videos", files=form, headers={"Idempotency-Key": key})
        return str(answer.json()["id"])

    assert create("one") == create("one") != create("two")


def test_errors_have_the_documented_body(sim: Simulator, http: httpx.Client) -> None:
    bad_key = http.get("/videos/video_demo", headers={"Authorization": "Bearer wrong"})
    assert (bad_key.status_code, code_of(bad_key)) == (401, "invalid_api_key")
    no_key = httpx.get(f"{sim.base_url}/videos/video_demo", trust_env=False)
    assert no_key.status_code == 401
    unknown = http.get("/videos/video_nobody")
    assert (unknown.status_code, code_of(unknown)) == (400, "task_not_exist")
    assert http.get("/videos/video_nobody/content").status_code == 400
    wrong = http.get("/nothing")
    assert (wrong.status_code, code_of(wrong)) == (404, "not_found")
    assert http.put("/videos/video_demo").status_code == 405
    page = http.get(f"{sim.origin}/videos/video_demo")  # "/v1" forgotten
    assert page.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html")


def test_content_before_completion_is_a_json_error(http: httpx.Client) -> None:
    answer = http.get("/videos/video_demo/content")
    assert (answer.status_code, code_of(answer)) == (400, "video_not_ready")


def test_an_unknown_variant_is_an_invalid_request(sim: Simulator, http: httpx.Client) -> None:
    sim.finish("video_demo")
    answer = http.get("/videos/video_demo/content", params={"variant": "hologram"})
    assert (answer.status_code, code_of(answer)) == (400, "invalid_request")


# The life of a job.


def test_the_clock_of_a_scripted_job_starts_at_its_first_retrieval(
    clock: Clock, http: httpx.Client
) -> None:
    clock.now_s += 1000
    assert get_job(http, "video_demo")["status"] == "queued"
    job = get_job(http, "video_demo")
    assert job["created_at"] == int(clock.now_s)
    seen = []
    for _ in range(40):
        clock.now_s += 1
        job = get_job(http, "video_demo")
        seen.append((job["status"], job["progress"]))
    assert [status for status, _ in seen] == ["queued"] * 3 + ["in_progress"] * 36 + ["completed"]
    percents = [percent for _, percent in seen]
    assert percents == sorted(percents)
    assert len(set(percents)) > 12
    assert job["completed_at"] == job["created_at"] + 40


def test_speed_ten_is_ten_times_faster(clock: Clock) -> None:
    gateway = Gateway(clock=clock, speed=10)
    gateway.retrieve("video_demo")
    clock.now_s += 3.9
    assert gateway.retrieve("video_demo")["status"] == "in_progress"
    clock.now_s += 0.2
    assert gateway.retrieve("video_demo")["status"] == "completed"


def test_a_gateway_that_refreshes_every_15_s_shows_nothing_in_between(clock: Clock) -> None:
    gateway = Gateway(clock=clock, refresh_s=15)
    seen = []
    for _ in range(60):
        seen.append(gateway.retrieve("video_demo")["progress"])
        clock.now_s += 1
    assert [at for at in range(1, 60) if seen[at] != seen[at - 1]] == [15, 30, 45]


def test_the_owner_decides_what_a_job_does(sim: Simulator, http: httpx.Client) -> None:
    sim.set_progress("video_demo", 42)
    assert get_job(http, "video_demo")["progress"] == 42
    sim.set_status_word("video_demo", "dreaming")
    assert get_job(http, "video_demo")["status"] == "dreaming"
    sim.finish("video_demo")
    assert get_job(http, "video_demo")["status"] == "completed"
    sim.fail("video_portrait", "no aurora tonight")
    job = get_job(http, "video_portrait")
    assert (job["status"], job["error"]["message"]) == ("failed", "no aurora tonight")
    assert job["video_url"] is None
    with pytest.raises(KeyError, match="video_nobody"):
        sim.finish("video_nobody")


def test_the_scripted_jobs_end_as_they_are_named(clock: Clock) -> None:
    gateway = Gateway(clock=clock)
    for job_id in ("video_fails", "video_stuck", "video_paused", "video_no_link"):
        gateway.retrieve(job_id)
    clock.now_s += 100_000
    failed = gateway.retrieve("video_fails")
    assert (failed["status"], failed["error"]["code"]) == ("failed", "moderation_blocked")
    stuck = gateway.retrieve("video_stuck")
    assert (stuck["status"], stuck["progress"]) == ("in_progress", 30)
    assert gateway.retrieve("video_paused")["status"] == "paused_by_moderation"
    no_link = gateway.retrieve("video_no_link")
    assert (no_link["status"], no_link["video_url"]) == ("completed", None)
    assert gateway.content("video_no_link", "video")[1] == "video/mp4"


def test_an_early_id_is_unknown_twice_and_then_a_job(http: httpx.Client) -> None:
    answers = [http.get("/videos/video_early") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert code_of(answers[0]) == "task_not_exist"


def test_hostile_strings_arrive_unchanged(http: httpx.Client) -> None:
    prompt = get_job(http, "video_markup")["prompt"]
    for part in ("<script>", "\u202e", "\x00", "\x1b[31m", "\u2028"):
        assert part in prompt
    assert len(prompt) > 1000


def test_a_user_adds_scenarios(clock: Clock) -> None:
    mine = Scenario("video_mine", size="512x512", queue_s=0, run_s=0)
    with Simulator(clock=clock, scenarios=[mine]) as sim, closing(client_of(sim)) as http:
        assert get_job(http, "video_mine")["status"] == "completed"
        sim.add(Scenario("video_later", queue_s=1))
        assert get_job(http, "video_later")["status"] == "queued"
        assert {"video_mine", "video_later", "video_demo"} <= set(sim.jobs)
    with pytest.raises(ValueError, match="no dialect 'klingon'"):
        Scenario("video_x", dialect="klingon")


def test_the_same_seed_gives_the_same_jobs() -> None:
    def history(seed: int) -> list[object]:
        clock = Clock()
        gateway = Gateway(clock=clock, seed=seed)
        ids = [gateway.create({"prompt": "p"}, None)["id"] for _ in range(3)]
        jobs: list[object] = []
        for _ in range(30):
            clock.now_s += 5
            jobs += [gateway.retrieve(job_id) for job_id in ids]
        return jobs

    assert history(7) == history(7) != history(8)


def test_created_jobs_take_about_as_long_as_was_seen(clock: Clock) -> None:
    gateway = Gateway(clock=clock)
    ids = [gateway.create({"prompt": "p"}, None)["id"] for _ in range(200)]
    clock.now_s += 10_000
    jobs = [gateway.retrieve(job_id) for job_id in ids]
    took_s = sorted(job["completed_at"] - job["created_at"] for job in jobs)
    assert 50 < took_s[100] < 80
    assert took_s[0] > 10
    assert took_s[-1] < 300


# Dialects.


def status_word(answer: dict[str, Any]) -> str:
    inner = answer["data"] if isinstance(answer.get("data"), dict) else {}
    return str(inner.get("task_status") or inner.get("status") or answer["status"])


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "plain"])
def test_every_dialect_has_a_job_that_speaks_it_to_its_end(name: str, clock: Clock) -> None:
    gateway = Gateway(clock=clock)
    job_id = f"video_dialect_{name}"
    answers = []
    for _ in range(10):
        answers.append(gateway.retrieve(job_id))
        clock.now_s += 1
    text = json.dumps(answers[-1])
    is_failing = name in FAILING_DIALECTS
    link = "data:video/mp4;base64," if name in IN_ANSWER else "/clips/"
    assert (link in text) is not is_failing
    words = [status_word(answer) for answer in answers]
    assert len(set(words)) == 3
    for plain, others in OTHER_WORDS.items():
        if name in others:
            assert name in words
            assert plain not in words


def test_the_dialects_put_things_where_they_were_seen(clock: Clock) -> None:
    gateway = Gateway(clock=clock)

    def finished(name: str) -> dict[str, Any]:
        gateway.finish(f"video_dialect_{name}")
        return gateway.retrieve(f"video_dialect_{name}")

    wrapper = finished("legacy_wrapper")
    assert (wrapper["code"], wrapper["data"]["status"]) == ("success", "SUCCESS")
    assert "/clips/" in wrapper["data"]["fail_reason"]
    assert wrapper["data"]["progress"] == "100%"
    assert finished("percent_string")["progress"] == "100%"
    assert finished("number_string")["progress"] == "100"
    assert "progress" not in finished("no_progress")
    assert finished("upper_case")["status"] == "COMPLETED"
    assert "/clips/" in finished("output_list")["output"][0]
    assert "/clips/" in finished("metadata_url")["metadata"]["url"]
    assert "/clips/" in finished("content_video_url")["content"]["video_url"]
    assert "/clips/" in finished("url")["url"]
    assert not {"size", "seconds"} & set(finished("sparse"))
    early = gateway.retrieve("video_dialect_early_completed_at")
    assert (early["status"], early["completed_at"]) == ("queued", early["created_at"])


# Links.


def test_a_link_needs_no_key_and_serves_the_clip(sim: Simulator, http: httpx.Client) -> None:
    url = finished_link(sim, http)
    answer = httpx.get(url, trust_env=False)
    assert (answer.status_code, answer.content) == (200, sim.clip_bytes("video_demo"))
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    head = httpx.head(url, trust_env=False)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(answer.content)
    known = httpx.get(url, headers={"If-None-Match": answer.headers["ETag"]}, trust_env=False)
    assert (known.status_code, known.content) == (304, b"")
    preflight = httpx.options(url, trust_env=False)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Headers"]) == (204, "*")


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=50000-", 50_000, None),
        ("bytes=-100", -100, None),
        ("bytes=10-99999999", 10, None),
    ],
)
def test_a_range_is_a_206_with_these_bytes(
    sim: Simulator, http: httpx.Client, asked: str, start: int, stop: int | None
) -> None:
    url, clip = finished_link(sim, http), sim.clip_bytes("video_demo")
    answer = httpx.get(url, headers={"Range": asked}, trust_env=False)
    assert (answer.status_code, answer.content) == (206, clip[start:stop])
    first = start % len(clip)
    last = first + len(answer.content) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(clip)}"


def test_a_range_behind_the_end_is_a_416(sim: Simulator, http: httpx.Client) -> None:
    url, total = finished_link(sim, http), len(sim.clip_bytes("video_demo"))
    answer = httpx.get(url, headers={"Range": f"bytes={total}-"}, trust_env=False)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{total}"


def test_if_range_with_another_etag_gives_the_whole(sim: Simulator, http: httpx.Client) -> None:
    url = finished_link(sim, http)
    headers = {"Range": "bytes=5-", "If-Range": '"older"'}
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 200


def test_a_tampered_link_is_a_403(sim: Simulator, http: httpx.Client) -> None:
    url = finished_link(sim, http)
    sim.finish("video_portrait")
    longer = re.sub(r"expires=\d", "expires=9", url)
    other = url.replace("video_demo", "video_portrait")
    for bad in (longer, other, url[:-1], url.split("?")[0]):
        answer = httpx.get(bad, trust_env=False)
        assert (answer.status_code, code_of(answer)) == (403, "link_tampered")


def test_a_link_expires_and_the_next_poll_brings_a_new_one(
    sim: Simulator, http: httpx.Client, clock: Clock
) -> None:
    url = finished_link(sim, http, "video_expiring")
    assert get_job(http, "video_expiring")["expires_at"] == int(clock.now_s + 2)
    assert httpx.get(url, trust_env=False).status_code == 200
    assert get_job(http, "video_expiring")["video_url"] == url
    clock.now_s += 2
    answer = httpx.get(url, trust_env=False)
    assert (answer.status_code, code_of(answer)) == (403, "link_expired")
    renewed = get_job(http, "video_expiring")["video_url"]
    assert renewed != url
    assert httpx.get(renewed, trust_env=False).status_code == 200


def test_a_link_lives_an_hour_by_default(sim: Simulator, http: httpx.Client, clock: Clock) -> None:
    url = finished_link(sim, http)
    clock.now_s += 3599
    assert httpx.get(url, trust_env=False).status_code == 200
    clock.now_s += 1
    assert httpx.get(url, trust_env=False).status_code == 403


def test_a_dead_link_refuses_connections(sim: Simulator, http: httpx.Client) -> None:
    url = finished_link(sim, http, "video_dead_link")
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_the_clips_may_live_at_another_origin(clock: Clock) -> None:
    with (
        Simulator(clock=clock, separate_clip_host=True) as sim,
        closing(client_of(sim)) as http,
    ):
        url = finished_link(sim, http)
        assert urlsplit(url).port != urlsplit(sim.base_url).port
        assert url.startswith(sim.clip_origin)
        assert httpx.get(url, trust_env=False).content == sim.clip_bytes("video_demo")
        assert httpx.get(url.replace(sim.clip_origin, sim.origin), trust_env=False).is_error
        assert http.get(f"{sim.clip_origin}/v1/videos/video_demo").status_code == 404
        seen = [(r.host, r.method, r.path, r.has_authorization) for r in sim.requests]
        assert seen == [
            ("api", "GET", "/v1/videos/video_demo", True),
            ("clips", "GET", "/clips/video_demo.mp4", False),
            ("api", "GET", "/clips/video_demo.mp4", False),
            ("clips", "GET", "/v1/videos/video_demo", True),
        ]


# Faults.


def test_faults_are_consumed_in_order(sim: Simulator, http: httpx.Client) -> None:
    page = Fault("GET /videos/{id}", times=2, status=502, body=BAD_GATEWAY_PAGE)
    slow_down = Fault("GET /videos/{id}", status=429, headers={"Retry-After": "2"})
    sim.add_fault(page)
    sim.add_fault(slow_down)
    answers = [http.get("/videos/video_demo") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [502, 502, 429, 200]
    assert answers[0].headers["Content-Type"].startswith("text/html")
    assert answers[0].text == BAD_GATEWAY_PAGE
    assert answers[2].headers["Retry-After"] == "2"
    assert code_of(answers[2]) == "rate_limit_exceeded"


def test_a_fault_waits_for_its_turn_and_for_its_path(clock: Clock) -> None:
    fault = Fault("GET /videos/video_demo", after=1, status=500, body={"code": "x", "message": "y"})
    with Simulator(clock=clock, faults=[fault]) as sim, closing(client_of(sim)) as http:
        assert http.get("/videos/video_portrait").status_code == 200
        statuses = [http.get("/videos/video_demo").status_code for _ in range(3)]
        assert statuses == [200, 500, 200]


def test_a_fault_without_a_status_changes_the_true_answer(
    sim: Simulator, http: httpx.Client
) -> None:
    sim.add_fault(Fault(times=None, delay_s=0.05, headers={"openai-poll-after-ms": "1500"}))
    began_s = time.monotonic()
    answer = http.get("/videos/video_demo")
    assert time.monotonic() - began_s >= 0.05
    assert answer.headers["openai-poll-after-ms"] == "1500"
    assert answer.json()["id"] == "video_demo"
    sim.clear_faults()
    assert "openai-poll-after-ms" not in http.get("/videos/video_demo").headers


def test_a_status_that_is_no_standard_can_be_answered(sim: Simulator, http: httpx.Client) -> None:
    sim.add_fault(Fault("POST /videos", status=524))
    assert http.post("/videos", files={"prompt": (None, "p")}).status_code == 524


def test_a_connection_can_be_dropped(sim: Simulator, http: httpx.Client) -> None:
    sim.add_fault(Fault("GET /videos/{id}", drop_connection=True))
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/videos/video_demo")
    assert http.get("/videos/video_demo").status_code == 200


def test_a_download_can_be_cut_short_and_resumed(sim: Simulator, http: httpx.Client) -> None:
    url, clip = finished_link(sim, http), sim.clip_bytes("video_demo")
    sim.add_fault(Fault("GET /clips/*", cut_after_bytes=70_000))
    received = bytearray()
    with httpx.stream("GET", url, trust_env=False) as answer:
        assert int(answer.headers["Content-Length"]) == len(clip)
        with pytest.raises(httpx.RemoteProtocolError):
            receive(answer, received)
    assert received == clip[:70_000]
    rest = httpx.get(url, headers={"Range": "bytes=70000-"}, trust_env=False)
    assert bytes(received) + rest.content == clip


@pytest.mark.parametrize(
    ("pattern", "is_meant"),
    [
        ("GET /videos/{id}", True),
        ("GET /videos/video_demo", True),
        ("GET *", True),
        ("*", True),
        ("POST /videos/{id}", False),
        ("GET /videos", False),
        ("GET /videos/{id}/content", False),
    ],
)
def test_a_pattern_means_whole_paths(pattern: str, *, is_meant: bool) -> None:
    assert is_match(pattern, "GET", "/v1/videos/video_demo") is is_meant


# The server.


def threads_of_ours() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "cometvid-simulator"]


def test_start_and_stop_may_be_repeated_and_leave_nothing(clock: Clock) -> None:
    sim = Simulator(clock=clock, separate_clip_host=True, faults=[Fault(delay_s=60)])
    sim.stop()
    assert sim.start() is sim.start()
    assert len(threads_of_ours()) == 1
    assert threads_of_ours()[0].daemon
    base_url = sim.base_url
    with socket.create_connection((urlsplit(base_url).hostname, urlsplit(base_url).port)) as held:
        held.sendall(b"GET /v1/videos/video_demo HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sim.wait_for_requests("GET /videos/{id}")
        sim.stop()
        sim.stop()
        # Reset, so that its port is free at once, and not in TIME_WAIT.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert threads_of_ours() == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base_url}/videos/video_demo", trust_env=False)
    with sim, closing(client_of(sim)) as http:
        assert sim.base_url == base_url
        assert get_job(http, "video_demo")["id"] == "video_demo"
    gc.collect()  # a forgotten socket or task would be a ResourceWarning, which is an error here


def test_a_taken_port_is_the_callers_error(sim: Simulator) -> None:
    port = urlsplit(sim.base_url).port
    assert port is not None
    other = Simulator(port=port)
    with pytest.raises(OSError, match="in use"):
        other.start()
    assert not other.is_running
    assert len(threads_of_ours()) == 1


async def test_it_works_inside_a_running_loop(clock: Clock) -> None:
    with Simulator(clock=clock) as sim:
        # Blocking on purpose: a notebook's thread runs a loop and is busy at the same time.
        with closing(client_of(sim)) as http:
            assert get_job(http, "video_demo")["id"] == "video_demo"
        await asyncio.sleep(0)


def test_the_owner_can_wait_for_requests(sim: Simulator, http: httpx.Client) -> None:
    assert not sim.wait_for_requests("GET /videos/{id}", within_s=0)
    asking = threading.Thread(target=get_job, args=(http, "video_demo"))
    asking.start()
    assert sim.wait_for_requests("GET /videos/{id}")
    asking.join()
    assert sim.count("GET /videos/{id}") == 1
    assert sim.count("GET /videos/video_portrait") == 0


def test_requests_and_their_headers_are_kept(sim: Simulator, http: httpx.Client) -> None:
    http.get("/videos/video_demo", params={"a": "b"}, headers={"X-Mine": "yes"})
    request = sim.requests[-1]
    assert (request.method, request.path, request.query) == ("GET", "/v1/videos/video_demo", "a=b")
    assert request.headers["x-mine"] == "yes"
    assert request.has_authorization


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_forever_says_where_it_is_and_ends_quietly(number: signal.Signals) -> None:
    code = "from cometvid_nb.simulator import serve_forever; serve_forever(0, speed=5)"
    command = [sys.executable, "-W", "error", "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            line = json.loads(process.stdout.readline())
            assert set(line) == {"base_url", "api_key", "jobs"}
            assert "video_demo" in line["jobs"]
            key = {"Authorization": f"Bearer {line['api_key']}"}
            url = f"{line['base_url']}/videos/video_demo"
            assert httpx.get(url, headers=key, trust_env=False).status_code == 200
            process.send_signal(number)
            output, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, output, errors) == (0, "", "")


# The files.


def boxes(clip: bytes) -> list[bytes]:
    """The names of an MP4's outer boxes, in order."""
    names, at = [], 0
    while at < len(clip):
        size = int.from_bytes(clip[at : at + 4], "big")
        assert size >= 8
        names.append(clip[at + 4 : at + 8])
        at += size
    return names


@pytest.mark.parametrize("job_id", ["video_demo", "video_portrait", "video_square"])
def test_the_clips_are_small_and_begin_to_play_before_they_are_complete(job_id: str) -> None:
    clip = Gateway().clip_bytes(job_id)
    assert 20_000 < len(clip) <= 250_000
    assert boxes(clip).index(b"moov") < boxes(clip).index(b"mdat")
    assert b"avc1" in clip
    assert len(Gateway().clip_bytes(job_id, "thumbnail")) < 50_000


# What is pure.


@given(
    st.one_of(
        st.none(),
        st.text(max_size=20),
        st.from_regex(r"bytes=[0-9]{0,4}-[0-9]{0,4}", fullmatch=True),
    ),
    st.integers(0, 2000),
)
def test_a_parsed_range_lies_within_the_file(header: str | None, total_bytes: int) -> None:
    part = parse_range(header, total_bytes)
    if part is not None and len(part) > 0:
        assert part.step == 1
        assert 0 <= part.start < part.stop <= total_bytes


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 100))
def test_a_range_is_what_it_says(first: int, last: int, total_bytes: int) -> None:
    part = parse_range(f"bytes={first}-{last}", total_bytes)
    if last < first:
        assert part is None  # not a valid range, so ignored
    else:
        assert part is not None
        assert list(part) == [at for at in range(total_bytes) if first <= at <= last]


@given(st.text(max_size=30), st.text(max_size=30), st.integers(1, 2**31))
def test_a_signature_fits_its_own_path_and_time_only(
    path: str, other: str, expires_at_s: int
) -> None:
    signer = LinkSigner(b"secret")
    query = dict(
        part.split("=") for part in signer.sign(path, expires_at_s).rsplit("?")[-1].split("&")
    )
    expires, signature = query["expires"], query["signature"]
    assert signer.verdict(path, expires, signature, expires_at_s - 1) == "good"
    assert signer.verdict(path, expires, signature, expires_at_s) == "expired"
    if other != path:
        assert signer.verdict(other, expires, signature, 0) == "tampered"
    assert LinkSigner(b"x").verdict(path, expires, signature, 0) == "tampered"


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=8).map(sorted),
    st.lists(st.floats(0, 100), min_size=2, max_size=20).map(sorted),
)
def test_a_scripted_job_never_goes_backwards(steps: list[int], ages_s: list[float]) -> None:
    order = ["queued", "in_progress", "completed"]
    scenario = Scenario("video_x", steps=tuple(steps), queue_s=10, run_s=40)
    moments = [scripted_moment(scenario, age_s) for age_s in ages_s]
    assert all(moment.status in DOCUMENTED for moment in moments)
    ranks = [(order.index(moment.status), moment.progress_percent) for moment in moments]
    assert ranks == sorted(ranks)
