"""The regression check, the gap report and the log, as plain text for a terminal and as JSON for programs.

Nothing is printed here: see ui/cli.py.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ingest.pages import page_name
from ui.terminal import one_line, place

if TYPE_CHECKING:
    from rag.gaps import Asked, File, Gaps
    from rag.journal import Entry, Journal
    from rag.recheck import Compared, Result

SHOWN = 10  # lines of each list of the gap report
LONGEST = 300  # characters of an answer beside another
LATEST = 20  # questions of the log
WIDTH = 100


def check_text(compared: Sequence[Compared]) -> str:
    """What got worse and better, with the answers before and after; then the counts."""
    worse = [one for one in compared if one.lost]
    better = [one for one in compared if one.gained and not one.lost]
    lines: list[str] = []
    for title, some in (("Worse:", worse), ("Better:", better)):
        if some:
            lines += [title, *(line for one in some for line in _compared(one)), ""]
    still = [one for one in compared if one.unmet and not (one.lost or one.gained)]
    if still:
        lines += ["As before, and not as expected:"]
        lines += [f"  {_asked(one)}\n    not met: {_listed(one.unmet)}" for one in still] + [""]
    same = len(compared) - len(worse) - len(better)
    lines.append(f"{len(compared)} cases: {len(worse)} worse, {len(better)} better, {same} as before.")
    return "\n".join(lines)


def check_json(compared: Sequence[Compared]) -> dict[str, Any]:
    """The same for programs: each case that changed or is not met, by what became of it."""

    def values(one: Compared) -> dict[str, Any]:
        return {
            "turns": one.case.turns,
            "lost": one.lost,
            "gained": one.gained,
            "unmet": one.unmet,
            "before": _result(one.before),
            "after": _result(one.now),
        }

    return {
        "cases": len(compared),
        "worse": [values(one) for one in compared if one.lost],
        "better": [values(one) for one in compared if one.gained and not one.lost],
        "unmet": [values(one) for one in compared if one.unmet and not (one.lost or one.gained)],
    }


def gaps_text(found: Gaps, weeks: int) -> str:
    """The gap report, the longest lists cut."""
    span = f"the last {weeks} weeks" if weeks > 1 else "this week"
    refused, weak = (sum(one.times for one in some) for some in (found.refused, found.weak))
    down = sum(found.reasons.values())
    lines = [
        f"{found.asked:,} questions in {span}: {refused:,} refused, {weak:,} answered with low support; "
        f"{found.up} thumbs up, {down} down."
    ]
    if found.first_word_ms is not None:
        lines.append(f"First word after {found.first_word_ms / 1000:.1f} s (median).")
    if found.weeks:
        lines += ["", "Week of       asked  refused  low support  up  down"]
        lines += [
            f"{week.start}  {week.asked:7}  {week.refused:7}  {week.weak:11}  {week.up:2}  {week.down:4}"
            for week in found.weeks
        ]
    lines += _list("Refused", [f"{one.times}x {_question(one)}" for one in found.refused])
    lines += _list("Low support", [f"{_percent(one.support)} {_question(one)}" for one in found.weak])
    lines += _list(
        "Asked about most",
        [
            f"{one.asked}x {one_line(one.name)} ({one.refused} refused, {one.weak} with low support)"
            for one in found.topics
        ],
    )
    lines += _list("Pages that no answer cites", [_file(one) for one in found.files if one.uncited])
    reasons = [f"{count}x {reason or 'no reason given'}" for reason, count in found.reasons.items()]
    lines += _list("Thumbs down", reasons)
    said = [
        f"{one.verdict.reason or 'no reason'}: {one_line(one.answer.question, 120)}"
        + (f" - {one_line(one.verdict.comment, 200)}" if one.verdict.comment else "")
        for one in found.down
    ]
    lines += [f"  {line}" for line in said[:SHOWN]]
    return "\n".join(lines)


def gaps_json(found: Gaps) -> dict[str, Any]:
    """The whole gap report for programs; of a verdict's answer its text alone."""
    values = asdict(found)
    values["weeks"] = [{**asdict(week), "start": week.start.isoformat()} for week in found.weeks]
    values["down"] = [
        {
            "question": one.answer.question,
            "answer": one.answer.answer,
            "reason": one.verdict.reason,
            "comment": one.verdict.comment,
            "when": _time(one.verdict.when),
        }
        for one in found.down
    ]
    for kind in ("refused", "weak"):
        values[kind] = [{**one, "last": _time(one["last"])} for one in values[kind]]
    return values


def log_text(journal: Journal, entries: Sequence[Entry]) -> str:
    """What the log keeps and whether it is on, then the questions it has, the latest last."""
    from rag.journal import KEEPS, KEEPS_NOT

    lines = [switched(journal.on), "Of each question it keeps:"]
    lines += [f"  - {what}" for what in KEEPS]
    lines += [f"and not: {KEEPS_NOT}.", f"It lies in {journal.path}; unitutor log delete deletes it.", ""]
    shown = entries[-LATEST:]
    lines.append(f"{len(entries):,} questions" + (f", the latest {len(shown)}:" if shown else "."))
    for one in shown:
        least = min(one.support, default=None)
        told = "refused" if one.refused else f"support {_percent(least)}" if least is not None else "answered"
        lines.append(f"  {_time(one.when)}  {told:<12}  {one_line(one.question, 120)}")
    return "\n".join(lines)


def log_json(on: bool, entries: Sequence[Entry]) -> dict[str, Any]:
    """The log for programs."""
    return {"on": on, "entries": [{**asdict(one), "when": _time(one.when)} for one in entries]}


def switched(on: bool) -> str:
    """Whether the log is on, as a line."""
    if on:
        return "The log is on: questions are logged on this machine, and nothing is sent anywhere."
    return "The log is off: no question is logged. What was logged before stays until it is deleted."


def uncited(one: File) -> str:
    """The pages of a file that no answer cites, as runs: 'p. 3-5, p. 9'; 'all of it' for all."""
    from rag.gaps import ranges

    if len(one.uncited) == one.pages:
        return "all of it" if one.pages == 1 else f"all {one.pages} pages"
    runs = ranges([page for page in one.uncited if page is not None])
    named = [
        page_name(one.source, first)
        + ("" if first == last else f"–{page_name(one.source, last).split()[-1]}")
        for first, last in runs
    ]
    return ", ".join(filter(None, named)) or "the part without a page"


def _compared(one: Compared) -> list[str]:
    lines = [f"  {_asked(one)}"]
    if one.lost:
        lines.append(f"    no longer: {_listed(one.lost)}")
    if one.gained:
        lines.append(f"    now: {_listed(one.gained)}")
    for name, result in (("before", one.before), ("after ", one.now)):
        text = one_line(result.answer, LONGEST) or "(no accepted answer)"
        cited = "; ".join(place(*where) for where in result.cited)
        lines += textwrap.wrap(
            f"{name}: {text}" + (f" [{cited}]" if cited else ""),
            WIDTH,
            initial_indent="    ",
            subsequent_indent="            ",
        )
    return lines


def _asked(one: Compared) -> str:
    *earlier, question = one.case.turns
    lead = f"(after {len(earlier)} turn{'s' if len(earlier) > 1 else ''}) " if earlier else ""
    return lead + one_line(question, 200)


def _listed(words: Sequence[str]) -> str:
    return one_line("; ".join(words))


def _result(one: Result) -> dict[str, Any]:
    return {"answer": one.answer, "refused": one.refused, "cited": one.cited, "met": one.met}


def _list(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    more = len(lines) - SHOWN
    rest = [f"  … and {more:,} more; --json has them all"] if more > 0 else []
    return ["", f"{title}:", *(f"  {line}" for line in lines[:SHOWN]), *rest]


def _question(one: Asked) -> str:
    near = "; ".join(place(*where) for where in one.pages[:2])
    return one_line(one.question, 160) + (f" [{near}]" if near else "")


def _file(one: File) -> str:
    return one_line(f"{one.source}: {uncited(one)}", 300)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}%"


def _time(when: float) -> str:
    return datetime.fromtimestamp(when).astimezone().isoformat(sep=" ", timespec="minutes")
