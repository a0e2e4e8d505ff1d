"""The commands of accounts: users add, list, remove, password, role. What they say is printed by ui/cli.py.

A password is typed without echo or read from a pipe, never an argument: those stand in the history of
the shell and in the list of processes.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.errors import BadRequest
from ui import terminal, tutor
from ui.options import Json, Sessions

if TYPE_CHECKING:
    from rag.people import People, Person

Say = Callable[[str], None]
Named = Annotated[str, typer.Argument(help="The name to sign in with; case does not matter.")]
Piped = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from a pipe and do not ask for it.")
]
ROLE = "'student' or 'instructor': only those see the review desk and what the notes lack."
FIRST = (
    "From now on the pages ask everyone to sign in. Conversations that were kept before belong to nobody: "
    "the terminal still shows them, the pages do not."
)


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the commands to `app`; `say` prints a text, `note` a line on stderr."""
    users = typer.Typer(
        help="Accounts of those who may use the pages. Without any, nobody needs to sign in.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(users, name="users")

    @users.command()
    def add(
        name: Named,
        role: Annotated[str, typer.Option(help=ROLE)] = "student",
        password_stdin: Piped = False,
        sessions: Sessions = tutor.SESSIONS,
    ) -> None:
        """Make an account; its password is asked for twice."""
        from rag.people import checked_name, checked_password, checked_role

        checked_role(role)
        name = checked_name(name)
        with _people(sessions) as people:
            if people.find(name) is not None:
                raise BadRequest(f"There is somebody called {name!r} already: choose another name.")
            first = not people.any()
            made = people.add(name, checked_password(_password(name, password_stdin), name), role)
        say(f"{made.name} is {_role(made)} now.")
        if first:
            note(FIRST)

    @users.command("list")
    def listed(sessions: Sessions = tutor.SESSIONS, as_json: Json = False) -> None:
        """Who has an account, as what, and how they sign in."""
        with _people(sessions) as people:
            found = people.list()
        if as_json:
            say(json.dumps([_values(one) for one in found], ensure_ascii=False, indent=2))
        else:
            say("\n".join(map(_line, found)) or "There are no accounts: unitutor users add NAME.")

    @users.command()
    def remove(name: Named, sessions: Sessions = tutor.SESSIONS) -> None:
        """Close an account, and sign it out everywhere."""
        with _people(sessions) as people:
            gone = people.remove(name)
            left = people.any()
        say(f"{gone.name} can sign in no longer.")
        note(f"What was asked and answered is still kept: unitutor data delete --user {gone.id} forgets it.")
        if not left:
            note("There are no accounts any more: the pages ask nobody to sign in.")

    @users.command()
    def password(name: Named, password_stdin: Piped = False, sessions: Sessions = tutor.SESSIONS) -> None:
        """Give an account another password, and sign it out everywhere."""
        with _people(sessions) as people:
            found = people.called(name)
            people.set_password(name, _password(found.name, password_stdin))
        say(f"{found.name} has another password, and is signed out everywhere.")

    @users.command()
    def role(
        name: Named,
        role: Annotated[str, typer.Argument(help=ROLE)],
        sessions: Sessions = tutor.SESSIONS,
    ) -> None:
        """Make somebody a student or an instructor."""
        with _people(sessions) as people:
            people.set_role(name, role)
            say(f"{people.called(name).name} is {_role(people.called(name))} now.")


@contextlib.contextmanager
def _people(sessions: Path) -> Iterator[People]:
    from rag.database import Database
    from rag.people import People

    database = Database(tutor.database_of(sessions))
    try:
        yield People(database)
    finally:
        database.close()


def _password(name: str, piped: bool) -> str:
    """The password: the first line of what is piped in, or what is typed twice."""
    if piped:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise BadRequest("There is no terminal to ask for the password: pipe it in with --password-stdin.")
    asked: str = typer.prompt(
        f"Password for {terminal.one_line(name)}", hide_input=True, confirmation_prompt=True, err=True
    )
    return asked


def _role(one: Person) -> str:
    return "an instructor" if one.teaches else "a student"


def _ways(one: Person) -> str:
    ways = [words for has, words in ((one.has_password, "password"), (one.subject, "university")) if has]
    return " and ".join(ways) or "cannot sign in: unitutor users password"


def _values(one: Person) -> dict[str, object]:
    made = datetime.fromtimestamp(one.created).astimezone().isoformat(timespec="seconds")
    values = {"id": one.id, "name": one.name, "role": one.role, "password": one.has_password}
    return {**values, "subject": one.subject, "created": made}


def _line(one: Person) -> str:
    made = f"{datetime.fromtimestamp(one.created):%Y-%m-%d}"
    return f"{one.id[:8]}  {terminal.one_line(one.name)}: {one.role}, {_ways(one)}, since {made}"
