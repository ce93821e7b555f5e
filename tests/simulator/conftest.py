"""What every test of the simulator can ask for: its clock, and a client that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from cometvid_nb.simulator import Simulator
from tests.simulator.asking import Clock, client_of


@pytest.fixture
def clock() -> Clock:
    """What the clock of `sim` shows."""
    return Clock()


@pytest.fixture
def http(sim: Simulator) -> Iterator[httpx.Client]:
    with closing(client_of(sim)) as client:
        yield client
