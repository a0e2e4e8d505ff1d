"""An experiment of the decoding lab as plain text for a terminal. Nothing is printed here: see ui/cli.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ingest.types import Progress
from ui.terminal import clean, place

if TYPE_CHECKING:
    from rag.lab import Experiment, Run

STRATEGIES = (
    "Two to five, with commas between: greedy, random, top-k:40, top-p:0.9, min-p:0.1, beam:4, "
    "temperature:0.7; + joins, as in top-k:40+temperature:0.7."
)
NONE = "-"  # a figure that there is not


def watched(labs: Iterable[Experiment], progress: Progress) -> Iterator[Experiment]:
    """`labs`, and `progress` told how many tokens there are."""
    for lab in labs:
        progress("Tokens", sum(run.written for run in lab.runs), 0)
        yield lab


def lab_text(labs: Iterable[Experiment]) -> Iterator[str]:
    """The pieces of text that show a growing experiment: passages, each run once it is whole, a table."""
    from rag.strategies import spelled

    last = None
    told: set[int] = set()  # places of the runs whose text was given
    for lab in labs:
        if last is None:
            places = dict.fromkeys(place(c.source, c.page) for c in lab.citations)
            yield "From " + "; ".join(places) + ":\n"
        last = lab
        for number, run in enumerate(lab.runs):
            if number not in told and run.done:
                told.add(number)
                yield f"\n{spelled(run.decoding)}{_seed(run)}\n{clean(run.text).strip()}\n"
    if last is None:
        return
    for number, run in enumerate(last.runs):
        if number not in told and run.text:
            yield f"\n{spelled(run.decoding)}{_seed(run)} (stopped)\n{clean(run.text).strip()}\n"
    yield "\n" + _table(last)


def _seed(run: Run) -> str:
    return "" if run.decoding.deterministic else f", seed {run.decoding.seed}"


def _table(lab: Experiment) -> str:
    from rag.strategies import spelled

    heads = ["strategy", "seed", "tokens", "seconds", "tokens/s", "distinct-2", "grounding"]
    rows = [
        [
            spelled(run.decoding),
            NONE if run.decoding.deterministic else str(run.decoding.seed),
            str(run.written),
            f"{run.seconds:.1f}",
            f"{run.tokens_per_second:.1f}",
            _share(run.distinct_2),
            _share(run.grounding),
        ]
        for run in lab.runs
    ]
    text = _columns([heads, *rows])
    varied = [(spelled(how), found) for how, found in zip(lab.hows, lab.variation, strict=True) if found]
    if varied:
        rows = [[name, str(one.texts), f"{one.new:.2f}", f"{one.distance:.2f}"] for name, one in varied]
        text += "\n" + _columns([["strategy", "seeds", "new texts", "mean distance"], *rows])
    return text


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _columns(rows: list[list[str]]) -> str:
    """Rows under each other, the first cell to the left and numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "".join(line.rstrip() + "\n" for line in lines)
