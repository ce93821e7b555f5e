"""The quick checks of `make lint`, beside the other tests, half of which wait."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMMANDS = re.findall(
    r"^\t\$\(RUN\) (.+)$",
    (ROOT / "Makefile").read_text("utf-8").partition("\nlint:")[2].partition("\n\n")[0],
    re.MULTILINE,
)


@pytest.mark.timeout(300)  # mypy without its cache, on a machine that runs other tests
@pytest.mark.parametrize("command", COMMANDS)
def test_a_quick_check_has_no_complaint(command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command.split()],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{command}\n{done.stdout}", pytrace=False)


def test_the_quick_checks_are_those_of_make_lint() -> None:
    tools = ["ruff check", "PLW1514", "ruff format", "mypy", "check.py"]
    assert len(COMMANDS) == len(tools)
    assert all(tool in command for tool, command in zip(tools, COMMANDS, strict=True))
