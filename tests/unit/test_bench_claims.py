"""Claims as the benches read them: every set's labels, samples that stay, evidence looked up in the notes."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import NotesError
from tests.bench import own_claims
from tests.bench.claims import Claim, available, generic, load, sample
from tests.bench.own_claims import CLAIMS, EVIDENCE, Own, digest

WICE = {
    "label": "partially_supported",
    "supporting_sentences": [[1], [0, 1]],
    "claim": "Ann leads a paper that is the only one.",
    "evidence": ["About us", "Ann leads the paper."],
    "meta": {"id": "dev1", "claim_title": "Ann"},
}
HALUEVAL = {
    "knowledge": "A Day ran from 1844 to 1846.B Week is new (2001).C is old.",
    "question": " Which was first? ",
    "right_answer": "A Day",
    "hallucinated_answer": "B Week was first.",
}


def written(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    return path


def test_partly_supported_is_not_supported(tmp_path: Path) -> None:
    written(tmp_path, "wice_claim_dev.jsonl", [WICE, {**WICE, "label": "supported"}])
    partly, whole = load("wice", tmp_path)
    assert (partly.label, partly.kind) == (False, "partially_supported")
    assert whole.label is True
    assert partly.supporting == (frozenset({1}), frozenset({0, 1}))
    assert partly.group == whole.group == "wice:Ann"


def test_labels_of_the_other_sets(tmp_path: Path) -> None:
    rows = [{"claim": "x", "evidence": ["y"], "label": label} for label in ("SUPPORTS", "REFUTES")]
    written(tmp_path, "fool_me_twice_dev.jsonl", rows)
    kinds = ("entailment", "neutral", "contradiction")
    written(
        tmp_path, "snli_dev.jsonl", [{"premise": " p ", "hypothesis": "h . ", "label": one} for one in kinds]
    )
    assert [(one.kind, one.label) for one in load("fm2", tmp_path)] == [
        ("SUPPORTS", True),
        ("REFUTES", False),
    ]
    assert [one.label for one in load("snli", tmp_path)] == [True, False, False]
    assert load("snli", tmp_path)[0].evidence == ("p",)


def test_an_answer_is_claimed_with_its_question(tmp_path: Path) -> None:
    written(tmp_path, "halueval_qa_one.jsonl", [HALUEVAL])
    right, wrong = load("halueval", tmp_path)
    assert (right.claim, right.label) == ("Which was first? A Day", True)
    assert (wrong.claim, wrong.label) == ("Which was first? B Week was first.", False)
    assert right.evidence == ("A Day ran from 1844 to 1846.", "B Week is new (2001).", "C is old.")
    assert right.group == wrong.group


def test_of_three_readers_most_decide(tmp_path: Path) -> None:
    said = [{"worker_id": place, "response": one} for place, one in enumerate(("yes", "no", "yes"))]
    other = [{**one, "response": "no"} for one in said[:2]] + said[2:]
    summary = [{"sentence": "A won. ", "responses": said}, {"sentence": "B won.", "responses": other}]
    written(tmp_path, "mturk_cnndm.jsonl", [{"article": "A won. B lost.", "summary_sentences": summary}])
    yes, no = load("qags", tmp_path)
    assert (yes.claim, yes.label, no.label) == ("A won.", True, False)
    assert yes.evidence == ("A won.", "B lost.") and yes.group == no.group
    assert yes.split == no.split == "test"


def test_any_other_set(tmp_path: Path) -> None:
    rows = [
        {
            "id": "one",
            "claim": "x",
            "evidence": "It is x. It is y.",
            "label": "Supported",
            "supporting": [[0]],
        },
        {"claim": "z", "evidence": ["a", "b"], "label": 0},
        {"claim": "z", "evidence": ["a", "b"], "label": True},
    ]
    found = generic(written(tmp_path, "mine.jsonl", rows))
    assert [(one.id, one.set, one.label) for one in found] == [
        ("mine:one", "mine", True),
        ("mine:2", "mine", False),
        ("mine:3", "mine", True),
    ]
    assert found[0].evidence == ("It is x.", "It is y.")
    assert found[0].supporting == (frozenset({0}),)


@pytest.mark.parametrize(
    "bad",
    [
        {"claim": "x", "label": 1},
        {"claim": "x", "evidence": [], "label": 1},
        {"claim": "x", "evidence": ["y"], "label": 1, "supporting": [[1]]},
        ["x"],
    ],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, bad: Any) -> None:
    good = {"claim": "x", "evidence": ["y"], "label": 1}
    with pytest.raises(NotesError, match=r"line 2 of .*mine\.jsonl") as caught:
        generic(written(tmp_path, "mine.jsonl", [good, bad]))
    assert "\n" not in str(caught.value)


def test_missing_sets_are_named_and_the_others_read(tmp_path: Path) -> None:
    written(tmp_path, "wice_claim_dev.jsonl", [WICE])
    found, missing = available(tmp_path)
    assert [one.set for one in found] == ["wice"]
    assert [line.split(":")[0] for line in missing] == ["fm2", "snli", "halueval", "qags"]


def some(count: int, right: int, pairs: bool = False) -> list[Claim]:
    return [
        Claim(
            f"s:{place}",
            "s",
            "x",
            ("y",),
            place % 2 == 0 if pairs else place < right,
            "",
            group=f"g{place // 2}",
        )
        for place in range(count)
    ]


def test_a_sample_is_balanced_in_order_and_stays() -> None:
    claims = some(100, 30)
    taken = sample(claims, 40)
    assert Counter(one.label for one in taken) == {True: 20, False: 20}
    assert taken == [one for one in claims if one in taken] == sample(claims, 40)
    assert sample(claims, 40, seed=1) != taken
    assert Counter(one.label for one in sample(claims, 80)) == {True: 30, False: 50}
    assert sample(claims, 0) == claims
    assert len({one.id for one in sample(claims, 40)} & {one.id for one in sample(claims[:-2], 40)}) > 36


def test_pairs_are_sampled_whole() -> None:
    taken = sample(some(40, 0, pairs=True), 10)
    assert sorted(Counter(one.group for one in taken).values()) == [2] * 5


@pytest.fixture(scope="module")
def own() -> Own:
    return own_claims.own_claims(shared_notes=None)


def test_every_sentence_of_ours_finds_its_evidence(own: Own) -> None:
    rows = [json.loads(line) for line in CLAIMS.read_text("utf-8").splitlines()]
    wanted = [f"own:{row['id']}" for row in rows if row["notes"] == "unit"]
    assert [one.id for one in own.claims] == wanted
    assert len(set(wanted)) == len(wanted) > 400
    assert own.missing == ("own: no folder None with the shared notes: claims on them are left out",)
    for one in own.claims:
        assert len(one.evidence) == len(one.headings) == len(one.passages)
        assert one.label == (one.kind == "supported")
        assert bool(one.supporting) >= one.label, one.id
        assert bool(one.against) == (one.kind == "contradicted"), one.id
        assert all(place < len(one.evidence) for way in one.supporting + one.against for place in way)


def test_halves_share_no_question_and_notes_that_are_not_ours_are_test() -> None:
    halves: defaultdict[str, set[str]] = defaultdict(set)
    rows = [json.loads(line) for line in CLAIMS.read_text("utf-8").splitlines()]
    for row in rows:
        halves[row["split"]].add(row["question_id"])
        assert row["split"] == "test" or row["notes"] == "unit"
    assert not halves["dev"] & halves["test"]
    assert Counter(row["split"] for row in rows)["dev"] > 250
    assert {row["question_id"] for row in rows} == {
        json.loads(line)["question_id"] for line in EVIDENCE.read_text("utf-8").splitlines()
    }


def test_the_notes_of_others_are_not_copied() -> None:
    """Evidence is named, not told: no field but the claim and our own note holds a sentence."""
    for path, told in ((CLAIMS, {"claim", "note"}), (EVIDENCE, {"question"})):
        for line in path.read_text("utf-8").splitlines():
            for name, value in json.loads(line).items():
                texts = [value] if isinstance(value, str) else [json.dumps(value)]
                if name not in told and name not in ("supporting", "against", "passages"):
                    assert all(len(text) < 30 for text in texts), (path.name, name)


def test_a_passage_cut_otherwise_is_known_by_its_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("# A\n\nRain is wet. Snow is cold. Fog is thick. Wind is loud.\n")
    lines = ["Rain is wet.", "Snow is cold.", "Fog is thick."]
    shown = {"id": "0" * 16, "source": "a.md", "sentences": [*map(digest, lines), digest("Gone.")]}
    evidence = {"question_id": "q", "notes": "unit", "question": "?", "passages": [shown]}
    claim = {
        **{"id": "q.0", "question_id": "q", "notes": "unit", "split": "dev", "claim": "Snow is not warm."},
        **{"label": "supported", "supporting": [[digest("Snow is cold.")]], "against": [], "made": False},
        **{"edit": "", "origin": "chat"},
    }
    lost = {**claim, "id": "q.1", "supporting": [[digest("Gone.")]]}
    monkeypatch.setattr(own_claims, "EVIDENCE", written(tmp_path, "e.jsonl", [evidence]))
    monkeypatch.setattr(own_claims, "CLAIMS", written(tmp_path, "c.jsonl", [claim, lost]))
    found = own_claims.own_claims(notes, notes)
    assert [one.id for one in found.claims] == ["own:q.0"]
    (way,) = found.claims[0].supporting
    assert [found.claims[0].evidence[place] for place in way] == ["Snow is cold."]
    assert found.missing == ("own: q.1: a sentence that it was labelled by is no longer in the notes",)
