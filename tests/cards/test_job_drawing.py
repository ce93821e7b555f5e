"""A job that ends a cell is shown as its table, whether or not the extension was ever loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from IPython.core.formatters import DisplayFormatter

from cometvid_nb.job.job import Job
from cometvid_nb.session.drawing import draw_job, let_values_be_drawn
from tests.kernel import Kernel, Result
from tests.strategies import payloads

MAKE = "Job.parse({'id': 'video_1', 'status': 'completed', 'model': 'sora-2', 'prompt': '<b>'})"
IMPORT = "from cometvid_nb import Job"


class Shell:
    """As much of a shell as the drawing asks for."""

    def __init__(self) -> None:
        self.display_formatter = DisplayFormatter()


def check_drawn(result: Result) -> None:
    assert result.error is None
    data = result.outputs[-1]["data"]
    assert data["text/html"].startswith('<div class="cometvid-record ')
    assert "&lt;b&gt;" in data["text/html"]
    assert data["text/plain"].startswith("video_1 · Completed · sora-2")


@given(payloads)
def test_a_job_shows_itself_whatever_it_holds(payload: object) -> None:
    bundle = draw_job(Job.parse(payload, job_id="asked"))
    assert bundle["text/html"].encode()
    assert bundle["text/plain"].encode()


def test_a_kernel_that_never_loaded_the_extension_draws_jobs_and_so_does_one_that_unloads_it(
    kernel: Kernel,
) -> None:
    check_drawn(kernel.run(f"{IMPORT}\n{MAKE}"))
    kernel.run("%load_ext cometvid_nb\n%unload_ext cometvid_nb")
    check_drawn(kernel.run(MAKE))


def test_loading_the_extension_is_enough(kernel: Kernel) -> None:
    kernel.run("%load_ext cometvid_nb")
    check_drawn(kernel.run(f"import cometvid_nb.job.job\ncometvid_nb.job.job.{MAKE}"))


def test_a_drawing_of_somebody_elses_stays() -> None:
    shell = Shell()
    formatter = shell.display_formatter.mimebundle_formatter
    formatter.for_type_by_name("cometvid_nb.job.job", "Job", lambda job: {"text/plain": "theirs"})
    let_values_be_drawn(shell)
    assert shell.display_formatter.format(Job("video_1"))[0] == {"text/plain": "theirs"}


@pytest.mark.parametrize("first", ["", "import IPython; "])
def test_plain_python_shows_a_job_by_its_repr(first: str) -> None:
    code = f"{first}import sys\n{IMPORT}\nprint({MAKE}, 'IPython' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Job(id='video_1'")
    assert done.stdout.strip().endswith(str(bool(first)))
