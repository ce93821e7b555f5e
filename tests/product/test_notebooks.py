"""The demo notebooks run from top to bottom, and are committed with what they showed."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from docs.make_notebooks import (
    INSTALL,
    MOST_BYTES,
    NOTEBOOKS,
    REPOSITORY,
    WIDGET,
    badge_of,
    tidied,
)
from tests.environment import isolated_environ

ROOT = NOTEBOOKS.parent
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))

each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
Executed = tuple[Path, dict[str, nbformat.NotebookNode]]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    """A clean folder, and every notebook after a run in it: side by side, as a reader has them.

    All run at once: most of a notebook's time is its simulated jobs', not the machine's.
    """
    home = tmp_path_factory.mktemp("home")
    folder = home / "work"
    folder.mkdir()
    environ = isolated_environ(home)

    async def run(path: Path) -> nbformat.NotebookNode:
        notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
        resources = {"metadata": {"path": str(folder)}}
        client = NotebookClient(notebook, timeout=60, resources=resources)
        # As Jupyter's servers name each notebook to its kernel.
        await client.async_execute(env=environ | {"JPY_SESSION_NAME": path.name})
        return notebook

    async def run_all() -> list[nbformat.NotebookNode]:
        return await asyncio.gather(*map(run, PATHS))

    notebooks = asyncio.run(run_all())
    return folder, {path.stem: notebook for path, notebook in zip(PATHS, notebooks, strict=True)}


def committed(path: Path) -> nbformat.NotebookNode:
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def words(notebook: nbformat.NotebookNode) -> str:
    """All that a notebook holds but its pictures, whose letters mean nothing."""
    return re.sub(r"data:[^\"\\ ]+", "", json.dumps(notebook, ensure_ascii=False))


def kinds(cell: nbformat.NotebookNode) -> list[list[str]]:
    """What a cell has put out, as its kinds: streams, errors, media types."""
    return [
        sorted(output.data) if "data" in output else [output.get("name", output.output_type)]
        for output in cell.outputs
    ]


# The run.


@each_notebook
def test_a_notebook_runs_to_its_end_and_only_cells_that_are_meant_to_fail_do(
    path: Path, executed: Executed
) -> None:
    for cell in code_cells(executed[1][path.stem]):
        is_failing = any(kind in (["error"], ["stderr"]) for kind in kinds(cell))
        is_meant = "raises-exception" in cell.metadata.get("tags", [])
        assert is_failing == is_meant, (cell.source, cell.outputs)


@each_notebook
def test_every_player_of_a_run_has_its_clip_beside_the_notebook(
    path: Path, executed: Executed
) -> None:
    # On Binder no page reaches the kernel's own address: only files and the kernel's messages.
    folder, notebooks = executed
    sources = re.findall(r'<video [^>]*src=\\"([^"\\]+)\\"', words(notebooks[path.stem]))
    assert sources
    assert [source for source in sources if not (folder / source).is_file()] == []


@each_notebook
def test_the_committed_outputs_are_of_the_kinds_that_a_run_brings(
    path: Path, executed: Executed
) -> None:
    folder, notebooks = executed
    now = code_cells(tidied(notebooks[path.stem], folder))
    before = code_cells(committed(path))
    assert [kinds(cell) for cell in before] == [kinds(cell) for cell in now]


def test_the_notebooks_leave_nothing_but_clips_and_their_folder_behind(executed: Executed) -> None:
    assert [path.name for path in executed[0].iterdir()] == ["videos"]  # .gitignore has this one


# What is committed.


@each_notebook
def test_a_committed_notebook_shows_a_picture_where_no_clip_can_play(path: Path) -> None:
    html = "".join(
        output.data.get("text/html", "")
        for cell in code_cells(committed(path))
        for output in cell.outputs
        if "data" in output
    )
    without_video = re.sub(r"</?video[^>]*>", "", html)  # as GitHub does it
    assert re.search(r'<img src="data:image/(webp|jpeg|png);base64,', without_video)


@each_notebook
def test_a_committed_notebook_was_run_top_to_bottom_and_holds_no_noise(path: Path) -> None:
    notebook = committed(path)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)
    assert path.stat().st_size <= MOST_BYTES


@each_notebook
def test_a_committed_notebook_holds_no_widget_that_nobody_could_show(path: Path) -> None:
    text = words(committed(path))
    assert WIDGET not in text
    assert "model_id" not in text


@each_notebook
def test_a_committed_notebook_names_no_machine_and_no_signed_link(path: Path) -> None:
    text = words(committed(path))
    assert (
        re.findall(r"/(?:home|Users|root|tmp|opt|usr|var)/[\w.-]+|[A-Z]:\\\\|ipykernel_\d", text)
        == []
    )
    assert str(ROOT) not in text
    assert "signature=" not in text
    assert "127.0.0.1" not in re.sub(r"http://127\.0\.0\.1:\d+/v1|at 127\.0\.0\.1:? ", "", text)


@each_notebook
def test_the_links_of_a_notebook_lead_to_its_neighbours(path: Path) -> None:
    prose = "".join(cell.source for cell in committed(path).cells if cell.cell_type == "markdown")
    prose = prose.replace(badge_of(path.name), "")
    links = re.findall(r"\]\(([^)]+)\)", prose)
    assert [link for link in links if not (NOTEBOOKS / link).is_file()] == []


# Colab and Binder.


@each_notebook
def test_a_notebook_opens_in_colab_and_installs_the_package_there(path: Path) -> None:
    title, *_ = committed(path).cells
    assert title.source.splitlines()[2] == badge_of(path.name)
    first, *_ = code_cells(committed(path))
    is_editing = path.stem.startswith("07")
    what = '"cometvid-nb[edit]"' if is_editing else "cometvid-nb"
    assert first.source.startswith(INSTALL.format(what=what))
    # One address, so that it is put in everywhere at once.
    assert f"/{REPOSITORY}/" in (ROOT / "README.md").read_text("utf-8")


def test_binder_opens_on_a_notebook_and_installs_by_version_from_no_named_host() -> None:
    opened = re.findall(r"/lab/tree/([\w/.]+)", (ROOT / "binder" / "postBuild").read_text("utf-8"))
    assert {(ROOT / path).is_file() for path in opened} == {True}
    lines = (ROOT / "binder" / "requirements.txt").read_text("utf-8").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert wanted.pop(0) == "."  # with a binder/ folder nothing else installs the package
    assert all(re.fullmatch(r"[a-z]+(==[\d.]+|>=[\d.]+,<\d+)", line) for line in wanted)
    kernel = next(line for line in wanted if line.startswith("ipykernel=="))
    assert tuple(map(int, kernel.partition("==")[2].split("."))) >= (7, 1)
