"""One JupyterLab a session, one Chromium a test file, one notebook page a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser import chromium
from tests.browser.lab import Album, LabServer, NotebookPage

OpenNotebook = Callable[..., NotebookPage]
"""`open_notebook(name, *, has_kernel=True)`: a notebook in a browser context of its own."""


@pytest.fixture(scope="session")
def lab_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """The session's JupyterLab; tests use `lab`."""
    server = LabServer(tmp_path_factory.mktemp("lab"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def lab(lab_session: LabServer) -> Iterator[LabServer]:
    """A running JupyterLab without kernels and with default settings.

    A test may stop it and start it again. Its notebooks stay, so a test names its own.
    """
    if not lab_session.is_running:
        lab_session.start()
    yield lab_session
    lab_session.end_sessions()
    lab_session.forget_settings()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium that plays H.264.

    One a file and not one a session: Playwright's synchronous door keeps an event loop running
    in this thread for as long as it is open, and tests elsewhere start their own.
    """
    path = chromium.find()
    if path is None:
        pytest.fail(chromium.MISSING, pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def browser_context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own, closed after the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def open_notebook(lab: LabServer, browser_context: BrowserContext, album: Album) -> OpenNotebook:
    """Open a notebook of `lab` in a new page."""

    def open_(name: str, *, has_kernel: bool = True) -> NotebookPage:
        page = NotebookPage(lab, browser_context, album)
        page.open(name, has_kernel=has_kernel)
        return page

    return open_


@pytest.fixture(scope="session")
def album() -> Album:
    """Where pictures go: the folder that `COMETVID_SCREENSHOTS` names, else nowhere."""
    chosen = os.environ.get("COMETVID_SCREENSHOTS")
    return Album(Path(chosen).absolute() if chosen else None)
