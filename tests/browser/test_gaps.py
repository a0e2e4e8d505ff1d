"""The page 'What the notes lack' as an instructor uses it, in a real browser, over a log that was made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, expect

from ingest.types import Passage
from rag.decoding import GREEDY
from rag.feedback import Feedback
from rag.journal import Journal
from rag.types import Answer
from tests.browser.conftest import Site
from tests.browser.scripted import CITATIONS, HOSTILE, REFUSAL, SENTENCES, TEXT
from tests.ingest_fakes import FakeEncoder

pytestmark = pytest.mark.browser
PASSAGES = [Passage(f"{n:016x}", "unit-1-generative-ai.pdf", n, (), "Text.", ("Text.",)) for n in range(1, 9)]
ANSWER = Answer("How does a GAN learn?", GREEDY, "done", TEXT, citations=CITATIONS, sentences=SENTENCES)
REFUSED = Answer("What is the weather?", GREEDY, "done", REFUSAL, refused=True, closest=CITATIONS[:2])


def test_the_report_is_shown_and_the_log_switched_off_and_deleted(
    opened: Callable[..., Page], site: Site
) -> None:
    journal = Journal(site.folder)
    for said in (ANSWER, REFUSED, replace(REFUSED, question=HOSTILE)):
        journal.note(said)
    talk = site.sessions.create()
    site.sessions.add(talk, ANSWER)
    Feedback(site.sessions.url_or_path).set(talk, 0, "down", "unclear", HOSTILE)
    retriever = SimpleNamespace(index=SimpleNamespace(passages=PASSAGES), encoder=FakeEncoder())
    site.stop()
    site.tutor = replace(site.tutor, journal=journal, retriever=retriever)
    site.start()

    page = opened()
    page.goto(site.url + "gaps")
    shown = page.locator("#gaps-report")
    expect(shown.locator(".gp-figures")).to_contain_text("Questions3")
    expect(shown.locator("table").filter(has_text="Nearest pages")).to_contain_text("What is the weather?")
    expect(shown).to_contain_text("p. 1–6, p. 8")
    expect(shown.locator(".gp-said")).to_contain_text("<script>window.__x=1</script>")
    assert page.evaluate("window.__x") is None and not page.locator("#gaps-report iframe").count()

    page.get_by_label("This week").check()
    expect(shown.locator(".gp-figures")).to_contain_text("Questions3")
    with page.expect_download() as saved:
        page.click("#gaps-save")
    assert "What the notes lack" in saved.value.path().read_text("utf-8")

    page.click("#gaps-switch")
    expect(page.locator("#gaps-log")).to_contain_text("The log is off")
    expect(page.locator("#gaps-switch")).to_have_text("Switch the log on")
    assert not journal.on
    page.click("#gaps-delete")
    page.click("#gaps-delete-no")
    expect(page.locator("#gaps-delete-yes")).to_be_hidden()
    assert len(journal.entries()) == 3
    page.click("#gaps-delete")
    expect(page.locator("#gaps-sure")).to_contain_text("Delete the log with 3 questions?")
    page.click("#gaps-delete-yes")
    expect(shown.locator(".gp-figures")).to_contain_text("Questions0")
    expect(page.locator("#gaps-delete-yes")).to_be_hidden()
    assert journal.entries() == ()
