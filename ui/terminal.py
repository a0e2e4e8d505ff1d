"""Answers, hits and progress as plain text for a terminal. Nothing is printed here: see ui/cli.py."""

from __future__ import annotations

import re
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ingest.pages import page_name

if TYPE_CHECKING:
    from ingest.build import Report
    from ingest.types import Hit
    from rag.types import Answer, Citation

LONGEST_QUOTE = 300  # characters of a quote or passage that are shown
UNSETTLED = 40  # characters at the end of a growing answer in which a sentence may still get its markers
QUIET = 1.0  # seconds that work may take before its bar shows
EVERY = 10.0  # seconds between two lines of progress where no bar can be drawn


def clean(text: str) -> str:
    """`text` without control characters: notes must not move the cursor or recolour a terminal."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def one_line(text: str, longest: int = 10_000) -> str:
    """`text` on one line, cut at `longest` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def place(source: str, page: int | None, heading: str = "") -> str:
    """Where a passage stands: 'unit.pdf, p. 3, Models > GANs'."""
    return one_line(", ".join(filter(None, [source, page_name(source, page), heading])))


def answer_text(answers: Iterable[Answer], live: bool) -> Iterator[str]:
    """The pieces of text that show a growing answer: passages, prose, then sources with quotes.

    Not `live`, only its last state is shown, so that a file or a pipe never holds a draft.
    """
    shown, opened, last = "", False, None
    for answer in answers:
        last = answer
        if not live:
            continue
        if not opened and answer.citations:
            opened = True
            yield _passages(answer.citations) + "\n\n"
        grown = settled(clean(answer.answer))
        if grown.startswith(shown):
            yield grown[len(shown) :]
            shown = grown
    if last is None:
        return
    if not opened and last.citations:
        yield _passages(last.citations) + "\n\n"
    whole = clean(last.answer)
    if whole.startswith(shown):
        yield whole[len(shown) :]
    else:  # the check has changed what was already on the screen
        yield "\n\nAfter checking against the notes:\n" + whole
    yield "\n" + _below(last)


def settled(text: str) -> str:
    """`text` up to a sentence end near its own end: its markers come once the sentence is checked."""
    ends = [match.start() for match in re.finditer(r"[.!?\n]", text)]
    return text[: ends[-1]] if ends and ends[-1] > len(text) - UNSETTLED else text


def _passages(citations: Sequence[Citation]) -> str:
    places = dict.fromkeys(place(c.source, c.page) for c in citations)
    return "From " + "; ".join(places) + ":"


def _below(answer: Answer) -> str:
    lines: list[str] = []
    if answer.stopped:
        lines += ["", "(stopped)"]
    used = {marker for sentence in answer.sentences for marker in sentence.markers}
    cited = [c for c in answer.citations if c.marker in used or f"[{c.marker}]" in answer.answer]
    for citation in [] if answer.refused else cited:
        lines += ["", *_quoted(f"[{citation.marker}] ", citation)]
    for label, head in (
        ("unsupported", "Not found in the notes:"),
        ("contradicted", "The notes say otherwise:"),
    ):
        doubtful = [s for s in answer.sentences if s.label == label and not answer.refused]
        lines += ["", head] if doubtful else []
        for sentence in doubtful:
            lines.append(f"  - {one_line(sentence.text)}")
            if label == "contradicted" and sentence.quotes:
                quote = sentence.quotes[0]
                said = one_line(quote.text, LONGEST_QUOTE)
                lines.append(f'    {place(quote.source, quote.page)}: "{said}"')
    if answer.rewritten or answer.dropped:
        changed = _count(answer.rewritten, "sentence")
        lines += ["", f"(strict: {changed} put in the notes' words, {answer.dropped} left out)"]
    if answer.refused and answer.closest:
        lines += ["", "What came closest:"]
        for citation in answer.closest:
            lines += _quoted("  - ", citation)
    if answer.suggestion:
        lines += ["", f"The notes do answer: {one_line(answer.suggestion)}"]
    return "".join(line + "\n" for line in lines)


def _quoted(mark: str, citation: Citation) -> list[str]:
    where = place(citation.source, citation.page, citation.heading)
    quote = one_line(citation.quote, LONGEST_QUOTE)
    return [f"{mark}{where} (score {citation.score:.2f})", f'{" " * len(mark)}"{quote}"']


def hits_text(hits: Sequence[Hit]) -> str:
    """Passages found, best first."""
    parts = [
        f"{number}. {place(found.source, found.page, found.title)} (score {score:.2f})\n"
        f"   {one_line(found.text, LONGEST_QUOTE)}\n"
        for number, (found, score) in enumerate(((hit.passage, hit.score) for hit in hits), 1)
    ]
    return "\n".join(parts) or "Nothing found.\n"


def hit_json(hit: Hit) -> dict[str, Any]:
    """A hit as the contract of `unitutor search --json` has it."""
    found = hit.passage
    return {
        "source": found.source,
        "page": found.page,
        "heading": found.title,
        "text": found.text,
        "score": float(hit.score),
    }


def report_json(report: Report) -> dict[str, Any]:
    """What `unitutor ingest --json` prints."""
    return {
        "files": report.files,
        "pages": report.pages,
        "passages": report.passages,
        "skipped": [{"file": s.file, "reason": one_line(s.reason)} for s in report.skipped],
        "seconds": round(report.seconds, 3),
    }


def report_text(report: Report, index: object) -> str:
    """What an ingest did, in one line."""
    numbers = ((report.files, "file"), (report.pages, "page"), (report.passages, "passage"))
    counts = ", ".join(_count(number, what) for number, what in numbers)
    if report.unchanged:
        return f"{index} is up to date: {counts}."
    anew = f", {_count(report.read, 'file')} read" if 0 < report.read < report.files else ""
    return f"{index}: {counts}{anew} in {report.seconds:.1f} s."


def removed_text(gone: Sequence[dict[str, Any]]) -> str:
    """What the cleaner took away, by file: each text once, with why and on which pages."""
    pages: dict[tuple[str, str, str], list[int | None]] = {}
    for one in gone:
        pages.setdefault((one["file"], one["why"], one["text"]), []).append(one["page"])
    lines, last = [], ""
    for (file, why, text), where in pages.items():
        if file != last:
            lines.append(one_line(file))
            last = file
        numbers = [str(page) for page in dict.fromkeys(where) if page is not None]
        shown = ", ".join(numbers[:8]) + (", …" if len(numbers) > 8 else "")
        places = f"page {shown}: " if len(numbers) == 1 else f"pages {shown}: " if numbers else ""
        times = f" ({len(where)} times)" if len(where) > max(1, len(numbers)) else ""
        lines.append(f"  {places}{why}: {one_line(text, LONGEST_QUOTE)}{times}")
    return "".join(f"{line}\n" for line in lines) or "Nothing was taken away.\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


class Bars:
    """A Progress on stderr: a bar in a terminal, a line now and then elsewhere, nothing if quick."""

    def __init__(self) -> None:
        self._what = ""
        self._bar: Any = None
        self._said = 0.0

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, what: str, done: int, total: int) -> None:
        """See ingest.types.Progress."""
        if what != self._what:
            self.close()
            self._what, self._said = what, time.monotonic() + QUIET - EVERY
        if sys.stderr.isatty():
            self._draw(what, done, total)
        elif time.monotonic() - self._said > EVERY and not (total and done >= total):
            self._said = time.monotonic()
            sys.stderr.write(f"{one_line(what)}: {done}{f' of {total}' if total else ''}\n")
            sys.stderr.flush()

    def _draw(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total or None, desc=one_line(what), file=sys.stderr, leave=False, delay=QUIET
            )
        self._bar.total = total or None
        self._bar.n = done
        if time.time() - self._bar.start_t > QUIET:
            self._bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
        self._bar, self._what = None, ""
