"""Answer quality and first word against how many tokens of notes a prompt may hold.

    python -m tests.bench.budget --index data/index --every 6

Prints a table and writes it and a plot to tests/bench/out/. Dev questions, since the budget is chosen
by it; answers are kept in tests/bench/out/budget.jsonl, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from rag.chain import answer_chain
from rag.engines.local import load_model
from rag.prompts import opening
from rag.types import Ask, Turn
from tests.bench.labelled import OUT, facts_found, own
from ui.tutor import open_retriever

BUDGETS = (60, 130, 260, 400, 600)  # tokens
KEPT = OUT / "budget.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--budgets", type=int, nargs="+", default=list(BUDGETS))
    parser.add_argument("--every", type=int, default=6, help="take every n-th question")
    options = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    measure(options.index, options.budgets, options.every)
    report([json.loads(line) for line in KEPT.read_text("utf-8").splitlines()])


def measure(index: Path, budgets: list[int], every: int) -> None:
    """Ask what was not asked before and write each answer's figures to KEPT."""
    known = KEPT.read_text("utf-8").splitlines() if KEPT.exists() else []
    done = {(row["id"], row["budget"]) for row in map(json.loads, known)}
    retriever, model = open_retriever(index, None), load_model()
    model.warm(opening())
    chains = {budget: answer_chain(retriever, model, budget) for budget in budgets}
    with KEPT.open("a", encoding="utf-8") as file:
        for one in own("dev")[::every]:
            for budget, chain in chains.items():
                if (one.id, budget) in done:
                    continue
                history: list[Turn] = []
                for question in one.turns:
                    answer = chain.invoke(Ask(question, tuple(history)))
                    history.append(Turn(question, answer.answer))
                seen = answer.timings
                row = {
                    "id": one.id,
                    "budget": budget,
                    "facts": len(one.facts),
                    "found": 0 if answer.refused else facts_found(one, answer.answer),
                    "refused": answer.refused,
                    "prompt": seen.prompt_tokens,
                    "first": round(seen.first_word_ms / 1000, 2),
                }
                file.write(json.dumps(row) + "\n")
                file.flush()
                print(row, flush=True)


def report(rows: list[dict[str, Any]]) -> None:
    """Print the table; write it and the plot."""
    points = [_point(budget, rows) for budget in sorted({row["budget"] for row in rows})]
    head = [
        "tokens of notes",
        "facts found",
        "false refusals",
        "true refusals",
        "prompt tokens",
        "first word, s",
    ]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [
        f"| {budget} | {found:.1%} | {false:.1%} | {true:.1%} | {prompt:.0f} | {first:.1f} |"
        for budget, found, false, true, prompt, first in points
    ]
    count = len({row["id"] for row in rows})
    table = f"{count} dev questions, medians\n\n" + "\n".join(lines) + "\n"
    (OUT / "budget.md").write_text(table, "utf-8")
    plot(points, OUT / "budget.png")
    print(f"\n{table}")


def _point(budget: int, rows: list[dict[str, Any]]) -> tuple[int, float, float, float, float, float]:
    mine = [row for row in rows if row["budget"] == budget]
    can = [row for row in mine if row["facts"]]
    cannot = [row for row in mine if not row["facts"]]
    given = [row for row in mine if not row["refused"]]
    return (
        budget,
        sum(row["found"] for row in can) / max(1, sum(row["facts"] for row in can)),
        sum(row["refused"] for row in can) / max(1, len(can)),
        sum(row["refused"] for row in cannot) / max(1, len(cannot)),
        statistics.median(row["prompt"] for row in given),
        statistics.median(row["first"] for row in given),
    )


def plot(points: list[tuple[int, float, float, float, float, float]], file: Path) -> None:
    """Quality on the left axis, seconds on the right one."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 4))
    budgets = [point[0] for point in points]
    for place, name, mark in ((1, "facts found", "o"), (3, "true refusals", "s"), (2, "false refusals", "v")):
        axis.plot(budgets, [100 * point[place] for point in points], marker=mark, label=name)
    axis.set(xlabel="tokens of notes in the prompt, at most", ylabel="%", ylim=(0, 103))
    other = axis.twinx()
    other.plot(budgets, [point[5] for point in points], "k--", label="first word")
    other.set_ylabel("seconds to the first word")
    other.set_ylim(bottom=0)
    figure.legend(loc="lower center", ncols=4)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
