"""Questions that pass the gate beside those of plain prompting: how many are right, and what they cost.

    python -m tests.bench.quiz --count 20                       writes questions, both ways
    python -m tests.bench.quiz --index DIR --name shared --count 20
    python -m tests.bench.quiz --report                         adds up what was written and labelled

Both ways use the same model, the same notes and the same seed. Seconds are processor time. What was
written is kept in tests/bench/out/quiz-NAME.jsonl, and a run goes on with the next seed. Labels are given
by hand in data/eval/quiz_labels.jsonl, {id, shown, key, one, evidence, flaw, gate}: whether the key is right,
whether one option alone is, whether the evidence supports the key, and the flaw in its writing, if any;
`shown` stands for the options, which the id does not tell apart, and `gate` for the rules of that day.
Flaws are counted by rule (rag/items/flaws.py) as well, which the gate has seen to.
Writes tests/bench/out/quiz.md and .png.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage

from rag import prompts
from rag.items.flaws import flaws
from rag.items.types import Evidence, Item, Option, from_json, new_id, to_json
from rag.quiz import Wanted, make_quiz
from tests.bench.labelled import EVAL, OUT
from ui.tutor import Tutor, open_tutor

LABELS = EVAL / "quiz_labels.jsonl"
ASKED = (
    ("key", "key right", 0.97),
    ("one", "exactly one right", 0.95),
    ("evidence", "evidence supports the key", 0.97),
)
FREE = 0.85  # share of questions without flaws that is aimed at
PLAIN = (
    "Write one multiple-choice question about these notes, with four options, and the place of the right "
    "one, 0 to 3."
)
SCHEMA = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "pattern": '^[A-Z][^"\\\\\n]{10,200}$'},
        "options": {
            "type": "array",
            "items": {"type": "string", "pattern": '^[^"\\\\\n]{1,120}$'},
            "minItems": 4,
            "maxItems": 4,
        },
        "right": {"type": "integer", "minimum": 0, "maximum": 3},
    },
    "required": ["question", "options", "right"],
    "additionalProperties": False,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--name", default="own", help="what the notes are called in the table")
    parser.add_argument("--count", type=int, default=20, help="how many questions to have accepted")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", type=int, default=0, help="how many by plain prompting")
    parser.add_argument("--report", action="store_true", help="only add up")
    options = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    if not options.report:
        write(options)
    report()


def write(options: argparse.Namespace) -> None:
    """Questions both ways, each kept as soon as it is there."""
    tutor = open_tutor(options.index, None, None, None)
    kept = OUT / f"quiz-{options.name}.jsonl"
    with kept.open("a", encoding="utf-8") as file:
        for row in [*plain(tutor, options.plain, options.seed)] if options.plain else []:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
        for row in gated(tutor, options.count, options.seed, read(kept)):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            print(row["reason"] or row["item"]["stem"], f"{row['seconds']:.0f} s", flush=True)


def gated(tutor: Tutor, count: int, seed: int, earlier: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row for every fact tried."""
    assert tutor.model is not None
    known = [from_json(row["item"]) for row in earlier if row["arm"] == "gate" and row["item"]]
    started, seen, before = time.process_time(), 0, Counter[str]()
    for quiz in make_quiz(tutor.retriever, tutor.model, Wanted(count, seed=seed), earlier=known):
        now = Counter(quiz.rejected)
        reason = next(iter(now - before), "")
        if reason or len(quiz.items) > seen:
            item = None if reason else to_json(quiz.items[-1])
            took = time.process_time() - started
            yield {"arm": "gate", "seed": seed, "reason": reason, "item": item, "seconds": took}
        started, seen, before = time.process_time(), len(quiz.items), now


def plain(tutor: Tutor, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """What the model writes when asked for a question about a passage, and nothing else."""
    assert tutor.model is not None
    passages = [one for one in tutor.retriever.index.passages if len(one.sentences) > 2]
    random.Random(seed).shuffle(passages)
    for passage in passages[:count]:
        started = time.process_time()
        shown = prompts.shown(passage)
        messages = [
            SystemMessage("You write exams."),
            HumanMessage("\n".join(shown.sentences) + f"\n\n{PLAIN}"),
        ]
        said = json.loads(str(tutor.model.invoke(messages, schema=SCHEMA).content))
        options = tuple(Option(text, "") for text in said["options"])
        evidence = Evidence(passage.text, passage.source, passage.page, passage.title, passage.id)
        item = Item(
            new_id("plain", said["question"], passage.id), "multiple-choice", said["question"], options,
            said["right"], "", evidence, passage.title, "medium", "remember",
        )  # fmt: skip
        took = time.process_time() - started
        print("plain", item.stem, f"{took:.0f} s", flush=True)
        yield {"arm": "plain", "seed": seed, "reason": "", "item": to_json(item), "seconds": took}


def read(path: Path) -> list[dict[str, Any]]:
    """What was written before."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def report() -> None:
    """The tables and the chart of all that was written."""
    labels = {(row["id"], row["shown"]): row for row in read(LABELS)}
    files = sorted(OUT.glob("quiz-*.jsonl"))
    lines = [
        "| notes | way | written | accepted | s each written | s each accepted | labelled | key right "
        "| one right | evidence | no flaw by rule | no flaw by hand | distinct stems "
        "| key places, chi-square p |",
        "| --- " * 14 + "|",
    ]
    reasons: Counter[str] = Counter()
    for path in files:
        for arm in ("gate", "plain"):
            rows = [row for row in read(path) if row["arm"] == arm]
            if rows:
                lines.append(_row(path.stem.removeprefix("quiz-"), arm, rows, labels))
            reasons.update(row["reason"] for row in rows if row["reason"])
    aims = ", ".join(f"{said} {aim:.0%}" for _, said, aim in ASKED)
    counted = "\n".join(f"| {reason} | {count} |" for reason, count in reasons.most_common())
    text = (
        "\n".join(lines)
        + f"\n\nAims: {aims}, free of flaws {FREE:.0%}, distinct stems 100%, p above .05.\n\n"
    )
    text += f"| reason of rejection | questions |\n| --- | --- |\n{counted}\n"
    print(text)
    (OUT / "quiz.md").write_text(text, "utf-8")
    if reasons:
        _chart(reasons)


def _row(
    name: str, arm: str, rows: Sequence[dict[str, Any]], labels: dict[tuple[str, str], dict[str, Any]]
) -> str:
    items = [from_json(row["item"]) for row in rows if row["item"]]
    seconds = sum(row["seconds"] for row in rows)
    known = [labels[item.id, shown(item)] for item in items if (item.id, shown(item)) in labels]
    shares = [_share(sum(bool(label[key]) for label in known), len(known)) for key, _, _ in ASKED]
    free = _share(sum(not flaws(item) for item in items), len(items))
    read = [label for label in known if "flaw" in label]
    clean = _share(sum(not label["flaw"] for label in read), len(read))
    stems = _share(len({item.stem.lower() for item in items}), len(items))
    cells = [
        name, arm, str(len(rows)), str(len(items)), f"{seconds / len(rows):.0f}",
        f"{seconds / max(len(items), 1):.0f}", str(len(known)), *shares, free, clean, stems,
        f"{chi_square([item.key for item in items]):.2f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def shown(item: Item) -> str:
    """What stands for the options of an item, in whatever order."""
    return new_id(*sorted(one.text for one in item.options))


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {part / whole:.0%}" if whole else "-"


def chi_square(places: Sequence[int]) -> float:
    """The p-value of Pearson's test (1900) that keys stand at each of four places alike often."""
    if not places:
        return 1.0
    expected = len(places) / 4
    found = sum((places.count(place) - expected) ** 2 / expected for place in range(4))
    # The upper tail of chi-square with 3 degrees of freedom, in closed form.
    return math.erfc(math.sqrt(found / 2)) + math.sqrt(2 * found / math.pi) * math.exp(-found / 2)


def _chart(reasons: Counter[str]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names, counts = zip(*reversed(reasons.most_common()), strict=True)
    figure, axes = pyplot.subplots(figsize=(8, 0.4 * len(names) + 1.2))
    axes.barh(names, counts)
    axes.set_xlabel("questions rejected")
    figure.tight_layout()
    figure.savefig(OUT / "quiz.png", dpi=120)


if __name__ == "__main__":
    main()
