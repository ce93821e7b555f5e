"""The house keeps its shape: imports run one way, modules stay small, public names are pinned."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import cometvid_nb

PACKAGE = Path(__file__).parent.parent / "cometvid_nb"

LAYERS: list[list[str]] = [
    [
        "card",
        "durations",
        "errors",
        "gallery",
        "gallery_record",
        "job",
        "new_job",
        "pace",
        "pacing",
        "process",
        "record",
        "settings",
        "watch_state",
    ],
    [
        "answer",
        "client",
        "clip_file",
        "clip_place",
        "connections",
        "delivery",
        "frontend",
        "ledger",
        "ledger_file",
        "polling",
        "posters",
        "relay",
        "saving",
        "remote_storage",
        "simulator",
        "storage",
        "threads",
        "transfer",
        "transport",
        "turns",
        "waiting",
        "worker",
    ],
    [
        "clips",
        "creation",
        "embedding",
        "tables",
        "views",
        "watcher",
        "watching",
        "widget",
        "widget_output",
        "worker_process",
    ],
    ["gallery_feed", "gallery_views", "recording", "stage"],
    ["session"],
    ["commands", "completion", "grammar", "magic", "__main__", "__init__"],
]
"""A module may import from the layers above its own in this list; `simulator` is a family."""

SIBLINGS = {
    "pacing": {"durations", "job"},
    "pace": {"pacing"},
    "settings": {"errors"},
    "new_job": {"errors", "job"},
    "watch_state": {"errors", "job", "pacing"},
    "card": {"errors", "job", "watch_state"},
    "record": {"card"},
    "gallery": {"card", "watch_state"},
    "gallery_record": {"card", "gallery", "record"},
    "gallery_feed": {"gallery_views"},
    "stage": {"gallery_feed", "gallery_views"},
    "answer": {"transfer"},
    "transfer": {"threads"},
    "transport": {"transfer"},
    "client": {"answer", "connections", "threads", "transfer", "transport", "turns"},
    "connections": {"transport"},
    "ledger": {"ledger_file"},
    "polling": {"turns"},
    "storage": {"clip_file", "threads"},
    "remote_storage": {"clip_file"},
    "views": {"widget_output"},
    "watcher": {"watching"},
    "worker": {"turns"},
    "worker_process": {"clips"},
    "commands": {"grammar"},
    "completion": {"grammar"},
    "magic": {"commands", "completion", "grammar"},
    "__init__": {"magic"},
}
"""What a module may import from its own layer."""

EXCEPTIONS = {
    # A Job shows itself in a notebook, which takes the card; only `_repr_mimebundle_` needs it.
    ("job", "card"),
    ("job", "record"),
    # `JobWidget(id)` and `GalleryWidget(ids)` in a person's own layout start their watches with
    # the session of the kernel.
    ("widget", "session"),
}
"""Imports against the grain; each stands inside a function, for the reason given here."""

STRANGERS = {
    # The watcher sees a protocol, so that it can follow jobs of any source.
    ("watcher", "client"),
}
"""Imports that the layers would allow and the design does not."""

SIMULATOR_USERS = {"commands", "__main__"}
"""`%cometvid demo` and the command line start it; to all else it is one more server."""

HTTPX_USERS = {"answer", "client", "transfer", "transport"}

LONGEST_MODULE_LINES = 300
LONG_MODULES: dict[str, int] = {}
"""Modules that may be longer, with their limit; a reason belongs beside each."""

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
    "jobs",
    "load_ipython_extension",
    "remix",
    "unload_ipython_extension",
    "watch",
]


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement of one of our modules."""

    module: str
    target: str
    """A module of ours by its name in LAYERS, or the top name of a foreign package."""
    is_ours: bool
    is_lazy: bool
    is_for_types: bool
    """Under `if TYPE_CHECKING:`, so it never runs."""
    where: str


def own_name(path: Path) -> str:
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "simulator" if name.startswith("simulator") else name


def sources() -> list[Path]:
    """Our modules, without the scripts that lie beside their data in `static`."""
    paths = PACKAGE.rglob("*.py")
    return sorted(path for path in paths if path.relative_to(PACKAGE).parts[0] != "static")


def imports_of(path: Path) -> Iterator[Import]:
    package = ["cometvid_nb", *path.relative_to(PACKAGE).parent.parts]
    modules = {own_name(source) for source in sources()}

    def walk(node: ast.AST, *, is_lazy: bool, is_for_types: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            yield from visit(child, is_lazy=is_lazy, is_for_types=is_for_types)

    def visit(node: ast.AST, *, is_lazy: bool, is_for_types: bool) -> Iterator[Import]:
        match node:
            case ast.Import() | ast.ImportFrom():
                for dotted in dotted_names(node, package):
                    top, _, rest = dotted.partition(".")
                    is_ours = top == "cometvid_nb"
                    name = rest.split(".")[0] or "__init__"
                    # `from cometvid_nb import watch` names the package, not a module.
                    target = name if own_family(name) in modules else "__init__"
                    yield Import(
                        own_name(path),
                        own_family(target) if is_ours else top,
                        is_ours,
                        is_lazy,
                        is_for_types,
                        f"{path.name}:{node.lineno}",
                    )
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from walk(node, is_lazy=True, is_for_types=is_for_types)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                for child in node.body:
                    yield from visit(child, is_lazy=is_lazy, is_for_types=True)
                for child in node.orelse:
                    yield from visit(child, is_lazy=is_lazy, is_for_types=is_for_types)
            case _:
                yield from walk(node, is_lazy=is_lazy, is_for_types=is_for_types)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), is_lazy=False, is_for_types=False)


def own_family(name: str) -> str:
    return "simulator" if name.startswith("simulator") else name


def dotted_names(node: ast.Import | ast.ImportFrom, package: list[str]) -> list[str]:
    """What the statement imports, each as `package.module.name`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    parts = package[: len(package) - node.level + 1] if node.level else []
    if node.module:
        parts = [*parts, node.module]
    return [".".join([*parts, alias.name]) for alias in node.names]


IMPORTS = [entry for path in sources() for entry in imports_of(path)]
RANKS = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}


def complaint_about(entry: Import) -> str | None:
    """What is wrong with an import of one of our modules by another; None = nothing."""
    source, target = entry.module, entry.target
    says = f"{entry.where}: {source} imports {target}"
    if source == target or ((source, target) in EXCEPTIONS and entry.is_lazy):
        return None
    if (source, target) in STRANGERS:
        return f"{says}, which it must not know"
    if target == "simulator" and not (source in SIMULATOR_USERS and entry.is_lazy):
        return f"{says}; only {sorted(SIMULATOR_USERS)} may, inside a function"
    if source == "simulator":
        return f"{says}, but a stand-in for the server knows nothing of ours"
    if not {source, target} <= set(RANKS):
        return f"{says}, and one of them has no place in LAYERS"
    if RANKS[target] < RANKS[source]:
        return None
    # A type-only import never runs, so within a layer it is free.
    if RANKS[target] == RANKS[source] and (
        entry.is_for_types or target in SIBLINGS.get(source, set())
    ):
        return None
    return f"{says}, which is not below it"


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


def test_every_module_has_a_layer_and_every_layer_its_modules() -> None:
    assert {own_name(path) for path in sources()} == set(RANKS)


def test_imports_run_one_way() -> None:
    complaints = [complaint_about(entry) for entry in IMPORTS if entry.is_ours]
    assert [complaint for complaint in complaints if complaint] == []


def test_every_exception_is_still_needed() -> None:
    found = {(entry.module, entry.target) for entry in IMPORTS if entry.is_ours}
    assert EXCEPTIONS - found == set()
    assert {(m, target) for m, targets in SIBLINGS.items() for target in targets} - found == set()


def test_the_bottom_layer_imports_the_standard_library_only() -> None:
    foreign = [
        f"{entry.where}: {entry.target}"
        for entry in IMPORTS
        if entry.module in LAYERS[0]
        and not entry.is_ours
        and entry.target not in sys.stdlib_module_names
    ]
    assert foreign == []


def test_one_place_knows_http() -> None:
    assert {entry.module for entry in IMPORTS if entry.target == "httpx"} <= HTTPX_USERS


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_stays_small(path: Path) -> None:
    limit = LONG_MODULES.get(path.stem, LONGEST_MODULE_LINES)
    count = code_lines(path)
    assert count <= limit, f"{path.name} has {count} lines of code; a second idea may want out"


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
