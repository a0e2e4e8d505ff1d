"""The regression set: what becomes a case, what meets it, and what a later run is compared with."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import BadRequest, ModelUnusable
from ingest.types import Place
from rag import recheck
from rag.decoding import GREEDY
from rag.recheck import accept, accepted_path, compare, judged, load, repeats, run
from rag.regression import Case, beside, cites, facts_found, forget, read, save
from rag.types import Answer, Citation, Sentence

QUOTE = "The VAE was introduced by Kingma and Welling in 2013, with a reparameterised encoder."
CITED = Citation(1, "m.pdf", 2, "Models > VAE", QUOTE, 0.8, "ab12", QUOTE)
TEXT = "Kingma and Welling introduced it in 2013, with a reparameterised encoder."
GOOD = Answer(
    "Who introduced the VAE?",
    GREEDY,
    stage="done",
    answer=f"{TEXT} [1]",
    citations=(CITED,),
    sentences=(Sentence(TEXT, 0.97, "supported", (1,)),),
)
REFUSED = replace(
    GOOD, answer="The notes do not answer this question.", refused=True, citations=(), sentences=()
)


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return tmp_path / "regression.jsonl"


def test_an_approved_answer_asks_for_its_key_terms_and_sources(at: Path) -> None:
    save(at, GOOD, "approved")
    (case,) = read(at)
    assert case.turns == ("Who introduced the VAE?",) and case.sources == (("m.pdf", 2),)
    assert {fact[0] for fact in case.facts} == {"2013", "welling", "kingma", "reparameterised", "encoder"}
    assert not any("vae" in wording or "introduc" in wording for fact in case.facts for wording in fact)
    assert all(judged(case, GOOD).met.values())


def test_a_refusal_that_was_approved_must_be_one_again(at: Path) -> None:
    save(at, REFUSED, "approved")
    (case,) = read(at)
    assert case.must_refuse is True and judged(case, REFUSED).met == {"is refused": True}
    assert judged(case, GOOD).met == {"is refused": False}


def test_a_rejected_answer_must_not_come_again(at: Path) -> None:
    save(at, GOOD, "rejected", earlier=["What is a VAE?"])
    (case,) = read(at)
    assert case.turns == ("What is a VAE?", "Who introduced the VAE?")
    assert judged(case, GOOD).met == {"does not repeat what was rejected": False}
    mended = replace(GOOD, answer="Kingma and Welling introduced it in 2014, with a reparameterised encoder.")
    assert judged(case, mended).met == {"does not repeat what was rejected": True}


def test_a_wrong_page_is_about_the_page(at: Path) -> None:
    save(at, GOOD, "rejected", wrong_page=True)
    (case,) = read(at)
    assert list(judged(case, GOOD).met.values()) == [False]
    elsewhere = replace(GOOD, citations=(replace(CITED, page=3),))
    assert list(judged(case, elsewhere).met.values()) == [True]


def test_a_rejected_refusal_must_be_answered(at: Path) -> None:
    save(at, REFUSED, "rejected")
    (case,) = read(at)
    assert not any(judged(case, REFUSED).met.values()) and all(judged(case, GOOD).met.values())


def test_the_last_word_on_an_answer_counts_and_can_be_taken_back(at: Path) -> None:
    at.write_text('{"question": "by hand", "must_refuse": true}\n', "utf-8")
    save(at, GOOD, "rejected")
    save(at, GOOD, "approved")
    assert [case.must_not_repeat for case in read(at)] == ["", ""]
    other = replace(GOOD, answer="Welling, in 2013.")
    save(at, other, "approved")
    assert [case.answer for case in read(at)] == ["", "Welling, in 2013."]
    save(at, GOOD, "rejected")
    assert len(read(at)) == 3, "another answer to the same question that was rejected stays beside it"
    forget(at, GOOD)
    forget(at, other)
    assert [case.turns for case in read(at)] == [("by hand",)]


def test_nothing_is_no_answer(at: Path) -> None:
    with pytest.raises(BadRequest):
        save(at, Answer("q", GREEDY), "approved")
    assert not at.exists()


def test_several_writers_lose_no_case(at: Path) -> None:
    def write(number: int) -> None:
        save(at, replace(GOOD, question=f"Question {number}?"), "approved")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read(at)) == 12


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"not json", "JSON"),
        (b"\xff", "JSON"),
        (b"[1]", "object"),
        (b"{}", "question or turns"),
        (b'{"question": "q", "turns": ["q"], "must_refuse": true}', "question or turns"),
        (b'{"question": 3, "must_refuse": true}', "string"),
        (b'{"turns": [], "must_refuse": true}', "string"),
        (b'{"question": "q"}', "expects nothing"),
        (b'{"question": "q", "facts": ["bare"]}', "facts"),
        (b'{"question": "q", "facts": [[]]}', "facts"),
        (b'{"question": "q", "sources": [["a", "b"]]}', "sources"),
        (b'{"question": "q", "must_not_cite": 4}', "must_not_cite"),
        (b'{"question": "q", "must_refuse": "yes"}', "must_refuse"),
        (b'{"question": "q", "must_not_repeat": 5}', "must_not_repeat"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(at: Path, line: bytes, said: str) -> None:
    at.write_bytes(b'{"question": "fine", "must_refuse": true}\n\n' + line + b"\n")
    with pytest.raises(BadRequest, match=said) as raised:
        read(at)
    assert str(raised.value).startswith("Line 3 of ") and "\n" not in str(raised.value)


def test_lines_of_data_eval_are_cases() -> None:
    cases = read(Path(__file__).parents[2] / "data" / "eval" / "followups.jsonl")
    assert len(cases) > 10 and all(case.facts and case.sources for case in cases)


def test_no_set_or_an_empty_one_is_one_line(at: Path) -> None:
    for make in (lambda: None, lambda: at.write_text("\n")):
        make()
        with pytest.raises(BadRequest):
            read(at)


@pytest.mark.parametrize(
    ("wording", "answer", "found"),
    [
        ("2013", "in 2013.", True),
        ("13", "in 2013.", False),
        ("1,000", "1,000 steps", True),
        ("1", "1,000 steps", False),
        ("0.4", "0.45", False),
        ("classif", "It classifies.", True),
        ("top p", "Top-p sampling", True),
        ("kingma", "KINGMA [1].", True),
    ],
)
def test_a_fact_is_found_as_it_is_meant(wording: str, answer: str, found: bool) -> None:
    assert facts_found([[wording, "never this"]], answer) == [found]


def test_a_page_that_says_the_same_is_as_good() -> None:
    assert cites([("a.pdf", None)], [("a.pdf", 4)]) and not cites([("a.pdf", 3)], [("a.pdf", 4)])
    case = Case(("q",), sources=(("copy.pdf", 9),))
    twice = replace(CITED, also=(Place("copy.pdf", 9, ()),))
    assert all(judged(case, replace(GOOD, citations=(twice,))).met.values())


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (TEXT, True),
        ("It was introduced by Kingma and Welling in 2013 with a reparameterised encoder.", True),
        (TEXT.replace("2013", "2014"), False),
        (TEXT.replace("introduced", "did not introduce"), False),
        ("Something else entirely, from 2013.", False),
    ],
)
def test_what_counts_as_the_same_answer(text: str, same: bool) -> None:
    assert repeats(text, TEXT) is same


def answers(given: dict[str, Answer]) -> recheck.Ask:
    return lambda turns: replace(given[turns[-1]], question=turns[-1])


def test_only_what_changed_is_better_or_worse(at: Path) -> None:
    cases = [Case((q,), facts=(("2013",),), sources=(("m.pdf", 2),)) for q in ("a", "b", "c")]
    plain = replace(GOOD, citations=())
    first = run(cases, answers({"a": GOOD, "b": plain, "c": plain}), at, "one")
    accept(at, first)
    second = run(cases, answers({"a": plain, "b": GOOD, "c": plain}), at, "two")
    a, b, c = compare(cases, load(at), second)
    assert (a.lost, a.gained) == (("cites m.pdf, p. 2",), ())
    assert (b.lost, b.gained) == ((), ("cites m.pdf, p. 2",))
    assert (c.lost, c.gained, c.unmet) == ((), (), ("cites m.pdf, p. 2",))


def test_before_any_run_what_was_judged_is_what_counts(at: Path) -> None:
    save(at, GOOD, "approved")
    save(at, replace(GOOD, question="Other?"), "rejected")
    at.write_text(at.read_text("utf-8") + '{"question": "by hand", "must_refuse": true}\n', "utf-8")
    cases = read(at)
    now = run(cases, lambda turns: GOOD, at, "")
    approved, rejected, by_hand = compare(cases, {}, now)
    assert not approved.lost and not approved.unmet
    assert not rejected.lost and rejected.unmet, "it never was right, so it is no regression"
    assert by_hand.lost == ("is refused",)


def test_an_interrupted_run_goes_on_where_it_stopped(at: Path) -> None:
    cases = [Case((q,), facts=(("2013",),)) for q in ("a", "b", "c")]
    asked: list[str] = []

    def fails_at_c(turns: tuple[str, ...]) -> Answer:
        asked.append(turns[-1])
        if turns[-1] == "c" and len(asked) < 4:
            raise ModelUnusable("The server went away.")
        return GOOD

    with pytest.raises(ModelUnusable):
        run(cases, fails_at_c, at, "same")
    beside_it = at.with_name(f".{at.name}.running")
    beside_it.write_bytes(beside_it.read_bytes() + b'{"id": "torn')
    results = run(cases, fails_at_c, at, "same")
    assert asked == ["a", "b", "c", "c"] and len(results) == 3 and not beside_it.exists()
    with pytest.raises(ModelUnusable):
        asked.clear()
        run(cases, fails_at_c, at, "same")
    run(cases, lambda turns: asked.append("again") or GOOD, at, "another index")
    assert asked == ["a", "b", "c", "again", "again", "again"]


def test_a_question_that_cannot_be_asked_is_not_met(at: Path) -> None:
    def unfit(turns: tuple[str, ...]) -> Answer:
        raise BadRequest("The question is empty: type one.")

    (result,) = run([Case((" ",), facts=(("2013",),), must_refuse=True)], unfit, at, "").values()
    assert result.answer.startswith("The question is empty") and not any(result.met.values())


def test_a_damaged_accepted_run_is_one_line(at: Path) -> None:
    for damage in ("torn", "[]", '{"cases": {"a": 1}}', '{"cases": {"a": {"cited": [1], "met": {}}}}'):
        accepted_path(at).write_text(damage, "utf-8")
        with pytest.raises(BadRequest, match="remove the file"):
            load(at)


def test_an_accepted_run_is_plain_json(at: Path) -> None:
    cases = [Case(("a",), facts=(("2013",),))]
    accept(at, run(cases, lambda turns: GOOD, at, ""))
    values = json.loads(accepted_path(at).read_text("utf-8"))
    assert list(values["cases"]) == [cases[0].id] and load(at)[cases[0].id].cited == (("m.pdf", 2),)
    assert sorted(path.name for path in at.parent.iterdir()) == [
        ".regression.jsonl.running.lock",
        "regression.accepted.json",
    ]


def test_where_the_set_of_an_index_lies() -> None:
    assert beside(Path("data/index")) == Path("data/regression.jsonl")
    assert beside(Path("lectures")) == Path("lectures.regression.jsonl")
