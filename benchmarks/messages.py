"""Counts the messages that a watch sends to the browser: none while nothing changes.

    python -m benchmarks.messages

A real kernel watches a job on the simulator for 100 polls that show no change, then through
visible changes of progress to its end. Every IOPub message of a widget or an output counts.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from cometvid_nb.simulator import Scenario, Simulator
from tests.kernel import Kernel, Message

JOB = "video_still"
POLLS = 100
WIDGET = "application/vnd.jupyter.widget-view+json"
CHANGES = (20, 40, 60, 80)
SET_UP = """
import os
os.environ["COMETAPI_BASE_URL"], os.environ["COMETAPI_KEY"] = {base_url!r}, {api_key!r}
%load_ext cometvid_nb
"""


def to_page(messages: list[Message]) -> list[Message]:
    """Return the messages that a page would get from a watch."""
    kinds = ("comm_open", "comm_msg", "display_data", "update_display_data")
    return [message for message in messages if message["msg_type"] in kinds]


def shows(kernel: Kernel, text: str) -> None:
    """Wait for a message that holds `text`."""
    kernel.wait_for(lambda message: text in repr(message["content"]))


def say_loaded(kernel: Kernel, messages: list[Message]) -> None:
    """Answer as a page that has loaded the widget; otherwise plain HTML would replace it."""
    [view] = [m["content"]["data"] for m in messages if m["msg_type"] == "display_data"]
    kernel.send_to_widget(view[WIDGET]["model_id"], {"kind": "loaded"})


def main() -> None:
    """Measure and print."""
    scenario = Scenario(JOB, queue_s=0, ending="never", steps=(10,))
    with tempfile.TemporaryDirectory() as folder, Simulator(scenarios=[scenario]) as simulator:
        kernel = Kernel(Path(folder))
        kernel.start()
        try:
            kernel.run(SET_UP.format(base_url=simulator.base_url, api_key=simulator.api_key))
            shown = kernel.run(f"%cometvid watch {JOB} --interval 0.2")
            say_loaded(kernel, shown.messages)
            shows(kernel, "'progress_percent': 10.0")
            before = len(to_page(kernel.messages))
            polls = "GET /videos/{id}"
            already = simulator.count(polls)
            if not simulator.wait_for_requests(polls, already + POLLS, within_s=120):
                raise TimeoutError("the polls did not come")
            kernel.run("pass")
            still = len(to_page(kernel.messages)) - before
            for percent in CHANGES:
                simulator.set_progress(JOB, percent)
                shows(kernel, f"'progress_percent': {percent:.1f}")
            simulator.finish(JOB)
            kernel.wait_for(lambda message: message["msg_type"] == "update_display_data")
            kernel.run("pass")
            moving = len(to_page(kernel.messages)) - before - still
        finally:
            kernel.stop()
    changes = len(CHANGES) + 1
    print(f"{POLLS} polls without a change: {still} messages (target: 0)")
    print(f"{changes} visible changes: {moving} messages, {moving / changes:.1f} each (target: 3)")


if __name__ == "__main__":
    main()
