"""Connections to the API: kept for a minute, and lent for one request each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .transport import AsyncHttp
from .turns import MOST_AT_ONCE

MOST_CONNECTIONS = MOST_AT_ONCE + 4  # for what is created meanwhile
KEPT_S = 60.0
"""Longer than the pauses of the schedule: a new connection costs the server more than a poll. Where
the server has hung up meanwhile, httpx notices before it sends."""


class Connections:
    """Lends clients of one connection each, the last used first, so that few are kept warm.

    One client with many connections looks at every idle one of them, twice for each request:
    with thirty a poll costs half as much again (benchmarks/scale.py, --latency). Used on one loop.
    `clock` counts the seconds that a machine sleeps, too: by then the server has dropped the
    connection, and no packet has told this machine.
    """

    def __init__(
        self, open_one: Callable[[], AsyncHttp], clock: Callable[[], float] = time.time
    ) -> None:
        self._open_one = open_one
        self._clock = clock
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)
        self._idle: list[tuple[float, AsyncHttp]] = []
        """When each was given back, the latest at the end."""
        self._lent: set[AsyncHttp] = set()

    @asynccontextmanager
    async def lend(self, *, is_fresh: bool = False) -> AsyncIterator[AsyncHttp]:
        """One of them, for one request.

        `is_fresh`: one that nobody can have hung up on meanwhile, and that is not kept. Raises
        what `open_one` raises.
        """
        async with self._places:  # here no timeout runs
            await self._drop_old()
            http = self._idle.pop()[1] if self._idle and not is_fresh else self._open_one()
            self._lent.add(http)
            try:
                yield http
            finally:
                if is_fresh:
                    await http.aclose()
                elif http in self._lent:  # else all were closed meanwhile
                    self._idle.append((self._clock(), http))
                self._lent.discard(http)

    async def _drop_old(self) -> None:
        while self._idle and not 0 <= self._clock() - self._idle[0][0] <= KEPT_S:
            await self._idle.pop(0)[1].aclose()

    async def aclose(self) -> None:
        """Close them all. The next request opens new ones."""
        idle = [http for _, http in self._idle]
        every, self._idle, self._lent = [*idle, *self._lent], [], set()
        for http in every:
            await http.aclose()


class HostPlaces:
    """Places for what comes at once: a few of one host, and more of all hosts together.

    So a host that is slow holds up what comes from itself, and hardly anything else.
    """

    def __init__(self, most_of_one: int, most_of_all: int) -> None:
        self._most_of_one = most_of_one
        self._all = asyncio.Semaphore(most_of_all)
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}
        """By host: its places, and how many hold or await one."""

    @asynccontextmanager
    async def take(self, host: str) -> AsyncIterator[None]:
        """A place for something of `host`; waits until there is one."""
        places, users = self._hosts.get(host) or (asyncio.Semaphore(self._most_of_one), 0)
        self._hosts[host] = (places, users + 1)
        try:
            async with places, self._all:
                yield
        finally:
            places, users = self._hosts[host]
            if users > 1:
                self._hosts[host] = (places, users - 1)
            else:
                del self._hosts[host]
