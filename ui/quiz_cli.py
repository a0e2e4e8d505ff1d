"""The command that makes a quiz: quiz. What it says is printed by ui/cli.py."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from ingest.errors import BadRequest
from ui import terminal, tutor
from ui.options import Encoder, Index, Model, Sources, Url, known

if TYPE_CHECKING:
    from rag.items.types import Kind, Quiz
    from rag.quiz import Wanted
    from ui.tutor import Tutor

Say = Callable[[str], None]
# rag.export.formats.FORMATS, without its imports; and a page to print, made in ui/web/printed.py
FormatName = Literal[
    "json", "md", "text", "gift", "moodle-xml", "qti", "qti-1.2", "anki", "csv", "html", "html-answers"
]
READABLE = ("json", "md", "text", "gift", "moodle-xml", "csv", "html", "html-answers")
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        help="multiple-choice (the default), true-false, short-answer or fill-in; repeatable.",
    ),
]


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the command to `app`; `say` prints a text, `note` a line on stderr."""

    @app.command()
    def quiz(
        count: Annotated[int, typer.Option("-n", "--count", help="How many questions.")] = 10,
        topic: Annotated[str, typer.Option(help="Ask only about this.")] = "",
        source: Sources = None,
        kind: Kinds = None,
        seed: Annotated[int, typer.Option(help="The same seed makes the same quiz.")] = 0,
        form: Annotated[FormatName, typer.Option("--format", help="What it is written as.")] = "text",
        out: Annotated[
            Path | None, typer.Option("--out", dir_okay=False, help="Where it is written; else it is shown.")
        ] = None,
        title: Annotated[str, typer.Option(help="What the quiz is called.")] = "Quiz",
        index: Index = tutor.INDEX,
        model: Model = None,
        encoder: Encoder = None,
        url: Url = None,
    ) -> None:
        """Make a quiz from the notes: every question has passed the gate. Ctrl-C keeps what has passed."""
        if out is None and form not in READABLE:
            raise typer.BadParameter(f"--format {form} needs --out FILE.")
        if out is not None:
            writable(out)
        from rag.quiz import Wanted, checked
        from ui.quizzing import exports

        wanted = Wanted(
            count,
            cast("tuple[Kind, ...]", tuple(kind or ("multiple-choice",))),
            topic,
            tuple(source or ()),
            seed,
        )
        checked(wanted)
        with terminal.Bars() as progress:
            opened = tutor.open_tutor(index, model, encoder, url, progress)
            known(source, opened.sources)
            made = _made(opened, wanted, progress)
        note(told(made))
        if not made.items:
            raise BadRequest("No question passed: ask about more of the notes, or with another --seed.")
        content = exports()[form].make(made.items, title)
        if out is None:
            say(content.decode("utf-8").rstrip("\n"))
            return
        from rag.export.formats import save

        save(out, content)


def _made(opened: Tutor, wanted: Wanted, progress: terminal.Bars) -> Quiz:
    """The quiz, as far as it got before Ctrl-C."""
    from rag.items.types import Quiz
    from rag.quiz import make_quiz

    halt, quiz = threading.Event(), Quiz((), wanted.count, 0, seed=wanted.seed)
    if opened.model is None:
        raise BadRequest("A quiz needs a language model: none is open.")
    try:
        for quiz in make_quiz(opened.retriever, opened.model, wanted, halt):
            progress(f"Questions ({quiz.written} written)", len(quiz.items), wanted.count)
    except KeyboardInterrupt:
        halt.set()
    return quiz


def told(quiz: Quiz) -> str:
    """What became of the questions, in a line."""
    count = len(quiz.items)
    said = f"Asked for {quiz.asked}, wrote {quiz.written}, {count} passed."
    if quiz.rejected:
        reasons = sorted(quiz.rejected.items(), key=lambda one: -one[1])
        said += " Rejected: " + ", ".join(f"{number} {reason}" for reason, number in reasons) + "."
    if count < quiz.asked and not quiz.stopped:
        said += " The notes give no more."
    return said


def writable(path: Path) -> None:
    """Raises BadRequest where a file cannot be put, before minutes are spent on what it should hold."""
    folder = path.parent
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".unitutor-")
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        raise BadRequest(f"Cannot write into {folder}: {error.strerror}.") from error
