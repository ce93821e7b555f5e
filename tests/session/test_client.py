"""The public client asks as everything else in its kernel does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cometvid_nb
from cometvid_nb.session.session import current, end
from cometvid_nb.settings import Settings
from cometvid_nb.simulator import Simulator
from tests.simulated import KEY, environ_of


@pytest.fixture(autouse=True)
def _fresh_session() -> Iterator[None]:
    end()
    yield
    end()


async def test_settings_come_from_the_environment(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ_of(sim).items():
        monkeypatch.setenv(name, value)
    async with cometvid_nb.Client() as client:
        assert (await client.retrieve("video_demo")).id == "video_demo"


async def test_what_this_kernel_was_told_wins_over_the_environment(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMETAPI_BASE_URL", "https://elsewhere.invalid/v1")
    current().configure(base_url=sim.base_url, api_key=KEY)
    async with cometvid_nb.Client() as client:
        assert (await client.retrieve("video_demo")).id == "video_demo"


def test_settings_that_are_given_win(sim: Simulator) -> None:
    current().configure(base_url="https://elsewhere.invalid/v1")
    settings = Settings(base_url=sim.base_url)
    assert cometvid_nb.Client(settings).settings is settings
