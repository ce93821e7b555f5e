"""A real JupyterLab as a process: its folder of notebooks, its kernels, its settings."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

from tests.environment import isolated_environ

START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0

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

UNUSED = (
    *(
        f"@jupyterlab/{name}-extension"
        for name in (
            *("csvviewer", "debugger", "extensionmanager", "help", "hub", "imageviewer", "json"),
            *("inspector", "javascript", "launcher", "logconsole", "lsp", "mathjax", "mermaid"),
            *("pdf", "pluginmanager", "settingeditor", "terminal", "toc", "vega5", "workspaces"),
        )
    ),
    # What would miss those.
    "@jupyterlab/fileeditor-extension:language-server",
    "@jupyterlab/notebook-extension:language-server",
    "@jupyterlab/notebook-extension:toc",
)
"""Front-end extensions that no test needs: they are a third of the time in which a page loads.
The servers of `test_front_ends` have them."""


class LabServer:
    """One JupyterLab on its own port, folder and home; `stop()` and `start()` may alternate.

    What a person would find again after a restart (notebooks, signatures, settings) is kept.
    `without` names front-end extensions that this server lacks.
    """

    def __init__(self, home: Path, *, without: Sequence[str] = UNUSED) -> None:
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
        page = lacking | {"buildCheck": False}  # else each page has node started to look for news
        (overrides.parent / "page_config.json").write_text(json.dumps(page), encoding="utf-8")
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
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
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
                with suppress(urllib.error.HTTPError):  # it went with the kernel they shared
                    self._ask("DELETE", f"api/{kind}/{entry['id']}")

    def start_kernel(self, folder: str) -> str:
        """Start a kernel in a folder below the root; return the address of its messages."""
        body = json.dumps({"name": "python3", "path": folder}).encode()
        kernel = json.loads(self._ask("POST", "api/kernels", body))["id"]
        address = self.url.replace("http:", "ws:")
        return f"{address}api/kernels/{kernel}/channels?token={self._token}"

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Authorization": f"token {self._token}"}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)
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
