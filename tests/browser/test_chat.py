"""The chat as a student uses it, in a real browser, over a scripted tutor."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from rag.decoding import GREEDY
from rag.types import Answer, Citation
from tests.browser.conftest import Site
from tests.browser.scripted import CITATIONS, HOSTILE, REFUSAL, TEXT, tutor

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]
QUESTION = "How does a GAN train?"


def ask(page: Page, question: str = QUESTION) -> None:
    page.fill("#ut-box textarea", question)
    page.keyboard.press("Enter")


def answered(page: Page, count: int = 1) -> None:
    expect(page.locator("#ut-chat .bot-row")).to_have_count(count)
    expect(page.locator("#ut-chat .bot-row").last.locator(".ut-foot").last).to_be_visible(timeout=20_000)
    expect(page.locator("#ut-box .submit-button")).to_be_visible()


def titles(page: Page) -> list[str]:
    return page.locator("#ut-conversations .ut-open").all_inner_texts()


def test_cards_come_before_prose_and_markers_light_them(opened: Opened, site: Site) -> None:
    object.__setattr__(site.tutor, "chain", tutor(reading=1.5).chain)  # Playwright looks twice a second
    page = opened()
    ask(page)
    expect(page.locator(".ut-card")).to_have_count(3)
    assert page.locator("#ut-chat .ut-stage").count() == 1, (
        "the answer had begun before its passages were shown"
    )
    card = page.locator(".ut-card").first
    expect(card).to_contain_text("unit-1-generative-ai.pdf")
    expect(card).to_contain_text("p. 7")
    expect(card.locator("mark")).to_have_text(CITATIONS[0].quote)
    answered(page)
    expect(page.locator("#ut-chat .bot-row")).to_contain_text("A GAN trains two networks against each other")
    page.locator("a.ut-mark", has_text="2").click()
    expect(page.locator("#c0-2")).to_have_class(re.compile("lit"))
    page.locator("a.ut-mark", has_text="3").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#c0-3")).to_have_class(re.compile("lit"))
    expect(page.locator("#c0-2")).not_to_have_class(re.compile("lit"))
    expect(page.locator("#ut-chat .katex")).to_have_count(1)  # the formula, and no price in dollars
    expect(page.locator("#ut-panel .katex")).to_have_count(2)
    flag = page.locator("a.ut-flag.ut-is-unsupported")
    expect(flag).to_have_attribute("aria-label", "Not supported, 10%")
    page.click("#ut-chat .bot-row button[aria-label='Copy message']")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == TEXT.replace("$$", "\\[", 1).replace("$$", "\\]", 1)


def test_stop_keeps_what_was_written(opened: Opened, site: Site) -> None:
    page = opened()
    ask(page, "a long answer")
    expect(page.locator("#ut-chat .bot-row")).to_contain_text("A GAN trains two")
    page.keyboard.press("Escape")
    expect(page.locator("#ut-chat .ut-foot")).to_contain_text("Stopped")
    (kept,) = site.sessions.turns(site.sessions.list()[0].id)
    assert kept.stopped and TEXT.startswith(kept.answer[:40])
    ask(page)
    answered(page, 2)


def test_reload_and_restart_show_the_conversation(opened: Opened, site: Site) -> None:
    page = opened()
    ask(page)
    answered(page)
    page.reload()
    expect(page.locator("#ut-chat .bot-row")).to_contain_text("Ian Goodfellow described GANs")
    expect(page.locator(".ut-card")).to_have_count(3)
    path = page.url.removeprefix(site.url.rstrip("/"))
    assert "?c=" in path
    site.stop()
    site.start()
    again = opened(path.lstrip("/"))
    expect(again.locator("#ut-chat .bot-row")).to_contain_text("Ian Goodfellow described GANs")
    ask(again, "history")
    answered(again, 2)
    expect(again.locator("#ut-chat .bot-row").last).to_contain_text("1 earlier turns")


def test_list_rename_delete_undo_export(opened: Opened, site: Site) -> None:
    page = opened()
    ask(page, "What is the weather?")
    answered(page)
    page.click("#ut-new")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(0)
    ask(page)
    answered(page)
    assert titles(page) == [QUESTION, "What is the weather?"]
    page.locator("li.on [data-act=rename]").click()
    page.keyboard.type("GANs <b>again</b>")
    page.keyboard.press("Enter")
    expect(page.locator("#ut-title h1")).to_have_text("GANs <b>again</b>")
    with page.expect_download() as saving:
        page.click("#ut-export")
    assert saving.value.suggested_filename == "gans-b-again-b.md"
    text = saving.value.path().read_text()
    assert f"## 1. {QUESTION}" in text and "**[1]** unit-1-generative-ai.pdf, p. 7" in text
    page.locator("li.on [data-act=delete]").click()
    expect(page.locator(".ut-undo")).to_contain_text("Deleted")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(0)
    assert titles(page) == ["What is the weather?"]
    page.click(".ut-undo button")
    expect(page.locator("#ut-title h1")).to_have_text("GANs <b>again</b>")
    page.locator(".ut-open", has_text="weather").click()
    expect(page.locator("#ut-chat .bot-row")).to_contain_text(REFUSAL)
    expect(page.locator("#ut-panel h2")).to_have_text("Closest in the notes")
    assert len(site.sessions.list()) == 2


def test_retry_undo_and_edit(opened: Opened, site: Site) -> None:
    page = opened()
    ask(page)
    answered(page)
    ask(page, "history one")
    answered(page, 2)
    page.click("#ut-chat .bot-row >> nth=1 >> button[aria-label='Retry']")
    expect(page.locator("#ut-chat .ut-stage")).to_be_visible()
    answered(page, 2)
    page.click("#ut-chat .bot-row >> nth=1 >> button[aria-label='Undo']")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(1)
    expect(page.locator("#ut-box textarea")).to_have_value("history one")
    page.hover("#ut-chat .user-row")
    page.click("#ut-chat .user-row button[aria-label='Edit']")
    page.fill("#ut-chat textarea", "history <edited>")
    page.click("#ut-chat .user-row button[aria-label='Submit']")
    expect(page.locator("#ut-chat .user-row")).to_contain_text(re.compile("history <\u2060?edited>"))
    answered(page)
    (kept,) = site.sessions.turns(site.sessions.list()[0].id)
    assert kept.question == "history <edited>" and kept.answer.startswith("0 earlier turns")


def test_bad_questions_and_errors_keep_the_text(opened: Opened, site: Site) -> None:
    page = opened()
    for question, words in (
        ("   ", "Type a question"),
        ("x" * 5000, "4,000"),
        ("broken engine", "out of memory"),
    ):
        ask(page, question)
        expect(page.locator(".ut-error")).to_contain_text(words)
        expect(page.locator("#ut-box textarea")).to_have_value(question)
        expect(page.locator("#ut-box .submit-button")).to_be_visible()
    assert site.sessions.list() == ()
    ask(page)
    answered(page)
    expect(page.locator(".ut-error")).to_have_count(0)


def test_starters_sources_and_decoding(opened: Opened) -> None:
    page = opened()
    expect(page.locator("#ut-chat .example")).to_have_count(4)
    page.locator("#ut-chat .example").first.click()
    answered(page)
    expect(page.locator("#ut-chat .user-row")).to_contain_text("What is generative AI?")
    page.locator("#ut-controls .label-wrap").nth(0).click()
    page.click("#ut-sources input")
    page.get_by_role("option", name="people.txt").click()
    page.locator("#ut-controls .label-wrap").nth(1).click()
    assert not page.locator("#ut-seed").is_visible()
    page.click("#ut-strategy input")
    page.get_by_role("option", name="Top-k", exact=True).click()
    expect(page.locator("#ut-k input")).to_be_visible()
    assert not page.locator("#ut-p").is_visible()
    page.fill("#ut-k input", "0")
    ask(page, "history")
    expect(page.locator(".ut-error")).to_have_text("k must be between 1 and 1000, not 0.")
    expect(page.locator("#ut-box textarea")).to_have_value("history")
    page.fill("#ut-k input", "5")
    page.fill("#ut-seed textarea, #ut-seed input", "17")
    ask(page, "history")
    answered(page, 2)
    expect(page.locator("#ut-chat .bot-row").last).to_contain_text("1 earlier turns, 1 sources, seed 17")
    expect(page.locator("#ut-chat .ut-foot").last).to_contain_text("top-k, k 5")


def test_keys(opened: Opened) -> None:
    page = opened()
    page.locator("#ut-new").focus()
    page.keyboard.press("/")
    expect(page.locator("#ut-box textarea")).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two / three")
    expect(page.locator("#ut-box textarea")).to_have_value("one\ntwo / three")
    page.keyboard.press("Enter")
    answered(page)


def test_two_are_answered_at_once_and_the_third_waits(opened: Opened) -> None:
    first, second, third = opened(), opened(), opened()
    for page in (first, second):
        ask(page, "a long answer")
        expect(page.locator(".ut-card")).to_have_count(3)
    ask(third)
    expect(third.locator("#ut-chat .ut-stage")).to_contain_text("You are number 1 in the line")
    first.close()
    answered(third)


def test_leaving_frees_the_engine(opened: Opened, site: Site) -> None:
    first, second = opened(), opened()
    ask(first, "a long answer")
    expect(first.locator(".ut-card")).to_have_count(3)
    first.close()
    ask(second)
    answered(second)
    kept = [site.sessions.turns(c.id)[0] for c in site.sessions.list()]
    assert [a.stopped for a in kept if "long" in a.question] == [True]


def test_nothing_hostile_runs(opened: Opened, site: Site) -> None:
    nasty = Citation(1, HOSTILE[:80], 1, HOSTILE, HOSTILE[:60], 0.5, "h", HOSTILE)
    made = site.sessions.create(HOSTILE)
    old = Answer("hostile " + HOSTILE, GREEDY, stage="done", answer=HOSTILE + " [1]", citations=(nasty,))
    site.sessions.add(made, old)
    site.sessions.add(made, replace(old, refused=True, citations=(), closest=(nasty,)))
    page = opened(f"?c={made}")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(2)
    expect(page.locator("#ut-chat .bot-row").first).to_contain_text("script>window.__x=1<")
    ask(page, "hostile " + HOSTILE)
    answered(page, 3)
    page.locator("li.on [data-act=delete]").click()
    expect(page.locator(".ut-undo")).to_be_visible()
    page.click(".ut-undo button")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(3)
    page.wait_for_timeout(300)
    assert page.evaluate("window.__x") is None
    active = "#ut-chat, #ut-panel, #ut-whys, #ut-view, #ut-conversations, #ut-title"
    links = page.evaluate(
        """(within) => [...document.querySelectorAll(within)].flatMap((e) =>
            [...e.querySelectorAll('a[href], img, iframe, script, object, embed, form, [src], [onload]')]
            .map((e) => e.outerHTML)).filter((h) => !/^<a href="#[a-z]+[0-9]*-[0-9]+(-[0-9]+)?"/.test(h))""",
        active,
    )
    assert links == []


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_overflows(opened: Opened, width: int) -> None:
    page = opened(width=width, height=844)
    ask(page)
    answered(page)
    wide = page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    box = page.locator("#ut-box").bounding_box()
    assert box is not None and box["y"] + box["height"] <= 844, "the box is not at hand"
    page.locator("a.ut-mark", has_text="2").click()
    expect(page.locator("#c0-2")).to_be_in_viewport()
    if width < 900:
        below = """() => document.querySelector('#ut-panel').getBoundingClientRect().top
            >= document.querySelector('#ut-chat').getBoundingClientRect().bottom"""
        assert page.evaluate(below), "the passages are not under the answer"


def test_a_crashed_answer_is_shown_as_cut_off(opened: Opened, site: Site) -> None:
    made = site.sessions.create()
    turn = site.sessions.begin(made, QUESTION)
    site.sessions.progress(turn, Answer(QUESTION, GREEDY, stage="writing", answer="Two nets"))
    page = opened(f"?c={made}")
    expect(page.locator("#ut-chat .bot-row")).to_contain_text("Two nets")
    expect(page.locator("#ut-chat .ut-foot")).to_contain_text("Cut off")


def test_slow_words_do_not_hold_up_stopping(opened: Opened, site: Site) -> None:
    site.stop()
    site.tutor = tutor(pause=1.0)
    site.start()
    page = opened()
    ask(page)
    expect(page.locator("#ut-chat .bot-row")).to_contain_text("A GAN")
    page.locator("#ut-box .stop-button").click()
    expect(page.locator("#ut-chat .ut-foot")).to_contain_text(
        "Stopped", timeout=30_000
    )  # all words would take longer


def test_notes_that_have_changed_are_told_and_new_files_can_be_searched(opened: Opened, site: Site) -> None:
    page = opened()
    expect(page.locator("#ut-notice")).to_be_hidden()
    words = "The notes have changed since they were indexed (a <b>.pdf was added). Run: unitutor ingest notes"
    object.__setattr__(site.tutor, "notice", words)
    object.__setattr__(site.tutor, "sources", (*site.tutor.sources, "new.pdf"))
    ask(page, "history")
    answered(page)
    expect(page.locator("#ut-notice")).to_have_text(words)
    page.get_by_text("Search in").click()
    page.locator("#ut-sources input").click()
    page.get_by_role("option", name="new.pdf").click()
    page.keyboard.press("Escape")
    ask(page, "history")
    answered(page, 2)
    expect(page.locator("#ut-chat .bot-row").last).to_contain_text("1 sources")
    object.__setattr__(site.tutor, "notice", "")
    page.reload()
    expect(page.locator("#ut-chat .bot-row")).to_have_count(2)
    expect(page.locator("#ut-notice")).to_be_hidden()
