"""A notebook open in a real JupyterLab, as a driver with a test's verbs.

The driver speaks to the application object that `expose_app_in_browser` puts on the window,
because commands and models are stable where menus and class names are not. Nothing here sleeps:
every wait is for a condition and has a deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    ViewportSize,
)

from tests.browser.lab import START_WITHIN_S, LabServer

VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
LOOK_EVERY_MS = 50
"""Playwright looks sixty times a second, and has the page drawn anew for each look."""

_IS_READY = """([name, hasKernel]) => {
    const shell = window.jupyterapp?.shell;
    const panel = [...shell?.widgets("main") ?? []].find((one) => one.context?.path === name);
    if (!panel?.context.isReady) return false;
    if (shell.currentWidget !== panel) {
        shell.activateById(panel.id); // Lab restores late what was open before, in front of it
        return false;
    }
    window.cometvidTestPanel = panel;
    const cells = panel.content.widgets;
    if (!cells.length || cells.some((cell) => !cell.isAttached)) return false;
    if (!hasKernel) return true;
    const status = panel.sessionContext.session?.kernel?.status;
    return panel.sessionContext.isReady && (status === "idle" || status === "busy");
}"""
_WHAT_IS_OPEN = """() => JSON.stringify({
    address: location.href,
    current: window.jupyterapp?.shell?.currentWidget?.context?.path,
    open: [...window.jupyterapp?.shell?.widgets("main") ?? []].map((one) => [
        one.context?.path, one.context?.isReady, one.sessionContext?.isReady,
        one.sessionContext?.session?.kernel?.status, one.content?.widgets?.length,
    ]),
    dialog: document.querySelector(".jp-Dialog")?.textContent,
})"""

_HARMLESS_ERRORS = (
    # Lab asks for files and sessions that are gone after a restart, and says so by itself.
    "Failed to load resource: the server responded with a status of 404",
    "net::ERR_CONNECTION_REFUSED",
    # And where a notebook was closed that was still asking its kernel something.
    "Disposed",
    "Canceled future for debug_request message before replies were done",
)


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


class LabPages:
    """The pages of one browser context; of each JupyterLab one is kept for the next notebook.

    To load JupyterLab takes four seconds of a core, to open a notebook in it less than one.
    """

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._idle: dict[str, Page] = {}  # by the address of its JupyterLab

    def lend(self, lab: LabServer) -> Page:
        """A page in which this server's JupyterLab is loaded, or an empty one."""
        if page := self._idle.pop(lab.url, None):
            return page
        page = self._context.new_page()
        # Lab asks before a dirty page is left; Playwright would say "stay".
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def take_back(self, lab: LabServer, page: Page) -> None:
        """Keep a page for later, unless a test has closed it, left Lab, or changed its looks.

        No notebook may be open in it any more.
        """
        if page.is_closed():
            return
        is_wanted = page.url.startswith(lab.url) and lab.url not in self._idle
        if not (is_wanted and page.evaluate(_IS_AS_LOADED)):
            page.close()
            return
        page.set_viewport_size(VIEWPORT)
        self._idle[lab.url] = page

    def forget(self, lab: LabServer) -> None:
        """Close what is kept of a server that stops: its page would go on asking for it."""
        if page := self._idle.pop(lab.url, None):
            page.close()


class NotebookPage:
    """A notebook open in JupyterLab in a page of a browser, and what a person does with it.

    Cells are counted from 0. `errors` collects what the page's console calls an error, so that
    a test can end with `assert page.errors == []`.
    """

    def __init__(
        self,
        lab: LabServer,
        page: Page,
        album: Album | None = None,
        *,
        when_closed: Callable[[Page], None] = lambda page: None,
    ) -> None:
        self._lab = lab
        self._when_closed = when_closed
        self.album = album or Album()
        self._name, self._has_kernel = "", True
        self._is_closed = False
        self.browser_page = page
        self.errors: list[str] = []
        self._listeners: dict[Any, Any] = {
            "console": self._note_console,
            "pageerror": lambda error: self._note(str(error)),
        }
        for event, listener in self._listeners.items():
            page.on(event, listener)

    def _note_console(self, message: ConsoleMessage) -> None:
        # The badges of the demo notebooks lie there, and a test needs no internet.
        is_badge = "://colab.research.google.com/" in message.location.get("url", "")
        if message.type == "error" and not is_badge:
            self._note(message.text)

    def _note(self, error: str) -> None:
        if not any(words in error for words in _HARMLESS_ERRORS):
            self.errors.append(error)

    # -- the notebook as a whole

    def open(self, name: str, *, has_kernel: bool = True) -> None:
        """Open a notebook and wait for its cells and, unless told otherwise, its kernel.

        Where the page has this JupyterLab loaded, it is opened beside what else is open there.
        """
        self._name, self._has_kernel = name, has_kernel
        if self.browser_page.url.startswith(self._lab.url):
            self.browser_page.evaluate(_OPEN, name)
        else:
            self.browser_page.goto(self._lab.address(name), wait_until="domcontentloaded")
        self._wait_ready(has_kernel=has_kernel)

    def close(self) -> None:
        """Close the notebook, whatever is not saved, and leave the page to another.

        Its kernel goes on, as behind a notebook that a person closes. Twice is once.
        """
        if self._is_closed:
            return
        self._is_closed = True
        for event, listener in self._listeners.items():
            self.browser_page.remove_listener(event, listener)
        if not self.browser_page.is_closed():
            if not self._has_kernel:
                # What is closed while its kernel starts trips over that later, in another's page.
                self.browser_page.evaluate(_KERNELS_ARE_READY)
            self.browser_page.evaluate(_CLOSE_ALL)
        self._when_closed(self.browser_page)

    def reload(self) -> None:
        """Reload the page; the kernel and its widgets go on."""
        self.browser_page.reload(wait_until="domcontentloaded")
        self.browser_page.wait_for_function(_NOTE_ADDRESS, polling=LOOK_EVERY_MS)
        self._wait_ready(has_kernel=True)
        # Else what its address names comes later, in front of what a test has opened meanwhile.
        self.browser_page.evaluate("() => window.cometvidTestAddress.then(() => {})")

    def _wait_ready(self, *, has_kernel: bool) -> None:
        try:
            self.browser_page.wait_for_function(
                _IS_READY,
                arg=[self._name, has_kernel],
                timeout=START_WITHIN_S * 1000,
                polling=LOOK_EVERY_MS,
            )
        except Error as error:
            error.add_note(f"The page then: {self.browser_page.evaluate(_WHAT_IS_OPEN)}")
            raise

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

    def share_kernel(self, other: str) -> None:
        """Work on the kernel of another notebook, as the menu "Change Kernel" offers it."""
        self.browser_page.evaluate(
            """async (other) => {
                const { sessionContext } = window.cometvidTestPanel;
                await sessionContext.sessionManager.refreshRunning();
                const session = [...sessionContext.sessionManager.running()]
                    .find(({ path }) => path === other);
                await sessionContext.changeKernel({ id: session.kernel.id });
            }""",
            other,
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
        self.browser_page.wait_for_function(
            _IS_DONE, arg=index, timeout=within_s * 1000, polling=LOOK_EVERY_MS
        )

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

_NOTE_ADDRESS = """() => {
    const { commands } = window.jupyterapp ?? {};
    if (!commands) return false;
    window.cometvidTestAddress = new Promise((done) => {
        commands.commandExecuted.connect((_, { id, result }) => {
            if (id === "filebrowser:open-path") result.then(done, done);
        });
    });
    return true;
}"""
_OPEN = """async (path) => {
    const { commands, serviceManager } = window.jupyterapp;
    await serviceManager.kernelspecs.refreshSpecs();  // of a kernel that was added meanwhile, too
    await commands.execute("docmanager:open", { path });
}"""
_KERNELS_ARE_READY = """async () => {
    const panels = [...(window.jupyterapp?.shell.widgets("main") ?? [])];
    await Promise.all(panels.map((panel) => panel.sessionContext?.ready));
}"""
_CLOSE_ALL = """() => {
    for (const widget of [...(window.jupyterapp?.shell.widgets("main") ?? [])]) widget.dispose();
}"""
_IS_AS_LOADED = """() => {
    const shell = window.jupyterapp?.shell;
    if (!shell || [...shell.widgets("main")].some((widget) => widget.context)) return false;
    const isLight = document.body.dataset.jpThemeLight === "true";
    return isLight && !shell.leftCollapsed && !document.querySelector(".jp-Dialog");
}"""
