"""How well the rules on wording find the flaws that people marked, in data/eval/item_flaws.jsonl.

    python -m tests.bench.flaws [--misses]

The rules were written with the dev half in sight; the test half is for reporting. A table by rule and
half is printed and written to tests/bench/out/flaws.md; --misses names the items of dev that went wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rag.items.flaws import RULES, flaws
from rag.items.types import Evidence, Item, Option

LABELLED = Path(__file__).parents[2] / "data" / "eval" / "item_flaws.jsonl"
OUT = Path(__file__).parent / "out" / "flaws.md"


def labelled(split: str) -> list[tuple[Item, frozenset[str]]]:
    """The items of a half with the flaws that they were marked with."""
    lines = [json.loads(line) for line in LABELLED.read_text("utf-8").splitlines()]
    return [(item(line), frozenset(line["flaws"])) for line in lines if line["split"] == split]


def item(line: dict[str, Any]) -> Item:
    """A labelled line as an item."""
    return Item(
        id=line["id"],
        kind="multiple-choice",
        stem=line["stem"],
        options=tuple(Option(text, "") for text in line["options"]),
        key=line["key"],
        explanation="",
        evidence=Evidence("", "", None, "", ""),
        topic=line["subject"],
        difficulty="medium",
        bloom="remember",
    )


def counts(split: str) -> dict[str, tuple[int, int, int]]:
    """By rule: flaws marked and found, found but not marked, marked but not found; '' for all together."""
    found = {rule.name: [0, 0, 0] for rule in RULES}
    for one, marked in labelled(split):
        seen = {flaw.name for flaw in flaws(one)}
        for place, names in enumerate((seen & marked, seen - marked, marked - seen)):
            for name in names:
                found[name][place] += 1
    totals = [sum(column) for column in zip(*found.values(), strict=True)]
    return {name: (a, b, c) for name, (a, b, c) in {**found, "": totals}.items()}


def clean(split: str) -> tuple[int, int]:
    """Of the items marked with no flaw: how many pass, and how many there are."""
    good = [one for one, marked in labelled(split) if not marked]
    return sum(not flaws(one) for one in good), len(good)


def told(split: str) -> tuple[int, int]:
    """Of the items marked with some flaw: how many are stopped by one of them, and how many there are."""
    bad = [(one, marked) for one, marked in labelled(split) if marked]
    return sum(bool({flaw.name for flaw in flaws(one)} & marked) for one, marked in bad), len(bad)


def table() -> str:
    """The figures as Markdown."""
    halves = {split: counts(split) for split in ("dev", "test")}
    lines = [
        "| rule | dev: marked | precision | recall | test: marked | precision | recall |",
        "|" + " --- |" * 7,
    ]
    for name in [*(rule.name for rule in RULES), ""]:
        cells = [name or "**all**"]
        for split in ("dev", "test"):
            right, false, missed = halves[split][name]
            cells += [str(right + missed), _share(right, right + false), _share(right, right + missed)]
        lines.append(f"| {' | '.join(cells)} |")
    for what, of in (
        ("clean items that pass", clean),
        ("flawed items that are stopped for a marked flaw", told),
    ):
        lines.append("")
        shares = ", ".join(f"{split} {of(split)[0]} of {of(split)[1]}" for split in ("dev", "test"))
        lines.append(f"{what[0].upper()}{what[1:]}: {shares}.")
    return "\n".join(lines) + "\n"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


def main() -> None:
    """Print the table and write it."""
    text = table()
    sys.stdout.write(text)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(f"# Item-writing flaws found by rules\n\n{text}", "utf-8")
    if "--misses" in sys.argv:
        for one, marked in labelled("dev"):
            seen = {flaw.name: flaw.what for flaw in flaws(one)}
            if set(seen) != marked:
                false = {name: what for name, what in seen.items() if name not in marked}
                sys.stdout.write(
                    f"{one.id} {one.stem}\n  missed {sorted(marked - set(seen))} false {false}\n"
                )


if __name__ == "__main__":
    main()
