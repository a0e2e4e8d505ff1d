"""The list at the side, what was asked before, temporary chats and two tabs, in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from ingest.types import Passage
from rag.database import conversations as rows
from rag.decoding import GREEDY
from rag.journal import Journal, logged
from rag.memory import messages
from rag.types import Answer
from tests.browser.conftest import Site
from tests.browser.scripted import CITATIONS
from tests.browser.test_chat import QUESTION, answered, ask, titles
from tests.ingest_fakes import FakeEncoder

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]


@pytest.fixture
def remembering(site: Site) -> Site:
    """The site over a tutor with notes, an encoder and a log."""
    passages = [
        Passage(c.passage_id, c.source, c.page, (c.heading,), c.text, (c.text,), ()) for c in CITATIONS
    ]
    places = {one.id: row for row, one in enumerate(passages)}
    index = SimpleNamespace(passages=passages, manifest=SimpleNamespace(files={}))
    retriever = SimpleNamespace(encoder=FakeEncoder(), index=index, places=places)
    journal = Journal(site.folder)
    site.stop()
    for name, value in (
        ("retriever", retriever),
        ("journal", journal),
        ("chain", logged(site.tutor.chain, journal)),
    ):
        object.__setattr__(site.tutor, name, value)
    site.start()
    return site


def kept(site: Site, *questions: str, when: float | None = None) -> str:
    made = site.sessions.create()
    for question in questions:
        site.sessions.add(made, Answer(question, GREEDY, stage="done", answer="As noted [1]."))
    if when is not None:
        with site.sessions.database.write() as db:
            db.execute(rows.update().where(rows.c.id == made).values(updated=when))
    return made


def test_what_was_asked_is_told_and_an_answer_is_offered_again(opened: Opened, remembering: Site) -> None:
    page = opened()
    ask(page)
    answered(page)
    page.click("#ut-new")
    ask(page)
    expect(page.locator(".ut-recall")).to_contain_text("You asked this on")
    assert len(remembering.sessions.list()) == 1, "the question was asked although it has an answer"
    page.locator(".ut-recall a", has_text="Show that answer").click()
    expect(page.locator("#ut-chat .bot-row")).to_contain_text("A GAN trains two networks")
    expect(page.locator("#ut-chat .user-row.ut-here")).to_have_count(1)
    expect(page.locator(".ut-recall")).to_have_count(0)
    page.click("#ut-new")
    ask(page)
    page.locator(".ut-recall button", has_text="Answer afresh").click()
    answered(page)
    assert len(remembering.sessions.list()) == 2
    ask(page, "What did I ask about GAN train? today?")
    expect(page.locator(".ut-recall li")).to_have_count(2)
    expect(page.locator(".ut-recall")).to_contain_text("You asked 2 questions about GAN train on")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(1)
    assert len(remembering.tutor.journal.entries()) == 2  # type: ignore[union-attr]
    page.keyboard.press("Escape")
    ask(page, "what did I ask about <b>tulips</b> last year")
    expect(page.locator(".ut-recall")).to_contain_text("You asked nothing about <b>tulips</b>")
    page.locator(".ut-recall [data-act=shut]").click()
    expect(page.locator(".ut-recall")).to_have_count(0)
    expect(page.locator("#ut-box textarea")).to_be_focused()


def test_two_tabs_of_one_conversation_lose_nothing(opened: Opened, site: Site) -> None:
    made = kept(site, "first")
    one, two = opened(f"?c={made}"), opened(f"?c={made}")
    ask(one, "history of one")
    answered(one, 2)
    for name, turns in (("Retry", 2), ("Undo", 3)):  # of what this tab has not seen: it shows it then
        two.click(f"#ut-chat .bot-row >> nth=-1 >> button[aria-label='{name}']")
        expect(two.locator(".ut-error")).to_contain_text("another tab")
        expect(two.locator("#ut-chat .bot-row")).to_have_count(turns)
        two.reload() if name == "Undo" else ask(one, "history again")
        if name == "Retry":
            answered(one, 3)
    expect(two.locator("#ut-chat .bot-row")).to_have_count(3)
    ask(one, "history more")
    ask(two, "history too")
    answered(one, 5) if one.locator("#ut-chat .bot-row").count() == 5 else None
    expect(two.locator("#ut-box .submit-button")).to_be_visible()
    expect(one.locator("#ut-box .submit-button")).to_be_visible()
    until = time.monotonic() + 30
    while (
        len([r for r in site.sessions.records(made) if r.state == "whole"]) < 5 and time.monotonic() < until
    ):
        time.sleep(0.2)
    questions = [record.answer.question for record in site.sessions.records(made)]
    assert sorted(questions) == sorted(
        ["first", "history of one", "history again", "history more", "history too"]
    )


def test_a_temporary_chat_is_kept_nowhere(opened: Opened, remembering: Site) -> None:
    page = opened()
    page.click("#ut-temporary")
    expect(page.locator(".ut-passing")).to_contain_text("Nothing of it is kept")
    ask(page)
    answered(page)
    ask(page, "history")
    answered(page, 2)
    expect(page.locator("#ut-chat .bot-row").last).to_contain_text("1 earlier turns")
    expect(page.locator("#ut-chat .ut-do-up")).to_have_count(0)
    assert "?c=" not in page.url
    page.click("#ut-chat .bot-row >> nth=1 >> button[aria-label='Retry']")
    answered(page, 2)
    with remembering.sessions.database.read() as db:
        for table in ("conversation", "turn", "message"):
            assert db.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 0
    assert remembering.tutor.journal.entries() == ()  # type: ignore[union-attr]
    page.click("#ut-new")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(0)
    page.goto(remembering.url + "?c=temporary")
    page.wait_for_selector("#ut-box textarea")
    expect(page.locator("#ut-chat .bot-row")).to_have_count(0)
    ask(page)
    answered(page)
    with remembering.sessions.database.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(messages)) in (0, 2)


def test_pins_older_ones_and_search_by_words_and_meaning(opened: Opened, remembering: Site) -> None:
    now = time.time()
    for number in range(130):
        kept(remembering, f"Talk {number:03} on rocks", when=now - number)
    old = kept(remembering, "How do owls hunt?", QUESTION, when=now - 1e7)
    page = opened()
    expect(page.locator("#ut-conversations .ut-open")).to_have_count(100)
    page.click(".ut-more")
    expect(page.locator("#ut-conversations .ut-open")).to_have_count(131)
    expect(page.locator(".ut-more")).to_have_count(0)
    row = page.locator("#ut-conversations li", has_text="owls")
    row.locator(".ut-open").focus()
    page.keyboard.press("p")
    expect(page.locator("#ut-conversations h3").first).to_have_text("Pinned")
    expect(page.locator("#ut-conversations .ut-open")).to_have_count(131)  # as long as it was
    assert titles(page)[0] == "How do owls hunt?"
    page.locator("#ut-conversations .ut-open").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#ut-conversations .ut-open").nth(1)).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("owls hunt")
    expect(page.locator("#ut-found h3").first).to_have_text("With these words")
    expect(page.locator("#ut-found .ut-open").first).to_have_text("How do owls hunt?")
    expect(page.locator("#ut-conversations")).to_be_hidden()
    page.fill("#ut-search input, #ut-search textarea", "GAN train? zebra")  # no such word
    close = page.locator("#ut-found .ut-open", has_text=QUESTION)
    expect(close).to_be_visible()
    expect(page.locator("#ut-found h3").first).to_have_text("Close in meaning")
    page.locator("#ut-search input, #ut-search textarea").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#ut-found .ut-open").first).to_be_focused()
    close.click()
    expect(page.locator("#ut-chat .user-row.ut-here")).to_contain_text(QUESTION)
    expect(page).to_have_url(re.compile(old))
    page.fill("#ut-search input, #ut-search textarea", "<i>qqq</i>")
    expect(page.locator("#ut-found h3", has_text="With these words")).to_have_count(0)
    page.locator("#ut-search input, #ut-search textarea").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#ut-conversations .ut-open").first).to_be_visible()


def test_a_conversation_leaves_as_a_page_or_json_and_comes_back(opened: Opened, site: Site) -> None:
    made = kept(site, "first <b>", "second")
    page = opened(f"?c={made}")
    page.locator("#ut-export-as summary").click()
    with page.expect_download() as saving:
        page.locator("#ut-export-as button", has_text="HTML").click()
    assert saving.value.suggested_filename == "first-b.html"
    assert "first &lt;b&gt;" in saving.value.path().read_text()
    page.locator("#ut-export-as summary").click()
    with page.expect_download() as saving:
        page.locator("#ut-export-as button", has_text="JSON").click()
    page.set_input_files("#ut-bring input", saving.value.path())
    expect(page.locator(".ut-told")).to_have_text("Imported 1 conversation.")
    expect(page.locator("#ut-conversations .ut-open")).to_have_count(2)
    (other,) = {one.id for one in site.sessions.list()} - {made}
    assert site.sessions.turns(other) == site.sessions.turns(made)
    page.set_input_files(
        "#ut-bring input", {"name": "x.json", "mimeType": "application/json", "buffer": b"{}"}
    )
    expect(page.locator(".ut-error")).to_contain_text("no file of conversations")
