"""What a check has found as JSON, as CSV and as text for a terminal, and the files that hold a report.

The report as a page is made in ui/web/report.py. Nothing is printed here: see ui/cli.py.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import BadRequest
from ui.batch import writing
from ui.checking import Checked
from ui.terminal import LONGEST_QUOTE, clean, one_line, place

if TYPE_CHECKING:
    from rag.types import Label, Quote, Sentence

# Each label in words, in the order in which they are counted.
WORDS: dict[Label, str] = {
    "supported": "supported",
    "partly": "partly supported",
    "unsupported": "unsupported",
    "contradicted": "contradicted",
    "not-a-claim": "no claim",
}
FORMATS = (".html", ".csv", ".json")
COLUMNS = (
    "id", "number", "sentence", "state", "support", "quote", "source", "page",
    "quote 2", "source 2", "page 2",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would calculate


@dataclass(frozen=True, slots=True)
class About:
    """How a report came about."""

    made: datetime
    full: bool  # whether the language model has judged, too
    against: str  # what was checked against, in words


def counts(checked: Sequence[Checked]) -> dict[Label, int]:
    """How many sentences have each label."""
    labels = [one.label for text in checked for one in text.sentences]
    return {label: labels.count(label) for label in WORDS}


def to_json(checked: Checked) -> dict[str, Any]:
    """What a line of `unitutor ground --batch` says of its text: the contract, and a summary."""
    worst = checked.worst
    found: dict[str, Any] = {
        "sentences": [_sentence(one) for one in checked.sentences],
        "claims": len(checked.claims),
        "supported": None if checked.supported is None else round(checked.supported, 4),
        "worst": worst.text if worst else None,
    }
    if checked.error:
        found["error"] = checked.error
    elif not checked.whole:
        found["stopped"] = True
    return found


def json_report(checked: Sequence[Checked], about: About) -> str:
    """The whole of it, for programs."""
    values = {
        "made": about.made.isoformat(timespec="seconds"),
        "mode": "full" if about.full else "fast",
        "against": about.against,
        "counts": counts(checked),
        "texts": [
            {"id": one.id, "question": one.question, "text": one.text, **to_json(one)} for one in checked
        ],
    }
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def csv_report(checked: Sequence[Checked]) -> str:
    """A row a sentence, for spreadsheets: a cell that one would calculate begins with an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for text in checked:
        for number, one in enumerate(text.sentences, 1):
            said = [cell for quote in one.quotes[:2] for cell in (quote.text, quote.source, quote.page)]
            row = [text.id, number, one.text, one.label, f"{one.support:.3f}", *said]
            writer.writerow(map(_cell, row))
        if text.error:
            writer.writerow(map(_cell, [text.id, "", text.error, "error"]))
    return file.getvalue()


def table_text(checked: Checked, width: int | None = None) -> str:
    """The sentences under each other: support, label, sentence; under it what the notes say, and where."""
    width = max(60, min(width or shutil.get_terminal_size((100, 24)).columns, 140))
    lines = [f"{'support':>7}  {'label':<12}  sentence"]
    for one in checked.sentences:
        claim = one.label != "not-a-claim"
        lead = f"{f'{100 * one.support:.0f}%' if claim else '-':>7}  {one.label:<12}  "
        lines += textwrap.wrap(
            one_line(one.text), width, initial_indent=lead, subsequent_indent=" " * len(lead)
        )
        for quote in one.quotes if claim else ():
            said = f'"{one_line(quote.text, LONGEST_QUOTE)}" {place(quote.source, quote.page)}'.rstrip()
            lines += textwrap.wrap(
                said, width, initial_indent=" " * len(lead), subsequent_indent=" " * (len(lead) + 1)
            )
    return (
        "\n".join([*lines, "", *(line for said in _summed(checked) for line in textwrap.wrap(said, width))])
        + "\n"
    )


def summary(checked: Checked) -> str:
    """'3 sentences: 2 supported, 1 unsupported. Supported: 67% of 3 claims.'"""
    return " ".join(_summed(checked))


def _summed(checked: Checked) -> list[str]:
    found = {label: count for label, count in counts([checked]).items() if count}
    told = ", ".join(f"{count} {WORDS[label]}" for label, count in found.items())
    number = len(checked.sentences)
    said = [f"{number} sentence{'' if number == 1 else 's'}: {told or 'none'}."]
    if checked.supported is not None:
        number = len(checked.claims)
        said.append(
            f"Supported: {100 * checked.supported:.0f}% of {number} claim{'' if number == 1 else 's'}."
        )
    return said


def check_formats(paths: Sequence[Path]) -> None:
    """Raise BadRequest where a report of that name could not be made, before anything is checked."""
    for path in paths:
        if path.suffix.lower() not in FORMATS:
            raise BadRequest(f"Cannot tell what report {path} should be: end it in .html, .csv or .json.")
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise BadRequest(f"Cannot write {path}: there is {'a' if path.is_dir() else 'no'} folder there.")


def report(suffix: str, checked: Sequence[Checked], about: About) -> str:
    """The report of a format."""
    if suffix == ".html":
        from ui.web.report import html_report

        return html_report(checked, about)
    return json_report(checked, about) if suffix == ".json" else csv_report(checked)


def write(path: Path, checked: Sequence[Checked], about: About) -> None:
    """Write the report that the ending of `path` names, beside its place first.

    Raises BadRequest where it cannot be written.
    """
    suffix = path.suffix.lower()
    text = report(suffix, checked, about)
    encoding = "utf-8-sig" if suffix == ".csv" else "utf-8"  # spreadsheets know it by its mark
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with writing(path):
            beside.write_bytes(text.encode(encoding, "replace"))
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _sentence(one: Sentence) -> dict[str, Any]:
    best = one.quotes[0] if one.quotes else None
    return {
        "text": one.text,
        "support": float(one.support),
        "label": one.label,
        "quote": best.text if best else None,
        "source": best.source if best else None,
        "page": best.page if best else None,
        "quotes": [_quote(quote) for quote in one.quotes],
    }


def _quote(quote: Quote) -> dict[str, Any]:
    return {
        "text": quote.text,
        "source": quote.source,
        "page": quote.page,
        "passage_id": quote.passage_id,
        "score": float(quote.score),
    }


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
