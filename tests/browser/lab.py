"""A real JupyterLab as a process, and one notebook open in it as a driver with a test's verbs.

The driver speaks to the application object that `--expose-app-in-browser` puts on the window,
because commands and models are stable where menus and class names are not. Nothing here sleeps:
every wait is for a condition and has a deadline.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat.sign import NotebookNotary
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page

from tests.environment import isolated_environ

START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0
WAIT_MS = 30_000.0

_OVERRIDES = {
    # No dialog, no request to the outside.
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    # Every cell in the page, also those out of sight: a test reads them all.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    # Only `save()` saves, so a test knows what the file holds.
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}

_HARMLESS_CONSOLE_ERRORS = (
    # Lab asks for files and sessions that are gone after a restart, and says so by itself.
    "Failed to load resource: the server responded with a status of 404",
    "net::ERR_CONNECTION_REFUSED",
)


class LabServer:
    """One JupyterLab on its own port, folder and home; `stop()` and `start()` may alternate.

    What a person would find again after a restart (notebooks, signatures, settings) is kept.
    `without` names front-end extensions that this server lacks.
    """

    def __init__(self, home: Path, *, without: Sequence[str] = ()) -> None:
        self._home = home
        self.root = home / "notebooks"
        self.root.mkdir(parents=True)
        self._token = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = home / "jupyterlab.log"
        self._environ = isolated_environ(home)
        config = Path(self._environ["JUPYTER_CONFIG_DIR"])
        overrides = config / "labconfig" / "default_setting_overrides.json"
        overrides.parent.mkdir(parents=True)
        overrides.write_text(json.dumps(_OVERRIDES), encoding="utf-8")
        lacking = {"disabledExtensions": dict.fromkeys(without, True)}
        (overrides.parent / "page_config.json").write_text(json.dumps(lacking), encoding="utf-8")
        self.url = ""
        """Base address with a slash at the end; empty until the first `start()`."""

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        runtime = Path(self._environ["JUPYTER_RUNTIME_DIR"])
        shutil.rmtree(runtime, ignore_errors=True)
        options = [
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self._token}",
            "--LabApp.news_url=None",
            # The default one asks PyPI for a list.
            "--LabApp.extension_manager=readonly",
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *options],
                cwd=self.root,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_WITHIN_S
        while not self._is_answering(runtime):
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self._log.read_text(errors="replace")[-4000:]
                self.stop()
                raise RuntimeError(f"JupyterLab did not start. Its log ends:\n{tail}")
            time.sleep(0.05)

    def _is_answering(self, runtime: Path) -> bool:
        for path in runtime.glob("jpserver-*.json"):
            try:
                self.url = json.loads(path.read_text(encoding="utf-8"))["url"]
                self._ask("GET", "api/status")
            except (OSError, ValueError, KeyError):
                return False
            return True
        return False

    def stop(self) -> None:
        """Stop the server and with it every kernel; nothing happens if it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()  # the server ends its kernels first
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def add_kernel(self, name: str, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        """Offer a kernel beside `python3`; `environ` goes before this server's."""
        spec = {"argv": [*argv], "display_name": name, "language": "python", "env": {**environ}}
        folder = Path(self._environ["JUPYTER_DATA_DIR"]) / "kernels" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")

    def forget_settings(self) -> None:
        """Forget what a page changed for good, such as the theme, and its layout."""
        lab = Path(self._environ["JUPYTER_CONFIG_DIR"]) / "lab"
        for folder in ("user-settings", "workspaces"):
            shutil.rmtree(lab / folder, ignore_errors=True)

    def end_sessions(self) -> None:
        """Shut every kernel down: a notebook's kernel outlives its page."""
        if not self.is_running:
            return
        for kind in ("sessions", "kernels"):
            for entry in json.loads(self._ask("GET", f"api/{kind}")):
                self._ask("DELETE", f"api/{kind}/{entry['id']}")

    def _ask(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Authorization": f"token {self._token}"}
        )
        with urllib.request.urlopen(request, timeout=STOP_WITHIN_S) as answer:
            return bytes(answer.read())

    def write_notebook(
        self, name: str, cells: Sequence[str | nbformat.NotebookNode], *, is_trusted: bool = True
    ) -> Path:
        """Write a notebook of code cells (or ready cells) and return its path.

        A trusted one is signed, as if its outputs had been made by this user.
        """
        notebook = nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells
            ],
            metadata={
                # Without a kernelspec Lab asks which kernel to use.
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
        )
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        if is_trusted:
            self.sign(path)
        return path

    def copy_untrusted(self, source: str, target: str) -> Path:
        """Copy a saved notebook as another person would receive it: same text, no signature here.

        A signature covers the content, so the copy differs in a metadata entry.
        """
        notebook = self.read_notebook(source)
        notebook.metadata["copied_from"] = source
        path = self.root / target
        nbformat.write(notebook, path)
        return path

    def sign(self, path: Path) -> None:
        """Trust a notebook file, as `jupyter trust` does."""
        notary = NotebookNotary(data_dir=self._environ["JUPYTER_DATA_DIR"])
        try:
            notary.sign(nbformat.read(path, as_version=4))
        finally:
            notary.store.close()

    def read_notebook(self, name: str) -> nbformat.NotebookNode:
        """Return the notebook as the file on disk holds it."""
        notebook: nbformat.NotebookNode = nbformat.read(self.root / name, as_version=4)
        return notebook

    def address(self, name: str) -> str:
        """Address that opens the notebook in a fresh workspace."""
        return f"{self.url}lab/tree/{name}?token={self._token}&reset"


class Album:
    """Pictures for a person to look at. Without a `folder` none is taken: they take their time."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def is_wanted(self) -> bool:
        """Whether somebody wants to see pictures."""
        return self._folder is not None

    def take(self, name: str, of: Page | Locator, **options: Any) -> None:
        """Keep a picture of a page, or of one place in it."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            of.screenshot(path=self._folder / f"{name}.png", **options)


class NotebookPage:
    """A notebook open in JupyterLab in its own browser context, and what a person does with it.

    Cells are counted from 0. `errors` collects what the page's console calls an error, so that
    a test can end with `assert page.errors == []`.
    """

    def __init__(self, lab: LabServer, context: BrowserContext, album: Album | None = None) -> None:
        self._lab = lab
        self.album = album or Album()
        self._name = ""
        self.browser_page: Page = context.new_page()
        self.browser_page.set_default_timeout(WAIT_MS)
        self.errors: list[str] = []
        # Lab asks before a dirty page is left; Playwright would say "stay".
        self.browser_page.on("dialog", lambda dialog: dialog.accept())
        self.browser_page.on("console", self._note_console)
        self.browser_page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note_console(self, message: ConsoleMessage) -> None:
        text = message.text
        if message.type == "error" and not any(h in text for h in _HARMLESS_CONSOLE_ERRORS):
            self.errors.append(text)

    # -- the notebook as a whole

    def open(self, name: str, *, has_kernel: bool = True) -> None:
        """Open a notebook and wait for its cells and, unless told otherwise, its kernel."""
        self._name = name
        self.browser_page.goto(self._lab.address(name), wait_until="domcontentloaded")
        self._wait_ready(has_kernel=has_kernel)

    def reload(self) -> None:
        """Reload the page; the kernel and its widgets go on."""
        self.browser_page.reload(wait_until="domcontentloaded")
        self._wait_ready(has_kernel=True)

    def _wait_ready(self, *, has_kernel: bool) -> None:
        self.browser_page.wait_for_function(
            """([name, hasKernel]) => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                if (panel?.context?.path !== name || !panel.context.isReady) return false;
                window.cometvidTestPanel = panel;
                const cells = panel.content.widgets;
                if (!cells.length || cells.some((cell) => !cell.isAttached)) return false;
                if (!hasKernel) return true;
                const status = panel.sessionContext.session?.kernel?.status;
                return panel.sessionContext.isReady && (status === "idle" || status === "busy");
            }""",
            arg=[self._name, has_kernel],
            timeout=START_WITHIN_S * 1000,
        )

    def save(self) -> None:
        """Save the notebook, outputs and widget state included, and wait until it is written."""
        self.command("docmanager:save")
        # What changes while it is being written leaves it dirty: then once more, as a person would.
        self.browser_page.wait_for_function(
            """async () => {
                const { context } = window.cometvidTestPanel;
                if (context.model.dirty) await context.save();
                return !context.model.dirty;
            }"""
        )

    def trust(self) -> None:
        """Trust the notebook as the command of that name does, its question answered with yes."""
        self._command_soon("notebook:trust")
        self.browser_page.locator(".jp-Dialog .jp-mod-accept").click()
        self.browser_page.wait_for_function(
            """[...window.cometvidTestPanel.content.widgets].every(
                (cell) => cell.model.type !== "code" || cell.model.trusted)"""
        )

    def command(self, command: str, **args: Any) -> None:
        """Run a JupyterLab command and wait for its end."""
        self.browser_page.evaluate(
            "async ([id, args]) => { await window.jupyterapp.commands.execute(id, args); }",
            [command, args],
        )

    def _command_soon(self, command: str) -> None:
        # A failing cell rejects the promise; that is the cell's business, not an error of the page.
        self.browser_page.evaluate(
            "(id) => { window.jupyterapp.commands.execute(id).catch(() => {}); }", command
        )

    def set_theme(self, theme: Literal["light", "dark"]) -> None:
        """Switch JupyterLab's theme and wait until the page wears it."""
        name = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme]
        self.command("apputils:change-theme", theme=name)
        is_light = "true" if theme == "light" else "false"
        self.browser_page.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(
            state="attached"
        )
        # Lab draws its logo over everything meanwhile; a picture should not show it.
        self.browser_page.locator("#jupyterlab-splash").wait_for(state="detached")

    def end_session(self) -> None:
        """Shut the kernel down and leave the page open."""
        self.browser_page.evaluate(
            "async () => { await window.cometvidTestPanel.sessionContext.shutdown(); }"
        )

    # -- its cells

    def run_all(self) -> None:
        """Start running every cell from the top; returns at once."""
        self._forget_executions("true")
        self._command_soon("notebook:run-all-cells")

    def run_cell(self, index: int) -> None:
        """Start running one cell; returns at once, also while an earlier cell is busy."""
        self._forget_executions(f"i === {index:d}")
        self.browser_page.evaluate(
            """(index) => {
                const notebook = window.cometvidTestPanel.content;
                notebook.deselectAll();
                notebook.activeCellIndex = index;
            }""",
            index,
        )
        self._command_soon("notebook:run-cell")

    def _forget_executions(self, condition: str) -> None:
        # An old execution count would let `wait_cell_done` return before the cell has begun.
        self.browser_page.evaluate(
            f"""() => window.cometvidTestPanel.content.widgets.forEach((cell, i) => {{
                if (cell.model.type === "code" && ({condition})) cell.model.clearExecution();
            }})"""
        )

    def set_cell(self, index: int, source: str) -> None:
        """Replace a cell's source."""
        self.browser_page.evaluate(
            """([index, source]) => {
                const cell = window.cometvidTestPanel.content.widgets[index];
                cell.model.sharedModel.setSource(source);
            }""",
            [index, source],
        )

    def is_cell_done(self, index: int) -> bool:
        """Whether the cell has run to its end since it was last started."""
        return bool(self.browser_page.evaluate(_IS_DONE, index))

    def wait_cell_done(self, index: int, *, within_s: float = 30.0) -> None:
        """Wait until the cell has run to its end."""
        self.browser_page.wait_for_function(_IS_DONE, arg=index, timeout=within_s * 1000)

    def cell(self, index: int) -> Locator:
        """The whole cell."""
        return self.browser_page.locator(".jp-NotebookPanel:visible .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """What stands below the cell."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    # -- looking at it

    def text(self) -> str:
        """All text that the notebook shows, sources and outputs."""
        return self.browser_page.locator(".jp-NotebookPanel:visible .jp-Notebook").inner_text()

    def screenshot(self, name: str, of: Locator | None = None) -> None:
        """Take a picture of the page, or of one place in it, where somebody wants to see it."""
        self.album.take(name, of or self.browser_page)


_IS_DONE = """(index) => {
    const model = window.cometvidTestPanel.content.widgets[index].model;
    return model.executionState === "idle" && model.executionCount !== null;
}"""
