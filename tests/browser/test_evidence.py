"""The evidence behind an answer as a student sees it: states of sentences, their cards, the page, thumbs."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ingest.build import build
from ingest.store import open_index
from rag import regression
from rag.feedback import Feedback
from rag.retrieve import Retriever
from tests.browser.conftest import Site
from tests.browser.scripted import CITATIONS, GAN, TEXT
from tests.browser.test_chat import answered, ask
from tests.ingest_fakes import FakeEncoder, pdf, write

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]
SHOTS = os.environ.get("UNITUTOR_SHOTS")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(400)
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


@pytest.fixture
def noted(site: Site, tmp_path: Path) -> Site:
    """The site over notes that hold what the script quotes, on the pages it names."""
    lines = [("Adversarial networks", 16.0), *((line, 11.0) for line in textwrap.wrap(GAN, 60))]
    filler = [(f"Line {number} of another page about something else.", 11.0) for number in range(40)]
    pages = [[(f"Chapter {number}", 16.0), *filler] for number in range(1, 7)]
    notes = write(tmp_path / "notes", {"unit-1-generative-ai.pdf": pdf([*pages, lines, filler])})
    encoder = FakeEncoder(dimension=16)
    build([notes], tmp_path / "index", encoder)
    retriever = Retriever(open_index(tmp_path / "index", encoder), encoder)
    site.stop()
    site.tutor = replace(site.tutor, retriever=retriever, folder=tmp_path / "index", notes=(notes,))
    site.start()
    return site


def flag(page: Page, label: str) -> str:
    return f"#ut-chat a.ut-flag.ut-is-{label}"


def test_each_sentence_carries_its_state_and_its_card(opened: Opened, noted: Site) -> None:
    page = opened()
    ask(page)
    answered(page)
    counts = {"supported": 3, "partly": 1, "unsupported": 1, "contradicted": 1}
    for label, count in counts.items():
        expect(page.locator(f"#ut-chat .ut-said.ut-{label}")).to_have_count(count)
        expect(page.locator(flag(page, label))).to_have_count(count)
    signs = [page.locator(flag(page, label)).first.inner_text() for label in counts]
    assert len(set(signs)) == 4, "told apart by colour alone"
    kinds = "(e) => getComputedStyle(e).textDecorationStyle"
    lines = [page.locator(f"#ut-chat .ut-{label}").first.evaluate(kinds) for label in counts]
    assert lines == ["solid", "dashed", "dotted", "wavy"]
    expect(page.locator("#ut-chat .bot-row")).to_contain_text("I hope this helps!")
    expect(page.locator(flag(page, "supported")).nth(1)).to_have_attribute("aria-label", "Supported, 93%")
    shot(page, "states-light-1280")
    page.hover("#ut-chat .ut-said.ut-contradicted")
    tip = page.locator("#ut-tip")
    expect(tip).to_contain_text("Contradicted, probability of support 3%")
    expect(tip).to_contain_text("can do no better than chance")
    expect(tip).to_contain_text("unit-1-generative-ai.pdf, p. 7")
    shot(page, "card-light-1280")
    page.mouse.move(5, 5)
    expect(tip).to_have_count(0)
    page.locator("#ut-box textarea").focus()
    page.locator(flag(page, "unsupported")).focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.locator(flag(page, "unsupported"))).to_have_attribute("aria-describedby", "ut-tip")
    expect(tip).to_contain_text("No words of the notes were found")
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)
    page.click("#ut-chat .bot-row button[aria-label='Copy message']")
    assert page.evaluate("navigator.clipboard.readText()").startswith(TEXT[:60])


def test_the_page_opens_beside_with_the_quote_marked(opened: Opened, noted: Site) -> None:
    page = opened()
    ask(page)
    answered(page)
    page.locator(flag(page, "supported")).first.focus()
    page.keyboard.press("Enter")
    seen = page.locator("#ut-view .ut-view")
    expect(seen).to_contain_text("p. 7 of 8")
    expect(seen).to_be_focused()
    expect(page.locator("#ut-panel")).to_be_hidden()
    expect(seen.locator("img")).to_have_attribute("alt", re.compile("Page 7 of .*, the quote marked"))
    assert seen.locator("img").evaluate("async (e) => { await e.decode(); return e.naturalWidth; }") > 1000
    assert 1 <= seen.locator(".ut-box").count() <= 3
    expect(page.locator("#ut-reading mark")).to_have_text(CITATIONS[0].quote)
    shot(page, "page-light-1280")
    page.keyboard.press("ArrowRight")
    expect(seen).to_contain_text("p. 8 of 8")
    expect(seen).to_contain_text("The passage is on p. 7.")
    expect(seen.locator(".ut-box")).to_have_count(0)
    expect(seen.locator("[data-to]").last).to_be_disabled()
    page.keyboard.press("ArrowLeft")
    expect(seen.locator(".ut-box").first).to_be_visible()
    seen.get_by_role("button", name="Quote 2").click()  # of slides, which are not drawn
    expect(seen).to_contain_text("slide 12")
    expect(seen.locator("img")).to_have_count(0)
    expect(page.locator("#ut-reading mark")).to_contain_text("The two play a minimax game")
    page.keyboard.press("Escape")
    expect(seen).to_be_hidden()
    expect(page.locator("#ut-panel")).to_be_visible()
    expect(page.locator(flag(page, "supported")).first).to_be_focused()
    page.locator("#c0-1").focus()
    page.keyboard.press("Enter")
    expect(seen.locator(".ut-box").first).to_be_visible()
    notes = noted.tutor.notes[0] / "unit-1-generative-ai.pdf"
    notes.write_bytes(notes.read_bytes() + b"\n")
    page.keyboard.press("ArrowRight")
    expect(seen).to_contain_text("has changed since it was indexed")
    expect(seen.locator("img")).to_have_count(0)
    notes.unlink()
    page.keyboard.press("Escape")
    page.locator("#c0-1 a.ut-page").click()
    expect(seen).to_contain_text("is not where the notes were")
    expect(page.locator("#ut-reading mark")).to_have_text(CITATIONS[0].quote)
    page.locator("#ut-view [data-shut]").click()
    expect(seen).to_be_hidden()


def test_only_what_is_supported_and_back_and_thumbs(opened: Opened, noted: Site) -> None:
    page = opened()
    page.locator("#ut-strict input").check()
    ask(page)
    answered(page)
    row = page.locator("#ut-chat .bot-row").first
    expect(row).to_contain_text("Strict: 2 sentences put in the notes' words, 1 left out")
    row.get_by_text("Show only what the notes support (hides 2)").click()
    expect(row).to_contain_text("2 sentences left out that the notes do not support")
    expect(row).not_to_contain_text("never errs")
    expect(row).not_to_contain_text("it costs $5")
    expect(row.locator("li")).to_have_count(1)
    expect(row.locator("a.ut-flag.ut-is-supported")).to_have_count(3)
    shot(page, "narrowed-light-1280")
    row.get_by_text("Show the whole answer").click()
    expect(row).to_contain_text("never errs")

    row.locator("a.ut-do-down").focus()
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog")
    expect(form.get_by_role("radio")).to_have_count(4)
    form.get_by_label("Wrong page").check()
    form.get_by_label("Comment").fill("It is on <b>p. 9</b>")
    shot(page, "reasons-light-1280")
    form.get_by_role("button", name="Send").click()
    expect(page.locator(".ut-told")).to_contain_text("It stays on this machine")
    expect(row.locator("a.ut-do-down")).to_have_attribute("aria-pressed", "true")
    expect(row.locator("a.ut-do-down")).to_have_attribute("title", re.compile("wrong page"))
    kept = Feedback(noted.sessions.url_or_path)
    conversation = noted.sessions.list()[0].id
    given = kept.get(conversation)[0]
    assert (given.verdict, given.reason, given.comment) == ("down", "wrong page", "It is on <b>p. 9</b>")
    row.locator("a.ut-do-down").click()
    expect(row.locator("a.ut-do-down")).to_have_attribute("aria-pressed", "false")
    row.locator("a.ut-do-up").click()
    expect(row.locator("a.ut-do-up")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("a.ut-do-up.on")).to_have_count(1)
    assert kept.get(conversation)[0].verdict == "up"
    page.locator("a.ut-do-more").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".ut-told")).to_contain_text("regression set")
    assert noted.tutor.folder is not None
    file = regression.beside(noted.tutor.folder)
    assert json.loads(file.read_text())["question"] == "How does a GAN train?"


def test_the_next_question_need_not_wait_for_the_check(opened: Opened, noted: Site) -> None:
    page = opened(width=390, height=844)
    ask(page, "check this slowly")
    expect(page.locator("#ut-chat .ut-stage")).to_contain_text("Checking each sentence")
    expect(page.locator(flag(page, "unsupported"))).to_have_count(1)  # what the quick check says
    ask(page)
    answered(page, 2)
    kept = noted.sessions.turns(noted.sessions.list()[0].id)
    assert [one.stopped for one in kept] == [False, False]
    page.locator("#c1-1 a.ut-page").click()
    expect(page.locator("#ut-view .ut-box").first).to_be_visible()
    box = page.locator("#ut-view").bounding_box()
    assert box is not None and box["width"] == 390 and box["height"] == 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "page-light-390")
    page.keyboard.press("Escape")
    expect(page.locator("#ut-view")).to_be_hidden()
    shot(page, "states-light-390")


@pytest.mark.skipif(not SHOTS, reason="only makes pictures")
def test_shots(opened: Opened, noted: Site) -> None:
    for width in (1280, 390):
        page = opened(width=width, height=860)
        page.emulate_media(color_scheme="dark")
        page.evaluate("document.body.classList.add('dark')")
        ask(page)
        answered(page)
        page.locator("a.ut-do-up").click()
        expect(page.locator("a.ut-do-up.on")).to_have_count(1)
        shot(page, f"states-dark-{width}")
        page.locator(flag(page, "partly")).focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        shot(page, f"card-dark-{width}")
        page.keyboard.press("Escape")
        page.locator("#c0-1 a.ut-page").click()
        expect(page.locator("#ut-view .ut-box").first).to_be_visible()
        shot(page, f"page-dark-{width}")
        page.keyboard.press("Escape")
        page.locator("a.ut-do-down").click()
        shot(page, f"reasons-dark-{width}")
