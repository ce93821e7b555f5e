"""The demo notebook of marimo without a page: by `marimo check` and `marimo export html`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cometvid_nb.__main__ import MARIMO_NOTEBOOK
from tests.environment import isolated_environ

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
QUICK = ("demo(speed=4)", "demo(speed=200)")

pytestmark = pytest.mark.timeout(240)


def marimo(home: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "marimo", *words],
        cwd=home,
        env=isolated_environ(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_marimo_finds_nothing_wrong_with_its_notebook(home: Path) -> None:
    marimo(home, "check", "--strict", str(NOTEBOOKS / MARIMO_NOTEBOOK))


def test_an_export_waits_holds_the_clips_and_pays_nothing_when_it_comes_again(home: Path) -> None:
    code = (NOTEBOOKS / MARIMO_NOTEBOOK).read_text(encoding="utf-8")
    assert QUICK[0] in code
    notebook = home / MARIMO_NOTEBOOK
    notebook.write_text(code.replace(*QUICK), encoding="utf-8")
    made = []
    for page in (home / "first.html", home / "second.html"):  # each in a process of its own
        marimo(home, "export", "html", "--no-sandbox", str(notebook), "-o", str(page))
        # Of both cards, and of both tiles of the gallery.
        assert page.read_text(encoding="utf-8").count("data:video/mp4;base64,") == 4
        [kept] = home.rglob("simulations/*/jobs.jsonl")
        lines = kept.read_text(encoding="utf-8").splitlines()
        made.append({json.loads(line)["scenario"]["job_id"] for line in lines} - {"video_demo"})
    assert len(made[0]) == 1
    assert made[0] == made[1]
