"""Texts checked as an instructor does it, in a real browser, over a check that goes by single words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag.decoding import GREEDY
from rag.types import Answer
from tests.browser.conftest import Site
from tests.browser.scripted import HOSTILE
from tests.checker import TEXT, Checker

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]


@pytest.fixture
def checker(monkeypatch: pytest.MonkeyPatch) -> Checker:
    made = Checker()
    monkeypatch.setattr("rag.grounding.check_text", made)
    return made


def at_check(opened: Opened, width: int = 1280) -> Page:
    page = opened(width=width)
    page.goto(page.url.split("?")[0] + "check")
    page.wait_for_selector("#check-text textarea")
    return page


def check(page: Page, text: str) -> None:
    page.fill("#check-text textarea", text)
    page.click("#check-run")
    expect(page.locator("#check-saves")).to_be_visible()


def sentences(page: Page) -> list[str]:
    return page.locator(".ck-sentences tbody tr:visible .ck-said").all_inner_texts()


def test_a_pasted_text_becomes_a_table_that_sorts_filters_and_is_saved(
    opened: Opened, checker: Checker
) -> None:
    page = at_check(opened)
    page.click("#check-run")
    expect(page.locator("#check-line")).to_contain_text("There is no text to check.")
    check(page, f"{TEXT} {HOSTILE}")
    expect(page.locator(".ck-chart")).to_contain_text("supported")
    row = page.locator(".ck-sentences tbody tr").nth(1)
    expect(row).to_contain_text("97%")
    expect(row).to_contain_text("A GAN trains two networks against each other.")
    expect(row.locator("[data-name=Source]")).to_have_text("unit-1.pdf")
    expect(row.locator("[data-name=Page]")).to_have_text("p. 7")
    assert page.evaluate("window.__x") is None and "window.__x=1" in page.inner_text(".ck-sentences")
    head = page.get_by_role("button", name="Support", exact=True)
    head.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ck-sentences th[aria-sort=ascending]")).to_contain_text("Support")
    assert sentences(page)[0] == "It is from 1995."
    page.keyboard.press("Space")
    expect(page.locator(".ck-sentences th[aria-sort=descending]")).to_contain_text("Support")
    assert sentences(page)[1] == "A GAN trains two networks."  # after what is no claim
    page.get_by_role("button", name="contradicted (1)").click()
    assert sentences(page) == ["It is from 1995."]
    for name, start in (("HTML", "<!doctype html>"), ("CSV", "\ufeffid,number"), ("JSON", "{")):
        with page.expect_download() as saved:
            page.click(f"text=Save as {name}")
        assert saved.value.suggested_filename.endswith(f".{name.lower()}")
        assert Path(saved.value.path()).read_text("utf-8").startswith(start)


def test_a_check_is_stopped_and_keeps_what_there_is(opened: Opened, checker: Checker) -> None:
    checker.pause = 0.3
    page = at_check(opened)
    page.fill("#check-text textarea", " ".join([TEXT] * 20))
    page.click("#check-run")
    expect(page.locator("#check-line")).to_contain_text("of 100")
    expect(page.locator(".ck-sentences tbody tr").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#check-line")).to_contain_text("Stopped after")
    expect(page.locator("#check-run")).to_be_visible()
    assert 0 < len(sentences(page)) < 100


def test_a_conversation_is_checked_answer_by_answer(opened: Opened, site: Site, checker: Checker) -> None:
    made = site.sessions.create("Revision <b>1</b>")
    for question in ("What is it?", "Since when?"):
        site.sessions.add(made, Answer(question, GREEDY, "done", answer=TEXT))
    page = at_check(opened, width=390)
    page.get_by_label("A conversation").check()
    page.click("#check-talk input")
    page.get_by_role("option", name="Revision <b>1</b>").click()
    page.click("#check-run")
    expect(page.locator(".ck-overview tbody tr")).to_have_count(2)
    expect(page.locator("#check-saves")).to_be_visible()
    assert [one["question"] for one in checker.asked] == ["What is it?", "Since when?"]
    assert len(sentences(page)) == 10
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_file_of_answers_is_checked_and_a_bad_one_told(
    opened: Opened, checker: Checker, tmp_path: Path
) -> None:
    page = at_check(opened)
    page.get_by_label("A file of answers").check()
    told = page.locator("#check-told")
    for name, raw, says in (
        ("a.pdf", b"%PDF", "not a file of answers"),
        ("a.csv", b"id,words\n1,a\n", "has no column text"),
        ("a.jsonl", b"x" * 2_200_000, "larger than 2 MB"),
        ("<b>.jsonl", b"nonsense", "<b>.jsonl holds nothing that can be checked. Line 1 is not JSON"),
    ):
        (tmp_path / name).write_bytes(raw)
        page.set_input_files("#check-file input", tmp_path / name)
        expect(told).to_contain_text(says)
    page.click("#check-run")
    expect(page.locator("#check-line")).to_contain_text("Choose a file with texts first.")
    lines = [{"id": f"s{n}", "answer": TEXT} for n in range(3)] + [{"id": "bad"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    page.set_input_files("#check-file input", tmp_path / "a.jsonl")
    expect(told).to_contain_text("a.jsonl: 4 texts. 1 of them cannot be checked. Line 4")
    page.click("#check-run")
    expect(page.locator("#check-saves")).to_be_visible()
    expect(page.locator(".ck-overview tbody tr")).to_have_count(4)
    expect(page.locator(".ck-errors")).to_contain_text("Line 4 has no text")
    with page.expect_download() as saved:
        page.click("text=Save as HTML")
    saved.value.save_as(tmp_path / "report.html")
    report = page.context.new_page()
    report.goto((tmp_path / "report.html").as_uri())
    expect(report.locator("section")).to_have_count(4)
    report.get_by_role("button", name="partly supported (3)").click()
    expect(report.locator(".ck-sentences tbody tr:visible")).to_have_count(3)
