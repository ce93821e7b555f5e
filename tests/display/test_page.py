"""WidgetOutput: the widget where a page draws it, plain HTML where none does."""

from __future__ import annotations

from typing import Any

import pytest

from cometvid_nb.display.page import LOADED_WITHIN_S, NOTE
from tests.bench import WIDGET, Bench
from tests.kernel import Message


def is_plain(message: Message) -> bool:
    data = message["content"].get("data", {})
    is_display = message["msg_type"] in ("display_data", "update_display_data")
    return is_display and NOTE in data.get("text/html", "")


def is_widget_again(message: Message) -> bool:
    data = message["content"].get("data", {})
    return message["msg_type"] == "update_display_data" and WIDGET in data


def seen_by_others(messages: list[Message]) -> list[dict[str, Any]]:
    """The outputs of a cell as the other people's JupyterLab has them in a shared notebook.

    A new version comes last there, and what stands in the old one's place goes; see display/beside.
    """
    order: list[str] = []
    outputs: list[dict[str, Any]] = []
    for message in messages:
        content = message["content"]
        if message["msg_type"] in ("display_data", "update_display_data"):
            outputs.append(content["data"])
            display_id = content["transient"]["display_id"]
            if message["msg_type"] == "display_data":
                order.append(display_id)
            else:
                del outputs[order.index(display_id)]
    return outputs


def watch(bench: Bench) -> tuple[str, str]:
    """A job that is being watched, and the id of the widget that shows it."""
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    return job_id, bench.run("print(job.widget.model_id)").text.strip()


def test_a_page_that_never_answers_gets_plain_html_and_a_late_answer_the_widget_again(
    bench: Bench,
) -> None:
    job_id, model_id = watch(bench)
    assert WIDGET not in bench.kernel.wait_for(is_plain)["content"]["data"]

    bench.kernel.messages.clear()
    bench.simulator.set_progress(job_id, 40)
    found = bench.kernel.wait_for(is_plain)["content"]["data"]
    assert "40%" in found["text/html"]

    _, next_model_id = watch(bench)
    assert is_plain(bench.kernel.wait_for(lambda m: m["msg_type"] == "display_data"))
    for late in (model_id, next_model_id):
        bench.kernel.messages.clear()
        bench.kernel.send_to_widget(late, {"kind": "loaded"})
        bench.kernel.wait_for(is_widget_again)

    bench.kernel.messages.clear()
    bench.simulator.finish(job_id)
    assert "<video" in bench.wait_for_record(job_id)["text/html"]
    assert not any(map(is_plain, bench.kernel.messages))


def test_a_page_that_has_answered_keeps_its_widget(bench: Bench) -> None:
    _, model_id = watch(bench)
    bench.kernel.send_to_widget(model_id, {"kind": "loaded"})
    # Longer than it takes to find that nobody answers.
    again = bench.run(
        "from cometvid_nb.notebook import spawn, until_idle\n"
        "async def tell():\n"
        f"    await until_idle({LOADED_WITHIN_S + 0.5})\n"
        "    print('free for long')\n"
        "spawn(tell())"
    )
    assert again.error is None
    bench.kernel.wait_for(lambda m: m["content"].get("text") == "free for long\n")
    assert not any(map(is_plain, bench.kernel.messages))


AS_JUPYTERLAB = "get_ipython().get_parent()['metadata']['deletedCells'] = []\n"


def test_in_a_shared_notebook_everybody_keeps_the_cards_and_the_file_has_their_end(
    bench: Bench,
) -> None:
    ids = [bench.add_job() for _ in range(3)]
    bench.kernel.messages.clear()
    bench.run(f"{AS_JUPYTERLAB}%cometvid watch {' '.join(ids)} --interval 0.2")
    shown = [m for m in bench.kernel.messages if m["msg_type"] == "display_data"]
    models = [m["content"]["data"][WIDGET]["model_id"] for m in shown[:3]]
    for model_id in models:
        bench.kernel.send_to_widget(model_id, {"kind": "loaded", "is_shared": True})
    bench.run("'heard'")
    for job_id in ids:
        bench.simulator.set_progress(job_id, 40)
        bench.wait_for_card(job_id, progress_percent=40.0)
        bench.simulator.finish(job_id)
        assert f"videos/{job_id}.mp4" in bench.wait_for_record(job_id)["text/html"]
    others = seen_by_others(bench.kernel.messages)
    assert [data[WIDGET]["model_id"] for data in others[:3]] == models
    last = {
        content["transient"]["display_id"]: content["data"]
        for message in bench.kernel.messages
        if "transient" in (content := message["content"])
    }
    kept = [last[message["content"]["transient"]["display_id"]] for message in shown]
    assert [WIDGET in data for data in kept] == [True] * 3 + [False] * 3
    for job_id, data in zip(ids, kept[3:], strict=True):
        assert data["text/plain"].startswith(job_id)
        assert "Completed" in data["text/plain"]


@pytest.mark.parametrize("cell", ["import time; time.sleep(5)", "await asyncio.sleep(5)"])
def test_a_busy_kernel_cannot_hear_and_so_waits(bench: Bench, cell: str) -> None:
    bench.run("import asyncio")
    watch(bench)
    bench.kernel.messages.clear()
    bench.run(cell)
    assert not any(map(is_plain, bench.kernel.messages))
    bench.kernel.wait_for(is_plain)


def test_nothing_is_plain_where_the_output_is_kept_by_nobody(bench: Bench) -> None:
    voila = "import os; os.environ['SERVER_SOFTWARE'] = 'voila/0.5.13'"
    bench.run(voila)
    watch(bench)
    bench.run(
        "from cometvid_nb.notebook import spawn, until_idle\n"
        "async def tell():\n"
        f"    await until_idle({LOADED_WITHIN_S + 0.5})\n"
        "    print('free for long')\n"
        "spawn(tell())"
    )
    bench.kernel.wait_for(lambda m: m["content"].get("text") == "free for long\n")
    bench.run("del os.environ['SERVER_SOFTWARE']")
    assert not any(map(is_plain, bench.kernel.messages))
