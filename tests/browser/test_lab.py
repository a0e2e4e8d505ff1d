"""The decoding lab as a student uses it, in a real browser, over a very small random model."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from playwright.sync_api import Page, expect

from ingest.build import build
from ingest.store import open_index
from rag.decoding import Decoding
from rag.engines.local import LocalModel
from rag.engines.writing import Drawn
from rag.retrieve import Retriever
from tests.browser.conftest import Site
from tests.ingest_fakes import FakeEncoder
from tests.tiny_model import tiny_model

pytestmark = pytest.mark.browser
Opened = Callable[..., Page]
HOSTILE = "<script>window.__x=1</script><img src=x onerror='window.__x=1'> ${window.__x=1}"


class Slow(LocalModel):
    """The tiny model, slow enough to be watched; every third token spells markup."""

    pause: float = 0.03

    def compare(
        self,
        messages: list[BaseMessage],
        hows: Sequence[Decoding],
        halt: threading.Event | None = None,
        top: int = 12,
        waiting: Any = None,
    ) -> Iterator[Drawn]:
        for number, drawn in enumerate(super().compare(messages, hows, halt, top, waiting)):
            time.sleep(self.pause)
            if number % 3 == 0 and drawn.candidates:
                hostile = tuple(replace(one, text=HOSTILE) for one in drawn.candidates)
                drawn = replace(drawn, piece=f" {HOSTILE}", candidates=hostile)
            yield drawn


@pytest.fixture
def lab(opened: Opened, site: Site, tmp_path: Path) -> Callable[..., Page]:
    """Opens the lab from the chat; the model waits `pause` seconds before each token."""
    (tmp_path / "words.md").write_text("# Words\n\nThe w3 does what w5 w6 does. Then comes w7 and w8.\n")
    encoder = FakeEncoder(dimension=64)
    build([tmp_path / "words.md"], tmp_path / "index", encoder)
    retriever = Retriever(open_index(tmp_path / "index", encoder), encoder)

    def open_lab(pause: float = 0.02, width: int = 1280, local: bool = True) -> Page:
        tiny = tiny_model()
        model = Slow(tiny._model, tiny._tokenizer, max_new_tokens=12, pause=pause)
        site.stop()
        site.tutor = replace(site.tutor, model=model if local else None, retriever=retriever)
        site.start()
        page = opened(width=width)
        if width < 900:
            page.goto(site.url + "lab")
        else:
            page.click("#ut-sidebar >> text=Decoding lab")
        page.wait_for_selector("#lab-example .lab-chart")
        return page

    return open_lab


def run(page: Page) -> None:
    page.fill("#lab-question textarea", "what does w3 do")
    page.keyboard.press("Enter")


def finished(page: Page) -> None:
    expect(page.locator("#lab-again")).to_be_enabled()
    expect(page.locator("#lab-run")).to_be_visible()


def test_strategies_stream_side_by_side_and_tokens_show_their_chart(lab: Callable[..., Page]) -> None:
    page = lab()
    run(page)
    expect(page.locator("#lab-stop")).to_be_visible()
    expect(page.locator(".lab-column")).to_have_count(3)
    finished(page)
    columns = page.locator(".lab-column")
    assert [title.split(",")[0] for title in columns.locator("h3").all_inner_texts()] == [
        "Greedy decoding", "Top-k sampling", "Top-p (nucleus) sampling",
    ]  # fmt: skip
    for number in range(3):
        figures = columns.nth(number).locator(".lab-figures dd").all_inner_texts()
        assert len(figures) == 4 and float(figures[0]) >= 0 and 0 < float(figures[2]) <= 1
    expect(columns.nth(0)).to_contain_text("<script>window.__x=1</script>")
    columns.nth(1).locator(".lab-token").nth(4).click()
    chart = page.locator("#lab-chart")
    expect(chart).to_contain_text("Token 5 of")
    expect(chart).to_contain_text("Kept: 40 tokens")
    expect(chart.locator("tr.drawn")).to_have_count(1)
    expect(columns.nth(1).locator(".lab-token.on")).to_have_attribute("data-token", "4")
    page.keyboard.press("ArrowRight")
    expect(chart).to_contain_text("Token 6 of")
    page.keyboard.press("ArrowUp")
    expect(chart).to_contain_text("Greedy decoding")
    expect(chart.locator("tr.kept")).to_have_count(1)
    chart.locator("[data-step=previous]").click()
    expect(chart).to_contain_text("Token 5 of")
    expect(page.locator(".lab-token.on")).to_have_attribute("data-token", "4")
    assert page.evaluate("window.__x") is None


def test_another_seed_shows_how_much_each_varies(lab: Callable[..., Page]) -> None:
    page = lab()
    run(page)
    finished(page)
    expect(page.locator(".lab-variation")).to_have_count(0)
    page.click("#lab-again")
    expect(page.locator(".lab-variation")).to_be_visible()
    rows = page.locator(".lab-variation tbody tr:not(.lab-texts)")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("0.00")
    expect(page.locator(".lab-column").nth(1)).to_contain_text("seed 1")
    finished(page)


def test_stop_keeps_what_was_written(lab: Callable[..., Page]) -> None:
    page = lab(pause=0.4)
    run(page)
    expect(page.locator(".lab-token").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#lab-run")).to_be_visible()
    expect(page.locator(".lab-stopped").first).to_be_visible()


def test_cards_are_added_and_removed_and_bad_values_told(lab: Callable[..., Page]) -> None:
    page = lab()
    cards = page.locator(".lab-picker:visible")
    expect(cards).to_have_count(3)
    page.click("#lab-more")
    expect(cards).to_have_count(4)
    page.click("#lab-fewer")
    expect(cards).to_have_count(3)
    page.click("#lab-fewer")
    expect(cards).to_have_count(2)
    expect(page.locator("#lab-fewer")).to_be_disabled()
    page.locator(".lab-picker").nth(1).get_by_label("k", exact=True).fill("0")
    run(page)
    expect(page.locator("#lab-line")).to_contain_text("Strategy 2: k must be between 1 and 1000, not 0.")
    page.locator(".lab-picker").nth(1).get_by_label("k", exact=True).fill("3")
    run(page)
    finished(page)
    expect(page.locator("#lab-line .ut-error")).to_have_count(0)
    expect(page.locator(".lab-column")).to_have_count(2)


def test_the_course_example_needs_no_model(lab: Callable[..., Page]) -> None:
    page = lab(local=False)
    expect(page.locator(".lab-remote")).to_contain_text("needs the local engine")
    expect(page.locator("#lab-question")).to_have_count(0)
    kept = page.locator("#lab-example tr.kept code")
    expect(kept).to_have_text(["happy", "tired"])
    page.locator("#lab-example-set input").first.click()
    page.get_by_role("option", name=re.compile("nucleus")).click()
    expect(kept).to_have_text(["happy", "tired", "hungry"])
    page.locator("#lab-example-temperature input").fill("0.5")
    expect(page.locator("#lab-example")).to_contain_text("53%")
    page.locator("#lab-example-value input").fill("1.5")
    expect(page.locator("#lab-example")).to_contain_text("p must be above 0 and at most 1")


def test_on_a_phone_the_columns_are_under_each_other(lab: Callable[..., Page]) -> None:
    page = lab(width=390)
    run(page)
    finished(page)
    boxes = [box for box in (column.bounding_box() for column in page.locator(".lab-column").all()) if box]
    assert len({box["x"] for box in boxes}) == 1 and len({box["y"] for box in boxes}) == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_text("Back to the chat")).to_be_visible()
