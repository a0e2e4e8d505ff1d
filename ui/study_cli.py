"""The commands that make study aids: study terms, cards, guide, review, summary.

What they say is printed by ui/cli.py.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ingest.errors import BadRequest
from ui import terminal, tutor
from ui.options import Encoder, Index, Model, Sessions, Sources, Url

if TYPE_CHECKING:
    from ingest.types import Passage
    from rag.retrieve import Retriever

Say = Callable[[str], None]
As = Annotated[
    Literal["md", "html", "json"], typer.Option("--format", help="Markdown, one HTML page, or JSON.")
]
CardsAs = Annotated[
    Literal["md", "html", "json", "anki"],
    typer.Option("--format", help="Markdown, one HTML page, JSON, or an Anki package (needs --out)."),
]
Out = Annotated[Path | None, typer.Option("--out", dir_okay=False, help="Write it to this file.")]


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the commands to `app`; `say` prints a text, `note` a line on stderr."""
    study = typer.Typer(
        name="study",
        help="Study aids in the notes' own words, each line with its page.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.add_typer(study)

    def given(text: str | bytes, out: Path | None, what: str) -> None:
        if out is None:
            say(text.decode("utf-8") if isinstance(text, bytes) else text.rstrip("\n"))
            return
        from rag.export.formats import save

        save(out, text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
        note(f"{what}: {out}")

    @study.command()
    def terms(index: Index = tutor.INDEX, source: Sources = None, form: As = "md", out: Out = None) -> None:
        """Key terms with the sentences that define them."""
        from rag import study_text
        from rag.study import key_terms
        from ui.web import study_print

        found = key_terms(_passages(index, source))
        made = {"md": study_text.terms_markdown, "html": study_print.terms_html}
        text = _json(study_text.terms_json(found)) if form == "json" else made[form](found)
        given(text, out, f"{len(found)} terms")

    @study.command()
    def cards(
        index: Index = tutor.INDEX, source: Sources = None, form: CardsAs = "md", out: Out = None
    ) -> None:
        """Flashcards, a term each, also as an Anki package."""
        from rag import study_cards, study_text
        from rag.study import key_terms
        from ui.web import study_print

        if form == "anki" and out is None:
            raise typer.BadParameter("--format anki needs --out FILE.")
        found = study_cards.cards(key_terms(_passages(index, source)))
        text: str | bytes
        if form == "anki":
            from rag.export.formats import write

            text = write([study_cards.as_item(card) for card in found], "anki", "Key terms")
        elif form == "json":
            text = _json(study_text.cards_json(found))
        else:
            text = (study_print.cards_html if form == "html" else study_text.cards_markdown)(found)
        given(text, out, f"{len(found)} cards")

    @study.command()
    def guide(
        index: Index = tutor.INDEX,
        source: Sources = None,
        lines: Annotated[int, typer.Option(min=1, max=20, help="Sentences under a heading, at most.")] = 3,
        form: As = "md",
        out: Out = None,
        encoder: Encoder = None,
    ) -> None:
        """A study guide by headings: under each the sentences that tell most."""
        from rag import study_text
        from rag.study_guide import guides
        from ui.web import study_print

        retriever = tutor.open_retriever(index, encoder)
        with terminal.Bars() as progress:
            found = guides(_chosen(retriever, source), retriever.encoder, lines, progress)
        made = {"md": study_text.guide_markdown, "html": study_print.guide_html}
        text = _json(study_text.guide_json(found)) if form == "json" else made[form](found)
        given(text, out, f"{len(found)} file{'' if len(found) == 1 else 's'}")

    @study.command()
    def review(
        index: Index = tutor.INDEX,
        source: Sources = None,
        form: As = "md",
        out: Out = None,
        model: Model = None,
        encoder: Encoder = None,
        url: Url = None,
    ) -> None:
        """The notes' own review questions, answered from the notes."""
        from rag import study_text
        from rag.study_review import answered, answering, questions
        from rag.types import Ask
        from ui.web import study_print

        asked = questions(_passages(index, source))
        found = []
        with terminal.Bars() as progress:
            opened = tutor.open_tutor(index, model, encoder, url, progress)
            files = answering(opened.retriever.index.passages)
            # On a sheet nothing says which sentence is in doubt: only what the notes support stands there.
            for one in answered(
                asked, lambda text: opened.chain.invoke(Ask(text, sources=files, strict=True))
            ):
                found.append(one)
                progress("Answering", len(found), len(asked))
        made = {"md": study_text.review_markdown, "html": study_print.review_html}
        text = _json(study_text.review_json(found)) if form == "json" else made[form](found)
        refused = sum(one.answer.refused for one in found)
        given(text, out, f"{len(found)} questions, {refused} not answered by the notes")

    @study.command()
    def summary(
        conversation: Annotated[str, typer.Argument(help="The id or the title of a conversation.")],
        sessions: Sessions = tutor.SESSIONS,
        form: As = "md",
        out: Out = None,
    ) -> None:
        """What the notes support of a conversation, each sentence once, with quotes and pages."""
        from rag import study_text
        from rag.sessions import Sessions as Kept
        from rag.study_summary import summary as summed
        from ui.web import study_print

        file = tutor.database_of(sessions)
        kept = Kept(file) if isinstance(file, str) or file.exists() else None
        known = kept.list() if kept else ()
        one = next((c for c in known if conversation in (c.id, c.title)), None)
        if kept is None or one is None:
            raise BadRequest(
                f"There is no conversation '{conversation}' in {sessions}: name its id or title."
            )
        points = summed(kept.turns(one.id))
        if form == "json":
            text = _json(study_text.summary_json(points))
        else:
            made = {"md": study_text.summary_markdown, "html": study_print.summary_html}
            text = made[form](points, one.title)
        given(text, out, f"{sum(len(point.lines) for point in points)} sentences")


def _passages(index: Path, source: list[str] | None) -> tuple[Passage, ...]:
    """The passages asked for, read without an encoder."""
    from ingest import generations
    from ingest.errors import IndexUnusable
    from ingest.passages import read_passages
    from rag.study import chosen

    at = generations.current(index)
    if at is None:
        raise IndexUnusable(
            f"There is no index in {index}: make one with 'unitutor ingest NOTES --index {index}'."
        )
    try:
        passages = read_passages(at / "passages.sqlite")
    except (sqlite3.Error, ValueError) as error:
        raise IndexUnusable(f"The index in {index} is damaged: ingest the notes again.") from error
    known = sorted({one.source for one in passages}) if source else ()
    return tuple(chosen(passages, tuple(source or ()), tuple(known)))


def _chosen(retriever: Retriever, source: list[str] | None) -> Sequence[Passage]:
    from rag.study import chosen

    return tuple(chosen(retriever.index.passages, tuple(source or ()), retriever.sources))


def _json(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2)
