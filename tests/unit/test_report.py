"""What a check is told in: figures, JSON, CSV, a table for terminals, a page that does nothing by itself."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ingest.errors import BadRequest
from rag.types import Quote, Sentence
from tests.checker import TEXT, Checker
from ui import report
from ui.checking import Checked, check_all, check_one
from ui.report import About
from ui.texts import Text
from ui.web.check_view import LATEST, ROWS, chart, results
from ui.web.report import html_report

ABOUT = About(datetime(2026, 3, 4, 5, 6), True, "the index data/index")
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> ${x} {{y}} </style></title><!-- http://evil.invalid"


@pytest.fixture(autouse=True)
def checker(monkeypatch: pytest.MonkeyPatch) -> Checker:
    made = Checker()
    monkeypatch.setattr("rag.grounding.check_text", made, raising=False)
    return made


def checked(text: str = TEXT, name: str | int = "a") -> Checked:
    return list(check_one(Text(name, text), None, None))[-1]  # type: ignore[arg-type]


def evil() -> Checked:
    quote = Quote(EVIL, EVIL, 3, "p", 0.5)
    return Checked(EVIL, EVIL, (Sentence(EVIL, 0.2, "unsupported", (), (quote, quote)),), EVIL, whole=True)


def test_figures_are_of_claims() -> None:
    found = checked()
    assert (len(found.sentences), len(found.claims), found.supported) == (5, 4, 0.25)
    assert found.worst and found.worst.text == "It is from 1995."
    greeting = checked("Hello there!")
    assert greeting.supported is None and greeting.worst is None and greeting.whole
    assert checked("It trains two networks.").worst is None


def test_a_text_that_breaks_does_not_hold_up_the_others() -> None:
    given = [Text(1, "Two networks? They explode."), Text(2, error="Line 2 is bad."), Text(3, TEXT)]
    runs = list(check_all(given, None, None))  # type: ignore[arg-type]
    assert [run.done for run in runs] == sorted(run.done for run in runs)
    assert (runs[0].done, runs[-1].done, runs[-1].total) == (0, 6, 7)
    first, second, third = runs[-1].checked
    assert first.error == "The model broke: do something." and len(first.sentences) == 1 and not first.whole
    assert second.error == "Line 2 is bad." and third.whole and not third.error


def test_json_has_the_contract_and_a_summary() -> None:
    found = report.to_json(checked())
    assert json.loads(json.dumps(found)) == found
    first = found["sentences"][1]
    assert {"text", "support", "label", "quote", "source", "page"} <= set(first)
    assert (first["support"], first["label"], first["source"], first["page"]) == (
        0.97, "supported", "unit-1.pdf", 7,
    )  # fmt: skip
    assert len(first["quotes"]) == 2 and first["quote"] == first["quotes"][0]["text"]
    assert found["sentences"][0]["quote"] is None
    assert (found["claims"], found["supported"], found["worst"]) == (4, 0.25, "It is from 1995.")
    assert "stopped" not in found and "error" not in found
    assert report.to_json(Checked(1, TEXT))["stopped"] is True
    whole = json.loads(report.json_report([checked(), checked(name=2)], ABOUT))
    assert [one["id"] for one in whole["texts"]] == ["a", 2] and whole["mode"] == "full"
    assert whole["counts"] == {
        "supported": 2, "partly": 2, "unsupported": 2, "contradicted": 2, "not-a-claim": 2,
    }  # fmt: skip


def test_csv_is_a_row_a_sentence_and_no_spreadsheet_calculates_it() -> None:
    formula = '=HYPERLINK("http://evil.invalid")'
    bad = Checked(formula, "", (Sentence(formula, 0.1, "unsupported", (), (Quote("+1", "@x", 1, "", 0),)),))
    rows = list(csv.reader(io.StringIO(report.csv_report([checked(), bad, Checked(3, "", error="-no")]))))
    assert tuple(rows[0]) == report.COLUMNS and len(rows) == 1 + 5 + 1 + 1
    assert rows[2][:8] == [
        "a", "2", "A GAN trains two networks.", "supported", "0.970",
        "A GAN trains two networks against each other.", "unit-1.pdf", "7",
    ]  # fmt: skip
    assert rows[6][0] == rows[6][2] == "'" + formula and rows[6][5:7] == ["'+1", "'@x"]
    assert rows[7] == ["3", "", "'-no", "error"]


def test_a_terminal_is_shown_a_table_that_fits() -> None:
    shown = report.table_text(checked(TEXT + " \x1b[31mRed."), width=70)
    assert all(len(line) <= 70 for line in shown.splitlines()) and "\x1b" not in shown
    assert re.search(r"^ +97%  supported +A GAN trains two networks\.$", shown, re.MULTILINE)
    assert re.search(r"^ +-  not-a-claim +Hello there!$", shown, re.MULTILINE)
    assert '"A GAN trains two networks against each other."' in shown and "unit-1.pdf, p. 7" in shown
    assert shown.endswith("\nSupported: 25% of 4 claims.\n")


class Seen(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attributes]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_report_is_one_page_that_fetches_nothing_and_runs_only_our_script() -> None:
    page = html_report([checked(), evil(), Checked(3, "", error=EVIL)], ABOUT)
    seen = Seen(page)
    assert seen.tags.count("script") == seen.tags.count("style") == seen.tags.count("title") == 1
    assert not {"img", "link", "iframe", "object", "base", "form"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("src", "style")]
    assert all(value.startswith("#") for name, value in seen.attributes if name == "href")
    policy = next(value for name, value in seen.attributes if value.startswith("default-src"))
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    text = "".join(seen.words)
    assert EVIL in text and "It likes the moon." in text


def test_the_report_says_each_state_in_words_and_signs_and_by_its_line() -> None:
    page = html_report([checked(), checked(name=2)], ABOUT)
    assert page.count("<section") == 2 and page.count("<table") == 3
    for words in ("supported", "partly supported", "unsupported", "contradicted"):
        assert re.search(rf'<b aria-hidden="true">\S</b> {words}</span>', page)
    for label in ("supported", "partly", "unsupported", "contradicted"):
        assert f'<span class="ck-said ck-{label}">' in page
    assert '<span class="ck-said ck-contradicted">It is from 1995.</span><sup' in page
    assert "5 sentences: 1 supported, 1 partly supported, 1 unsupported" in page
    assert 'aria-label="Sentences by state: 2 supported, 2 partly supported' in chart([checked(), checked()])
    assert "2026-03-04 at 05:06" in page and "25% of 8 claims supported" in page


def test_a_page_shows_some_of_very_many_sentences() -> None:
    several = [checked(" ".join([TEXT] * 6), number) for number in range(10)]
    run = list(check_all([], None, None))[-1]  # type: ignore[arg-type]
    assert results(run, running=False) == ""
    many = type(run)(tuple(several), 300, 300)
    over, going = results(many, running=False), results(many, running=True)
    assert over.count("<tr data-state") == ROWS and going.count("<tr data-state") == LATEST
    assert "Of 300 sentences" in over and 'data-state="not-a-claim"' not in over
    assert over.index('data-state="contradicted"') < over.index('data-state="partly"')
    one = results(type(run)((evil(),), 1, 1), running=False)
    assert "<script" not in one and "${" not in one and "{{" not in one and "<img" not in one


def test_reports_are_named_by_their_ending_and_written_whole(tmp_path: Path) -> None:
    for name in ("r.html", "r.csv", "R.JSON"):
        report.check_formats([tmp_path / name])
        report.write(tmp_path / name, [checked(), evil()], ABOUT)
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbfid,number,sentence")
    assert len(json.loads((tmp_path / "R.JSON").read_text("utf-8"))["texts"]) == 2
    assert len(list(tmp_path.iterdir())) == 3
    (tmp_path / "folder.csv").mkdir()
    for name in ("r.pdf", "r", "none/r.csv", "folder.csv"):
        with pytest.raises(BadRequest):
            report.check_formats([tmp_path / name])
    with pytest.raises(BadRequest, match="Cannot write"):
        report.write(tmp_path / "none" / "r.csv", [checked()], ABOUT)
