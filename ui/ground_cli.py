"""The command that checks texts against the notes: ground. What it says is printed by ui/cli.py."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest.errors import BadRequest, IndexUnusable
from ui import batch as batches
from ui import checking, report, terminal, texts, tutor
from ui.checking import Checked
from ui.options import BatchOut, Encoder, Entails, Index, Json, Model
from ui.texts import Text

if TYPE_CHECKING:
    from rag.retrieve import Retriever
    from ui.checking import Judge

Say = Callable[[str], None]
WORK = ("Checking", "checked")
READ = (".txt", ".md", ".text", ".markdown")  # what is a file's name, and no text, even where there is none


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the command to `app`; `say` prints a text, `note` a line on stderr."""

    @app.command()
    def ground(
        text: Annotated[
            str | None, typer.Argument(help="What to check: a text, a text file, or - for what is piped in.")
        ] = None,
        index: Index = tutor.INDEX,
        fast: Annotated[
            bool, typer.Option("--fast", help="Go by wording and nearness alone, without a language model.")
        ] = False,
        as_json: Json = False,
        batch: Annotated[
            Path | None,
            typer.Option(
                "--batch",
                exists=True,
                dir_okay=False,
                help="JSON lines {id, text, passages?}, or a CSV file with such columns.",
            ),
        ] = None,
        out: BatchOut = None,
        reports: Annotated[
            list[Path] | None,
            typer.Option(
                "--report",
                metavar="FILE",
                help="Write a report, by its ending .html, .csv or .json; repeatable.",
            ),
        ] = None,
        model: Model = None,
        encoder: Encoder = None,
        entailment: Entails = None,
    ) -> None:
        """Check each sentence of a text against the notes: is it supported, by which words, on which page."""
        _usage(text, batch, out, reports)
        report.check_formats(reports or ())
        given = texts.read(batch) if batch else [Text("text", _given(text or ""))]
        with contextlib.ExitStack() as open_until, terminal.Bars() as progress:
            retriever = open_until.enter_context(_retriever(index, encoder, given))
            judge = None if fast else _judge(model, entailment, progress)
            about = report.About(datetime.now().astimezone(), judge is not None, _against(given, index))
            if batch:
                checked = _all(batch, given, out, retriever, judge, progress, note)
            else:
                checked = [_one(given[0], retriever, judge, progress)]
            for path in reports or ():
                report.write(path, checked, about)
        if as_json and not batch:
            values = {"text": checked[0].text, **report.to_json(checked[0])}
            say(json.dumps(values, ensure_ascii=False, indent=2))
        elif not batch:
            say(report.table_text(checked[0]).rstrip("\n"))


def _usage(text: str | None, batch: Path | None, out: Path | None, reports: Sequence[Path] | None) -> None:
    if (text is None) == (batch is None):
        raise typer.BadParameter("give either a text or --batch FILE.")
    if out and not batch:
        raise typer.BadParameter("--out goes with --batch.")
    if batch and not out and not reports:
        raise typer.BadParameter("--batch needs --out FILE or --report FILE.")


def _given(text: str) -> str:
    """The text that the argument stands for. Raises BadRequest where there is none to check."""
    if text == "-":
        return texts.checked_length(texts.plain(sys.stdin.buffer.read(), "What was piped in"))
    short = len(text) < 1000 and "\n" not in text
    path = Path(text) if short else None
    with contextlib.suppress(OSError, ValueError):  # a text that can be no path
        if path is not None and path.is_file():
            if path.suffix.lower() in (*texts.TABLES, ".jsonl"):
                raise BadRequest(f"{path} holds several texts: give it with --batch.")
            return texts.checked_length(texts.plain(batches.content(path), str(path)))
    if path is not None and " " not in text and path.suffix.lower() in READ:
        raise BadRequest(f"There is no file {text}.")
    return texts.checked_length(text)


def _judge(model: str | None, entailment: str | None, progress: terminal.Bars) -> Judge:
    return tutor.open_entailment(entailment) if entailment else tutor.open_model(model, None, progress)


@contextlib.contextmanager
def _retriever(index: Path, encoder: str | None, given: Sequence[Text]) -> Iterator[Retriever]:
    """The index, opened. Where there is none and every text brings its passages, one of these."""
    try:
        opened = tutor.open_retriever(index, encoder)
    except IndexUnusable:
        if not given or not all(one.passages or one.error for one in given):
            raise
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            notes = Path(folder) / "passages.md"
            brought = dict.fromkeys(passage for one in given for passage in one.passages or ())
            notes.write_text("\n\n".join(brought), "utf-8")
            tutor.build_index([notes], Path(folder) / "index", encoder)
            yield tutor.open_retriever(Path(folder) / "index", encoder)
        return
    yield opened


def _one(given: Text, retriever: Retriever, model: Judge | None, progress: terminal.Bars) -> Checked:
    last = Checked(given.id, given.text)
    for run in checking.check_all([given], retriever, model):
        progress(WORK[0], run.done, run.total)
        last = run.checked[-1] if run.checked else last
    if last.error:
        raise BadRequest(last.error)
    return last


def _all(
    batch: Path,
    given: Sequence[Text],
    out: Path | None,
    retriever: Retriever,
    model: Judge | None,
    progress: terminal.Bars,
    note: Say,
) -> list[Checked]:
    """Check each text; with `out`, a line of it there."""
    checked: list[Checked] = []

    def result(text: Text) -> dict[str, Any]:
        checked.append(list(checking.check_one(text, retriever, model))[-1])
        return report.to_json(checked[-1])

    if out:
        errors = batches.run(given, out, result, progress, WORK)
        rest = iter(checked)  # a line with an error was not asked about
        checked = [Checked(one.id, "", error=one.error) if one.error else next(rest) for one in given]
    else:
        for number, text in enumerate(given):
            progress(WORK[0], number, len(given))
            result(text)
        errors = sum(bool(one.error) for one in checked)
        if errors and errors == len(given):
            raise BadRequest(f"None of the {errors} lines could be checked; the first: {checked[0].error}")
    if errors:
        see = out or "the report"
        note(f"{errors} of {len(given)} lines of {batch} have an error instead of a check: see {see}")
    return checked


def _against(given: Sequence[Text], index: Path) -> str:
    own = sum(one.passages is not None for one in given)
    if own and own == len(given):
        return "the passages given with each text"
    return f"the index {index}" + (", or the passages given with a text" if own else "")
