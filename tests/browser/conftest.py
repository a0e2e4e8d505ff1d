"""A page in headless Chromium over a scripted tutor; every request it makes is written down."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rag.sessions import Sessions
from tests.browser.scripted import ScriptedTutor, tutor
from tests.browser.scripted_quiz import Maker, quizzing
from ui.web.app import build_app
from ui.web.mounting import Served, mounted

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


expect.set_options(timeout=30_000)  # the machine may be busy with something else


@dataclass
class Site:
    """A running app that can be restarted at the same address."""

    folder: Path
    port: int
    tutor: ScriptedTutor
    maker: Maker = field(default_factory=Maker)
    sessions: Sessions = field(init=False)
    url: str = field(init=False)

    def start(self) -> None:
        """Open the conversations and serve the pages."""
        self.sessions = Sessions(self.folder / "sessions.sqlite")
        pages = build_app(self.tutor, self.sessions, quizzing(self.maker))  # type: ignore[arg-type]
        self._served = Served(mounted(pages), "127.0.0.1", self.port)
        self.url = self._served.url

    def stop(self) -> None:
        """Stop serving."""
        self._served.stop()
        self.sessions.close()


def chromium() -> str | None:
    """Where Chromium is: in $CHROMIUM or on the path."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; without one the tests are skipped, except in CI."""
    found = chromium()
    if not found:
        if os.environ.get("CI"):
            pytest.fail("no Chromium found: install one or name it in $CHROMIUM")
        pytest.skip("no Chromium found")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The app over the scripted tutor, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Site(tmp_path, port, tutor())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def opened(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens pages; at the end, none may have asked for anything beyond this machine or raised an error."""
    contexts = []
    outside: list[str] = []
    errors: list[str] = []

    def open_page(path: str = "", width: int = 1280, height: int = 860) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        local = (f"http://127.0.0.1:{site.port}/", f"ws://127.0.0.1:{site.port}/", "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(local) else outside.append(r.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(f"dialog: {dialog.message}"))
        page.goto(site.url + path)
        page.wait_for_selector("#ut-box textarea")
        page.wait_for_function("document.querySelector('#ut-conversations .prose')?.innerText.trim()")
        return page

    yield open_page
    assert outside == []
    assert errors == []
    for context in contexts:
        context.close()
