"""What the README says of commands, settings and targets is what the code has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cometvid_nb.magic.grammar import COMMANDS
from cometvid_nb.magic.help import explain
from cometvid_nb.magic.magics import Cometvid
from cometvid_nb.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading of the README."""
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_table_names_each_command_and_the_section_its_options(name: str) -> None:
    commands = section("Commands")
    assert re.search(rf"^\| `%cometvid {name}\b", commands, re.MULTILINE)
    missing = [option for option in COMMANDS[name].options if f"{option}" not in commands]
    assert not missing


def test_the_command_table_names_no_command_that_is_not_there() -> None:
    named = re.findall(r"^\| `%cometvid (\w+)", section("Commands"), re.MULTILINE)
    assert sorted(named) == sorted(COMMANDS)


def test_every_option_that_the_readme_names_exists() -> None:
    known = {option for command in COMMANDS.values() for option in command.options}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", section("Commands")))
    assert named <= known


def test_the_settings_table_has_each_setting_with_its_default_and_its_meaning() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| `([^`]+)` \| ([^|]+?) \|$", section("Settings"), re.MULTILINE
    )
    told = {name: (default, meaning) for name, default, meaning in rows}
    configurable = Cometvid.class_traits(config=True)
    assert set(told) == set(configurable)
    for field in fields(Settings):
        if field.name in told:
            default, meaning = told[field.name]
            value = field.default
            shown = {True: "on", False: "off"}.get(value) if isinstance(value, bool) else None
            told_text = value or '""'
            assert default == (shown or (f"{value:g}" if isinstance(value, float) else told_text))
            assert meaning.startswith(field.metadata["help"])


def test_the_make_targets_that_the_readme_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake (\w+)\b(?=`|$)", README, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)


def test_the_files_and_modules_that_the_readme_names_exist() -> None:
    assert all((ROOT / path).exists() for path in re.findall(r"\]\(([\w./-]+)\)", README))
    benchmarks = set(re.findall(r"-m (benchmarks\.\w+)", README))
    assert benchmarks
    assert all((ROOT / f"{name.replace('.', '/')}.py").is_file() for name in benchmarks)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_each_command_with_all_its_options(name: str) -> None:
    text = explain(COMMANDS[name])
    assert text.startswith(f"%cometvid {name}")
    assert all(option in text for option in COMMANDS[name].options)
    assert COMMANDS[name].summary[1:] in " ".join(text.split())
