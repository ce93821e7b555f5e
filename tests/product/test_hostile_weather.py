"""Whatever the network does, over real sockets: the card tells it, the watch lives, nothing leaks.

The faults of a table are suffered all at once, each by a job of its own, as the pauses between
polls are real; then each job's history is judged by itself.
"""

from __future__ import annotations

import datetime
import gc
import os
import re
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cometvid_nb.cards.card import Card
from cometvid_nb.errors import CometVidError
from cometvid_nb.session.session import Session
from cometvid_nb.settings import Secret, Settings
from cometvid_nb.simulator import FATAL, TRANSIENT, UNTRUE, WRONG_CLIPS, Fault, Scenario, Simulator
from cometvid_nb.watching.state import Ending, WatchState
from tests.simulated import KEY

TIMES = 2
WITHIN_S = 45.0
PATIENT = ("429 with date Retry-After", "429 with huge Retry-After")
"""Served a pause that is longer than a test."""

WORDS = {
    "reset": "the connection was reset",
    "dropped": "closed the connection too early",
    "cut body": "closed the connection too early",
    "empty body": "no JSON",
    "page under 200": "an HTML page",
    "half JSON": "no JSON",
    "list": "describes no job",
    "deep JSON": "no JSON",
    "error under 200": "upstream is busy",
    "packed": "an HTML page|cannot be read",
    "broken packing": "cannot be read",
    "not known yet": "does not know this id yet",
}
"""What the card says of a fault; those that name a status say this status."""


@dataclass
class Story:
    """What one job went through: its states as a card saw them, and when."""

    job_id: str
    states: list[tuple[float, WatchState]]
    error: CometVidError | None = None

    @property
    def end(self) -> WatchState:
        return self.states[-1][1]

    def add(self, state: WatchState) -> None:
        self.states.append((time.time(), state))

    def problems(self) -> list[str]:
        return [state.problem for _, state in self.states if state.problem]


def settings_of(base_url: str, folder: Path) -> Settings:
    return Settings(
        api_key=Secret(KEY),
        base_url=base_url,
        save_dir=str(folder / "videos"),
        ledger="off",
        interval_s=0.2,
    )


def suffer(
    sim: Simulator, folder: Path, faults: Mapping[str, list[Fault]], *, stop: tuple[str, ...] = ()
) -> dict[str, Story]:
    """Let a job suffer each of `faults`, all at once; those in `stop` only until their problem."""
    settings = settings_of(sim.base_url, folder)
    shared, sessions = Session(settings), list[Session]()
    stories: dict[str, Story] = {}
    watches = {}
    for number, (name, script) in enumerate(faults.items()):
        job_id = f"video_{number}"
        sim.add(Scenario(job_id, queue_s=0, run_s=0))
        for fault in script:
            sim.add_fault(replace(fault, match=fault.match.replace("{id}", job_id)))
        story = stories[name] = Story(job_id, [])
        # A 429 to one job slows down all of its session.
        sessions.append(Session(settings) if "429" in name else shared)
        watches[name] = sessions[-1].watch(job_id)
        watches[name].subscribe(story.add)
    until_s = time.monotonic() + WITHIN_S
    try:
        for name, watch in watches.items():
            if name in stop:
                while not stories[name].problems() and time.monotonic() < until_s:
                    sim.wait_for_requests("GET /nothing", 1, 0.05)
                watch.stop()
                continue
            try:
                watch.wait(max(1.0, until_s - time.monotonic()))
            except CometVidError as error:
                stories[name].error = error
    finally:
        for session in sessions:
            session.close()
    return stories


@contextmanager
def nothing_leaks() -> Iterator[None]:
    """No thread, socket or file more than before, as soon as all is closed."""

    def held() -> tuple[int, list[str]]:
        gc.collect()
        files = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
        return files, sorted(t.name for t in threading.enumerate() if "cometvid" in t.name)

    before = held()
    yield
    until_s = time.monotonic() + 10
    while held() > before and time.monotonic() < until_s:
        threading.Event().wait(0.05)  # a file that is being written by a thread is closed by it
    assert held() <= before


@pytest.fixture(scope="module")
def polls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    """The stories of jobs whose polls meet each fault, `TIMES` times or for good."""
    faults = {
        **{f"transient: {n}": [replace(f, times=TIMES)] for n, f in TRANSIENT.items()},
        **{f"untrue: {n}": [replace(f, times=TIMES)] for n, f in UNTRUE.items()},
        **{f"fatal: {n}": [replace(f, times=None)] for n, f in FATAL.items()},
    }
    at_poll = {
        name: [replace(fault, match="GET /videos/{id}") for fault in script]
        for name, script in faults.items()
    }
    stop = tuple(f"transient: {name}" for name in PATIENT)
    with nothing_leaks(), Simulator(api_key=KEY) as sim:
        return suffer(sim, tmp_path_factory.mktemp("polls"), at_poll, stop=stop)


@pytest.fixture(scope="module")
def clip_stories(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Story], dict[str, bytes]]:
    """The stories of jobs whose clips meet each fault, and what lies on the disk afterwards."""
    folder = tmp_path_factory.mktemp("clips")
    # These show only where a transfer goes on.
    first = {"range ignored", "range shifted", "range false"}
    cut = Fault("GET /clips/{id}.mp4", cut_after_bytes=70_000)
    faults = {
        name: [*([cut] if name in first else []), replace(fault, match="GET /clips/{id}.mp4")]
        for name, fault in WRONG_CLIPS.items()
    }
    with nothing_leaks(), Simulator(api_key=KEY, separate_clip_host=True) as sim:
        stories = suffer(sim, folder, faults)
        assert not any(a.has_authorization for a in sim.requests if a.host == "clips")
    return stories, {path.name: path.read_bytes() for path in (folder / "videos").glob("*.mp4")}


# Polls.


@pytest.mark.parametrize("name", sorted(set(TRANSIENT) - set(PATIENT)))
def test_what_may_pass_is_told_and_survived(polls: dict[str, Story], name: str) -> None:
    story = polls[f"transient: {name}"]
    words = WORDS.get(name) or name.split()[0]
    assert story.end.ending is Ending.COMPLETED, story.error
    assert story.end.saved is not None
    assert story.end.problem is None, "what has passed is forgotten"
    told = story.problems()
    assert any(re.search(words, problem) for problem in told), told
    assert name == "not known yet" or any(f"({TIMES} checks in a row)" in p for p in told), told
    for at_s, state in story.states:
        if state.problem and not state.is_over:
            assert Card.of_watch(state).advice
            assert at_s - 1 < state.checks_at_s[1] < at_s + 62, "it says when it tries again"


@pytest.mark.parametrize("name", PATIENT)
def test_a_pause_without_end_is_kept_to_a_minute(polls: dict[str, Story], name: str) -> None:
    story = polls[f"transient: {name}"]
    at_s, state = next((at_s, s) for at_s, s in story.states if s.problem)
    assert "429" in str(state.problem)
    assert 50 < state.checks_at_s[1] - at_s < 62
    assert story.end.ending is Ending.STOPPED


@pytest.mark.parametrize("name", sorted(UNTRUE))
def test_what_is_partly_untrue_neither_ends_nor_troubles_a_watch(
    polls: dict[str, Story], name: str
) -> None:
    story = polls[f"untrue: {name}"]
    assert story.end.ending is Ending.COMPLETED, story.error
    assert story.problems() == []
    for at_s, state in story.states:
        card = Card.of_watch(state)
        # A server's clock, however wrong, does not make the elapsed time absurd.
        assert at_s - 7 * 86400 < (card.elapsed_from_s or 0) < at_s + 60
    if name == "unknown word":
        assert any("dreaming" in Card.of_watch(s).headline for _, s in story.states)


@pytest.mark.parametrize("name", sorted(FATAL))
def test_what_will_not_pass_ends_the_watch_with_a_reason(
    polls: dict[str, Story], name: str
) -> None:
    story = polls[f"fatal: {name}"]
    status = {"redirect to itself": "302", "redirect elsewhere": "307"}.get(name, name[:3])
    assert story.end.ending is Ending.BROKEN
    assert status in str(story.error)
    assert status in str(Card.of_watch(story.end).problem)


# Clips.


@pytest.mark.parametrize("name", sorted(WRONG_CLIPS))
def test_a_clip_comes_home_whole_whatever_its_link_brings(
    clip_stories: tuple[dict[str, Story], dict[str, bytes]], name: str
) -> None:
    stories, files = clip_stories
    story = stories[name]
    assert story.end.ending is Ending.COMPLETED
    assert story.end.saved is not None, story.end.problem
    assert files[f"{story.job_id}.mp4"] == Simulator().clip_bytes("video_demo")


def test_no_file_but_the_clips_is_left(
    clip_stories: tuple[dict[str, Story], dict[str, bytes]],
) -> None:
    stories, files = clip_stories
    assert set(files) == {f"{story.job_id}.mp4" for story in stories.values()}


# What no fault script can do: nobody there, no name, no trust, no proxy.


def watch_at(base_url: str, folder: Path, words: str) -> str:
    """Watch a job at an address until its card tells of a problem with these words."""
    told, found = [""], threading.Event()

    def observe(state: WatchState) -> None:
        if not found.is_set():
            told[0] = str(Card.of_watch(state).problem)
        if re.search(words, told[0]):
            found.set()

    with nothing_leaks():
        session = Session(settings_of(base_url, folder))
        try:
            watch = session.watch("video_demo")
            watch.subscribe(observe)
            assert found.wait(20), told
        finally:
            session.close()
    return told[0]


def test_a_server_that_is_away_and_comes_back_is_told_and_survived(tmp_path: Path) -> None:
    with nothing_leaks(), Simulator(api_key=KEY) as sim:
        sim.finish("video_demo")
        sim.stop()
        session = Session(settings_of(sim.base_url, tmp_path))
        refused = threading.Event()
        watch = session.watch("video_demo")

        def observe(state: WatchState) -> None:
            if "cannot be reached" in str(state.problem):
                refused.set()

        watch.subscribe(observe)
        try:
            assert refused.wait(10)
            sim.start()
            watch.wait(15)
        finally:
            session.close()
        assert watch.state.saved is not None


def test_a_name_that_nobody_knows_is_told(tmp_path: Path) -> None:
    told = watch_at("https://no-such-host.invalid/v1", tmp_path, "there is no such host")
    assert "no-such-host.invalid" in told


def test_a_name_that_no_resolver_takes_is_told(tmp_path: Path) -> None:
    watch_at("https://xn--/v1", tmp_path, "there is no such host|InvalidURL")


class _NoTls(socketserver.BaseRequestHandler):
    """What a web server says to whom it does not understand."""

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def test_a_server_without_tls_is_told(tmp_path: Path) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _NoTls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        port = server.server_address[1]
        watch_at(f"https://127.0.0.1:{port}/v1", tmp_path, "its TLS connection failed")
        server.shutdown()
        thread.join()


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody vouches for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
    certificate = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_certificate_nobody_vouches_for_is_explained_and_never_waved_through(
    tmp_path: Path,
) -> None:
    with Simulator(api_key=KEY, tls=self_signed(tmp_path)) as sim:
        watch_at(sim.base_url, tmp_path, "certificate cannot be trusted")
        assert not sim.requests, "nothing was asked, and so no key was sent"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ALL_PROXY": "ftp://127.0.0.1:1"}, "proxy in ALL_PROXY"),
        ({"HTTPS_PROXY": "http://me:pass-of-mine@127.0.0.1:1:2"}, "proxy in HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "fe80::/10"}, "host in NO_PROXY"),
        ({"HTTPS_PROXY": "http://me:pass-of-mine@127.0.0.1:1"}, "the proxy|cannot be reached"),
        ({"SSL_CERT_FILE": "/there/is/no/such/file"}, "value of SSL_CERT_FILE"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert "pass-of-mine" not in watch_at("https://api.invalid/v1", tmp_path, words)


def test_a_socks_proxy_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # as in most environments
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    watch_at("https://api.invalid/v1", tmp_path, "SOCKS proxy, but the library")


def test_an_answer_that_trickles_in_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cometvid_nb.api.client.ANSWER_WITHIN_S", 0.5)
    with Simulator(api_key=KEY) as sim:
        sim.add_fault(Fault("GET /videos/{id}", times=None, trickle_s=0.1))
        watch_at(sim.base_url, tmp_path, "did not answer in time")


@pytest.mark.skipif(os.name == "nt", reason="no /proc there")
def test_the_names_of_all_faults_are_judged() -> None:
    named = set(WORDS) | {name for name in TRANSIENT if name[:3].isdigit()}
    assert named == set(TRANSIENT)
