"""The terminal door: `unitutor …`. The only file that prints.

Heavy libraries are imported by the commands that need them: --help shows in a moment, and search
loads no language model. Exit status: 0 answered or refused, 1 a UnitutorError (one line on
stderr), 2 usage, 130 Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest.errors import BadRequest, UnitutorError
from ui import (
    api_cli,
    chat_cli,
    check_cli,
    data_cli,
    ground_cli,
    index_cli,
    lab_text,
    people_cli,
    quiz_cli,
    study_cli,
    terminal,
    tutor,
)
from ui import batch as batches
from ui.options import (
    BatchIn,
    BatchOut,
    Encoder,
    Entails,
    Index,
    Json,
    Model,
    Name,
    Notes,
    Refreshed,
    Reranker,
    Sessions,
    Sources,
    Strict,
    Url,
    known,
    one_of,
    own_notes,
)

if TYPE_CHECKING:
    from rag.types import Answer, Ask

app = typer.Typer(
    name="unitutor",
    help="Answers from a course's own notes, on this machine, with the page behind every sentence.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain text: it is read by programs too
    pretty_exceptions_enable=False,
)


for commands in (
    index_cli,
    chat_cli,
    ground_cli,
    check_cli,
    quiz_cli,
    study_cli,
    api_cli,
    people_cli,
    data_cli,
):
    commands.register(app, lambda text: print(text, flush=True), lambda text: _note(text))


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="What you want to know.")] = None,
    index: Index = tutor.INDEX,
    notes: Refreshed = None,
    session: Annotated[
        str | None, typer.Option(help="Go on with this conversation (its id or title), or start it.")
    ] = None,
    sessions: Sessions = tutor.SESSIONS,
    source: Sources = None,
    decoding: Annotated[Name, typer.Option(help="How each next word is chosen.")] = "greedy",
    temperature: Annotated[float | None, typer.Option(help="0 to 5; higher is more adventurous.")] = None,
    k: Annotated[int | None, typer.Option(help="Keep the k likeliest words (top-k: 40).")] = None,
    p: Annotated[float | None, typer.Option(help="Keep a share p of the probability (top-p: 0.9).")] = None,
    min_p: Annotated[float | None, typer.Option(help="Keep words min-p times as likely as the best.")] = None,
    beams: Annotated[int | None, typer.Option(help="Sequences kept by beam search (4).")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer.")] = 0,
    strict: Strict = False,
    as_json: Json = False,
    batch: BatchIn = None,
    out: BatchOut = None,
    model: Model = None,
    encoder: Encoder = None,
    reranker: Reranker = None,
    entailment: Entails = None,
    url: Url = None,
) -> None:
    """Answer a question from the notes; with --batch, many (lines may have turns: [...])."""
    one_of(question, batch, out)
    if batch and session is not None:
        raise typer.BadParameter("--session goes with a single question; lines of --batch have turns.")
    from rag.decoding import decoding as decode
    from rag.types import Ask, to_json
    from ui.recalled import from_terminal

    how = decode(decoding, temperature, k, p, min_p, beams, seed)
    lines = batches.read(batch) if batch else []
    if question is not None:
        tutor.check_question(question)
        if found := from_terminal(question, tutor.database_of(sessions), index, encoder):
            _json(found[1]) if as_json else print(terminal.clean(found[0]))
            return
    with terminal.Bars() as progress:
        if notes is not None:
            tutor.build_index([notes], index, encoder, progress)
        log = None if batch else sessions
        opened = tutor.open_tutor(index, model, encoder, url, progress, reranker, log, entailment)
    chosen = known(source, opened.sources)
    if batch and out:
        _run(batch, lines, out, lambda line: to_json(tutor.converse(opened, line.turns, how, chosen, strict)))
        return
    history, keep = tutor.conversation(sessions, session) if session is not None else ((), None)
    asked = Ask(question or "", history, how, chosen, strict)
    answer = _json_answer(opened, asked) if as_json else _shown_answer(opened, asked)
    if keep:
        keep(answer)


@app.command()
def lab(
    question: Annotated[str, typer.Argument(help="What to answer in each way.")],
    strategies: Annotated[str, typer.Option(help=lab_text.STRATEGIES)] = "greedy,top-k:40,top-p:0.9",
    seeds: Annotated[
        int, typer.Option(min=1, max=20, help="Run each with so many seeds, to see how much it varies.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="The first of the seeds.")] = 0,
    index: Index = tutor.INDEX,
    notes: Refreshed = None,
    as_json: Json = False,
    model: Model = None,
    encoder: Encoder = None,
    url: Url = None,
) -> None:
    """Answer a question with several decoding strategies side by side: texts, speed, variety."""
    from rag.lab import REMOTE, experiment, to_json
    from rag.strategies import comparable, strategy

    hows = comparable([strategy(spec, seed) for spec in strategies.split(",")])
    if url:
        raise BadRequest(REMOTE)
    tutor.check_question(question)
    with terminal.Bars() as progress:
        if notes is not None:
            tutor.build_index([notes], index, encoder, progress)
        opened = tutor.open_tutor(index, model, encoder, url, progress)
        values = experiment(opened.retriever, opened.model, question, hows, seeds)
        watched = lab_text.watched(values, progress)
        if as_json:
            _json(to_json(list(watched)[-1]))
            return
        for piece in lab_text.lab_text(watched):
            progress.close()  # the bar goes before text comes, and comes again with the next token
            print(piece, end="", flush=True)


@app.command()
def search(
    question: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    index: Index = tutor.INDEX,
    hits: Annotated[int, typer.Option("--hits", "-n", min=1, max=100, help="How many passages.")] = 5,
    source: Sources = None,
    as_json: Json = False,
    batch: BatchIn = None,
    out: BatchOut = None,
    encoder: Encoder = None,
    reranker: Reranker = None,
) -> None:
    """Find passages, best first, without a language model."""
    one_of(question, batch, out)
    lines = batches.read(batch) if batch else []
    if question is not None:
        tutor.check_question(question)
    retriever = tutor.open_retriever(index, encoder, reranker)
    chosen = known(source, retriever.sources)
    if batch and out:

        def found(line: batches.Line) -> dict[str, Any]:
            tutor.check_question(line.turns[-1])
            return {"hits": [terminal.hit_json(h) for h in retriever.search(line.turns[-1], hits, chosen)]}

        _run(batch, lines, out, found)
        return
    best = retriever.search(question or "", hits, chosen)
    if as_json:
        _json([terminal.hit_json(hit) for hit in best])
    else:
        print(terminal.hits_text(best), end="")


@app.command()
def prepare() -> None:
    """Make the embedded language model ready; needed once, a minute or two."""
    from rag.engines import prepare as models

    with terminal.Bars() as progress:
        folder = models.prepare(progress)
    print(f"The language model is ready in {folder}")


@app.command()
def doctor(
    index: Index = tutor.INDEX,
    notes: Notes = None,
    as_json: Json = False,
    model: Model = None,
    encoder: Encoder = None,
    url: Url = None,
) -> None:
    """Say what is there, how fast it is here, and what leaves this machine; 1 if something is missing."""
    from ui import doctor as doctors

    with terminal.Bars() as progress:
        found = doctors.examine(index, notes or own_notes(index), model, encoder, url, progress)
    if as_json:
        _json(found)
    else:
        print(doctors.as_text(found), end="")
    if found["missing"]:
        raise typer.Exit(1)


def _run(
    source: Path, lines: list[batches.Line], out: Path, answer: Callable[[batches.Line], dict[str, Any]]
) -> None:
    with terminal.Bars() as progress:
        errors = batches.run(lines, out, answer, progress)
    if errors:
        _note(f"{errors} of {len(lines)} lines of {source} have an error instead of an answer: see {out}")


def _json_answer(opened: tutor.Tutor, asked: Ask) -> Answer:
    from rag.types import to_json

    answer = opened.chain.invoke(asked)
    _json(to_json(answer))
    return answer


def _shown_answer(opened: tutor.Tutor, asked: Ask) -> Answer:
    last: list[Answer] = []

    def seen() -> Any:
        for answer in opened.chain.stream(asked):
            last[:] = [answer]
            yield answer

    try:
        for piece in terminal.answer_text(seen(), live=sys.stdout.isatty()):
            print(piece, end="", flush=True)
    except KeyboardInterrupt:
        asked.stop.set()
        print()
        raise
    return last[0]


def _json(values: Any) -> None:
    print(json.dumps(values, ensure_ascii=False, indent=2))


def _note(text: str) -> None:
    print(terminal.one_line(text), file=sys.stderr)


def main() -> None:
    """Run a command. A UnitutorError is one line on stderr and exit status 1."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console may know fewer characters
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # the libraries' warnings are for developers
    try:
        app()
    except UnitutorError as error:
        _note(str(error))
        sys.exit(1)
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # `| head` has read enough: that is no error, and nothing to report
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
