"""The commands for what is kept: data keep, export, import, delete. What they say is printed by ui/cli.py."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.errors import BadRequest
from ui import tutor
from ui.options import Index, Json, Sessions

if TYPE_CHECKING:
    from rag.database import Database

Say = Callable[[str], None]
User = Annotated[
    str | None,
    typer.Option(
        "--user", metavar="NAME", help="Whose: a name, or the id that unitutor users list --json has."
    ),
]
FOREVER = "forever"
ID = 32  # hex digits of a person's id
WHOSE = "Say whose: --user NAME."
NOT_SCRUBBED = (
    "Copies of it may still be in the database's files, since another program is using them: stop the chat "
    "and run this again."
)
SERVER = "The server's log of writes and its backups have copies until they are gone over: see its manual."


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the commands to `app`; `say` prints a text, `note` a line on stderr."""
    data = typer.Typer(
        help="What is kept of conversations: how long, and to have it given out or deleted.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(data, name="data")

    @data.command()
    def keep(
        days: Annotated[
            str | None,
            typer.Option(metavar="N|forever", help="Days after a conversation was last used, or forever."),
        ] = None,
        sessions: Sessions = tutor.SESSIONS,
    ) -> None:
        """How long conversations, quizzes taken and the log are kept; with --days, set it."""
        from rag.journal import Journal
        from rag.retention import keep_days, kept_days, sweep, trim, until

        with _database(sessions) as database:
            if days is not None:
                keep_days(database, _days(days))
            kept = kept_days(database)
            if kept is None:
                say("Conversations are kept until they are deleted.")
                return
            say(f"Conversations are kept for {_number(kept, 'day')} after they were last used.")
            gone = sweep(database)
            lines = trim(Journal(sessions), until(kept))
        if gone or lines:
            note(f"Deleted: {_number(gone, 'conversation')}, {_number(lines, 'line')} of the log.")

    @data.command()
    def export(
        out: Annotated[Path, typer.Option(dir_okay=False, help="The file that is written, JSON.")],
        user: User = None,
        sessions: Sessions = tutor.SESSIONS,
    ) -> None:
        """Write all that is kept of a person into a file."""
        from rag.forget import everything
        from rag.journal import Journal
        from rag.jsonlines import replace
        from rag.regression import keeping

        with _database(sessions) as database:
            found = everything(database, _owner(database, user), Journal(sessions))
        with keeping(out):
            text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
            replace(out, text.encode("utf-8", "replace"))
        talks = len(found["conversations"]["conversations"])
        say(f"{out}: {_number(talks, 'conversation')}, {_number(len(found['attempts']), 'quiz')} taken.")

    @data.command("import")
    def read_in(
        file: Annotated[Path, typer.Argument(help="Conversations as JSON, as they were exported.")],
        user: User = None,
        sessions: Sessions = tutor.SESSIONS,
    ) -> None:
        """Add the conversations of a file to a person's."""
        from rag.archive import content_of, read_in
        from rag.sessions import Sessions as Kept

        content = content_of(file)
        with _database(sessions) as database:
            made = read_in(Kept(database, _owner(database, user)), content)
        say(f"{_number(len(made), 'conversation')} added.")

    @data.command()
    def delete(
        user: User = None,
        yes: Annotated[bool, typer.Option("--yes", help="Do it: nothing brings it back.")] = False,
        sessions: Sessions = tutor.SESSIONS,
        index: Index = tutor.INDEX,
        as_json: Json = False,
    ) -> None:
        """Delete all that is kept of a person, and say what that was; an account stays.

        --index is the notes' index: where its vectors are in Milvus, copies of those of messages are too.
        """
        from rag import memory
        from rag.forget import forget
        from rag.journal import Journal
        from rag.requestlog import RequestLog

        with _database(sessions) as database:
            owner = _owner(database, user)
            if not yes:
                raise BadRequest("This cannot be undone: add --yes, maybe after unitutor data export.")

            def by_key(keys: Collection[str]) -> int:
                with _logs():
                    return RequestLog(sessions).forget(keys)

            def vectors(who: str) -> int:
                return memory.forget(database, who, index)

            gone = forget(database, owner, Journal(sessions), by_key, {"vectors of messages": vectors})
            server = database.kind != "sqlite"
        if as_json:
            say(json.dumps({"deleted": gone.counts, "scrubbed": gone.scrubbed}, indent=2))
        else:
            told = [f"{count:,} {name}" for name, count in gone.counts.items() if count]
            say(f"Deleted: {', '.join(told) or 'nothing, for nothing was kept'}.")
        if not gone.scrubbed:
            note(NOT_SCRUBBED)
        elif server:
            note(SERVER)


@contextlib.contextmanager
def _database(sessions: Path) -> Iterator[Database]:
    from rag.database import Database

    database = Database(tutor.database_of(sessions))
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def _logs() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadRequest(f"The log of requests cannot be written ({error.strerror}): try again.") from error


def _owner(database: Database, user: str | None) -> str:
    """A person's id, by name or as given; '' without accounts, where nobody needs to be named."""
    from rag.people import People

    people = People(database)
    if user is None:
        if people.any():
            raise BadRequest(WHOSE)
        return ""
    found = people.find(user)
    if found is not None:
        return found.id
    if len(user) == ID and all(digit in "0123456789abcdef" for digit in user):
        return user  # of an account that was closed
    return people.called(user).id


def _days(text: str) -> int | None:
    if text == FOREVER:
        return None
    if not text.isdecimal():
        raise typer.BadParameter(f"--days takes a number of days, or {FOREVER}.")
    return int(text[:9])


def _number(count: int, name: str) -> str:
    names = name if count == 1 else name + ("zes" if name.endswith("z") else "s")
    return f"{count:,} {names}"
