"""What the tests ask in place of the API: one key, a simulator, and where a client finds it."""

from __future__ import annotations

import threading
from typing import Any

from cometvid_nb.settings import Secret, Settings
from cometvid_nb.simulator import Simulator

KEY = "sk-simulated-0123456789-wxyz"
"""The key of every test. It is invented; the last four characters are those that may be shown."""


class Forgetful(Simulator):
    """A simulator that knows no idempotency: only the client keeps a job from being made twice.

    `made` holds the jobs that were accepted, each with the idempotency key that came along.
    """

    def __init__(self, **options: Any) -> None:
        self.made: list[tuple[str | None, str]] = []
        self._news = threading.Condition()
        super().__init__(**options)

    def create(self, form: Any, idempotency_key: str | None) -> dict[str, Any]:
        answer = super().create(form, None)
        with self._news:
            self.made.append((idempotency_key, str(answer["id"])))
            self._news.notify_all()
        return answer

    def wait_for_jobs(self, count: int) -> bool:
        """Wait until so many were accepted: the late ones are after their client has gone."""
        with self._news:
            return self._news.wait_for(lambda: len(self.made) >= count, 10.0)


def settings_of(simulator: Simulator, **changes: Any) -> Settings:
    """The settings that lead a client to the simulator."""
    values: dict[str, Any] = {"api_key": Secret(KEY), "base_url": simulator.base_url}
    return Settings(**values | changes)


def environ_of(simulator: Simulator) -> dict[str, str]:
    """The environment that leads another process to the simulator."""
    return {"COMETAPI_KEY": KEY, "COMETAPI_BASE_URL": simulator.base_url}
