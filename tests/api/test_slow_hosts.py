"""Hosts of clips that are slow on purpose: one deadline for headers, and only their own places."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from cometvid_nb.api import client as clients
from cometvid_nb.api.client import MOST_CLIPS_AT_ONCE, MOST_CLIPS_OF_ALL_HOSTS, Client
from cometvid_nb.api.connections import HostPlaces
from cometvid_nb.errors import ConnectionTrouble
from cometvid_nb.job.job import Job
from cometvid_nb.simulator import Scenario, Simulator
from tests.api.test_client import have_ended, workers

JOB = "video_1"


@contextmanager
def host(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The link to a server that treats each connection as told."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        listening.settimeout(0.1)

        def serve_one(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(20)
                try:
                    connection.recv(4096)
                    while not ended.is_set():
                        answer(connection)
                except OSError:
                    return

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://localhost:{listening.getsockname()[1]}/clip.mp4"
        ended.set()
        thread.join(5)


def trickle(connection: socket.socket) -> None:
    connection.sendall(b"H")
    time.sleep(0.02)


def hint_rarely(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    time.sleep(0.02)


def flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)


def redirect(connection: socket.socket) -> None:
    time.sleep(0.15)
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /again.mp4\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
async def job(sim: Simulator, client: Client) -> Job:
    sim.add(Scenario(JOB))
    sim.finish(JOB)
    return (await client.poll(JOB)).job


async def read(client: Client, job: Job) -> bytes:
    async with client.open_clip(job) as stream:
        return b"".join([block async for block in stream])


@pytest.mark.parametrize("answer", [trickle, hint_rarely, redirect])
async def test_all_headers_together_have_one_deadline(
    client: Client, job: Job, monkeypatch: pytest.MonkeyPatch, answer: Callable[..., None]
) -> None:
    monkeypatch.setattr(clients, "HEADER_WITHIN_S", 0.4)
    with host(answer) as link:
        began_s = time.monotonic()
        with pytest.raises(ConnectionTrouble, match="did not answer in time"):
            await read(client, replace(job, video_url=link))
        assert time.monotonic() - began_s < 3
        assert have_ended(workers()), "its thread goes on with a connection that is given up"


async def test_a_flood_of_hints_ends_by_its_size(client: Client, job: Job) -> None:
    with host(flood) as link:
        began_s = time.monotonic()
        with pytest.raises(ConnectionTrouble):
            await read(client, replace(job, video_url=link))
        assert time.monotonic() - began_s < 10, "a minute of it would be a minute of a core"


async def test_a_slow_host_does_not_hold_up_the_clip_of_another(
    sim: Simulator, client: Client, job: Job
) -> None:
    with host(trickle) as link:
        slow = replace(job, video_url=link)
        waiting = [asyncio.ensure_future(read(client, slow)) for _ in range(MOST_CLIPS_AT_ONCE + 8)]
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            assert await read(client, job) == sim.clip_bytes(JOB)
        assert not any(one.done() for one in waiting)
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)


async def test_many_hosts_share_what_a_process_may_open() -> None:
    places = HostPlaces(2, 3)
    held, most = 0, 0

    async def hold(name: str) -> None:
        nonlocal held, most
        async with places.take(name):
            held += 1
            most = max(most, held)
            await asyncio.sleep(0)
            held -= 1

    await asyncio.gather(*(hold(name) for name in "aaaabbbbcccc"))
    assert most == 3
    assert places._hosts == {}, "no host is remembered for ever"
    assert MOST_CLIPS_OF_ALL_HOSTS > MOST_CLIPS_AT_ONCE
