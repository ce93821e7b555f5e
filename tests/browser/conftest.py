"""One JupyterLab a session, one Chromium with that Lab loaded a test file, one notebook a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser import chromium
from tests.browser.lab import LabServer
from tests.browser.notebook_page import VIEWPORT, Album, LabPages, NotebookPage

expect.set_options(timeout=20_000)  # Playwright's 5 s are short where two cores run four tests

OpenNotebook = Callable[..., NotebookPage]
"""`open_notebook(name, *, has_kernel=True)`: a notebook in a page that no other has now."""


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
    context = browser.new_context(viewport=VIEWPORT)
    yield context
    context.close()


@pytest.fixture(scope="module")
def lab_pages(browser: Browser) -> Iterator[LabPages]:
    """The pages in which the tests of a file open their notebooks."""
    context = browser.new_context(viewport=VIEWPORT)
    yield LabPages(context)
    context.close()


@pytest.fixture
def open_notebook(lab: LabServer, lab_pages: LabPages, album: Album) -> Iterator[OpenNotebook]:
    """Open notebooks of `lab`, each in a page of its own."""
    with notebook_opener(lab, lab_pages, album) as open_:
        yield open_


@contextmanager
def notebook_opener(lab: LabServer, lab_pages: LabPages, album: Album) -> Iterator[OpenNotebook]:
    """A function that opens notebooks of `lab`; what it has opened is closed at the end."""
    opened: list[NotebookPage] = []

    def open_(name: str, *, has_kernel: bool = True) -> NotebookPage:
        page = NotebookPage(lab, lab_pages.lend(lab), album, when_closed=lab_pages.take_back)
        opened.append(page)
        page.open(name, has_kernel=has_kernel)
        return page

    yield open_
    for page in opened:
        page.close()


@pytest.fixture(scope="session")
def album() -> Album:
    """Where pictures go: the folder that `COMETVID_SCREENSHOTS` names, else nowhere."""
    chosen = os.environ.get("COMETVID_SCREENSHOTS")
    return Album(Path(chosen).absolute() if chosen else None)
