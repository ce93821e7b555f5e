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
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
ALL = "\n".join([README, *PAGES.values()])
MOST_LINES = 150


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_table_names_each_command_and_the_section_its_options(name: str) -> None:
    commands = PAGES["commands"]
    assert re.search(rf"^\| `%cometvid {name}\b", commands, re.MULTILINE)
    missing = [option for option in COMMANDS[name].options if f"{option}" not in commands]
    assert not missing


def test_the_command_table_names_no_command_that_is_not_there() -> None:
    named = re.findall(r"^\| `%cometvid (\w+)", PAGES["commands"], re.MULTILINE)
    assert sorted(named) == sorted(COMMANDS)


def test_every_option_that_the_readme_names_exists() -> None:
    known = {option for command in COMMANDS.values() for option in command.options}
    magic = PAGES["commands"].partition("\n## The simulated API for other programs")[0]
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", magic))
    assert named <= known


def test_the_settings_table_has_each_setting_with_its_default_and_its_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| ([^|]+?) \|$", PAGES["settings"], re.MULTILINE)
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
    named = set(re.findall(r"\bmake (\w+)\b(?=`|$)", ALL, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)


def test_the_files_and_modules_that_the_readme_and_its_pages_name_exist() -> None:
    linked = [(ROOT, target) for target in re.findall(r"\]\(([\w./-]+)\)", README)]
    for text in PAGES.values():
        linked += [(ROOT / "docs", target) for target in re.findall(r"\]\(([\w./-]+)\)", text)]
    assert [target for folder, target in linked if not (folder / target).exists()] == []
    benchmarks = set(re.findall(r"-m (benchmarks\.\w+)", ALL))
    assert benchmarks
    assert all((ROOT / f"{name.replace('.', '/')}.py").is_file() for name in benchmarks)
    assert all((ROOT / path).is_file() for path in re.findall(r"`(tests/[\w/]+\.py)`", ALL))


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert README.count("\n") <= MOST_LINES
    assert {f"docs/{name}.md" for name in PAGES} == set(re.findall(r"docs/\w+\.md", README))


def test_each_row_of_where_it_runs_names_its_test_or_says_that_there_is_none() -> None:
    rows = re.findall(r"^\|.*\|$", README.partition("## Where it runs")[2], re.MULTILINE)
    told = [row.strip("| ").split("|")[-1].strip() for row in rows[2:]]
    assert len(told) >= 10
    for cell in told:
        test = re.match(r"`([\w/]+\.py)`", cell)
        assert "**no**" in cell or (test is not None and (ROOT / "tests" / test[1]).is_file()), cell


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_each_command_with_all_its_options(name: str) -> None:
    text = explain(COMMANDS[name])
    assert text.startswith(f"%cometvid {name}")
    assert all(option in text for option in COMMANDS[name].options)
    assert COMMANDS[name].summary[1:] in " ".join(text.split())
