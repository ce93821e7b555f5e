"""The peer that a test meets, and a session that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cometvid_nb.settings import Settings

from .peer import ENVIRONMENT, PEERS, Peer


@pytest.fixture(scope="session", params=PEERS)
def peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """Each peer in turn, started once for all tests."""
    if not ENVIRONMENT.is_dir():
        pytest.fail(f"There is no environment for the peers at {ENVIRONMENT}: run `make peers`.")
    start = PEERS[request.param]
    with start(tmp_path_factory.mktemp("peer")) as peer:
        yield peer


@pytest.fixture
def settings(peer: Peer, tmp_path: Path) -> Settings:
    """Settings that lead to the peer, with quick polls and a ledger of the test's own."""
    return peer.settings(ledger=str(tmp_path / "ledger.sqlite3"), interval_s=0.2)
