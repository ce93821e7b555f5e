"""Connections: the roads to the API that questions take, kept and used again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .pace import MOST_AT_ONCE
from .transport import AsyncHttp

MOST_CONNECTIONS = MOST_AT_ONCE + 4  # for what is created meanwhile


class Connections:
    """Lends clients of one connection each, the last used first, so that few are kept warm.

    One client with many connections looks at every idle one of them, twice for each request:
    with thirty that costs as much again as the request (benchmarks/scale.py, --latency). Used on
    one loop.
    """

    def __init__(self, open_one: Callable[[], AsyncHttp]) -> None:
        self._open_one = open_one
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)
        self._idle: list[AsyncHttp] = []
        self._lent: set[AsyncHttp] = set()

    @asynccontextmanager
    async def lend(self, *, is_fresh: bool = False) -> AsyncIterator[AsyncHttp]:
        """One of them, for one request.

        `is_fresh`: one that nobody can have hung up on meanwhile, and that is not kept. Raises
        what `open_one` raises.
        """
        async with self._room:  # here no timeout runs
            http = self._idle.pop() if self._idle and not is_fresh else self._open_one()
            self._lent.add(http)
            try:
                yield http
            finally:
                if is_fresh:
                    await http.aclose()
                elif http in self._lent:  # else all were closed meanwhile
                    self._idle.append(http)
                self._lent.discard(http)

    async def aclose(self) -> None:
        """Close them all. The next request opens new ones."""
        every, self._idle, self._lent = [*self._idle, *self._lent], [], set()
        for http in every:
            await http.aclose()
