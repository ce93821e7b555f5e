"""The house keeps its shape: imports run one way, modules stay small, public names are pinned."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

import cometvid_nb

PACKAGE = Path(__file__).parent.parent / "cometvid_nb"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if "media" not in path.parts]
PURE = [
    PACKAGE / "api" / "retries.py",
    *(PACKAGE / "job").glob("*.py"),
    *(PACKAGE / "watching" / f"{name}.py" for name in ("schedule", "durations", "state")),
    *(PACKAGE / "cards").glob("*.py"),
]
"""The same as in the contract of pyproject.toml, whose tool cannot tell a type from a call."""

MOST_NAMES = 19
LONGEST_MODULE_LINES = 300

PUBLIC_NAMES = [
    "Client",
    "CometVidError",
    "GalleryWidget",
    "GaveUp",
    "Job",
    "JobFailed",
    "JobStatus",
    "JobWidget",
    "NewJob",
    "Watch",
    "create",
    "demo",
    "jobs",
    "load_ipython_extension",
    "remix",
    "unload_ipython_extension",
    "watch",
]


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def code_lines(path: Path) -> int:
    """Lines that hold code: neither blank nor only a comment or a docstring."""
    text = path.read_text(encoding="utf-8")
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    silent |= {tokenize.ENCODING, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_members_of_an_enumeration_are_compared_as_values() -> None:
    """After a reload there are two of each; they are equal, but not the same."""
    members = re.compile(r" is (?:not )?(?:Ending|JobStatus|Phase|Group|Sort)\.")
    ours = [path for path in MODULES if "simulator" not in path.parts]
    found = [name_of(path) for path in ours if members.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_all_html_is_made_of_one_kind_of_markup() -> None:
    """That of the package `markupsafe` escapes no Markdown; see `cards.markup`."""
    named = [name_of(path) for path in MODULES if "markupsafe" in path.read_text(encoding="utf-8")]
    assert named == ["cards/markup.py"]


def test_imports_keep_the_contracts_of_pyproject() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [tool, "--no-cache", "--no-logo"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_what_is_pure_draws_no_number_and_asks_no_clock(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case (
                ast.ImportFrom(module="random")
                | ast.Call(func=ast.Attribute(value=ast.Name(id="random")))
                | ast.Call(func=ast.Attribute(attr="now" | "today"))
            ):
                pytest.fail(f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_stays_small(path: Path) -> None:
    count = code_lines(path)
    assert count <= LONGEST_MODULE_LINES, f"{count} lines of code; a second idea may want out"


def test_the_listing_of_the_package_is_short() -> None:
    names = [path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len(names) <= MOST_NAMES, sorted(names)


@pytest.mark.parametrize(
    "path",
    # The simulator is a package of its own, and its `__init__` the door to it.
    [path for path in PACKAGE.glob("*/__init__.py") if path.parent.name != "simulator"],
    ids=name_of,
)
def test_a_folder_says_in_one_sentence_what_it_is_and_nothing_else(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    sentence = ast.get_docstring(tree)
    assert len(tree.body) == 1
    assert sentence is not None
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert ". " not in sentence


def test_no_module_has_the_name_of_a_public_function() -> None:
    """Importing `cometvid_nb.watch.x` would put a module in the place of `cometvid_nb.watch`."""
    names = {path.stem for path in PACKAGE.iterdir()}
    assert names & set(PUBLIC_NAMES) == set()


def test_the_public_names_are_these() -> None:
    assert sorted(cometvid_nb.__all__) == PUBLIC_NAMES
    for name in PUBLIC_NAMES:
        assert getattr(cometvid_nb, name) is not None
    assert set(PUBLIC_NAMES) <= set(dir(cometvid_nb))


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ["IPython", "anywidget", "asyncio", "httpx", "ipywidgets", "tornado"]
    code = f"import sys, cometvid_nb; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
