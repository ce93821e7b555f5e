"""The kernel driver itself."""

from __future__ import annotations

import pytest

from tests.conftest import NotebookRun
from tests.kernel import Kernel


def test_a_cell_gives_its_text_its_outputs_and_its_error(kernel: Kernel) -> None:
    result = kernel.run("print('said')\n6 * 7")
    assert result.text == "said\n42\n"
    assert [output.output_type for output in result.outputs] == ["stream", "execute_result"]
    assert result.error is None
    assert kernel.run("1 / 0").error == "ZeroDivisionError: division by zero"


def test_a_cell_that_asks_is_answered_and_a_headless_one_cannot_ask(kernel: Kernel) -> None:
    assert kernel.run("input('who?')", answers=["me"]).text == "'me'\n"
    headless = kernel.run("input('who?')", allow_stdin=False)
    assert "StdinNotImplementedError" in (headless.error or "")


def test_a_busy_cell_is_interrupted_and_a_restart_forgets(kernel: Kernel) -> None:
    kernel.run("import time; x = 1")
    request_id = kernel.begin("print('in', flush=True)\ntime.sleep(60)")
    kernel.wait_for(lambda message: message["content"].get("text") == "in\n")
    kernel.interrupt()
    assert (kernel.wait_idle(request_id).error or "").startswith("KeyboardInterrupt")
    kernel.restart()
    assert "NameError" in (kernel.run("x").error or "")
    kernel.kill()
    assert not kernel.is_alive()


def test_no_key_of_the_user_reaches_a_kernel_or_a_headless_run(
    kernel: Kernel, notebook_run: NotebookRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMETAPI_KEY", "sk-secret")
    code = "import os; sorted(name for name in os.environ if 'COMET' in name)"
    assert kernel.run(code).text == "[]\n"
    assert notebook_run([code]).cells[0].outputs[0].data["text/plain"] == "[]"
