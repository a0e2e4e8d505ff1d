"""The instructor's commands: check, gaps, log. What they say is printed by ui/cli.py."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ui import check_text, terminal, tutor
from ui.options import Encoder, Index, Json, Model, Reranker, Sessions, Url

if TYPE_CHECKING:
    from rag.gaps import Gaps
    from rag.types import Answer

Say = Callable[[str], None]
WEEKS = 12
CASES = (
    "The regression set, JSON lines [default: regression.jsonl beside the index, where the chat puts "
    "what is approved or rejected]."
)


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the commands to `app`; `say` prints a text, `note` a line on stderr."""

    @app.command()
    def check(
        cases: Annotated[Path | None, typer.Option("--set", dir_okay=False, help=CASES)] = None,
        index: Index = tutor.INDEX,
        accept: Annotated[
            bool, typer.Option("--accept", help="Compare later runs with this one; the exit status is 0.")
        ] = False,
        as_json: Json = False,
        model: Model = None,
        encoder: Encoder = None,
        reranker: Reranker = None,
        url: Url = None,
    ) -> None:
        """Ask the regression set again: what got better or worse since the last accepted run; 1 if worse."""
        from ingest.store import current
        from rag import recheck, regression
        from rag.decoding import GREEDY

        at = cases or regression.beside(index)
        known = regression.read(at)
        accepted = _readable(at) if accept else recheck.load(at)
        with terminal.Bars() as progress:
            opened = tutor.open_tutor(index, model, encoder, url, progress, reranker)

            def ask(turns: tuple[str, ...]) -> Answer:
                return tutor.converse(opened, turns, GREEDY)

            mark = " ".join(map(str, (current(index), model, encoder, reranker, url)))
            now = recheck.run(known, ask, at, mark, progress)
        compared = recheck.compare(known, accepted, now)
        if accept:
            recheck.accept(at, now)
        if as_json:
            say(_json(check_text.check_json(compared)))
        else:
            say(check_text.check_text(compared))
            if accept:
                note(f"Later runs are compared with this one: {recheck.accepted_path(at)}")
        if not accept and any(one.lost for one in compared):
            raise typer.Exit(1)

    @app.command()
    def gaps(
        weeks: Annotated[int, typer.Option(min=1, max=520, help="How many weeks, this one counted.")] = WEEKS,
        index: Index = tutor.INDEX,
        sessions: Sessions = tutor.SESSIONS,
        as_json: Json = False,
        html: Annotated[
            Path | None, typer.Option("--html", dir_okay=False, help="Write it as one page, with charts.")
        ] = None,
    ) -> None:
        """What the notes lack: questions refused or badly supported, pages never cited, topics, thumbs."""
        found = report(index, sessions, weeks)
        if html is not None:
            from rag.jsonlines import replace
            from rag.regression import keeping
            from ui.web.gaps_view import page_html

            with keeping(html):
                replace(html, page_html(found, weeks).encode("utf-8", "replace"))
        if as_json:
            say(_json(check_text.gaps_json(found)))
        elif html is None:
            say(check_text.gaps_text(found, weeks))

    @app.command()
    def log(
        what: Annotated[
            Literal["show", "on", "off", "delete"],
            typer.Argument(help="Show what is logged, switch the log on or off, or delete it."),
        ] = "show",
        sessions: Sessions = tutor.SESSIONS,
        as_json: Json = False,
    ) -> None:
        """The local log of what was asked, from which the gap report is made; it stays on this machine."""
        from rag.journal import Journal

        journal = Journal(sessions)
        if what == "show":
            entries = journal.entries()
            if as_json:
                say(_json(check_text.log_json(journal.on, entries)))
            else:
                say(check_text.log_text(journal, entries))
        elif what == "delete":
            count = journal.delete()
            say(f"Deleted: {count:,} question{'' if count == 1 else 's'}.")
        else:
            journal.switch(what == "on")
            say(check_text.switched(journal.on))


def report(index: Path, sessions: Path, weeks: int) -> Gaps:
    """The gap report of the last weeks; nothing is made where there are no conversations yet."""
    from ingest.passages import places
    from rag.feedback import Feedback
    from rag.gaps import gaps, since
    from rag.journal import Journal

    start = since(weeks, time.time())
    file = tutor.database_of(sessions)
    rated = Feedback(file).all(start) if isinstance(file, str) or file.exists() else ()
    return gaps(Journal(sessions).entries(start), rated, places(index))


def _readable(at: Path) -> dict[str, Any]:
    """The accepted run, or none where it is damaged: it is about to be replaced."""
    from ingest.errors import BadRequest
    from rag.recheck import load

    try:
        return load(at)
    except BadRequest:
        return {}


def _json(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2)
