"""Runs the notebooks and writes what they show into their files, as they are committed.

    make pictures            or: python -m docs.make_notebooks [notebooks/02_many_takes.ipynb …]

Each runs headless in an empty folder, top to bottom, as `jupyter execute` does. What is left out
afterwards holds for this run alone: widgets (their kernel is gone), times, the folder's name.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.environment import isolated_environ

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
MOST_BYTES = 450_000
REPOSITORY = "OWNER/REPO"
"""The address at GitHub, as README.md writes it too, until the repository has one."""
INSTALL = """\
if "google.colab" in str(get_ipython()):
    %pip install --quiet {what}

"""
"""How the first cell of each notebook begins, as Colab opens a notebook and nothing else. `what`:
the package, with the extra that the notebook needs."""


def main(names: list[str]) -> int:
    """Run all notebooks, or those that are named; 1 if one grew too large."""
    is_small = True
    for path in [Path(name) for name in names] or sorted(NOTEBOOKS.glob("*.ipynb")):
        began_s = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            notebook = run(path, Path(folder))
        nbformat.write(notebook, path)
        size_bytes = path.stat().st_size
        is_small = is_small and size_bytes <= MOST_BYTES
        print(f"{path.name}: {time.monotonic() - began_s:.0f} s, {size_bytes / 1e3:.0f} kB")
    return 0 if is_small else 1


def run(path: Path, home: Path) -> nbformat.NotebookNode:
    """A notebook with the outputs of a run in `home/work`, fit to be committed.

    Raises:
        CellExecutionError: a cell failed that is not meant to.
    """
    folder = home / "work"
    folder.mkdir()
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, resources=resources).execute(env=isolated_environ(home))
    return tidied(notebook, folder)


def badge_of(name: str) -> str:
    """The badge under the title of a notebook that opens it in Colab."""
    colab = "https://colab.research.google.com"
    image = f"![Open in Colab]({colab}/assets/colab-badge.svg)"
    return f"[{image}]({colab}/github/{REPOSITORY}/blob/HEAD/notebooks/{name})"


def tidied(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """`notebook` without widgets, times and the name of the folder it ran in."""
    notebook.metadata = {
        "kernelspec": notebook.metadata.kernelspec,
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            kept = [output for output in cell.outputs if _is_kept(output)]
            text = json.dumps(_joined(kept)).replace(f"{folder.resolve()}/", "")
            cell.outputs = [nbformat.from_dict(output) for output in json.loads(text)]
    return notebook


def _is_kept(output: nbformat.NotebookNode) -> bool:
    """Whether an output still says something without its widget, which is taken out."""
    data = output.get("data", {})
    return data.pop(WIDGET, None) is None or "text/html" in data


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Texts of one stream that follow each other, as a page shows them: as one."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        name = output.get("name")
        if joined and name is not None and joined[-1].get("name") == name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
