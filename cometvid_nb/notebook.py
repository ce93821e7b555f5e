"""Tells about the notebook this process runs in: shell, folder, running cell, idle kernel."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import marimo
from .errors import SettingsError

LOOK_EVERY_S = 0.25
"""How often `until_idle` checks whether a cell runs; a check costs next to nothing."""
LATE_S = 0.5
"""A loop that resumes a sleep this much too late was blocked, as a rule by a cell."""
_LASTING_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What nbformat 4.5 allows as the id of a cell. VS Code tells an address that ends in the place
where the cell stood when the file was opened."""
_PARAMETERS = {
    **dict.fromkeys(("-p", "--parameters", "-r", "--parameters_raw"), 2),
    **dict.fromkeys(("-f", "--parameters_file", "-y", "--parameters_yaml"), 1),
    **dict.fromkeys(("-b", "--parameters_base64"), 1),
}
"""The options of papermill that set a parameter, and how many words follow each."""
_TAIL_BYTES = 4096
"""The numbers of the format stand at the end of a notebook's file, as its keys are sorted."""


def shell() -> Any:
    """Return the IPython shell of this process, or None in plain Python."""
    # Not imported: a script without IPython must not pay for it, and has no shell anyway.
    interactive = sys.modules.get("IPython.core.getipython")
    return interactive.get_ipython() if interactive is not None else None


def check_place() -> None:
    """Return if there is a kernel that can watch.

    Raises:
        SettingsError: it runs inside a browser, where no thread can start and no socket be opened.
    """
    if sys.platform == "emscripten":
        raise SettingsError(
            "cometvid_nb cannot run inside a browser (JupyterLite, Pyodide): Python has neither "
            "threads nor sockets there. Open the notebook where it has a kernel of its own, such "
            "as JupyterLab, Colab or Binder."
        )


def notebook_folder() -> Path:
    """Return the folder of the notebook: where its kernel started, else the working folder.

    The folder of the start, as a cell may call `os.chdir`, and the notebook does not move along.
    VS Code, whose `jupyter.notebookFileRoot` starts kernels anywhere, and marimo tell its file.

    Raises:
        SettingsError: the working folder no longer exists.
    """
    if (file := marimo.notebook_file()) is not None:
        return file.parent
    if (told := _folder_in_vs_code()) is not None:
        return told
    starting_folder: str | None = getattr(shell(), "starting_dir", None)
    try:
        return Path(starting_folder) if starting_folder else Path.cwd()
    except FileNotFoundError as error:
        raise SettingsError(
            "The working folder of this process no longer exists: change to another (os.chdir)."
        ) from error


def served_root() -> Path | None:
    """Return the folder below which a page can load files, or None where nobody tells.

    In VS Code the folder where the kernel started, as a rule the workspace: its pages load what
    lies in there. Jupyter's servers note theirs beside the connection files of their kernels.
    """
    here = shell()
    if _name_in_vs_code() is not None:
        starting_folder: str | None = getattr(here, "starting_dir", None)
        return Path(starting_folder) if starting_folder else None
    application = getattr(getattr(here, "kernel", None), "parent", None)
    connection: str | None = getattr(application, "abs_connection_file", None)
    if not connection:
        return None
    server = os.environ.get("JPY_PARENT_PID") if os.name == "posix" else None
    note = Path(connection).with_name(f"jpserver-{server or os.getppid()}.json")
    try:
        root = json.loads(note.read_text(encoding="utf-8"))["root_dir"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Path(root) if isinstance(root, str) and root else None


def notebook_name() -> str:
    """Return what tells this notebook from others: its path, else its folder.

    Jupyter's servers tell the path in the environment of the kernel, VS Code in a variable, marimo
    in its context.
    """
    return _told_name() or str(notebook_folder())


def _told_name() -> str | None:
    if (file := marimo.notebook_file()) is not None:
        return str(file)
    return _name_in_vs_code() or os.environ.get("JPY_SESSION_NAME")


def _name_in_vs_code() -> str | None:
    """Return the notebook's path as VS Code tells it, the bare name of one not saved yet."""
    told = getattr(shell(), "user_ns", {}).get("__vsc_ipynb_file__")
    return told if isinstance(told, str) and told else None


def _folder_in_vs_code() -> Path | None:
    """Return the folder of the path that VS Code tells, or None where there is no such folder.

    A notebook not saved yet has none (`Untitled-1.ipynb`, on some systems `/Untitled-1.ipynb`),
    and one whose kernel runs on another machine has none here.
    """
    told = _name_in_vs_code()
    try:
        file = Path(told) if told else None
        is_here = file is not None and file.is_absolute() and file.parent.is_dir()
        if file is None or not is_here or (file.parent == Path(file.anchor) and not file.exists()):
            return None
    except (OSError, ValueError):  # it may not be looked into, or no file can be named so
        return None
    return file.parent


def cell_number() -> int | None:
    """Return the number of the cell that is running, or None outside IPython."""
    number: int | None = getattr(shell(), "execution_count", None)
    return number


@dataclass(frozen=True, slots=True)
class CellRun:
    """One run of a cell of a notebook."""

    notebook: str
    """The path of the notebook, or what else names it."""
    cell: str
    """The same for each run of the cell in this kernel; "" where the front end tells no cells
    apart."""
    run: str
    """Another one for each run."""
    code: str
    """The text of the cell."""
    lasting_id: str | None
    """The id that the file keeps for the cell; None: it keeps none, or the front end tells none."""
    deleted: frozenset[str]
    """The ids of cells that the page has deleted, as far as this run tells."""

    @property
    def is_told(self) -> bool:
        """Whether the front end tells which cell it is."""
        return self.cell not in ("", self.run)


def running_cell() -> CellRun | None:
    """Return the run of the cell that this code belongs to.

    None in plain Python and in a terminal, in the answer to a click, and where nobody tells which
    notebook it is.
    """
    here = shell()
    if here is None:
        return _marimo_run()
    try:
        parent = here.get_parent()
        header, content = parent["header"], parent.get("content") or {}
        metadata = parent.get("metadata") or {}
        if header["msg_type"] != "execute_request":
            return None
    except (AttributeError, LookupError, TypeError):
        return None
    # Nobody is there to type, so that each cell runs once. The environment may name the notebook
    # of another kernel, which has started this run.
    is_headless = content.get("allow_stdin") is False
    notebook = _notebook_of_parent() if is_headless else _told_name()
    told, run = metadata.get("cellId"), str(header.get("msg_id"))
    is_console = not (is_headless or told or str(notebook).lower().endswith(".ipynb"))
    if not isinstance(notebook, str) or is_console:  # a console has a session with a name, too
        return None
    if not is_headless and "://" not in notebook:
        notebook = str((notebook_folder() / notebook).resolve())
    told = str(told)[:1000] if told else ""
    deleted = metadata.get("deletedCells")
    return CellRun(
        notebook,
        told or (run if is_headless else ""),
        run,
        str(content.get("code", "")),
        lasting_id=lasting_id(told, notebook),
        deleted=frozenset(map(str, deleted)) if isinstance(deleted, list) else frozenset(),
    )


def _marimo_run() -> CellRun | None:
    # marimo numbers the cells of a file when it opens it: no id of them lasts.
    told = marimo.running_cell()
    if told is None:
        return None
    return CellRun(
        str(told.notebook), told.cell, told.run, told.code, lasting_id=None, deleted=frozenset()
    )


def lasting_id(told: str, notebook: str) -> str | None:
    """Return the id that a page tells of a cell, if the file of the notebook keeps it.

    It does so from nbformat 4.5 on. Else a page invents ids anew each time it opens the file.
    """
    if not _LASTING_ID.fullmatch(told):
        return None
    try:
        with Path(notebook).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            tail = file.read()
    except (OSError, ValueError):
        return told  # it is elsewhere; today's front ends write the format of today
    minor = re.findall(rb'"nbformat_minor"\s*:\s*(\d{1,4})', tail)
    is_kept = notebook.lower().endswith(".ipynb") and not (minor and int(minor[-1]) < 5)
    return told if is_kept else None


def _notebook_of_parent() -> str | None:
    """Return the notebook that the command runs which has started this kernel, or None.

    nbclient tells a kernel nothing but its folder.
    """
    import psutil  # costs an import, and only a headless run comes here

    try:
        parent = psutil.Process(os.getppid())
        # Windows starts the Python of an environment by another one, with the same arguments.
        if parent.cmdline()[1:] == psutil.Process().cmdline()[1:] and (above := parent.parent()):
            parent = above
        words = parent.cmdline()
        name = notebook_in(words)
        if name is not None and "://" not in name:
            name = str((Path(parent.cwd()) / name).resolve())
    except (psutil.Error, OSError):
        return None
    return f"{name}{parameters_in(words)}" if name is not None else None


def notebook_in(words: Sequence[str]) -> str | None:
    """Return the notebook that a command line runs: of `papermill IN OUT` the first.

    None: there is none among the words, or it is not clear which.
    """
    given = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word.lower().endswith(".ipynb") and word[:1] != "-" and before != "--output"
    ]
    is_papermill = any(Path(word).stem == "papermill" for word in words[:3])
    return given[0] if given and (is_papermill or len(given) == 1) else None


def parameters_in(words: Sequence[str]) -> str:
    """Return a mark for the parameters of a papermill run, "" without any.

    With other ones it is another notebook: five runs for five takes make five jobs. A mark and not
    the words, as a password may be among them.
    """
    given = [
        tuple(words[at : at + 1 + count])
        for at, word in enumerate(words)
        if (count := _PARAMETERS.get(word, 0))
    ]
    mark = hashlib.sha256(repr(sorted(given)).encode("utf-8", "replace")).hexdigest()
    return f"#{mark[:16]}" if given else ""


class _Cells:
    """Counts the running cells of a shell.

    A count and not a flag: an asynchronous cell is still running while the next one begins.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._running = 1  # this object is made inside a cell, after that cell's pre_execute
        shell.events.register("pre_execute", self._begin)
        shell.events.register("post_execute", self._end)

    @property
    def is_running(self) -> bool:
        return self._running > 0

    def _begin(self) -> None:
        self._running += 1

    def _end(self) -> None:
        self._running = max(0, self._running - 1)


# Made at the first `spawn`, so that a session that never shows a widget registers no events.
_cells: _Cells | None = None


def spawn(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` on the kernel's main thread, which handles messages; return at once.

    Safe to call from any thread, but the first call must come from a cell. Without a kernel
    `work` is closed unrun.
    """
    global _cells
    here = shell()
    loop = getattr(getattr(here, "kernel", None), "io_loop", None)
    if loop is None:
        work.close()
        return
    if _cells is None or _cells.shell is not here:
        _cells = _Cells(here)
    loop.add_callback(lambda: work)


async def until_idle(idle_s: float) -> None:
    """Return once no cell has run for `idle_s` seconds in a row; for coroutines given to `spawn`.

    By then the kernel has handled every message that the page had sent. While a cell runs, the
    kernel handles none, not even during an `await` in the cell.
    """
    import asyncio  # `import cometvid_nb` comes by here, and must not pay for it

    clock = asyncio.get_running_loop().time
    due_s, idle_for_s = clock(), 0.0
    while idle_for_s < idle_s:
        # After a long cell the waiting messages and this coroutine are due together. A late
        # wake-up therefore does not count as idle: the messages must be handled first.
        is_free = not (_cells and _cells.is_running) and clock() - due_s < LATE_S
        idle_for_s = idle_for_s + LOOK_EVERY_S if is_free else 0.0
        due_s = clock() + LOOK_EVERY_S
        await asyncio.sleep(LOOK_EVERY_S)
