"""`%cometvid watch` in a real kernel: what is sent to the page, what is kept, what a Watch does."""

from __future__ import annotations

import time
from itertools import pairwise
from urllib.parse import quote

import pytest

from cometvid_nb.job.ids import quoted_id
from cometvid_nb.simulator import Fault, Scenario
from tests.bench import LOAD, WIDGET, Bench, card_of
from tests.kernel import Kernel, Message, Result

BUSY = "from pathlib import Path; import time\nwhile not Path('go').exists(): time.sleep(0.02)"


def widgets_shown(result: Result) -> int:
    return sum(WIDGET in output.get("data", {}) for output in result.outputs)


def custom_kind(message: Message) -> object:
    """The kind of a custom message from a widget, None for any other message."""
    content = message["content"].get("data", {}).get("content", {})
    return content.get("kind") if message["msg_type"] == "comm_msg" else None


# In the background


def test_a_watch_moves_and_settles_while_a_later_cell_keeps_the_kernel_busy(bench: Bench) -> None:
    job_id = bench.add_job(prompt="A comet")
    go = bench.kernel.cwd / "go"
    watched = bench.run(f"%cometvid watch {job_id} --interval 0.2")
    busy = bench.kernel.begin(BUSY)
    bench.simulator.set_progress(job_id, 40)
    bench.wait_for_card(job_id, phase="running", progress_percent=40.0)
    bench.simulator.finish(job_id)
    record = bench.wait_for_record(job_id)
    go.touch()
    assert bench.kernel.wait_idle(busy).outputs == []
    go.unlink()
    assert widgets_shown(watched) == 1
    assert WIDGET not in record
    assert f'src="videos/{job_id}.mp4"' in record["text/html"]
    assert "<source" not in record["text/html"]
    assert record["text/plain"].endswith(f"videos/{job_id}.mp4")
    assert (bench.kernel.cwd / f"videos/{job_id}.mp4").read_bytes() == (
        bench.simulator.clip_bytes(job_id)
    )


def test_the_record_replaces_the_very_output_that_held_the_widget(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"%cometvid watch {job_id} --interval 0.2")
    bench.simulator.finish(job_id)
    bench.wait_for_record(job_id)
    kinds = ("display_data", "update_display_data")
    shown = [m["content"] for m in bench.kernel.messages if m["msg_type"] in kinds]
    assert [WIDGET in content["data"] for content in shown] == [True, False]
    assert shown[0]["transient"]["display_id"] == shown[1]["transient"]["display_id"]


def test_several_ids_give_several_cards_and_the_value_holds_them_all(bench: Bench) -> None:
    ids = [bench.add_job(), bench.add_job(), bench.add_job()]
    result = bench.run(f"jobs = %cometvid watch {' '.join(ids)}\njobs")
    assert widgets_shown(result) == 3
    assert len(result.outputs) == 3
    assert bench.run("[watch.job_id for watch in jobs]").text == f"{ids}\n"
    bench.run("jobs.stop()")
    assert all(bench.wait_for_card(job_id, phase="stopped") for job_id in ids)


def planned_polls(bench: Bench, job_id: str) -> list[float]:
    """The whole plan of a running job; one made before the card was drawn names the next few."""

    def is_whole(message: Message) -> bool:
        card = card_of(message) or {}
        return card.get("job_id") == job_id and len(card["checks_at_s"]) > 100

    card = card_of(bench.kernel.wait_for(is_whole)) or {}
    plan: list[float] = card["checks_at_s"]
    return plan


def test_an_unchanged_job_sends_nothing_and_a_change_sends_three_messages_at_most(
    bench: Bench,
) -> None:
    job_id = bench.add_job(steps=(10,))
    poll = f"GET /videos/{job_id}"
    bench.run(f"%cometvid watch {job_id} --interval 0.2")
    bench.wait_for_card(job_id, progress_percent=10.0)
    planned_polls(bench, job_id)
    bench.run("1")
    before = len(bench.kernel.messages)
    asked = bench.simulator.count(poll)
    assert bench.simulator.wait_for_requests(poll, asked + 20)
    bench.run("2")
    changes = [m["content"] for m in bench.kernel.messages[before:] if "comm" in m["msg_type"]]
    assert changes == []
    for percent in (20, 30, 40):
        bench.simulator.set_progress(job_id, percent)
        bench.wait_for_card(job_id, progress_percent=float(percent))
    bench.simulator.finish(job_id)
    bench.wait_for_record(job_id)
    bench.run("3")
    sent = [m for m in bench.kernel.messages[before:] if m["msg_type"].startswith("comm")]
    assert 4 <= len(sent) <= 4 * 3


def test_the_interval_is_what_lies_between_the_polls(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"%cometvid watch {job_id} --interval 0.5")
    pauses = [later - earlier for earlier, later in pairwise(planned_polls(bench, job_id))]
    assert all(pause == pytest.approx(0.5) for pause in pauses)


def test_no_save_keeps_the_link_and_writes_no_file(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"%cometvid watch {job_id} --interval 0.2 --no-save")
    bench.simulator.finish(job_id)
    record = bench.wait_for_record(job_id)
    assert f'src="{bench.simulator.origin}/clips/{job_id}.mp4?' in record["text/html"]
    assert not (bench.kernel.cwd / f"videos/{job_id}.mp4").exists()


def test_a_watch_gives_up_at_its_deadline_and_says_how_to_go_on(bench: Bench) -> None:
    job_id = bench.add_job(status_word="paused_by_moderation")
    result = bench.run(f"%cometvid watch {job_id} --interval 0.2 --timeout 1 --wait")
    words = f"{job_id} had not ended in time; the reason is shown above."
    assert result.error == f"GaveUp: {words}"
    card = bench.wait_for_card(job_id, phase="gave_up")
    assert card["problem"].startswith(f"{job_id} had not ended after 1 s of watching; its last")
    assert "'paused_by_moderation'" in card["problem"]
    assert "a longer --timeout" in card["advice"]
    assert card["command"] == f"%cometvid watch {job_id}"
    assert card["actions"] == ["watch"]


def test_giving_up_on_a_host_that_never_answered_says_so(bench: Bench) -> None:
    bench.run(f"%cometvid config base_url={bench.simulator.dead_origin}/v1")
    bench.run("%cometvid watch video_demo --timeout 1 --wait")
    card = bench.wait_for_card("video_demo", phase="gave_up")
    assert "after 1 s of watching. No answer from the API at 127.0.0.1" in card["problem"]


def test_a_failed_job_says_why_in_the_words_of_the_api(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    bench.simulator.fail(job_id, "Blocked: <famous face>.")
    record = bench.wait_for_record(job_id)
    assert "Blocked: <famous face>." in record["text/plain"]
    assert "Blocked: &lt;famous face&gt;." in record["text/html"]
    assert "This job is over. Edit the prompt" in record["text/plain"]
    assert bench.run("job.wait()").error == f"JobFailed: {job_id} failed: Blocked: <famous face>."


def test_a_bad_key_ends_the_watch_at_the_first_poll(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run("%cometvid login", answers=["sk-another-one-that-is-wrong"])
    result = bench.run(f"%cometvid watch {job_id} --wait")
    assert result.error == f"BadKey: {job_id} cannot be watched; the reason is shown above."
    card = bench.wait_for_card(job_id, phase="broken")
    assert card["headline"] == "The API key was rejected"
    assert card["problem"].startswith("The API answered 401")
    assert "The job itself goes on" in card["advice"]
    assert card["command"] == "%cometvid login"
    assert bench.simulator.count(f"GET /videos/{job_id}") == 1


def test_an_unknown_id_is_believed_only_after_ten_seconds(bench: Bench) -> None:
    began_s = time.monotonic()
    bench.run("%cometvid watch video_never_made --interval 0.2")
    waits = "Checking a few more seconds before giving up."
    early = bench.wait_for_card("video_never_made", phase="starting", advice=waits)
    assert early["problem"].startswith("The API does not know this id yet.")
    card = bench.wait_for_card("video_never_made", phase="broken")
    assert card["problem"] == "The API knows no job video_never_made under this key."
    assert 10 <= time.monotonic() - began_s < 30


def test_passing_trouble_is_told_and_forgotten(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.simulator.add_fault(Fault(f"GET /videos/{job_id}", status=429, times=1))
    bench.run(f"%cometvid watch {job_id} --interval 0.2")
    bench.kernel.wait_for(lambda m: "429" in str((card_of(m) or {}).get("problem")))
    assert bench.wait_for_card(job_id, phase="running")["problem"] is None


# The Watch


def test_the_value_is_a_watch_that_does_not_show_its_card_again(bench: Bench) -> None:
    job_id = bench.add_job()
    result = bench.run(f"job = %cometvid watch {job_id} --interval 0.2\njob")
    assert len(result.outputs) == widgets_shown(result) == 1
    assert bench.run(f"%cometvid watch {job_id}").text.count(f"{job_id} ·") == 1
    bench.wait_for_card(job_id, phase="running")
    later = bench.run("job")
    assert later.text == f"<Watch {job_id}: in_progress>\n"
    assert WIDGET in bench.run("job.widget").outputs[0].data
    assert bench.run("job.job.status.value, job.job.id").text == f"('in_progress', '{job_id}')\n"


def test_wait_and_await_give_the_completed_job(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    waiting = bench.kernel.begin("done = job.wait()\nagain = await job\ndone is again, done.status")
    bench.simulator.finish(job_id)
    assert "(True, <JobStatus.COMPLETED: 'completed'>)" in bench.kernel.wait_idle(waiting).text


def test_wait_with_a_timeout_gives_up_but_the_watch_goes_on(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    error = bench.run("job.wait(timeout=0.3)").error
    assert error == f"GaveUp: {job_id} had not ended after 0.3 s of waiting."
    bench.simulator.finish(job_id)
    assert bench.wait_for_record(job_id)


def test_a_task_of_the_reader_lives_during_a_wait_and_can_stop_the_watch(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    result = bench.run(
        "import asyncio\n"
        "async def stop_when_seen():\n"
        "    while job.job is None:\n"
        "        await asyncio.sleep(0.01)\n"
        "    job.stop()\n"
        "task = asyncio.create_task(stop_when_seen())\n"
        "job.wait()"
    )
    assert result.error == f"WatchStopped: The watch of {job_id} was stopped."
    assert bench.wait_for_card(job_id, phase="stopped")


def test_the_stop_button_of_the_page_stops_and_the_other_one_watches_again(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    model_id = bench.run("print(job.widget.model_id)").text.strip()
    bench.wait_for_card(job_id, phase="running")
    bench.kernel.send_to_widget(model_id, {"kind": "action", "name": "stop"})
    assert bench.wait_for_card(job_id, phase="stopped")["actions"] == ["watch"]
    bench.kernel.messages.clear()
    bench.kernel.send_to_widget(model_id, {"kind": "action", "name": "watch"})
    bench.wait_for_card(job_id, phase="running")


@pytest.mark.parametrize("ending", ["stopped", "gave_up", "broken"])
def test_a_card_keeps_its_button_while_its_job_may_go_on_and_the_file_is_true(
    bench: Bench, ending: str
) -> None:
    job_id = bench.add_job()
    deadline = " --timeout 1" if ending == "gave_up" else ""
    if ending == "broken":
        bench.simulator.add_fault(Fault(f"GET /videos/{job_id}", status=403, times=1))
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2{deadline}")
    model_id = bench.run("print(job.widget.model_id)").text.strip()
    bench.kernel.send_to_widget(model_id, {"kind": "loaded"})
    if ending == "stopped":
        bench.run("job.stop()")
    shown = bench.wait_for_card(job_id, phase=ending)
    assert shown["actions"] == ["watch"]
    kept = bench.wait_for_record(job_id)
    assert WIDGET in kept
    assert shown["headline"] in kept["text/html"]
    assert shown["command"] in kept["text/html"]
    bench.kernel.messages.clear()
    bench.simulator.finish(job_id)
    bench.kernel.send_to_widget(model_id, {"kind": "action", "name": "watch"})
    while WIDGET in (record := bench.wait_for_record(job_id)):
        bench.kernel.messages.clear()  # it was on its way from before
    assert "<video" in record["text/html"]


def test_without_anybody_to_answer_its_button_a_card_gives_way_to_its_record(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    model_id = bench.run("print(job.widget.model_id)").text.strip()
    bench.kernel.send_to_widget(model_id, {"kind": "loaded"})
    bench.run("job.stop()")
    assert WIDGET in bench.wait_for_record(job_id)
    bench.kernel.messages.clear()
    bench.run("%unload_ext cometvid_nb")

    def is_record(message: Message) -> bool:
        data = message["content"].get("data", {})
        return str(data.get("text/plain", "")).startswith(job_id) and WIDGET not in data

    record = bench.kernel.wait_for(is_record)["content"]["data"]
    assert f"%cometvid watch {job_id}" in record["text/html"]
    bench.run(LOAD)


def test_foreign_messages_to_the_widget_are_ignored(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    model_id = bench.run("print(job.widget.model_id)").text.strip()
    bench.wait_for_card(job_id, phase="running")
    foreign: list[object] = ["stop", {"kind": 7}, {"kind": "action"}, {"kind": "fetch_clip"}, []]
    for content in (*foreign, None):
        bench.kernel.send_to_widget(model_id, content)
    assert bench.run("job").text == f"<Watch {job_id}: in_progress>\n"


def test_a_page_that_cannot_play_the_link_gets_the_clip_through_the_kernel(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2 --no-save")
    model_id = bench.run("print(job.widget.model_id)").text.strip()
    bench.simulator.finish(job_id)
    bench.wait_for_card(job_id, phase="completed")
    bench.kernel.send_to_widget(model_id, {"kind": "fetch_clip", "request": 7})
    answer = bench.kernel.wait_for(lambda m: custom_kind(m) == "clip_chunk")
    head = answer["content"]["data"]["content"]
    assert (head["request"], head["offset"], head["is_last"]) == (7, 0, True)
    assert b"".join(answer["buffers"]) == bench.simulator.clip_bytes(job_id)


# Inside the cell


def test_an_interrupt_ends_the_waiting_but_neither_the_watch_nor_the_kernel(bench: Bench) -> None:
    job_id = bench.add_job()
    cell = bench.kernel.begin(f"%cometvid watch {job_id} --wait --interval 0.2")
    bench.wait_for_card(job_id, phase="running")
    bench.kernel.interrupt()
    result = bench.kernel.wait_idle(cell)
    assert f"Stopped waiting. The watch goes on: %cometvid wait {job_id}" in result.text
    assert "Traceback" not in result.text
    assert bench.run("6 * 7").text == "42\n"
    bench.simulator.set_progress(job_id, 60)
    bench.wait_for_card(job_id, progress_percent=60.0)
    again = bench.kernel.begin(f"%cometvid wait {job_id}\nprint('ended')")
    bench.simulator.finish(job_id)
    assert bench.kernel.wait_idle(again).text.endswith("ended\n")


def test_an_interrupt_of_wait_in_python_is_a_keyboard_interrupt(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    cell = bench.kernel.begin("print('in')\njob.wait()")
    bench.kernel.wait_for(lambda m: m["content"].get("text") == "in\n")
    bench.kernel.interrupt()
    assert (bench.kernel.wait_idle(cell).error or "").startswith("KeyboardInterrupt")
    assert "Watch" in bench.run("job").text


def test_what_is_shown_during_a_wait_belongs_to_the_waiting_cell(bench: Bench) -> None:
    job_id = bench.add_job()
    cell = bench.kernel.begin(f"%cometvid watch {job_id} --wait --interval 0.2")
    bench.wait_for_card(job_id, phase="running")
    bench.simulator.finish(job_id)
    bench.kernel.wait_idle(cell)
    shown = [m for m in bench.kernel.messages if m["msg_type"].startswith(("comm", "update"))]
    assert {message["parent_header"]["msg_id"] for message in shown} == {cell}


def test_a_wait_for_several_jobs_names_each_that_has_no_clip(bench: Bench) -> None:
    good, bad = bench.add_job(), bench.add_job()
    cell = bench.kernel.begin(f"%cometvid watch {good} {bad} --wait --interval 0.2\nprint('no')")
    bench.wait_for_card(bad, phase="running")
    bench.simulator.fail(bad, "No.")
    bench.simulator.finish(good)
    told = f"JobFailed: {bad} failed; the reason is shown above."
    assert bench.kernel.wait_idle(cell).error == told
    assert (bench.kernel.cwd / f"videos/{good}.mp4").is_file()


# JobWidget


def test_a_job_widget_stands_alone_or_among_others(bench: Bench) -> None:
    one, two = bench.add_job(), bench.add_job()
    bench.run("%cometvid config interval_s=0.2")
    bench.run("from cometvid_nb import JobWidget; from ipywidgets import HBox")
    [alone] = bench.run(f"JobWidget('{one}')").outputs
    assert WIDGET in alone.data
    assert one in alone.data["text/html"]
    [row] = bench.run(f"row = HBox([JobWidget('{one}'), JobWidget('{two}')]); row").outputs
    assert WIDGET in row.data
    bench.simulator.finish(two)
    assert bench.wait_for_card(two, phase="completed")
    assert bench.run("row.children[1].watch.wait().id").text == f"'{two}'\n"


def test_a_job_widget_shows_the_watch_that_already_runs(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    assert bench.run(f"import cometvid_nb as c; c.JobWidget('{job_id}').watch is job").text == (
        "True\n"
    )


# The end of the kernel


@pytest.mark.parametrize("cell", ["%cometvid watch video_stuck", "x = 1"])
def test_a_kernel_with_a_simulator_and_a_running_watch_shuts_down_promptly(
    kernel: Kernel, cell: str
) -> None:
    kernel.run(f"{LOAD}\n%cometvid demo\n{cell}")
    began_s = time.monotonic()
    kernel.client.shutdown()
    while kernel.is_alive():
        assert time.monotonic() - began_s < 3
        time.sleep(0.02)


ODD = ["models/veo-3.1/operations/abc", "-abc==", 'it\'s"{x}"$x', "#1?", "a\\"]


@pytest.mark.parametrize("job_id", ODD)
def test_a_printed_command_can_be_pasted_into_a_kernel(fresh: Bench, job_id: str) -> None:
    fresh.simulator.add(Scenario(job_id, ending="never", queue_s=0, run_s=1e9))
    fresh.run("x = 'another'")
    fresh.run(f"import cometvid_nb\nwatch = cometvid_nb.watch({job_id!r}, save=False)")
    stopped = fresh.run("%cometvid stop").text
    assert f"Stopped watching {job_id}." in stopped
    assert fresh.run(f"%cometvid watch {quoted_id(job_id)} --no-save").error is None
    card = fresh.wait_for_card(job_id, phase="running")
    assert card["watch_command"] == f"%cometvid watch {quoted_id(job_id)}"
    assert f"Stopped watching {job_id}." in fresh.run(f"%cometvid stop {quoted_id(job_id)}").text
    fresh.run(f"name = {job_id!r}")
    for line in ("status $name", f"status {quoted_id(job_id)}", 'status "{name}"'):
        assert fresh.run(f"%cometvid {line}").error is None, line
    # "'a" and "-a" as well as "a" complete to the whole, in quotes where it needs them.
    assert quoted_id(job_id) in fresh.completions(f"%cometvid forget {job_id[:2]}")
    assert "Forgot" in fresh.run(f"%cometvid forget {quoted_id(job_id)}").text
    assert {r.path for r in fresh.simulator.requests if r.method == "GET"} == {
        f"/v1/videos/{quote(job_id, safe='')}"
    }
