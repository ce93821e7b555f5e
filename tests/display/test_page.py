"""WidgetOutput: the widget where a page draws it, plain HTML where none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cometvid_nb.display.page import LOADED_WITHIN_S, NOTE
from tests.kernel import Message
from tests.stage import WIDGET, Stage, open_stage


@pytest.fixture(scope="module")
def one_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home: Path = tmp_path_factory.mktemp("home")
    with open_stage(home) as stage:
        yield stage


@pytest.fixture
def stage(one_stage: Stage) -> Stage:
    one_stage.reset()
    return one_stage


def is_plain(message: Message) -> bool:
    data = message["content"].get("data", {})
    is_display = message["msg_type"] in ("display_data", "update_display_data")
    return is_display and NOTE in data.get("text/html", "")


def is_widget_again(message: Message) -> bool:
    data = message["content"].get("data", {})
    return message["msg_type"] == "update_display_data" and WIDGET in data


def watch(stage: Stage) -> tuple[str, str]:
    """A job that is being watched, and the id of the widget that shows it."""
    job_id = stage.add_job()
    stage.run(f"job = %cometvid watch {job_id} --interval 0.2")
    return job_id, stage.run("print(job.widget.model_id)").text.strip()


def test_a_page_that_never_answers_gets_plain_html_and_a_late_answer_the_widget_again(
    stage: Stage,
) -> None:
    job_id, model_id = watch(stage)
    assert WIDGET not in stage.kernel.wait_for(is_plain)["content"]["data"]

    stage.kernel.messages.clear()
    stage.simulator.set_progress(job_id, 40)
    found = stage.kernel.wait_for(is_plain)["content"]["data"]
    assert "40%" in found["text/html"]

    _, next_model_id = watch(stage)
    assert is_plain(stage.kernel.wait_for(lambda m: m["msg_type"] == "display_data"))
    for late in (model_id, next_model_id):
        stage.kernel.messages.clear()
        stage.kernel.send_to_widget(late, {"kind": "loaded"})
        stage.kernel.wait_for(is_widget_again)

    stage.kernel.messages.clear()
    stage.simulator.finish(job_id)
    assert "<video" in stage.wait_for_record(job_id)["text/html"]
    assert not any(map(is_plain, stage.kernel.messages))


def test_a_page_that_has_answered_keeps_its_widget(stage: Stage) -> None:
    _, model_id = watch(stage)
    stage.kernel.send_to_widget(model_id, {"kind": "loaded"})
    # Longer than it takes to find that nobody answers.
    again = stage.run(
        "from cometvid_nb.notebook import when_idle\n"
        f"when_idle({LOADED_WITHIN_S + 0.5}, lambda: print('free for long'))"
    )
    assert again.error is None
    stage.kernel.wait_for(lambda m: m["content"].get("text") == "free for long\n")
    assert not any(map(is_plain, stage.kernel.messages))


@pytest.mark.parametrize("cell", ["import time; time.sleep(5)", "await asyncio.sleep(5)"])
def test_a_busy_kernel_cannot_hear_and_so_waits(stage: Stage, cell: str) -> None:
    stage.run("import asyncio")
    watch(stage)
    stage.kernel.messages.clear()
    stage.run(cell)
    assert not any(map(is_plain, stage.kernel.messages))
    stage.kernel.wait_for(is_plain)


def test_nothing_is_plain_where_the_output_is_kept_by_nobody(stage: Stage) -> None:
    voila = "import os; os.environ['SERVER_SOFTWARE'] = 'voila/0.5.13'"
    stage.run(voila)
    watch(stage)
    stage.run(
        "from cometvid_nb.notebook import when_idle\n"
        f"when_idle({LOADED_WITHIN_S + 0.5}, lambda: print('free for long'))"
    )
    stage.kernel.wait_for(lambda m: m["content"].get("text") == "free for long\n")
    stage.run("del os.environ['SERVER_SOFTWARE']")
    assert not any(map(is_plain, stage.kernel.messages))
