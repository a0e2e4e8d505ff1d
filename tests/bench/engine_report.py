"""What tests/bench/engine.py has measured, as tables and a plot."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.arms import ARMS, Measured

NAMES = {
    "unitutor": "Unitutor, int8",
    "unread": "Unitutor, nothing read ahead",
    "usual": "llama.cpp, four whole chunks",
    "own-prompt": "llama.cpp, our prompt",
}
AIMS = (  # what, of which arm, over which other, aim
    ("first word", "first", "usual", 10.0),
    ("first word", "first", "own-prompt", 2.5),
    ("whole answer", "whole", "usual", 2.5),
)
Found = Mapping[str, Any]  # what engine.json holds: one entry a part


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [list(head), ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def text(found: Found) -> str:
    """All that was measured, as Markdown."""
    parts = [f"{found['machine']}\n"] if "machine" in found else []
    if "answers" in found:
        parts += [_answers(found), _ratios(found["answers"])]
    if "bandwidth" in found:
        parts.append(_bandwidth(found))
    if "growth" in found:
        parts.append(_growth(found["growth"]))
    if "students" in found:
        parts.append(_students(found["students"]))
    if "quality" in found:
        parts.append(_quality(found["quality"]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def answered(asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Measured]]:
    """The questions that every arm answered: a refusal's seconds say nothing about an engine."""
    kept = []
    for one in asked:
        arms = {arm: Measured(**values) for arm, values in one["arms"].items()}
        if not any(measured.refused for measured in arms.values()):
            kept.append(arms)
    return kept


def ratios(asked: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, float, float]]:
    """(what, over which arm, median of the questions' ratios, aim)."""
    kept = answered(asked)
    found = []
    for what, field, arm, aim in AIMS:
        each = [getattr(one[arm], field) / getattr(one["unitutor"], field) for one in kept if _both(one, arm)]
        if each:
            found.append((what, arm, statistics.median(each), aim))
    return found


def _both(one: Mapping[str, Measured], arm: str) -> bool:
    return arm in one and "unitutor" in one


def _answers(found: Found) -> str:
    kept = answered(found["answers"])
    rows = []
    for arm in ARMS:
        of = [one[arm] for one in kept if arm in one]
        if not of:
            continue
        median = {
            name: statistics.median(getattr(one, name) for one in of)
            for name in ("prompt_tokens", "shared", "first", "whole", "output_tokens", "rate", "others")
        }
        memory = found.get("memory", {}).get(arm)
        rows.append(
            (
                NAMES[arm],
                f"{median['prompt_tokens']:.0f} ({100 * median['shared']:.0f}%)",
                f"{median['first']:.2f}",
                f"{median['whole']:.2f}",
                f"{median['output_tokens']:.0f}",
                f"{median['rate']:.1f}",
                f"{memory / 1e9:.1f}" if memory else "",
                f"{100 * median['others']:.0f}%",
            )
        )
    head = (
        "engine",
        "prompt tokens (read before)",
        "first word, s",
        "whole answer, s",
        "its tokens",
        "tokens/s",
        "memory, GB",
        "other programs",
    )
    left = len(found["answers"]) - len(kept)
    note = f"Medians of {len(kept)} questions, each asked once, the engines in turn"
    note += f"; {left} more were refused by Unitutor and are left out." if left else "."
    return f"{note}\n\n{table(head, rows)}"


def _ratios(asked: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (f"{what}, against {NAMES[arm]}", f"{ratio:.1f}x", f"{aim:g}x", "yes" if ratio >= aim else "no")
        for what, arm, ratio, aim in ratios(asked)
    ]
    return table(("Unitutor sooner by", "median", "aim", "reached"), rows) if rows else ""


def _bandwidth(found: Found) -> str:
    read = found["bandwidth"]["read"]
    rows = []
    for arm, one in found["bandwidth"]["arms"].items():
        used = one["weights"] * one["rate"]
        rows.append(
            (NAMES[arm], f"{one['weights'] / 1e9:.2f}", f"{one['rate']:.1f}", f"{100 * used / read:.0f}%")
        )
    head = ("decode after a short prompt", "GB of weights a token", "tokens/s", "of the bandwidth limit")
    return f"Memory is read at {read / 1e9:.1f} GB/s by all cores.\n\n{table(head, rows)}"


def _growth(growth: Mapping[str, Mapping[str, float]]) -> str:
    sizes = sorted({int(size) for firsts in growth.values() for size in firsts})
    rows = [
        (NAMES[arm], *(f"{firsts[str(n)]:.2f}" if str(n) in firsts else "" for n in sizes))
        for arm, firsts in growth.items()
    ]
    return table(("first word, s, by prompt tokens", *(f"{size:,}" for size in sizes)), rows)


def _students(students: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    rows = []
    for arm, counts in students.items():
        for count in sorted(counts, key=int):
            firsts = counts[count]
            figures = (min(firsts), statistics.median(firsts), max(firsts))
            rows.append((NAMES[arm], count, *(f"{figure:.1f}" for figure in figures)))
    return table(("first word, s", "students at once", "soonest", "median", "latest"), rows)


def _quality(quality: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    common = set.intersection(*({one["id"] for one in asked} for asked in quality.values()))
    rows = []
    for arm, asked in quality.items():
        of = [one for one in asked if one["id"] in common]
        can, cannot = [o for o in of if o["facts"]], [o for o in of if not o["facts"]]
        rows.append(
            (
                NAMES[arm],
                f"{sum(o['found'] for o in can)}/{sum(o['facts'] for o in can)}",
                f"{sum(o['refused'] for o in can)}/{len(can)}",
                f"{sum(o['refused'] for o in cannot)}/{len(cannot)}",
            )
        )
    return table(("answer quality", "facts found", "false refusals", "true refusals"), rows)


def plot(found: Found, file: Path) -> None:
    """Bars of the two waits, first word over the context, first word over the number of students."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    colours = dict(zip(ARMS, ("#2b6cb0", "#90cdf4", "#c05621", "#718096"), strict=True))
    figure, (waits, grows, crowd) = pyplot.subplots(1, 3, figsize=(13, 4), layout="constrained")
    kept = answered(found.get("answers", []))
    arms = [arm for arm in ARMS if any(arm in one for one in kept)]
    for offset, field in ((-0.2, "first"), (0.2, "whole")):
        heights = [statistics.median(getattr(one[arm], field) for one in kept if arm in one) for arm in arms]
        places = [place + offset for place in range(len(arms))]
        bars = waits.bar(
            places, heights, 0.38, color=[colours[arm] for arm in arms], alpha=1 if field == "first" else 0.45
        )
        waits.bar_label(bars, [f"{height:.1f}" for height in heights], fontsize=8)
    names = [
        NAMES[arm].replace(", ", ",\n").replace(" read", "\nread").replace(" chunks", "\nchunks")
        for arm in arms
    ]
    waits.set_xticks(range(len(arms)), names, fontsize=8)
    waits.set(ylabel="seconds", title="One question: first word, whole answer (pale)")
    waits.margins(y=0.15)
    for arm, firsts in found.get("growth", {}).items():
        sizes = sorted(firsts, key=int)
        grows.plot(
            [int(size) for size in sizes],
            [firsts[s] for s in sizes],
            "o-",
            color=colours[arm],
            label=NAMES[arm],
        )
    grows.set(xlabel="tokens of the prompt", ylabel="first word, seconds", title="As the prompt grows")
    for arm, counts in found.get("students", {}).items():
        several = sorted(counts, key=int)
        crowd.plot(
            [int(n) for n in several],
            [statistics.median(counts[n]) for n in several],
            "o-",
            color=colours[arm],
            label=NAMES[arm],
        )
        soon, late = [min(counts[n]) for n in several], [max(counts[n]) for n in several]
        crowd.fill_between([int(n) for n in several], soon, late, color=colours[arm], alpha=0.15, lw=0)
    crowd.set(xlabel="students at once", ylabel="first word, seconds", title="Soonest, median, latest")
    for axes in (grows, crowd):
        axes.set_visible(bool(axes.lines))
        if axes.lines:
            axes.legend(fontsize=8)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.savefig(file, dpi=130)
    pyplot.close(figure)
