"""Notebooks exported by nbconvert: a player, a picture or a sentence, and never a repr."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.bench import WIDGET, Bench
from tests.environment import isolated_environ
from tests.kernel import Message

REPRS = ("JobWidget(", "GalleryWidget(", "&lt;Watch ", "<Watch ", "model not found", WIDGET)
PROMPT = "50% of a_comet & a $5 sea"


def bundles(messages: list[Message]) -> list[dict[str, str]]:
    """What a display showed, in turn."""
    kinds = ("display_data", "update_display_data")
    return [m["content"]["data"] for m in messages if m["msg_type"] in kinds]


def settled(bench: Bench, ids: list[str]) -> dict[str, str]:
    """The record that a headless run leaves of these jobs."""
    code = f"%cometvid watch {' '.join(ids)} --interval 0.2"
    cell = bench.kernel.begin(code, allow_stdin=False)
    bench.kernel.wait_for(lambda m: m["msg_type"] == "display_data")
    for job_id in ids:
        bench.simulator.finish(job_id)
    return bundles(bench.kernel.wait_idle(cell).messages)[-1]


def running(bench: Bench, ids: list[str]) -> dict[str, str]:
    """What stands in a notebook that is saved while these jobs run."""
    shown = bench.run(f"takes = %cometvid watch {' '.join(ids)} --interval 0.2")
    assert shown.error is None, shown.error
    bundle = bundles(shown.messages)[0]
    assert WIDGET in bundle
    return bundle


@pytest.fixture(scope="module")
def documents(
    _module_bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, str]]:
    """One job and five, running and settled: each export, and what nbconvert said about it."""
    bench, home = _module_bench, tmp_path_factory.mktemp("exports")
    one, many = [bench.add_job(prompt=PROMPT)], [bench.add_job() for _ in range(5)]
    shown = [running(bench, one), running(bench, many), settled(bench, one), settled(bench, many)]
    cells = []
    for bundle in shown:
        output = nbformat.v4.new_output("display_data", data=bundle)
        cells.append(nbformat.v4.new_code_cell("%cometvid watch …", outputs=[output]))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), home / "notebook.ipynb")
    return {to: export(home, to) for to in ("html", "markdown", "latex")}


def export(home: Path, to: str) -> tuple[str, str]:
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", to, "--output", to]
    done = subprocess.run(
        [*command, "notebook.ipynb"],
        cwd=home,
        env=isolated_environ(home),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    [path] = home.glob(f"{to}.*")
    return path.read_text(encoding="utf-8"), done.stderr


@pytest.mark.parametrize("to", ["html", "markdown", "latex"])
def test_an_export_says_of_each_job_how_it_stands(
    documents: dict[str, tuple[str, str]], to: str
) -> None:
    document, said = documents[to]
    assert "WARNING" not in said
    for words in REPRS:
        assert words not in re.sub(r"<script.*?</script>", "", document, flags=re.DOTALL)
    assert re.search(r"In progress|Queued|Asking", document)
    assert "5 jobs: 5 done" in document
    assert document.count("<video controls") == (0 if to == "latex" else 6)
    clips = document.replace(r"\_", "_")  # as LaTeX writes it
    assert len(set(re.findall(r"videos/video_\d+_of_ours\.mp4", clips))) == 6


def test_an_export_to_latex_is_text_that_latex_can_read(
    documents: dict[str, tuple[str, str]],
) -> None:
    document, _ = documents["latex"]
    body = document.split(r"\begin{document}")[1]
    outputs = re.findall(r"\\begin\{Verbatim\}\[commandchars.*?\]\n(.*?)\\end", body, re.DOTALL)
    told = [text for text in outputs if "_of" in text]
    assert len(told) == 4
    for text in told:
        assert not re.search(r"(?<!\\)[%&$#_]", text), "unescaped"
        assert "<" not in text


def test_a_headless_run_tells_each_state_once(bench: Bench) -> None:
    job_id = bench.add_job(run_s=5, steps=range(0, 100, 5), ending="completed")
    cell = bench.kernel.begin(f"%cometvid watch {job_id} --interval 0.2", allow_stdin=False)
    result = bench.kernel.wait_idle(cell)
    states = [bundle["text/plain"] for bundle in bundles(result.messages)]
    assert len(states) <= 4, states  # starting, queued, running, and the record
    assert "Completed" in states[-1]
    assert not any(m["msg_type"] == "stream" for m in result.messages)
