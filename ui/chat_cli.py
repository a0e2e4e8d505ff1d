"""The command that shows the pages: chat. What it says is printed by ui/cli.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from ui import index_cli, terminal, tutor
from ui.options import (
    Encoder,
    Entails,
    Index,
    Model,
    Notes,
    OpenToAll,
    Reranker,
    Sessions,
    Url,
    own_notes,
)

Say = Callable[[str], None]


def register(app: typer.Typer, say: Say, note: Say) -> None:
    """Add the command to `app`; `say` prints a text, `note` a line on stderr."""

    @app.command()
    def chat(
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
        browser: Annotated[bool, typer.Option(help="Open the address in a browser.")] = False,
        model: Model = None,
        encoder: Encoder = None,
        reranker: Reranker = None,
        entailment: Entails = None,
        url: Url = None,
    ) -> None:
        """Open the chat in a web page of this machine."""
        from ui import accounts, serving, uploads
        from ui.living import living

        serving.check_port(host, port)  # told now, and not after a model was loaded
        accounts.check_reach(sessions, host, open_to_all)
        notes = notes or own_notes(index)
        if watch and notes is None:
            raise typer.BadParameter("--watch needs --notes: which folder to watch.")
        roots = uploads.roots(notes, sessions)  # what programs brought is not lost with the next chat
        with terminal.Bars() as progress:
            if roots:
                index_cli.left_out(tutor.build_index(list(roots), index, encoder, progress), note)
            opened = tutor.open_tutor(index, model, encoder, url, progress, reranker, sessions, entailment)
        with living(opened, index, roots, watch, ahead) as alive:
            serving.serve(alive, sessions, host, port, browser, lambda at: say(f"Unitutor is at {at}"))
