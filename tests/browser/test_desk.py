"""The desk as an instructor uses it, in a real browser: keys, the gate, undoing, the shared set."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag.items.bank import Bank
from tests.browser.conftest import Site
from tests.browser.scripted import HOSTILE
from tests.quiz_items import choice, written

pytestmark = pytest.mark.browser


def test_questions_are_judged_and_mended_and_only_the_approved_are_shared(
    opened: Callable[..., Page], site: Site
) -> None:
    bank = Bank(site.sessions.url_or_path)
    bank.add([choice(0), choice(1), written(), replace(choice(3), stem=HOSTILE)])
    page = opened()
    page.goto(site.url + "desk")
    line, state, stem = page.locator("#desk-line"), page.locator("#desk-state"), page.locator(".dk-stem")
    expect(stem).to_have_text(choice(0).stem)
    expect(page.locator("#ut-reading mark")).to_have_text("KEYWORD quote 0.")
    expect(page.locator("#desk-export")).to_be_disabled()
    page.keyboard.press("a")
    expect(state).to_contain_text("Approved (1)")
    expect(stem).to_have_text(choice(1).stem)

    page.keyboard.press("r")
    expect(page.locator("#desk-why input").first).to_be_focused()
    page.get_by_label("unclear").check()
    page.fill("#desk-words textarea, #desk-words input", "says nothing")
    page.keyboard.press("Enter")
    expect(state).to_contain_text("Rejected (1)")
    assert bank.get(choice(1).id).reason == "unclear: says nothing"  # type: ignore[union-attr]
    page.keyboard.press("u")
    expect(stem).to_have_text(choice(1).stem)
    expect(state).to_contain_text("Rejected (0)")

    page.locator("#desk-item a", has_text="Write another").first.click()
    expect(line).to_contain_text("It passed the check and is saved.")
    expect(page.locator(".dk-options")).to_contain_text("The decoder")
    page.keyboard.press("e")
    expect(page.locator("#desk-stem textarea")).to_be_focused()
    page.fill("#desk-stem textarea", "What is not a sampler?")
    page.click("#desk-save")
    expect(line).to_contain_text("It does not pass the check: negative stem.")
    expect(page.locator("#desk-stem textarea")).to_have_value("What is not a sampler?")
    page.fill("#desk-stem textarea", "What is a slow sampler?")
    page.click("#desk-save")
    page.click("#desk-stop")
    expect(line).to_contain_text("Stopped: nothing was changed.")
    page.fill("#desk-stem textarea", "What is not a sampler?")
    page.click("#desk-by-hand")
    expect(page.locator(".dk-facts").first).to_contain_text("edited by hand")
    expect(stem).to_have_text("What is not a sampler?")

    page.keyboard.press("j")
    expect(stem).to_have_text(written().stem)
    page.keyboard.press("k")
    expect(stem).to_have_text("What is not a sampler?")
    page.locator("#desk-queue button").last.click()
    expect(stem).to_contain_text("<script>window.__x=1</script>")
    with page.expect_download() as saved:
        page.click("#desk-export")
    text = Path(saved.value.path()).read_text("utf-8")
    assert (
        choice(0).stem in text and "not a sampler" not in text and not zipfile.is_zipfile(saved.value.path())
    )
    assert [item.id for item in bank.shared()] == [choice(0).id]
    assert page.evaluate("window.__x") is None
