"""`unitutor chat` with the real models, then a question in a real browser.

With UNITUTOR_SHOTS=folder the pages are kept as pictures there; the README's were made so.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.real]
ROOT = Path(__file__).parents[2]
SHOTS = os.environ.get("UNITUTOR_SHOTS")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The chat as `make chat` starts it, on a free port, with an index and conversations of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("chat")
    command = [sys.executable, "-c", "from ui.cli import main; main()", "chat", "--port", str(port)]
    command += ["--notes", str(ROOT / "data" / "notes"), "--index", str(folder / "index")]
    command += ["--sessions", str(folder / "sessions")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            for _ in range(600):
                if server.poll() is not None:
                    pytest.fail((folder / "log").read_text())
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
                    break
                except OSError:
                    time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(30)


def shot(page: Page, name: str, whole: bool = False) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=whole)


def test_the_lab_shows_what_each_token_was_drawn_from(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 1180})
    page = context.new_page()
    page.goto(address + "lab")
    page.fill("#lab-question textarea", "What is top-p sampling?")
    page.click("#lab-run")
    expect(page.locator("#lab-again")).to_be_enabled(timeout=400_000)
    expect(page.locator(".lab-column").first).to_contain_text("probabilit")  # the words differ by processor
    expect(page.locator("#lab-chart tr.drawn")).to_have_count(1)
    page.wait_for_timeout(500)
    shot(page, "lab")
    for name, width, height, scheme in (("lab-dark", 1280, 1180, "dark"), ("lab-phone", 390, 844, "light")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", scheme == "dark")
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        shot(page, name, whole=True)
    context.close()


def test_a_question_is_answered_with_its_page_and_kept(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    outside: list[str] = []
    page.on("request", lambda r: outside.append(r.url) if "127.0.0.1" not in r.url[:25] else None)
    page.goto(address)
    page.wait_for_selector("#ut-box textarea")
    page.wait_for_timeout(1500)
    shot(page, "start")
    page.fill("#ut-box textarea", "Who proposed GANs, and how are the two networks trained?")
    page.keyboard.press("Enter")
    expect(page.locator(".ut-card").first).to_be_visible(timeout=60_000)
    foot = page.locator("#ut-chat .bot-row").last.locator(".ut-foot").last
    expect(foot).to_be_visible(timeout=180_000)
    expect(page.locator("#ut-chat .bot-row").last).to_contain_text("Goodfellow")
    page.locator("#ut-chat a.ut-mark").first.click()
    expect(page.locator(".ut-card.lit")).to_have_count(1)
    expect(page.locator(".ut-card").first).to_contain_text("02-model-families.pdf")
    shot(page, "answer")
    page.fill("#ut-box textarea", "what does the second one output?")
    page.keyboard.press("Enter")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(2, timeout=30_000)
    expect(page.locator("#ut-chat .bot-row").last.locator(".ut-foot").last).to_be_visible(timeout=180_000)
    shot(page, "follow-up")
    page.fill("#ut-box textarea", "How do I bake sourdough bread?")
    page.keyboard.press("Enter")
    expect(page.locator("#ut-chat .bot-row").last).to_contain_text("The notes do not answer", timeout=180_000)
    expect(page.locator("#ut-chat .bot-row").last.locator(".ut-foot").last).to_be_visible(timeout=60_000)
    shot(page, "refusal")
    page.reload()
    expect(page.locator("#ut-chat .bot-row")).to_have_count(3, timeout=30_000)
    for name, width, height, scheme in (("dark", 1280, 860, "dark"), ("phone", 390, 844, "light")):
        other = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        again = other.new_page()
        again.goto(page.url)
        expect(again.locator("#ut-chat .bot-row")).to_have_count(3, timeout=30_000)
        again.wait_for_timeout(1000)
        shot(again, name)
        other.close()
    context.close()
    assert outside == []
