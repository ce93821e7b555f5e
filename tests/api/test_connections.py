"""Connections to the API: kept and used again, bounded, and a new one for what is sent once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from cometvid_nb.api.client import Client
from cometvid_nb.api.connections import KEPT_S, MOST_CONNECTIONS, Connections
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import ConnectionTrouble
from cometvid_nb.settings import Secret, Settings
from tests.simulated import KEY


class Counting:
    """An API that knows one job, and counts the connections and what came over each."""

    def __init__(self) -> None:
        self.requests: list[int] = []
        """One entry a connection: how many requests it has brought."""
        self.open = self.most_open = 0
        self.latency_s = 0.0
        self.hangs_up_after: int | None = None
        """So many requests of a connection are answered, the next is met by a closed door."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.requests)
        self.requests.append(0)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while head := await _head(reader):
                length = next((int(v) for k, v in head if k == "content-length"), 0)
                await reader.readexactly(length)
                if self.requests[number] == self.hangs_up_after:
                    break
                self.requests[number] += 1
                await asyncio.sleep(self.latency_s)
                body = json.dumps({"id": "video_1", "status": "queued"}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


async def _head(reader: asyncio.StreamReader) -> list[tuple[str, str]]:
    """The headers of the next request, names in lower case; none: there is no next one."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[1:-1]
    pairs = (line.partition(":") for line in lines)
    return [(name.lower(), value.strip()) for name, _, value in pairs]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - a server of few lines has no event for each number
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Counting, Client]]:
    api = Counting()
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Client(Settings(Secret(KEY), f"http://127.0.0.1:{port}/v1")) as client:
        yield api, client
    server.close()
    await until(lambda: not api.open)  # what the client has closed ends at the server, too


@pytest.fixture
def new() -> NewJob:
    return NewJob.check("A comet", model="sora-2")


async def test_questions_one_after_the_other_share_a_connection() -> None:
    async with serving() as (api, client):
        for _ in range(5):
            await client.poll("video_1")
        assert api.requests == [5]


async def test_questions_at_once_get_one_each_and_the_warm_ones_go_first() -> None:
    async with serving() as (api, client):
        api.latency_s = 0.2
        await asyncio.gather(*(client.poll("video_1") for _ in range(3)))
        assert api.requests == [1, 1, 1]
        api.latency_s = 0.0
        for _ in range(4):
            await client.poll("video_1")
        assert sorted(api.requests) == [1, 1, 5]


async def test_however_many_ask_there_is_a_bound_and_each_gets_its_answer() -> None:
    async with serving() as (api, client):
        api.latency_s = 0.1
        count = 3 * MOST_CONNECTIONS
        told = await asyncio.gather(*(client.poll("video_1") for _ in range(count)))
        assert len(told) == sum(api.requests) == count
        assert api.most_open == len(api.requests) == MOST_CONNECTIONS


async def test_a_new_job_is_sent_over_a_new_connection_which_is_not_kept(new: NewJob) -> None:
    async with serving() as (api, client):
        await client.poll("video_1")
        await client.create(new)
        await client.poll("video_1")
        assert api.requests == [2, 1]
        await until(lambda: api.open == 1)


async def test_a_server_that_hangs_up_on_what_is_kept_costs_a_poll_and_no_job(new: NewJob) -> None:
    async with serving() as (api, client):
        api.hangs_up_after = 1
        await client.poll("video_1")
        assert (await client.create(new)).id == "video_1"  # not "the answer was lost"
        with pytest.raises(ConnectionTrouble):
            await client.poll("video_1")
        assert (await client.poll("video_1")).job.id == "video_1"


@pytest.mark.parametrize("later_s", [0.0, 59.0, 61.0, 8 * 3600.0, -3600.0])
async def test_what_has_rested_for_too_long_is_not_used_again(later_s: float) -> None:
    now_s = 1_800_000_000.0
    async with serving() as (api, client):
        client._connections = Connections(client._connections._open_one, lambda: now_s)
        api.latency_s = 0.2
        await asyncio.gather(*(client.poll("video_1") for _ in range(2)))
        now_s += later_s  # a night with the lid closed; or a clock that was put back
        await client.poll("video_1")
        is_kept = 0 <= later_s <= KEPT_S
        assert sorted(api.requests) == ([1, 2] if is_kept else [1, 1, 1])
        await until(lambda: api.open == (2 if is_kept else 1))


async def test_a_question_that_is_given_up_leaves_its_connection_usable_or_closed() -> None:
    async with serving() as (api, client):
        api.latency_s = 5.0
        asked = asyncio.create_task(client.poll("video_1"))
        await until(lambda: api.requests == [1])
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        api.latency_s = 0.0
        assert (await client.poll("video_1")).job.id == "video_1"
        assert api.requests == [1, 1]  # the answer to the first must not be taken for the second's


async def test_a_client_that_is_closed_meanwhile_keeps_nothing_open() -> None:
    async with serving() as (api, client):
        api.latency_s = 0.3
        asked = [asyncio.create_task(client.poll("video_1")) for _ in range(3)]
        await until(lambda: sum(api.requests) == 3)
        await client.aclose()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(answer, ConnectionTrouble) for answer in answers)
        assert (await client.poll("video_1")).job.id == "video_1"
