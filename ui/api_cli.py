"""The commands of the HTTP API: serve and keys. What they say is printed by ui/cli.py."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui import index_cli, terminal, tutor
from ui.options import (
    Encoder,
    Entails,
    Index,
    Json,
    Model,
    Notes,
    OpenToAll,
    Reranker,
    Sessions,
    Url,
    own_notes,
)

if TYPE_CHECKING:
    from rag.apikeys import ApiKey, ApiKeys
    from rag.database import Database
    from rag.people import People

Say = Callable[[str], None]
SCOPES = "chat, search, ground, quiz, notes, metrics"  # rag.apikeys.SCOPES, without its imports


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the commands to `app`; `say` prints a text, `note` a line on stderr."""
    keys = typer.Typer(
        help="Keys by which programs are known at the HTTP API.", no_args_is_help=True, rich_markup_mode=None
    )
    app.add_typer(keys, name="keys")

    @keys.command()
    def create(
        name: Annotated[str, typer.Argument(help="What the key is for, for you to know it by.")],
        user: Annotated[str, typer.Option(help="Whose key it is, where there are accounts.")] = "",
        scopes: Annotated[
            str, typer.Option(help=f"What it may do, of {SCOPES} [default: the first four].")
        ] = "",
        per_minute: Annotated[int, typer.Option(help="How many requests a minute.")] = 30,
        sessions: Sessions = tutor.SESSIONS,
    ) -> None:
        """Make a key and print it, this once; kept is only its hash."""
        with _opened(sessions) as opened:
            owner = opened.people.called(user).id if user else ""
            chosen = scopes.replace(",", " ").split()
            made, text = opened.keys.create(name, owner, chosen, per_minute)
        say(text)
        note(f"Key {made.id[:8]} may {', '.join(made.scopes)}. It is not shown again: keep it safe.")

    @keys.command("list")
    def listed(sessions: Sessions = tutor.SESSIONS, as_json: Json = False) -> None:
        """The keys there are: what they are for, what they may do, when they were used."""
        with _opened(sessions) as opened:
            found = opened.keys.list()
            names = {one.id: one.name for one in opened.people.list()}
        if as_json:
            say(json.dumps([_values(one, names) for one in found], ensure_ascii=False, indent=2))
        else:
            say(
                "\n".join(_line(one, names) for one in found)
                or "There are no keys: unitutor keys create NAME."
            )

    @keys.command()
    def revoke(
        key: Annotated[str, typer.Argument(help="The key's id, or the first letters of it.")],
        sessions: Sessions = tutor.SESSIONS,
    ) -> None:
        """Refuse a key from now on."""
        with _opened(sessions) as opened:
            gone = opened.keys.revoke(key)
        say(f"Key {gone.id[:8]} ({terminal.one_line(gone.name)}) is refused from now on.")

    @app.command()
    def serve(
        index: Index = tutor.INDEX,
        notes: Notes = None,
        watch: Annotated[bool, typer.Option("--watch", help="Follow changes of the notes.")] = False,
        ahead: Annotated[
            bool, typer.Option("--read-ahead/--no-read-ahead", help="Read the notes while nobody asks.")
        ] = True,
        sessions: Sessions = tutor.SESSIONS,
        host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 7860,
        open_to_all: OpenToAll = False,
        log_text: Annotated[
            bool, typer.Option("--log-text", help="Keep what programs ask, and are answered, in their log.")
        ] = False,
        model: Model = None,
        encoder: Encoder = None,
        reranker: Reranker = None,
        entailment: Entails = None,
        url: Url = None,
    ) -> None:
        """Show the pages and answer programs, under one address: the HTTP API is at /v1."""
        from ui import accounts, serving, uploads
        from ui.living import living

        serving.check_port(host, port)  # told now, and not after a model was loaded
        accounts.check_reach(sessions, host, open_to_all)
        notes = notes or own_notes(index)
        if watch and notes is None:
            raise typer.BadParameter("--watch needs --notes: which folder to watch.")
        roots = uploads.roots(notes, sessions)
        with terminal.Bars() as progress:
            if roots:
                index_cli.left_out(tutor.build_index(list(roots), index, encoder, progress), note)
            opened = tutor.open_tutor(index, model, encoder, url, progress, reranker, sessions, entailment)
        from ui.api.serve import serve as serve_api

        with living(opened, index, roots, watch, ahead) as alive:
            serve_api(alive, sessions, index, roots, host, port, log_text, lambda at: say(_up(at)))


def _up(address: str) -> str:
    return f"Unitutor is at {address}, its API at {address}v1"


@dataclass(frozen=True)
class _Opened:
    """The keys, the people they belong to, and the database of both."""

    database: Database
    keys: ApiKeys
    people: People


@contextlib.contextmanager
def _opened(sessions: Path) -> Iterator[_Opened]:
    from rag.apikeys import ApiKeys
    from rag.database import Database
    from rag.people import People

    database = Database(tutor.database_of(sessions))
    try:
        yield _Opened(database, ApiKeys(database), People(database))
    finally:
        database.close()


def _values(key: ApiKey, names: dict[str, str]) -> dict[str, Any]:
    values = {name: getattr(key, name) for name in ("id", "name", "scopes", "per_minute")}
    times = {name: getattr(key, name) for name in ("created", "used", "revoked")}
    return {**values, "user": names.get(key.owner, key.owner), **times}


def _line(key: ApiKey, names: dict[str, str]) -> str:
    used = f"used {_day(key.used)}" if key.used else "never used"
    state = f"revoked {_day(key.revoked)}" if key.revoked else used
    whose = f" of {terminal.one_line(names.get(key.owner, 'somebody who has gone'))}" if key.owner else ""
    return (
        f"{key.id[:8]}  {terminal.one_line(key.name)}{whose}: {', '.join(key.scopes)}; "
        f"{key.per_minute:,} a minute; made {_day(key.created)}, {state}"
    )


def _day(when: float) -> str:
    return f"{datetime.fromtimestamp(when):%Y-%m-%d}"
