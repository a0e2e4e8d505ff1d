"""Answer quality on labelled questions: facts found, right source cited, refusals true and false.

    python -m tests.bench.answers --index data/index --split dev
    python -m tests.bench.answers --index /tmp/shared-index --questions data/eval/shared_notes.jsonl

Prints a table and writes it, with every answer, to tests/bench/out/. Tune on dev; run test to report.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from rag.chain import answer_chain
from rag.engines.local import load_model
from rag.parted import lacks
from rag.prompts import opening
from rag.select import BUDGET
from rag.types import Answer, Ask, Turn, to_json
from tests.bench.labelled import EVAL, OUT, Labelled, facts_found, load, own, right_source, wrong_sources
from ui.tutor import open_retriever

MARKED = EVAL / "marked_sentences.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--questions", type=Path, help="a JSONL file (default: those on our own unit)")
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--budget", type=int, default=BUDGET, help="tokens of notes in the prompt")
    parser.add_argument("--kind", help="only questions of this kind")
    parser.add_argument("--name", help="name of the files written (default: from the arguments)")
    parser.add_argument("--every", type=int, default=1, help="take every n-th question")
    options = parser.parse_args()
    questions = load(options.questions, options.split) if options.questions else own(options.split)
    questions = [one for one in questions if not options.kind or one.kind == options.kind][:: options.every]
    retriever = open_retriever(options.index, None)
    model = load_model()
    model.warm(opening())  # as every door does: what was read ahead is read behind it
    chain = answer_chain(retriever, model, options.budget)
    answered: list[tuple[Labelled, Answer]] = []
    for one in questions:
        history: list[Turn] = []
        for question in one.turns:
            answer = chain.invoke(Ask(question, tuple(history)))
            history.append(Turn(question, answer.answer))
        answered.append((one, answer))
        found = f"{facts_found(one, answer.answer)}/{len(one.facts)}"
        kind = "refused" if answer.refused else f"facts {found}"
        print(f"{one.id} {one.kind:12} {kind:10} {one.turns[-1][:70]}", flush=True)
    name = options.name or f"answers-{options.questions.stem if options.questions else options.split}"
    report(answered, name, options.budget)


def report(answered: Sequence[tuple[Labelled, Answer]], name: str, budget: int) -> None:
    """Print the table and write it beside the answers."""
    rows = figures(answered)
    table = "\n".join(
        ["| figure | value |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in rows)]
    )
    table = f"{name}, {len(answered)} questions, {budget} tokens of notes\n\n{table}\n"
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.md").write_text(table, "utf-8")
    with (OUT / f"{name}.jsonl").open("w", encoding="utf-8") as file:
        for one, answer in answered:
            found = facts_found(one, answer.answer)
            line = {
                "id": one.id,
                "kind": one.kind,
                "facts": one.facts,
                "found": found,
                "sources": one.sources,
            }
            file.write(json.dumps({**line, **to_json(answer)}, ensure_ascii=False) + "\n")
    print(f"\n{table}\n{time.strftime('%F %T')}")


def figures(answered: Sequence[tuple[Labelled, Answer]]) -> list[tuple[str, str]]:
    """The figures as (name, value) rows."""
    can = [(one, answer) for one, answer in answered if one.answerable]
    given = [(one, answer) for one, answer in can if not answer.refused]
    cannot = [(one, answer) for one, answer in answered if not one.answerable]
    rows = [
        (
            "facts found",
            _share(sum(facts_found(*_text(pair)) for pair in can), sum(len(o.facts) for o, _ in can)),
        ),
        (
            "all facts of a question found",
            _share(sum(facts_found(*_text(p)) == len(p[0].facts) for p in can), len(can)),
        ),
        (
            "right source cited, of the answered",
            _share(sum(right_source(*pair) for pair in given), len(given)),
        ),
        (
            "right source cited, of all answerable",
            _share(sum(right_source(*pair) for pair in given), len(can)),
        ),
        (
            "citations of other places",
            _share(sum(wrong_sources(*p) for p in given), sum(len(a.citations) for _, a in given)),
        ),
        ("false refusals", _share(sum(answer.refused for _, answer in can), len(can))),
        ("true refusals", _share(sum(answer.refused for _, answer in cannot), len(cannot))),
    ]
    for kind in sorted({one.kind for one, _ in cannot}):
        of_kind = [answer for one, answer in cannot if one.kind == kind]
        rows.append(
            (f"true refusals, {kind}", _share(sum(answer.refused for answer in of_kind), len(of_kind)))
        )
    half = [answer for one, answer in can if one.kind == "half"]
    if half:
        told = sum(any(map(lacks, answer.sentences)) for answer in half)
        rows.append(("halves that the notes lack told to be so", _share(told, len(half))))
    follow = [(one, answer) for one, answer in can if one.kind == "followup"]
    rows.append(
        (
            "facts found, follow-ups",
            _share(sum(facts_found(*_text(p)) for p in follow), sum(len(o.facts) for o, _ in follow)),
        )
    )
    rows.append(("marked supported, and so by hand", _marked(answered)))
    first = [answer.timings.first_word_ms / 1000 for _, answer in given]
    total = [answer.timings.total_ms / 1000 for _, answer in given]
    if first:
        rows.append(("first word, median seconds", f"{statistics.median(first):.2f}"))
        rows.append(("whole answer, median seconds", f"{statistics.median(total):.2f}"))
        prompt = [answer.timings.prompt_tokens for _, answer in given]
        rows.append(("prompt tokens, median", f"{statistics.median(prompt):.0f}"))
    return rows


def _marked(answered: Sequence[tuple[Labelled, Answer]]) -> str:
    """Of the sentences that answers mark as supported, those that are, and how many have no label."""
    lines = map(json.loads, MARKED.read_text("utf-8").splitlines())
    labels = {(row["question_id"], row["text"]): bool(row["supported"]) for row in lines}
    marked = [
        (one.id, said.text)
        for one, answer in answered
        for said in answer.sentences
        if said.label == "supported"
    ]
    known = [labels[key] for key in marked if key in labels]
    return f"{_share(sum(known), len(known))}, {len(marked) - len(known)} without a label"


def _text(pair: tuple[Labelled, Answer]) -> tuple[Labelled, str]:
    return pair[0], pair[1].answer


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {100 * part / whole:.1f}%" if whole else "none"


if __name__ == "__main__":
    main()
