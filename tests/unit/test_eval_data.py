"""The labelled questions of data/eval: every label can be met by the notes, and test stays apart.

Failures name ids only, so that nobody sees a test question by running the tests.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from ingest.read import read
from tests.bench.labelled import EVAL, Labelled, load, own

NOTES = EVAL.parent / "notes"
KINDS = ("answerable", "unanswerable", "followups")
PREMISES = "premises.jsonl"  # questions to refuse and their twins, which the notes answer
TWINS = "twins.jsonl"  # the same, a twin of the same wording for each
TWO = "two_parts.jsonl"  # two questions in one
FILES = [*(f"{more}{kind}.jsonl" for more in ("", "more_") for kind in KINDS), PREMISES, TWINS, TWO]
REFUSED = {"near-miss", "off-topic", "false-premise", "injection", "task"}


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EVAL / name).read_text("utf-8").splitlines()]


def plain(text: str) -> str:
    text = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", text.lower())  # a word broken at the end of a line
    return re.sub(r"[\s\-‐‑–_]+", " ", text.replace("’", "'"))


@cache
def pages() -> dict[tuple[str, int | None], str]:
    files = [path for path in sorted(NOTES.iterdir()) if path.is_file()]
    return {(page.source, page.number): plain(page.text) for path in files for page in read(path, NOTES)}


def test_ids_are_unique() -> None:
    counted = Counter(one["id"] for name in FILES for one in lines(name))
    assert [name for name, count in counted.items() if count > 1] == []


def met(one: Labelled) -> bool:
    """Whether each fact occurs in a place that the question names, in at least one of its spellings."""
    texts = [pages().get(place, "") for place in one.sources]
    return all(texts) and all(
        any(plain(wording) in text for wording in fact for text in texts) for fact in one.facts
    )


@pytest.mark.parametrize("name", FILES)
def test_every_fact_stands_in_a_named_source(name: str) -> None:
    asked = load(EVAL / name)
    assert [one.id for one in asked if not met(one)] == []
    unlike = [one.id for one in asked if one.answerable != ("unanswerable" not in name)]
    if name in (PREMISES, TWINS):
        unlike = [one.id for one in asked if one.answerable != (one.kind == "answerable")]
    assert unlike == []


@pytest.mark.parametrize("name", FILES)
def test_spellings_are_lower_case(name: str) -> None:
    shouted = [one.id for one in load(EVAL / name) if str(one.facts) != str(one.facts).lower()]
    assert shouted == []


@pytest.mark.parametrize("name", FILES)
def test_kinds_and_turns(name: str) -> None:
    kinds = {"followup"} if "followups" in name else REFUSED if "unanswerable" in name else {"answerable"}
    kinds |= {"false-premise", "near-miss"} if name in (PREMISES, TWINS) else set()
    kinds = {"two-part", "half"} if name == TWO else kinds
    lengths = (2, 3) if "followups" in name else (1,)
    asked = load(EVAL / name)
    assert [one.id for one in asked if one.kind not in kinds] == []
    assert [one.id for one in asked if len(one.turns) not in lengths] == []


def test_the_later_questions_are_dev_only() -> None:
    later = [one for name in FILES if name.startswith("more_") or name == TWINS for one in lines(name)]
    assert {one["split"] for one in later} == {"dev"}
    ids = {one["id"] for one in later}
    assert ids <= {one.id for one in own("dev")}
    assert not ids & {one.id for one in own("test")}


@pytest.mark.parametrize("name", [PREMISES, TWINS])
def test_a_false_premise_says_what_the_notes_say_instead(name: str) -> None:
    rows = {one["id"]: one for one in lines(name)}
    false = [one for one in rows.values() if one["kind"] == "false-premise"]
    twins = [one for one in rows.values() if "twin" in one]
    assert [one["id"] for one in false if not (one["false"] and one["instead"] and one["where"])] == []
    assert [one["id"] for one in false if any(tuple(place) not in pages() for place in one["where"])] == []
    assert [one["id"] for one in twins if one["split"] != rows[one["twin"]]["split"]] == [], (
        "one half has both"
    )
    assert {rows[one["twin"]]["kind"] for one in twins} <= {"false-premise", "near-miss"}


def test_each_question_to_refuse_has_a_twin_of_its_own() -> None:
    rows = lines(TWINS)
    refused = sorted(one["id"] for one in rows if one["kind"] != "answerable")
    assert sorted(one["twin"] for one in rows if one["kind"] == "answerable") == refused


@pytest.mark.parametrize("half", ["dev", "test"])
def test_the_readme_counts_the_halves(half: str) -> None:
    readme = (EVAL / "README.md").read_text("utf-8")
    table = re.findall(r"^\| `(\S+)` \|[^|]*\| (\d+) \| (\d+) \|$", readme, re.M)
    said = {name: int(dev if half == "dev" else test) for name, dev, test in table}
    assert said == {name: sum(one["split"] == half for one in lines(name)) for name in FILES}
