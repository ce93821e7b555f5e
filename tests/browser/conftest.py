"""One JupyterLab and one Chromium with that Lab loaded a session, one notebook a test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser import chromium
from tests.browser.card_page import CardPage, Site
from tests.browser.lab import LabServer
from tests.browser.notebook_page import VIEWPORT, Album, LabPages, NotebookPage

expect.set_options(timeout=20_000)  # Playwright's 5 s are short where two cores run four tests

PLAYWRIGHT_LOOP = pytest.StashKey[asyncio.AbstractEventLoop]()

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


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """A Chromium that plays H.264."""
    path = chromium.find()
    if path is None:
        pytest.fail(chromium.MISSING, pytrace=False)
    with sync_playwright() as playwright:
        loop = pytestconfig.stash[PLAYWRIGHT_LOOP] = asyncio.get_running_loop()
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield browser
        asyncio._set_running_loop(loop)  # the last test of the session may have been another's
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Hide Playwright's event loop from the tests elsewhere, which start their own.

    Its synchronous door keeps one running in this thread for as long as it is open, that is, for
    the session: to start Chromium and load JupyterLab for each file would take minutes of a core.
    """
    if Path(__file__).parent not in item.path.parents:  # pytest asks for every test of the session
        return (yield)
    asyncio._set_running_loop(item.config.stash.get(PLAYWRIGHT_LOOP, None))
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(None)


@pytest.fixture
def browser_context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own, closed after the test."""
    context = browser.new_context(viewport=VIEWPORT)
    yield context
    context.close()


@pytest.fixture(scope="session")
def lab_pages(browser: Browser) -> LabPages:
    """The pages in which tests open their notebooks.

    Nothing on them moves by itself: to draw a comet sixty times a second takes a sixth of a core.
    """
    return LabPages(browser.new_context(viewport=VIEWPORT, reduced_motion="reduce"))


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
        give_back = partial(lab_pages.take_back, lab)
        page = NotebookPage(lab, lab_pages.lend(lab), album, when_closed=give_back)
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


@pytest.fixture
def page_options() -> dict[str, Any]:
    """What the page of `view` is like; a file of tests may want another one."""
    return {}


@pytest.fixture
def view(browser: Browser, site: Site, page_options: dict[str, Any]) -> Iterator[CardPage]:
    """A page for a card or a gallery alone; a test opens it, and may first set its clock.

    Nothing moves by itself there, as on `lab_pages`; who looks at movement asks for it.
    """
    site.requests.clear()
    usual = {"viewport": {"width": 720, "height": 900}, "reduced_motion": "reduce"}
    context = browser.new_context(**usual | page_options)
    view = CardPage(context.new_page(), site)
    yield view
    context.close()
    assert view.errors == []


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """What serves a page with a card; its own for each file of tests."""
    with Site() as site:
        yield site
