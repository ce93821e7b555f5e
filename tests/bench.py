"""The bench: a kernel with `%cometvid` loaded, in front of a simulator the test can steer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from cometvid_nb.display import page
from cometvid_nb.simulator import Scenario, Simulator
from tests.kernel import Kernel, Message, Result
from tests.simulated import KEY, environ_of

LOAD = "%load_ext cometvid_nb"
WIDGET = "application/vnd.jupyter.widget-view+json"

Card = dict[str, Any]


@dataclass
class Bench:
    """A kernel with `%cometvid` loaded and its simulator, and the verbs the tests share."""

    kernel: Kernel
    simulator: Simulator
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def reset(self) -> None:
        """As after `%load_ext` in a fresh kernel: no watch, no variable, no message, no fault."""
        self.simulator.clear_faults()
        forget = "get_ipython().config.pop('Cometvid', None);"  # what %config has left
        # %reset has the garbage collected, which with all of IPython in sight takes long.
        quicken = "import gc; gc.freeze(); del gc"
        result = self.kernel.run(f"%unload_ext cometvid_nb\n%reset -f\n{forget}\n{quicken}\n{LOAD}")
        assert result.error is None, result.error
        self.kernel.messages.clear()

    def add_job(self, **script: Any) -> str:
        """A job nobody has asked after yet; it runs until the test ends it."""
        endless: dict[str, Any] = {"queue_s": 0, "run_s": 1, "steps": (0,), "ending": "never"}
        job_id = f"video_{next(self._numbers)}_of_ours"
        return self.simulator.add(Scenario(job_id, **(endless | script)))

    def run(self, code: str, **options: Any) -> Result:
        """Run a cell to its end."""
        return self.kernel.run(code, **options)

    def cards(self, job_id: str) -> list[Card]:
        """The cards of a job that were sent to the page so far, in order."""
        cards = (card_of(message) for message in self.kernel.messages)
        return [card for card in cards if card is not None and card["job_id"] == job_id]

    def wait_for_card(self, job_id: str, **expected: Any) -> Card:
        """The first card of a job that says all this."""

        def is_it(message: Message) -> bool:
            card = card_of(message)
            return (
                card is not None
                and card["job_id"] == job_id
                and all(card[name] == value for name, value in expected.items())
            )

        card = card_of(self.kernel.wait_for(is_it))
        assert card is not None
        return card

    def wait_for_record(self, job_id: str) -> dict[str, str]:
        """The bundle that replaced the widget's output."""
        message = self.kernel.wait_for(
            lambda m: (
                m["msg_type"] == "update_display_data"
                and m["content"]["data"]["text/plain"].startswith(job_id)
                # Not what a page without widgets gets meanwhile, as nobody answers for a page here.
                and page.NOTE not in m["content"]["data"]["text/html"]
            )
        )
        bundle: dict[str, str] = message["content"]["data"]
        return bundle

    def completions(self, code: str) -> list[str]:
        """What the Tab key offers at the end of `code`."""
        matches: list[str] = self.kernel.client.complete(code, reply=True)["content"]["matches"]
        return matches

    def assert_no_key(self) -> None:
        """No message that ever crossed to the page holds the key."""
        assert KEY not in json.dumps(self.kernel.messages, default=repr)


def card_of(message: Message) -> Card | None:
    """The card a message brings to the page, or None."""
    if message["msg_type"] not in ("comm_open", "comm_msg"):
        return None
    card = message["content"]["data"].get("state", {}).get("card")
    return card if isinstance(card, dict) and card else None


@contextmanager
def open_bench(home: Path, **environ: str) -> Iterator[Bench]:
    """Start both; the kernel knows the simulator through the environment."""
    with Simulator(api_key=KEY, speed=20) as simulator:
        kernel = Kernel(home)
        try:
            kernel.start(**(environ_of(simulator) | environ))
            kernel.run(LOAD)
            yield Bench(kernel, simulator)
        finally:
            kernel.stop()
