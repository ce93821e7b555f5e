"""block_on: from synchronous code into asynchronous, whatever loop the reader runs already.

The loops run in processes of their own: some of what a reader may have applied patches asyncio
for good.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pytest

from cometvid_nb.watching.blocking import block_on
from tests.bench import Bench
from tests.environment import isolated_environ
from tests.kernel import Kernel

APPLIED = ["", "import nest_asyncio; nest_asyncio.apply()"]
APPLIED += ["import nest_asyncio2; nest_asyncio2.apply()"]

HEAD = """
import asyncio, signal, threading
from cometvid_nb.watching.blocking import block_on

async def answer():
    await asyncio.sleep(0.05)
    return 42
"""
needs_uvloop = pytest.mark.skipif(find_spec("uvloop") is None, reason="there is no uvloop here")


def output_of(script: str, home: Path) -> str:
    """What a script prints; it fails if the script does, or if it warns."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(script)],
        env=isolated_environ(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


async def give(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def refuse() -> None:
    await asyncio.sleep(0)
    raise LookupError("no")


def test_without_a_loop_it_runs_one_of_its_own_and_gives_what_comes_out() -> None:
    threads = threading.active_count()
    assert [block_on(give(1)), block_on(give(2))] == [1, 2]
    with pytest.raises(LookupError, match="no"):
        block_on(refuse())
    assert threading.active_count() == threads


def test_the_loop_a_thread_has_set_stays_its_own() -> None:
    mine = asyncio.new_event_loop()
    asyncio.set_event_loop(mine)
    try:
        assert block_on(give(1)) == 1
        assert asyncio.get_event_loop() is mine
        assert not mine.is_closed()
    finally:
        asyncio.set_event_loop(None)
        mine.close()


def test_an_interrupt_without_a_loop_cancels_the_coroutine_and_is_raised(home: Path) -> None:
    script = """
    async def wait():
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            print("cleaned up")
    try:
        block_on(wait())
    except KeyboardInterrupt:
        print("interrupted", block_on(answer()))
    """
    assert output_of(HEAD + dedent(script), home) == "cleaned up\ninterrupted 42\n"


@pytest.mark.parametrize("applied", APPLIED, ids=["nothing", "nest_asyncio", "nest_asyncio2"])
def test_what_was_due_after_the_cell_runs_in_the_wait_and_the_loop_goes_on(
    applied: str, home: Path
) -> None:
    # What a loaded machine brings: a cell begins while other messages are there to be handled.
    script = f"""
    def cell():
        {applied or "pass"}
        print(block_on(answer()), done)
    done = []
    loop = asyncio.new_event_loop()
    for handle in (cell, lambda: done.append(1), lambda: done.append(2)):
        loop.call_soon(handle)
    print(loop.run_until_complete(answer()))
    loop.close()
    """
    assert output_of(HEAD + dedent(script), home) == "42 [1, 2]\n42\n"


@pytest.mark.parametrize("applied", APPLIED, ids=["nothing", "nest_asyncio", "nest_asyncio2"])
@pytest.mark.parametrize("is_nested", [False, True], ids=["on its own loop", "in a loop"])
def test_an_interrupt_between_two_awaits_ends_the_wait(
    applied: str, is_nested: bool, home: Path
) -> None:
    # The interrupt then ends the coroutine itself, for which asyncio waits for ever.
    script = f"""
    async def wait():
        await asyncio.sleep(0)
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)
    def ask():
        try:
            block_on(wait())
        except KeyboardInterrupt:
            print("interrupted", block_on(answer()))
    async def cell():
        {applied or "pass"}
        ask()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(cell()) if {is_nested} else ask()
    loop.close()
    """
    assert output_of(HEAD + dedent(script), home) == "interrupted 42\n"


@pytest.mark.parametrize("applied", APPLIED, ids=["nothing", "nest_asyncio", "nest_asyncio2"])
def test_inside_a_running_loop_the_readers_own_tasks_go_on(applied: str, home: Path) -> None:
    script = f"""
    {applied}
    async def tick(ticks):
        while True:
            ticks.append(1)
            await asyncio.sleep(0.005)
    async def main():
        ticks = []
        task = asyncio.create_task(tick(ticks))
        got = [block_on(answer()), block_on(answer())]
        ticked = len(ticks)
        await asyncio.sleep(0.05)
        task.cancel()
        print(got, ticked > 3, len(ticks) > ticked)
    asyncio.run(main())
    print(block_on(answer()))
    """
    assert output_of(HEAD + dedent(script), home) == "[42, 42] True True\n42\n"


@pytest.mark.parametrize("applied", APPLIED, ids=["nothing", "nest_asyncio", "nest_asyncio2"])
def test_an_interrupt_inside_a_running_loop_leaves_that_loop_usable(
    applied: str, home: Path
) -> None:
    script = f"""
    {applied}
    async def wait():
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            print("cleaned up")
    async def main():
        try:
            block_on(wait())
        except KeyboardInterrupt:
            print("interrupted", await answer(), block_on(answer()))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    """
    assert output_of(HEAD + dedent(script), home) == "cleaned up\ninterrupted 42 42\n"


def test_a_task_of_the_reader_may_wait_as_well(home: Path) -> None:
    script = """
    async def other():
        return block_on(answer()) + 1
    async def main():
        task = asyncio.create_task(other())
        print(block_on(answer()), await task)
    asyncio.run(main())
    """
    assert output_of(HEAD + dedent(script), home) == "42 43\n"


def test_asyncio_is_left_alone_until_somebody_blocks_in_a_running_loop(home: Path) -> None:
    script = """
    import sys
    block_on(answer())
    print("nest_asyncio2" in sys.modules)
    """
    assert output_of(HEAD + dedent(script), home) == "False\n"


@needs_uvloop
def test_a_loop_that_cannot_be_nested_stands_still_while_another_thread_waits(home: Path) -> None:
    script = """
    import uvloop
    async def fail():
        raise LookupError("no")
    async def main():
        print(block_on(answer()))
        try:
            block_on(fail())
        except LookupError as error:
            print(error)
        print(await answer())
    loop = uvloop.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    """
    assert output_of(HEAD + dedent(script), home) == "42\nno\n42\n"


# In a real kernel, where the cell itself runs in the loop


@pytest.mark.parametrize("applied", APPLIED, ids=["nothing", "nest_asyncio", "nest_asyncio2"])
def test_a_wait_in_a_kernel_keeps_the_readers_tasks_alive(kernel: Kernel, applied: str) -> None:
    kernel.run(f"{applied}\n%load_ext cometvid_nb\n%cometvid demo --speed 100")
    kernel.run(
        "import asyncio\nticks = []\n"
        "async def tick():\n"
        "    while True:\n"
        "        ticks.append(1); await asyncio.sleep(0.01)\n"
        "task = asyncio.create_task(tick())"
    )
    result = kernel.run(
        "before = len(ticks)\n%cometvid watch video_demo --wait --interval 0.2\nlen(ticks) - before"
    )
    assert result.error is None
    assert "videos/video_demo.mp4" in result.text
    assert int(result.text.split()[-1]) > 10
    assert kernel.run(
        "job = %cometvid watch video_portrait --interval 0.2\njob.wait().id"
    ).text.endswith("'video_portrait'\n")
    assert kernel.run("await asyncio.sleep(0.01); task.cancel()").text == "True\n"
    said = [m["content"]["text"] for m in kernel.messages if m["msg_type"] == "stream"]
    assert not any("Traceback" in text or "context" in text for text in said)


def test_an_awaited_watch_lets_the_loop_of_the_kernel_run(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"job = %cometvid watch {job_id} --interval 0.2")
    bench.simulator.finish(job_id)
    assert bench.run(
        "import asyncio\nboth = await asyncio.gather(job, asyncio.sleep(0.01, 'slept'))\nboth[1]"
    ).text.endswith("'slept'\n")
