"""Quizzes as a student takes them, in a real browser; what is right is nowhere before it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag.decoding import GREEDY
from rag.items.attempts import Attempts
from rag.items.bank import Bank
from rag.types import Answer
from tests.browser.conftest import Site
from tests.browser.scripted import CITATIONS, HOSTILE, TEXT
from tests.quiz_items import choice, written

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]
# Everything that a page is sent, as it comes.
LISTEN = """
const real = window.fetch;
window.fetch = async (...asked) => {
  const answer = await real(...asked);
  const copy = answer.clone();
  (async () => {
    const reader = copy.body && copy.body.getReader();
    const decoder = new TextDecoder();
    for (let part = reader && await reader.read(); part && !part.done; part = await reader.read())
      window.seen(decoder.decode(part.value, { stream: true }));
  })().catch(() => {});
  return answer;
};
const Source = window.EventSource;
window.EventSource = class extends Source {
  constructor(...asked) { super(...asked); this.addEventListener('message', (one) => window.seen(one.data)); }
};
"""


def at_quiz(opened: Opened, width: int = 1280) -> Page:
    page = opened(width=width)
    page.goto(page.url.split("?")[0] + "quiz")
    page.wait_for_selector("#quiz-run")
    return page


def make(page: Page, count: int) -> None:
    page.locator("#quiz-count input").fill(str(count))
    page.click("#quiz-run")
    page.click("#quiz-begin")
    page.wait_for_selector(".qz-item[data-dressed]")


def key_of(page: Page, number: int) -> int:
    """Where the right option of a scripted question stands on the page, from 1."""
    texts = page.locator(f"#q-{number} .qz-option").all_inner_texts()
    return next(place for place, text in enumerate(texts, 1) if "discriminator" in text)


def test_a_quiz_is_taken_with_the_keyboard_and_no_key_is_sent_before_its_answer(
    opened: Opened, site: Site
) -> None:
    page = opened()
    sent: list[str] = []
    page.context.expose_function("seen", lambda text: sent.append(text))
    page.context.add_init_script(LISTEN)
    page.on(
        "response", lambda one: sent.append(one.text()) if one.request.resource_type == "document" else None
    )
    page.goto(site.url + "quiz")
    page.wait_for_selector("#quiz-run")
    make(page, 2)
    expect(page.locator("#q-0 [role=radio]")).to_have_count(4)
    so_far = "".join(sent) + page.content()
    assert "case 0?" in so_far, "what is sent is seen by this test"
    assert "KEYWORD" not in so_far and "discriminator of case 1" not in so_far
    page.keyboard.press(str(key_of(page, 0) % 4 + 1))
    page.keyboard.press("Enter")
    expect(page.locator("#q-0 .qz-wrong")).to_contain_text("✗ Your answer is not right.")
    expect(page.locator("#q-0 .qz-right")).to_contain_text("✓ The right answer.")
    expect(page.locator("#q-0 .qz-told")).to_contain_text("KEYWORD quote 0.")
    assert "KEYWORD explanation 1" not in "".join(sent) and "KEYWORD" in "".join(sent)

    page.keyboard.press("Enter")
    expect(page.locator("#q-1")).to_be_focused()
    assert "KEYWORD quote 1" not in "".join(sent) + page.content()
    address = page.url
    page.reload()
    expect(page.locator("#quiz-line")).to_contain_text("You are back in the quiz that you began at")
    expect(page.locator("#q-1")).to_be_visible()
    expect(page.locator("#quiz-sheet .qz-on")).to_have_count(0)
    assert page.url == address and "quote 1" not in "".join(sent)
    page.keyboard.press(str(key_of(page, 1)))
    page.keyboard.press("Enter")
    expect(page.locator("#q-1 .qz-right")).to_contain_text("✓ Your answer is right.")
    page.keyboard.press("Enter")
    expect(page.locator("#qz-score")).to_contain_text("1 of 2 right")
    expect(page.locator("#qz-score")).to_contain_text("GANs")

    page.locator("#q-0 a", has_text="See the page").click()
    expect(page.locator("#ut-view .ut-view")).to_contain_text("unit-1-generative-ai.pdf")
    expect(page.locator("#ut-reading mark")).to_have_text("KEYWORD quote 0.")
    page.keyboard.press("Escape")
    page.locator("#q-0 a", has_text="A fresh question").click()
    expect(page.locator("#quiz-sheet")).to_contain_text("What tells samples from data, case 102?")
    assert site.maker.asked[-1]["sources"] == ("unit-1-generative-ai.pdf:7",)
    known = [one.stem for one in site.maker.asked[-1]["earlier"]]
    assert "What tells samples from data, case 0?" in known
    page.click("text=Back to the quiz before")
    page.click("text=Take it again")
    expect(page.locator("#quiz-sheet .qz-on, #quiz-sheet .qz-told")).to_have_count(0)
    page.goto(site.url + "quiz")
    expect(page.locator("#quiz-earlier tbody tr")).to_have_count(3)
    expect(page.locator("#quiz-sheet .qz-item")).to_have_count(0)


def test_all_on_a_page_with_what_a_stranger_wrote_and_the_score_at_the_end(
    opened: Opened, site: Site
) -> None:
    site.maker.items = [replace(choice(0), stem=HOSTILE), written(), written("fill-in", 1)]
    page = at_quiz(opened, width=390)
    page.get_by_label("All on a page").check()
    page.get_by_label("At the end").check()
    make(page, 3)
    expect(page.locator(".qz-item")).to_have_count(3)
    expect(page.locator("#q-0 .qz-stem")).to_contain_text("<script>window.__x=1</script>")
    page.keyboard.press(str(key_of(page, 0)))
    page.locator("#w-1 input").fill("in 2014.")
    page.locator("#w-2 input").fill("1999")
    page.keyboard.press("Enter")
    kept = Attempts(site.sessions.url_or_path)
    for _ in range(100):
        if len(kept.list()[0].responses) == 3:
            break
        page.wait_for_timeout(50)
    assert "KEYWORD" not in page.content()
    page.reload()
    expect(page.locator("#w-1 input")).to_have_value("in 2014.")
    expect(page.locator("#q-0 [aria-checked=true]")).to_contain_text("discriminator")
    page.click("text=Finish and see the score")
    expect(page.locator("#qz-score")).to_contain_text("2 of 3 right")
    expect(page.locator("#q-2 .qz-given")).to_contain_text("✗ Your answer, not right: 1999")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("text=Another quiz")
    with page.expect_download() as saved:
        page.click("text=Results as JSON")
    rows = json.loads(Path(saved.value.path()).read_text("utf-8"))
    assert [row["right"] for row in rows] == [True, True, False] and rows[0]["question"] == HOSTILE
    assert page.evaluate("window.__x") is None


def test_stop_keeps_what_passed_and_what_cannot_be_is_told(opened: Opened, site: Site) -> None:
    site.maker.pause = 0.15
    page = at_quiz(opened)
    page.locator("#quiz-count input").fill("500")
    page.click("#quiz-run")
    expect(page.locator("#quiz-line")).to_contain_text("A quiz may have 1 to 50 questions.")
    page.locator("#quiz-count input").fill("50")
    page.fill("#quiz-topic textarea, #quiz-topic input", "nowhere")
    page.click("#quiz-run")
    expect(page.locator("#quiz-line")).to_contain_text("The notes hold nothing about 'nowhere'")
    page.fill("#quiz-topic textarea, #quiz-topic input", "")
    page.click("#quiz-run")
    expect(page.locator("#quiz-about")).to_contain_text("2 passed")
    page.keyboard.press("Escape")
    expect(page.locator("#quiz-about")).to_contain_text("Stopped. Asked for 50, wrote")
    expect(page.locator(".qz-rejects")).to_contain_text("a distractor is supported")
    expect(page.locator("#quiz-begin")).to_contain_text("Take these")
    assert len(Bank(site.sessions.url_or_path).list("proposed")) >= 2


def test_a_conversation_leads_to_a_quiz_and_what_is_due_comes_back(opened: Opened, site: Site) -> None:
    talk = site.sessions.create("GANs & <b>losses</b>")
    site.sessions.add(talk, Answer("How does a GAN learn?", GREEDY, "done", TEXT, citations=CITATIONS))
    page = opened(f"?c={talk}")
    page.click("#ut-quiz")
    expect(page.locator("#quiz-line")).to_contain_text("the answers of “GANs & <b>losses</b>” cite")
    make(page, 1)
    assert site.maker.asked[0]["sources"] == (
        "unit-1-generative-ai.pdf:7",
        "slides/training.pptx:12",
        "people.txt",
    )
    kept = Attempts(site.sessions.url_or_path)
    (attempt,) = kept.list()
    bank = Bank(site.sessions.url_or_path)
    long_ago = 1.7e9
    with kept._database.write() as db:
        kept._remember(db, "", attempt.items[0], False, long_ago)
    bank.approve(attempt.items[0].id)
    page.goto(site.url + "quiz")
    expect(page.locator("#quiz-shared")).to_have_text("The instructor's set (1)")
    page.click("#quiz-due")
    expect(page.locator(".qz-item")).to_have_count(1)
    expect(page.locator(".qz-head")).to_contain_text("Due on")
